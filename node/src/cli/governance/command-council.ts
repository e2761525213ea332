import type { Command } from 'commander'
import type { CliContext } from '../context.js'
import { exampleText } from '../flags.js'
import type { ListFlags, MotionFlags, ProposeFlags, VoteFlags } from './council-actions.js'
import { flagOf } from './fields.js'
import { MOTION_KINDS, MOTION_TITLES, allMotionFields, fieldHelp, flagsOfKind } from './motion-fields.js'
import { addRpcFlag } from '../rpc-flags.js'
import { addJsonFlag, addSignerFlags } from './signer-flags.js'
import { createTeller } from './texts.js'

const TEXTS = {
  council: { en: 'govern the chain: motions, votes and seats of the council', zh: '链上治理：理事会的议案、表决与席位' },
  seats: { en: 'list the organisations with a seat', zh: '列出理事机构' },
  motions: { en: 'list the open motions', zh: '列出未决议案' },
  all: { en: 'also those that are executed, cancelled or expired', zh: '包括已执行、已撤回、已过期的议案' },
  show: { en: 'show what a motion decides, and who has said what', zh: '查看议案内容与表决情况' },
  id: { en: 'number of the motion', zh: '议案编号' },
  propose: { en: 'propose a motion; it counts as your yes', zh: '提出议案（视为本机构赞成）' },
  kind: { en: 'what is to be decided; the list is below', zh: '所决事项，见下方列表' },
  args: { en: 'JSON file with the arguments; flags stand over it', zh: '议案参数 JSON 文件；命令行选项优先' },
  application: { en: 'application file that admitOrganisation or admitNode decides on', zh: '接纳机构或节点所依据的申请文件' },
  reason: { en: 'why, for those who vote; up to 500 bytes', zh: '理由，供表决者参考；至多 500 字节' },
  vote: { en: 'vote on a motion; your last word counts', zh: '表决；以最后一次为准' },
  yes: { en: 'in favour', zh: '赞成' },
  no: { en: 'against', zh: '反对' },
  execute: { en: 'execute the motion at once when the votes are enough', zh: '票数足够时立即执行' },
  executeCommand: { en: 'carry out a motion that has enough votes', zh: '执行票数已够的议案' },
  cancel: { en: 'take back a motion of your own organisation', zh: '撤回本机构提出的议案' },
  kinds: { en: 'Kinds, and the flags of each:', zh: '事项与选项：' },
} as const
const say = createTeller(TEXTS)

export function addCouncilCommand(program: Command, context: CliContext): void {
  const council = program.command('council').description(say(context, 'council'))
  addViews(council, context)
  addPropose(council, context)
  addVotes(council, context)
}

const actions = () => import('./council-actions.js')

function addViews(council: Command, context: CliContext): void {
  const view = (name: string): Command => addJsonFlag(addRpcFlag(council.command(name), context), context)
  view('seats')
    .description(say(context, 'seats'))
    .action(async (flags: ListFlags) => (await actions()).showSeats(context, flags))
    .addHelpText('after', exampleText(context, [
      ['songhua council seats', { en: 'who governs, and by which account', zh: '查看理事机构及其管理员账户' }],
    ]))
  view('motions')
    .description(say(context, 'motions'))
    .option('--all', say(context, 'all'))
    .action(async (flags: ListFlags) => (await actions()).listMotions(context, flags))
    .addHelpText('after', exampleText(context, [
      ['songhua council motions --all --json', { en: 'every motion there has been, for scripts', zh: '全部历史议案，供脚本使用' }],
    ]))
  view('show')
    .argument('<id>', say(context, 'id'))
    .description(say(context, 'show'))
    .action(async (id: string, flags: ListFlags) => (await actions()).showMotion(context, id, flags))
    .addHelpText('after', exampleText(context, [
      ['songhua council show 3', { en: 'arguments with names, votes, and when it expires', zh: '参数与名称、表决情况、到期时间' }],
    ]))
}

function addPropose(council: Command, context: CliContext): void {
  const { language } = context
  const command = council
    .command('propose')
    .argument('<kind>', say(context, 'kind'))
    .description(say(context, 'propose'))
    .requiredOption('--reason <text>', say(context, 'reason'))
    .option('--args <file>', say(context, 'args'))
    .option('--application <file>', say(context, 'application'))
  for (const { name, placeholder } of allMotionFields()) command.option(`${flagOf(name)} ${placeholder}`, fieldHelp(name, language))
  addSignerFlags(addJsonFlag(addRpcFlag(command, context), context), context)
  const kinds = MOTION_KINDS.map((kind) => `  ${kind}: ${MOTION_TITLES[kind][language]}\n      ${flagsOfKind(kind) || '–'}`).join('\n')
  command
    .action(async (kind: string, flags: ProposeFlags) => (await actions()).propose(context, kind, flags))
    .addHelpText('after', `\n${say(context, 'kinds')}\n${kinds}\n`)
    .addHelpText('after', exampleText(context, PROPOSE_EXAMPLES))
}

const PROPOSE_EXAMPLES = [
  [
    'songhua council propose admitOrganisation --application bank.json --reason "documents checked on 30 June" --key-file administrator.json',
    { en: 'admits who applied with this file, which is checked first', zh: '接纳以该文件申请的机构（先行校验文件）' },
  ],
  [
    'songhua council propose admitNode --node 0x… --reason "all three bodies have confirmed" --key-file administrator.json',
    { en: 'lets a node connect', zh: '准许节点接入' },
  ],
  [
    'songhua council propose replaceAdministrator --uscc 91230100MA0000322Y --administrator 0x… --reason "key lost" --key-file administrator.json',
    { en: 'gives an organisation whose key is lost another one', zh: '机构私钥丢失时更换管理员' },
  ],
  [
    'songhua council propose setParameters --args parameters.json --reason "longer notice" --key-file administrator.json',
    { en: 'takes the arguments from a file', zh: '参数取自文件' },
  ],
] as const

function addVotes(council: Command, context: CliContext): void {
  const act = (name: string): Command =>
    addSignerFlags(addJsonFlag(addRpcFlag(council.command(name).argument('<id>', say(context, 'id')), context), context), context)
  act('vote')
    .description(say(context, 'vote'))
    .option('--yes', say(context, 'yes'))
    .option('--no', say(context, 'no'))
    .option('--execute', say(context, 'execute'))
    .action(async (id: string, flags: VoteFlags) => (await actions()).vote(context, id, flags))
    .addHelpText('after', exampleText(context, [
      ['songhua council vote 3 --yes --execute --key-file administrator.json', { en: 'says yes, and carries it out when that is enough', zh: '投赞成票，票数足够即执行' }],
    ]))
  act('execute')
    .description(say(context, 'executeCommand'))
    .action(async (id: string, flags: MotionFlags) => (await actions()).execute(context, id, flags))
    .addHelpText('after', exampleText(context, [
      ['songhua council execute 3 --key-file administrator.json', { en: 'any seat may', zh: '任一理事机构均可执行' }],
    ]))
  act('cancel')
    .description(say(context, 'cancel'))
    .action(async (id: string, flags: MotionFlags) => (await actions()).cancel(context, id, flags))
    .addHelpText('after', exampleText(context, [
      ['songhua council cancel 3 --key-file administrator.json', { en: 'its proposer takes it back', zh: '由提出机构撤回' }],
    ]))
}
