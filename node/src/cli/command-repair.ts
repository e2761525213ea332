import type { Command } from 'commander'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import type { Fault, FolderFacts } from '../app/doctor-facts.js'
import { type RepairStep, partsOf, planRepair, planless, repair } from '../app/repair.js'
import { type CliContext, cliError, print } from './context.js'
import { probeFolder, probeGenesis, probeKey } from './doctor-probes.js'
import { exampleText } from './flags.js'
import { createRpcCall } from './json-rpc.js'
import { readAddresses } from './node-addresses.js'
import { loadOptions } from './node-config.js'
import { titledFault, titledMessage } from './titles/error-text.js'
import { REPAIR_PHRASES, phraseOf } from './titles/phrases.js'

const TEXTS = {
  repair: {
    en: 'move what is damaged in the folder of a stopped node aside, so that it starts and fetches the chain again',
    zh: '将已停止节点目录中损坏的部分移到一旁，使其可以启动并重新同步',
  },
  data: { en: 'data folder of the node, on this machine', zh: '本机上的节点数据目录' },
  deep: { en: 'read and check every file and every block first', zh: '先读取并校验全部文件与区块' },
  yes: { en: 'do it; without this it is only said what would be done', zh: '执行；不加此选项则仅说明将要做什么' },
  json: { en: 'print JSON', zh: '输出 JSON' },
} as const

interface Flags {
  data: string
  deep?: boolean
  yes?: boolean
  json?: boolean
}

export function addRepairCommand(program: Command, context: CliContext): void {
  const say = (key: keyof typeof TEXTS): string => TEXTS[key][context.language]
  program
    .command('repair')
    .description(say('repair'))
    .requiredOption('--data <folder>', say('data'))
    .option('--deep', say('deep'))
    .option('--yes', say('yes'))
    .option('--json', say('json'))
    .action((flags: Flags) => repairFolder(context, flags))
    .addHelpText(
      'after',
      exampleText(context, [
        ['songhua repair --data /var/lib/songhua', { en: 'what is damaged, and what would be done', zh: '列出损坏之处及将要执行的操作' }],
        [
          'songhua repair --data /var/lib/songhua --yes',
          { en: 'nothing is deleted: it goes aside as <name>.damaged-<time>', zh: '不删除任何数据：改名为 <名称>.damaged-<时间>' },
        ],
      ]),
    )
}

async function repairFolder(context: CliContext, { data, deep, yes, json }: Flags): Promise<void> {
  const options = await loadOptions(context, data, {})
  await refuseRunning(context, data)
  const { hash: genesisHash, fault } = await probeGenesis(context, options)
  if (fault !== undefined) throw cliError(context, 'CLI_FILE', ['repairNeedsGenesis', { reason: titledFault(context, fault).message }])
  const { address } = await probeKey(context, options)
  const folder = await probeFolder(context, { data, deep, options, genesisHash, address })
  const steps = planRepair(folder, Date.now())
  const [left, looked] = [planless(folder), partsOf(folder)]
  refuseBlocked(context, folder, steps)
  const result = yes ? await repair(steps, folder.store) : { done: [], transactionsKept: 0 }
  if (json) print(context, JSON.stringify({ steps, ...result, looked, left }))
  else print(context, toText(context, { steps: steps.map((one) => inWords(context, one, folder)), left, looked, isDeep: deep === true, isDone: yes === true, data }))
  if (steps.length > 0 && !yes) throw cliError(context, 'NODE_UNWELL', ['repairPlanned', { count: steps.length }])
  if (left.length > 0) throw cliError(context, 'NODE_UNWELL', ['repairLeft', { codes: left.map(({ code }) => code).join(', ') }])
}

/** A store that is refused for what no step mends: nothing else of the folder is touched either. */
function refuseBlocked(context: CliContext, { store: { fault } }: FolderFacts, steps: readonly RepairStep[]): void {
  if (fault === undefined || steps.some(({ part }) => part === 'store')) return
  const isOurs = fault.code === 'RIGHTS'
  throw cliError(context, isOurs ? 'NODE_UNWELL' : 'REPAIR_REFUSED', ['repairRefused', titledFault(context, fault)])
}

/** Whoever answers at the admin port of this folder runs on it. */
export async function refuseRunning(context: CliContext, data: string): Promise<void> {
  const { admin } = await readAddresses(context, data)
  try {
    await createRpcCall(context, admin)('admin_nodeInfo')
  } catch (error) {
    if (isCodedError(error, 'RPC_UNREACHABLE')) return
    throw error
  }
  throw cliError(context, 'REPAIR_REFUSED', ['repairRunning', { url: admin }])
}

const PART_KEYS = { store: 'repairStore', log: 'repairLog', journal: 'repairJournal' } as const

/** A step whose reason is in the language of the user. */
function inWords({ language }: CliContext, step: RepairStep, { store, journal }: FolderFacts): RepairStep {
  if (language === 'en') return step
  const { part, reason } = step
  const code = { store: store.fault, journal: journal.fault, log: undefined }[part]?.code
  return { ...step, reason: phraseOf(REPAIR_PHRASES, reason) ?? titledMessage(language, code, reason) }
}

interface Told {
  readonly steps: readonly RepairStep[]
  readonly left: readonly Fault[]
  readonly looked: readonly string[]
  readonly isDeep: boolean
  readonly isDone: boolean
  readonly data: string
}

function toText(context: CliContext, { steps, left, looked, isDeep, isDone, data }: Told): string {
  const { t } = context
  const lines = [
    ...steps.map(({ part, path, aside, reason }) => `${reason}\n  → ${t(PART_KEYS[part], { path, aside })}`),
    ...left.map((fault) => `${fault.code}: ${titledFault(context, fault).message}\n  → ${t('repairNotOurs')}`),
    ...(steps.length + left.length === 0 ? [t(isDeep ? 'repairNothingDeep' : 'repairNothing', { parts: looked.join(', ') })] : []),
    ...(isDone && steps.length > 0 ? [t('repairDone', { path: data })] : []),
  ]
  return lines.join('\n\n')
}
