import type { Door, NodeKind, NodeStatus, OrganisationKind, ReadLevel, Role } from './codes.js'
import type { NodeBody } from './model.js'
import type { MotionKind } from './motions.js'

export type Language = 'zh' | 'en'
export type Words = Readonly<Record<Language, string>>

/** What the chain's enumerations are called. */
export const ROLE_WORDS: Readonly<Record<Role, Words>> = {
  anchor: { zh: '上链', en: 'anchor' },
  deploy: { zh: '部署合约', en: 'deploy' },
  issue: { zh: '签发凭证', en: 'issue' },
  administer: { zh: '管理', en: 'administer' },
  read: { zh: '读取', en: 'read' },
  apply: { zh: '申请', en: 'apply' },
}

export const ORGANISATION_KIND_WORDS: Readonly<Record<OrganisationKind, Words>> = {
  'government-body': { zh: '政府机构', en: 'government body' },
  'telecom-operator': { zh: '电信运营商', en: 'telecom operator' },
  'operating-entity': { zh: '运营主体', en: 'operating entity' },
  enterprise: { zh: '企业', en: 'enterprise' },
  court: { zh: '法院', en: 'court' },
  notary: { zh: '公证机构', en: 'notary' },
  bank: { zh: '银行', en: 'bank' },
}

export const NODE_KIND_WORDS: Readonly<Record<NodeKind, Words>> = {
  super: { zh: '超级节点', en: 'super node' },
  backbone: { zh: '骨干节点', en: 'backbone node' },
  service: { zh: '服务节点', en: 'service node' },
}

export const NODE_STATUS_WORDS: Readonly<Record<NodeStatus, Words>> = {
  applied: { zh: '已申请', en: 'applied' },
  admitted: { zh: '已准入', en: 'admitted' },
  active: { zh: '已启用', en: 'active' },
  suspended: { zh: '已暂停', en: 'suspended' },
  retired: { zh: '已退出', en: 'retired' },
}

export const BODY_WORDS: Readonly<Record<NodeBody, Words>> = {
  government: { zh: '政府机构', en: 'government body' },
  telecom: { zh: '电信运营商', en: 'telecom operator' },
  operator: { zh: '运营主体', en: 'operating entity' },
}

export const DOOR_WORDS: Readonly<Record<Door, Words>> = {
  eth: { zh: 'eth', en: 'eth' },
  net: { zh: 'net', en: 'net' },
  web3: { zh: 'web3', en: 'web3' },
  txpool: { zh: 'txpool', en: 'txpool' },
  debug: { zh: 'debug', en: 'debug' },
  qbft: { zh: 'qbft', en: 'qbft' },
  songhua: { zh: 'songhua', en: 'songhua' },
  government: { zh: '政务记录', en: 'government records' },
  trace: { zh: '溯源记录', en: 'trace records' },
  credit: { zh: '征信记录', en: 'credit records' },
}

export const LEVEL_WORDS: Readonly<Record<ReadLevel, Words>> = {
  listed: { zh: '仅限名单', en: 'listed readers' },
  members: { zh: '成员', en: 'members' },
  public: { zh: '公开', en: 'public' },
}

/** What a motion is for, without its arguments. */
export const MOTION_KIND_WORDS: Readonly<Record<MotionKind, Words>> = {
  admitOrganisation: { zh: '接纳机构', en: 'admit an organisation' },
  suspendOrganisation: { zh: '暂停机构', en: 'suspend an organisation' },
  reinstateOrganisation: { zh: '恢复机构', en: 'reinstate an organisation' },
  setOrganisationRights: { zh: '调整机构权限与配额', en: 'set an organisation\'s rights and quotas' },
  replaceAdministrator: { zh: '更换机构管理员', en: 'replace an administrator' },
  seat: { zh: '授予理事席位', en: 'give a seat' },
  unseat: { zh: '撤销理事席位', en: 'take a seat away' },
  admitNode: { zh: '准入节点', en: 'admit a node' },
  suspendNode: { zh: '暂停节点', en: 'suspend a node' },
  reinstateNode: { zh: '恢复节点', en: 'reinstate a node' },
  retireNode: { zh: '节点退出', en: 'retire a node' },
  issueAcCode: { zh: '分配 AC 码', en: 'issue an AC code' },
  withdrawAcCode: { zh: '收回 AC 码', en: 'withdraw an AC code' },
  setNodeBodies: { zh: '变更节点责任单位', en: 'set a node\'s bodies' },
  changeValidators: { zh: '变更验证者集合', en: 'change the validators' },
  setNewcomers: { zh: '设定未绑定账户的权限与配额', en: 'set newcomers\' rights and quotas' },
  setReadLevels: { zh: '设定读取级别', en: 'set the read levels' },
  setReader: { zh: '设定读取者', en: 'set a reader' },
  setParameters: { zh: '设定治理参数', en: 'set the parameters' },
  scheduleProtocol: { zh: '安排协议升级', en: 'schedule a protocol version' },
  cancelProtocol: { zh: '取消协议升级', en: 'cancel a protocol version' },
  setThreshold: { zh: '设定表决门槛', en: 'set a threshold' },
  handOver: { zh: '移交治理合约', en: 'hand over to another council' },
  cancelValidatorChange: { zh: '取消验证者变更', en: 'cancel a change of the validators' },
}
