import { type Command, Option } from 'commander'
import type { CliContext } from '../context.js'
import { exampleText, integerFlag } from '../flags.js'
import { DEVNET_CHAIN_ID, PROVINCE_CHAIN_ID } from '../node-config.js'
import type { ApplyNodeFlags, ApplyOrganisationFlags, CheckFlags, SubmitFlags } from './apply-actions.js'
import { ORGANISATION_KINDS, NODE_KINDS } from '@songhua/sdk/governance/codes'
import { FIELD_WORDS } from './field-types.js'
import { type RpcFlags, addRpcFlag } from '../rpc-flags.js'
import { addJsonFlag, addSignerFlags } from './signer-flags.js'
import { createTeller } from './texts.js'

const TEXTS = {
  apply: { en: 'apply for an organisation or a node to be admitted', zh: '申请接纳机构或节点' },
  organisation: {
    en: 'make the application of an organisation, signed by the key of its future administrator; with --rpc also submit it',
    zh: '生成机构申请文件（由拟任管理员私钥签名）；给出 --rpc 时同时提交',
  },
  node: {
    en: 'make the application of a node, signed by the node’s key; with --rpc also submit it',
    zh: '生成节点申请文件（由节点私钥签名）；给出 --rpc 时同时提交',
  },
  submit: { en: 'send an application that another has made', zh: '提交他人生成的申请文件' },
  check: { en: 'check an application file offline: fields, signature, digests of documents', zh: '离线校验申请文件：字段、签名、文件摘要' },
  list: {
    en: 'list the applications of organisations that the council has not admitted; those of nodes: songhua nodes',
    zh: '列出理事会尚未接纳的机构申请（节点申请见 songhua nodes）',
  },
  file: { en: 'application file', zh: '申请文件' },
  out: { en: 'new file to write', zh: '要写入的新文件' },
  chainId: {
    en: `chain that the application is for (default: of the node asked or of the data folder, else ${PROVINCE_CHAIN_ID}; a devnet has ${DEVNET_CHAIN_ID})`,
    zh: `申请所属链 ID（默认取自所连节点或数据目录，否则 ${PROVINCE_CHAIN_ID}；开发网为 ${DEVNET_CHAIN_ID}）`,
  },
  documents: { en: 'documents that go with it: their digests stand in the file, their contents go to the council', zh: '随附文件：申请文件中仅记录摘要，原件交理事会' },
  handed: { en: 'the documents as they were handed over, to be held against the file', zh: '收到的文件原件，用以核对' },
  uscc: { en: 'unified social credit code of the organisation', zh: '机构的统一社会信用代码' },
  kind: { en: 'kind of organisation', zh: '机构类别' },
  nameZh: { en: 'Chinese name, up to 100 bytes in UTF-8', zh: '中文名称，UTF-8 至多 100 字节' },
  nameEn: { en: 'English name, up to 100 bytes', zh: '英文名称，至多 100 字节' },
  roles: { en: 'rights of its accounts: {roles} (default: anchor,read)', zh: '账户权限：{roles}（默认 anchor,read）' },
  gas: { en: 'gas a day', zh: '每日 gas' },
  bytes: { en: 'bytes of transactions a day', zh: '每日交易字节' },
  contact: { en: 'file with the contact data: its SHA-256 goes into the application', zh: '联系信息文件：申请中仅记录其 SHA-256' },
  administrator: { en: 'account of its administrator (default: of the key given)', zh: '管理员账户（默认为所给私钥的账户）' },
  data: { en: 'data folder of the node, for its key', zh: '节点数据目录（取其私钥）' },
  nodeKey: { en: 'or the node’s encrypted key', zh: '或节点的加密私钥文件' },
  nodeDevKey: { en: 'or its plain key, on a devnet', zh: '或其明文私钥文件（仅限开发网）' },
  nodePassword: { en: 'file whose first line is the password of the node’s key', zh: '节点私钥口令文件，取第一行' },
  nodeKind: { en: 'kind of node', zh: '节点类别' },
  city: { en: 'division code (GB/T 2260), or a city of this province', zh: '行政区划代码（GB/T 2260）或本省城市名' },
  industry: { en: 'letter of the industry, A to T (GB/T 4754)', zh: '行业门类字母 A 至 T（GB/T 4754）' },
  government: { en: 'credit code of the government body', zh: '政府责任主体信用代码' },
  telecom: { en: 'credit code of the telecom operator', zh: '电信运营商信用代码' },
  operator: { en: 'credit code of the operating entity', zh: '运营主体信用代码' },
  endpoints: { en: 'file with the node’s endpoints: its SHA-256 goes into the application', zh: '网络端点文件：申请中仅记录其 SHA-256' },
  applicant: { en: 'account that will send it (default: of the key given)', zh: '提交申请的账户（默认为所给私钥的账户）' },
} as const
const say = createTeller(TEXTS)
const actions = () => import('./apply-actions.js')
const organisationActions = () => import('./organisation-actions.js')

export function addApplyCommand(program: Command, context: CliContext): void {
  const apply = program.command('apply').description(say(context, 'apply'))
  addOrganisation(apply, context)
  addNode(apply, context)
  addFileCommands(apply, context)
}

