import type { Address } from '@songhua/sdk/protocol/bytes'
import type { CodedError } from '@songhua/sdk/protocol/errors'
import type { ConsensusTransport } from './consensus-ports.js'

export interface ConsensusPeer {
  readonly id: string
  readonly address: Address
  readonly follower: boolean
  readonly head: { readonly number: number }
}

/** The part of the network that consensus speaks through. */
export interface ConsensusNetwork {
  peers(): readonly ConsensusPeer[]
  send(peerId: string, channel: 'consensus' | 'blocks', payload: Uint8Array, options?: { kind?: number }): boolean
  onMessage(channel: 'consensus', listener: (peer: ConsensusPeer, payload: Uint8Array) => void): () => void
  onPeer(listener: (event: { type: 'up' | 'down' | 'head'; peer: ConsensusPeer }) => void): () => void
  penalise(peerId: string, code: string, points: number): void
}

export interface ConsensusTransportPorts {
  readonly network: ConsensusNetwork
  /** RLP of a block with its seals; undefined when the store does not have it. */
  readonly encodedBlock: (height: number) => Uint8Array | undefined
}

/** Points of a provable breach; the network bans at 100. */
const FAULT_POINTS = 50
/** What a difference of versions or clocks may also explain. */
const DOUBT_POINTS = 10
const DOUBTFUL = new Set(['CONSENSUS_WIRE_VERSION', 'CONSENSUS_UNKNOWN_VALIDATOR'])

/** Consensus over the network's kept-open streams; followers get blocks by sync, not votes. */
export function createConsensusTransport({ network, encodedBlock }: ConsensusTransportPorts): ConsensusTransport {
  const idOf = (address: Address): string | undefined => network.peers().find((peer) => peer.address === address)?.id

  return {
    subscribe(listener) {
      const ends = [
        network.onMessage('consensus', (peer, payload) => listener.onMessage(peer.address, payload)),
        network.onPeer(({ type, peer }) => {
          if (type === 'up') listener.onPeerUp(peer.address, peer.head.number)
        }),
      ]
      for (const peer of network.peers()) listener.onPeerUp(peer.address, peer.head.number)
      return () => ends.forEach((end) => end())
    },
    broadcast(bytes, { except, kind }) {
      for (const { id, address, follower } of network.peers()) {
        if (!follower && !except.includes(address)) network.send(id, 'consensus', bytes, { kind })
      }
    },
    send(to, bytes, { kind }) {
      const id = idOf(to)
      if (id !== undefined) network.send(id, 'consensus', bytes, { kind })
    },
    sendBlock(to, height) {
      const id = idOf(to)
      const block = id === undefined ? undefined : encodedBlock(height)
      if (id !== undefined && block !== undefined) network.send(id, 'blocks', block)
    },
    penalise(address, { code }: CodedError) {
      const id = idOf(address)
      if (id !== undefined) network.penalise(id, code, DOUBTFUL.has(code) ? DOUBT_POINTS : FAULT_POINTS)
    },
  }
}
