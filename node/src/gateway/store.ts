import type { Hash } from '@songhua/sdk/protocol/bytes'
import { bytesToHex, concatBytes, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { crashPoint } from '../base/crash-points.js'
import { createGroupSync } from '../base/group-sync.js'
import {
  EVERYTHING,
  GATEWAY_SCHEMA_VERSION,
  IDENTITY_KEY,
  type KeyRange,
  type Place,
  SCHEMA_KEY,
  batchKey,
  batchesFrom,
  idKey,
  placeFromBytes,
  placeOfKey,
  readUint64,
  recordKey,
} from './keys.js'
import type { GatewayTable } from './ports.js'
import { type BatchRow, type RecordRow, decodeBatchRow, decodeRecordRow } from './rows.js'

export type Change = [key: Uint8Array, value: Uint8Array | undefined]

/** The gateway's table, with writes that share a sync. */
export interface GatewayStore {
  get(key: Uint8Array): Uint8Array | undefined
  entries(range: KeyRange): AsyncIterable<[key: Uint8Array, value: Uint8Array]>
  /**
   * Atomic, and on disk when it resolves. Writes become durable in the order of the calls; after one has failed all do,
   * and the gateway must be started again.
   */
  commit(changes: readonly Change[]): Promise<void>
  idle(): Promise<void>
}

export function createGatewayStore(table: GatewayTable): GatewayStore {
  const sync = createGroupSync<readonly Change[]>((group) => table.write(group.flat()))
  return {
    get: (key) => table.get(key),
    entries: (range) => table.entries(range),
    commit: (changes) => sync.add(changes),
    idle: () => sync.idle(),
  }
}

export type GatewayStoreErrorCode =
  'GATEWAY_STORE_MISSING' | 'GATEWAY_STORE_NEWER' | 'GATEWAY_STORE_FOREIGN' | 'GATEWAY_STORE_OTHER_CHAIN' | 'GATEWAY_SECRET_MISMATCH'

/**
 * Marks an empty table as the gateway's own; any other must be of this chain and this secret.
 * @throws CodedError with a `GatewayStoreErrorCode`
 */
export async function claimTable(
  table: GatewayTable,
  { genesisHash, mark, keySlots }: { genesisHash: Hash; mark: Uint8Array; keySlots: number },
): Promise<void> {
  const version = table.get(SCHEMA_KEY)?.[0]
  if (version !== undefined && version > GATEWAY_SCHEMA_VERSION) {
    fail(
      'GATEWAY_STORE_NEWER',
      `the gateway's store has schema ${version}, this program reads ${GATEWAY_SCHEMA_VERSION}: run the newer songhua`,
    )
  }
  const identity = concatBytes(hexToBytes(genesisHash), mark)
  if (version === undefined) {
    if (!(await isEmptyTable(table)))
      fail('GATEWAY_STORE_FOREIGN', 'the folder holds no whole gateway store: use another one, or restore again')
    if (keySlots > 0) {
      fail(
        'GATEWAY_STORE_MISSING',
        `the key folder has ${keySlots} keys, and this store is empty: bring back the store, or its backup (songhua restore --keep-keys); `
          + 'to begin anew, move the key folder away too',
      )
    }
    crashPoint('gateway.before-claim')
    await table.write([
      [SCHEMA_KEY, Uint8Array.of(GATEWAY_SCHEMA_VERSION)],
      [IDENTITY_KEY, identity],
    ])
    crashPoint('gateway.claimed')
    return
  }
  const stored = table.get(IDENTITY_KEY) ?? new Uint8Array(48)
  const storedGenesis = bytesToHex(stored.subarray(0, 32))
  if (storedGenesis !== genesisHash) {
    fail(
      'GATEWAY_STORE_OTHER_CHAIN',
      `the gateway's store is of the chain ${storedGenesis}, not of ${genesisHash}: use another folder`,
    )
  }
  if (bytesToHex(stored.subarray(32)) !== bytesToHex(mark)) {
    fail(
      'GATEWAY_SECRET_MISMATCH',
      "the gateway's secret is not the one of this store: put back the key folder that belongs to it",
    )
  }
}

export async function isEmptyTable(table: GatewayTable): Promise<boolean> {
  for await (const _entry of table.entries(EVERYTHING)) return false
  return true
}

function fail(code: GatewayStoreErrorCode, message: string): never {
  throw new CodedError(code, message)
}

// ----------------------------------------------------------------------------------------------------- lookups

type Reader = Pick<GatewayStore, 'get' | 'entries'>

/** A counter, 0 when it was never written. */
export function readCounter(store: Pick<Reader, 'get'>, key: Uint8Array): number {
  const bytes = store.get(key)
  return bytes === undefined ? 0 : readUint64(bytes, 0)
}

export function findPlace(store: Pick<Reader, 'get'>, id: string): Place | undefined {
  if (!UUID.test(id)) return undefined
  const bytes = store.get(idKey(id))
  return bytes && placeFromBytes(bytes)
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** @throws CodedError `GATEWAY_STORE_DAMAGED` when there is none */
export function readRecord(store: Pick<Reader, 'get'>, place: Place): RecordRow {
  const bytes = store.get(recordKey(place))
  if (bytes !== undefined) return decodeRecordRow(bytes)
  return damaged(`record ${place.seq} of family ${place.family} is missing`)
}

export function readBatch(store: Pick<Reader, 'get'>, place: Place): BatchRow {
  const bytes = store.get(batchKey(place))
  if (bytes !== undefined) return decodeBatchRow(place, bytes)
  return damaged(`the batch of family ${place.family} that ends at ${place.seq} is missing`)
}

/** The batch that holds a record; undefined while it waits for one. */
export async function findBatch(store: Reader, place: Place): Promise<BatchRow | undefined> {
  for await (const [key, value] of store.entries(batchesFrom(place))) {
    const batch = decodeBatchRow(placeOfKey(key), value)
    return batch.first <= place.seq ? batch : undefined
  }
  return undefined
}

export function damaged(what: string): never {
  throw new CodedError('GATEWAY_STORE_DAMAGED', `the gateway's store is damaged: ${what}; restore it from a backup`)
}
