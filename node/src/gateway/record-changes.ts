import { RING_SIZE_KEY, type Place, idKey, naturalKey, nextSeqKey, payloadKey, placeToBytes, recordKey, searchKey, searchPosition, uint64, uuidBytes } from './keys.js'
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
export function recordChanges(entry: Entry, at: { place: Place; slot: number | undefined; bytesSoFar: number }, tags: Tags): Change[] {
  const { draft, sealed, acceptedAtMs, acceptedBy } = entry
  const { envelope, leaf, envelopeBytes } = draft
  const issuerTag = tags.selection({ issuer: envelope.issuer })
  const { place, slot, bytesSoFar } = at
  const row = encodeRecordRow({ envelope: envelopeBytes, leaf, issuerTag, acceptedAtMs, acceptedBy, slot, bytesSoFar })
  const changes: Change[] = [[recordKey(place), row], [idKey(envelope.id), placeToBytes(place)], ...searchChanges(draft, place, tags)]
  if (sealed !== undefined) changes.push([payloadKey(place), sealed.sealed])
  if (draft.naturalKey !== undefined) {
    changes.push([naturalKey(tags.natural(envelope.issuer, draft.naturalKey)), uuidBytes(envelope.id)])
  }
  return changes
}

const NOTHING = new Uint8Array(0)

function searchChanges({ envelope, createdMs }: Draft, place: Place, tags: Tags): Change[] {
  const position = searchPosition(createdMs, place)
  const { issuer, schema, subject } = envelope
  const selections = [{}, { issuer }, { schema: schema.id }, { issuer, schema: schema.id }].map(tags.selection)
  const sieve = new Uint8Array(Buffer.concat([tags.selection({ issuer }), tags.selection({ schema: schema.id })]))
  return [
    ...selections.map((tag): Change => [searchKey(tag, position), NOTHING]),
    [searchKey(tags.subject(subject), position), sieve],
  ]
}

/** Where the next records go, and how far the key ring is in use. */
export function counterChanges(next: ReadonlyMap<Place['family'], number>, ringSize: number): Change[] {
  const counters = [...next].map(([family, seq]): Change => [nextSeqKey(family), uint64(seq)])
  return [...counters, [RING_SIZE_KEY, uint64(ringSize)]]
}
