import type { RecordFamily } from '@songhua/sdk/protocol/evidence-envelope'
import { crashPoint } from '../base/crash-points.js'
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
}

export interface RecordWriterParts {
  readonly store: GatewayStore
  readonly keyRing: Pick<KeyRing, 'size' | 'add'>
  readonly tags: Tags
  readonly progress: Pick<Progress, 'waiting'>
  readonly onWritten: () => void
}

/** Its keys are on disk. */
interface Keyed extends Intent {
  /** Of its first key. */
  readonly firstSlot: number
}

/**
 * A key that is on disk without its record (a crash came in between) opens nothing: it lies above the ring's size in the
 * table and is erased at the next start. A record without its key would be lost, so the keys come first. The keys of
 * the next are written while the rows of some still are.
 */
export function createRecordWriter(parts: RecordWriterParts): RecordWriter {
  const { keyRing } = parts
  let ringSize = keyRing.size
  const sync = createGroupSync<Keyed>(async (intents) => {
    for (const group of boundedGroups(intents)) {
      ringSize = group.reduce((size, intent) => Math.max(size, intent.firstSlot + keysOf(intent).length), ringSize)
      await writeGroup(group, ringSize, parts)
    }
  })
  return {
    async write(intent) {
      const keys = keysOf(intent)
      crashPoint('gateway.before-keys')
      const firstSlot = keys.length === 0 ? 0 : await keyRing.add(keys)
      crashPoint('gateway.keys-written')
      await sync.add({ ...intent, firstSlot })
    },
  }
}

const keysOf = ({ entries }: Intent): Uint8Array[] =>
  entries.flatMap(({ sealed }) => (sealed === undefined ? [] : [sealed.key]))

interface FamilyEnd {
  readonly seq: number
  readonly bytesSoFar: number
  readonly oldestMs: number
}

async function writeGroup(
  group: readonly Keyed[],
  ringSize: number,
  { store, tags, progress, onWritten }: RecordWriterParts,
): Promise<void> {
  const ends = new Map<RecordFamily, FamilyEnd>()
  const changes = await mapInSlices(placed(group), ({ entry, slot }) => {
    const { family, envelopeBytes } = entry.draft
    const { next, bytesSoFar } = progress.waiting[family]
    const end = ends.get(family) ?? { seq: next, bytesSoFar, oldestMs: entry.acceptedAtMs }
    const through = end.bytesSoFar + envelopeBytes.length
    ends.set(family, { ...end, seq: end.seq + 1, bytesSoFar: through })
    return recordChanges(entry, { place: { family, seq: end.seq }, slot, bytesSoFar: through }, tags)
  })
  const seqs = new Map([...ends].map(([family, { seq }]) => [family, seq]))
  await store.commit([...changes.flat(), ...group.flatMap(({ besides }) => besides), ...counterChanges(seqs, ringSize)])
  crashPoint('gateway.records-written')
  for (const [family, { seq, bytesSoFar, oldestMs }] of ends) {
    const waiting = progress.waiting[family]
    if (waiting.first === waiting.next) waiting.oldestMs = oldestMs
    Object.assign(waiting, { next: seq, bytesSoFar })
  }
  onWritten()
}

function placed(group: readonly Keyed[]): { entry: Entry; slot: number | undefined }[] {
  return group.flatMap(({ entries, firstSlot }) => {
    let slot = firstSlot
    return entries.map((entry) => ({ entry, slot: entry.sealed && slot++ }))
  })
}

/** Whole intents together, up to the limits; one alone may be larger. */
function* boundedGroups(intents: readonly Keyed[]): Iterable<Keyed[]> {
  let group: Keyed[] = []
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
