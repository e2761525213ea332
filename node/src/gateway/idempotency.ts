import type { Clock } from '../base/clock.js'
import { SWEEP_ROWS_MAX } from './engine-limits.js'
import { gatewayError } from './errors.js'
import { expiredBefore, expiryKey, idempotencyKey, macOfExpiryKey } from './keys.js'
import type { Acceptance, Submission } from './model.js'
import { type IdempotencyRow, type PastOutcome, decodeIdempotencyRow, encodeIdempotencyRow } from './rows.js'
import type { Change, GatewayStore } from './store.js'
import { type Tags, isSameTag } from './tags.js'

/** A request that must have one effect however often it comes. */
export interface RequestToken {
  readonly key: string
  /** HMAC of the caller's key id and the key. */
  readonly mac: Uint8Array
  /** HMAC of the request. */
  readonly fingerprint: Uint8Array
}

export function tokenOf({ caller, idempotency }: Submission, tags: Tags): RequestToken | undefined {
  if (idempotency === undefined) return undefined
  const { key, request } = idempotency
  return { key, mac: tags.idempotency(caller.keyId, key), fingerprint: tags.fingerprint(request) }
}

/** @throws GatewayError `IDEMPOTENCY_CONFLICT` */
export function checkSameRequest(token: RequestToken, fingerprint: Uint8Array): void {
  if (!isSameTag(token.fingerprint, fingerprint)) throw gatewayError('IDEMPOTENCY_CONFLICT', { key: token.key })
}

/** What the key stood for before; undefined when it is new or has expired. */
export function findPast(
  store: Pick<GatewayStore, 'get'>,
  token: RequestToken,
  nowMs: number,
): IdempotencyRow | undefined {
  const bytes = store.get(idempotencyKey(token.mac))
  if (bytes === undefined) return undefined
  const row = decodeIdempotencyRow(bytes)
  return row.expiresMs > nowMs ? row : undefined
}

export function tokenChanges(token: RequestToken, outcomes: readonly PastOutcome[], expiresMs: number): Change[] {
  const { mac, fingerprint } = token
  return [
    [idempotencyKey(mac), encodeIdempotencyRow({ fingerprint, expiresMs, outcomes })],
    [expiryKey(expiresMs, mac), new Uint8Array(0)],
  ]
}

export function pastOutcomes({ outcomes }: Pick<Acceptance, 'outcomes'>): PastOutcome[] {
  return outcomes.map((outcome) =>
    'id' in outcome ? outcome : { code: outcome.refusal.code, existingId: outcome.refusal.existingId },
  )
}

/** Removes keys that have expired, in slices; one that was used anew since stays. @returns rows removed */
export async function sweepExpired(store: GatewayStore, clock: Pick<Clock, 'now'>): Promise<number> {
  const nowMs = clock.now()
  let removed = 0
  for (;;) {
    const slice = await sweepSlice(store, nowMs)
    removed += slice
    if (slice < SWEEP_ROWS_MAX) return removed
  }
}

async function sweepSlice(store: GatewayStore, nowMs: number): Promise<number> {
  const changes: Change[] = []
  for await (const [key] of store.entries(expiredBefore(nowMs))) {
    const rowKey = idempotencyKey(macOfExpiryKey(key))
    const row = store.get(rowKey)
    changes.push([key, undefined])
    if (row !== undefined && decodeIdempotencyRow(row).expiresMs <= nowMs) changes.push([rowKey, undefined])
    if (changes.length >= SWEEP_ROWS_MAX) break
  }
  if (changes.length > 0) await store.commit(changes)
  return changes.length
}
