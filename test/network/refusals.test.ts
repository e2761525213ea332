import { describe, expect, it } from 'vitest'
import { decodeControl, encodeControl } from '@songhua/node/network/control'
import { createRefusals } from '@songhua/node/network/refusals'

describe('refusals', () => {
  const clock = { nowMs: 0, now: () => clock.nowMs, after: () => () => undefined }
  const refusal = (id: string, code = 'GENESIS_MISMATCH') => ({ id, code, message: 'why', byPeer: true })

  it('are kept by peer, the last one, with how often it came, until the peer is connected', () => {
    const refusals = createRefusals(clock)
    refusals.note(refusal('a'))
    clock.nowMs = 5
    refusals.note(refusal('a'))
    refusals.note(refusal('b'))
    expect(refusals.list()).toEqual([{ ...refusal('a'), atMs: 5, times: 2 }, { ...refusal('b'), atMs: 5, times: 1 }])
    refusals.note(refusal('a', 'NOT_ADMITTED'))
    expect(refusals.list().at(-1)).toMatchObject({ id: 'a', code: 'NOT_ADMITTED', times: 1 })
    refusals.forget('a')
    expect(refusals.list().map(({ id }) => id)).toEqual(['b'])
  })

  it('of strangers by the thousand take no more room, the oldest going first', () => {
    const refusals = createRefusals(clock)
    for (let stranger = 0; stranger < 5_000; stranger++) refusals.note(refusal(String(stranger)))
    expect(refusals.list()).toHaveLength(256)
    expect(refusals.list().at(-1)?.id).toBe('4999')
  })
})

describe('the answer to a ping', () => {
  it('tells the clock of who answers, and is read without it from a peer that does not tell', () => {
    const pong = { type: 'pong', nonce: 7, nowMs: 1_800_000_000_123 } as const
    expect(decodeControl(encodeControl(pong))).toEqual(pong)
    expect(decodeControl(encodeControl({ type: 'pong', nonce: 7 }))).toEqual({ type: 'pong', nonce: 7 })
  })
})
