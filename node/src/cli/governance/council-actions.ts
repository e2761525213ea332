import type { Governance } from '@songhua/sdk/governance'
import type { Door } from '@songhua/sdk/governance/codes'
import type { MotionState, MotionStatus } from '@songhua/sdk/governance/model'
import { motionArguments } from '@songhua/sdk/governance/motion-values'
import type { MotionArguments, MotionKind } from '@songhua/sdk/governance/motions'
import { nodeApplicationHash } from '@songhua/sdk/governance/signatures'
import { publicKeyToAddress } from '@songhua/sdk/protocol/crypto'
import { hexToBytes, utf8ToBytes } from '@songhua/sdk/protocol/bytes'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { ORGANISATION_KIND_WORDS } from '@songhua/sdk/governance/words'
import { type CliContext, note, print } from '../context.js'
import { readJsonFile } from '../files.js'
import { nearest } from '../nearest.js'
import { formatFields, formatTable } from '../table.js'
import { checkChain, needSoundApplication, readApplication, signedApplicationOf } from './application-file.js'
import { beijingTime } from './beijing-time.js'
import { type Field, type FieldSource, type FieldsOf, fileSource, flagSource, readForm } from './fields.js'
import { FIELD_LABELS, MOTION_FIELDS, MOTION_KINDS, MOTION_TITLES, allMotionFields, kindNamed } from './motion-fields.js'
import { type Directory, organisationName, readDirectory, showValue, toJson } from './names.js'
import type { RpcFlags } from '../rpc-flags.js'
import { type SignerFlags, connectChain, openActor } from './signer-flags.js'
import { type Text, createTeller } from './texts.js'

export interface ListFlags extends RpcFlags {
  all?: boolean
}
export type MotionFlags = RpcFlags & SignerFlags
export type VoteFlags = MotionFlags & { yes?: boolean; no?: boolean; execute?: boolean }
export type ProposeFlags = MotionFlags & { reason: string; args?: string; application?: string }

const REASON_BYTES_MAX = 500
/** Motions asked for at once. */
const BATCH = 20
const STATUSES: Readonly<Record<MotionStatus, Text>> = {
  open: { en: 'open', zh: '未决' },
  executed: { en: 'executed', zh: '已执行' },
  cancelled: { en: 'cancelled', zh: '已撤回' },
  expired: { en: 'expired', zh: '已过期' },
}

