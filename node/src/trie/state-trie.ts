import {
  type Account, EMPTY_ACCOUNT, EMPTY_TRIE_ROOT, decodeAccount, encodeAccount,
} from '@songhua/sdk/protocol/account'
import { type Address, type Hash, type Hex, bigintToBytes, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { keccak256Hex } from '@songhua/sdk/protocol/crypto'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { decodeRlp, encodeRlp, readBigint } from '@songhua/sdk/protocol/rlp'
import { trieGet, trieProof } from './lookup.js'
import type { NodeStore, StateDiff, StateReader } from './state.js'
import { type TrieChange, type TrieUpdate, updateTrie } from './update.js'

export interface StateTrieUpdate extends TrieUpdate {
  /** Every account that the diff touches, as the flat state must hold it: with its storage root; null when gone. */
  accounts: Map<Address, Account | null>
}

/**
 * The state at `root` with a block's changes: the storage trie of each touched account, then the trie of accounts,
 * whose keys are hashed (Yellow Paper §4.1). The former storage root is the one in the trie, whatever the diff's
 * account says.
 * @throws CodedError `TRIE_NODE_MISSING`, `TRIE_NODE_INVALID`; `STATE_DIFF_INVALID` for storage of an account that
 *   does not exist
 */
export function updateStateTrie(store: NodeStore, root: Hash, diff: StateDiff): StateTrieUpdate {
  const accounts = new Map<Address, Account | null>()
  const nodes = new Map<Hash, Uint8Array>()
  const changes = new Map<Hex, TrieChange>()
  for (const address of touchedAddresses(diff)) {
    changes.set(keccak256Hex(hexToBytes(address)), (present) => {
      const before = present === undefined ? undefined : decodeAccount(present)
      const after = diff.accounts.get(address) ?? (diff.accounts.has(address) ? null : before)
      if (after === undefined) throw ownerless(address)
      if (after === null) {
        accounts.set(address, null)
        return null
      }
      const storage = updateStorage(store, before?.storageRoot ?? EMPTY_TRIE_ROOT, { address, diff })
      storage.nodes.forEach((raw, hash) => nodes.set(hash, raw))
      const account = { ...after, storageRoot: storage.root }
      accounts.set(address, account)
      return encodeAccount(account)
    })
  }
  const updated = updateTrie(store, root, changes)
  updated.nodes.forEach((raw, hash) => nodes.set(hash, raw))
  return { root: updated.root, nodes, accounts }
}

function touchedAddresses(diff: StateDiff): Set<Address> {
  return new Set([...diff.accounts.keys(), ...diff.storage.keys(), ...diff.cleared])
}

function updateStorage(store: NodeStore, root: Hash, of: { address: Address; diff: StateDiff }): TrieUpdate {
  const { address, diff } = of
  const changes = new Map<Hex, TrieChange>()
  for (const [slot, value] of diff.storage.get(address) ?? []) {
    changes.set(hashSlot(slot), value === 0n ? null : encodeRlp(bigintToBytes(value)))
  }
  return updateTrie(store, diff.cleared.has(address) ? EMPTY_TRIE_ROOT : root, changes)
}

function ownerless(address: Address): CodedError {
  const message = `the state diff changes storage of ${address}, which does not exist and which it does not create`
  return new CodedError('STATE_DIFF_INVALID', message, { details: { address } })
}

/**
 * The state at an earlier root, read from its trie.
 * @param codeOf must throw for a code that is not stored
 */
export function stateReaderAt(store: NodeStore, codeOf: (codeHash: Hash) => Uint8Array, root: Hash): StateReader {
  const getAccount = (address: Address): Account | undefined => {
    const encoded = trieGet(store, root, keccak256Hex(hexToBytes(address)))
    return encoded === undefined ? undefined : decodeAccount(encoded)
  }
  return {
    getAccount,
    getStorage(address, slot) {
      const { storageRoot } = getAccount(address) ?? EMPTY_ACCOUNT
      const encoded = trieGet(store, storageRoot, hashSlot(slot))
      return encoded === undefined ? 0n : readBigint(decodeRlp(encoded), 'slot')
    },
    getCode: codeOf,
  }
}

/** eth_getProof's `accountProof`: proves the account, or that there is none. */
export function accountProof(store: NodeStore, root: Hash, address: Address): Uint8Array[] {
  return trieProof(store, root, keccak256Hex(hexToBytes(address)))
}

/** eth_getProof's `storageProof` of one slot, against the account's storage root. */
export function storageProof(store: NodeStore, storageRoot: Hash, slot: Hash): Uint8Array[] {
  return trieProof(store, storageRoot, hashSlot(slot))
}

function hashSlot(slot: Hash): Hash {
  return keccak256Hex(hexToBytes(slot))
}
