import type { Command } from 'commander'
import type { RegisteredNode } from '@songhua/sdk/governance/model'
import { NODE_KIND_WORDS, ORGANISATION_KIND_WORDS } from '@songhua/sdk/governance/words'
import { type CliContext, print } from '../context.js'
import { exampleText } from '../flags.js'
import { formatTable } from '../table.js'
import { type Directory, ORGANISATION_STATES, cityName, organisationName, quotaName, readDirectory, toJson } from './names.js'
import { NODE_STATES } from './refusals.js'
import { type RpcFlags, addRpcFlag } from '../rpc-flags.js'
import type { ContactFlags } from './organisation-actions.js'
import { addJsonFlag, addSignerFlags, connectChain } from './signer-flags.js'
import { createTeller } from './texts.js'

const TEXTS = {
  organisations: { en: 'list the organisations of the chain', zh: '列出链上机构' },
  contact: { en: 'name other contact data of an organisation by their hash (its administrator)', zh: '变更机构联系信息哈希（机构管理员）' },
  contactFile: { en: 'file with the contact data: its SHA-256 stands on the chain, the file stays with you', zh: '联系信息文件：其 SHA-256 上链，文件本身自行保管' },
  nodes: { en: 'list the nodes of the chain: what each is, and who answers for it', zh: '列出链上节点：状态与责任主体' },
  name: { en: 'name', zh: '名称' },
  uscc: { en: 'credit code', zh: '信用代码' },
  kind: { en: 'kind', zh: '类别' },
  status: { en: 'status', zh: '状态' },
  seat: { en: 'seat', zh: '席位' },
  roles: { en: 'roles', zh: '权限' },
  gas: { en: 'gas a day', zh: '每日 gas' },
  bytes: { en: 'bytes a day', zh: '每日字节' },
  administrator: { en: 'administrator', zh: '管理员账户' },
  address: { en: 'address', zh: '地址' },
  city: { en: 'city', zh: '城市' },
  acCode: { en: 'AC code', zh: 'AC 号' },
  validator: { en: 'validator', zh: '验证者' },
  bodies: { en: 'government body, telecom operator, operating entity', zh: '政府、电信、运营责任主体' },
  yes: { en: 'yes', zh: '是' },
  none: { en: 'none', zh: '无' },
  pending: { en: 'From block {height} on the validators are: {validators}', zh: '自区块 {height} 起验证者为：{validators}' },
} as const
const say = createTeller(TEXTS)
const NOTHING = '–'

export function addRegisterCommands(program: Command, context: CliContext): void {
  const organisations = program.command('organisations').description(say(context, 'organisations'))
  addContactCommand(organisations, context)
  addJsonFlag(addRpcFlag(organisations, context), context)
    .action((flags: RpcFlags) => listOrganisations(context, flags))
    .addHelpText('after', exampleText(context, [
      ['songhua organisations --json', { en: 'with hashes and times, for scripts', zh: '含哈希与时间，供脚本使用' }],
    ]))
  addJsonFlag(addRpcFlag(program.command('nodes').description(say(context, 'nodes')), context), context)
    .action((flags: RpcFlags) => listNodes(context, flags))
    .addHelpText('after', exampleText(context, [
      ['songhua nodes --rpc http://10.0.0.1:8545', { en: '✓ marks the bodies that have confirmed an application', zh: '✓ 表示已确认申请的责任主体' }],
    ]))
}

function addContactCommand(organisations: Command, context: CliContext): void {
  const command = organisations.command('contact').description(say(context, 'contact'))
  addSignerFlags(addJsonFlag(addRpcFlag(command.requiredOption('--contact-file <file>', say(context, 'contactFile')), context), context), context)
    // Commander gives a flag that both commands have to the upper one.
    .action(async (_flags: unknown, called: Command) =>
      (await import('./organisation-actions.js')).setContact(context, called.optsWithGlobals<ContactFlags>()))
    .addHelpText('after', exampleText(context, [
      ['songhua organisations contact --contact-file contact.json --key-file administrator.json', { en: 'whoever is given the file can see that it is the one', zh: '取得该文件者可据此核对其真伪' }],
    ]))
}

async function listOrganisations(context: CliContext, flags: RpcFlags): Promise<void> {
  const governance = await connectChain(context, flags)
  const [organisations, seats] = await Promise.all([governance.organisations(), governance.seats()])
  if (flags.json) return print(context, toJson(organisations.map((one) => ({ ...one, hasSeat: seats.includes(one.uscc) }))))
  const { language } = context
  const headings = (['name', 'uscc', 'kind', 'status', 'seat', 'roles', 'gas', 'bytes', 'administrator'] as const).map((key) => say(context, key))
  const rows = organisations.map((one) => [
    organisationName(one, language), one.uscc, ORGANISATION_KIND_WORDS[one.kind][language], ORGANISATION_STATES[one.status][language],
    seats.includes(one.uscc) ? say(context, 'yes') : NOTHING, one.roles.join(','), quotaName(one.gasPerDay, language), quotaName(one.bytesPerDay, language),
    one.administrator,
  ])
  print(context, formatTable(headings, rows))
}

async function listNodes(context: CliContext, flags: RpcFlags): Promise<void> {
  const governance = await connectChain(context, flags)
  const [nodes, pending] = await Promise.all([governance.nodes(), governance.pendingValidators()])
  if (flags.json) return print(context, toJson({ nodes, pendingValidators: pending }))
  const directory = await readDirectory(context, governance)
  const headings = (['address', 'kind', 'city', 'status', 'validator', 'acCode', 'bodies'] as const).map((key) => say(context, key))
  print(context, formatTable(headings, nodes.map((node) => nodeRow(context, node, directory))))
  for (const { height, validators } of pending) {
    print(context, say(context, 'pending', { height, validators: validators.map(directory.node).join(', ') }))
  }
}

function nodeRow(context: CliContext, node: RegisteredNode, directory: Directory): string[] {
  const { language } = context
  // Marked only while it matters: afterwards every body has confirmed.
  const mark = (body: 'government' | 'telecom' | 'operator'): string =>
    node.status === 'applied' ? `${node.confirmedBy.includes(body) ? '✓' : '✗'} ` : ''
  const bodies = (['government', 'telecom', 'operator'] as const).flatMap((body) => {
    const uscc = node[body]
    return uscc === undefined ? [] : [`${mark(body)}${directory.organisation(uscc)}`]
  })
  return [
    node.address, NODE_KIND_WORDS[node.kind][language], cityName(node.city, language), NODE_STATES[node.status][language],
    node.isValidator ? say(context, 'yes') : NOTHING, node.acCode ?? NOTHING, bodies.join(', ') || say(context, 'none'),
  ]
}
