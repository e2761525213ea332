import { basename } from 'node:path'
import type { Done } from '@songhua/sdk/governance/transactions'
import type { Governance } from '@songhua/sdk/governance'
import { type Hash, bytesToHex } from '@songhua/sdk/protocol/bytes'
import { privateKeyToPublicKey } from '@songhua/sdk/protocol/crypto'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { type CliContext, note, print } from '../context.js'
import { digestFile } from '../document-record.js'
import { writeNewFile } from '../files.js'
import type { MessageKey } from '../messages.js'
import { PROVINCE_CHAIN_ID } from '../node-config.js'
import type { ApiKeyFlags, RpcFlags } from '../rpc-flags.js'
import { formatFields } from '../table.js'
import { type Check, checkApplication, checkDocuments } from './application-check.js'
import {
  type Application, type DocumentEntry, NODE_FIELDS, type OrganisationFile, applicationToText, checkChain, hashDocuments,
  needSoundApplication, readApplication, readNodeFacts, signNodeFile, signOrganisationFile, signedApplicationOf, signerDue,
} from './application-file.js'
import { ACCOUNT, type Shape } from './field-types.js'
import { type FieldSource, flagSource, readForm } from './fields.js'
import { hashFile } from './hash-file.js'
import { ENTRY_FIELDS, FIELD_LABELS } from './motion-fields.js'
import { showValue, toJson } from './names.js'
import { type NodeKeyFlags, readNodeKey } from './node-key.js'
import { type ReadKey, type SignerFlags, checkKeyForChain, connectChain, needSignerKey, openActor, readSignerKey } from './signer-flags.js'
import { createTeller } from './texts.js'

interface MakeFlags extends SignerFlags, ApiKeyFlags {
  documents?: string[]
  chainId?: number
  out?: string
  rpc?: string
  json?: boolean
}
export type ApplyOrganisationFlags = MakeFlags & { contactFile?: string; administrator?: string }
export type ApplyNodeFlags = MakeFlags & NodeKeyFlags & { endpointsFile?: string; applicant?: string }
export type SubmitFlags = SignerFlags & RpcFlags
export interface CheckFlags {
  documents?: string[]
  json?: boolean
}

const TEXTS = {
  outOrRpc: { en: 'name the file to write with --out, or the node to submit it to with --rpc, or both', zh: '请用 --out 指定要写入的文件，或用 --rpc 指定提交的节点，或两者皆给' },
  chainDiffers: { en: '--chain-id: is {given}; {where} is of chain {actual}', zh: '--chain-id：为 {given}；而 {where} 属于链 {actual}' },
  twice: { en: '--documents: two are called {name}; give them different names', zh: '--documents：有两个文件同名 {name}；请改用不同名称' },
  written: { en: 'Application written: {path}. Hand it to the council together with the documents.', zh: '申请文件已写入：{path}。请连同所附文件一并交理事会。' },
  unsigned: { en: 'Note: the administrator’s key was not given, so the file is not signed; the council will ask for proof that somebody holds it.', zh: '注意：未提供管理员私钥，文件未签名；理事会将要求证明该私钥有人持有。' },
  sendNext: { en: 'To send it: songhua apply submit {path}', zh: '提交：songhua apply submit {path}' },
  sent: { en: 'Application submitted in block {block}: {hash}', zh: '申请已提交（区块 {block}）：{hash}' },
  organisationNext: { en: 'Next, a member of the council: songhua council propose admitOrganisation --application {file} --reason …', zh: '下一步，由理事机构：songhua council propose admitOrganisation --application {file} --reason …' },
  nodeNext: { en: 'Next, each responsible body: songhua node confirm {node} --application {file}', zh: '下一步，由各责任主体：songhua node confirm {node} --application {file}' },
  otherApplicant: { en: 'the application can be sent by account {applicant} alone, for which the node’s key has signed; the key given is of {sender}. Use that account’s key, or make the file again with --applicant {sender}', zh: '该申请只能由账户 {applicant} 提交（节点私钥为其签名）；所给私钥属于 {sender}。请使用该账户私钥，或以 --applicant {sender} 重新生成文件' },
  notRight: { en: '{file}: {count} of {all} checks fail', zh: '{file}：{all} 项校验中有 {count} 项未通过' },
  right: { en: 'Everything that was checked is right.', zh: '所校验各项均正确。' },
  chain: { en: 'chain', zh: '链' },
  type: { en: 'application of', zh: '申请类型' },
  organisation: { en: 'an organisation', zh: '机构' },
  node: { en: 'a node', zh: '节点' },
} as const
const tell = createTeller(TEXTS)

