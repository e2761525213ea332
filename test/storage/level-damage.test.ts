import { copyFile, mkdir, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Contents, openLevelTable } from '@songhua/node/storage/level-table'
import type { Table } from '@songhua/node/storage/table'
import { createTempFolders } from './temp-folder.js'

const tempFolder = createTempFolders()
const MARKER = 'DAMAGED.txt'
/** Two to a block of LevelDB's log, which has 32 KiB. */
const VALUE_BYTES = 10_000
const WRITES = 40
const keyOf = (number: number): Uint8Array => Uint8Array.of(number)
const valueOf = (number: number): Uint8Array =>
  Uint8Array.from({ length: VALUE_BYTES }, (_, at) => (number * 7 + at * 31 + (at >> 8)) & 255)

async function numbersIn(table: Table): Promise<number[]> {
  const found: number[] = []
  for await (const [key, value] of table.entries({ from: Uint8Array.of(), below: Uint8Array.of(255) })) {
    expect(value).toEqual(valueOf(key[0]!))
    found.push(key[0]!)
  }
  return found
}

/** What a kill leaves behind of a database whose writes were all acknowledged: the files as they are. */
async function killed(): Promise<{ folder: string; log: string }> {
  const folder = await tempFolder()
  const table = await openLevelTable(folder)
  for (let number = 0; number < WRITES; number++) await table.write([[keyOf(number), valueOf(number)]])
  const copy = join(await tempFolder(), 'db')
  await mkdir(copy)
  for (const name of await readdir(folder)) await copyFile(join(folder, name), join(copy, name))
  await table.close()
  const log = (await readdir(copy)).find((name) => name.endsWith('.log'))!
  return { folder: copy, log: join(copy, log) }
}

async function edit(path: string, change: (bytes: Buffer) => void): Promise<void> {
  const bytes = await readFile(path)
  change(bytes)
  await writeFile(path, bytes)
}

const EVERY = Array.from({ length: WRITES }, (_, number) => number)
const DAMAGED = { code: 'STORE_DAMAGED' }

