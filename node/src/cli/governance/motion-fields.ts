import type { MotionArguments, MotionKind, OrganisationEntry } from '@songhua/sdk/governance/motions'
import { DEFAULT_BYTES_PER_DAY, DEFAULT_GAS_PER_DAY } from '../roster-governance.js'
import {
  ACCOUNT, AC_CODE, DOOR_LIST, FIELD_WORDS, type FieldType, HASH, HEIGHT, LEVELS, NAME, NODE, NODES, ORGANISATION_KIND, QUOTA, ROLES, USCC, choice, integer,
} from './field-types.js'
import { type Field, type FieldsOf, flagOf } from './fields.js'
import type { Language } from '../messages.js'
import type { Text } from './texts.js'

const must = <T>(type: FieldType<T>): Field<T> => ({ type })
const may = <T>(type: FieldType<T>): Field<T> => ({ type, isOptional: true })
const UINT16_MAX = 65_535

/** An organisation as it applies, and as a motion admits it. */
export const ENTRY_FIELDS: FieldsOf<OrganisationEntry> = {
  uscc: must(USCC),
  kind: must(ORGANISATION_KIND),
  roles: { type: ROLES, preset: ['anchor', 'read'] },
  nameZh: must(NAME),
  nameEn: must(NAME),
  contactHash: may(HASH),
  administrator: must(ACCOUNT),
  gasPerDay: { type: QUOTA, preset: BigInt(DEFAULT_GAS_PER_DAY) },
  bytesPerDay: { type: QUOTA, preset: BigInt(DEFAULT_BYTES_PER_DAY) },
}

/** What each kind of motion decides. The order is that of its numbers on the chain. */
export const MOTION_TITLES: Readonly<Record<MotionKind, Text>> = {
  admitOrganisation: { en: 'admit an organisation', zh: '接纳机构' },
  suspendOrganisation: { en: 'suspend an organisation', zh: '暂停机构' },
  reinstateOrganisation: { en: 'reinstate an organisation', zh: '恢复机构' },
  setOrganisationRights: { en: 'set an organisation’s rights and quotas', zh: '设定机构权限与配额' },
  replaceAdministrator: { en: 'replace an organisation’s administrator', zh: '更换机构管理员' },
  seat: { en: 'give an organisation a seat', zh: '授予理事席位' },
  unseat: { en: 'take an organisation’s seat away', zh: '撤销理事席位' },
  admitNode: { en: 'admit a node', zh: '接纳节点' },
  suspendNode: { en: 'suspend a node', zh: '暂停节点' },
  reinstateNode: { en: 'reinstate a node', zh: '恢复节点' },
  retireNode: { en: 'retire a node', zh: '退役节点' },
  issueAcCode: { en: 'issue an AC code', zh: '颁发 AC 号' },
  withdrawAcCode: { en: 'withdraw an AC code', zh: '收回 AC 号' },
  setNodeBodies: { en: 'name other bodies of a node', zh: '变更节点责任主体' },
  changeValidators: { en: 'change the validators', zh: '变更验证者' },
  setNewcomers: { en: 'set what newcomers may do', zh: '设定新账户权限与配额' },
  setReadLevels: { en: 'set who may read', zh: '设定读取级别' },
  setReader: { en: 'list a reader', zh: '登记读取者' },
  setParameters: { en: 'set the parameters', zh: '设定参数' },
  scheduleProtocol: { en: 'schedule a protocol version', zh: '安排协议版本' },
  cancelProtocol: { en: 'cancel the scheduled protocol version', zh: '取消已安排的协议版本' },
  setThreshold: { en: 'set how many votes a kind needs', zh: '设定议案通过门槛' },
  handOver: { en: 'hand over to another council', zh: '移交给新的理事会合约' },
  cancelValidatorChange: { en: 'cancel the scheduled change of validators', zh: '取消已安排的验证者变更' },
}
export const MOTION_KINDS = Object.keys(MOTION_TITLES) as MotionKind[]

const BY_USCC = { uscc: must(USCC) }
const BY_NODE = { node: must(NODE) }

/** The fields of every kind, as `--args` and the flags of `council propose` give them. */
export const MOTION_FIELDS: { readonly [K in MotionKind]: FieldsOf<MotionArguments[K]> } = {
  admitOrganisation: ENTRY_FIELDS,
  suspendOrganisation: BY_USCC,
  reinstateOrganisation: BY_USCC,
  setOrganisationRights: { uscc: must(USCC), roles: must(ROLES), gasPerDay: must(QUOTA), bytesPerDay: must(QUOTA) },
  replaceAdministrator: { uscc: must(USCC), administrator: must(ACCOUNT) },
  seat: BY_USCC,
  unseat: BY_USCC,
  admitNode: { node: must(NODE), applicationHash: may(HASH) },
  suspendNode: { node: must(NODE), reasonHash: may(HASH) },
  reinstateNode: BY_NODE,
  retireNode: BY_NODE,
  issueAcCode: { node: must(NODE), acCode: must(AC_CODE) },
  withdrawAcCode: { acCode: must(AC_CODE) },
  setNodeBodies: { node: must(NODE), government: may(USCC), telecom: may(USCC), operator: must(USCC) },
  changeValidators: { added: may(NODES), removed: may(NODES), height: must(HEIGHT) },
  setNewcomers: {
    roles: must(ROLES), gasPerDay: must(QUOTA), bytesPerDay: must(QUOTA), gasPerDayTotal: must(QUOTA), bytesPerDayTotal: must(QUOTA),
  },
  setReadLevels: { levels: must(LEVELS) },
  setReader: { reader: must(ACCOUNT), doors: must(DOOR_LIST) },
  setParameters: {
    minValidators: must(integer(1, 64)), validatorNotice: must(integer(1, 100_000)), protocolNotice: must(integer(1, 1_000_000)),
    motionLifetime: must(integer(3_600, 31_536_000)),
  },
  scheduleProtocol: { version: must(integer(2, UINT16_MAX)), height: must(HEIGHT) },
  cancelProtocol: {},
  setThreshold: { kind: must(choice(MOTION_KINDS, '<kind>')), permille: must(integer(500, 749)) },
  handOver: { successor: must(ACCOUNT) },
  cancelValidatorChange: {},
}

