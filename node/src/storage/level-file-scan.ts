import { maskedCrc32c } from './level-crc.js'
import { createReader } from './level-manifest.js'
import { unsnap } from './snappy.js'

/**
 * A table file (doc/table_format.md): data blocks, the filter, the index of the meta blocks, the index, and a footer of 48
 * bytes that says where the two indexes are. Each block is followed by its compression (1 byte) and its masked CRC-32C
 * (4). LevelDB as classic-level opens it compares these checksums of indexes alone: a flipped bit in a data block is
 * answered as data, and copied by the next compaction under a new and matching checksum.
 */
const FOOTER_BYTES = 48
const TRAILER_BYTES = 5
const MAGIC = Buffer.from('57fb808b247547db', 'hex')
const SNAPPY = 1

interface Handle {
  readonly offset: number
  readonly size: number
}

/** What is wrong with a table file; undefined when every byte that means something is what was written. */
export function tableDamage(file: Buffer): string | undefined {
  if (file.length < FOOTER_BYTES || !file.subarray(-MAGIC.length).equals(MAGIC)) return 'its end is missing or changed'
  try {
    const [metaIndex, index] = readHandles(file.subarray(file.length - FOOTER_BYTES, -MAGIC.length), 2)
    const indexes = [metaIndex!, index!]
    const inner = indexes.flatMap((handle) => handlesIn(contentOf(file, handle)))
    const blocks = [...inner, ...indexes].sort((a, b) => a.offset - b.offset)
    const bad = blocks.find((handle) => !isWhole(file, handle))
    if (bad !== undefined) return `the checksum of the block at byte ${bad.offset} does not match`
    return gapBetween(blocks, file.length - FOOTER_BYTES)
  } catch (error) {
    return `it cannot be read (${(error as Error).message})`
  }
}

/** What LevelDB keeps in memory of a table that it has open, bytes; undefined when the file is not written to its end. */
export function tableIndexBytes(file: Buffer): number | undefined {
  if (file.length < FOOTER_BYTES || !file.subarray(-MAGIC.length).equals(MAGIC)) return undefined
  const [, index] = readHandles(file.subarray(file.length - FOOTER_BYTES, -MAGIC.length), 2)
  return contentOf(file, index!).length
}

function readHandles(bytes: Uint8Array, count: number): Handle[] {
  const reader = createReader(bytes)
  return Array.from({ length: count }, () => ({ offset: reader.varint(), size: reader.varint() }))
}

/** The CRC covers the block and the byte behind it. */
function isWhole(file: Buffer, { offset, size }: Handle): boolean {
  const end = offset + size + 1
  return end + 4 <= file.length && file.readUInt32LE(end) === maskedCrc32c(file.subarray(offset, end))
}

function contentOf(file: Buffer, handle: Handle): Uint8Array {
  if (!isWhole(file, handle)) throw new RangeError('the checksum of its index does not match')
  const { offset, size } = handle
  const stored = file.subarray(offset, offset + size)
  return file[offset + size] === SNAPPY ? unsnap(stored) : stored
}

/** An index block: entries of shared length, own length, value length, own part of the key, value; then restarts. */
function handlesIn(content: Uint8Array): Handle[] {
  const view = new DataView(content.buffer, content.byteOffset, content.length)
  const restarts = view.getUint32(content.length - 4, true)
  const end = content.length - 4 - 4 * restarts
  const handles: Handle[] = []
  for (let at = 0; at < end; ) {
    const [, keyStart] = varintAt(content, at)
    const [ownLength, ownStart] = varintAt(content, keyStart)
    const [valueLength, start] = varintAt(content, ownStart)
    const value = start + ownLength
    handles.push(...readHandles(content.subarray(value, value + valueLength), 1))
    at = value + valueLength
  }
  return handles
}

/** @returns the number and where it ends */
function varintAt(bytes: Uint8Array, from: number): [value: number, end: number] {
  const value = createReader(bytes.subarray(from)).varint()
  let end = from
  while (bytes[end]! >= 128) end++
  return [value, end + 1]
}

/** Blocks stand one behind the other; a byte that is in none would be unchecked. */
function gapBetween(blocks: readonly Handle[], end: number): string | undefined {
  let at = 0
  for (const { offset, size } of blocks) {
    if (offset !== at) return `nothing is known of the bytes from ${at} to ${offset}`
    at = offset + size + TRAILER_BYTES
  }
  return at === end ? undefined : `nothing is known of the bytes from ${at} to ${end}`
}
