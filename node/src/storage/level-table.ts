import { dirname } from 'node:path'
import type { ClassicLevel } from 'classic-level'
import { Level } from 'level'
import { CodedError, messageOf } from '@songhua/sdk/protocol/errors'
import { ioAdvice, isRightsTrouble } from './io-advice.js'
import { checkBeforeOpen, hiddenDamage, ignoredDamage, lastingDamage, markDamaged } from './level-damage.js'
import { inspectLevelFolder, inspectLogs, namesIn } from './level-inspect.js'
import { keepFolderOwner, keepOwner } from './owner.js'
import type { Table } from './table.js'

/** LevelDB's cache of uncompressed blocks. */
const BLOCK_CACHE_BYTES = 16 * 1024 * 1024
/** Two of these may be in memory. */
const WRITE_BUFFER_BYTES = 4 * 1024 * 1024

type Database = ClassicLevel<Uint8Array, Uint8Array>

/**
 * Several threads of one process may open the same folder, several processes may not. What LevelDB passes over in
 * silence, a write-ahead log with damage in its middle, is refused here, at this opening and at every later one.
 * @param isOpen another thread of this process has it open, and has looked
 * @throws CodedError `STORE_IN_USE`, `STORE_DAMAGED`, `STORE_OPEN_FAILED`
 */
export async function openLevelTable(folder: string, contents: Contents = CHAIN, isOpen = false): Promise<Table> {
  const place = { folder, contents }
  const coded = (error: unknown): never => {
    throw openError(place, error)
  }
  const known = await checkBeforeOpen(folder).catch(coded)
  if (known !== undefined) throw damaged(place, known)
  const [lasting] = isOpen ? [] : await lastingDamage(folder).catch(coded)
  if (lasting !== undefined) throw damaged(place, lasting)
  const hidden = await hiddenDamage(folder).catch(coded)
  // `level` types what its browser version has too; in Node it is classic-level, which reads synchronously.
  const database = new Level<Uint8Array, Uint8Array>(folder, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    cacheSize: BLOCK_CACHE_BYTES,
    writeBufferSize: WRITE_BUFFER_BYTES,
    multithreading: true,
  }) as unknown as Database
  const isNew = (await namesIn(folder)).length === 0
  try {
    await database.open()
    if (isNew) await keepOwner(folder, dirname(folder))
    await keepFolderOwner(folder)
  } catch (error) {
    throw openError(place, error)
  }
  await refuseLoss(database, { place, hidden })
  return tableOver(database, place)
}

/** Only after LevelDB has taken what is whole: whoever removes the marker goes on with that. */
async function refuseLoss(database: Database, { place, hidden }: { place: Place; hidden: string[] }): Promise<void> {
  const found = [...hidden, ...(await ignoredDamage(place.folder))]
  if (found.length === 0) return
  await database.close()
  const what = await markDamaged(place.folder, found, place.contents).catch((error: unknown) => {
    throw damaged(place, found[0]!, error)
  })
  throw damaged(place, what)
}

/** What the database is for, and what to do when it is damaged: the end of the sentence that says so. */
export interface Contents {
  readonly name: string
  readonly remedy: string
}

const CHAIN: Contents = {
  name: 'the chain database',
  remedy: 'songhua repair moves it away, and the node then fetches the chain from its peers '
    + '(leave the consensus log where it is)',
}

interface Place {
  readonly folder: string
  readonly contents: Contents
}

