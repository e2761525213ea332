import type { Command } from 'commander'
import type { AuditBound, AuditEntry } from '@songhua/sdk/governance/audit'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { type CliContext, note, print } from './context.js'
import { exampleText } from './flags.js'
import { type RpcFlags, addRpcFlag, readNodeAccess, readingNode } from './rpc-flags.js'
import { formatTable } from './table.js'

const TEXTS = {
  audit: { en: 'tell every change of membership, council and policy: when, by whom, what', zh: '审计：列出成员、理事会与策略的每一项变更（时间、操作方、内容）' },
  since: { en: 'from this day of Beijing time (2026-11-01), ISO time or block on', zh: '起始日期（北京时间，如 2026-11-01）、ISO 时间或区块号' },
  until: { en: 'up to this day, ISO time or block, which is included', zh: '截止日期、ISO 时间或区块号（含）' },
  organisation: { en: 'what it did or what was done to it, by its unified social credit code', zh: '仅与该机构有关的变更（统一社会信用代码）' },
  node: { en: 'what was done to this node, by its address', zh: '仅与该节点有关的变更（节点地址）' },
  json: { en: 'print one JSON object a line', zh: '每行输出一个 JSON 对象' },
  badBound: {
    en: '{flag}: must be a day (2026-11-01), an ISO time (2026-11-01T08:00:00+08:00) or a block, not {value}',
    zh: '{flag}：应为日期（2026-11-01）、ISO 时间（2026-11-01T08:00:00+08:00）或区块号，而非 {value}',
  },
  time: { en: 'Beijing time', zh: '北京时间' },
  block: { en: 'block', zh: '区块' },
  who: { en: 'sent by', zh: '操作方' },
  what: { en: 'change', zh: '变更' },
  none: { en: 'Nothing changed.', zh: '没有变更。' },
} as const

interface Flags extends RpcFlags {
  since?: AuditBound
  until?: AuditBound
  organisation?: string
  node?: string
}

const DAY_S = 86_400

export function addAuditCommand(program: Command, context: CliContext): void {
  const say = (key: keyof typeof TEXTS): string => TEXTS[key][context.language]
  const command = program
    .command('audit')
    .description(say('audit'))
    .option('--since <day|block>', say('since'), boundFlag(context, '--since', 0))
    .option('--until <day|block>', say('until'), boundFlag(context, '--until', DAY_S - 1))
    .option('--organisation <uscc>', say('organisation'))
    .option('--node <address>', say('node'))
    .option('--json', say('json'))
  addRpcFlag(command, context)
    .action((flags: Flags) => tellTrail(context, flags))
    .addHelpText(
      'after',
      exampleText(context, [
        ['songhua audit --since 2026-11-01', { en: 'what changed since the first of November', zh: '自 11 月 1 日以来的变更' }],
        [
          'songhua audit --organisation 11230000MB0000019P --json > audit.ndjson',
          { en: 'everything about one organisation, for scripts', zh: '与某机构有关的全部变更，供脚本使用' },
        ],
      ]),
    )
}

/** @param ofDay second of the day that a day without a time stands for */
function boundFlag(context: CliContext, flag: string, ofDay: number): (text: string) => AuditBound {
  return (text) => {
    if (/^\d{1,15}$/.test(text)) return { block: Number(text) }
    const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text)
    const timeMs = Date.parse(isDay ? `${text}T00:00:00+08:00` : text)
    if (/^\d{4}-\d{2}-\d{2}/.test(text) && Number.isFinite(timeMs)) return { time: Math.floor(timeMs / 1000) + (isDay ? ofDay : 0) }
    const message = TEXTS.badBound[context.language].replace('{flag}', flag).replace('{value}', JSON.stringify(text))
    throw new CodedError('CLI_USAGE', message)
  }
}

async function tellTrail(context: CliContext, flags: Flags): Promise<void> {
  const rows = await readingNode(context, readTrail(context, flags))
  if (flags.json) return
  const say = (key: keyof typeof TEXTS): string => TEXTS[key][context.language]
  if (rows.length === 0) note(context, say('none'))
  else print(context, formatTable([say('time'), say('block'), say('who'), say('what')], rows))
}

/** @returns rows of the table; JSON is printed as it comes */
async function readTrail(context: CliContext, { json, rpc, apiKeyFile, ...question }: Flags): Promise<string[][]> {
  const access = await readNodeAccess(context, { rpc, ...(apiKeyFile !== undefined && { apiKeyFile }) })
  // Loaded when asked for: ethers takes a third of a second, and every command would wait for it.
  const { auditTrail } = await import('@songhua/sdk/governance/audit')
  const rows: string[][] = []
  for await (const entry of auditTrail(question, access)) {
    if (json) print(context, entryToJson(entry))
    else rows.push(rowOf(context, entry))
  }
  return rows
}

/** Numbers that JSON cannot hold are decimal texts. */
function entryToJson({ time, ...entry }: AuditEntry): string {
  const json = { time: new Date(time * 1000).toISOString(), ...entry }
  return JSON.stringify(json, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
}

function rowOf({ language }: CliContext, entry: AuditEntry): string[] {
  const { time, blockNumber, who, zh, en } = entry
  const { organisation } = who
  const name = language === 'zh' ? organisation?.nameZh : organisation?.nameEn
  return [beijingTime(time), String(blockNumber), name === undefined || name === '' ? (organisation?.uscc ?? who.account) : name, language === 'zh' ? zh : en]
}

/** @param seconds since 1970 */
function beijingTime(seconds: number): string {
  return new Date((seconds + 28_800) * 1000).toISOString().slice(0, 19).replace('T', ' ')
}
