import type { Command } from 'commander'
import { type SilencePlan, endSilence, planEndOfSilence } from '../app/end-silence.js'
import { type CliContext, cliError, print } from './context.js'
import { refuseRunning } from './command-repair.js'
import { probeFolder, probeGenesis, probeKey } from './doctor-probes.js'
import { exampleText, integerFlag } from './flags.js'
import { readGenesis } from './genesis-file.js'
import { createTeller } from './governance/texts.js'
import { loadOptions } from './node-config.js'

const TEXTS = {
  endSilence: {
    en: 'let a stopped, silent validator vote again, on a chain that stands still because more than a third are silent',
    zh: '链因超过三分之一的验证者静默而停滞时，让已停止的静默验证者恢复投票',
  },
  data: { en: 'data folder of the node, on this machine', zh: '本机上的节点数据目录' },
  head: { en: 'the highest block that any validator has: the same for all of them', zh: '所有验证者中最高的区块号：各验证者须填相同数值' },
  yes: { en: 'do it; without this it is only said what would be done', zh: '执行；不加此选项则仅说明将要做什么' },
  json: { en: 'print JSON', zh: '输出 JSON' },
  plan: {
    en: `This validator votes again at height {height}, from round {round} on. That is right only when all of this is so:
  - the chain stands still, because more than a third of its validators are silent (songhua doctor on each of them)
  - every validator was looked at, and none has a block above {head}
  - no validator with a block above it was lost for good
If a block above {head} was decided after all, another could be decided in its place.
Do it with the same --head on every silent node that is a validator or is to become one, then start them all.`,
    zh: `本验证者将从高度 {height}、轮次 {round} 起恢复投票。仅当以下各项全部成立时才可执行：
  - 链已停滞，原因是超过三分之一的验证者静默（在各验证者上运行 songhua doctor）
  - 已检查每个验证者，没有任何一个拥有高于 {head} 的区块
  - 没有拥有更高区块的验证者被永久丢失
若其实已裁定高于 {head} 的区块，则可能在其位置上裁定出另一个区块。
请在每个静默的验证者（包括即将成为验证者的节点）上以相同的 --head 执行，然后全部启动。`,
  },
  aside: { en: 'The old consensus log goes to {aside}.', zh: '原共识日志移至 {aside}。' },
  done: { en: 'Done. When all silent validators are done: songhua start --data {data}', zh: '已完成。全部静默验证者完成后：songhua start --data {data}' },
} as const
const tell = createTeller(TEXTS)

interface Flags {
  data: string
  head: number
  yes?: boolean
  json?: boolean
}

export function addEndSilenceCommand(program: Command, context: CliContext): void {
  program
    .command('end-silence')
    .description(tell(context, 'endSilence'))
    .requiredOption('--data <folder>', tell(context, 'data'))
    .requiredOption('--head <height>', tell(context, 'head'), integerFlag(context, '--head', [0, Number.MAX_SAFE_INTEGER - 1]))
    .option('--yes', tell(context, 'yes'))
    .option('--json', tell(context, 'json'))
    .action((flags: Flags) => end(context, flags))
    .addHelpText('after', exampleText(context, [
      ['songhua end-silence --data /var/lib/songhua --head 99', { en: 'what would be done, and when it is right', zh: '说明将要执行的操作及其前提' }],
    ]))
}

async function end(context: CliContext, { data, head, yes, json }: Flags): Promise<void> {
  const options = await loadOptions(context, data, {})
  await refuseRunning(context, data)
  const { hash: genesisHash, fault } = await probeGenesis(context, options)
  if (fault !== undefined) throw cliError(context, 'CLI_FILE', ['repairNeedsGenesis', { reason: fault.message }])
  const { qbft } = await readGenesis(context, options.genesisFile)
  const { address } = await probeKey(context, options)
  const folder = await probeFolder(context, { data, options, genesisHash, address })
  const plan = planEndOfSilence(folder, { head, nowMs: Date.now(), roundTimeoutMs: qbft.roundTimeoutMs })
  if (yes) await endSilence(plan)
  print(context, json ? JSON.stringify({ ...plan, isDone: yes === true }) : toText(context, plan, { head, data, isDone: yes === true }))
  if (!yes) throw cliError(context, 'NODE_UNWELL', ['endSilencePlanned', {}])
}

function toText(context: CliContext, { aside, height, round }: SilencePlan, { head, data, isDone }: { head: number; data: string; isDone: boolean }): string {
  return [
    tell(context, 'plan', { height: String(height), round: String(round), head: String(head) }),
    ...(aside === undefined ? [] : [tell(context, 'aside', { aside })]),
    ...(isDone ? [tell(context, 'done', { data })] : []),
  ].join('\n\n')
}
