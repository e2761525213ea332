import { type FileHandle, open } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { CodedError, messageOf } from '@songhua/sdk/protocol/errors'
import { assert } from '../base/assert.js'
import { crashPoint } from '../base/crash-points.js'
import { replaceDurably, writeAt } from './durable-file.js'
import { createGroupSync } from '../base/group-sync.js'
import { ioAdvice } from './io-advice.js'

/** Above this it takes no more: compact it first. */
export const JOURNAL_BYTES_MAX = 512 * 1024 * 1024
export const JOURNAL_RECORD_BYTES_MAX = 16 * 1024 * 1024

/** File: the magic, then records of marker, length, CRC-32 (of the payload; 4 bytes each) and payload. */
const FILE_MAGIC = Buffer.from('songhua-journal\n1\n', 'latin1')
const RECORD_MARKER = 0x534a524e
const RECORD_HEADER_BYTES = 12

/**
 * Payloads that survive a crash. It guards against torn writes and flipped bits, not against forgery: readers check
 * what they get (the transaction pool checks signatures).
 */
export interface Journal {
  /** What was in it when it was opened, in order. */
  readonly payloads: readonly Uint8Array[]
  /** Unreadable bytes found when it was opened: the end of a crash's last write, or damage; worth a warning. */
  readonly droppedBytes: number
  /** There was none, and it was made. */
  readonly isNew: boolean
  /** Bytes in the file, queued appends included. */
  sizeBytes(): number
  /**
   * Resolves when the payload is on disk. Calls made together share one sync.
   * @throws CodedError `JOURNAL_FULL`, `JOURNAL_RECORD_SIZE`, `JOURNAL_IO` (final: it must be opened again)
   */
  append(payload: Uint8Array): Promise<void>
  /**
   * Replaces the file with what `live` gives, atomically; a crash leaves the old file or the new one. `live` is asked
   * when all earlier appends are on disk and before any later one: it must name all of the former that shall be kept.
   * @throws CodedError `JOURNAL_IO`
   */
  compact(live: () => Iterable<Uint8Array>): Promise<void>
  /** Waits for what was appended. */
  close(): Promise<void>
}

type Operation = { kind: 'append'; payload: Uint8Array } | { kind: 'compact'; live: () => Iterable<Uint8Array> }

/** Opens the journal at `path`, or makes an empty one. @throws CodedError `JOURNAL_IO`, `JOURNAL_FOREIGN` */
export async function openJournal(path: string): Promise<Journal> {
  const { bytes, isNew } = await coded(path, () => readOrCreate(path))
  if (!bytes.subarray(0, FILE_MAGIC.length).equals(FILE_MAGIC)) throw foreignError(path)
  const { payloads, end, droppedBytes } = parse(bytes)
  const file: JournalFile = { path, handle: await coded(path, () => open(path, 'r+')), end }
  // The end of a torn write goes, so that the next record does not stand behind it.
  if (end < bytes.length) await coded(path, () => file.handle.truncate(end))
  let sizeBytes = end
  let isClosed = false
  const sync = createGroupSync<Operation>((operations) =>
    coded(path, async () => {
      sizeBytes += await perform(file, operations)
    }),
  )
  return {
    payloads,
    droppedBytes,
    isNew,
    sizeBytes: () => sizeBytes,
    async append(payload) {
      assert(!isClosed, 'a closed journal takes no records')
      const bytesAfter = sizeBytes + RECORD_HEADER_BYTES + payload.length
      checkRoom(path, payload, bytesAfter)
      sizeBytes = bytesAfter
      await sync.add({ kind: 'append', payload })
    },
    async compact(live) {
      assert(!isClosed, 'a closed journal is not compacted')
      await sync.add({ kind: 'compact', live })
    },
    async close() {
      isClosed = true
      await sync.idle()
      await file.handle.close()
    },
  }
}

/** What can be read of a journal whose beginning may be damaged too; nothing is changed. None where there is no file. */
export async function inspectJournal(path: string): Promise<InspectedJournal> {
  const bytes = await coded(path, () => readIfThere(path))
  if (bytes === undefined) return { payloads: [], droppedBytes: 0, isForeign: false, isMissing: true }
  const isForeign = !bytes.subarray(0, FILE_MAGIC.length).equals(FILE_MAGIC)
  return { ...parse(bytes), isForeign, isMissing: false }
}

export interface InspectedJournal extends Pick<Journal, 'payloads' | 'droppedBytes'> {
  readonly isForeign: boolean
  readonly isMissing: boolean
}

/** Puts a journal with these records at `path`, whole or not at all. @throws CodedError `JOURNAL_IO` */
export async function writeJournal(path: string, payloads: readonly Uint8Array[]): Promise<void> {
  const file = await coded(path, () => replaceDurably(path, encodeAll(payloads, () => undefined)))
  await file.close()
}

interface JournalFile {
  readonly path: string
  handle: FileHandle
  end: number
}

