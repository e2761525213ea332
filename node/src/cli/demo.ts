import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type AnchoredRecord, connect } from '@songhua/sdk'
import { bytesToHex } from '@songhua/sdk/protocol/bytes'
import { type CliContext, cliError, note, print } from './context.js'
import { demoRecords } from './demo-records.js'
import { replaceFile } from './files.js'
import { formatTable } from './table.js'

interface DemoTarget {
  gateway: string
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
    const anchored = await songhua.records.anchor(record)
    const finalMs = performance.now() - startedAt
    const verdict = await songhua.records.verify(anchored.evidence, anchored)
    if (verdict.facts === undefined) {
      const failed = verdict.steps.find(({ ok, code }) => !ok && code !== 'STEP_NOT_REACHED')
      throw cliError(context, 'DEMO_NOT_ANCHORED', ['demoFailed', { record: anchored.id, reason: failed?.code ?? '' }])
    }
    files = await keep(folder, anchored)
    const { number, timeMs } = verdict.facts.block
    const one = { title, id: anchored.id, family: verdict.facts.family, blockNumber: number, finalMs: Math.round(finalMs) }
    shown.push({ ...one, blockTime: new Date(timeMs).toISOString() })
    if (target.isJson) print(context, JSON.stringify({ event: 'record', ...shown.at(-1) }))
  }
  if (!target.isJson) print(context, recordTable(context, shown))
  note(context, `\n${context.t('demoStored', { path: folder, data: join(target.dir, 'harbin'), ...files })}`)
}

async function keep(folder: string, { id, evidence, payload, salt }: AnchoredRecord): Promise<Record<string, string>> {
  const path = (ending: string): string => join(folder, `${id}.${ending}`)
  const files = { evidence: path('evidence.json'), payload: path('payload.json'), salt: path('salt') }
  await replaceFile(files.evidence, JSON.stringify(evidence), 0o600)
  if (payload !== undefined) await replaceFile(files.payload, Buffer.from(payload).toString('utf8'), 0o600)
  if (salt !== undefined) await replaceFile(files.salt, bytesToHex(salt).slice(2), 0o600)
  return files
}

function recordTable({ t }: CliContext, shown: readonly Shown[]): string {
  return formatTable(
    [t('demoRecord'), 'id', t('demoFamily'), t('demoBlock'), t('demoTime'), t('demoFinality')],
    shown.map(({ title, id, family, blockNumber, blockTime, finalMs }) => [
      title, id, family, String(blockNumber), blockTime, `${finalMs} ms`,
    ]),
  )
}