/** What both kinds of application take; the values themselves are read by `readForm`, which names them all at once. */
function addCommon(command: Command, context: CliContext): Command {
  command
    .option('--documents <files...>', say(context, 'documents'))
    .option('--chain-id <number>', say(context, 'chainId'), integerFlag(context, '--chain-id', [1, Number.MAX_SAFE_INTEGER]))
    .option('--out <file>', say(context, 'out'))
  return addSignerFlags(addJsonFlag(addRpcFlag(command, context, { isOptional: true }), context), context)
}

function addOrganisation(apply: Command, context: CliContext): void {
  const command = apply
    .command('organisation')
    .description(say(context, 'organisation'))
    .option('--uscc <uscc>', say(context, 'uscc'))
    .option('--kind <kind>', `${say(context, 'kind')}: ${ORGANISATION_KINDS.join(', ')}`)
    .option('--name-zh <name>', say(context, 'nameZh'))
    .option('--name-en <name>', say(context, 'nameEn'))
    .option('--roles <role,…>', say(context, 'roles', { roles: FIELD_WORDS.roles }))
    .option('--gas-per-day <number|unlimited>', say(context, 'gas'))
    .option('--bytes-per-day <number|unlimited>', say(context, 'bytes'))
    .option('--contact-file <file>', say(context, 'contact'))
    .option('--administrator <address>', say(context, 'administrator'))
  addCommon(command, context)
    .action(async (flags: ApplyOrganisationFlags) => (await actions()).applyOrganisation(context, flags))
    .addHelpText('after', exampleText(context, [
      [
        'songhua apply organisation --uscc 91230100MA0000322Y --kind bank --name-zh 冰城银行 --name-en "Ice City Bank" --documents licence.pdf mandate.pdf --key-file administrator.json --out bank.json',
        { en: 'writes the file for the council; nothing is sent', zh: '仅生成交理事会的文件，不发送' },
      ],
      [
        'songhua apply organisation --uscc … --kind bank --name-zh … --name-en … --documents licence.pdf --key-file administrator.json --out bank.json --rpc http://10.0.0.1:8545',
        { en: 'and submits it, where newcomers may apply', zh: '并在链上提交（须允许新账户申请）' },
      ],
    ]))
}

function addNode(apply: Command, context: CliContext): void {
  const command = apply
    .command('node')
    .description(say(context, 'node'))
    .option('--data <folder>', say(context, 'data'))
    .addOption(new Option('--node-key-file <file>', say(context, 'nodeKey')).conflicts('data'))
    .addOption(new Option('--node-dev-key-file <file>', say(context, 'nodeDevKey')).conflicts(['data', 'nodeKeyFile']))
    .option('--node-key-password-file <file>', say(context, 'nodePassword'))
    .option('--kind <kind>', `${say(context, 'nodeKind')}: ${NODE_KINDS.join(', ')}`)
    .option('--city <code>', say(context, 'city'))
    .option('--industry <letter>', say(context, 'industry'))
    .option('--government <uscc>', say(context, 'government'))
    .option('--telecom <uscc>', say(context, 'telecom'))
    .option('--operator <uscc>', say(context, 'operator'))
    .option('--endpoints-file <file>', say(context, 'endpoints'))
    .option('--applicant <address>', say(context, 'applicant'))
  addCommon(command, context)
    .action(async (flags: ApplyNodeFlags) => (await actions()).applyNode(context, flags))
    .addHelpText('after', exampleText(context, [
      [
        'songhua apply node --data /var/lib/songhua --kind backbone --city 230200 --government 11230000MB0000019P --telecom 91230100MA00000156 --operator 91230100MA00000231 --applicant 0x… --out node.json',
        { en: 'writes the file, which only this applicant can send', zh: '生成申请文件，仅所列账户可提交' },
      ],
      [
        'songhua apply node --data /var/lib/songhua --kind service --city 哈尔滨 --operator 91230100MA0000322Y --key-file operator.json --out node.json --rpc http://10.0.0.1:8545',
        { en: 'and submits it by the key given', zh: '并以所给私钥提交' },
      ],
    ]))
}

function addFileCommands(apply: Command, context: CliContext): void {
  const submit = apply.command('submit').argument('<file>', say(context, 'file')).description(say(context, 'submit'))
  addSignerFlags(addJsonFlag(addRpcFlag(submit, context), context), context)
    .action(async (file: string, flags: SubmitFlags) => (await actions()).submitFile(context, file, flags))
    .addHelpText('after', exampleText(context, [
      ['songhua apply submit bank.json --key-file member.json', { en: 'a member sends it on the applicant’s behalf', zh: '由成员代为提交' }],
    ]))
  addJsonFlag(addRpcFlag(apply.command('list').description(say(context, 'list')), context), context)
    .action(async (flags: RpcFlags) => (await organisationActions()).listApplications(context, flags))
    .addHelpText('after', exampleText(context, [
      ['songhua apply list', { en: 'what each wants, and the account that sent it, which may be anybody\'s', zh: '各申请内容及提交账户（任何账户均可提交）' }],
    ]))
  addJsonFlag(apply.command('check').argument('<file>', say(context, 'file')).description(say(context, 'check')), context)
    .option('--documents <files...>', say(context, 'handed'))
    .action(async (file: string, flags: CheckFlags) => (await actions()).checkFile(context, file, flags))
    .addHelpText('after', exampleText(context, [
      ['songhua apply check bank.json --documents licence.pdf mandate.pdf', { en: 'are these the documents that it was made with?', zh: '核对所附文件是否与申请一致' }],
    ]))
}
