import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { takeRandom } from '@songhua/node/gateway/random'
import { openPayload, sealPayload } from '@songhua/node/gateway/seal'

const ID = '0192b6a0-0000-7000-8000-000000000001'
const salt = takeRandom(32)
const unreadable = expect.objectContaining({ code: 'PAYLOAD_UNREADABLE' }) as Error

describe('sealed payloads', () => {
  it('open with their key and record, whatever they hold', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (payload) => {
        expect(openPayload(ID, sealPayload(ID, { salt, payload }))).toEqual({ salt, payload })
      }),
    )
  })

  it('open for no other record, with no other key, and with no bit changed', () => {
    const good = sealPayload(ID, { salt, payload: takeRandom(100) })
    expect(() => openPayload(ID.replace('1', '2'), good)).toThrow(unreadable)
    expect(() => openPayload(ID, { ...good, key: takeRandom(32) })).toThrow(unreadable)
    for (let at = 0; at < good.sealed.length; at++) {
      const sealed = new Uint8Array(good.sealed)
      sealed[at]! ^= 1 << (at % 8)
      expect(() => openPayload(ID, { ...good, sealed })).toThrow(unreadable)
    }
    for (const length of [0, 11, 12, 27, good.sealed.length - 1]) {
      expect(() => openPayload(ID, { ...good, sealed: good.sealed.subarray(0, length) })).toThrow(unreadable)
    }
  })

  it('are never the same twice', () => {
    const content = { salt, payload: new Uint8Array(8) }
    const made = Array.from({ length: 500 }, () => sealPayload(ID, content))
    const distinct = (pick: (one: (typeof made)[number]) => Uint8Array): number =>
      new Set(made.map((one) => Buffer.from(pick(one)).toString('hex'))).size
    expect(distinct(({ key }) => key)).toBe(500)
    expect(distinct(({ sealed }) => sealed.subarray(0, 12))).toBe(500)
    expect(distinct(({ sealed }) => sealed)).toBe(500)
  })
})

describe('chance', () => {
  it('gives each byte out once, in parts of any size', () => {
    const parts = Array.from({ length: 2_000 }, () => Buffer.from(takeRandom(16)).toString('hex'))
    expect(new Set(parts).size).toBe(2_000)
    expect(takeRandom(8 * 1024)).toHaveLength(8 * 1024)
    expect(takeRandom(8 * 1024).every((byte) => byte === 0)).toBe(false)
  })
})
