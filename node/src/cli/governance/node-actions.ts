import { stat } from 'node:fs/promises'
import type { Governance } from '@songhua/sdk/governance'
import { NODE_BODIES, type RegisteredNode } from '@songhua/sdk/governance/model'
import { nodeApplicationHash, signRotation } from '@songhua/sdk/governance/signatures'
import type { Done } from '@songhua/sdk/governance/transactions'
import { type Address, ZERO_HASH } from '@songhua/sdk/protocol/bytes'
import { CodedError, isCodedError } from '@songhua/sdk/protocol/errors'
import { newPrivateKey, openKeystore } from '../command-keys.js'
import { type CliContext, note, print } from '../context.js'
import { readTextFile, writeNewFile } from '../files.js'
import { privateKeyToIdentity } from '../identity.js'
import { encryptKey, textToPrivateKey } from '../keystore.js'
import { readPassword } from '../password.js'
import { checkChain, needSoundApplication, readApplication, signedApplicationOf, signerDue } from './application-file.js'
import { NODE } from './field-types.js'
import { readForm } from './fields.js'
import { hashFile } from './hash-file.js'
import { nodeName, readDirectory, toJson } from './names.js'
import { BODY_NAMES, NODE_STATES } from './refusals.js'
import type { RpcFlags } from '../rpc-flags.js'
import { type ReadKey, type SignerFlags, checkKeyForChain, openActor } from './signer-flags.js'
import { createTeller } from './texts.js'

export type NodeFlags = RpcFlags & SignerFlags
export type ConfirmFlags = NodeFlags & { application?: string }
export type SuspendFlags = NodeFlags & { reasonFile?: string }
export type RotateFlags = NodeFlags & { newKeyFile?: string; newDevKeyFile?: string; newKeyPasswordFile?: string }

const TEXTS = {
  done: { en: '{name} {address} is {status} now, in block {block}.', zh: '{name} {address} 现{status}（区块 {block}）。' },
  confirmed: { en: '{name} {address}: confirmed in block {block}. Confirmations: {bodies}.', zh: '{name} {address}：已确认（区块 {block}）。确认情况：{bodies}。' },
  confirmNext: { en: 'All have confirmed. Next, a member of the council: songhua council propose admitNode --node {address} --reason …', zh: '责任主体均已确认。下一步，由理事机构：songhua council propose admitNode --node {address} --reason …' },
  endpoints: { en: '{name} {address}: endpoints {hash}, in block {block}.', zh: '{name} {address}：网络端点哈希为 {hash}（区块 {block}）。' },
  byCouncil: {
    en: 'Node {address} was suspended by the council, or by a government body that it no longer has; the council alone reinstates it. A member of the council: songhua council propose reinstateNode --node {address} --reason …',
    zh: '节点 {address} 由理事会（或其此前的政府责任主体）暂停，只有理事会可以恢复。请由理事机构执行：songhua council propose reinstateNode --node {address} --reason …',
  },
  noNode: { en: '<address>: no node {address} is known to the chain; songhua nodes lists them', zh: '<address>：链上没有节点 {address}；节点见 songhua nodes' },
  otherNode: { en: '--application: {file} is the application of {actual}, not of node {address}', zh: '--application：{file} 是 {actual} 的申请，而非节点 {address}' },
  anOrganisation: { en: 'an organisation', zh: '机构' },
  needNewKey: { en: '--new-key-file: is missing; name the new key, or the file to make it in', zh: '--new-key-file：缺失；请指定新密钥，或要新建的文件' },
  sameKey: { en: '{path}: holds the key that node {address} has already; a rotation needs another', zh: '{path}：其中即为节点 {address} 现有密钥；更换须用新密钥' },
  keyMade: { en: 'New key made: {path}', zh: '已生成新密钥：{path}' },
  rotated: {
    en:
      'The node {previous} has another key, from the block after {block} on:\n'
      + '  address  {address}\n  peer id  {peerId}\n'
      + 'Do this now; until it is done the node cannot connect, and a validator is missed:\n'
      + '  1. Stop the node.\n'
      + '  2. In its data folder move node-key.json away, and keep it: nothing may start with it again.\n'
      + '  3. Put {path} there as node-key.json, and its password where the old one was.\n'
      + '  4. Start the node: songhua start --data FOLDER. Leave consensus.log as it is: the node sees that the log is another key’s and keeps silent for a few blocks until it may vote.\n'
      + '  5. Tell operators who have the node among their bootnodes its new peer id.\n'
      + 'A validator’s key may be changed again after one day.',
    zh:
      '节点 {previous} 已更换密钥，自区块 {block} 的下一区块起生效：\n'
      + '  地址    {address}\n  对等 ID {peerId}\n'
      + '请立即操作；完成之前该节点无法接入，验证者将缺席：\n'
      + '  1. 停止节点。\n'
      + '  2. 将数据目录中的 node-key.json 移走并保存：不得再以其启动任何节点。\n'
      + '  3. 将 {path} 放入数据目录并命名为 node-key.json，口令文件同时更换。\n'
      + '  4. 启动节点：songhua start --data 目录。consensus.log 保持不动：节点会发现日志属于另一密钥，静默数个区块后再参与表决。\n'
      + '  5. 通知将其列为引导节点的运营方使用新的对等 ID。\n'
      + '验证者的密钥一日之后方可再次更换。',
  },
} as const
const tell = createTeller(TEXTS)

