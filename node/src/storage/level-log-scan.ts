import { readFile } from 'node:fs/promises'

/**
 * LevelDB's write-ahead log: blocks of 32 KiB, in them records of masked CRC-32C (4), length (2, little-endian), kind (1)
 * and payload; no record crosses a block (doc/log_format.md). Where a length reaches over the end of the file, or a head
 * is zeros, LevelDB drops the rest of the block without a word, for that is what a crash leaves. But no crash leaves
 * records after it in that block: they were written when what came before them had been synced.
 */
const BLOCK_BYTES = 32_768
const HEAD_BYTES = 7
const KIND_MAX = 4
const MASK_DELTA = 0xa282ead8
const CASTAGNOLI = 0x82f63b78

/** Where records stand behind what LevelDB takes for the end of a block: offset in the file, undefined if nowhere. */
export async function findBuriedRecord(path: string): Promise<number | undefined> {
  const bytes = await readFile(path)
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
    const block = bytes.subarray(start, start + BLOCK_BYTES)
    const stop = silentEnd(block)
    const buried = stop === undefined ? undefined : findRecord(block, stop + 1)
    if (buried !== undefined) return start + buried
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

function findRecord(block: Buffer, from: number): number | undefined {
  for (let at = from; at + HEAD_BYTES <= block.length; at++) if (isRecord(block, at)) return at
  return undefined
}

function isRecord(block: Buffer, at: number): boolean {
  const kind = block[at + 6]!
  const end = at + HEAD_BYTES + block.readUInt16LE(at + 4)
  if (kind === 0 || kind > KIND_MAX || end > block.length) return false
  const crc = crc32c(block.subarray(at + 6, end))
  return block.readUInt32LE(at) === (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ CASTAGNOLI : value >>> 1
  return value
})

function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 255]! ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}
