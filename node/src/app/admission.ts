import { type Address, type Hash, type Hex, bytesToHex } from '@songhua/sdk/protocol/bytes'
import type { Header } from '@songhua/sdk/protocol/header'
import type { Logger } from '../base/logger.js'
import type { BlockContext, Evm } from '../execution/evm.js'
import { JournaledState } from '../execution/journaled-state.js'
import { readNodes } from '../execution/system-reads.js'
import type { Admission } from '../network/peer-gate.js'
import type { StateReader } from '../trie/state.js'

export interface MembershipAdmission extends Admission {
  /**
   * Reads the list of nodes in the state after `header`.
   * @returns whether the list changed; a list that cannot be read stays as it was, so that peers are never let in or
   *   cut off by a fault
   */
  refresh(header: Header): Promise<boolean>
}

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
        return false
      }
      const next = new Set(answer.nodes.map(bytesToHex))
      const changed = next.size !== admitted.size || [...next].some((key) => !admitted.has(key))
      admitted = next
      return changed
    },
  }
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