export async function applyOrganisation(context: CliContext, flags: ApplyOrganisationFlags): Promise<void> {
  needDestination(context, flags)
  const contact = await fileHash(context, 'contactFile', flags.contactFile)
  const documents = await digestDocuments(context, flags.documents ?? [])
  const given = flagSource({ ...flags, ...(contact === undefined ? {} : { contactHash: contact }) }, Object.keys(ENTRY_FIELDS))
  const own = (values: FieldSource['values']): FieldSource => ({ values, pathOf: (name) => name })
  // Fields before passwords: a slip of the pen is told before anything is asked.
  if ((flags.keyFile ?? flags.devKeyFile) !== undefined) readForm(context, ENTRY_FIELDS, [given, own({ administrator: SAMPLE_ADDRESS })])
  const key = await (flags.rpc === undefined ? readSignerKey(context, flags) : needSignerKey(context, flags))
  const entry = readForm(context, ENTRY_FIELDS, [given, own(key === undefined ? {} : { administrator: key.address })])
  const { chainId, governance } = await chainOf(context, flags, { key })
  const unsigned: OrganisationFile = { type: 'organisation', chainId, entry, documents, documentsHash: hashDocuments(documents) }
  const isOwn = key !== undefined && key.address === entry.administrator
  if (!isOwn) note(context, tell(context, 'unsigned'))
  const application = isOwn ? signOrganisationFile(unsigned, key.privateKey) : unsigned
  await deliver(context, { application, governance, sender: key?.address }, flags)
}

export async function applyNode(context: CliContext, flags: ApplyNodeFlags): Promise<void> {
  needDestination(context, flags)
  const endpointsHash = await fileHash(context, 'endpointsFile', flags.endpointsFile)
  const documents = await digestDocuments(context, flags.documents ?? [])
  const given = flagSource({ ...flags, ...(endpointsHash === undefined ? {} : { endpointsHash }) }, Object.keys(NODE_FIELDS))
  readNodeFacts(context, [given, { values: { publicKey: SAMPLE_KEY }, pathOf: (name) => name }])
  const key = await (flags.rpc === undefined ? readSignerKey(context, flags) : needSignerKey(context, flags))
  const { applicant } = readForm(context, { applicant: { type: ACCOUNT } }, [
    flagSource({ ...flags }, ['applicant']), { values: key === undefined ? {} : { applicant: key.address }, pathOf: (name) => name },
  ])
  const nodeKey = await readNodeKey(context, flags)
  const publicKey = bytesToHex(privateKeyToPublicKey(nodeKey.privateKey))
  const node = readNodeFacts(context, [given, { values: { publicKey }, pathOf: (name) => name }])
  const { chainId, governance } = await chainOf(context, flags, { key, folderChainId: nodeKey.chainId })
  checkKeyForChain(context, nodeKey, chainId)
  const unsigned = { type: 'node', chainId, node, applicant, documents, documentsHash: hashDocuments(documents) } as const
  await deliver(context, { application: signNodeFile(unsigned, nodeKey.privateKey), governance, sender: key?.address }, flags)
}

/** In the place of what follows from a key that is read later: the generator of the curve, and its address. */
const SAMPLE_KEY = '0x0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'
const SAMPLE_ADDRESS = '0x7e5f4552091a69125d5dfcb7b8c2659029395bdf'

function needDestination(context: CliContext, { out, rpc }: MakeFlags): void {
  if ((out ?? rpc) === undefined) throw new CodedError('CLI_USAGE', tell(context, 'outOrRpc'))
}

async function fileHash(context: CliContext, what: MessageKey, path: string | undefined): Promise<Hash | undefined> {
  return path === undefined ? undefined : hashFile(context, what, path)
}

/** @throws CLI_FILE; CLI_USAGE for two of one name */
async function digestDocuments(context: CliContext, paths: readonly string[]): Promise<DocumentEntry[]> {
  const documents: DocumentEntry[] = []
  for (const path of paths) {
    const name = basename(path)
    if (documents.some((one) => one.name === name)) throw new CodedError('CLI_USAGE', tell(context, 'twice', { name }))
    documents.push({ name, sha256: (await digestFile(context, path)).sha256 })
  }
  return documents
}

interface Keys {
  readonly key: ReadKey | undefined
  readonly folderChainId?: number | undefined
}

/** For which chain the application is: of the node that is asked, of the data folder, or as told; all have to agree. */
async function chainOf(context: CliContext, flags: MakeFlags, { key, folderChainId }: Keys): Promise<{ chainId: number; governance: Governance | undefined }> {
  const governance = flags.rpc === undefined ? undefined : await connectChain(context, { ...flags, rpc: flags.rpc }, key)
  const actual = governance?.chainId ?? folderChainId
  if (flags.chainId !== undefined && actual !== undefined && flags.chainId !== actual) {
    const where = governance === undefined ? '--data' : flags.rpc ?? ''
    throw new CodedError('CLI_USAGE', tell(context, 'chainDiffers', { given: flags.chainId, where, actual }))
  }
  const chainId = flags.chainId ?? actual ?? PROVINCE_CHAIN_ID
  if (key !== undefined) checkKeyForChain(context, key, chainId)
  return { chainId, governance }
}

