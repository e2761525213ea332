import { decodeBlock } from '@songhua/sdk/protocol/block'
import type { Address } from '@songhua/sdk/protocol/bytes'
import { protocolVersionAt } from '@songhua/sdk/protocol/genesis'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import type { Network, PeerInfo } from '../network/network.js'
import { createConsensusDriver } from '../services/consensus.js'
import type { ConsensusDriver, ConsensusTransport, ConsensusWork } from '../services/consensus-ports.js'
import { recoverSafety } from '../signer/recovery.js'
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

/** Against a peer that hands over a consensus message which no honest node would pass on. */
const BAD_MESSAGE_POINTS = 20

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
    { chain, work: workOf(ledger, peers), transport: transportOf(peers.network, ledger), signer, clock },
  )
}

async function openSigner(config: NodeConfig, { ledger, stops }: ValidatorPorts): Promise<ValidatorSigner> {
  // Made by `songhua init`: one that is not there was lost, and must not be taken for a new one.
  const log = await openConsensusLog(dataPaths(config.dataDir).consensusLogFile, { create: false })
  stops.push('consensus log', () => log.close())
  const headNumber = ledger.chain.head().header.number
  const recovery = recoverSafety({ log, headNumber, decodeBlock: (bytes) => decodeBlock(bytes) })
  return createValidatorSigner({ privateKey: config.nodeKey, recovery }, log)
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

function transportOf(network: Network, { store }: Ledger): ConsensusTransport {
  const toPeer = (address: Address, deliver: (peer: PeerInfo) => void): void => {
    const peer = network.peerOfAddress(address)
    if (peer !== undefined) deliver(peer)
  }
  return {
    subscribe(listener) {
      const ends = [
        network.onMessage('consensus', (peer, bytes) => listener.onMessage(peer.address, bytes)),
        network.onPeer(({ type, peer }) => type === 'up' && listener.onPeerUp(peer.address, peer.head.number)),
      ]
      for (const peer of network.peers()) listener.onPeerUp(peer.address, peer.head.number)
      return () => ends.forEach((end) => end())
    },
    broadcast(bytes, { except, kind }) {
      for (const peer of network.peers()) {
        if (!except.includes(peer.address)) network.send(peer.id, 'consensus', bytes, { kind })
      }
    },
    send: (to, bytes, { kind }) => toPeer(to, ({ id }) => void network.send(id, 'consensus', bytes, { kind })),
    sendBlock(to, height) {
      const block = encodedBlock(store, height)
      if (block !== undefined) toPeer(to, ({ id }) => void network.send(id, 'blocks', block))
    },
    penalise: (peer, error) => toPeer(peer, ({ id }) => network.penalise(id, error.code, BAD_MESSAGE_POINTS)),
  }
}
