import { equalBytes } from '@songhua/sdk/protocol/bytes'
import { leafHash } from '@songhua/sdk/protocol/merkle-tree'
import type { RecordEnvelope } from '@songhua/sdk/records/envelope'
import type { BatchShelf } from './batch-shelf.js'
import { transactionHashOf } from './batch-shelf.js'
import { gatewayError } from './errors.js'
import { cutEvidence, underBlock } from './evidence.js'
import { type Finder, createFinder } from './find.js'
import { type Place, custodyKey, payloadKey } from './keys.js'
import type { AnchoredRecord, KeptPayload, PayloadStatus, Shelf, StoredRecord } from './model.js'
import type { ChainProofs, KeyRing } from './ports.js'
import { type Progress, sizeOf } from './progress.js'
import { type CustodyRow, type RecordRow, decodeCustodyRow } from './rows.js'
import { openPayload } from './seal.js'
import { type GatewayStore, damaged, findPlace, readRecord } from './store.js'
import type { Tags } from './tags.js'

export interface ShelfParts {
  readonly store: Pick<GatewayStore, 'get' | 'entries'>
  readonly keyRing: Pick<KeyRing, 'get'>
  readonly progress: Pick<Progress, 'statusOf'>
  readonly batches: BatchShelf
  readonly tags: Tags
  readonly proofs: ChainProofs
}

/** A record's envelope, as it was when its leaf was made. */
export function envelopeOf(row: Pick<RecordRow, 'envelope'>): RecordEnvelope {
  return JSON.parse(Buffer.from(row.envelope).toString('utf8')) as RecordEnvelope
}

export function createShelf(parts: ShelfParts): Shelf {
  const { store } = parts
  const recordAt = (place: Place): Promise<StoredRecord> => readStored(place, parts)
  const find: Finder = createFinder(parts, recordAt)
  const anchored = (id: string): Promise<AnchoredRecord | undefined> => findAnchored(id, parts)
  return {
    find,
    anchored,
    async get(id) {
      const place = findPlace(store, id)
      return place && recordAt(place)
    },
    // In a promise, what it throws is a rejection.
    payload: (id) => Promise.resolve().then(() => openStored(id, parts)),
    async evidence(id, underHeight) {
      const record = await anchored(id)
      const bundle = record && cutEvidence(record)
      return bundle === undefined || underHeight === undefined ? bundle : underBlock(bundle, underHeight, parts.proofs)
    },
  }
}

async function findAnchored(id: string, parts: ShelfParts): Promise<AnchoredRecord | undefined> {
  const { store, progress, batches } = parts
  const place = findPlace(store, id)
  if (place === undefined) return undefined
  const shelved = progress.statusOf(place) === 'anchored' ? await batches.of(place) : undefined
  const batch = shelved?.anchored
  if (shelved === undefined || batch === undefined) throw gatewayError('RECORD_PENDING', { id })
  return { id, batch, leafIndex: place.seq - shelved.row.first, content: () => readContent(id, place, parts) }
}

type ContentParts = Pick<ShelfParts, 'store' | 'keyRing'>

function readContent(id: string, place: Place, parts: ContentParts): ReturnType<AnchoredRecord['content']> {
  const row = readRecord(parts.store, place)
  // The stored envelope is canonical, so its bytes are what the leaf was made of.
  if (!equalBytes(leafHash(row.envelope), row.leaf)) damaged(`the envelope of ${id} does not give its leaf`)
  const isKept = payloadStatus(row, custodyOf(parts.store, place)) === 'kept'
  return { envelope: row.envelope, kept: isKept ? openKept({ id, place, slot: row.slot! }, parts) : undefined }
}

function openStored(id: string, parts: ContentParts): KeptPayload | undefined {
  const place = findPlace(parts.store, id)
  if (place === undefined) return undefined
  const row = readRecord(parts.store, place)
  const status = payloadStatus(row, custodyOf(parts.store, place))
  if (status === 'withheld') throw gatewayError('PAYLOAD_WITHHELD', { id })
  const kept = status === 'kept' ? openKept({ id, place, slot: row.slot! }, parts) : undefined
  if (kept === undefined) throw gatewayError('PAYLOAD_ERASED', { id })
  return kept
}

/** Undefined when its key is erased. */
function openKept(
  { id, place, slot }: { id: string; place: Place; slot: number },
  { store, keyRing }: ContentParts,
): KeptPayload | undefined {
  const key = keyRing.get(slot)
  if (key === undefined) return undefined
  const sealed = store.get(payloadKey(place)) ?? damaged(`the payload of ${id} is missing`)
  return openPayload(id, { key, sealed })
}

export function custodyOf(store: Pick<GatewayStore, 'get'>, place: Place): CustodyRow {
  return decodeCustodyRow(store.get(custodyKey(place)))
}

export function payloadStatus({ slot }: Pick<RecordRow, 'slot'>, { erased }: CustodyRow): PayloadStatus {
  if (slot === undefined) return 'withheld'
  return erased === undefined ? 'kept' : 'erased'
}

async function readStored(place: Place, { store, progress, batches }: ShelfParts): Promise<StoredRecord> {
  const row = readRecord(store, place)
  const custody = custodyOf(store, place)
  const envelope = envelopeOf(row)
  const status = progress.statusOf(place)
  const batch = await batches.of(place)
  return {
    id: envelope.id,
    envelope,
    status,
    payload: payloadStatus(row, custody),
    acceptedAtMs: row.acceptedAtMs,
    acceptedBy: row.acceptedBy,
    ...(batch === undefined
      ? {}
      : {
          batch: {
            id: batch.row.batchId,
            root: batch.row.root,
            size: sizeOf(batch.row),
            leafIndex: place.seq - batch.row.first,
            transactionHash: transactionHashOf(batch),
            ...(batch.anchor === undefined ? {} : { blockNumber: batch.anchor.blockNumber }),
          },
        }),
    ...custody,
  }
}
