import {
  RING_SIZE_KEY,
  type Place,
  idKey,
  naturalKey,
  nextSeqKey,
  payloadKey,
  placeToBytes,
  recordKey,
  searchKey,
  searchPosition,
  uint64,
  uuidBytes,
} from './keys.js'
import type { Draft } from './judge.js'
import { encodeRecordRow } from './rows.js'
import type { SealedPayload } from './seal.js'
import type { Change } from './store.js'
import type { Tags } from './tags.js'

/** A record that is about to be written. */
export interface Entry {
  readonly draft: Draft
  readonly sealed: SealedPayload | undefined
  readonly acceptedBy: string
  readonly acceptedAtMs: number
}

/** All rows of one record but its counters. */
export function recordChanges(
  entry: Entry,
  at: { place: Place; slot: number | undefined; bytesSoFar: number },
  tags: Tags,
): Change[] {
  const { draft, sealed, acceptedAtMs, acceptedBy } = entry
  const { envelope, leaf, envelopeBytes } = draft
  const { place, slot, bytesSoFar } = at
  const selections = tags.selectionsOf({ issuer: envelope.issuer, schema: envelope.schema.id })
  const row = encodeRecordRow({
    envelope: envelopeBytes,
    leaf,
    issuerTag: selections.issuer,
    acceptedAtMs,
    acceptedBy,
    slot,
    bytesSoFar,
  })
  const position = searchPosition(draft.createdMs, place)
  const changes: Change[] = [
    [recordKey(place), row],
    [idKey(envelope.id), placeToBytes(place)],
    [searchKey(tags.subject(envelope.subject), position), selections.sieve],
    ...selections.all.map((tag): Change => [searchKey(tag, position), NOTHING]),
  ]
  if (sealed !== undefined) changes.push([payloadKey(place), sealed.sealed])
  if (draft.naturalKey !== undefined) {
    changes.push([naturalKey(tags.natural(envelope.issuer, draft.naturalKey)), uuidBytes(envelope.id)])
  }
  return changes
}

const NOTHING = new Uint8Array(0)

/** Where the next records go, and how far the key ring is in use. */
export function counterChanges(next: ReadonlyMap<Place['family'], number>, ringSize: number): Change[] {
  const counters = [...next].map(([family, seq]): Change => [nextSeqKey(family), uint64(seq)])
  return [...counters, [RING_SIZE_KEY, uint64(ringSize)]]
}
