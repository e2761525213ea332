import { CodedError } from '@songhua/sdk/protocol/errors'

/** What a MANIFEST says that the database consists of. */
export interface LiveFiles {
  /** Bytes of each table file, by its number. */
  readonly tables: ReadonlyMap<number, number>
  /** The oldest write-ahead log whose writes are in no table. */
  readonly logNumber: number
}

/** Tags of a version edit (db/version_edit.cc). */
const TAG = {
  comparator: 1, logNumber: 2, nextFile: 3, lastSequence: 4, compactPointer: 5, deletedFile: 6, newFile: 7, prevLogNumber: 9,
} as const

/**
 * Plays the edits of a MANIFEST in order.
 * @param records of its log
 * @throws CodedError `LEVEL_MANIFEST_UNREADABLE`
 */
export function readManifestEdits(records: readonly Buffer[]): LiveFiles {
  const tables = new Map<number, number>()
  let logNumber = 0
  for (const record of records) {
    const edit = createReader(record)
    while (!edit.isDone()) {
      switch (edit.varint()) {
        case TAG.comparator:
          edit.text()
          break
        case TAG.logNumber:
          logNumber = edit.varint()
          break
        case TAG.nextFile:
        case TAG.lastSequence:
        case TAG.prevLogNumber:
          edit.varint()
          break
        case TAG.compactPointer:
          edit.varint()
          edit.text()
          break
        case TAG.deletedFile:
          edit.varint()
          tables.delete(edit.varint())
          break
        case TAG.newFile: {
          edit.varint()
          const number = edit.varint()
          tables.set(number, edit.varint())
          edit.text()
          edit.text()
          break
        }
        default:
          throw unreadable('a version edit has an unknown tag')
      }
    }
  }
  return { tables, logNumber }
}

interface Reader {
  isDone(): boolean
  /** LEB128, at most 2^53 − 1. */
  varint(): number
  /** Skips bytes that their length stands before. */
  text(): void
}

/** @throws CodedError `LEVEL_MANIFEST_UNREADABLE` */
export function createReader(bytes: Uint8Array): Reader {
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++]
      if (byte === undefined || shift > Number.MAX_SAFE_INTEGER) throw unreadable('a number ends nowhere')
      value += (byte & 127) * shift
      if (byte < 128) return value
    }
  }
  return {
    isDone: () => at >= bytes.length,
    varint,
    text() {
      const length = varint()
      at += length
      if (at > bytes.length) throw unreadable('a text reaches over the end')
    },
  }
}

function unreadable(what: string): CodedError {
  return new CodedError('LEVEL_MANIFEST_UNREADABLE', `LevelDB's own books cannot be read: ${what}; the database is damaged`)
}
