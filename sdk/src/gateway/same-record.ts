import { equalBytes } from '../protocol/bytes.js'
import { canonicalBytes, canonicalJson } from '../protocol/canonical-json.js'
import type { RecordEnvelope } from '../records/envelope.js'
import { matchesDigests } from '../records/payload-digest.js'
import { payloadJson } from '../connection/payload.js'
import type { AnchoredRecord, AnyRecordInput, RecordInput } from '../connection/record.js'
import { SonghuaError } from '../connection/songhua-error.js'
import type { AnchoredOutcome } from './answer.js'

/** What was sent: a record, or a row of a table, of which only the gateway knows what it says. */
export type Sent = AnyRecordInput | { readonly schema: string; readonly version?: string }

export interface Submitted {
  readonly sent: Sent
  /** When the submission began, ms. */
  readonly startedMs: number
  /** The caller chose the Idempotency-Key: it may have been used before, and what is given back be of then. */
  readonly isKeyChosen?: boolean
}

/** By how much the clocks of gateway and sender may differ, ms: a record that is older is another one. */
export const CLOCK_SKEW_MS = 10 * 60_000
/** Ids of a stream that are remembered at least; some 10 MB. Those before them are too old to be given back again. */
export const SEEN_IDS_MIN = 100_000

/**
 * Whether what the gateway gives back is what it was given; that it is on the chain is another question.
 * @throws SonghuaError `EVIDENCE_INVALID`; `REPLAY_WITHOUT_PAYLOAD` when it was taken before and its payload is gone
 */
export function checkSame({ anchored, isReplayed }: AnchoredOutcome, submitted: Submitted): void {
  const { sent, startedMs } = submitted
  if (anchored.envelope.id !== anchored.id) refuse(anchored, 'its evidence is of another record')
  if ('envelope' in sent) return checkEnvelope(anchored, sent.envelope)
  const isOfBefore = isReplayed && submitted.isKeyChosen === true
  checkChosen(anchored, sent)
  if (!isOfBefore) checkCreated(anchored, startedMs)
  if ('payload' in sent) return checkPayload(anchored, sent, isReplayed)
  // A row that was anchored before may have been erased since.
  if (!isOfBefore || hasContent(anchored)) checkContent(anchored)
}

function checkEnvelope(anchored: AnchoredRecord, sent: RecordEnvelope): void {
  if (!equalBytes(canonicalBytes(anchored.envelope), canonicalBytes(sent))) {
    refuse(anchored, 'its envelope is not the one that was sent')
  }
  if (hasContent(anchored)) checkContent(anchored)
}

// ------------------------------------------------------------------------------------------------------ envelope

/** What whoever sends a record chooses of its envelope. */
type Chosen = Partial<Omit<RecordInput, 'payload'>>

/** The envelope comes from outside: nothing is taken to be there. */
function checkChosen(anchored: AnchoredRecord, sent: Exclude<Sent, { envelope: unknown }>): void {
  const { schema, issuer, subject, supersedes, retention } = anchored.envelope as Partial<RecordEnvelope>
  const given: Chosen = sent
  mustBe(anchored, 'schema', [schema?.id, given.schema])
  if (given.version !== undefined) mustBe(anchored, 'schema version', [schema?.version, given.version])
  if (given.issuer !== undefined) mustBe(anchored, 'issuer', [issuer, given.issuer])
  if (given.subject !== undefined) mustBe(anchored, 'subject', [subject, given.subject])
  if (given.retention !== undefined) mustBe(anchored, 'retention', [retention, given.retention])
  // A table has these in its columns.
  if ('payload' in sent) mustBe(anchored, 'supersedes', [supersedes, given.supersedes])
}

function mustBe(anchored: AnchoredRecord, what: string, [actual, expected]: readonly [unknown, unknown]): void {
  if (canonicalJson({ value: actual }) === canonicalJson({ value: expected })) return
  const show = (value: unknown): string => (value === undefined ? 'none' : JSON.stringify(value))
  refuse(anchored, `its ${what} is ${show(actual)}, not ${show(expected)}`)
}