interface Made {
  readonly application: Application
  /** Connected as the sender, when it is to be submitted. */
  readonly governance: Governance | undefined
  readonly sender: string | undefined
}

/** The file first: what is on its way can be looked up by it. */
async function deliver(context: CliContext, { application, governance, sender }: Made, { out, json }: MakeFlags): Promise<void> {
  if (governance !== undefined) checkSender(context, application, sender)
  if (out !== undefined) {
    await writeNewFile(context, { what: 'applicationFile', path: out, text: applicationToText(application) })
    note(context, tell(context, 'written', { path: out }))
  }
  if (governance !== undefined) return reportSent(context, await send(governance, application), { application, file: out ?? 'FILE', json })
  if (json) print(context, applicationToText(application).trimEnd())
  note(context, tell(context, 'sendNext', { path: out ?? '' }))
}

/** A node's application is of use to its applicant alone: the contract would refuse it from anybody else. */
function checkSender(context: CliContext, application: Application, sender: string | undefined): void {
  if (application.type !== 'node' || application.applicant === sender) return
  throw new CodedError('APPLICATION_INVALID', tell(context, 'otherApplicant', { applicant: application.applicant, sender: sender ?? '–' }))
}

function send(governance: Governance, application: Application): Promise<Done> {
  return application.type === 'node'
    ? governance.applyNode(signedApplicationOf(application), application.signature)
    : governance.applyOrganisation(application.entry, application.documentsHash)
}

interface Sent {
  readonly application: Application
  readonly file: string
  readonly json: boolean | undefined
}

function reportSent(context: CliContext, { hash, blockNumber }: Done, { application, file, json }: Sent): void {
  const subject = application.type === 'node' ? { node: signerDue(application) } : { uscc: application.entry.uscc }
  if (json) return print(context, toJson({ type: application.type, ...subject, transactionHash: hash, blockNumber }))
  print(context, tell(context, 'sent', { block: blockNumber, hash }))
  const next = application.type === 'node' ? tell(context, 'nodeNext', { node: signerDue(application), file }) : tell(context, 'organisationNext', { file })
  print(context, next)
}

export async function submitFile(context: CliContext, file: string, flags: SubmitFlags): Promise<void> {
  const application = await readApplication(context, file)
  needSoundApplication(context, application, file)
  const { governance, key } = await openActor(context, flags)
  checkChain(context, application, governance.chainId)
  checkSender(context, application, key.address)
  reportSent(context, await send(governance, application), { application, file, json: flags.json })
}

export async function checkFile(context: CliContext, file: string, flags: CheckFlags): Promise<void> {
  const application = await readApplication(context, file)
  const handed = flags.documents === undefined ? undefined : await digestDocuments(context, flags.documents)
  const checks = [...checkApplication(context, application), ...checkDocuments(context, application.documents, handed)]
  const failed = checks.filter(({ isRight }) => isRight === false)
  if (flags.json) print(context, toJson({ file, isRight: failed.length === 0, application: JSON.parse(applicationToText(application)) as unknown, checks }))
  else print(context, `${describe(context, application)}\n\n${checks.map(checkLine).join('\n')}`)
  if (failed.length > 0) throw new CodedError('APPLICATION_INVALID', tell(context, 'notRight', { file, count: failed.length, all: checks.length }))
  if (!flags.json) print(context, tell(context, 'right'))
}

const MARKS = { true: '✓', false: '✗', undefined: '–' } as const
const checkLine = ({ isRight, text }: Check): string => `${MARKS[`${isRight}`]} ${text}`

/** What is applied for, field by field; names of organisations are not known offline. */
function describe(context: CliContext, application: Application): string {
  const said: object = application.type === 'node' ? { ...application.node, applicant: application.applicant } : application.entry
  const types: Readonly<Record<string, { type: { shape: Shape } }>> = application.type === 'node' ? { ...NODE_FIELDS } : { ...ENTRY_FIELDS }
  const asTheyAre = { organisation: String, node: String, account: String }
  const rows = Object.entries(said).map(([name, value]): [string, string] => [
    FIELD_LABELS[name]?.[context.language] ?? name,
    showValue(context, { shape: types[name]?.type.shape ?? 'text', value }, asTheyAre),
  ])
  return formatFields([[tell(context, 'type'), tell(context, application.type)], [tell(context, 'chain'), String(application.chainId)], ...rows])
}
