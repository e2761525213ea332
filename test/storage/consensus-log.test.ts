import { createHash } from 'node:crypto'
import { open, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import {
  type ConsensusLog, LOG_INITIAL_BYTES, LOG_RECORD_BYTES_MAX, openConsensusLog,
} from '@songhua/node/storage/consensus-log'
import {
  BLOCK_BYTES, DATA_START, countingGeneration, decodeFileHeader, encodeRecord, findRecords,
} from '@songhua/node/storage/consensus-log-format'
import { createTempFolders } from './temp-folder.js'

const code = (value: string): Error => expect.objectContaining({ code: value }) as Error
const newFolder = createTempFolders()
const newPath = async (): Promise<string> => join(await newFolder(), 'consensus.log')
const payloadOf = (seed: number, bytes = 200): Uint8Array =>
  new Uint8Array(bytes).map((_, index) => (index * 31 + seed * 7) & 0xff)

/** Text compares a hundred times faster than arrays of megabytes. */
const textOf = (payload: Uint8Array): string => Buffer.from(payload).toString('base64')

interface Reading {
  status: ConsensusLog['status']
  height: number | undefined
  records: string[]
}

const readingOf = ({ status, height, records }: Pick<ConsensusLog, keyof Reading>): Reading =>
  ({ status, height, records: records.map(textOf) })
const ok = (height: number, records: Uint8Array[]): Reading => readingOf({ status: 'ok', height, records })

/** Opens, reads, closes. */
async function look(path: string): Promise<Reading> {
  const log = await openConsensusLog(path, { create: false })
  await log.close()
  return readingOf(log)
}

async function lookAtImage(image: Uint8Array): Promise<Reading> {
  const path = await newPath()
  await writeFile(path, image)
  return look(path)
}

/** The reading of an image without the disk, for tests of many images. `undefined` is damage. */
function scan(image: Buffer): Reading | undefined {
  const header = decodeFileHeader(image)
  const counting = header && countingGeneration(findRecords(header.key, image))
  return counting && ok(counting.height, counting.payloads)
}

/** What follows the used blocks is zeros, which no fault makes worse. */
function usedPart(image: Buffer): Buffer {
  let end = image.length
  while (end > 0 && image[end - 1] === 0) end--
  return image.subarray(0, Math.ceil(end / BLOCK_BYTES) * BLOCK_BYTES)
}

/** Images before and after `change`, as they were on disk. */
async function imagesAround(path: string, change: (log: ConsensusLog) => Promise<void>): Promise<[Buffer, Buffer]> {
  const before = await readFile(path)
  const log = await openConsensusLog(path, { create: false })
  await change(log)
  await log.close()
  return [before, await readFile(path)]
}

const SECTOR_BYTES = 512

/**
 * States in which a crash may leave the sectors that a write was to change: written from the front, from the back
 * (disks reorder), and any mixture of them.
 */
function* tornImages(before: Buffer, after: Buffer): Iterable<Buffer> {
  const size = Math.max(usedPart(before).length, usedPart(after).length)
  const old = before.subarray(0, size)
  const sectors = Array.from({ length: size / SECTOR_BYTES }, (_, index) => index * SECTOR_BYTES)
  const sectorOf = (image: Buffer, at: number): Buffer => image.subarray(at, at + SECTOR_BYTES)
  const changed = sectors.filter((at) => !sectorOf(old, at).equals(sectorOf(after, at)))
  const mixed = (choice: number) => (index: number) => (Math.imul(choice * 977 + index, 0x9e3779b1) >>> 16) % 2 === 0
  const choices = [
    ...changed.map((_, front) => (index: number) => index < front),
    ...changed.map((_, back) => (index: number) => index >= back),
    ...Array.from({ length: 100 }, (_, choice) => mixed(choice)),
  ]
  for (const isWritten of choices) {
    const image = Buffer.from(old)
    for (const at of changed.filter((_, index) => isWritten(index))) after.copy(image, at, at, at + SECTOR_BYTES)
    yield image
  }
}

async function logAtHeight7(...records: Uint8Array[]): Promise<string> {
  const path = await newPath()
  const log = await openConsensusLog(path, { create: true })
  await log.startEpoch(6)
  await log.append(payloadOf(100))
  await log.startEpoch(7)
  for (const record of records) await log.append(record)
  await log.close()
  return path
}

describe('consensus log', () => {
  it('is fresh when made, missing when nobody may make it', async () => {
    const path = await newPath()
    expect((await look(path)).status).toBe('missing')
    const log = await openConsensusLog(path, { create: true })
    expect(log).toMatchObject({ status: 'fresh', height: undefined, records: [] })
    await log.close()
    expect(await look(path)).toEqual({ status: 'fresh', height: undefined, records: [] })
    expect((await stat(path)).size).toBe(LOG_INITIAL_BYTES)
  })

  it('gives back the records of the last epoch, over many openings', async () => {
    const path = await newPath()
    await (await openConsensusLog(path, { create: true })).close()
    const expected: Uint8Array[] = []
    for (let opening = 0; opening < 5; opening++) {
      const log = await openConsensusLog(path, { create: true })
      if (opening === 0) await log.startEpoch(3, [payloadOf(50), payloadOf(51)])
      if (opening === 0) expected.push(payloadOf(50), payloadOf(51))
      else expect(readingOf(log)).toEqual(ok(3, expected))
      await log.append(payloadOf(opening))
      expected.push(payloadOf(opening))
      await log.close()
    }
    expect(await look(path)).toEqual(ok(3, expected))
  })

  it('keeps the order of calls that are not awaited, across epochs', async () => {
    const path = await newPath()
    const log = await openConsensusLog(path, { create: true })
    await Promise.all([
      log.append(payloadOf(0)), log.startEpoch(1), log.append(payloadOf(1)), log.startEpoch(2, [payloadOf(2)]),
      ...Array.from({ length: 100 }, (_, index) => log.append(payloadOf(3 + index))),
    ])
    await log.close()
    const records = Array.from({ length: 101 }, (_, index) => payloadOf(2 + index))
    expect(await look(path)).toEqual(ok(2, records))
  })

  it('forgets an epoch with the next one, without growing', async () => {
    const path = await newPath()
    const log = await openConsensusLog(path, { create: true })
    for (let height = 1; height <= 120; height++) {
      await log.startEpoch(height)
      for (let index = 0; index < height % 4; index++) await log.append(payloadOf(height + index, (height * 97) % 9000))
    }
    await log.close()
    expect(await look(path)).toEqual(ok(120, []))
    expect((await stat(path)).size).toBe(LOG_INITIAL_BYTES)
  })

  it('grows for large bodies and shrinks when they are gone', async () => {
    const path = await newPath()
    const log = await openConsensusLog(path, { create: true })
    const bodies = [1, 2, 3].map((seed) => payloadOf(seed, 3_000_000))
    await log.startEpoch(1, bodies.slice(0, 1))
    await Promise.all(bodies.slice(1).map((body) => log.append(body)))
    await log.close()
    expect(await look(path)).toEqual(ok(1, bodies))
    expect((await stat(path)).size).toBeGreaterThan(18_000_000)
    const again = await openConsensusLog(path, { create: false })
    for (let height = 2; height < 5; height++) await again.startEpoch(height, [payloadOf(height)])
    await again.close()
    expect(await look(path)).toEqual(ok(4, [payloadOf(4)]))
    expect((await stat(path)).size).toBe(LOG_INITIAL_BYTES)
  })
})

describe('consensus log after a crash', () => {
  it.each([100, 5000, 20_000])('holds what was acknowledged, with or without %i bytes under way', async (bytes) => {
    const kept = [payloadOf(1), payloadOf(2, 6000)]
    const path = await logAtHeight7(...kept)
    const [before, after] = await imagesAround(path, (log) => log.append(payloadOf(3, bytes)))
    const seen = new Set<number>()
    for (const image of tornImages(before, after)) {
      const reading = scan(image)!
      seen.add(reading.records.length)
      expect(reading).toEqual(ok(7, [...kept, payloadOf(3, bytes)].slice(0, reading.records.length)))
    }
    expect([...seen].sort()).toEqual([2, 3])
  })

  it('holds what was acknowledged when records that share a sync are torn, in whatever order they reached the disk', async () => {
    const kept = [payloadOf(1), payloadOf(2, 6000)]
    const under = [payloadOf(3, 5000), payloadOf(4), payloadOf(5, 100)]
    const path = await logAtHeight7(...kept)
    const [before, after] = await imagesAround(path, async (log) => {
      await Promise.all(under.map((payload) => log.append(payload)))
    })
    const seen = new Set<number>()
    for (const image of tornImages(before, after)) {
      const reading = scan(image)!
      seen.add(reading.records.length)
      expect(reading).toEqual(ok(7, [...kept, ...under].slice(0, reading.records.length)))
    }
    expect([...seen].sort()).toEqual([2, 3, 4, 5])
  })

  it('writes the epoch anew when a torn group leaves a gap, so that nothing of it comes back', async () => {
    const path = await logAtHeight7(payloadOf(1))
    const [before, after] = await imagesAround(path, async (log) => {
      await Promise.all([log.append(payloadOf(2)), log.append(payloadOf(3))])
    })
    const torn = Buffer.from(before)
    const last = findRecords(decodeFileHeader(after)!.key, after).find(({ height, sequence }) => height === 7 && sequence === 3)!
    after.copy(torn, last.start, last.start, last.end)
    await writeFile(path, torn)
    const log = await openConsensusLog(path, { create: false })
    expect(readingOf(log)).toEqual(ok(7, [payloadOf(1)]))
    await log.append(payloadOf(4))
    await log.close()
    expect(await look(path)).toEqual(ok(7, [payloadOf(1), payloadOf(4)]))
  })

  it('is damaged when what is missing was acknowledged before what is there was written', async () => {
    const path = await logAtHeight7(payloadOf(1), payloadOf(2))
    const image = await readFile(path)
    const first = findRecords(decodeFileHeader(image)!.key, image).find(({ height, sequence }) => height === 7 && sequence === 1)!
    image.fill(0, first.start, first.end)
    expect((await lookAtImage(image)).status).toBe('damaged')
  })

  it('is in the old epoch or in the new one while a new one begins', async () => {
    const kept = [payloadOf(1), payloadOf(2)]
    const path = await logAtHeight7(...kept)
    const fresh = [payloadOf(8), payloadOf(9, 5000)]
    const [before, after] = await imagesAround(path, (log) => log.startEpoch(8, fresh))
    const seen = new Set<number>()
    for (const image of tornImages(before, after)) {
      const reading = scan(image)!
      seen.add(reading.height!)
      expect(reading).toEqual(reading.height === 7 ? ok(7, kept) : ok(8, fresh))
    }
    expect([...seen].sort()).toEqual([7, 8])
  })

  it('goes on after a torn write, and is whole again', async () => {
    const kept = [payloadOf(1)]
    const path = await logAtHeight7(...kept)
    const [before, after] = await imagesAround(path, (log) => log.startEpoch(8, [payloadOf(2), payloadOf(3)]))
    const torn = Buffer.from(before)
    const records = findRecords(decodeFileHeader(after)!.key, after)
    const first = records.find(({ height, sequence }) => height === 8 && sequence === 1)!
    after.copy(torn, first.start, first.start, first.end)
    await writeFile(path, torn)
    const log = await openConsensusLog(path, { create: false })
    expect(readingOf(log)).toEqual(ok(7, kept))
    await log.append(payloadOf(4))
    await log.close()
    expect(await look(path)).toEqual(ok(7, [...kept, payloadOf(4)]))
  })

  it('gives what a torn epoch left on the disk no place in a later one', async () => {
    const path = await logAtHeight7(payloadOf(1), payloadOf(2), payloadOf(3))
    const kept = [4, 5, 6, 7, 8, 9].map((n) => payloadOf(n))
    await imagesAround(path, (log) => log.startEpoch(8, kept))
    const [before, after] = await imagesAround(path, (log) => log.startEpoch(9, [payloadOf(10), payloadOf(11)]))
    const torn = Buffer.from(before)
    const records = findRecords(decodeFileHeader(after)!.key, after).filter(({ height, sequence }) => height === 9 && sequence > 0)
    expect(records).toHaveLength(2)
    for (const { start, end } of records) after.copy(torn, start, start, end)
    await writeFile(path, torn)
    // Epoch 8 is written anew, and is too long for the place at which epoch 9 began.
    expect(await look(path)).toEqual(ok(8, kept))
    expect(await look(path)).toEqual(ok(8, kept))
    const next = [payloadOf(12)]
    await imagesAround(path, (log) => log.startEpoch(10, next))
    expect(await look(path)).toEqual(ok(10, next))
  })
})

describe('consensus log with a fault on disk', () => {
  const records = [payloadOf(1), payloadOf(2, 9000), payloadOf(3)]
  const whole = ok(7, records)

  it.each([['first', 0], ['second', BLOCK_BYTES]])('mends a lost %s copy of its header, so that the other may be lost later', async (_which, lost) => {
    const path = await logAtHeight7(...records)
    const flip = async (at: number): Promise<void> => {
      const image = await readFile(path)
      image[at + 20]! ^= 0x40
      await writeFile(path, image)
    }
    await flip(lost)
    const log = await openConsensusLog(path, { create: false })
    expect([log.status, log.halves]).toEqual(['ok', 1])
    await log.close()
    await flip(BLOCK_BYTES - lost)
    expect(await look(path)).toEqual(whole)
  })

  it('loses nothing to one flipped bit, wherever it is', async () => {
    const image = usedPart(await readFile(await logAtHeight7(...records)))
    for (let at = 0; at < image.length; at += at % 257 === 0 ? 3 : 37) {
      const flipped = Buffer.from(image)
      flipped[at]! ^= 1 << at % 8
      expect(scan(flipped)).toEqual(whole)
    }
  })

  it('loses nothing to one lost block, wherever it is', async () => {
    const image = usedPart(await readFile(await logAtHeight7(...records)))
    for (let at = 0; at < image.length; at += BLOCK_BYTES) {
      for (const filling of [0, 0xff]) {
        expect(scan(Buffer.from(image).fill(filling, at, at + BLOCK_BYTES))).toEqual(whole)
      }
    }
  })

  it('writes both copies again when one was lost', async () => {
    const path = await logAtHeight7(...records)
    for (let round = 0; round < 6; round++) {
      const image = await readFile(path)
      const own = findRecords(decodeFileHeader(image)!.key, image).filter(({ height }) => height === 7)
      const last = own.toSorted((a, b) => a.generation - b.generation || a.sequence - b.sequence).at(-1)!
      const size = (last.end - last.start) / 2
      const at = last.start + (round % 2) * size
      await writeFile(path, image.fill(0, at, at + size))
      expect(await look(path)).toEqual(whole)
    }
  })

  it('is damaged when both copies of a record are bad and later ones are there', async () => {
    const image = await readFile(await logAtHeight7(...records))
    const own = findRecords(decodeFileHeader(image)!.key, image).filter(({ height }) => height === 7)
    for (const { start, end, sequence } of own.filter((record) => record.sequence < records.length)) {
      const bad = Buffer.from(image).fill(0x55, start, end)
      const reading = { status: 'damaged', height: undefined, records: [] }
      expect(await lookAtImage(bad), `record ${sequence}`).toEqual(reading)
    }
  })

  it.each([
    ['both file headers are bad', (image: Buffer) => image.fill(1, 0, DATA_START)],
    ['no record is left', (image: Buffer) => image.fill(0, DATA_START)],
    ['it is cut within the used part', (image: Buffer) => image.subarray(0, DATA_START + 3 * BLOCK_BYTES)],
    ['it is cut within the unused part', (image: Buffer) => image.subarray(0, LOG_INITIAL_BYTES - 1)],
    ['it is empty', () => Buffer.alloc(0)],
    ['it is something else', () => Buffer.alloc(LOG_INITIAL_BYTES, 'text')],
  ])('is damaged when %s', async (_name, damage) => {
    const image = damage(await readFile(await logAtHeight7(...records)))
    expect(await lookAtImage(image)).toMatchObject({ status: 'damaged', records: [] })
  })

  it.each(['damaged', 'missing'] as const)('when %s, stays as it is until a new epoch begins', async (status) => {
    const path = await newPath()
    if (status === 'damaged') await writeFile(path, 'scrap')
    const log = await openConsensusLog(path, { create: false })
    await expect(log.append(payloadOf(1))).rejects.toThrow(code('CONSENSUS_LOG_NOT_STARTED'))
    expect((await look(path)).status).toBe(status)
    await log.startEpoch(9)
    await log.append(payloadOf(1))
    await log.close()
    expect(await look(path)).toEqual(ok(9, [payloadOf(1)]))
  })

  it('is not deceived by a record inside a payload', async () => {
    const forged = encodeRecord(new Uint8Array(32), {
      groupStart: 0,
      generation: 999, height: 999, sequence: 0, setSize: 0, payload: payloadOf(9),
    })
    const payload = Buffer.alloc(BLOCK_BYTES * 5)
    // The payload begins 96 bytes into a block.
    forged.copy(payload, BLOCK_BYTES - 96)
    const path = await logAtHeight7(payload)
    const image = await readFile(path)
    expect(image.indexOf(forged.subarray(0, 60)) % BLOCK_BYTES).toBe(0)
    expect(await look(path)).toEqual(ok(7, [new Uint8Array(payload)]))
  })
})

describe('consensus log refuses', () => {
  it('a file of a newer version', async () => {
    const path = await logAtHeight7()
    const image = await readFile(path)
    for (const start of [0, BLOCK_BYTES]) {
      image.writeUInt32BE(2, start + 12)
      createHash('sha256').update(image.subarray(start, start + 48)).digest().copy(image, start + 48, 0, 16)
    }
    await expect(lookAtImage(image)).rejects.toThrow(code('CONSENSUS_LOG_NEWER_VERSION'))
  })

  it('a record that is too large', async () => {
    const log = await openConsensusLog(await newPath(), { create: true })
    const large = new Uint8Array(LOG_RECORD_BYTES_MAX + 1)
    await expect(log.append(large)).rejects.toThrow(code('CONSENSUS_LOG_RECORD_TOO_LARGE'))
    await expect(log.startEpoch(1, [large])).rejects.toThrow(code('CONSENSUS_LOG_RECORD_TOO_LARGE'))
    await log.append(payloadOf(1))
    await log.close()
  })

  it('a path that is a folder, or in no folder', async () => {
    const folder = await newFolder()
    await expect(openConsensusLog(folder, { create: true })).rejects.toThrow(code('CONSENSUS_LOG_IO'))
    const nowhere = join(folder, 'none', 'log')
    await expect(openConsensusLog(nowhere, { create: true })).rejects.toThrow(code('CONSENSUS_LOG_IO'))
  })

  it('everything after a sync has failed', async () => {
    const path = await logAtHeight7(payloadOf(1))
    const log = await openConsensusLog(path, { create: false })
    const handle = await open(path)
    const spy = vi.spyOn(Object.getPrototypeOf(handle) as typeof handle, 'datasync')
    await handle.close()
    spy.mockRejectedValueOnce(new Error('ENOSPC: no space left on device, fdatasync'))
    const first = log.append(payloadOf(2))
    await expect(first).rejects.toThrow(code('CONSENSUS_LOG_IO'))
    await expect(first).rejects.toThrow(/no space left/)
    await expect(log.append(payloadOf(3))).rejects.toThrow(code('CONSENSUS_LOG_IO'))
    await expect(log.startEpoch(8)).rejects.toThrow(code('CONSENSUS_LOG_IO'))
    spy.mockRestore()
    await log.close()
    expect((await look(path)).records[0]).toBe(textOf(payloadOf(1)))
  })

  it('a file that is cut while closed', async () => {
    const path = await logAtHeight7(payloadOf(1))
    await truncate(path, 100)
    expect((await look(path)).status).toBe('damaged')
  })
})