const TEXTS = {
  name: { en: 'name', zh: '名称' },
  uscc: { en: 'credit code', zh: '信用代码' },
  kind: { en: 'kind', zh: '类别' },
  administrator: { en: 'administrator', zh: '管理员账户' },
  what: { en: 'what', zh: '事项' },
  status: { en: 'status', zh: '状态' },
  votes: { en: 'yes / needed', zh: '赞成 / 需' },
  proposer: { en: 'proposed by', zh: '提出机构' },
  proposedAt: { en: 'proposed', zh: '提出时间' },
  expires: { en: 'expires', zh: '到期时间' },
  reason: { en: 'reason', zh: '理由' },
  tally: { en: '{approvals} yes, {rejections} no; {needed} yes needed', zh: '赞成 {approvals}，反对 {rejections}；需赞成 {needed}' },
  result: { en: 'votes', zh: '表决' },
  yes: { en: 'yes', zh: '赞成' },
  no: { en: 'no', zh: '反对' },
  none: { en: 'no motions', zh: '没有议案' },
  unreadable: { en: 'arguments that this program cannot read: {bytes}', zh: '本程序无法解读的参数：{bytes}' },
  unknownKind: { en: 'of a kind that this program does not know', zh: '本程序不认识的事项' },
  badKind: { en: '<kind>: {word} is no kind of motion; known are {known}', zh: '<kind>：{word} 不是议案事项；可用：{known}' },
  meant: { en: ' (did you mean {meant}?)', zh: '（是否指 {meant}？）' },
  badId: { en: '<id>: is {value}; it must be the number of a motion', zh: '<id>：为 {value}；应为议案编号' },
  badReason: { en: '--reason: must be a text of 1 to {max} bytes in UTF-8; it has {bytes}', zh: '--reason：应为 1 至 {max} 字节的 UTF-8 文本，现为 {bytes} 字节' },
  yesOrNo: { en: 'give --yes or --no, one of the two', zh: '请给出 --yes 或 --no，二者择一' },
  applicationKind: { en: '--application: {file} is the application of {type}; {kind} does not decide on that', zh: '--application：{file} 是{type}申请；与事项 {kind} 不符' },
  anOrganisation: { en: 'an organisation', zh: '机构' },
  aNode: { en: 'a node', zh: '节点' },
  levels: { en: 'Who may read, once the motion is executed (doors that are not named keep their level of now):', zh: '议案执行后的读取级别（未列出的接口保持当前级别）：' },
  levelChanges: { en: '{to} (now {from})', zh: '{to}（现为 {from}）' },
  proposed: { en: 'Motion {id} is proposed, in block {block}; it has {approvals} of {needed} votes, and time until {expires}.', zh: '议案 {id} 已提出（区块 {block}）；已获 {approvals}/{needed} 票，有效期至 {expires}。' },
  voteNext: { en: 'The others vote: songhua council vote {id} --yes', zh: '其他理事表决：songhua council vote {id} --yes' },
  voted: { en: 'Voted on motion {id}, in block {block}; it has {approvals} of {needed} votes.', zh: '已对议案 {id} 表决（区块 {block}）；现获 {approvals}/{needed} 票。' },
  executeNext: { en: 'That is enough. Carry it out: songhua council execute {id}', zh: '票数已够。执行：songhua council execute {id}' },
  notYet: { en: 'Not executed: {missing} more votes are needed.', zh: '未执行：还需 {missing} 票。' },
  executed: { en: 'Motion {id} is carried out, in block {block}.', zh: '议案 {id} 已执行（区块 {block}）。' },
  cancelled: { en: 'Motion {id} is cancelled, in block {block}.', zh: '议案 {id} 已撤回（区块 {block}）。' },
} as const
const tell = createTeller(TEXTS)

export async function showSeats(context: CliContext, flags: ListFlags): Promise<void> {
  const governance = await connectChain(context, flags)
  const [seats, organisations] = await Promise.all([governance.seats(), governance.organisations()])
  const seated = organisations.filter(({ uscc }) => seats.includes(uscc))
  if (flags.json) return print(context, toJson(seated))
  const rows = seated.map((one) => [
    organisationName(one, context.language), one.uscc, ORGANISATION_KIND_WORDS[one.kind][context.language], one.administrator,
  ])
  print(context, formatTable([tell(context, 'name'), tell(context, 'uscc'), tell(context, 'kind'), tell(context, 'administrator')], rows))
}

export async function listMotions(context: CliContext, flags: ListFlags): Promise<void> {
  const governance = await connectChain(context, flags)
  const motions = flags.all ? await allMotions(governance) : await governance.openMotions()
  if (flags.json) return print(context, toJson(motions.map(motionToJson)))
  if (motions.length === 0) return print(context, tell(context, 'none'))
  const directory = await readDirectory(context, governance)
  const rows = motions.map((one) => [
    String(one.id), titleOf(context, one), STATUSES[one.status][context.language], `${one.approvals} / ${one.needed}`,
    directory.organisation(one.seat), beijingTime(one.expiresAt),
  ])
  const headings = (['what', 'status', 'votes', 'proposer', 'expires'] as const).map((key) => tell(context, key))
  print(context, formatTable(['#', ...headings], rows))
}

async function allMotions(governance: Governance): Promise<MotionState[]> {
  const count = await governance.motionCount()
  const found: MotionState[] = []
  while (found.length < count) {
    const ids = Array.from({ length: Math.min(BATCH, count - found.length) }, (_, index) => found.length + index)
    found.push(...(await Promise.all(ids.map((id) => governance.motion(id)))))
  }
  return found
}

const titleOf = (context: CliContext, { kind }: Pick<MotionState, 'kind'>): string =>
  kind === undefined ? tell(context, 'unknownKind') : `${MOTION_TITLES[kind][context.language]} (${kind})`

/** Arguments by their names, when they can be read; else the bytes. */
function motionToJson(motion: MotionState): object {
  const { arguments: bytes, kind, ...rest } = motion
  const args = kind === undefined ? undefined : motionArguments(kind, bytes)
  return { ...rest, kind, ...(args === undefined ? { argumentBytes: bytes } : { arguments: args }) }
}

