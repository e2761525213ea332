import type { RecordFamily } from '@songhua/sdk/protocol/evidence-envelope'
import { createGroupSync } from '../base/group-sync.js'
import { mapInSlices } from '../base/slices.js'
import { GROUP_BYTES_MAX, GROUP_RECORDS_MAX } from './engine-limits.js'
import type { KeyRing } from './ports.js'
import type { Progress } from './progress.js'
import { type Entry, counterChanges, recordChanges } from './record-changes.js'
import type { Change, GatewayStore } from './store.js'
import type { Tags } from './tags.js'

/** Records that become durable together, with what else must not be without them. */
export interface Intent {
  readonly entries: readonly Entry[]
  /** The row of its idempotency key. */
  readonly besides: readonly Change[]
}

export interface RecordWriter {
  /** On disk when it resolves: first the keys, then, in one atomic write, all rows. Concurrent calls share both. */
  write(intent: Intent): Promise<void>
  idle(): Promise<void>
}

export interface RecordWriterParts {
  readonly store: GatewayStore
  readonly keyRing: Pick<KeyRing, 'size' | 'add'>
  readonly tags: Tags
  readonly progress: Pick<Progress, 'waiting'>
  readonly onWritten: () => void
}

/**
 * A key that is on disk without its record (a crash came in between) opens nothing: it lies above the ring's size in the
 * table and is erased at the next start. A record without its key would be lost, so the keys come first.
 */
export function createRecordWriter(parts: RecordWriterParts): RecordWriter {
  const sync = createGroupSync<Intent>(async (intents) => {
    for (const group of boundedGroups(intents)) await writeGroup(group, parts)
  })
  return { write: (intent) => sync.add(intent), idle: () => sync.idle() }
}

async function writeGroup(group: readonly Intent[], { store, keyRing, tags, progress, onWritten }: RecordWriterParts): Promise<void> {
  const entries = group.flatMap((intent) => intent.entries)
  const keys = entries.flatMap(({ sealed }) => (sealed === undefined ? [] : [sealed.key]))
  let slot = keys.length === 0 ? keyRing.size : await keyRing.add(keys)
  const next = new Map<RecordFamily, { seq: number; bytesSoFar: number; oldestMs: number }>()
  const changes = await mapInSlices(entries, (entry) => {
    const { family, envelopeBytes } = entry.draft
    const known = next.get(family)
    const { next: firstSeq, bytesSoFar } = progress.waiting[family]
    const at = known ?? { seq: firstSeq, bytesSoFar, oldestMs: entry.acceptedAtMs }
    const place = { family, seq: at.seq }
    const through = at.bytesSoFar + envelopeBytes.length
    next.set(family, { seq: at.seq + 1, bytesSoFar: through, oldestMs: at.oldestMs })
    return recordChanges(entry, { place, slot: entry.sealed && slot++, bytesSoFar: through }, tags)
  })
  const seqs = new Map([...next].map(([family, { seq }]) => [family, seq]))
  const besides = group.flatMap((intent) => intent.besides)
  await store.commit([...changes.flat(), ...besides, ...counterChanges(seqs, slot)])
  for (const [family, { seq, bytesSoFar, oldestMs }] of next) {
    const waiting = progress.waiting[family]
    if (waiting.first === waiting.next) waiting.oldestMs = oldestMs
    Object.assign(waiting, { next: seq, bytesSoFar })
  }
  onWritten()
}

/** Whole intents together, up to the limits; one alone may be larger. */
function* boundedGroups(intents: readonly Intent[]): Iterable<Intent[]> {
  let group: Intent[] = []
  let [records, bytes] = [0, 0]
  for (const intent of intents) {
    const intentBytes = intent.entries.reduce((sum, { sealed }) => sum + (sealed?.sealed.length ?? 0), 0)
    const isOver = records + intent.entries.length > GROUP_RECORDS_MAX || bytes + intentBytes > GROUP_BYTES_MAX
    if (isOver && group.length > 0) {
      yield group
      group = []
      records = bytes = 0
    }
    group.push(intent)
    records += intent.entries.length
    bytes += intentBytes
  }
  if (group.length > 0) yield group
}
