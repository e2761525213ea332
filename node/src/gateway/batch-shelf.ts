import { type Hash, type Hex, bytesToHex } from '@songhua/sdk/protocol/bytes'
import { type ReadNode, createHashReader } from '@songhua/sdk/protocol/merkle-tree'
import { BATCHES_CACHED_MAX } from './engine-limits.js'
import { type Place, anchorKey, leavesKey } from './keys.js'
import { sizeOf } from './progress.js'
import { type AnchorRow, type BatchRow, decodeAnchorRow } from './rows.js'
import { type GatewayStore, damaged, findBatch } from './store.js'
import { readChanges } from './validator-changes.js'

/** A batch with what its bundles share, read once for many of its records. */
export interface ShelvedBatch {
  readonly row: BatchRow
  /** Undefined until it is anchored. */
  readonly anchor: AnchorRow | undefined
  /** Tree over the leaves, made when it is first asked for. */
  readonly tree: () => ReadNode
  /** RLP with seals. */
  readonly header: () => Hex
  readonly validatorHistory: () => readonly Hex[]
}

export interface BatchShelf {
  /** Undefined while the record waits for a batch. */
  of(place: Place): Promise<ShelvedBatch | undefined>
}

/** Anchored batches never change, so the last ones used stay in memory. */
export function createBatchShelf(store: Pick<GatewayStore, 'get' | 'entries'>): BatchShelf {
  let recent: ShelvedBatch[] = []
  return {
    async of(place) {
      const known = recent.find(
        ({ row }) => row.family === place.family && row.first <= place.seq && place.seq <= row.last,
      )
      const batch = known ?? (await readShelved(store, place))
      if (batch?.anchor === undefined) return batch
      recent = [
        batch,
        ...recent.filter(({ row }) => row.family !== batch.row.family || row.last !== batch.row.last),
      ].slice(0, BATCHES_CACHED_MAX)
      return batch
    },
  }
}

async function readShelved(
  store: Pick<GatewayStore, 'get' | 'entries'>,
  place: Place,
): Promise<ShelvedBatch | undefined> {
  const row = await findBatch(store, place)
  if (row === undefined) return undefined
  const end = { family: row.family, seq: row.last }
  const bytes = store.get(anchorKey(end))
  const anchor = bytes && decodeAnchorRow(bytes)
  return {
    row,
    anchor,
    tree: once(() => {
      const leaves = readLeaves(store, end)
      if (leaves.length !== sizeOf(row)) damaged(`the batch that ends at ${row.last} has ${leaves.length} leaves`)
      return createHashReader(leaves)
    }),
    header: once(() => bytesToHex(anchor!.header)),
    validatorHistory: once(() => readChanges(store, anchor!.changes).map(bytesToHex)),
  }
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => (made ??= { value: make() }).value
}

const LEAF_BYTES = 32

/** @param end of the batch. @throws CodedError `GATEWAY_STORE_DAMAGED` */
export function readLeaves(store: Pick<GatewayStore, 'get'>, end: Place): Uint8Array[] {
  const bytes = store.get(leavesKey(end)) ?? damaged(`the leaves of the batch that ends at ${end.seq} are missing`)
  return Array.from({ length: bytes.length / LEAF_BYTES }, (_, at) =>
    bytes.subarray(at * LEAF_BYTES, (at + 1) * LEAF_BYTES),
  )
}

/** Where the newest attempt of a batch, or the one that anchored it, is to be found. */
export function transactionHashOf({ row, anchor }: ShelvedBatch): Hash {
  return anchor?.transactionHash ?? row.hashes.at(-1)!
}
