import { createHash } from 'node:crypto'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { BACKUP_FRAME_BYTES_MAX } from './engine-limits.js'

/**
 * A backup file: a head of 32 bytes (`songhua-gateway-<kind>/<version>`, spaces, line feed), frames of length (4 bytes,
 * big-endian) and payload, a length of 0, and the SHA-256 of all bytes before it. It guards against torn copies and
 * flipped bits; who may read or change it is a matter of where it lies.
 */
export type ArchiveKind = 'state' | 'keys'

export type ArchiveErrorCode = 'BACKUP_FOREIGN' | 'BACKUP_NEWER' | 'BACKUP_DAMAGED'

/** Writes a file whole or not at all; it is on disk when it resolves. */
export type ArchiveSink = (parts: AsyncIterable<Uint8Array>) => Promise<void>

/** Reads a file from its beginning, each time it is called. */
export type ArchiveSource = () => AsyncIterable<Uint8Array>

const VERSION = 1
const HEAD_BYTES = 32
const DIGEST_BYTES = 32
const HEAD = /^songhua-gateway-(\w+)\/(\d+) *\n$/

/** The bytes of a backup file. */
export async function* archiveParts(kind: ArchiveKind, frames: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const hash = createHash('sha256')
  const hashed = (bytes: Uint8Array): Uint8Array => {
    hash.update(bytes)
    return bytes
  }
  yield hashed(Buffer.from(`${`songhua-gateway-${kind}/${VERSION}`.padEnd(HEAD_BYTES - 1)}\n`, 'latin1'))
  for await (const frame of frames) yield hashed(Buffer.concat([lengthBytes(frame.length), frame]))
  yield hashed(lengthBytes(0))
  yield hash.digest()
}

function lengthBytes(length: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(length)
  return bytes
}

/**
 * The frames of a backup file. What stands at its end is known only there: drain it once before you believe any of it.
 * @throws CodedError with an `ArchiveErrorCode`
 */
export async function* archiveFrames(kind: ArchiveKind, source: ArchiveSource): AsyncIterable<Uint8Array> {
  const hash = createHash('sha256')
  const bytes = createByteStream(source())
  const take = async (length: number): Promise<Buffer> => {
    const taken = await bytes.take(length)
    if (taken === undefined) return fail('BACKUP_DAMAGED', `the ${kind} backup ends too early; take another copy of it`)
    return taken
  }
  const head = await take(HEAD_BYTES)
  checkHead(kind, head.toString('latin1'))
  hash.update(head)
  for (;;) {
    const prefix = await take(4)
    hash.update(prefix)
    const length = prefix.readUInt32BE()
    if (length === 0) break
    if (length > BACKUP_FRAME_BYTES_MAX)
      fail('BACKUP_DAMAGED', `a frame of the ${kind} backup has ${length} bytes; take another copy of it`)
    const frame = await take(length)
    hash.update(frame)
    yield frame
  }
  const isWhole = (await take(DIGEST_BYTES)).equals(hash.digest()) && (await bytes.take(1)) === undefined
  if (!isWhole)
    fail('BACKUP_DAMAGED', `the ${kind} backup does not have the checksum at its end; take another copy of it`)
}

function checkHead(kind: ArchiveKind, head: string): void {
  const [, found, version] = HEAD.exec(head) ?? []
  if (found !== kind) fail('BACKUP_FOREIGN', `this is no backup of the gateway's ${kind}; name the file that is one`)
  if (Number(version) > VERSION)
    fail('BACKUP_NEWER', `the ${kind} backup has version ${version}, this songhua reads ${VERSION}: use the newer one`)
}

interface ByteStream {
  /** That many bytes; undefined when fewer are left. */
  take(length: number): Promise<Buffer | undefined>
}

function createByteStream(chunks: AsyncIterable<Uint8Array>): ByteStream {
  const iterator = chunks[Symbol.asyncIterator]()
  let parts: Uint8Array[] = []
  let available = 0
  return {
    async take(length) {
      while (available < length) {
        const next = await iterator.next()
        if (next.done === true) return undefined
        parts.push(next.value)
        available += next.value.length
      }
      const all = Buffer.concat(parts)
      parts = [all.subarray(length)]
      available -= length
      return all.subarray(0, length)
    },
  }
}

function fail(code: ArchiveErrorCode, message: string): never {
  throw new CodedError(code, message)
}
