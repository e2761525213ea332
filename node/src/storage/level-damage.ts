import { open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { writeDurably } from './durable-file.js'
import { inspectLevelFolder, namesIn } from './level-inspect.js'
import { hiddenLogDamage } from './level-log-scan.js'

/**
 * LevelDB skips what is damaged in its write-ahead log, opens, and says so only in its own `LOG`: acknowledged writes are
 * gone, and as the damaged log is thrown away by then, nobody will ever say so again. Therefore a marker.
 *
 * A torn tail, as a crash leaves one, is no damage: LevelDB takes it for the end of the log and reports nothing. Nor does
 * it report damage that looks like one; see `hiddenLogDamage`.
 */
export const DAMAGE_MARKER = 'DAMAGED.txt'

/** `LOG` is of this opening; `LOG.old` of the one before, which may have died before it left a marker. */
const LEVELDB_LOGS = ['LOG', 'LOG.old']
/** Recovery comes first in them, with a line for each damaged block of 32 KiB of a log of some MiB. */
const LOG_BYTES_MAX = 1024 * 1024
/** As db_impl.cc writes them: `LogReporter::Corruption` and `MaybeIgnoreError`. */
const IGNORED = /ignoring error|dropping \d+ bytes/i
const MARKER_LINES_MAX = 100

/** What is known to be damaged before LevelDB is let near; it would begin anew in a folder that has lost its `CURRENT`. */
export async function checkBeforeOpen(folder: string): Promise<string | undefined> {
  const names = await namesIn(folder)
  if (names.includes(DAMAGE_MARKER)) return `${join(folder, DAMAGE_MARKER)} says what was found`
  const isHeadless = !names.includes('CURRENT') && names.some((name) => /\.(ldb|sst|log)$/.test(name))
  return isHeadless ? 'its file CURRENT is missing' : undefined
}

/** Of table files at each opening, newest first: a second's work. What is older, the scrub and `doctor --deep` read. */
const OPEN_TABLE_BYTES_MAX = 256 * 1024 * 1024
/** The files of a database that another process has open change under the eye; damage stays. */
const LOOK_AGAIN_MS = 50

/**
 * Damage of tables and books, found before LevelDB takes an older state for the newest and deletes what that does not
 * name. Nothing is changed.
 */
export async function lastingDamage(folder: string): Promise<string[]> {
  const first = await inspectLevelFolder(folder, { tableBytesMax: OPEN_TABLE_BYTES_MAX })
  if (first.length === 0) return []
  await setTimeout(LOOK_AGAIN_MS)
  const second = await inspectLevelFolder(folder, { tableBytesMax: OPEN_TABLE_BYTES_MAX })
  return first.filter((line) => second.includes(line))
}

/** Another thread may have the database open, and done with a log. */
function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

/** What LevelDB will drop without a word, found before it does. */
export async function hiddenDamage(folder: string): Promise<string[]> {
  const logs = (await namesIn(folder)).filter((name) => name.endsWith('.log'))
  const scan = async (name: string): Promise<string[]> => {
    const bytes = await readFile(join(folder, name)).catch(ignoreMissing)
    const damage = bytes && hiddenLogDamage(bytes)
    return damage === undefined ? [] : [`${name}: ${damage}`]
  }
  return (await Promise.all(logs.map(scan))).flat()
}

/** What LevelDB ignored when it opened the folder, in its words. */
export async function ignoredDamage(folder: string): Promise<string[]> {
  const texts = await Promise.all(LEVELDB_LOGS.map((name) => readStart(join(folder, name))))
  return texts.flatMap((text) => text.split('\n').filter((line) => IGNORED.test(line)))
}

async function readStart(path: string): Promise<string> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (file === undefined) return ''
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LOG_BYTES_MAX), 0, LOG_BYTES_MAX, 0)
    return buffer.toString('latin1', 0, bytesRead)
  } finally {
    await file.close()
  }
}

/** Leaves a marker that every later opening meets. @returns what was found, and where that stands */
export async function markDamaged(
  folder: string,
  lines: readonly string[],
  { name, remedy, part = 'Its write-ahead log' }: { name: string; remedy: string; part?: string },
): Promise<string> {
  const marker = join(folder, DAMAGE_MARKER)
  const text = [
    `${name}, found damaged at ${new Date().toISOString()}`,
    '',
    `${part} is damaged. What stood in the damaged part had been acknowledged and is lost.`,
    `To mend it: ${remedy}.`,
    '',
    'Found:',
    ...lines.slice(0, MARKER_LINES_MAX),
    '',
  ]
  await writeDurably(marker, text.join('\n'))
  // Their lines stand in the marker; whoever removes that is not to meet them again.
  await Promise.all(LEVELDB_LOGS.map((log) => rm(join(folder, log), { force: true })))
  return `acknowledged writes in its write-ahead log are lost; ${marker} says what was found`
}