export async function showMotion(context: CliContext, idText: string, flags: ListFlags): Promise<void> {
  const id = readId(context, idText)
  const governance = await connectChain(context, flags)
  const [motion, votes] = await Promise.all([governance.motion(id), governance.votes(id)])
  if (flags.json) return print(context, toJson({ ...motionToJson(motion), votes }))
  const directory = await readDirectory(context, governance)
  const { approvals, rejections, needed } = motion
  const fields = formatFields([
    ['#', String(id)],
    [tell(context, 'what'), titleOf(context, motion)],
    ...argumentFields(context, motion, directory),
    [tell(context, 'reason'), motion.reason],
    [tell(context, 'proposer'), directory.organisation(motion.seat)],
    [tell(context, 'proposedAt'), beijingTime(motion.proposedAt)],
    [tell(context, 'status'), STATUSES[motion.status][context.language]],
    [tell(context, 'expires'), beijingTime(motion.expiresAt)],
    [tell(context, 'result'), tell(context, 'tally', { approvals, rejections, needed })],
    ...votes.map(({ seat, approve }) => [`  ${tell(context, approve ? 'yes' : 'no')}`, directory.organisation(seat)] as const),
  ])
  print(context, fields)
}

function argumentFields(context: CliContext, { kind, arguments: bytes }: MotionState, directory: Directory): [string, string][] {
  const args = kind === undefined ? undefined : motionArguments(kind, bytes)
  if (kind === undefined || args === undefined) return [['', tell(context, 'unreadable', { bytes })]]
  const fields = MOTION_FIELDS[kind] as Readonly<Record<string, Field<unknown>>>
  return Object.entries(args as object).map(([name, value]) => [
    `  ${FIELD_LABELS[name]?.[context.language] ?? name}`,
    showValue(context, { shape: fields[name]?.type.shape ?? 'text', value }, directory),
  ])
}

export async function propose(context: CliContext, word: string, flags: ProposeFlags): Promise<void> {
  const kind = readKind(context, word)
  checkReason(context, flags.reason)
  const sources = await sourcesOf(context, kind, flags)
  const args = readForm(context, MOTION_FIELDS[kind] as FieldsOf<MotionArguments[MotionKind]>, sources)
  const { governance } = await openActor(context, flags)
  if (flags.application !== undefined) checkChain(context, await readApplication(context, flags.application), governance.chainId)
  const whole = kind === 'setReadLevels' ? await wholeLevels(context, governance, args as MotionArguments['setReadLevels']) : args
  const done = await governance.propose(kind, whole, flags.reason)
  const { approvals, needed, expiresAt } = await governance.motion(done.id)
  if (flags.json) return print(context, toJson({ id: done.id, approvals, needed, expiresAt, transactionHash: done.hash, blockNumber: done.blockNumber }))
  print(context, tell(context, 'proposed', { id: done.id, block: done.blockNumber, approvals, needed, expires: beijingTime(expiresAt) }))
  print(context, tell(context, approvals >= needed ? 'executeNext' : 'voteNext', { id: done.id }))
}

/** The chain sets every door at once and closes what is absent: doors that nobody named keep their level. Told before it is sent. */
async function wholeLevels(
  context: CliContext, governance: Governance, { levels: named }: MotionArguments['setReadLevels'],
): Promise<MotionArguments['setReadLevels']> {
  const { readLevels: present } = await governance.policy()
  const levels = { ...present, ...named }
  const rows = (Object.keys(levels) as Door[]).map((door): [string, string] =>
    [`  ${door}`, levels[door] === present[door] ? levels[door] : tell(context, 'levelChanges', { from: present[door], to: levels[door] })])
  note(context, `${tell(context, 'levels')}\n${formatFields(rows)}`)
  return { levels }
}

function readKind(context: CliContext, word: string): MotionKind {
  const kind = kindNamed(word)
  if (kind !== undefined) return kind
  const meant = nearest(word, MOTION_KINDS)
  const hint = meant === undefined ? '' : tell(context, 'meant', { meant })
  throw new CodedError('CLI_USAGE', `${tell(context, 'badKind', { word, known: MOTION_KINDS.join(', ') })}${hint}`)
}

