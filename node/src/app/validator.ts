import { decodeBlock } from '@songhua/sdk/protocol/block'
import type { Address } from '@songhua/sdk/protocol/bytes'
import { privateKeyToAddress } from '@songhua/sdk/protocol/crypto'
import { messageOf } from '@songhua/sdk/protocol/errors'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { versionAt } from '../permission/protocol-schedule.js'
import { createConsensusDriver } from '../services/consensus.js'
import type { ConsensusDriver, ConsensusTransport, ConsensusWork } from '../services/consensus-ports.js'
import { createConsensusTransport } from '../services/consensus-transport.js'
import { recoverSafety } from '../signer/recovery.js'
import { journaledSigner, openSignatureJournal } from '../signer/signature-journal.js'
import { type ValidatorSigner, createValidatorSigner } from '../signer/signer.js'
import { type ConsensusLogStatus, openConsensusLog } from '../storage/consensus-log.js'
import type { NodeConfig } from './config.js'
import type { Ledger } from './ledger.js'
import { dataPaths } from './options.js'
import { type Peers, encodedBlock } from './peers.js'
import type { StopStack } from './stop-stack.js'
import { type SyncTimes, timedLog } from './sync-times.js'
import { type TwinTrace, createTwinWatch } from './twin-watch.js'
import { PROTOCOL_VERSIONS } from './version.js'

/** Consensus, and what only who opened its log knows. */
export interface Validator {
  readonly consensus: ConsensusDriver
  /** Undefined for a node that does not take part. */
  readonly log: LogWatch | undefined
  /** Another node that runs with this one's key, if there is a trace of one. */
  twin(): TwinTrace | undefined
}

export interface LogWatch {
  /** As it was found at the start. */
  readonly status: ConsensusLogStatus
  /** Why this validator kept silent at the start; undefined: it did not. */
  readonly silence: string | undefined
  /** Whose it was; undefined when it named nobody. */
  readonly owner: Address | undefined
  /** Records of which one copy was bad. */
  readonly halves: number
  syncTimes(): SyncTimes
}

export interface ValidatorPorts {
  readonly ledger: Ledger
  readonly peers: Peers
  readonly clock: Clock
  readonly logger: Logger
  readonly stops: StopStack
  readonly onFatal: (error: unknown) => void
}

/** Consensus over this node's chain and peers; a follower has no signer and takes what is sealed. */
export async function createValidator(config: NodeConfig, ports: ValidatorPorts): Promise<Validator> {
  const { ledger, peers, clock, onFatal } = ports
  const { genesis, chain } = ledger
  const logger = ports.logger.child({ part: 'consensus' })
  const twins = createTwinWatch({ self: privateKeyToAddress(config.nodeKey), clock, logger })
  const opened = config.follow ? undefined : await openSigner(config, { ...ports, logger })
  const held = opened && holding((height) => opened.signer.reached(height))
  if (held) chain.holdImports((number) => held.until(number))
  if (opened) ports.stops.push('twin watch', chain.onBlock(({ head }) => twins.onBlock(head)))
  const consensus = createConsensusDriver(
    {
      genesisHash: ledger.opened.genesisHash,
      timing: genesis.qbft,
      protocolVersionAt: (height) => versionAt(chain.protocol(), height),
      protocolVersionMax: PROTOCOL_VERSIONS.max,
      logger,
      onFatal: (error) => {
        held?.fail(error)
        onFatal(error)
      },
    },
    { chain, work: workOf(ledger, peers), transport: transportOf(ledger, peers), signer: opened && twins.watching(opened.signer), clock },
  )
  return { consensus, log: opened?.log, twin: () => twins.trace() }
}

/** Imports wait for the log of consensus; when consensus has stopped for good they fail instead of waiting for ever. */
function holding(reached: (height: number) => Promise<void>) {
  const waiting = new Set<(error: unknown) => void>()
  let failure: { error: unknown } | undefined
  return {
    until: (height: number): Promise<void> =>
      new Promise((resolve, reject) => {
        if (failure !== undefined) return reject(asError(failure.error))
        waiting.add(reject)
        reached(height)
          .finally(() => waiting.delete(reject))
          .then(resolve, reject)
      }),
    fail(error: unknown): void {
      failure = { error }
      for (const reject of waiting) reject(error)
    },
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(messageOf(error)))

interface OpenedSigner {
  readonly signer: ValidatorSigner
  readonly log: LogWatch
}

async function openSigner(config: NodeConfig, { ledger, stops, logger }: ValidatorPorts): Promise<OpenedSigner> {
  // Made by `songhua init`: one that is not there was lost, and must not be taken for a new one.
  const path = dataPaths(config.dataDir).consensusLogFile
  const owner = privateKeyToAddress(config.nodeKey)
  const file = await openConsensusLog(path, { create: false, owner })
  stops.push('consensus log', () => file.close())
  const { log, times } = timedLog(file, () => performance.now())
  const headNumber = ledger.chain.head().header.number
  const recovery = recoverSafety({ log, headNumber, decodeBlock: (bytes) => decodeBlock(bytes) })
  if (file.status === 'foreign') logger.error('the consensus log is of another key', { path, owner: file.owner, key: owner })
  if (file.halves > 0) logger.warn('records of the consensus log had one copy left: a crash cut off a write, or the disk fails', { path, records: file.halves })
  const { status, halves } = file
  const watch = { status, halves, owner: file.owner, silence: recovery.silence, syncTimes: times }
  const signer = createValidatorSigner({ privateKey: config.nodeKey, recovery }, log)
  if (!config.signatures.journal) return { signer, log: watch }
  const journal = openSignatureJournal(dataPaths(config.dataDir).signaturesFile)
  stops.push('signature journal', () => journal.close())
  return { signer: journaledSigner(signer, journal), log: watch }
}

/** The relay sends within 3 ms of arrival, far below the time for which work is held before a round's timer runs. */
function workOf({ pool }: Ledger, { relay }: Peers): ConsensusWork {
  return {
    executableSince: (height) => pool.executableSince(height),
    onAdded: (listener) => {
      const ends = [pool.onAdded(() => listener()), pool.onReleased(listener)]
      return () => ends.forEach((end) => end())
    },
    resendPending: () => relay.resendPending(),
    get: (hash) => pool.get(hash),
  }
}

function transportOf({ store }: Ledger, { network }: Peers): ConsensusTransport {
  return createConsensusTransport({ network, encodedBlock: (height) => encodedBlock(store, height) })
}