describe('the write-ahead log of a database', () => {
  it('opens as a kill left it, with all that was acknowledged and no marker', async () => {
    const { folder } = await killed()
    for (let start = 0; start < 3; start++) {
      const table = await openLevelTable(folder)
      expect(await numbersIn(table)).toEqual(EVERY)
      await table.close()
    }
    expect(await readdir(folder)).not.toContain(MARKER)
  })

  it.each([
    ['a bit in the middle', (bytes: Buffer) => void (bytes[bytes.length >> 1]! ^= 1)],
    ['the checksum of the first write', (bytes: Buffer) => void (bytes[0]! ^= 255)],
    ['the length of the first write', (bytes: Buffer) => void (bytes[5]! ^= 0x80)],
    ['the kind of a fragment', (bytes: Buffer) => void (bytes[6] = 9)],
    ['a sector of zeros', (bytes: Buffer) => void bytes.fill(0, 102_400, 102_912)],
    ['a sector of noise', (bytes: Buffer) => void bytes.fill(0xa7, 204_800, 205_312)],
  ])('is refused with %s changed, at the first start and at all that follow', async (_what, change) => {
    const { folder, log } = await killed()
    await edit(log, change)
    await expect(openLevelTable(folder)).rejects.toMatchObject(DAMAGED)
    const marker = await readFile(join(folder, MARKER), 'utf8')
    expect(marker).toMatch(/^the chain database, found damaged at \d{4}-/)
    expect(marker).toContain('dropping')
    for (let start = 0; start < 2; start++) {
      await expect(openLevelTable(folder)).rejects.toMatchObject(DAMAGED)
      await expect(openLevelTable(folder)).rejects.toThrow(MARKER)
    }
  })

  it.each([
    ['a length that reaches over the end of the file', (log: Buffer, at: number) => void (log[at + 5] = 0x7f)],
    ['a head of zeros', (log: Buffer, at: number) => void log.fill(0, at, at + 7)],
  ])('is refused with %s and whole records behind it, of which LevelDB says nothing', async (_what, change) => {
    const folder = await tempFolder()
    const table = await openLevelTable(folder)
    for (let number = 0; number < 9; number++) await table.write([[keyOf(number), Buffer.from('short')]])
    const copy = join(await tempFolder(), 'db')
    await mkdir(copy)
    for (const name of await readdir(folder)) await copyFile(join(folder, name), join(copy, name))
    await table.close()
    const log = join(copy, (await readdir(copy)).find((name) => name.endsWith('.log'))!)
    await edit(log, (bytes) => change(bytes, 5 * (bytes.length / 9)))
    await expect(openLevelTable(copy)).rejects.toMatchObject(DAMAGED)
    expect(await readFile(join(copy, MARKER), 'utf8')).toContain('behind a broken one')
    await expect(openLevelTable(copy)).rejects.toMatchObject(DAMAGED)
    await rm(join(copy, MARKER))
    const opened = await openLevelTable(copy)
    expect([opened.get(keyOf(4)), opened.get(keyOf(5))]).toEqual([new Uint8Array(Buffer.from('short')), undefined])
    await opened.close()
  })

  it('is opened without what was lost once the operator has deleted the marker', async () => {
    const { folder, log } = await killed()
    await edit(log, (bytes) => void (bytes[bytes.length >> 1]! ^= 1))
    const records: Contents = { name: 'the database of records', remedy: 'bring back the last backup' }
    const refused = openLevelTable(folder, records)
    await expect(refused).rejects.toThrow(/the database of records .* is damaged: .* bring back the last backup$/)
    await rm(join(folder, MARKER))
    for (let start = 0; start < 2; start++) {
      const table = await openLevelTable(folder, records)
      const left = await numbersIn(table)
      expect(left.length).toBeLessThan(WRITES)
      expect(left.length).toBeGreaterThan(WRITES / 2)
      await table.close()
    }
  })

  it('is refused also when the program died between opening it and leaving the marker', async () => {
    const { folder, log } = await killed()
    await edit(log, (bytes) => void (bytes[bytes.length >> 1]! ^= 1))
    await openLevelTable(folder).catch(() => undefined)
    const words = (await readFile(join(folder, MARKER), 'utf8')).split('\n').find((line) => line.includes('dropping'))!
    // As LevelDB leaves it: the damaged log is gone, and only LOG remembers.
    await rm(join(folder, MARKER))
    await writeFile(join(folder, 'LOG'), `${words}\n`)
    await expect(openLevelTable(folder)).rejects.toMatchObject(DAMAGED)
    expect(await readFile(join(folder, MARKER), 'utf8')).toContain(words)
  })

  it('opens with a tail that was torn at any byte, and loses that write alone', async () => {
    const { folder, log } = await killed()
    const whole = await readFile(log)
    for (const cut of [1, 6, 7, 500, VALUE_BYTES - 1, VALUE_BYTES + 20]) {
      const torn = join(await tempFolder(), 'db')
      await mkdir(torn)
      for (const name of await readdir(folder)) await copyFile(join(folder, name), join(torn, name))
      await truncate(join(torn, log.slice(folder.length)), whole.length - cut)
      const table = await openLevelTable(torn)
      expect(await numbersIn(table)).toEqual(EVERY.slice(0, -1))
      await table.close()
      expect(await readdir(torn)).not.toContain(MARKER)
    }
  })

  it('opens with zeros after its end, as a file system leaves them that grew the file first', async () => {
    const { folder, log } = await killed()
    await writeFile(log, Buffer.concat([await readFile(log), Buffer.alloc(5_000)]))
    const table = await openLevelTable(folder)
    expect(await numbersIn(table)).toEqual(EVERY)
    await table.close()
  })
})

describe('the folder of a database', () => {
  it('is not begun anew when CURRENT is lost', async () => {
    const { folder } = await killed()
    const before = (await readdir(folder)).filter((name) => name !== 'CURRENT').sort()
    await rm(join(folder, 'CURRENT'))
    await expect(openLevelTable(folder)).rejects.toThrow(/CURRENT is missing/)
    expect((await readdir(folder)).sort()).toEqual(before)
  })
})
