import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { asDiskFull, checkDiskRoom, freeBytesAt, isNoRoom } from '@songhua/node/app/disk-room'
import { LOG_INITIAL_BYTES, openConsensusLog } from '@songhua/node/storage/consensus-log'
import { openJournal } from '@songhua/node/storage/journal'
import { openKeyRing } from '@songhua/node/storage/key-ring-file'
import { openLevelTable } from '@songhua/node/storage/level-table'
import { type SmallDisk, createSmallDisk } from '../support/small-disk.js'

/** What each writer does on a real file system without room: it says so, and whoever opens the file again finds all of it. */

const DISK_MB = 48
let disk: SmallDisk

beforeAll(async () => {
  disk = await createSmallDisk(DISK_MB)
})
afterEach(() => disk.empty())
afterAll(() => disk.remove())

/** Writes until the disk refuses. @returns how many were acknowledged, and the refusal */
async function writeUntilRefused(write: (index: number) => Promise<unknown>): Promise<{ acknowledged: number; error: Error }> {
  for (let index = 0; index < 1_000_000; index++) {
    try {
      await write(index)
    } catch (error) {
      return { acknowledged: index, error: error as Error }
    }
  }
  throw new Error('the disk was never full')
}

function expectNoRoom(error: Error, code: string): void {
  expect(error).toMatchObject({ code, message: expect.stringContaining('make room') as string })
  expect(isNoRoom(error)).toBe(true)
}

const bytes = (length: number, index: number): Uint8Array => {
  const made = new Uint8Array(randomBytes(length))
  new DataView(made.buffer).setUint32(0, index)
  return made
}
const indexOf = (payload: Uint8Array): number => new DataView(payload.buffer, payload.byteOffset).getUint32(0)

