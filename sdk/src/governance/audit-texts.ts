import type { MotionKind } from './motions.js'
import type { Words } from './words.js'

/**
 * What an event says, by contract and event. `{name}` is the value of that name, of the event or of a struct in it, in words;
 * `{=name}` the same as it is; `{motion}` what the motion with the event's id is for.
 */
export const EVENT_TEXTS: Readonly<Record<string, Readonly<Record<string, Words>>>> = {
  OrganisationRegister: {
    OrganisationApplied: {
      en: '{sender} applies for {nameEn} ({=uscc}), {kind}, to be admitted; roles {roles}, {gasPerDay} gas and {bytesPerDay} bytes a day',
      zh: '账户 {sender} 为{nameZh}（{=uscc}，{kind}）申请加入；权限：{roles}，每日 Gas {gasPerDay}、字节 {bytesPerDay}',
    },
    OrganisationAdmitted: {
      en: '{nameEn} ({=uscc}), {kind}, is admitted; administrator {administrator}, roles {roles}, {gasPerDay} gas and {bytesPerDay} bytes a day',
      zh: '{nameZh}（{=uscc}，{kind}）获准加入；管理员 {administrator}，权限：{roles}，每日 Gas {gasPerDay}、字节 {bytesPerDay}',
    },
    OrganisationSuspended: { en: '{uscc} is suspended: its accounts have no rights', zh: '{uscc}被暂停，其账户不再有任何权限' },
    OrganisationReinstated: { en: '{uscc} is active again', zh: '{uscc}恢复启用' },
    OrganisationRightsChanged: {
      en: '{uscc} now has the roles {roles}, {gasPerDay} gas and {bytesPerDay} bytes a day',
      zh: '{uscc}的权限改为：{roles}，每日 Gas {gasPerDay}、字节 {bytesPerDay}',
    },
    AdministratorReplaced: { en: '{next} administers {uscc} in place of {previous}', zh: '{uscc}的管理员由 {previous} 更换为 {next}' },
    ContactHashChanged: { en: '{uscc} has another contact (hash {contactHash})', zh: '{uscc}的联系方式变更（哈希 {contactHash}）' },
    AccountBound: {
      en: 'account {account} is bound to {uscc}; roles {roles}, {gasPerDay} gas and {bytesPerDay} bytes a day',
      zh: '账户 {account} 绑定至{uscc}；权限：{roles}，每日 Gas {gasPerDay}、字节 {bytesPerDay}',
    },
    AccountChanged: {
      en: 'account {account} of {uscc} now has the roles {roles}, {gasPerDay} gas and {bytesPerDay} bytes a day',
      zh: '{uscc}的账户 {account} 权限改为：{roles}，每日 Gas {gasPerDay}、字节 {bytesPerDay}',
    },
    AccountReleased: { en: 'account {account} is released from {uscc}', zh: '账户 {account} 与{uscc}解除绑定' },
    ConsentsRevoked: {
      en: 'account {account} revokes every consent to be bound; the next has the number {nonce}',
      zh: '账户 {account} 撤回此前所有绑定同意；下一份同意的序号为 {nonce}',
    },
    GovernorChanged: {
      en: 'the register of organisations obeys {next} instead of {previous}', zh: '机构登记合约的治理者由 {previous} 变更为 {next}',
    },
  },
  NodeRegister: {
    NodeApplied: {
      en: '{applicant} applies for {kind} {node} in {city}; government body {government}, telecom operator {telecom}, operating entity {operator}',
      zh: '账户 {applicant} 申请{kind} {node}（区划 {city}）；政府机构：{government}，电信运营商：{telecom}，运营主体：{operator}',
    },
    NodeApplicationWithdrawn: { en: '{applicant} withdraws the application for node {node}', zh: '账户 {applicant} 撤回节点 {node} 的申请' },
    NodeConfirmed: { en: '{body} confirms node {node} as its {roles}', zh: '{body}以{roles}身份确认节点 {node}' },
    NodeAdmitted: { en: 'node {node} is admitted: it may connect', zh: '节点 {node} 获准接入' },
    NodeActivated: { en: 'node {node} is active: it may be elected validator', zh: '节点 {node} 已启用，可被选为验证者' },
    NodeSuspended: { en: 'node {node} is suspended by {body} (hash of the reason: {reasonHash})', zh: '{body}暂停节点 {node}（理由哈希：{reasonHash}）' },
    NodeReinstated: { en: 'node {node} is reinstated by {body}: {status} again', zh: '{body}恢复节点 {node}：{status}' },
    NodeRetired: { en: 'node {node} is retired', zh: '节点 {node} 退出' },
    AcCodeIssued: { en: 'node {node} has the AC code {acCode}', zh: '节点 {node} 获得 AC 码 {acCode}' },
    AcCodeWithdrawn: { en: 'the AC code {acCode} is withdrawn from node {node}', zh: '收回节点 {node} 的 AC 码 {acCode}' },
    NodeBodiesChanged: {
      en: 'for node {node} now answer: government body {government}, telecom operator {telecom}, operating entity {operator}',
      zh: '节点 {node} 的责任单位改为：政府机构 {government}，电信运营商 {telecom}，运营主体 {operator}',
    },
    EndpointsHashChanged: { en: 'node {node} has other endpoints (hash {endpointsHash})', zh: '节点 {node} 的接入地址变更（哈希 {endpointsHash}）' },
    NodeKeyRotated: { en: 'node {previous} has another key and is {next} now', zh: '节点 {previous} 更换密钥，现为 {next}' },
    ValidatorsChanged: { en: 'from block {height} on the validators are {validators}', zh: '自区块 {height} 起验证者为：{validators}' },
    ValidatorRemoved: { en: '{validator} leaves the validators with the next block', zh: '{validator} 自下一区块起不再是验证者' },
    ValidatorReplaced: { en: '{next} is validator in place of {previous} from the next block on', zh: '自下一区块起验证者 {previous} 由 {next} 接替' },
    ValidatorChangeCancelled: { en: 'the change of the validators at block {height} is cancelled', zh: '取消区块 {height} 的验证者变更' },
    GovernorChanged: { en: 'the register of nodes obeys {next} instead of {previous}', zh: '节点登记合约的治理者由 {previous} 变更为 {next}' },
  },
  Council: {
    MotionProposed: {
      en: '{seat} proposes motion {id}: {motion}; open until {expiresAt}. Reason: {reason}',
      zh: '{seat}提出第 {id} 号议案：{motion}；{expiresAt} 前有效。理由：{reason}',
    },
    MotionVoted: { en: '{seat} votes {approve} on motion {id}: {motion}', zh: '{seat}对第 {id} 号议案投{approve}票：{motion}' },
    MotionExecuted: { en: '{seat} carries out motion {id}: {motion}', zh: '{seat}执行第 {id} 号议案：{motion}' },
    MotionCancelled: { en: 'motion {id} of {seat} is cancelled: {motion}', zh: '{seat}的第 {id} 号议案取消：{motion}' },
    SeatTaken: { en: '{uscc} has a seat in the council', zh: '{uscc}获得理事席位' },
    SeatVacated: { en: '{uscc} has no seat in the council any more', zh: '{uscc}不再拥有理事席位' },
    ThresholdChanged: {
      en: 'motions to {kind} need more than {permille} of 1000 seats', zh: '“{kind}”类议案的通过门槛改为超过千分之 {permille} 的席位',
    },
    CouncilHandedOver: { en: 'the council hands over to the contract {successor}', zh: '理事会将治理权移交合约 {successor}' },
  },
  PolicyRegister: {
    NewcomersChanged: {
      en: 'accounts of no organisation have the roles {roles}, {gasPerDay} gas and {bytesPerDay} bytes a day each, {gasPerDayTotal} and {bytesPerDayTotal} together',
      zh: '未绑定账户的权限改为：{roles}，每个账户每日 Gas {gasPerDay}、字节 {bytesPerDay}，合计 Gas {gasPerDayTotal}、字节 {bytesPerDayTotal}',
    },
    ReadLevelsChanged: { en: 'who may read: {levels}', zh: '读取级别改为：{levels}' },
    ReaderChanged: { en: '{reader} is listed as a reader of {doors}', zh: '读取者 {reader} 列入名单的范围：{doors}' },
    ParametersChanged: {
      en: 'at least {minValidators} validators, {validatorNotice} blocks of notice for them and {protocolNotice} for the protocol, motions live {motionLifetime} s',
      zh: '参数改为：验证者至少 {minValidators} 个，验证者变更提前 {validatorNotice} 块，协议升级提前 {protocolNotice} 块，议案有效期 {motionLifetime} 秒',
    },
    ProtocolScheduled: { en: 'version {version} of the protocol holds from block {height} on', zh: '自区块 {height} 起适用协议版本 {version}' },
    ProtocolCancelled: { en: 'version {version} of the protocol will not come at block {height}', zh: '取消区块 {height} 的协议版本 {version}' },
    GovernorChanged: { en: 'the register of policy obeys {next} instead of {previous}', zh: '策略登记合约的治理者由 {previous} 变更为 {next}' },
  },
}

