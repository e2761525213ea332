import type { EvidenceBundle } from '@songhua/sdk/protocol/evidence-format'
import type { RecordEnvelope } from '@songhua/sdk/records/envelope'
import type { BatchShelf } from './batch-shelf.js'
import { transactionHashOf } from './batch-shelf.js'
import { gatewayError } from './errors.js'
import { type EvidenceParts, cutEvidence, underLaterBlock } from './evidence.js'
import { type Finder, createFinder } from './find.js'
import { type Place, custodyKey, payloadKey } from './keys.js'
import type { PayloadStatus, Shelf, StoredRecord } from './model.js'
import type { ChainProofs, KeyRing } from './ports.js'
import { type Progress, sizeOf } from './progress.js'
import { type CustodyRow, type RecordRow, decodeCustodyRow } from './rows.js'
import { type OpenedPayload, openPayload } from './seal.js'
import { type GatewayStore, damaged, findPlace, readRecord } from './store.js'
import type { Tags } from './tags.js'

export interface ShelfParts {
  readonly store: Pick<GatewayStore, 'get' | 'entries'>
  readonly keyRing: Pick<KeyRing, 'get'>
  readonly progress: Pick<Progress, 'statusOf'>
  readonly batches: BatchShelf
  readonly tags: Tags
  readonly proofs: ChainProofs
  readonly chain: EvidenceParts['chain']
}

/** A record's envelope, as it was when its leaf was made. */
export function envelopeOf(row: Pick<RecordRow, 'envelope'>): RecordEnvelope {
  return JSON.parse(Buffer.from(row.envelope).toString('utf8')) as RecordEnvelope
}

export function createShelf(parts: ShelfParts): Shelf {
  const { store, keyRing, batches } = parts
  const recordAt = (place: Place): Promise<StoredRecord> => readStored(place, parts)
  const find: Finder = createFinder(parts, recordAt)
  return {
    find,
    async get(id) {
      const place = findPlace(store, id)
      return place && recordAt(place)
    },
    // In a promise, what it throws is a rejection.
    payload: (id) => Promise.resolve().then(() => openStored(id, { store, keyRing })),
    async evidence(id, underHeight): Promise<EvidenceBundle | undefined> {
      const place = findPlace(store, id)
      if (place === undefined) return undefined
      const batch = parts.progress.statusOf(place) === 'anchored' ? await batches.of(place) : undefined
      if (batch?.anchor === undefined) throw gatewayError('RECORD_PENDING', { id })
      const { leaf, ...row } = readRecord(store, place)
      const bundle = cutEvidence(
        envelopeOf(row),
        { leaf, place, batch: { ...batch, anchor: batch.anchor } },
        parts.chain,
      )
      return underHeight === undefined ? bundle : underLaterBlock(bundle, underHeight, parts.proofs)
    },
  }
}

function openStored(id: string, { store, keyRing }: Pick<ShelfParts, 'store' | 'keyRing'>): OpenedPayload | undefined {
  const place = findPlace(store, id)
  if (place === undefined) return undefined
  const row = readRecord(store, place)
  const status = payloadStatus(row, custodyOf(store, place))
  if (status === 'withheld') throw gatewayError('PAYLOAD_WITHHELD', { id })
  const key = status === 'kept' ? keyRing.get(row.slot!) : undefined
  if (key === undefined) throw gatewayError('PAYLOAD_ERASED', { id })
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
