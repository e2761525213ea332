import { type Hash, bytesToHex } from '@songhua/sdk/protocol/bytes'
import { createMerkleTree } from '@songhua/sdk/protocol/merkle-tree'
import { BATCHES_CACHED_MAX } from './engine-limits.js'
import { type Place, anchorKey, leavesKey } from './keys.js'
import type { AnchoredBatch } from './model.js'
import { sizeOf } from './progress.js'
import { type AnchorRow, type BatchRow, decodeAnchorRow } from './rows.js'
import { type GatewayStore, damaged, findBatch } from './store.js'
import { readChanges } from './validator-changes.js'

/** A batch with what its bundles share, read once for many of its records. */
export interface ShelvedBatch {
  readonly row: BatchRow
  /** Undefined until it is anchored. */
  readonly anchor: AnchorRow | undefined
  /** Likewise. Its tree, leaves and headers are read when they are first asked for. */
  readonly anchored: AnchoredBatch | undefined
}

export interface BatchShelf {
  /** Undefined while the record waits for a batch. */
  of(place: Place): Promise<ShelvedBatch | undefined>
}

export interface BatchShelfParts {
  readonly store: Pick<GatewayStore, 'get' | 'entries'>
  readonly chain: { readonly chainId: number; readonly genesisHash: Hash }
}

/** Anchored batches never change, so the last ones used stay in memory. */
export function createBatchShelf(parts: BatchShelfParts): BatchShelf {
  let recent: ShelvedBatch[] = []
  return {
    async of(place) {
      const known = recent.find(({ row }) => holds(row, place))
      if (known !== undefined && known === recent[0]) return known
      const batch = known ?? (await readShelved(place, parts))
      if (batch?.anchor === undefined) return batch
      recent = [batch, ...recent.filter(({ row }) => !holds(row, place))].slice(0, BATCHES_CACHED_MAX)
      return batch
    },
  }
}

const holds = (row: BatchRow, { family, seq }: Place): boolean =>
  row.family === family && row.first <= seq && seq <= row.last

async function readShelved(place: Place, parts: BatchShelfParts): Promise<ShelvedBatch | undefined> {
  const row = await findBatch(parts.store, place)
  if (row === undefined) return undefined
  const bytes = parts.store.get(anchorKey({ family: row.family, seq: row.last }))
  const anchor = bytes && decodeAnchorRow(bytes)
  return { row, anchor, anchored: anchor && openAnchored(row, anchor, parts) }
}

function openAnchored(row: BatchRow, anchor: AnchorRow, { store, chain }: BatchShelfParts): AnchoredBatch {
  const leaves = once(() => readLeafBytes(store, { family: row.family, seq: row.last }))
  const tree = once(() => {
    const hashes = leavesOf(leaves())
    if (hashes.length !== sizeOf(row)) damaged(`the batch that ends at ${row.last} has ${hashes.length} leaves`)
    return createMerkleTree(hashes)
  })
  const { blockNumber, transactionIndex, logIndex, receiptProof } = anchor
  return {
    id: row.batchId,
    size: sizeOf(row),
    shared: once(() => ({
      chain,
      anchor: { blockNumber, transactionIndex, logIndex, receiptProof },
      header: bytesToHex(anchor.header),
      validatorHistory: readChanges(store, anchor.changes).map(bytesToHex),
    })),
    leaves,
    path: (leafIndex) => tree().path(leafIndex).map(bytesToHex),
  }
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => (made ??= { value: make() }).value
}

const LEAF_BYTES = 32

/** @param end of the batch. @throws CodedError `GATEWAY_STORE_DAMAGED` */
export function readLeaves(store: Pick<GatewayStore, 'get'>, end: Place): Uint8Array[] {
  return leavesOf(readLeafBytes(store, end))
}

function readLeafBytes(store: Pick<GatewayStore, 'get'>, end: Place): Uint8Array {
  return store.get(leavesKey(end)) ?? damaged(`the leaves of the batch that ends at ${end.seq} are missing`)
}

function leavesOf(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.length / LEAF_BYTES }, (_, at) =>
    bytes.subarray(at * LEAF_BYTES, (at + 1) * LEAF_BYTES),
  )
}

/** Where the newest attempt of a batch, or the one that anchored it, is to be found. */
export function transactionHashOf({ row, anchor }: Pick<ShelvedBatch, 'row' | 'anchor'>): Hash {
  return anchor?.transactionHash ?? row.hashes.at(-1)!
}
