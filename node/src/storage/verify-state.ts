import { type Account, EMPTY_CODE_HASH, EMPTY_TRIE_ROOT, decodeAccount } from '@songhua/sdk/protocol/account'
import { type Address, type Hash, bytesToBigint, bytesToHex } from '@songhua/sdk/protocol/bytes'
import { keccak256Hex } from '@songhua/sdk/protocol/crypto'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { decodeRlp, readBigint } from '@songhua/sdk/protocol/rlp'
import { trieGet } from '../trie/lookup.js'
import type { NodeStore } from '../trie/state.js'
import { countLeaves } from '../trie/walk.js'
import * as keys from './keys.js'
import type { Table } from './table.js'

export interface StateFigures {
  readonly accounts: number
  readonly slots: number
  /** Of the state at the head; older states are not walked. */
  readonly trieNodes: number
}

const ADDRESS_BYTES = 20

/**
 * The flat state is the state under `root`: every account and slot stands in the trie with the same value, the trie has no
 * others, each of its nodes has the hash by which it is named, and each account's code is there. Reads as a stream.
 * @throws CodedError `STORE_INCONSISTENT`, naming the account
 */
export async function verifyFlatState(table: Table, nodes: NodeStore, root: Hash): Promise<StateFigures> {
  const checked = hashCheckedNodes(nodes)
  const roots = new Map<Hash, number>()
  let accounts = 0
  let slots = 0
  for await (const [key, value] of table.entries(keys.ACCOUNTS)) {
    const address = bytesToHex(key.subarray(1))
    const account = decodeAccount(value)
    expectSame(`account ${address}`, trieGet(checked.store, root, keccak256Hex(key.subarray(1))), value)
    checkCode(table, address, account)
    accounts++
    const own = await verifySlots(table, checked.store, { address, account })
    if (own > 0) roots.set(account.storageRoot, own)
    slots += own
  }
  checkCount('accounts', countLeaves(checked.store, root), accounts)
  for (const [storageRoot, count] of roots) checkCount(`slots under ${storageRoot}`, countLeaves(checked.store, storageRoot), count)
  await checkOwners(table)
  return { accounts, slots, trieNodes: checked.count() }
}

/** Every node that is read, once by its hash. */
function hashCheckedNodes(nodes: NodeStore): { store: NodeStore; count: () => number } {
  let count = 0
  const store: NodeStore = {
    getNode(hash) {
      const raw = nodes.getNode(hash)
      if (raw !== undefined && keccak256Hex(raw) !== hash) throw inconsistent(`trie node ${hash} has another hash than its name`)
      count++
      return raw
    },
  }
  return { store, count: () => count }
}

async function verifySlots(
  table: Table,
  nodes: NodeStore,
  { address, account }: { address: Address; account: Account },
): Promise<number> {
  let count = 0
  for await (const [key, value] of table.entries(keys.slotRange(address))) {
    const slot = key.subarray(1 + ADDRESS_BYTES)
    const encoded = trieGet(nodes, account.storageRoot, keccak256Hex(slot))
    const inTrie = encoded === undefined ? 0n : readBigint(decodeRlp(encoded), 'slot')
    const name = `slot ${bytesToHex(slot)} of ${address}`
    if (inTrie !== bytesToBigint(value)) throw inconsistent(`${name} is not what the state root says`)
    count++
  }
  if (count === 0 && account.storageRoot !== EMPTY_TRIE_ROOT) throw inconsistent(`the storage of ${address} is missing`)
  return count
}

function checkCode(table: Table, address: Address, { codeHash }: Account): void {
  if (codeHash === EMPTY_CODE_HASH) return
  const code = table.get(keys.codeKey(codeHash))
  if (code === undefined || keccak256Hex(code) !== codeHash) throw inconsistent(`the code of ${address} is missing or another`)
}

/** No slot belongs to an account that does not exist: one would come back to life with the account. */
async function checkOwners(table: Table): Promise<void> {
  for await (const key of table.keys(keys.SLOTS)) {
    const address = bytesToHex(key.subarray(1, 1 + ADDRESS_BYTES))
    if (table.get(keys.accountKey(address)) === undefined) throw inconsistent(`slots of ${address}, which does not exist`)
  }
}

function expectSame(what: string, inTrie: Uint8Array | undefined, flat: Uint8Array): void {
  if (inTrie === undefined || bytesToHex(inTrie) !== bytesToHex(flat)) throw inconsistent(`${what} is not what the state root says`)
}

function checkCount(what: string, inTrie: number, flat: number): void {
  if (inTrie !== flat) throw inconsistent(`the state has ${inTrie} ${what}, the flat state ${flat}`)
}

function inconsistent(what: string): CodedError {
  return new CodedError('STORE_INCONSISTENT', `${what}; songhua repair moves the store away, and the node fetches it anew`)
}
