import type { Account } from '@songhua/sdk/protocol/account'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'

/**
 * One state of the chain, read synchronously: the flat state of the head, or a trie at an earlier root.
 */
export interface StateReader {
  /** Undefined when the account does not exist. */
  getAccount(address: Address): Account | undefined
  /** `slot` is the slot's plain number, not its hash; 0n when unset. */
  getStorage(address: Address, slot: Hash): bigint
  /** The code with this keccak256; empty for the hash of no code. Must throw when a non-empty code is absent. */
  getCode(codeHash: Hash): Uint8Array
}

/**
 * What a block changed, as final values. `cleared` accounts lose their whole storage before `storage` applies.
 * Every address in `storage` or `cleared` must also be in `accounts`, because its storage root changes with it;
 * the `storageRoot` given there is ignored, the trie computes it.
 */
export interface StateDiff {
  /** null deletes the account, its storage included. */
  accounts: Map<Address, Account | null>
  /** address → slot → value; 0n deletes the slot. */
  storage: Map<Address, Map<Hash, bigint>>
  cleared: Set<Address>
  /** Newly deployed code by its keccak256. */
  codes: Map<Hash, Uint8Array>
}

/** Where trie nodes are read from. */
export interface NodeStore {
  /** RLP of the node with this keccak256, undefined when absent. Callers must not change the bytes. */
  getNode(hash: Hash): Uint8Array | undefined
}

/** A diff that changes nothing; to be filled. */
export function emptyStateDiff(): StateDiff {
  return { accounts: new Map(), storage: new Map(), cleared: new Set(), codes: new Map() }
}
