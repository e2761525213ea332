import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { bytesToHex } from '@songhua/sdk/protocol/bytes'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import { createCheckedTable } from '@songhua/node/storage/checked-table'
import { inspectLevelFolder, inspectLogs } from '@songhua/node/storage/level-inspect'
import { tableDamage, tableIndexBytes } from '@songhua/node/storage/level-file-scan'
import { createMemoryTable } from '@songhua/node/storage/memory-table'
import { createMemoryStore, openChainTable, openStore } from '@songhua/node/storage/open-store'
import type { Table } from '@songhua/node/storage/table'
import { accountOf, addressOf, commitNext, logOf, nextCommit, receiptOf, slotOf, transactionOf } from './chain-builder.js'
import { createTempFolders } from './temp-folder.js'

const newFolder = createTempFolders()
const { hash: genesisHash } = nextCommit(createMemoryStore()).head
const ALL = { from: Uint8Array.of(), below: new Uint8Array(64).fill(0xff) }
const BLOCKS_PER_OPENING = 12
const OPENINGS = 4
/** `DAMAGE_SEED=…` repeats a run. */
const SEED = Number(process.env.DAMAGE_SEED ?? Date.now() % 1_000_000)

type Content = Map<string, string>

async function contentOf(table: Table): Promise<Content> {
  const content: Content = new Map()
  for await (const [key, value] of table.entries(ALL)) content.set(bytesToHex(key), bytesToHex(value))
  return content
}

const contentsOf = (number: number): Parameters<typeof commitNext>[1] => ({
  transactions: [transactionOf(number)],
  receipts: [receiptOf(0, [logOf(addressOf(3))])],
  diff: {
    accounts: new Map([[addressOf(number % 7), accountOf(number)]]),
    storage: new Map([[addressOf(number % 7), new Map([[slotOf(number % 5), BigInt(number)]])]]),
  },
})

async function copyFolder(from: string, to: string): Promise<string> {
  await mkdir(to, { recursive: true })
  for (const name of await readdir(from)) await copyFile(join(from, name), join(to, name))
  return to
}

/** The folder of a killed node, with tables of several openings and a write-ahead log, and what it held block by block. */
async function killedStore(root: string): Promise<{ folder: string; states: Content[] }> {
  const folder = join(root, 'chain')
  const states: Content[] = []
  for (let opening = 0; opening < OPENINGS; opening++) {
    const store = await openStore(folder, { genesisHash })
    const view = await openChainTable(folder, true)
    for (let block = 0; block < BLOCKS_PER_OPENING; block++) {
      await commitNext(store, opening + block === 0 ? {} : contentsOf(opening * BLOCKS_PER_OPENING + block))
      states.push(await contentOf(view))
    }
    if (opening === OPENINGS - 1) await copyFolder(folder, join(root, 'killed'))
    await view.close()
    await store.close()
  }
  return { folder: join(root, 'killed'), states }
}

/** Everything that a start reads: what it opened with, or the code that it refused with. */
async function openAll(folder: string): Promise<Content | string> {
  try {
    const store = await openStore(folder, { genesisHash })
    const view = await openChainTable(folder, true)
    try {
      return await contentOf(view)
    } finally {
      await view.close()
      await store.close()
    }
  } catch (error) {
    if (isCodedError(error)) return error.code
    throw error
  }
}

function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

