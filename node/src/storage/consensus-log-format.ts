import { createHash, createHmac } from 'node:crypto'

/**
 * The file of the consensus log.
 *
 * Block = 4096 bytes. Blocks 0 and 1: the file header, twice. Then, anywhere, copies of records: a record header and
 * the payload, from a block's start, each record as two copies one behind the other.
 *
 * Why two copies. After a crash the last record may be half written; it was never acknowledged, so nothing was signed
 * on its strength, and the log may drop it. But a last record that *was* acknowledged and then took a flipped bit or
 * a lost sector looks the same, and dropping that one would let the validator sign twice. So every record is written
 * twice, in different blocks, with one sync for both: acknowledged means that both copies were whole. One fault
 * leaves the other copy; a record is dropped only when both are bad, which for an acknowledged one takes two faults
 * in two places. A record that is whole in one copy only is kept, acknowledged or not: to remember too much is safe.
 *
 * Why a keyed tag. Payloads hold blocks that others proposed, and the scan looks at every block of the file: without a
 * key, a transaction could carry a record of the proposer's invention. The key is random and never leaves the file.
 *
 * Generations. Each height (and each rewrite within a height) begins a new generation with one atomic set of records:
 * its first record says how many belong to the set. A generation whose set is not whole was never acknowledged, and
 * the one before it counts; its records are overwritten only after the new set is synced. In the generation that
 * counts, sequence numbers run without a gap.
 *
 * Owner. The mark's payload is the address of the key whose promises these are: a log beside another key says nothing of
 * what that one has signed. Programs that know no owner pass the payload over, and their logs, which name none, are taken
 * for the key's that opens them.
 *
 * Groups. Records that share a sync carry the number of the first of them. A power failure may leave a later record of
 * such a group whole and an earlier one not: none of the group was acknowledged, and it ends where the gap is. A gap
 * before a record of a later group means damage, because groups are written one after the other.
 */
export const BLOCK_BYTES = 4096
export const DATA_START = 2 * BLOCK_BYTES
export const KEY_BYTES = 32
export const FORMAT_VERSION = 1

const FILE_MAGIC = 'songhua-log\n'
const FILE_HEADER_BYTES = FILE_MAGIC.length + 4 + KEY_BYTES
const CHECKSUM_BYTES = 16
const RECORD_MAGIC = 0x53524543
const RECORD_HEADER_BYTES = 96
const DIGEST_AT = 40
const TAG_AT = 72

export interface LogRecord {
  generation: number
  height: number
  /** 0 is the generation's mark: its payload is the owner, empty in files of older programs. */
  sequence: number
  /** How many records after the mark belong to the generation's first set. */
  setSize: number
  /** Sequence number of the first record that shares this one's sync. */
  groupStart: number
  payload: Uint8Array
}

/** The file header, both copies. */
export function encodeFileHeader(key: Uint8Array): Buffer {
  const blocks = Buffer.alloc(DATA_START)
  for (const start of [0, BLOCK_BYTES]) {
    blocks.write(FILE_MAGIC, start, 'latin1')
    blocks.writeUInt32BE(FORMAT_VERSION, start + FILE_MAGIC.length)
    blocks.set(key, start + FILE_MAGIC.length + 4)
    const header = blocks.subarray(start, start + FILE_HEADER_BYTES)
    blocks.set(sha256(header).subarray(0, CHECKSUM_BYTES), start + FILE_HEADER_BYTES)
  }
  return blocks
}

export interface FileHeader {
  readonly version: number
  readonly key: Uint8Array
  /** Where the other copy should be, and is not whole. */
  readonly lostAt: number | undefined
}

/** Undefined when neither copy is whole. */
export function decodeFileHeader(file: Buffer): FileHeader | undefined {
  const [first, second] = [0, BLOCK_BYTES].map((start) => decodeHeaderCopy(file, start))
  const header = first ?? second
  return header && { ...header, lostAt: first === undefined ? 0 : second === undefined ? BLOCK_BYTES : undefined }
}

function decodeHeaderCopy(file: Buffer, start: number): Omit<FileHeader, 'lostAt'> | undefined {
  const header = file.subarray(start, start + FILE_HEADER_BYTES)
  const checksum = file.subarray(start + FILE_HEADER_BYTES, start + FILE_HEADER_BYTES + CHECKSUM_BYTES)
  if (header.toString('latin1', 0, FILE_MAGIC.length) !== FILE_MAGIC) return undefined
  if (!sha256(header).subarray(0, CHECKSUM_BYTES).equals(checksum)) return undefined
  const key = new Uint8Array(header.subarray(FILE_MAGIC.length + 4))
  return { version: header.readUInt32BE(FILE_MAGIC.length), key }
}

/** Of both copies together. */
export function recordBytes(payloadBytes: number): number {
  return 2 * copyBytes(payloadBytes)
}

function copyBytes(payloadBytes: number): number {
  return Math.ceil((RECORD_HEADER_BYTES + payloadBytes) / BLOCK_BYTES) * BLOCK_BYTES
}