function checkReason(context: CliContext, reason: string): void {
  const bytes = utf8ToBytes(reason.trim()).length
  if (bytes >= 1 && utf8ToBytes(reason).length <= REASON_BYTES_MAX) return
  throw new CodedError('CLI_USAGE', tell(context, 'badReason', { max: REASON_BYTES_MAX, bytes: utf8ToBytes(reason).length }))
}

/** Flags over the file of arguments over the application. */
async function sourcesOf(context: CliContext, kind: MotionKind, flags: ProposeFlags): Promise<[FieldSource, ...FieldSource[]]> {
  const names = allMotionFields().map(({ name }) => name)
  const given = flagSource({ ...flags }, names)
  const file = flags.args === undefined ? [] : [fileSource(context, { json: await readJsonFile(context, 'argumentsFile', flags.args), file: flags.args })]
  const application = flags.application === undefined ? [] : [await applicationSource(context, kind, flags.application)]
  return [given, ...file, ...application]
}

/** An application that is not whole is not proposed. */
async function applicationSource(context: CliContext, kind: MotionKind, file: string): Promise<FieldSource> {
  const application = await readApplication(context, file)
  needSoundApplication(context, application, file)
  const pathOf = (name: string): string => `${file}: ${application.type}.${name}`
  if (application.type === 'organisation' && kind === 'admitOrganisation') return { values: { ...application.entry }, pathOf }
  if (application.type === 'node' && kind === 'admitNode') {
    const applicationHash = nodeApplicationHash(signedApplicationOf(application), application.applicant)
    return { values: { node: publicKeyToAddress(hexToBytes(application.node.publicKey)), applicationHash }, pathOf }
  }
  const type = tell(context, application.type === 'node' ? 'aNode' : 'anOrganisation')
  throw new CodedError('CLI_USAGE', tell(context, 'applicationKind', { file, type, kind }))
}

function readId(context: CliContext, text: string): number {
  if (/^[0-9]{1,15}$/.test(text)) return Number(text)
  throw new CodedError('CLI_USAGE', tell(context, 'badId', { value: JSON.stringify(text) }))
}

export async function vote(context: CliContext, idText: string, flags: VoteFlags): Promise<void> {
  const id = readId(context, idText)
  if ((flags.yes === true) === (flags.no === true)) throw new CodedError('CLI_USAGE', tell(context, 'yesOrNo'))
  const { governance } = await openActor(context, flags)
  const done = await governance.vote(id, flags.yes === true)
  const { approvals, needed } = await governance.motion(id)
  const isEnough = approvals >= needed
  // Told before it is executed: should that fail, the vote stands.
  if (!flags.json) print(context, tell(context, 'voted', { id, block: done.blockNumber, approvals, needed }))
  const executed = isEnough && flags.execute ? await governance.execute(id) : undefined
  if (flags.json) {
    const execution = executed === undefined ? {} : { executed: { transactionHash: executed.hash, blockNumber: executed.blockNumber } }
    return print(context, toJson({ id, approvals, needed, transactionHash: done.hash, blockNumber: done.blockNumber, ...execution }))
  }
  if (executed !== undefined) print(context, tell(context, 'executed', { id, block: executed.blockNumber }))
  else if (isEnough) print(context, tell(context, 'executeNext', { id }))
  else if (flags.execute) note(context, tell(context, 'notYet', { missing: needed - approvals }))
}

export const execute = (context: CliContext, id: string, flags: MotionFlags): Promise<void> => end(context, { id, how: 'executed' }, flags)
export const cancel = (context: CliContext, id: string, flags: MotionFlags): Promise<void> => end(context, { id, how: 'cancelled' }, flags)

async function end(context: CliContext, motion: { id: string; how: 'executed' | 'cancelled' }, flags: MotionFlags): Promise<void> {
  const id = readId(context, motion.id)
  const { governance } = await openActor(context, flags)
  const done = await (motion.how === 'executed' ? governance.execute(id) : governance.cancel(id))
  if (flags.json) return print(context, toJson({ id, transactionHash: done.hash, blockNumber: done.blockNumber }))
  print(context, tell(context, motion.how, { id, block: done.blockNumber }))
}
