import { decodeBlock } from '@songhua/sdk/protocol/block'
import { protocolVersionAt } from '@songhua/sdk/protocol/genesis'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { createConsensusDriver } from '../services/consensus.js'
import type { ConsensusDriver, ConsensusTransport, ConsensusWork } from '../services/consensus-ports.js'
import { createConsensusTransport } from '../services/consensus-transport.js'
import { recoverSafety } from '../signer/recovery.js'
import { journaledSigner, openSignatureJournal } from '../signer/signature-journal.js'
import { type ValidatorSigner, createValidatorSigner } from '../signer/signer.js'
import { openConsensusLog } from '../storage/consensus-log.js'
import type { NodeConfig } from './config.js'
import type { Ledger } from './ledger.js'
import { dataPaths } from './options.js'
import { type Peers, encodedBlock } from './peers.js'
import type { StopStack } from './stop-stack.js'
import { PROTOCOL_VERSIONS } from './version.js'

export interface ValidatorPorts {
  readonly ledger: Ledger
  readonly peers: Peers
  readonly clock: Clock
  readonly logger: Logger
  readonly stops: StopStack
  readonly onFatal: (error: unknown) => void
}

/** Consensus over this node's chain and peers; a follower has no signer and takes what is sealed. */
export async function createValidator(config: NodeConfig, ports: ValidatorPorts): Promise<ConsensusDriver> {
  const { ledger, peers, clock, onFatal } = ports
  const { genesis, opened, chain } = ledger
  const logger = ports.logger.child({ part: 'consensus' })
  const signer = config.follow ? undefined : await openSigner(config, ports)
  return createConsensusDriver(
    {
      genesisHash: opened.genesisHash,
      timing: genesis.qbft,
      protocolVersionAt: (height) => protocolVersionAt(genesis, height),
      protocolVersionMax: PROTOCOL_VERSIONS.max,
      logger,
      onFatal,
    },
    { chain, work: workOf(ledger, peers), transport: transportOf(ledger, peers), signer, clock },
  )
}

async function openSigner(config: NodeConfig, { ledger, stops }: ValidatorPorts): Promise<ValidatorSigner> {
  // Made by `songhua init`: one that is not there was lost, and must not be taken for a new one.
  const log = await openConsensusLog(dataPaths(config.dataDir).consensusLogFile, { create: false })
  stops.push('consensus log', () => log.close())
  const headNumber = ledger.chain.head().header.number
  const recovery = recoverSafety({ log, headNumber, decodeBlock: (bytes) => decodeBlock(bytes) })
  const signer = createValidatorSigner({ privateKey: config.nodeKey, recovery }, log)
  if (!config.signatures.journal) return signer
  const journal = openSignatureJournal(dataPaths(config.dataDir).signaturesFile)
  stops.push('signature journal', () => journal.close())
  return journaledSigner(signer, journal)
}

/** The relay sends within 3 ms of arrival, far below the time for which work is held before a round's timer runs. */
function workOf({ pool }: Ledger, { relay }: Peers): ConsensusWork {
  return {
    executableSince: (height) => pool.executableSince(height),
    onAdded: (listener) => pool.onAdded(() => listener()),
    resendPending: () => relay.resendPending(),
    get: (hash) => pool.get(hash),
  }
}

function transportOf({ store }: Ledger, { network }: Peers): ConsensusTransport {
  return createConsensusTransport({ network, encodedBlock: (height) => encodedBlock(store, height) })
}
