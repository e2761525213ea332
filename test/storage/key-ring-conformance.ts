import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { KeyRing } from '@songhua/node/gateway/ports'

export interface KeyRingUnderTest {
  /** An empty ring. */
  open(): Promise<KeyRing>
  /** Closes the ring and opens what it left behind. */
  reopen(ring: KeyRing): Promise<KeyRing>
  close(ring: KeyRing): Promise<void>
}

export const keyOf = (number: number): Uint8Array =>
  Uint8Array.from({ length: 32 }, (_, at) => (number * 31 + at * 7 + 1) & 255)

/** What every implementation of `KeyRing` must do. */
export function describeKeyRing(name: string, subject: KeyRingUnderTest): void {
  describe(`key ring: ${name}`, () => {
    let ring: KeyRing
    beforeEach(async () => {
      ring = await subject.open()
    })
    afterEach(() => subject.close(ring))

    it('gives back each key from its slot, also when it is opened again', async () => {
      expect(ring.size).toBe(0)
      expect(await ring.add([keyOf(0), keyOf(1)])).toBe(0)
      expect(await ring.add([keyOf(2)])).toBe(2)
      for (let pass = 0; pass < 2; pass++) {
        expect(ring.size).toBe(3)
        for (const slot of [0, 1, 2]) expect(ring.get(slot)).toEqual(keyOf(slot))
        ring = await subject.reopen(ring)
      }
    })

    it('gives calls that come together slots of their own, and those of one call in a row', async () => {
      const firsts = await Promise.all(
        [3, 1, 7, 2].map((count, call) => ring.add(Array.from({ length: count }, (_, at) => keyOf(call * 10 + at)))),
      )
      expect(firsts).toEqual([0, 3, 4, 11])
      expect(ring.size).toBe(13)
      expect(ring.get(4 + 6)).toEqual(keyOf(26))
    })

    it('takes more keys than one growth of the file has room for', async () => {
      await ring.add(Array.from({ length: 5_000 }, (_, at) => keyOf(at)))
      ring = await subject.reopen(ring)
      expect(ring.size).toBe(5_000)
      for (const slot of [0, 4_095, 4_096, 4_999]) expect(ring.get(slot)).toEqual(keyOf(slot))
    })

    it('erases for good, as often as asked, and gives no erased slot again', async () => {
      await ring.add([0, 1, 2, 3].map(keyOf))
      await ring.erase([1, 3])
      await ring.erase([3])
      for (let pass = 0; pass < 2; pass++) {
        expect([0, 1, 2, 3].map((slot) => ring.get(slot))).toEqual([keyOf(0), undefined, keyOf(2), undefined])
        ring = await subject.reopen(ring)
      }
      expect(await ring.add([keyOf(9)])).toBe(4)
    })

    it('refuses slots that were never taken', async () => {
      await ring.add([keyOf(0)])
      for (const slot of [1, -1, 0.5, NaN]) {
        expect(() => ring.get(slot)).toThrow(expect.objectContaining({ code: 'KEY_RING_SLOT' }))
        await expect(ring.erase([slot])).rejects.toMatchObject({ code: 'KEY_RING_SLOT' })
      }
    })
  })
}
