import type { Command } from 'commander'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import { type RepairStep, planRepair, repair } from '../app/repair.js'
import { type CliContext, cliError, print } from './context.js'
import { probeFolder, probeGenesis } from './doctor-probes.js'
import { exampleText } from './flags.js'
import { createRpcCall } from './json-rpc.js'
import { readAddresses } from './node-addresses.js'
import { loadOptions } from './node-config.js'

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
  if (fault !== undefined) throw cliError(context, 'CLI_FILE', ['repairNeedsGenesis', { reason: fault.message }])
  const folder = await probeFolder(context, { data, deep, options, genesisHash })
  const steps = planRepair(folder, Date.now())
  const blocking = folder.store.fault
  if (blocking !== undefined && !steps.some(({ part }) => part === 'store')) {
    throw cliError(context, 'REPAIR_REFUSED', ['repairRefused', { ...blocking }])
  }
  const result = yes ? await repair(steps, folder.store) : { done: [], transactionsKept: 0 }
  if (json) print(context, JSON.stringify({ steps, ...result }))
  else print(context, toText(context, steps, { isDone: yes === true, data }))
  if (steps.length > 0 && !yes) throw cliError(context, 'NODE_UNWELL', ['repairPlanned', { count: steps.length }])
}

/** Whoever answers at the admin port of this folder runs on it. */
async function refuseRunning(context: CliContext, data: string): Promise<void> {
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

function toText(context: CliContext, steps: readonly RepairStep[], { isDone, data }: { isDone: boolean; data: string }): string {
  if (steps.length === 0) return context.t('repairNothing')
  const lines = steps.map(({ part, path, aside, reason }) => `${reason}\n  → ${context.t(PART_KEYS[part], { path, aside })}`)
  return [...lines, ...(isDone ? [context.t('repairDone', { path: data })] : [])].join('\n\n')
}
