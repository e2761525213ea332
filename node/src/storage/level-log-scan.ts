import { maskedCrc32c } from './level-crc.js'

/**
 * LevelDB's log files, write-ahead logs and MANIFESTs alike: blocks of 32 KiB, in them fragments of masked CRC-32C (4),
 * length (2, little-endian), kind (1) and payload; no fragment crosses a block (doc/log_format.md). Where a length reaches
 * over the end of the file, or a head is zeros, LevelDB drops the rest of the block without a word, for that is what a
 * crash leaves. But no crash leaves fragments after it in that block: they were written when what came before them had
 * been synced. Nor does it leave a fragment whose checksum is right if only its length is taken to be what is there.
 */
const BLOCK_BYTES = 32_768
const HEAD_BYTES = 7
const KIND_MAX = 4
/** Kinds of fragments: a whole record, or its first, middle and last piece. */
const WHOLE = 1
const FIRST = 2
const LAST = 4

/** Why a log is not what was written; undefined when it is, but for an end that a crash may have torn. */
export function hiddenLogDamage(bytes: Buffer): string | undefined {
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
    const block = bytes.subarray(start, start + BLOCK_BYTES)
    const stop = silentEnd(block)
    if (stop === undefined) continue
    if (isShortened(block, stop)) return `a record at byte ${start + stop} whose length is not its own`
    const buried = findFragment(block, stop + 1)
    if (buried !== undefined) return `a record at byte ${start + buried} behind a broken one`
  }
  return undefined
}

/** Where reading ends before the block does. */
function silentEnd(block: Buffer): number | undefined {
  for (let at = 0; at + HEAD_BYTES <= block.length; ) {
    const length = block.readUInt16LE(at + 4)
    const isZero = length === 0 && block[at + 6] === 0
    if (isZero || at + HEAD_BYTES + length > block.length) return at
    at += HEAD_BYTES + length
  }
  return undefined
}

/** Whole up to the file's end, but for the two bytes that tell its length. */
function isShortened(block: Buffer, at: number): boolean {
  return block.length > at + HEAD_BYTES && block.readUInt32LE(at) === maskedCrc32c(block.subarray(at + 6))
}

function findFragment(block: Buffer, from: number): number | undefined {
  for (let at = from; at + HEAD_BYTES <= block.length; at++) if (isFragment(block, at)) return at
  return undefined
}

function isFragment(block: Buffer, at: number): boolean {
  const kind = block[at + 6]!
  const end = at + HEAD_BYTES + block.readUInt16LE(at + 4)
  if (kind === 0 || kind > KIND_MAX || end > block.length) return false
  return block.readUInt32LE(at) === maskedCrc32c(block.subarray(at + 6, end))
}

export interface LogContents {
  /** The records before the first damage, or before the torn end. */
  readonly records: Buffer[]
  /** What is damaged, and where. */
  readonly damage: string | undefined
}

/** All records of a log, each checksum compared. */
export function readLog(bytes: Buffer): LogContents {
  const hidden = hiddenLogDamage(bytes)
  const records: Buffer[] = []
  let pieces: Buffer[] = []
  for (let at = 0; at + HEAD_BYTES <= bytes.length; ) {
    const blockEnd = Math.min(at - (at % BLOCK_BYTES) + BLOCK_BYTES, bytes.length)
    if (blockEnd - at < HEAD_BYTES) {
      at = blockEnd
      continue
    }
    const end = at + HEAD_BYTES + bytes.readUInt16LE(at + 4)
    const kind = bytes[at + 6]!
    if (end > blockEnd || (kind === 0 && end === at + HEAD_BYTES)) {
      at = blockEnd
      continue
    }
    if (!isFragment(bytes.subarray(0, blockEnd), at)) return { records, damage: `the checksum at byte ${at} does not match` }
    if (kind === WHOLE || kind === FIRST) pieces = []
    pieces.push(bytes.subarray(at + HEAD_BYTES, end))
    if (kind === WHOLE || kind === LAST) records.push(Buffer.concat(pieces))
    at = end
  }
  return { records, damage: hidden }
}
