import { type Address, type Hash, type Hex, bytesToHex } from '@songhua/sdk/protocol/bytes'
import { messageOf } from '@songhua/sdk/protocol/errors'
import type { Header } from '@songhua/sdk/protocol/header'
import type { Logger } from '../base/logger.js'
import type { BlockContext, Evm } from '../execution/evm.js'
import { JournaledState } from '../execution/journaled-state.js'
import { readNodes } from '../execution/system-reads.js'
import type { Network } from '../network/network.js'
import type { Admission } from '../network/peer-gate.js'
import type { BlockImported } from '../services/chain.js'
import type { StateReader } from '../trie/state.js'

export interface MembershipAdmission extends Admission {
  /** Reads the list of nodes in the state after `header`. What cannot be read leaves the list as it was. */
  refresh(header: Header): Promise<ListReading>
}

/** `unread`: peers are never let in or cut off by a fault, so that the last list holds until one can be read. */
export type ListReading = 'changed' | 'same' | 'unread'

export interface AdmissionPorts {
  readonly evm: Evm
  readonly stateAt: (stateRoot: Hash) => StateReader
  readonly logger: Logger
}

/** Who may connect: the nodes that the membership contract lists. */
export function createAdmission(membershipContract: Address, { evm, stateAt, logger }: AdmissionPorts): MembershipAdmission {
  let admitted: ReadonlySet<Hex> = new Set()
  return {
    isAdmitted: ({ publicKey }) => admitted.has(bytesToHex(publicKey)),
    async refresh(header) {
      const context = { evm, membershipContract, block: contextOf(header) }
      const answer = await readNodes(new JournaledState(stateAt(header.stateRoot)), context)
      if ('code' in answer) {
        logger.error('the list of nodes cannot be read: the last one stays', { block: header.number, ...answer })
        return 'unread'
      }
      const next = new Set(answer.nodes.map(bytesToHex))
      const changed = next.size !== admitted.size || [...next].some((key) => !admitted.has(key))
      admitted = next
      return changed ? 'changed' : 'same'
    },
  }
}

export interface AdmissionParts {
  readonly chain: { onBlock(listener: (event: Pick<BlockImported, 'head' | 'diff'>) => void): () => void }
  readonly membershipContract: Address
  readonly admission: Pick<MembershipAdmission, 'refresh'>
  /** What came of reading the list after the head. */
  readonly first: ListReading
  readonly network: Pick<Network, 'recheckAdmission' | 'recheckPeers'>
  readonly logger: Logger
}

/**
 * Peers are judged again with each block, after the list is read when the block may have changed it. One reading goes on
 * at a time, always of the newest such block: an older answer never comes after a newer one. A list that could not be read
 * is read again with the next block, whether or not that changes it.
 */
export function followAdmission({ chain, membershipContract, admission, first, network, logger }: AdmissionParts): void {
  let unread: Header | undefined
  let isReading = false
  let isStale = first === 'unread'
  const read = async (): Promise<void> => {
    for (let header = unread; header !== undefined; header = unread) {
      unread = undefined
      const reading = await admission.refresh(header).catch((error: unknown): ListReading => {
        logger.error('the list of nodes cannot be read', { block: header.number, error: messageOf(error) })
        return 'unread'
      })
      isStale = reading === 'unread'
      if (reading === 'changed') network.recheckAdmission()
    }
  }
  chain.onBlock(({ head, diff }) => {
    // Only a block that touched the contract can have changed its list.
    if (isStale || diff.accounts.has(membershipContract) || diff.storage.has(membershipContract)) unread = head.header
    if (isReading) return
    if (unread === undefined) return network.recheckPeers()
    isReading = true
    void read().finally(() => {
      isReading = false
      network.recheckPeers()
    })
  })
}

function contextOf(header: Header): BlockContext {
  return {
    number: header.number,
    timestamp: header.timestamp,
    coinbase: header.coinbase,
    gasLimit: header.gasLimit,
    baseFeePerGas: 0n,
    prevRandao: header.mixHash,
    blobBaseFee: 1n,
    blockHash: () => undefined,
  }
}
