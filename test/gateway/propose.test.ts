import { proposeBatch } from '@songhua/node/gateway/propose'
import type { OpenBatch } from '@songhua/node/gateway/progress'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { describe, expect, it } from 'vitest'

/** Proposes a batch that the chain refuses with `code`, so often, and tells the pauses in ms. */
async function pausesFor(code: string, times: number): Promise<{ pauses: number[]; logged: unknown[] }> {
  const row = { family: 'government', first: 1, last: 1, batchId: '0x01', root: '0x02', closedAtMs: 0, raw: new Uint8Array(1), nonce: 0n, hashes: ['0x03'] } as const
  const batch: OpenBatch = { row, isProposed: true, failures: 0, retryAtMs: 0 }
  const logged: unknown[] = []
  const never = (): never => {
    throw new Error('not asked for')
  }
  const logger = { debug: never, info: never, warn: (_message: string, fields?: Record<string, unknown>) => void logged.push(fields?.code), error: never, child: never }
  const parts = {
    store: undefined as never, account: { sign: never }, logger,
    writer: { submit: () => Promise.reject(new CodedError(code, 'no')), locate: never },
    counters: { batchesClosed: 0, batchesAnchored: 0, attemptsFailed: 0, noncesTaken: 0, submitsFailed: 0 },
  }
  const pauses: number[] = []
  for (let nowMs = 0; pauses.length < times; nowMs = batch.retryAtMs) {
    await proposeBatch(batch, nowMs, parts)
    pauses.push(batch.retryAtMs - nowMs)
  }
  expect([batch.isProposed, parts.counters.submitsFailed]).toEqual([false, times])
  return { pauses, logged }
}

describe('a batch that the pool refuses', () => {
  it.each(['PERMISSION_ORGANISATION_SUSPENDED', 'QUOTA_ACCOUNT_GAS'])('for %s is proposed ever more rarely, and the log names the code', async (code) => {
    const { pauses, logged } = await pausesFor(code, 9)
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000])
    expect(new Set(logged)).toEqual(new Set([code]))
  })

  it('for want of room is proposed again soon', async () => {
    expect((await pausesFor('POOL_FULL', 3)).pauses).toEqual([500, 500, 500])
  })
})
