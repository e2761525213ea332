import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { accountKey, codeKey, slotKey, trieNodeKey } from '@songhua/node/storage/keys'
import { openLevelTable } from '@songhua/node/storage/level-table'
import { createStoreReader } from '@songhua/node/storage/store'
import type { TableChange } from '@songhua/node/storage/table'
import { updateStateTrie } from '@songhua/node/trie/state-trie'
import type { NodeStore, StateDiff, StateReader } from '@songhua/node/trie/state'
import { type Account, EMPTY_ACCOUNT, EMPTY_TRIE_ROOT, encodeAccount } from '@songhua/sdk/protocol/account'
import { type Address, type Hash, bigintToBytes } from '@songhua/sdk/protocol/bytes'
import { keccak256Hex } from '@songhua/sdk/protocol/crypto'

/** A state in LevelDB, as a chain of years has it, and its trie. */
export interface BigState {
  readonly reader: StateReader & NodeStore
  readonly root: Hash
  close(): Promise<void>
}

export interface BigStateOptions {
  /** Accounts at `firstAccount` and the addresses that follow. */
  readonly accounts: number
  readonly firstAccount: bigint
  /** Slots 1 … of `contract`, none of them zero. */
  readonly slots: number
  readonly contract: Address
  readonly contractAccount: Account
  /** Contracts of 24 kB, no two with the same code, at `firstCode` and the addresses that follow. */
  readonly codes: number
  readonly firstCode: bigint
}

const MAX_CODE_BYTES = 24_576
const CHUNK = 20_000

export const addressAt = (number: bigint): Address => `0x${number.toString(16).padStart(40, '0')}`
const slotAt = (number: number): Hash => `0x${number.toString(16).padStart(64, '0')}`

/** JUMP over a STOP to a JUMPDEST, so that all of it must be searched for destinations; `number` makes it the only one. */
export function bigCode(number: number): Uint8Array {
  const code = new Uint8Array(MAX_CODE_BYTES).fill(0x5b)
  code.set([0x60, 0x04, 0x56, 0x00, 0x5b, 0x00])
  new DataView(code.buffer).setUint32(MAX_CODE_BYTES - 4, number)
  return code
}

/** In a folder of its own under the system's temporary one, which `close` removes. */
export async function createBigState(options: BigStateOptions): Promise<BigState> {
  const folder = await mkdtemp(join(tmpdir(), 'songhua-dear-'))
  const table = await openLevelTable(folder)
  const reader = createStoreReader(table).state
  let root: Hash = EMPTY_TRIE_ROOT
  for (const diff of chunks(options)) {
    const trie = updateStateTrie(reader, root, diff)
    root = trie.root
    await table.write([
      ...[...trie.accounts].map(([address, account]) => [accountKey(address), encodeAccount(account!)] satisfies TableChange),
      ...[...diff.storage].flatMap(([address, slots]) =>
        [...slots].map(([slot, value]) => [slotKey(address, slot), bigintToBytes(value)] satisfies TableChange)),
      ...[...trie.nodes].map(([hash, node]) => [trieNodeKey(hash), node] satisfies TableChange),
      ...[...diff.codes].map(([hash, code]) => [codeKey(hash), code] satisfies TableChange),
    ])
  }
  return {
    reader,
    root,
    close: async () => {
      await table.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function* chunks({ accounts, firstAccount, slots, contract, contractAccount, codes, firstCode }: BigStateOptions): Iterable<StateDiff> {
  for (let from = 0; from < accounts; from += CHUNK) {
    const length = Math.min(CHUNK, accounts - from)
    const made = Array.from({ length }, (_, at) =>
      [addressAt(firstAccount + BigInt(from + at)), { ...EMPTY_ACCOUNT, nonce: 1n, balance: 1n }] as const)
    yield diffOf({ accounts: new Map(made) })
  }
  for (let from = 1; from <= slots; from += CHUNK) {
    const length = Math.min(CHUNK, slots - from + 1)
    const made = new Map(Array.from({ length }, (_, at) => [slotAt(from + at), BigInt(from + at)]))
    yield diffOf({ accounts: new Map([[contract, contractAccount]]), storage: new Map([[contract, made]]) })
  }
  for (let at = 0; at < codes; at++) {
    const code = bigCode(at)
    const codeHash = keccak256Hex(code)
    yield diffOf({
      accounts: new Map([[addressAt(firstCode + BigInt(at)), { ...EMPTY_ACCOUNT, nonce: 1n, codeHash }]]),
      codes: new Map([[codeHash, code]]),
    })
  }
}

const diffOf = (some: Partial<StateDiff>): StateDiff => ({ accounts: new Map(), storage: new Map(), cleared: new Set(), codes: new Map(), ...some })
