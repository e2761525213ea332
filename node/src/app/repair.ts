import { copyFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { CodedError, isCodedError } from '@songhua/sdk/protocol/errors'
import { syncFolder } from '../storage/durable-file.js'
import { ioAdvice } from '../storage/io-advice.js'
import { keepOwner } from '../storage/owner.js'
import { inspectJournal, writeJournal } from '../storage/journal.js'
import { openLevelTable } from '../storage/level-table.js'
import { decodeJournalRecord } from '../txpool/journal-record.js'
import type { Fault, FolderFacts, StoreFacts } from './doctor-facts.js'

/** One thing that a repair does. Nothing is ever deleted: what is damaged goes aside, under a name that says so. */
export interface RepairStep {
  readonly part: 'store' | 'log' | 'journal'
  readonly path: string
  /** Where what is damaged goes. */
  readonly aside: string
  readonly reason: string
}

/** A file that cannot be read at all is left alone: to rewrite it would lose what is in it. */
const UNREAD: readonly string[] = ['RIGHTS', 'JOURNAL_IO', 'CONSENSUS_LOG_IO', 'CONSENSUS_LOG_NEWER_VERSION']

/** What moving the store away mends; for any other reason that a store is refused, it is not at fault. */
const MENDABLE = ['STORE_DAMAGED', 'STORE_INCONSISTENT', 'STORE_OLDER_SCHEMA']

/** @param nowMs names what goes aside @returns nothing for a folder that is whole */
export function planRepair({ store, log, journal }: FolderFacts, nowMs: number): RepairStep[] {
  const stamp = new Date(nowMs).toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '')
  const step = (part: RepairStep['part'], path: string, reason: string): RepairStep =>
    ({ part, path, aside: `${path}.damaged-${stamp}`, reason })
  const lost = journal.fault?.message ?? `${journal.droppedBytes} bytes cannot be read`
  return [
    ...(store.fault !== undefined && MENDABLE.includes(store.fault.code) ? [step('store', store.folder, store.fault.message)] : []),
    // Missing already: nothing is there to move, and the validator keeps silent by itself.
    ...(log?.status === 'damaged' && log.fault === undefined ? [step('log', log.path, log.silence ?? 'the consensus log is damaged')] : []),
    ...(isJournalDamaged(journal) ? [step('journal', journal.path, lost)] : []),
  ]
}

const isJournalDamaged = ({ fault, droppedBytes }: FolderFacts['journal']): boolean =>
  fault === undefined ? droppedBytes > 0 : !UNREAD.includes(fault.code)

/** What is wrong and no step mends: nothing is moved that this user may not read, nor anything of a gateway. */
export function planless({ store, log, journal, gateway }: FolderFacts): Fault[] {
  const faults = [store.fault, log?.fault, journal.fault].flatMap((fault) => (fault !== undefined && UNREAD.includes(fault.code) ? [fault] : []))
  return [...faults, ...(gateway?.fault === undefined ? [] : [gateway.fault])]
}

/** What was looked at. */
export function partsOf({ store, log, journal, gateway }: FolderFacts): string[] {
  const paths = [store.folder, log?.path, journal.path, gateway?.folder, gateway?.keysDir]
  return paths.flatMap((path) => (path === undefined ? [] : [path]))
}

export interface RepairResult {
  readonly done: readonly RepairStep[]
  /** Transactions that were read from a damaged journal, and are kept. */
  readonly transactionsKept: number
}

/**
 * Carries the steps out while no node runs on the folder.
 * @throws CodedError `STORE_IN_USE`, `REPAIR_IO`, `JOURNAL_IO`
 */
export async function repair(steps: readonly RepairStep[], store: StoreFacts): Promise<RepairResult> {
  const release = await holdStore(store, steps.some(({ part }) => part === 'store'))
  let transactionsKept = 0
  try {
    for (const step of steps) {
      if (step.part === 'journal') transactionsKept = await mendJournal(step)
      else await moveAside(step)
    }
  } finally {
    await release()
  }
  return { done: steps, transactionsKept }
}

/** A store that is whole is held, so that no node starts meanwhile; one that is damaged cannot be opened by any. */
async function holdStore({ folder, head }: StoreFacts, isDamaged: boolean): Promise<() => Promise<void>> {
  if (isDamaged || head === undefined) return () => Promise.resolve()
  const table = await openLevelTable(folder)
  return () => table.close()
}

async function moveAside({ path, aside }: RepairStep): Promise<void> {
  await coded(path, async () => {
    await rename(path, aside)
    await syncFolder(dirname(path))
  })
}

/** What can be read stays in its place; the whole old file goes aside first. */
async function mendJournal({ path, aside }: RepairStep): Promise<number> {
  const { payloads } = await inspectJournal(path)
  const readable = payloads.filter(isRecord)
  await coded(path, async () => {
    await copyFile(path, aside)
    await keepOwner(aside, path)
    await syncFolder(dirname(path))
  })
  await writeJournal(path, readable)
  return readable.length
}

function isRecord(payload: Uint8Array): boolean {
  try {
    decodeJournalRecord(payload)
    return true
  } catch (error) {
    if (isCodedError(error)) return false
    throw error
  }
}

async function coded(path: string, run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (cause) {
    const { code = 'unknown' } = cause as NodeJS.ErrnoException
    const message = `${path}: cannot be moved aside (${code}); ${ioAdvice(cause)}`
    throw new CodedError('REPAIR_IO', message, { details: { path }, cause })
  }
}