/** In order; appends that stand together share one sync. @returns by how much compaction changed the size */
async function perform(file: JournalFile, operations: Operation[]): Promise<number> {
  let change = 0
  let appended: Uint8Array[] = []
  for (const operation of operations) {
    if (operation.kind === 'append') {
      appended.push(operation.payload)
      continue
    }
    await appendAll(file, appended)
    appended = []
    // At once: the caller may change what it iterates over while the file is being written.
    change += await replaceAll(file, [...operation.live()])
  }
  await appendAll(file, appended)
  return change
}

async function appendAll(file: JournalFile, payloads: Uint8Array[]): Promise<void> {
  if (payloads.length === 0) return
  const records = Buffer.concat(payloads.map(encodeRecord))
  crashPoint('pool.before-append')
  await writeAt(file.handle, records, file.end)
  await file.handle.datasync()
  crashPoint('pool.appended')
  file.end += records.length
}

async function replaceAll(file: JournalFile, live: readonly Uint8Array[]): Promise<number> {
  const { handle, end } = file
  let written = 0
  crashPoint('pool.before-compaction')
  file.handle = await replaceDurably(file.path, encodeAll(live, (length) => (written += length)))
  file.end = written
  await handle.close()
  return written - end
}

async function readOrCreate(path: string): Promise<{ bytes: Buffer; isNew: boolean }> {
  const bytes = await readIfThere(path)
  if (bytes !== undefined) return { bytes, isNew: false }
  const file = await replaceDurably(path, [FILE_MAGIC])
  await file.close()
  return { bytes: FILE_MAGIC, isNew: true }
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    const file = await open(path, 'r')
    try {
      return await file.readFile()
    } finally {
      await file.close()
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** All whole records. Behind a damaged one the search goes on byte by byte: what came later is not lost with it. */
function parse(bytes: Buffer): { payloads: Uint8Array[]; end: number; droppedBytes: number } {
  const payloads: Uint8Array[] = []
  let end = FILE_MAGIC.length
  let droppedBytes = bytes.length - end
  for (let at = end; at + RECORD_HEADER_BYTES <= bytes.length; ) {
    const payload = payloadAt(bytes, at)
    if (payload === undefined) {
      at++
      continue
    }
    payloads.push(new Uint8Array(payload))
    at += RECORD_HEADER_BYTES + payload.length
    droppedBytes -= RECORD_HEADER_BYTES + payload.length
    end = at
  }
  return { payloads, end, droppedBytes }
}

function payloadAt(bytes: Buffer, at: number): Buffer | undefined {
  if (bytes.readUInt32BE(at) !== RECORD_MARKER) return undefined
  const start = at + RECORD_HEADER_BYTES
  const length = bytes.readUInt32BE(at + 4)
  if (length > bytes.length - start) return undefined
  const payload = bytes.subarray(start, start + length)
  return crc32(payload) === bytes.readUInt32BE(at + 8) ? payload : undefined
}

function encodeRecord(payload: Uint8Array): Buffer {
  const record = Buffer.alloc(RECORD_HEADER_BYTES + payload.length)
  record.writeUInt32BE(RECORD_MARKER, 0)
  record.writeUInt32BE(payload.length, 4)
  record.writeUInt32BE(crc32(payload), 8)
  record.set(payload, RECORD_HEADER_BYTES)
  return record
}

/** Many records to a write. */
const CHUNK_BYTES = 1024 * 1024

function* encodeAll(payloads: Iterable<Uint8Array>, onWrite: (length: number) => void): Iterable<Uint8Array> {
  let parts: Buffer[] = [FILE_MAGIC]
  let length = FILE_MAGIC.length
  for (const payload of payloads) {
    const record = encodeRecord(payload)
    parts.push(record)
    length += record.length
    if (length < CHUNK_BYTES) continue
    onWrite(length)
    yield Buffer.concat(parts)
    parts = []
    length = 0
  }
  onWrite(length)
  yield Buffer.concat(parts)
}

function checkRoom(path: string, payload: Uint8Array, size: number): void {
  if (payload.length > JOURNAL_RECORD_BYTES_MAX) {
    const message = `a record of ${payload.length} bytes for the journal ${path}; at most ${JOURNAL_RECORD_BYTES_MAX}`
    throw new CodedError('JOURNAL_RECORD_SIZE', message, { details: { path, length: payload.length } })
  }
  if (size <= JOURNAL_BYTES_MAX) return
  const message = `the journal ${path} has reached ${JOURNAL_BYTES_MAX} bytes and must be compacted first`
  throw new CodedError('JOURNAL_FULL', message, { details: { path, size } })
}

function foreignError(path: string): CodedError {
  // To move it away by hand would lose transactions that were acknowledged.
  const message = `${path} does not begin as a journal of this version of songhua; `
    + 'songhua repair sets it aside and keeps every transaction that can be read'
  return new CodedError('JOURNAL_FOREIGN', message, { details: { path } })
}

async function coded<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    const message = `the journal ${path} cannot be read or written: ${messageOf(error)}; ${ioAdvice(error)}`
    throw new CodedError('JOURNAL_IO', message, { details: { path }, cause: error })
  }
}