/** What a motion would do or has done; `{name}` is an argument of its function. */
export const MOTION_TEXTS: Readonly<Record<MotionKind, Words>> = {
  admitOrganisation: {
    en: 'admit {nameEn} ({=uscc}), {kind}; administrator {administrator}, roles {roles}, {gasPerDay} gas and {bytesPerDay} bytes a day',
    zh: '接纳{nameZh}（{=uscc}，{kind}）；管理员 {administrator}，权限：{roles}，每日 Gas {gasPerDay}、字节 {bytesPerDay}',
  },
  suspendOrganisation: { en: 'suspend {uscc}', zh: '暂停{uscc}' },
  reinstateOrganisation: { en: 'reinstate {uscc}', zh: '恢复{uscc}' },
  setOrganisationRights: {
    en: 'give {uscc} the roles {roles}, {gasPerDay} gas and {bytesPerDay} bytes a day',
    zh: '将{uscc}的权限改为：{roles}，每日 Gas {gasPerDay}、字节 {bytesPerDay}',
  },
  replaceAdministrator: { en: 'make {next} administrator of {uscc}', zh: '将{uscc}的管理员更换为 {next}' },
  seat: { en: 'give {uscc} a seat in the council', zh: '授予{uscc}理事席位' },
  unseat: { en: 'take the seat of {uscc} away', zh: '撤销{uscc}的理事席位' },
  admitNode: { en: 'admit node {node} (hash of its application: {applicationHash})', zh: '准入节点 {node}（申请哈希：{applicationHash}）' },
  suspendNode: { en: 'suspend node {node} (hash of the reason: {reasonHash})', zh: '暂停节点 {node}（理由哈希：{reasonHash}）' },
  reinstateNode: { en: 'reinstate node {node}', zh: '恢复节点 {node}' },
  retireNode: { en: 'retire node {node}', zh: '节点 {node} 退出' },
  issueAcCode: { en: 'give node {node} the AC code {acCode}', zh: '为节点 {node} 分配 AC 码 {acCode}' },
  withdrawAcCode: { en: 'withdraw the AC code {acCode}', zh: '收回 AC 码 {acCode}' },
  setNodeBodies: {
    en: 'make answer for node {node}: government body {government}, telecom operator {telecom}, operating entity {operator}',
    zh: '将节点 {node} 的责任单位改为：政府机构 {government}，电信运营商 {telecom}，运营主体 {operator}',
  },
  changeValidators: {
    en: 'from block {height} on, add the validators {added} and remove {removed}', zh: '自区块 {height} 起，增加验证者 {added}，移除 {removed}',
  },
  setNewcomers: {
    en: 'give accounts of no organisation the roles {roles}, {gasPerDay} gas and {bytesPerDay} bytes a day each, {gasPerDayTotal} and {bytesPerDayTotal} together',
    zh: '将未绑定账户的权限改为：{roles}，每个账户每日 Gas {gasPerDay}、字节 {bytesPerDay}，合计 Gas {gasPerDayTotal}、字节 {bytesPerDayTotal}',
  },
  setReadLevels: { en: 'let read: {levels}', zh: '将读取级别改为：{levels}' },
  setReader: { en: 'list {reader} as a reader of {doors}', zh: '将 {reader} 列为读取者，范围：{doors}' },
  setParameters: {
    en: 'at least {minValidators} validators, {validatorNotice} blocks of notice for them and {protocolNotice} for the protocol, motions that live {motionLifetime} s',
    zh: '参数改为：验证者至少 {minValidators} 个，验证者变更提前 {validatorNotice} 块，协议升级提前 {protocolNotice} 块，议案有效期 {motionLifetime} 秒',
  },
  scheduleProtocol: { en: 'version {version} of the protocol from block {height} on', zh: '自区块 {height} 起适用协议版本 {version}' },
  cancelProtocol: { en: 'take the last scheduled protocol version back', zh: '取消最近安排的协议升级' },
  setThreshold: { en: 'let motions to {kind} need more than {permille} of 1000 seats', zh: '将“{kind}”类议案的通过门槛改为超过千分之 {permille} 的席位' },
  handOver: { en: 'hand over to the contract {successor}', zh: '将治理权移交合约 {successor}' },
  cancelValidatorChange: { en: 'take the last scheduled change of the validators back', zh: '取消最近安排的验证者变更' },
}
