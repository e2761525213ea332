import { randomBytes } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'
import { type Address, bytesToHex, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { CodedError, messageOf } from '@songhua/sdk/protocol/errors'
import { assert } from '../base/assert.js'
import { crashPoint } from '../base/crash-points.js'
import {
  type FileHeader, type Generation, type LogRecord, BLOCK_BYTES, DATA_START, FORMAT_VERSION, KEY_BYTES, countingGeneration, decodeFileHeader, encodeFileHeader,
  encodeRecord, findRecords, recordBytes,
} from './consensus-log-format.js'
import { replaceDurably, writeAt } from './durable-file.js'
import { ioAdvice } from './io-advice.js'
import { createGroupSync } from '../base/group-sync.js'

/** Written in advance: a write that changes the file's size costs fdatasync a write to the file system's journal. */
export const LOG_INITIAL_BYTES = 4 * 1024 * 1024
/** One record: a block body and its certificates. */
export const LOG_RECORD_BYTES_MAX = 16 * 1024 * 1024
/** One generation on disk, both copies counted; the file has at most twice this. */
export const LOG_GENERATION_BYTES_MAX = 256 * 1024 * 1024

/**
 * `fresh`: nothing was ever recorded. `ok`: all that was acknowledged is in `records`. `missing`, `damaged`, `foreign`
 * (of another key): what this validator has signed is not known, and it must keep silent as DESIGN's "Amnesia" says.
 */
export type ConsensusLogStatus = 'fresh' | 'ok' | 'missing' | 'damaged' | 'foreign'

/**
 * What a validator has promised at the current height. Payloads are the caller's; how they lie on disk is in
 * `consensus-log-format.ts`.
 */
export interface ConsensusLog {
  /** As found when it was opened. */
  readonly status: ConsensusLogStatus
  /** Whose it was when it was opened; undefined when it names nobody. */
  readonly owner: Address | undefined
  /** Records of which one copy was bad when it was opened; both are whole again. */
  readonly halves: number
  /**
   * Height of the last epoch; undefined unless `ok`. Below the store's head it means that the log is from a backup, or
   * that the machine stopped between a block and the next epoch (then it is the head's own height).
   */
  readonly height: number | undefined
  /** Records of the last epoch, in order; empty unless `ok`. */
  readonly records: readonly Uint8Array[]
  /**
   * Resolves when the record is on disk: only then may what it promises be signed. Calls made together share one sync.
   * @throws CodedError `CONSENSUS_LOG_RECORD_TOO_LARGE`, `CONSENSUS_LOG_FULL` (then begin the epoch anew with what
   *   still counts), `CONSENSUS_LOG_NOT_STARTED` (missing or damaged, and no epoch begun), `CONSENSUS_LOG_IO` (final:
   *   the log must be opened again)
   */
  append(payload: Uint8Array): Promise<void>
  /**
   * Drops all records and begins an epoch at `height` with `records`, atomically; a crash leaves the old epoch or the
   * new one. Call it when the block of the epoch before is in the store. It also puts a new file in the place of a
   * missing, damaged or foreign one. Later appends may be called without waiting for it.
   * @throws CodedError as `append`
   */
  startEpoch(height: number, records?: readonly Uint8Array[]): Promise<void>
  /** Waits for what was appended. */
  close(): Promise<void>
}

/** An open file of the log; a `FileHandle` is one. */
export interface LogHandle {
  write(bytes: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesWritten: number }>
  datasync(): Promise<void>
  truncate(bytes: number): Promise<void>
  close(): Promise<void>
}

/** What the log needs of a disk: the machine's, or a simulated one. */
export interface LogDisk {
  /** Undefined: there is no such file. */
  read(path: string): Promise<Buffer | undefined>
  open(path: string): Promise<LogHandle>
  /** All of `parts` is at `path`, durably, when it resolves; after a crash they are there whole or not at all. */
  replace(path: string, parts: readonly Uint8Array[]): Promise<LogHandle>
}

const machineDisk: LogDisk = {
  read: readIfThere,
  open: (path) => open(path, 'r+'),
  replace: replaceDurably,
}

type Operation =
  | { kind: 'append'; payload: Uint8Array }
  | { kind: 'start'; height: number; payloads: readonly Uint8Array[] }

/** An open file and where its generation stands. */
interface LogFile {
  readonly handle: LogHandle
  readonly key: Uint8Array
  /** Goes into the mark of each generation; empty: nobody. */
  readonly owner: Uint8Array
  bytes: number
  lastGeneration: number
  generation: number
  height: number
  setSize: number
  nextSequence: number
  start: number
  end: number
}

/** Where the log lies, and whose it is to be. */
interface Place {
  readonly path: string
  readonly disk: LogDisk
  /** Empty: nobody's. */
  readonly owner: Uint8Array
}

/** What stands in a file. */
export type FoundLogFile = Pick<ConsensusLog, 'status' | 'records' | 'owner' | 'halves'>

interface Found extends FoundLogFile {
  file: LogFile | undefined
  height?: number
}

const nothing = (status: ConsensusLogStatus): FoundLogFile => ({ status, records: [], owner: undefined, halves: 0 })

/**
 * @param create makes the file when absent (`fresh`): only for a key that has never signed, because a validator that
 *   finds no log must not go on as if it had promised nothing
 * @param owner whose log it must be; one that names nobody becomes the owner's with its next epoch
 * @throws CodedError `CONSENSUS_LOG_IO`, `CONSENSUS_LOG_NEWER_VERSION`
 */
export async function openConsensusLog(
  path: string,
  { create, owner, disk = machineDisk }: { create: boolean; owner?: Address; disk?: LogDisk },
): Promise<ConsensusLog> {
  const place: Place = { path, disk, owner: owner === undefined ? new Uint8Array() : hexToBytes(owner) }
  const found = await coded(path, () => findLog(place, create))
  let { file } = found
  /** Of the current generation, what is only queued included. */
  let generationBytes = file === undefined ? 0 : file.end - file.start
  let isClosed = false

  const sync = createGroupSync<Operation>((operations) =>
    coded(path, async () => {
      file = await perform(file, place, operations)
    }),
  )
  const reserve = (bytes: number): void => {
    if (bytes > LOG_GENERATION_BYTES_MAX) throw fullError(path, bytes)
    generationBytes = bytes
  }
  return {
    status: found.status,
    owner: found.owner,
    halves: found.halves,
    height: found.height,
    records: found.records,
    async append(payload) {
      assert(!isClosed, 'a closed consensus log takes no records')
      checkSize(path, payload)
      if (generationBytes === 0) throw notStartedError(path, found.status)
      reserve(generationBytes + recordBytes(payload.length))
      await sync.add({ kind: 'append', payload })
    },
    async startEpoch(height, records = []) {
      assert(!isClosed, 'a closed consensus log begins no epoch')
      for (const payload of records) checkSize(path, payload)
      reserve(records.reduce((sum, { length }) => sum + recordBytes(length), recordBytes(0)))
      await sync.add({ kind: 'start', height, payloads: records })
    },
    async close() {
      isClosed = true
      await sync.idle()
      await file?.handle.close()
      file = undefined
    },
  }
}

async function findLog(place: Place, create: boolean): Promise<Found> {
  const { path, disk } = place
  const bytes = await disk.read(path)
  if (bytes === undefined) {
    if (!create) return { ...nothing('missing'), file: undefined }
    return { ...nothing('fresh'), file: await createLog(place, 0, []) }
  }
  const counting = readGeneration(path, bytes)
  if (counting === undefined) return { ...nothing('damaged'), file: undefined }
  const found = contentsOf(counting, place.owner)
  // It stays as it is until the key that is here now begins an epoch.
  if (found.status === 'foreign') return { ...found, file: undefined }
  const { height, payloads } = counting
  const file: LogFile = {
    ...counting,
    owner: place.owner.length > 0 ? place.owner : counting.owner,
    handle: await disk.open(path),
    bytes: bytes.length,
    nextSequence: payloads.length + 1,
  }
  if (counting.lostAt !== undefined) await rewriteHeader(file, counting.lostAt)
  // A record with one copy left is one fault from being lost: the epoch is written anew, with two of each.
  if (!counting.isWhole) await startGeneration(file, height, payloads)
  return { ...found, file }
}

/** The copy that is lost, and not the one that is left: a crash in the middle must not take both. */
async function rewriteHeader({ handle, key }: LogFile, at: number): Promise<void> {
  await writeAt(handle, encodeFileHeader(key).subarray(at, at + BLOCK_BYTES), at)
  await handle.datasync()
}

/** @returns undefined for a file that is damaged */
function readGeneration(path: string, bytes: Buffer): (Generation & Pick<FileHeader, 'key' | 'lostAt'>) | undefined {
  const header = decodeFileHeader(bytes)
  if (header !== undefined && header.version !== FORMAT_VERSION) throw versionError(path, header.version)
  // Made with its full size at once and never below it: a shorter file has lost its end.
  const isShort = bytes.length < LOG_INITIAL_BYTES
  const counting = header && !isShort ? countingGeneration(findRecords(header.key, bytes)) : undefined
  if (header === undefined || counting === undefined) return undefined
  const { key, lostAt } = header
  return { ...counting, key, lostAt, halves: counting.halves + (lostAt === undefined ? 0 : 1) }
}

function contentsOf({ height, payloads, owner, halves }: Generation, expected: Uint8Array): Omit<Found, 'file'> {
  const common = { owner: owner.length === 0 ? undefined : bytesToHex(owner), halves }
  const isForeign = owner.length > 0 && expected.length > 0 && !Buffer.from(owner).equals(expected)
  if (isForeign) return { ...common, status: 'foreign', records: [] }
  const isFresh = height === 0 && payloads.length === 0
  return isFresh ? { ...common, status: 'fresh', records: [] } : { ...common, status: 'ok', height, records: payloads }
}

/** As `openConsensusLog` would find it, and nothing is changed. @throws CodedError as that */
export function inspectConsensusLog(path: string, owner?: Address): Promise<FoundLogFile> {
  return coded(path, async () => {
    const bytes = await readIfThere(path)
    if (bytes === undefined) return nothing('missing')
    const counting = readGeneration(path, bytes)
    if (counting === undefined) return nothing('damaged')
    return contentsOf(counting, owner === undefined ? new Uint8Array() : hexToBytes(owner))
  })
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** In order; appends that stand together share one sync. */
async function perform(
  before: LogFile | undefined,
  place: Place,
  operations: Operation[],
): Promise<LogFile | undefined> {
  let file = before
  let appended: Uint8Array[] = []
  for (const operation of operations) {
    if (operation.kind === 'append') {
      appended.push(operation.payload)
      continue
    }
    await appendRecords(file, appended)
    appended = []
    if (file === undefined) file = await createLog(place, operation.height, operation.payloads)
    else await startGeneration(file, operation.height, operation.payloads)
  }
  await appendRecords(file, appended)
  return file
}

async function appendRecords(file: LogFile | undefined, payloads: Uint8Array[]): Promise<void> {
  if (payloads.length === 0) return
  assert(file !== undefined, 'nothing is appended to a consensus log before its first epoch')
  const { generation, height, setSize } = file
  const records = payloads.map((payload, index): LogRecord => ({
    generation, height, setSize, groupStart: file.nextSequence, sequence: file.nextSequence + index, payload,
  }))
  await writeRecords(file, records, file.end)
  await file.handle.datasync()
  file.end += sizeOf(payloads)
  file.nextSequence += payloads.length
}

/** Writes the new set beside the old generation, which stays untouched until the new one is synced. */
async function startGeneration(file: LogFile, height: number, payloads: readonly Uint8Array[]): Promise<void> {
  const records = firstSet({ generation: file.lastGeneration + 1, height, owner: file.owner }, payloads)
  const size = sizeOf(records.map(({ payload }) => payload))
  const start = DATA_START + size <= file.start ? DATA_START : file.end
  crashPoint('log.before-epoch')
  await writeRecords(file, records, start)
  crashPoint('log.epoch-written')
  await file.handle.datasync()
  crashPoint('log.epoch-synced')
  const generation = file.lastGeneration + 1
  const numbers = { generation, lastGeneration: generation, height }
  const set = { setSize: payloads.length, nextSequence: records.length, start, end: start + size }
  Object.assign(file, numbers, set)
  if (file.bytes > LOG_INITIAL_BYTES && file.end <= LOG_INITIAL_BYTES) {
    await file.handle.truncate(LOG_INITIAL_BYTES)
    file.bytes = LOG_INITIAL_BYTES
  }
}

async function writeRecords(file: LogFile, records: LogRecord[], at: number): Promise<void> {
  const bytes = Buffer.concat(records.map((record) => encodeRecord(file.key, record)))
  const end = at + bytes.length
  await writeAt(file.handle, bytes, at)
  if (end <= file.bytes) return
  const grown = Math.ceil(end / LOG_INITIAL_BYTES) * LOG_INITIAL_BYTES
  await writeAt(file.handle, Buffer.alloc(grown - end), end)
  file.bytes = grown
}

async function createLog({ path, disk, owner }: Place, height: number, payloads: readonly Uint8Array[]): Promise<LogFile> {
  const key = randomBytes(KEY_BYTES)
  const records = firstSet({ generation: 0, height, owner }, payloads)
  const parts = [encodeFileHeader(key), ...records.map((record) => encodeRecord(key, record))]
  const end = parts.reduce((sum, { length }) => sum + length, 0)
  const bytes = Math.ceil(end / LOG_INITIAL_BYTES) * LOG_INITIAL_BYTES
  const handle = await disk.replace(path, [...parts, Buffer.alloc(bytes - end)])
  return {
    handle, key, owner, bytes, lastGeneration: 0, generation: 0, height,
    setSize: payloads.length, nextSequence: records.length, start: DATA_START, end,
  }
}

type Mark = Pick<LogRecord, 'generation' | 'height'> & Pick<LogFile, 'owner'>

function firstSet({ generation, height, owner }: Mark, payloads: readonly Uint8Array[]): LogRecord[] {
  const common = { generation, height, setSize: payloads.length, groupStart: 0 }
  return [owner, ...payloads].map((payload, sequence) => ({ ...common, sequence, payload }))
}

function sizeOf(payloads: readonly Uint8Array[]): number {
  return payloads.reduce((sum, { length }) => sum + recordBytes(length), 0)
}

function checkSize(path: string, { length }: Uint8Array): void {
  if (length <= LOG_RECORD_BYTES_MAX) return
  const message = `a record of ${length} bytes for the consensus log ${path}; at most ${LOG_RECORD_BYTES_MAX}`
  throw new CodedError('CONSENSUS_LOG_RECORD_TOO_LARGE', message, { details: { path, length } })
}

function fullError(path: string, bytes: number): CodedError {
  const message = `one height takes ${bytes} bytes in the consensus log ${path}; at most ${LOG_GENERATION_BYTES_MAX}`
  return new CodedError('CONSENSUS_LOG_FULL', message, { details: { path, bytes } })
}

function notStartedError(path: string, status: ConsensusLogStatus): CodedError {
  const message = `the consensus log ${path} was found ${status}: it records nothing before an epoch begins`
  return new CodedError('CONSENSUS_LOG_NOT_STARTED', message, { details: { path, status } })
}

function versionError(path: string, version: number): CodedError {
  const message = `the consensus log ${path} has version ${version}, this program reads ${FORMAT_VERSION}: `
    + 'run the newer songhua that wrote it'
  return new CodedError('CONSENSUS_LOG_NEWER_VERSION', message, { details: { path, version } })
}

async function coded<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof CodedError) throw error
    const message = `the consensus log ${path} cannot be read or written: ${messageOf(error)}; ${ioAdvice(error)}`
    throw new CodedError('CONSENSUS_LOG_IO', message, { details: { path }, cause: error })
  }
}