/** Both copies. */
export function encodeRecord(key: Uint8Array, record: LogRecord): Buffer {
  const size = copyBytes(record.payload.length)
  const copies = Buffer.alloc(2 * size)
  const digest = sha256(record.payload)
  for (const copy of [0, 1]) {
    const start = copy * size
    copies.writeUInt32BE(RECORD_MAGIC, start)
    copies.writeUInt8(copy, start + 4)
    copies.writeBigUInt64BE(BigInt(record.generation), start + 8)
    copies.writeBigUInt64BE(BigInt(record.height), start + 16)
    copies.writeUInt32BE(record.sequence, start + 24)
    copies.writeUInt32BE(record.setSize, start + 28)
    copies.writeUInt32BE(record.payload.length, start + 32)
    copies.writeUInt32BE(record.groupStart, start + 36)
    copies.set(digest, start + DIGEST_AT)
    copies.set(tagOf(key, copies.subarray(start, start + TAG_AT)), start + TAG_AT)
    copies.set(record.payload, start + RECORD_HEADER_BYTES)
  }
  return copies
}

/** A record of which at least one copy is whole. */
export interface FoundRecord extends LogRecord {
  /** Of the first copy. */
  start: number
  /** Behind the second copy. */
  end: number
  copies: number
}

/** All records in the file, of every generation that is not overwritten yet. */
export function findRecords(key: Uint8Array, file: Buffer): FoundRecord[] {
  const found = new Map<string, FoundRecord>()
  for (let at = DATA_START; at + BLOCK_BYTES <= file.length; ) {
    const copy = readCopy(key, file, at)
    if (copy === undefined) {
      at += BLOCK_BYTES
      continue
    }
    const name = `${copy.generation}:${copy.sequence}`
    const twin = found.get(name)
    if (twin === undefined) found.set(name, copy)
    else twin.copies = 2
    at += copyBytes(copy.payload.length)
  }
  return [...found.values()]
}

function readCopy(key: Uint8Array, file: Buffer, at: number): FoundRecord | undefined {
  if (file.readUInt32BE(at) !== RECORD_MAGIC) return undefined
  const tag = file.subarray(at + TAG_AT, at + RECORD_HEADER_BYTES)
  if (!tagOf(key, file.subarray(at, at + TAG_AT)).equals(tag)) return undefined
  const length = file.readUInt32BE(at + 32)
  const payload = file.subarray(at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + length)
  if (!sha256(payload).equals(file.subarray(at + DIGEST_AT, at + TAG_AT))) return undefined
  const start = at - file.readUInt8(at + 4) * copyBytes(length)
  return {
    generation: Number(file.readBigUInt64BE(at + 8)),
    height: Number(file.readBigUInt64BE(at + 16)),
    sequence: file.readUInt32BE(at + 24),
    setSize: file.readUInt32BE(at + 28),
    groupStart: file.readUInt32BE(at + 36),
    payload: new Uint8Array(payload),
    start,
    end: start + recordBytes(length),
    copies: 1,
  }
}

/** The generation that counts. */
export interface Generation {
  generation: number
  height: number
  setSize: number
  payloads: Uint8Array[]
  /** Empty when it names none. */
  owner: Uint8Array
  /** Of these records only one copy is whole: a crash cut off a write, or the disk has lost the other. */
  halves: number
  /** The bytes it occupies. */
  start: number
  end: number
  /** The highest number in use, by a generation that was never acknowledged too. */
  lastGeneration: number
  /** Both copies of everything are whole, and no younger generation has left pieces. */
  isWhole: boolean
}

/** Undefined when the file is damaged. */
export function countingGeneration(records: FoundRecord[]): Generation | undefined {
  const numbers = [...new Set(records.map(({ generation }) => generation))].sort((left, right) => right - left)
  for (const number of numbers) {
    const own = records.filter(({ generation }) => generation === number).sort((a, b) => a.sequence - b.sequence)
    const { setSize, height } = own[0]!
    const whole = acknowledgedPart(own)
    const hasFurther = own.at(-1)!.sequence > setSize
    if (whole !== undefined && whole.length > setSize) {
      return {
        generation: number,
        height,
        setSize,
        payloads: whole.slice(1).map(({ payload }) => payload),
        owner: whole[0]!.payload,
        halves: whole.filter(({ copies }) => copies < 2).length,
        start: Math.min(...own.map(({ start }) => start)),
        end: Math.max(...own.map(({ end }) => end)),
        lastGeneration: numbers[0]!,
        isWhole: number === numbers[0] && whole.length === own.length && own.every(({ copies }) => copies === 2),
      }
    }
    if (hasFurther) return undefined
  }
  return undefined
}

/** The records up to the first gap; undefined when something behind it was written after what is missing. */
function acknowledgedPart(own: readonly FoundRecord[]): FoundRecord[] | undefined {
  const gap = own.findIndex(({ sequence }, index) => sequence !== index)
  if (gap < 0) return [...own]
  // Older programs wrote no group: 0, as in the first set, which is whole or does not count.
  const isTorn = own.slice(gap).every(({ groupStart }) => groupStart > 0 && groupStart <= gap)
  return isTorn ? own.slice(0, gap) : undefined
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}

function tagOf(key: Uint8Array, header: Uint8Array): Buffer {
  return createHmac('sha256', key).update(header).digest().subarray(0, RECORD_HEADER_BYTES - TAG_AT)
}
