import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type AnchoredRecord, connect, decisiveStep, filesOf } from '@songhua/sdk'
import { type CliContext, cliError, note, print } from './context.js'
import { demoRecords } from './demo-records.js'
import { replaceFile } from './files.js'
import { createRpcCall } from './json-rpc.js'
import type { AdminNodeInfo } from './node-status.js'
import { formatTable } from './table.js'

interface DemoTarget {
  gateway: string
  /** Admin address and data folder of the node whose gateway it is. */
  admin: string
  data: string
  apiKey: string
  /** Of the devnet: evidence, payloads and salts are kept under it. */
  dir: string
  isJson: boolean
}

interface Shown {
  title: string
  id: string
  family: string
  blockNumber: number
  blockTime: string
  finalMs: number
}

/**
 * Anchors a first set of records through the gateway, one after the other, verifies the evidence of each, and keeps it.
 * New events each time, so a resumed chain gets new records.
 * @throws DEMO_NOT_ANCHORED when a gateway gives evidence that does not hold
 */
export async function runDemo(context: CliContext, target: DemoTarget): Promise<void> {
  const songhua = await connect(target)
  const folder = join(target.dir, 'records')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  if (!target.isJson) print(context, `\n${context.t('demoTitle')}\n`)
  const shown: Shown[] = []
  let files: Record<string, string> = {}
  for (const { title, ...record } of demoRecords(new Date())) {
    const startedAt = performance.now()
    const anchored = await watchingStall(context, target, songhua.records.anchor(record))
    const finalMs = performance.now() - startedAt
    const verdict = await songhua.records.verify(anchored.evidence, anchored)
    if (verdict.facts === undefined) {
      const reason = decisiveStep(verdict)?.code ?? ''
      throw cliError(context, 'DEMO_NOT_ANCHORED', ['demoFailed', { record: anchored.id, reason }])
    }
    files = await keep(folder, anchored)
    const { number, timeMs } = verdict.facts.block
    const one = { title, id: anchored.id, family: verdict.facts.family, blockNumber: number, finalMs: Math.round(finalMs) }
    shown.push({ ...one, blockTime: new Date(timeMs).toISOString() })
    if (target.isJson) print(context, JSON.stringify({ event: 'record', ...shown.at(-1) }))
  }
  if (!target.isJson) print(context, recordTable(context, shown))
  note(context, `\n${context.t('demoStored', { path: folder, data: target.data, ...files })}`)
}

const STALL_MS = 15_000

/** Says what is waited for when it takes long: a chain that stands still anchors nothing, and says nothing by itself. */
export async function watchingStall<T>(
  context: CliContext,
  { admin, data }: Pick<DemoTarget, 'admin' | 'data'>,
  work: Promise<T>,
  stallMs = STALL_MS,
): Promise<T> {
  const sinceMs = Date.now()
  const tell = async (): Promise<void> => {
    const { head } = await createRpcCall(context, admin)<AdminNodeInfo>('admin_nodeInfo').catch((): AdminNodeInfo => ({}))
    const seconds = Math.round((Date.now() - sinceMs) / 1000)
    const timeMs = Number(head?.blockTimeMs ?? 0)
    const values = { seconds, data, height: head?.number ?? 0, time: new Date(timeMs).toISOString() }
    note(context, context.t(head === undefined ? 'demoNoAnswer' : timeMs < sinceMs ? 'demoStandsStill' : 'demoWaits', values))
  }
  const timer = setTimeout(() => void tell(), stallMs)
  try {
    return await work
  } finally {
    clearTimeout(timer)
  }
}

/** @returns where they are, for the command that verifies them */
async function keep(folder: string, anchored: AnchoredRecord): Promise<Record<string, string>> {
  for (const [name, text] of Object.entries(filesOf(anchored))) await replaceFile(join(folder, name), text, 0o600)
  const path = (ending: string): string => join(folder, `${anchored.id}.${ending}`)
  return { evidence: path('evidence.json'), payload: path('payload.json'), salt: path('salt') }
}

function recordTable({ t }: CliContext, shown: readonly Shown[]): string {
  return formatTable(
    [t('demoRecord'), 'id', t('demoFamily'), t('demoBlock'), t('demoTime'), t('demoFinality')],
    shown.map(({ title, id, family, blockNumber, blockTime, finalMs }) => [
      title, id, family, String(blockNumber), blockTime, `${finalMs} ms`,
    ]),
  )
}