function readNodeAddress(context: CliContext, text: string): Address {
  const form = readForm<{ node: string }>(context, { node: { type: NODE } }, [{ values: { node: text }, pathOf: () => '<address>' }])
  return form.node as Address
}

type SimpleName = 'activate' | 'reinstate' | 'retire' | 'withdraw'
const SIMPLE: Readonly<Record<SimpleName, (governance: Governance, address: string) => Promise<Done>>> = {
  activate: (governance, address) => governance.activateNode(address),
  reinstate: (governance, address) => governance.reinstateNode(address),
  retire: (governance, address) => governance.retireNode(address),
  withdraw: (governance, address) => governance.withdrawApplication(address),
}

export async function act(context: CliContext, { name, address: text }: { name: SimpleName; address: string }, flags: NodeFlags): Promise<void> {
  const address = readNodeAddress(context, text)
  const { governance } = await openActor(context, flags)
  const done = await SIMPLE[name](governance, address).catch(async (error: unknown) => {
    throw name === 'reinstate' ? await explainReinstating(context, { governance, address }, error) : error
  })
  await reportStatus(context, { governance, address, done }, flags)
}

/** The contract refuses the right body in the words in which it refuses a stranger, when the council has suspended the node. */
async function explainReinstating(context: CliContext, { governance, address }: Omit<Acted, 'done'>, error: unknown): Promise<unknown> {
  if (!isCodedError(error, 'GOVERNANCE_REFUSED') || error.details.error !== 'NodeRegisterNotBody') return error
  const node = await governance.node(address)
  const isOfBody = node?.suspendedBy !== undefined && node.suspendedBy === node.government
  if (node?.status !== 'suspended' || isOfBody) return error
  return new CodedError('GOVERNANCE_REFUSED', tell(context, 'byCouncil', { address }), { details: error.details, cause: error })
}

export async function suspend(context: CliContext, text: string, flags: SuspendFlags): Promise<void> {
  const address = readNodeAddress(context, text)
  const reasonHash = flags.reasonFile === undefined ? ZERO_HASH : await hashFile(context, 'documentFile', flags.reasonFile)
  const { governance } = await openActor(context, flags)
  await reportStatus(context, { governance, address, done: await governance.suspendNode(address, reasonHash) }, flags)
}

export async function setEndpoints(context: CliContext, text: string, flags: NodeFlags & { endpointsFile: string }): Promise<void> {
  const address = readNodeAddress(context, text)
  const hash = await hashFile(context, 'endpointsFile', flags.endpointsFile)
  const { governance } = await openActor(context, flags)
  const done = await governance.setEndpointsHash(address, hash)
  const node = await knownNode(context, governance, address)
  if (flags.json) return print(context, toJson({ ...resultOf(done), node }))
  print(context, tell(context, 'endpoints', { name: nodeName(node, context.language), address, hash, block: done.blockNumber }))
}

const resultOf = ({ hash, blockNumber }: Done): object => ({ transactionHash: hash, blockNumber })

async function knownNode(context: CliContext, governance: Governance, address: Address): Promise<RegisteredNode> {
  const node = await governance.node(address)
  if (node !== undefined) return node
  throw new CodedError('CLI_USAGE', tell(context, 'noNode', { address }))
}

interface Acted {
  readonly governance: Governance
  readonly address: Address
  readonly done: Done
}

