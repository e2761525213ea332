import { type Command, Option } from 'commander'
import type { CliContext } from '../context.js'
import { exampleText } from '../flags.js'
import type { ConfirmFlags, NodeFlags, RotateFlags, SuspendFlags } from './node-actions.js'
import { addRpcFlag } from '../rpc-flags.js'
import { addJsonFlag, addSignerFlags } from './signer-flags.js'
import { createTeller } from './texts.js'

const TEXTS = {
  node: { en: 'what a node’s responsible bodies decide: confirm, activate, suspend, retire, change its key', zh: '节点责任主体的操作：确认、激活、暂停、退役、更换密钥' },
  address: { en: 'address of the node', zh: '节点地址' },
  confirm: { en: 'say yes to a node’s application, as one of its bodies', zh: '以责任主体身份确认节点申请' },
  application: { en: 'the application as it was checked: any other is refused', zh: '已核对的申请文件；链上申请与之不同则拒绝' },
  activate: { en: 'declare an admitted node ready to be elected validator (its operator)', zh: '宣布已接纳节点可被选为验证者（运营主体）' },
  suspend: { en: 'shut a node out until it is reinstated (its government body; the council by motion)', zh: '暂停节点，直至恢复（政府责任主体；理事会以议案）' },
  reasonFile: { en: 'file with the reason: its SHA-256 stands on the chain', zh: '理由文件：其 SHA-256 上链' },
  reinstate: { en: 'make a suspended node what it was (the body that suspended it)', zh: '恢复被暂停的节点（由暂停它的责任主体）' },
  retire: { en: 'end a node that is no validator (its operator)', zh: '使非验证者节点退役（运营主体）' },
  withdraw: { en: 'take an application back (its applicant)', zh: '撤回申请（申请人）' },
  endpoints: { en: 'name other endpoints of a node by their hash (its telecom operator)', zh: '变更网络端点哈希（电信运营商）' },
  endpointsFile: { en: 'file with the node’s endpoints: its SHA-256 stands on the chain', zh: '网络端点文件：其 SHA-256 上链' },
  rotate: { en: 'give a node another key (its operator); what to do on its machine is told afterwards', zh: '更换节点密钥（运营主体）；随后提示在节点机器上的操作' },
  newKey: { en: 'the new key: a keystore that is there, or a new file to make it in', zh: '新密钥：已有的加密私钥文件，或要新建的文件' },
  newDevKey: { en: 'or a plain key that is there, on a devnet', zh: '或已有的明文私钥文件（仅限开发网）' },
  newPassword: { en: 'file whose first line is the password of the new key', zh: '新密钥口令文件，取第一行' },
} as const
const say = createTeller(TEXTS)
const actions = () => import('./node-actions.js')

export function addNodeCommand(program: Command, context: CliContext): void {
  const node = program.command('node').description(say(context, 'node'))
  const act = (name: string, key: keyof typeof TEXTS): Command => {
    const command = node.command(name).argument('<address>', say(context, 'address')).description(say(context, key))
    return addSignerFlags(addJsonFlag(addRpcFlag(command, context), context), context)
  }
  act('confirm', 'confirm')
    .option('--application <file>', say(context, 'application'))
    .action(async (address: string, flags: ConfirmFlags) => (await actions()).confirm(context, address, flags))
    .addHelpText('after', exampleText(context, [
      ['songhua node confirm 0x… --application node.json --key-file administrator.json', { en: 'confirms what this file says, and nothing else', zh: '仅确认该文件所载内容' }],
    ]))
  addSimple(act, context)
  act('suspend', 'suspend')
    .option('--reason-file <file>', say(context, 'reasonFile'))
    .action(async (address: string, flags: SuspendFlags) => (await actions()).suspend(context, address, flags))
    .addHelpText('after', exampleText(context, [
      ['songhua node suspend 0x… --reason-file notice.pdf --key-file administrator.json', { en: 'the node can connect no more, from the next block on', zh: '自下一区块起该节点不能接入' }],
    ]))
  act('endpoints', 'endpoints')
    .requiredOption('--endpoints-file <file>', say(context, 'endpointsFile'))
    .action(async (address: string, flags: NodeFlags & { endpointsFile: string }) => (await actions()).setEndpoints(context, address, flags))
    .addHelpText('after', exampleText(context, [
      ['songhua node endpoints 0x… --endpoints-file endpoints.json --key-file administrator.json', { en: 'the file itself stays with you', zh: '文件本身自行保管' }],
    ]))
  act('rotate', 'rotate')
    .option('--new-key-file <file>', say(context, 'newKey'))
    .addOption(new Option('--new-dev-key-file <file>', say(context, 'newDevKey')).conflicts('newKeyFile'))
    .option('--new-key-password-file <file>', say(context, 'newPassword'))
    .action(async (address: string, flags: RotateFlags) => (await actions()).rotate(context, address, flags))
    .addHelpText('after', exampleText(context, [
      ['songhua node rotate 0x… --new-key-file node-key-2.json --key-file administrator.json', { en: 'makes the key if the file is not there', zh: '文件不存在时新建密钥' }],
    ]))
}

/** Those that need nothing but the node. */
function addSimple(act: (name: string, key: keyof typeof TEXTS) => Command, context: CliContext): void {
  const simple = [
    ['activate', { en: 'then: songhua council propose changeValidators --added 0x… --height …', zh: '随后：songhua council propose changeValidators --added 0x… --height …' }],
    ['reinstate', { en: 'the council reinstates what it suspended: songhua council propose reinstateNode', zh: '由理事会暂停的节点由理事会恢复：songhua council propose reinstateNode' }],
    ['retire', { en: 'it may apply again', zh: '可再次申请' }],
    ['withdraw', { en: 'before it is admitted', zh: '限接纳之前' }],
  ] as const
  for (const [name, what] of simple) {
    act(name, name)
      .action(async (address: string, flags: NodeFlags) => (await actions()).act(context, { name, address }, flags))
      .addHelpText('after', exampleText(context, [[`songhua node ${name} 0x… --key-file administrator.json`, what]]))
  }
}
