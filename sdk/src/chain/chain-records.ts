import { bytesToHex } from '../protocol/bytes.js'
import type { CutBundle } from '../protocol/evidence-assembly.js'
import type { RecordFamily } from '../protocol/evidence-envelope.js'
import { createHashReader, treeRoot } from '../protocol/merkle-tree.js'
import { type ProgressCounter, createProgressCounter } from '../connection/progress.js'
import {
  type AnchorManyOptions,
  type AnchorOptions,
  type AnchoredRecord,
  type AnyRecordInput,
  type RefusedRecord,
} from '../connection/record.js'
import { SonghuaError, toSonghuaError } from '../connection/songhua-error.js'
import { type Source, createTurns, groupsOf, mapInOrder } from '../connection/stream.js'
import type { AnchorSender } from './anchor-sender.js'
import type { ChainProver } from './chain-prover.js'
import type { MadeRecord, MakeRecord } from './record-maker.js'

export interface ChainRecordsParts {
  readonly make: MakeRecord
  readonly sender: AnchorSender
  readonly prover: ChainProver
}

/**
 * Records of a family in one transaction: its cost, some 300 ms of waiting, is shared by all of them. A power of two: the
 * paths of a complete tree need no hash that its root did not, so a bundle is cut in 13 µs, in 30 µs with 10,000.
 */
export const BATCH_SIZE = 8_192
/** Batches under way: one is being built while the others wait for their blocks. */
export const BATCHES_IN_FLIGHT = 4
export const BATCH_DELAY_MS = 200
export const FINALITY_TIMEOUT_MS = 60_000
/** How long building and cutting keep the thread at one time: answers of the node are read in between. */
const SLICE_MS = 20

/** Anchors one record, alone in its tree. @throws SonghuaError */
export async function anchorOne(
  parts: ChainRecordsParts,
  input: AnyRecordInput,
  options: AnchorOptions,
): Promise<AnchoredRecord> {
  const record = parts.make(input)
  const group = groupOf([record])
  const progress = createProgressCounter(undefined)
  const { cutters } = await anchorGroup(parts, group, { ...options, progress })
  return cutRecord(record, { cut: cutters.get(record.envelope.family)!, leafIndex: 0 })
}

/** Anchors a stream of records, many to a transaction, and gives them back in its order. @throws SonghuaError */
export async function* anchorStream(
  parts: ChainRecordsParts,
  source: Source<AnyRecordInput>,
  options: AnchorManyOptions,
): AsyncGenerator<AnchoredRecord | RefusedRecord> {
  const progress = createProgressCounter(options.onProgress)
  const groups = mapInOrder(builtGroups(parts.make, source, options), {
    concurrency: options.concurrency ?? BATCHES_IN_FLIGHT,
    signal: options.signal,
    run: (group, signal) => anchorGroup(parts, group, { ...options, progress, signal }),
  })
  const turn = createTurns(SLICE_MS)
  for await (const { group, cutters } of groups) {
    const refused = group.records.filter(isRefusedItem).length
    progress.refused(refused)
    progress.anchored(group.records.length - refused)
    const places = createPlaces()
    for (const record of group.records) {
      if (isRefusedItem(record)) yield record
      else {
        const { family } = record.envelope
        yield cutRecord(record, { cut: cutters.get(family)!, leafIndex: places(family) })
      }
      await turn()
    }
  }
}

type GroupItem = MadeRecord | RefusedRecord

const isRefusedItem = (item: GroupItem): item is RefusedRecord => 'refusal' in item

/** Records that are anchored together: of each family one tree, its leaves in the order of the records. */
interface Group {
  readonly records: readonly GroupItem[]
  readonly families: ReadonlyMap<RecordFamily, readonly MadeRecord[]>
}

function groupOf(records: readonly GroupItem[]): Group {
  const families = new Map<RecordFamily, MadeRecord[]>()
  for (const record of records) {
    if (isRefusedItem(record)) continue
    const { family } = record.envelope
    const others = families.get(family)
    if (others === undefined) families.set(family, [record])
    else others.push(record)
  }
  return { records, families }
}

/** The place of the next record of a family within its tree. */
function createPlaces(): (family: RecordFamily) => number {
  const taken = new Map<RecordFamily, number>()
  return (family) => {
    const place = taken.get(family) ?? 0
    taken.set(family, place + 1)
    return place
  }
}

// ----------------------------------------------------------------------------------------------------- building

async function* builtGroups(
  make: MakeRecord,
  source: Source<AnyRecordInput>,
  options: AnchorManyOptions,
): AsyncGenerator<Group> {
  const turn = createTurns(SLICE_MS)
  const size = options.batchSize ?? BATCH_SIZE
  let before = 0
  for await (const inputs of groupsOf(source, { size, delayMs: options.batchDelayMs ?? BATCH_DELAY_MS })) {
    const records: GroupItem[] = []
    for (const input of inputs) {
      records.push(makeOrRefuse(make, input, before + records.length + 1))
      await turn()
    }
    before += inputs.length
    if (options.partial !== true) refuseAllForOne(records)
    yield groupOf(records)
  }
}

function makeOrRefuse(make: MakeRecord, input: AnyRecordInput, row: number): GroupItem {
  try {
    return make(input)
  } catch (error) {
    const { code, message, violations } = toSonghuaError(error, 'SUBMISSION_REFUSED')
    return { row, refusal: { code, message, violations } }
  }
}

function refuseAllForOne(records: readonly GroupItem[]): void {
  const rows = records.filter(isRefusedItem).map(({ row, refusal }) => ({ row, ...refusal }))
  const [first] = rows
  if (first === undefined) return
  const message = `${rows.length} of ${records.length} records are bad, so none of them was taken: row ${first.row}: ${first.message}`
  throw new SonghuaError('SUBMISSION_REFUSED', message, { rows, violations: first.violations })
}

// ---------------------------------------------------------------------------------------------------- anchoring

interface AnchoredGroup {
  readonly group: Group
  readonly cutters: ReadonlyMap<RecordFamily, CutBundle>
}

interface Anchoring extends AnchorOptions {
  readonly progress: ProgressCounter
}

async function anchorGroup(parts: ChainRecordsParts, group: Group, options: Anchoring): Promise<AnchoredGroup> {
  const cutters = await Promise.all(
    [...group.families].map(async ([family, records]) => {
      const cut = await anchorFamily(parts, { family, records }, options)
      return [family, cut] as const
    }),
  )
  return { group, cutters: new Map(cutters) }
}

async function anchorFamily(
  { sender, prover }: ChainRecordsParts,
  batch: { family: RecordFamily; records: readonly MadeRecord[] },
  options: Anchoring,
): Promise<CutBundle> {
  const leaves = batch.records.map(({ leaf }) => leaf)
  const root = bytesToHex(treeRoot(createHashReader(leaves), leaves.length))
  const place = await sender.anchor(
    { root, size: leaves.length, family: batch.family },
    {
      timeoutMs: options.timeoutMs ?? FINALITY_TIMEOUT_MS,
      signal: options.signal,
      onAccepted: () => options.progress.accepted(leaves.length),
    },
  )
  return prover.prove({ leaves, firstEnvelope: batch.records[0]!.envelope, place }, options.signal)
}

function cutRecord(record: MadeRecord, at: { cut: CutBundle; leafIndex: number }): AnchoredRecord {
  const { envelope, payload, salt } = record
  return { id: envelope.id, envelope, evidence: at.cut(envelope, at.leafIndex), payload, salt }
}

