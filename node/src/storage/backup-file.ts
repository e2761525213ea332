import { createReadStream } from 'node:fs'
import { CodedError, messageOf } from '@songhua/sdk/protocol/errors'
import { replaceDurably } from './durable-file.js'

/**
 * Writes a backup to `path`, whole or not at all, readable by its owner alone.
 * @throws CodedError `BACKUP_IO`
 */
export function backupSink(path: string): (parts: AsyncIterable<Uint8Array>) => Promise<void> {
  return async (parts) => {
    try {
      const file = await replaceDurably(path, parts)
      await file.close()
    } catch (error) {
      throw ioError(path, error)
    }
  }
}

/** Reads a backup from its beginning, each time it is called. @throws CodedError `BACKUP_IO` */
export function backupSource(path: string): () => AsyncIterable<Uint8Array> {
  return async function* () {
    try {
      for await (const chunk of createReadStream(path)) yield chunk as Uint8Array
    } catch (error) {
      throw ioError(path, error)
    }
  }
}

/** Coded errors go out as they are. */
export function ioError(path: string, cause: unknown): unknown {
  if (cause instanceof CodedError) return cause
  const what = `the backup ${path} cannot be read or written: ${messageOf(cause)}`
  const message = `${what}; see to the path, its rights and the disk's room`
  return new CodedError('BACKUP_IO', message, { details: { path }, cause })
}
