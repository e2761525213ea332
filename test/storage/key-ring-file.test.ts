import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type KeyRingFile, openKeyRing } from '@songhua/node/storage/key-ring-file'
import { describeKeyRing, keyOf } from './key-ring-conformance.js'
import { createTempFolders } from './temp-folder.js'

const tempFolder = createTempFolders()
let path = ''

describeKeyRing('file', {
  async open() {
    path = join(await tempFolder(), 'ring')
    return openKeyRing(path)
  },
  async reopen(ring) {
    await (ring as KeyRingFile).close()
    return openKeyRing(path)
  },
  close: (ring) => (ring as KeyRingFile).close(),
})

/** A ring of four keys, closed. */
async function closedRing(): Promise<string> {
  const file = join(await tempFolder(), 'ring')
  const ring = await openKeyRing(file)
  await ring.add([0, 1, 2, 3].map(keyOf))
  await ring.close()
  return file
}

async function change(file: string, at: number, edit: (byte: number) => number): Promise<void> {
  const bytes = await readFile(file)
  bytes[at] = edit(bytes[at]!)
  await writeFile(file, bytes)
}

const keyIn = (number: number): Buffer => Buffer.from(keyOf(number))
const slotAt = (slot: number): number => (slot + 1) * 64

describe('the file of a key ring', () => {
  it('holds a key until it is erased, and then nowhere', async () => {
    const file = await closedRing()
    expect((await readFile(file)).includes(keyIn(2))).toBe(true)
    const ring = await openKeyRing(file)
    await ring.erase([2])
    await ring.close()
    const bytes = await readFile(file)
    for (let from = 0; from < 24; from++) expect(bytes.includes(keyIn(2).subarray(from, from + 8))).toBe(false)
    expect(bytes.includes(keyIn(1))).toBe(true)
  })

  it.each([0, 5, 31, 32, 40, 63])('refuses a slot of which byte %i was changed, and no other', async (at) => {
    const file = await closedRing()
    await change(file, slotAt(1) + at, (byte) => byte ^ 4)
    const ring = await openKeyRing(file)
    expect(() => ring.get(1)).toThrow(expect.objectContaining({ code: 'KEY_RING_DAMAGED' }))
    expect(ring.get(2)).toEqual(keyOf(2))
    await ring.erase([1])
    expect(ring.get(1)).toBeUndefined()
    await ring.close()
  })

  it('refuses a slot that was copied over another', async () => {
    const file = await closedRing()
    const bytes = await readFile(file)
    bytes.copy(bytes, slotAt(1), slotAt(3), slotAt(4))
    await writeFile(file, bytes)
    const ring = await openKeyRing(file)
    expect(() => ring.get(1)).toThrow(expect.objectContaining({ code: 'KEY_RING_DAMAGED' }))
    await ring.close()
  })

  it('takes what a crash left half written for a taken slot, which is damaged until it is erased', async () => {
    const file = await closedRing()
    const bytes = await readFile(file)
    bytes.fill(0xab, slotAt(5), slotAt(5) + 20)
    await writeFile(file, bytes)
    const ring = await openKeyRing(file)
    expect(ring.size).toBe(6)
    expect(() => ring.get(5)).toThrow(expect.objectContaining({ code: 'KEY_RING_DAMAGED' }))
    expect(() => ring.get(4)).toThrow(expect.objectContaining({ code: 'KEY_RING_DAMAGED' }))
    await ring.erase([4, 5])
    expect([4, 5].map((slot) => ring.get(slot))).toEqual([undefined, undefined])
    await ring.close()
  })

  it('refuses files of others, of later versions, and with a damaged head', async () => {
    const foreign = join(await tempFolder(), 'ring')
    await writeFile(foreign, 'not a key ring, but longer than the head of one would have been, all in all')
    await expect(openKeyRing(foreign)).rejects.toMatchObject({ code: 'KEY_RING_FOREIGN' })
    await expect(openKeyRing(foreign)).rejects.toThrow(/restore the key folder from its backup/)
    await writeFile(foreign, '')
    await expect(openKeyRing(foreign)).rejects.toMatchObject({ code: 'KEY_RING_FOREIGN' })
    const newer = await closedRing()
    await change(newer, 35, () => 2)
    await expect(openKeyRing(newer)).rejects.toMatchObject({ code: 'KEY_RING_NEWER' })
    const damaged = await closedRing()
    await change(damaged, 50, () => 1)
    await expect(openKeyRing(damaged)).rejects.toMatchObject({ code: 'KEY_RING_DAMAGED' })
  })

  it('takes slots of another ring as they are there: kept, erased, and unreadable', async () => {
    const file = join(await tempFolder(), 'ring')
    let ring = await openKeyRing(file)
    expect(await ring.append([keyOf(0), 'erased', 'lost', 'lost'])).toBe(0)
    for (let pass = 0; pass < 2; pass++) {
      expect(ring.size).toBe(4)
      expect([ring.get(0), ring.get(1)]).toEqual([keyOf(0), undefined])
      for (const slot of [2, 3]) expect(() => ring.get(slot)).toThrow(/was damaged when it was backed up/)
      await ring.close()
      ring = await openKeyRing(file)
    }
    await ring.erase([2])
    expect(ring.get(2)).toBeUndefined()
    await ring.close()
  })

  it('says when the disk fails it', async () => {
    await expect(openKeyRing(join(await tempFolder(), 'no', 'such', 'folder'))).rejects.toMatchObject({
      code: 'KEY_RING_IO',
    })
  })
})
