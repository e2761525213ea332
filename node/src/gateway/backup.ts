import { concatBytes } from '@songhua/sdk/protocol/bytes'
import { decodeRlp, encodeRlp, readBytes, readList } from '@songhua/sdk/protocol/rlp'
import { type ArchiveSink, archiveParts } from './archive.js'
import { BACKUP_FRAME_BYTES, BACKUP_FRAME_SLOTS } from './engine-limits.js'
import { EVERYTHING } from './keys.js'
import type { GatewayTable, KeyRing } from './ports.js'

/** Where the two files go. They belong in different hands: the one is unreadable without the other. */
export interface BackupTargets {
  readonly state: ArchiveSink
  readonly keys: ArchiveSink
}

export interface BackupParts {
  readonly table: Pick<GatewayTable, 'entries'>
  readonly keyRing: Pick<KeyRing, 'size' | 'get'>
  readonly secret: Uint8Array
}

const KEY_BYTES = 32
/** Of a slot in the file: 1 and the key, or 0 and zeros. */
export const SLOT_BYTES = 1 + KEY_BYTES

/**
 * Both, of a gateway that goes on working. The state is what the table held at one moment. The keys are copied after
 * it, so that no key of the state is missing; what was erased in between is erased in the copy too.
 */
export async function backUp(targets: BackupTargets, { table, keyRing, secret }: BackupParts): Promise<void> {
  await targets.state(archiveParts('state', stateFrames(table)))
  await targets.keys(archiveParts('keys', keyFrames(keyRing, secret)))
}

async function* stateFrames(table: Pick<GatewayTable, 'entries'>): AsyncIterable<Uint8Array> {
  let items: Uint8Array[] = []
  let bytes = 0
  for await (const [key, value] of table.entries(EVERYTHING)) {
    items.push(key, value)
    bytes += key.length + value.length
    if (bytes < BACKUP_FRAME_BYTES) continue
    yield encodeRlp(items)
    items = []
    bytes = 0
  }
  if (items.length > 0) yield encodeRlp(items)
}

/** The secret first, then the slots from 0 on. */
async function* keyFrames({ size, get }: Pick<KeyRing, 'size' | 'get'>, secret: Uint8Array): AsyncIterable<Uint8Array> {
  yield await Promise.resolve(secret)
  for (let from = 0; from < size; from += BACKUP_FRAME_SLOTS) {
    const slots = Array.from({ length: Math.min(BACKUP_FRAME_SLOTS, size - from) }, (_, at) => {
      const key = get(from + at)
      return concatBytes(Uint8Array.of(key === undefined ? 0 : 1), key ?? new Uint8Array(KEY_BYTES))
    })
    yield await Promise.resolve(concatBytes(...slots))
  }
}

/** The rows of a frame of the state. */
export function* rowsOfFrame(frame: Uint8Array): Iterable<[key: Uint8Array, value: Uint8Array]> {
  const items = readList(decodeRlp(frame, { maxDepth: 1 }), 'backup')
  for (let at = 0; at < items.length; at += 2)
    yield [readBytes(items[at], 'backup.key'), readBytes(items[at + 1], 'backup.value')]
}

/** The slots of a frame of the keys; undefined where one is erased. */
export function slotsOfFrame(frame: Uint8Array): (Uint8Array | undefined)[] {
  return Array.from({ length: frame.length / SLOT_BYTES }, (_, at) => {
    const slot = frame.slice(at * SLOT_BYTES, (at + 1) * SLOT_BYTES)
    return slot[0] === 1 ? slot.subarray(1) : undefined
  })
}