describe('a chain store with damage on disk', () => {
  let origin: string
  let states: Content[]
  let files: string[]
  beforeAll(async () => {
    const killed = await killedStore(await mkdtemp(join(tmpdir(), 'songhua-damage-')))
    states = killed.states
    origin = killed.folder
    files = (await readdir(origin)).filter((name) => /\.(ldb|log)$|^CURRENT$|^MANIFEST/.test(name)).sort()
    return () => rm(join(origin, '..'), { recursive: true, force: true })
  })

  const spoilt = async (name: string, change: (bytes: Buffer) => Buffer): Promise<string> => {
    const folder = await copyFolder(origin, join(await newFolder(), 'chain'))
    await writeFile(join(folder, name), change(await readFile(join(folder, name))))
    return folder
  }

  it('has tables, a log and books, and opens whole', async () => {
    expect(files.filter((name) => name.endsWith('.ldb')).length).toBeGreaterThanOrEqual(OPENINGS - 1)
    expect(files.filter((name) => name.endsWith('.log'))).toHaveLength(1)
    expect(await inspectLevelFolder(origin)).toEqual([])
    expect(await inspectLogs(origin)).toEqual([])
    expect(await openAll(await copyFolder(origin, join(await newFolder(), 'chain')))).toEqual(states.at(-1))
  })

  it(`opens with exactly what was acknowledged or refuses, wherever a byte is flipped (DAMAGE_SEED=${SEED})`, async () => {
    const random = randomOf(SEED)
    const met = { whole: 0, refused: 0 }
    for (let run = 0; run < 96; run++) {
      const name = files[run % files.length]!
      const where: string[] = []
      const folder = await spoilt(name, (bytes) => {
        const [at, bits] = [random(bytes.length), 1 + random(255)]
        bytes[at]! ^= bits
        where.push(`${name}[${at}] ^ ${bits} of ${bytes.length}`)
        return bytes
      })
      const found = await openAll(folder)
      if (typeof found === 'string') {
        expect([where, found]).toEqual([where, 'STORE_DAMAGED'])
        met.refused++
      } else {
        expect([where, found]).toEqual([where, states.at(-1)])
        met.whole++
      }
    }
    // Bytes that mean nothing (the footer's padding) are few: nearly every flip must have been noticed.
    expect(met.refused).toBeGreaterThan(met.whole * 4)
  }, 120_000)

  it(`refuses every file that is cut, but for a log, which ends at a block that was whole (DAMAGE_SEED=${SEED})`, async () => {
    const random = randomOf(SEED + 1)
    for (let run = 0; run < 36; run++) {
      const name = files[run % files.length]!
      let left = 0
      const folder = await spoilt(name, (bytes) => bytes.subarray(0, (left = random(bytes.length))))
      const found = await openAll(folder)
      const what = `${name} cut to ${left}`
      if (name.endsWith('.log') && typeof found !== 'string') {
        // The consensus log is ahead of such a store, and the validator keeps silent (DESIGN, Amnesia).
        expect([what, states.some((state) => sameContent(state, found))]).toEqual([what, true])
      } else expect([what, found]).toEqual([what, 'STORE_DAMAGED'])
    }
  }, 120_000)

  it('refuses a folder that has lost any one file', async () => {
    for (const name of files) {
      const folder = await copyFolder(origin, join(await newFolder(), 'chain'))
      await rm(join(folder, name))
      expect([name, await openAll(folder)]).toEqual([name, 'STORE_DAMAGED'])
      expect([name, await openAll(folder)]).toEqual([name, 'STORE_DAMAGED'])
    }
  }, 60_000)

  it('names file and place to whoever looks without opening it', async () => {
    const table = files.find((name) => name.endsWith('.ldb'))!
    const log = files.find((name) => name.endsWith('.log'))!
    const inTable = await spoilt(table, (bytes) => (bytes[100]! ^= 4, bytes))
    expect(await inspectLevelFolder(inTable)).toEqual([`${table}: the checksum of the block at byte 0 does not match`])
    const inLog = await spoilt(log, (bytes) => (bytes[100]! ^= 4, bytes))
    expect(await inspectLogs(inLog)).toEqual([`${log}: the checksum at byte 0 does not match`])
    expect(await inspectLevelFolder(join(await newFolder(), 'nothing'))).toEqual([])
  })

  it('tells how much of a table LevelDB keeps in memory, once the table is whole', async () => {
    const file = await readFile(join(origin, files.find((name) => name.endsWith('.ldb'))!))
    const bytes = tableIndexBytes(file)!
    // A key and a place for each block of 4 KiB, before its compression.
    expect([bytes > 0, bytes < file.length / 10]).toEqual([true, true])
    expect(tableIndexBytes(file.subarray(0, file.length - 1))).toBeUndefined()
  })

  it('finds a flip in every byte of a table but those that pad its footer', async () => {
    const file = await readFile(join(origin, files.find((name) => name.endsWith('.ldb'))!))
    expect(tableDamage(file)).toBeUndefined()
    const unseen: number[] = []
    for (let at = 0; at < file.length; at += at < file.length - 60 ? 7 : 1) {
      file[at]! ^= 16
      if (tableDamage(file) === undefined) unseen.push(file.length - at)
      file[at]! ^= 16
    }
    expect(unseen.every((fromEnd) => fromEnd > 8 && fromEnd <= 48)).toBe(true)
  }, 60_000)
})

function sameContent(a: Content, b: Content): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value)
}

describe('a table with checksums', () => {
  const damaged = (what: string): Error => new Error(what)
  const plainKey = Uint8Array.of(0)

  it('gives back what was written, and leaves the plain key as it is', async () => {
    const inner = createMemoryTable()
    const table = createCheckedTable(inner, { plainKey, damaged })
    await table.write([[plainKey, Uint8Array.of(2)], [Uint8Array.of(1), Uint8Array.of(7, 8)], [Uint8Array.of(2), Uint8Array.of()]])
    expect([inner.get(plainKey), table.get(plainKey)]).toEqual([Uint8Array.of(2), Uint8Array.of(2)])
    expect([table.get(Uint8Array.of(1)), table.get(Uint8Array.of(2))]).toEqual([Uint8Array.of(7, 8), Uint8Array.of()])
    expect(table.get(Uint8Array.of(9))).toBeUndefined()
    expect((await contentOf(table)).size).toBe(3)
    await table.write([[Uint8Array.of(1), undefined]])
    expect(table.get(Uint8Array.of(1))).toBeUndefined()
  })

  it('refuses every flipped bit, a value that is cut, and one under another key', async () => {
    const inner = createMemoryTable()
    const table = createCheckedTable(inner, { plainKey, damaged })
    const key = Uint8Array.of(1)
    await table.write([[key, Uint8Array.of(7, 8, 9)]])
    const stored = inner.get(key)!
    for (let bit = 0; bit < stored.length * 8; bit++) {
      const wrong = Uint8Array.from(stored)
      wrong[bit >> 3]! ^= 1 << (bit & 7)
      await inner.write([[key, wrong]])
      expect(() => table.get(key)).toThrow('0x01 is not the one that was written')
      await expect(contentOf(table)).rejects.toThrow('0x01')
    }
    for (let length = 0; length < stored.length; length++) {
      await inner.write([[key, stored.subarray(0, length)]])
      expect(() => table.get(key)).toThrow('0x01')
    }
    await inner.write([[Uint8Array.of(3), stored]])
    expect(() => table.get(Uint8Array.of(3))).toThrow('0x03')
  })
})