/** What a field is called before people; of a flag its help. */
export const FIELD_LABELS: Readonly<Record<string, Text>> = {
  uscc: { en: 'organisation', zh: '机构' },
  kind: { en: 'kind', zh: '类别' },
  roles: { en: 'roles', zh: '权限' },
  nameZh: { en: 'Chinese name', zh: '中文名称' },
  nameEn: { en: 'English name', zh: '英文名称' },
  contactHash: { en: 'hash of the contact data', zh: '联系信息哈希' },
  administrator: { en: 'administrator’s account', zh: '管理员账户' },
  gasPerDay: { en: 'gas a day', zh: '每日 gas' },
  bytesPerDay: { en: 'bytes a day', zh: '每日字节' },
  node: { en: 'node', zh: '节点' },
  reasonHash: { en: 'hash of the reason', zh: '理由文件哈希' },
  applicationHash: { en: 'hash of the application', zh: '申请哈希' },
  acCode: { en: 'AC code', zh: 'AC 号' },
  government: { en: 'government body', zh: '政府责任主体' },
  telecom: { en: 'telecom operator', zh: '电信运营商' },
  operator: { en: 'operating entity', zh: '运营主体' },
  added: { en: 'added', zh: '增加' },
  removed: { en: 'removed', zh: '移除' },
  height: { en: 'from block', zh: '生效高度' },
  gasPerDayTotal: { en: 'gas a day of all together', zh: '合计每日 gas' },
  bytesPerDayTotal: { en: 'bytes a day of all together', zh: '合计每日字节' },
  levels: { en: 'who may read', zh: '读取级别' },
  reader: { en: 'reader’s account', zh: '读取者账户' },
  doors: { en: 'doors', zh: '接口' },
  minValidators: { en: 'validators at least', zh: '验证者下限' },
  validatorNotice: { en: 'notice of a change of validators, blocks', zh: '验证者变更提前量（区块）' },
  protocolNotice: { en: 'notice of a protocol version, blocks', zh: '协议版本提前量（区块）' },
  motionLifetime: { en: 'lifetime of a motion, seconds', zh: '议案有效期（秒）' },
  version: { en: 'protocol version', zh: '协议版本' },
  permille: { en: 'permille of the seats to be exceeded', zh: '须超过的席位千分比' },
  successor: { en: 'contract of the new council', zh: '新理事会合约' },
  publicKey: { en: 'public key', zh: '公钥' },
  city: { en: 'city', zh: '城市' },
  industry: { en: 'industry', zh: '行业' },
  applicant: { en: 'applicant’s account', zh: '申请账户' },
  endpointsHash: { en: 'hash of the endpoints', zh: '网络端点哈希' },
  documentsHash: { en: 'hash of the documents', zh: '文件清单哈希' },
}

const { roles, doors, levels, kinds } = FIELD_WORDS
/** What may stand in a field that takes certain words alone. */
const FIELD_VALUES: Readonly<Record<string, Text>> = {
  roles: { en: roles, zh: roles },
  doors: { en: doors, zh: doors },
  levels: {
    en: `doors ${doors}; levels ${levels}; doors that are left out keep their level`,
    zh: `接口 ${doors}；级别 ${levels}；未列出的接口保持当前级别`,
  },
  kind: { en: `${kinds}; of setThreshold one of the kinds below`, zh: `${kinds}；setThreshold 时为下列事项之一` },
}

/** A flag's help: what the field is, and what may stand in it. */
export function fieldHelp(name: string, language: Language): string {
  const label = FIELD_LABELS[name]?.[language] ?? name
  const values = FIELD_VALUES[name]?.[language]
  if (values === undefined) return label
  return language === 'zh' ? `${label}：${values}` : `${label}: ${values}`
}

/** `admit-organisation` is `admitOrganisation`; undefined for what is no kind. */
export function kindNamed(word: string): MotionKind | undefined {
  const plain = word.replace(/[-_]/g, '').toLowerCase()
  return MOTION_KINDS.find((kind) => kind.toLowerCase() === plain)
}

/** Every field that some kind has, once, with its flag's placeholder. */
export function allMotionFields(): { name: string; placeholder: string }[] {
  const found = new Map<string, string>()
  for (const fields of Object.values(MOTION_FIELDS)) {
    for (const [name, { type }] of Object.entries(fields) as [string, Field<unknown>][]) found.set(name, type.placeholder)
  }
  return [...found].map(([name, placeholder]) => ({ name, placeholder }))
}

/** `--node, --ac-code` */
export const flagsOfKind = (kind: MotionKind): string => Object.keys(MOTION_FIELDS[kind]).map(flagOf).join(', ')
