import { crc32 } from 'node:zlib'
import { bytesToHex } from '@songhua/sdk/protocol/bytes'
import type { Table, TableChange } from './table.js'

const CHECKSUM_BYTES = 4

/**
 * A table whose values end in a CRC-32 over key and value. LevelDB's own checksums are of its blocks, are not compared
 * where single values are read, and are made anew by every compaction; this one goes with the value from who wrote it to
 * who reads it.
 * @param plainKey its value has no checksum: it must be readable before the format is known
 * @param damaged makes the error for a value that is not what was written
 */
export function createCheckedTable(
  table: Table,
  { plainKey, damaged }: { plainKey: Uint8Array; damaged: (what: string) => Error },
): Table {
  const isPlain = (key: Uint8Array): boolean => key.length === plainKey.length && key.every((byte, at) => byte === plainKey[at])
  const open = (key: Uint8Array, sealed: Uint8Array): Uint8Array => {
    if (isPlain(key)) return sealed
    const end = sealed.length - CHECKSUM_BYTES
    const value = sealed.subarray(0, Math.max(0, end))
    if (end >= 0 && readChecksum(sealed, end) === checksumOf(key, value)) return value
    throw damaged(`the value of ${bytesToHex(key)} is not the one that was written`)
  }
  const seal = ([key, value]: TableChange): TableChange => {
    return value === undefined || isPlain(key) ? [key, value] : [key, withChecksum(key, value)]
  }
  return {
    get(key) {
      const sealed = table.get(key)
      return sealed === undefined ? undefined : open(key, sealed)
    },
    async *entries(range) {
      for await (const [key, sealed] of table.entries(range)) yield [key, open(key, sealed)]
    },
    keys: (range) => table.keys(range),
    write: (changes) => table.write(mapped(changes, seal)),
    memoryBytes: () => table.memoryBytes(),
    close: () => table.close(),
  }
}

function* mapped<A, B>(items: Iterable<A>, change: (item: A) => B): Iterable<B> {
  for (const item of items) yield change(item)
}

const checksumOf = (key: Uint8Array, value: Uint8Array): number => crc32(value, crc32(key))

function withChecksum(key: Uint8Array, value: Uint8Array): Uint8Array {
  const sealed = new Uint8Array(value.length + CHECKSUM_BYTES)
  sealed.set(value)
  new DataView(sealed.buffer).setUint32(value.length, checksumOf(key, value))
  return sealed
}

function readChecksum(sealed: Uint8Array, at: number): number {
  return new DataView(sealed.buffer, sealed.byteOffset, sealed.byteLength).getUint32(at)
}

/** Tells of the first error that `isDamage` knows, so that a node stops and does not go on answering. */
export function createWatchedTable(
  table: Table,
  { isDamage, onDamage }: { isDamage: (error: unknown) => boolean; onDamage: (error: Error) => void },
): Table {
  const tell = (error: unknown): never => {
    if (error instanceof Error && isDamage(error)) onDamage(error)
    throw error
  }
  async function* watched<T>(items: AsyncIterable<T>): AsyncIterable<T> {
    try {
      yield* items
    } catch (error) {
      tell(error)
    }
  }
  return {
    get(key) {
      try {
        return table.get(key)
      } catch (error) {
        return tell(error)
      }
    },
    entries: (range) => watched(table.entries(range)),
    keys: (range) => watched(table.keys(range)),
    write: (changes) => table.write(changes),
    memoryBytes: () => table.memoryBytes(),
    close: () => table.close(),
  }
}