/** An old record with the same content, under a new submission's name, would leave the new one unanchored. */
function checkCreated(anchored: AnchoredRecord, startedMs: number): void {
  const createdMs = Date.parse(String(anchored.envelope.createdAt))
  if (createdMs >= startedMs - CLOCK_SKEW_MS) return
  const sentAt = new Date(startedMs).toISOString()
  refuse(anchored, `it was created at ${anchored.envelope.createdAt}, and sent at ${sentAt} by the clock of this machine`)
}

// ------------------------------------------------------------------------------------------------------- payload

const hasContent = ({ payload, salt }: AnchoredRecord): boolean => payload !== undefined || salt !== undefined

function checkPayload(anchored: AnchoredRecord, sent: RecordInput, isReplayed: boolean): void {
  if (isReplayed && !hasContent(anchored)) throw withoutPayload(anchored)
  const payload = checkContent(anchored)
  if (!equalBytes(payload, canonicalBytes(sent.payload))) refuse(anchored, 'its payload is not the one that was sent')
  if (sent.subject === undefined) checkSubjectIn(anchored, payload)
}

/** @returns the payload, which with its salt gives the envelope's digests */
function checkContent(anchored: AnchoredRecord): Uint8Array {
  const { envelope, payload, salt } = anchored
  if (payload === undefined || salt === undefined) {
    return refuse(anchored, `it came without its ${payload === undefined ? 'payload' : 'salt'}`)
  }
  const { payloadDigests } = envelope as Partial<RecordEnvelope>
  if (payloadDigests !== undefined && matchesDigests(payloadDigests, salt, payload)) return payload
  return refuse(anchored, 'its payload and salt do not give its digests')
}

/** Which field of the payload names whom it is about is the schema's to say; that one of them does, can be seen here. */
function checkSubjectIn(anchored: AnchoredRecord, payload: Uint8Array): void {
  const { subject } = anchored.envelope as Partial<RecordEnvelope>
  const fields: unknown[] = Object.values(payloadJson(payload) ?? {})
  if (subject?.kind === 'public' && fields.includes(subject.id)) return
  refuse(anchored, 'its subject is none that was sent, and stands in no field of the payload')
}

// ----------------------------------------------------------------------------------------------------------- ids

/** @throws SonghuaError `EVIDENCE_INVALID` for a record that was given back for an earlier input of the stream */
export type CheckOnce = (anchored: AnchoredRecord, sent: Sent) => void

/** Two generations of ids, so that an endless stream needs no endless memory. */
export function createOnceCheck(): CheckOnce {
  let newer = new Set<string>()
  let older = newer
  return (anchored, sent) => {
    // What is sent with an id of its own has been compared with that.
    if ('envelope' in sent) return
    const { id } = anchored
    if (newer.has(id) || older.has(id)) refuse(anchored, 'it was given back for another record of this stream too')
    if (newer.size === SEEN_IDS_MIN) [older, newer] = [newer, new Set()]
    newer.add(id)
  }
}

// -------------------------------------------------------------------------------------------------------- errors

export function refuse({ id }: { readonly id: string }, why: string, codes: readonly unknown[] = []): never {
  const message = `Record ${id}: ${why}. Do not rely on this gateway before this is explained`
  throw new SonghuaError('EVIDENCE_INVALID', message, { details: { id, codes } })
}

function withoutPayload({ id }: AnchoredRecord): SonghuaError {
  const why = 'the gateway took it before and has no payload of it any more, so it cannot be compared with what was sent'
  const message = `Record ${id}: ${why}. Look whether it was erased; its evidence stands`
  return new SonghuaError('REPLAY_WITHOUT_PAYLOAD', message, { details: { id } })
}
