import { EMPTY_TRIE_ROOT } from '@songhua/sdk/protocol/account'
import { type Hash, bytesToHex } from '@songhua/sdk/protocol/bytes'
import { CodedError, isCodedError, messageOf } from '@songhua/sdk/protocol/errors'
import type { ChainStore, StoreReader } from './chain-store.js'
import { createCheckedTable, createWatchedTable } from './checked-table.js'
import { GENESIS_KEY, SCHEMA_KEY, SCHEMA_VERSION } from './keys.js'
import { damagedStore, openLevelTable } from './level-table.js'
import { createMemoryTable } from './memory-table.js'
import { createChainStore, createStoreReader } from './store.js'
import type { Table } from './table.js'

export interface OpenOptions {
  readonly genesisHash: Hash
  readonly onDamage?: ((error: Error) => void) | undefined
}

/**
 * The store in `folder`, created when absent. It is empty (`head()` undefined) until the genesis is committed.
 * @param genesisHash what a store that is not empty must hold as block 0
 * @param onDamage told of each read that finds damage, once the store is open
 * @throws CodedError `STORE_IN_USE`, `STORE_NEWER_SCHEMA`, `STORE_OLDER_SCHEMA`, `STORE_FOREIGN`,
 *   `STORE_GENESIS_MISMATCH`, `STORE_DAMAGED`
 */
export async function openStore(folder: string, { genesisHash, onDamage }: OpenOptions): Promise<ChainStore> {
  let isOpen = false
  const table = createWatchedTable(await openChainTable(folder), {
    isDamage: (error) => isOpen && isCodedError(error, 'STORE_DAMAGED'),
    onDamage: (error) => onDamage?.(error),
  })
  try {
    await checkSchema(table, folder)
    checkGenesis(table, folder, genesisHash)
    const store = createChainStore(table)
    checkHead(store)
    isOpen = true
    return store
  } catch (error) {
    await table.close()
    throw refusal(folder, error)
  }
}

/** The store's table: each value with its checksum. `isOpen` as for `openLevelTable`. */
export async function openChainTable(folder: string, isOpen = false): Promise<Table> {
  const table = await openLevelTable(folder, undefined, isOpen)
  return createCheckedTable(table, { plainKey: SCHEMA_KEY, damaged: (what) => damagedStore(folder, what) })
}

/**
 * For another thread of the process that has opened the folder with `openStore`; sees what that one commits.
 * @throws CodedError as `openStore`; `STORE_NOT_INITIALISED` for a folder without a store
 */
export async function openStoreForReading(folder: string): Promise<StoreReader> {
  const table = await openChainTable(folder, true)
  if (table.get(SCHEMA_KEY)?.[0] === SCHEMA_VERSION) return createStoreReader(table)
  await table.close()
  const message = `${folder} has no store of schema ${SCHEMA_VERSION} to read`
  throw new CodedError('STORE_NOT_INITIALISED', message, { details: { folder } })
}

/** The same store without a disk. */
export function createMemoryStore(): ChainStore {
  return createChainStore(createMemoryTable())
}

async function checkSchema(table: Table, folder: string): Promise<void> {
  const version = table.get(SCHEMA_KEY)?.[0]
  if (version === SCHEMA_VERSION) return
  const details = { folder, version, supported: SCHEMA_VERSION }
  if (version !== undefined && version > SCHEMA_VERSION) {
    const message = `the data folder ${folder} has schema ${version}, this program reads ${SCHEMA_VERSION}: `
      + 'it was written by a newer songhua; run that version, or start with another folder'
    throw new CodedError('STORE_NEWER_SCHEMA', message, { details })
  }
  if (version !== undefined && version > 0) {
    const message = `the data folder ${folder} has schema ${version}, this program reads ${SCHEMA_VERSION}: move the folder `
      + 'away and start again, and the node fetches the chain from its peers (delete a devnet as a whole)'
    throw new CodedError('STORE_OLDER_SCHEMA', message, { details })
  }
  if (version !== undefined || !(await isEmpty(table))) {
    const message = `the data folder ${folder} holds a database that is not a Songhua chain: use another folder`
    throw new CodedError('STORE_FOREIGN', message, { details })
  }
  await table.write([[SCHEMA_KEY, Uint8Array.of(SCHEMA_VERSION)]])
}

async function isEmpty(table: Table): Promise<boolean> {
  for await (const _key of table.keys({ from: Uint8Array.of(), below: new Uint8Array(64).fill(0xff) })) return false
  return true
}

function checkGenesis(table: Table, folder: string, expected: Hash): void {
  const bytes = table.get(GENESIS_KEY)
  const stored = bytes && bytesToHex(bytes)
  if (stored === undefined || stored === expected) return
  const message = `the data folder ${folder} holds the chain of genesis ${stored}, the genesis file gives ${expected}: `
    + 'use the genesis file of that chain, or start with another folder'
  throw new CodedError('STORE_GENESIS_MISMATCH', message, { details: { folder, stored, expected } })
}

/** What the next block needs first; a store that lacks it is found out at the start and not at the first block. */
function checkHead(store: ChainStore): void {
  const head = store.head()
  if (head === undefined) return
  const { number, stateRoot } = head.header
  const missing = store.hashAt(number) !== head.hash ? `the hash of block ${number}`
    : store.body(number) === undefined ? `the list of transactions of block ${number}`
    : stateRoot !== EMPTY_TRIE_ROOT && store.state.getNode(stateRoot) === undefined ? `the state of block ${number}`
    : undefined
  if (missing === undefined) return
  throw new CodedError('STORE_INCONSISTENT', `${missing}, the head, is missing`, { details: { number } })
}

/** What this file refuses on purpose goes out as it is; whatever else goes wrong while opening is damage. */
function refusal(folder: string, error: unknown): unknown {
  const isOwn = isCodedError(error) && error.code.startsWith('STORE_') && error.code !== 'STORE_INCONSISTENT'
  return isOwn ? error : damagedStore(folder, messageOf(error), error)
}