async function reportStatus(context: CliContext, { governance, address, done }: Acted, { json }: NodeFlags): Promise<void> {
  const node = await knownNode(context, governance, address)
  if (json) return print(context, toJson({ ...resultOf(done), node }))
  const [name, status] = [nodeName(node, context.language), NODE_STATES[node.status][context.language]]
  print(context, tell(context, 'done', { name, address, status, block: done.blockNumber }))
}

export async function confirm(context: CliContext, text: string, flags: ConfirmFlags): Promise<void> {
  const address = readNodeAddress(context, text)
  const seen = flags.application === undefined ? undefined : await seenApplication(context, address, flags.application)
  const { governance } = await openActor(context, flags)
  if (seen !== undefined) checkChain(context, seen.application, governance.chainId)
  const done = await governance.confirmBody(address, seen?.hash)
  const node = await knownNode(context, governance, address)
  if (flags.json) return print(context, toJson({ ...resultOf(done), node }))
  const directory = await readDirectory(context, governance)
  const named = NODE_BODIES.filter((body) => node[body] !== undefined)
  const bodies = named.map((body) => {
    const mark = node.confirmedBy.includes(body) ? '✓' : '–'
    return `${mark} ${BODY_NAMES[body][context.language]} ${directory.organisation(node[body] ?? '')}`
  })
  const name = nodeName(node, context.language)
  print(context, tell(context, 'confirmed', { name, address, block: done.blockNumber, bodies: bodies.join(', ') }))
  if (named.every((body) => node.confirmedBy.includes(body))) print(context, tell(context, 'confirmNext', { address }))
}

/** The hash by which the contract knows this application: it refuses to confirm any other. */
async function seenApplication(context: CliContext, address: Address, file: string) {
  const application = await readApplication(context, file)
  needSoundApplication(context, application, file)
  if (application.type !== 'node' || signerDue(application) !== address) {
    const actual = application.type === 'node' ? signerDue(application) : tell(context, 'anOrganisation')
    throw new CodedError('CLI_USAGE', tell(context, 'otherNode', { file, actual, address }))
  }
  return { application, hash: nodeApplicationHash(signedApplicationOf(application), application.applicant) }
}

export async function rotate(context: CliContext, text: string, flags: RotateFlags): Promise<void> {
  const address = readNodeAddress(context, text)
  const path = flags.newDevKeyFile ?? flags.newKeyFile
  if (path === undefined) throw new CodedError('CLI_USAGE', tell(context, 'needNewKey'))
  const { governance } = await openActor(context, flags)
  await knownNode(context, governance, address)
  const newKey = await readNewKey(context, path, flags)
  checkKeyForChain(context, newKey, governance.chainId)
  if (newKey.address === address) throw new CodedError('CLI_USAGE', tell(context, 'sameKey', { path, address }))
  const identity = privateKeyToIdentity(newKey.privateKey)
  const signature = signRotation(address, identity.publicKey, { newKey: newKey.privateKey, chainId: governance.chainId })
  const done = await governance.rotateKey(address, identity.publicKey, signature)
  if (flags.json) return print(context, toJson({ ...resultOf(done), previous: address, ...identity, keyFile: path }))
  print(context, tell(context, 'rotated', { previous: address, block: done.blockNumber, path, address: identity.address, peerId: identity.peerId }))
}

/** Made when it is not there, so that it never was anywhere else. */
async function readNewKey(context: CliContext, path: string, flags: RotateFlags): Promise<ReadKey> {
  const { newDevKeyFile, newKeyPasswordFile } = flags
  const keyOf = (privateKey: Uint8Array): ReadKey => ({
    privateKey, address: privateKeyToIdentity(privateKey).address, isPlain: newDevKeyFile !== undefined,
  })
  if (newDevKeyFile !== undefined) return keyOf(textToPrivateKey(context, await readTextFile(context, 'keyFile', path), path))
  if (await isThere(path)) return keyOf(await openKeystore(context, path, newKeyPasswordFile, 'new-key-password-file'))
  const password = await readPassword(context, { file: newKeyPasswordFile, flag: 'new-key-password-file', isNew: true })
  const key = newPrivateKey()
  await writeNewFile(context, { what: 'keyFile', path, text: `${JSON.stringify(await encryptKey(key, password), undefined, 2)}\n`, mode: 0o600 })
  note(context, tell(context, 'keyMade', { path }))
  return keyOf(key)
}

const isThere = (path: string): Promise<boolean> => stat(path).then(() => true, () => false)
