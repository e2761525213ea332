import { readFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CodedError, messageOf } from '@songhua/sdk/protocol/errors'
import { tableDamage } from './level-file-scan.js'
import { readLog } from './level-log-scan.js'
import { type LiveFiles, readManifestEdits } from './level-manifest.js'

/** What an inspection reads of table files, newest first: some 200 MB/s from memory. */
export interface InspectOptions {
  readonly tableBytesMax?: number
}

/**
 * Reads LevelDB's files without opening it, so that nothing is changed, while nobody has it open. Its books name every
 * table with its size, and the log whose writes are in none: what is missing or shortened is found, and every block of
 * a table that has another checksum than it was written with.
 * @returns what is damaged, each with its file; empty for a folder that is whole or not there
 */
export async function inspectLevelFolder(folder: string, { tableBytesMax = Infinity }: InspectOptions = {}): Promise<string[]> {
  const names = await namesIn(folder)
  if (!names.includes('CURRENT')) return []
  const books = await readBooks(folder)
  if ('damage' in books) return [books.damage]
  const missing = await missingFiles(folder, names, books)
  return missing.length > 0 ? missing : damagedTables(folder, names, { ...books, tableBytesMax })
}

/** Table files that the books name: complete and synced, also while the database is open. */
export async function liveTables(folder: string): Promise<string[]> {
  const [names, books] = [await namesIn(folder), await readBooks(folder)]
  if ('damage' in books) throw new CodedError('LEVEL_MANIFEST_UNREADABLE', `${folder}: ${books.damage}; songhua doctor says more`)
  return [...books.tables.keys()].flatMap((number) => fileOf(names, number, TABLE_ENDS) ?? [])
}

/** Names in a folder; none where there is no folder. */
export function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return []
    throw error
  })
}

async function readBooks(folder: string): Promise<LiveFiles | { damage: string }> {
  const current = (await readFile(join(folder, 'CURRENT'), 'latin1')).trimEnd()
  if (!/^MANIFEST-\d{6,}$/.test(current)) return { damage: 'CURRENT: names no MANIFEST' }
  const bytes = await readFile(join(folder, current)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (bytes === undefined) return { damage: `${current}: is missing` }
  const { records, damage } = readLog(bytes)
  if (damage !== undefined) return { damage: `${current}: ${damage}` }
  try {
    return readManifestEdits(records)
  } catch (error) {
    return { damage: `${current}: ${messageOf(error)}` }
  }
}

const fileOf = (names: readonly string[], number: number, ends: readonly string[]): string | undefined => {
  const digits = String(number).padStart(6, '0')
  return ends.map((end) => `${digits}.${end}`).find((name) => names.includes(name))
}

const TABLE_ENDS = ['ldb', 'sst'] as const

/** The log's name is in the books only once it is on disk, and so is each table's. */
async function missingFiles(folder: string, names: readonly string[], { tables, logNumber }: LiveFiles): Promise<string[]> {
  const missing: string[] = []
  const isLogLost = logNumber > 0 && fileOf(names, logNumber, ['log']) === undefined
  if (isLogLost) missing.push(`${String(logNumber).padStart(6, '0')}.log: is missing`)
  for (const [number, size] of tables) {
    const name = fileOf(names, number, TABLE_ENDS)
    const found = name === undefined ? undefined : (await stat(join(folder, name))).size
    if (found === undefined) missing.push(`${String(number).padStart(6, '0')}.ldb: is missing`)
    else if (found !== size) missing.push(`${name}: has ${found} bytes, not ${size}`)
  }
  return missing
}

async function damagedTables(
  folder: string,
  names: readonly string[],
  { tables, tableBytesMax }: LiveFiles & { tableBytesMax: number },
): Promise<string[]> {
  const found: string[] = []
  let left = tableBytesMax
  for (const [number, size] of [...tables].sort(([a], [b]) => b - a)) {
    left -= size
    if (left < 0) break
    const name = fileOf(names, number, TABLE_ENDS)!
    const damage = tableDamage(await readFile(join(folder, name)))
    if (damage !== undefined) found.push(`${name}: ${damage}`)
  }
  return found
}

/** Checksums of the write-ahead logs: LevelDB itself compares them when it opens, and throws away what does not match. */
export async function inspectLogs(folder: string): Promise<string[]> {
  const logs = (await namesIn(folder)).filter((name) => name.endsWith('.log'))
  const scan = async (name: string): Promise<string[]> => {
    const { damage } = readLog(await readFile(join(folder, name)))
    return damage === undefined ? [] : [`${name}: ${damage}`]
  }
  return (await Promise.all(logs.map(scan))).flat()
}