describe('a full disk', () => {
  it('is named by the database, which has every acknowledged batch when there is room', async () => {
    const folder = join(disk.path, 'level')
    const table = await openLevelTable(folder)
    await disk.fill(2 * 1024 * 1024)
    const key = (index: number): Uint8Array => bytes(8, index).fill(0, 4)
    const { acknowledged, error } = await writeUntilRefused((index) => table.write([[key(index), bytes(50_000, index)]]))
    expect(acknowledged).toBeGreaterThan(10)
    expectNoRoom(error, 'STORE_WRITE_FAILED')
    // What has failed once goes on failing: no batch after it may be acknowledged.
    await disk.empty()
    await expect(table.write([[key(0), bytes(8, 0)]])).rejects.toMatchObject({ code: 'STORE_WRITE_FAILED' })
    await table.close()
    const again = await openLevelTable(folder)
    for (let index = 0; index < acknowledged; index++) expect(indexOf(again.get(key(index))!)).toBe(index)
    await again.write([[key(acknowledged), bytes(50_000, acknowledged)]])
    await again.close()
  })

  it('is named by the journal, which has every acknowledged record when there is room', async () => {
    const path = join(disk.path, 'journal')
    const journal = await openJournal(path)
    await disk.fill(1024 * 1024)
    const { acknowledged, error } = await writeUntilRefused((index) => journal.append(bytes(10_000, index)))
    expect(acknowledged).toBeGreaterThan(10)
    expectNoRoom(error, 'JOURNAL_IO')
    await disk.empty()
    await expect(journal.append(bytes(8, 0))).rejects.toMatchObject({ code: 'JOURNAL_IO' })
    await journal.close()
    const again = await openJournal(path)
    expect(again.payloads.slice(0, acknowledged).map(indexOf)).toEqual(Array.from({ length: acknowledged }, (_, index) => index))
    await again.append(bytes(10_000, acknowledged))
    await again.close()
  })

  it('does not lose the old journal to a compaction that finds no room for the new one', async () => {
    const path = join(disk.path, 'compacted')
    const journal = await openJournal(path)
    const kept = Array.from({ length: 100 }, (_, index) => bytes(10_000, index))
    await Promise.all(kept.map((payload) => journal.append(payload)))
    await disk.fill(0)
    await expect(journal.compact(() => kept)).rejects.toMatchObject({ code: 'JOURNAL_IO' })
    await journal.close()
    await disk.empty()
    const again = await openJournal(path)
    expect(again.payloads.map(indexOf)).toEqual(kept.map(indexOf))
    await again.close()
  })

  it('does not keep a validator from its votes, for which there is room in advance, and is named when a block needs more', async () => {
    const path = join(disk.path, 'consensus.log')
    const log = await openConsensusLog(path, { create: true })
    await log.startEpoch(1, [bytes(100, 0)])
    await disk.fill(0)
    expect(await disk.freeBytes()).toBe(0)
    for (let height = 2; height < 200; height++) {
      await log.startEpoch(height, [bytes(100, 0)])
      await log.append(bytes(1_000, 1))
    }
    const { acknowledged, error } = await writeUntilRefused((index) => log.append(bytes(100_000, index + 2)))
    expect(acknowledged).toBeGreaterThan(5)
    expect(acknowledged * 100_000).toBeLessThan(LOG_INITIAL_BYTES)
    expectNoRoom(error, 'CONSENSUS_LOG_IO')
    await log.close()
    await disk.empty()
    const again = await openConsensusLog(path, { create: false })
    expect([again.status, again.height]).toEqual(['ok', 199])
    expect(again.records.slice(0, acknowledged + 2).map(indexOf)).toEqual(Array.from({ length: acknowledged + 2 }, (_, index) => index))
    await again.append(bytes(100_000, 0))
    await again.close()
  })

  it('is named by the key ring, which has every acknowledged key when there is room', async () => {
    const path = join(disk.path, 'ring')
    const ring = await openKeyRing(path)
    await disk.fill(1024 * 1024)
    const keys = (index: number): Uint8Array[] => Array.from({ length: 100 }, () => bytes(32, index))
    const { acknowledged, error } = await writeUntilRefused((index) => ring.add(keys(index)))
    expect(acknowledged).toBeGreaterThan(10)
    expectNoRoom(error, 'KEY_RING_IO')
    await ring.close()
    await disk.empty()
    const again = await openKeyRing(path)
    expect(again.size).toBeGreaterThanOrEqual(acknowledged * 100)
    for (let slot = 0; slot < acknowledged * 100; slot++) expect(indexOf(again.get(slot)!)).toBe(Math.floor(slot / 100))
    const first = await again.add(keys(acknowledged))
    expect(indexOf(again.get(first)!)).toBe(acknowledged)
    await again.close()
  })

  it('is named when a database cannot even be opened', async () => {
    await disk.fill(0)
    const folder = join(disk.path, 'new')
    const error = await mkdir(folder).then(() => openLevelTable(folder)).then(() => undefined, (failed: Error) => failed)
    expect(isNoRoom(error)).toBe(true)
  })
})

describe('the reserve of a disk', () => {
  it('is kept: less than it is DISK_FULL, with how much is free, needed, and where', async () => {
    await disk.fill(4 * 1024 * 1024)
    const freeBytes = await freeBytesAt(disk.path)
    expect(freeBytes).toBeLessThanOrEqual(4 * 1024 * 1024)
    await checkDiskRoom({ path: disk.path, minFreeBytes: freeBytes })
    const refused = checkDiskRoom({ path: disk.path, minFreeBytes: 20 * 1024 * 1024 })
    await expect(refused).rejects.toMatchObject({
      code: 'DISK_FULL',
      details: { path: disk.path, freeBytes, neededBytes: 40 * 1024 * 1024 },
      message: expect.stringContaining(`${disk.path} has ${freeBytes} bytes free`) as string,
    })
    await disk.empty()
    await checkDiskRoom({ path: disk.path, minFreeBytes: 20 * 1024 * 1024 })
  })

  it('is not blamed for errors that have another root', async () => {
    const other = new Error('the connection has ended', { cause: Object.assign(new Error('reset'), { code: 'ECONNRESET' }) })
    expect(isNoRoom(other)).toBe(false)
    expect(await asDiskFull(other, { path: disk.path, minFreeBytes: 0 })).toBe(other)
  })
})