function tableOver(database: Database, place: Place): Table {
  /**
   * A write that found no room leaves its beginning in LevelDB's log. LevelDB would append the next one behind it and
   * confirm that, and the next opening would find neither: after a failure nothing is written until it is opened again.
   */
  let failure: CodedError | undefined
  return {
    get(key) {
      try {
        return plain(database.getSync(key))
      } catch (error) {
        throw readError(place, error)
      }
    },
    async *entries({ from, below }) {
      try {
        for await (const [key, value] of database.iterator({ gte: from, lt: below })) yield [plain(key)!, plain(value)!]
      } catch (error) {
        throw readError(place, error)
      }
    },
    async *keys({ from, below }) {
      try {
        for await (const key of database.keys({ gte: from, lt: below })) yield plain(key)!
      } catch (error) {
        throw readError(place, error)
      }
    },
    async write(changes) {
      if (failure !== undefined) throw failure
      try {
        // A chained batch costs a seventh of an array of operations.
        const batch = database.batch()
        for (const [key, value] of changes) {
          if (value === undefined) batch.del(key)
          else batch.put(key, value)
        }
        await batch.write({ sync: true })
      } catch (error) {
        failure = writeError(place.folder, error)
        throw failure
      }
    },
    // Outside V8's heap: the block cache and the write buffers, together at most 24 MB.
    memoryBytes: () => Number(database.getProperty('leveldb.approximate-memory-usage')),
    async close() {
      await database.close()
      await keepFolderOwner(place.folder)
    },
  }
}

/** A Buffer's `slice` shares memory and it does not equal a Uint8Array in tests: Buffers end here. */
function plain(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes === undefined ? undefined : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function rootCause(error: unknown): { code: string | undefined; message: string } {
  let cause = error
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause
  return { code: (cause as { code?: string } | undefined)?.code, message: messageOf(cause) }
}

function openError({ folder, contents }: Place, error: unknown): CodedError {
  const { code, message } = rootCause(error)
  if (code === 'LEVEL_LOCKED') {
    const inUse = `the data folder ${folder} is in use by another process: `
      + 'stop that one, or give this node a folder of its own'
    return new CodedError('STORE_IN_USE', inUse, { details: { folder }, cause: error })
  }
  // The folder itself is made when absent: a file that is not there is one that LevelDB had written.
  const isFileLost = code === 'LEVEL_IO_ERROR' && message.includes('No such file')
  if (code === 'LEVEL_CORRUPTION' || isFileLost) return damaged({ folder, contents }, message, error)
  const advice = isRightsTrouble(error) ? ioAdvice(error)
    : 'see to it that this user may write there and that the disk has room, then start again'
  const failed = `the data folder ${folder} cannot be opened: ${message}; ${advice}`
  return new CodedError('STORE_OPEN_FAILED', failed, { details: { folder }, cause: error })
}

function readError(place: Place, error: unknown): unknown {
  const { code, message } = rootCause(error)
  if (isRightsTrouble(error)) return openError(place, error)
  return code === 'LEVEL_CORRUPTION' || code === 'LEVEL_IO_ERROR' ? damaged(place, message, error) : error
}

function writeError(folder: string, error: unknown): CodedError {
  const failed = `the data folder ${folder} cannot be written: ${rootCause(error).message}; ${ioAdvice(error)}`
  return new CodedError('STORE_WRITE_FAILED', failed, { details: { folder }, cause: error })
}

/** Leaves the marker that every later opening of the chain's store meets. */
export async function markStoreDamaged(folder: string, what: string): Promise<void> {
  await markDamaged(folder, [what], { ...CHAIN, part: 'One of its files' })
}

/** What is known of a database by reading its files alone: nothing is opened and nothing changed. @throws CodedError `STORE_DAMAGED` */
export async function checkLevelFiles(folder: string, contents: Contents, { isDeep }: { isDeep: boolean }): Promise<void> {
  const known = await checkBeforeOpen(folder)
  const [first] = known === undefined
    ? [...(await inspectLogs(folder)), ...(await hiddenDamage(folder)), ...(isDeep ? await inspectLevelFolder(folder) : await lastingDamage(folder))]
    : [known]
  if (first !== undefined) throw damaged({ folder, contents }, first)
}

/** Every way in which the chain's store turns out unreadable ends in this error. */
export function damagedStore(folder: string, what: string, cause?: unknown): CodedError {
  return damaged({ folder, contents: CHAIN }, what, cause)
}

function damaged({ folder, contents }: Place, what: string, cause?: unknown): CodedError {
  const message = `${contents.name} in ${folder} is damaged: ${what}; ${contents.remedy}`
  return new CodedError('STORE_DAMAGED', message, { details: { folder }, cause })
}
