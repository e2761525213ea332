import type { Text } from './texts.js'

/**
 * What a refusal of the system contracts means, and what to do: a text for each custom error of their interfaces. `{…}` is
 * an argument of the error, as `refusals.ts` shows it.
 */
export const COUNCIL_REFUSALS: Readonly<Record<string, Text>> = {
  CouncilArgumentsTooLong: {
    en: 'The motion says too much: {length} bytes, of which {maximum} are possible. Make several motions of it.',
    zh: '议案内容过长：{length} 字节，上限 {maximum}。请拆分为多个议案。',
  },
  CouncilCallFailed: {
    en: 'Motion {id} cannot be carried out: its arguments do not fit what it decides. Cancel it and propose it anew.',
    zh: '议案 {id} 无法执行：其参数与所决事项不符。请撤回后重新提出。',
  },
  CouncilCannotSeat: {
    en: 'Organisation {uscc} cannot have a seat: it is not active, or has less than a seat needs (the role administer, 20,000,000 gas and 1,000,000 bytes a day). Set its rights first: songhua council propose setOrganisationRights',
    zh: '机构 {uscc} 不能取得席位：未处于有效状态，或权限配额不足（需 administer 权限、每日 20,000,000 gas 与 1,000,000 字节）。请先设定其权限：songhua council propose setOrganisationRights',
  },
  CouncilInvalidKind: { en: 'This council knows no motions of kind {kind}; its program may be older than this one.', zh: '理事会不认识类别 {kind} 的议案；其合约可能早于本程序。' },
  CouncilInvalidSuccessor: {
    en: 'The contract {successor} cannot govern: nothing is deployed there, or it is no council. Deploy it and check the address.',
    zh: '合约 {successor} 无法接管：该地址没有代码，或不是理事会合约。请先部署并核对地址。',
  },
  CouncilInvalidThreshold: { en: 'The threshold {permille} is not possible; it must be from 500 to 749 permille.', zh: '门槛 {permille} 无效；应为 500 至 749（千分比）。' },
  CouncilMotionOnly: { en: 'Only the council may do this, by a motion: songhua council propose', zh: '此事只能由理事会以议案决定：songhua council propose' },
  CouncilNotOpen: {
    en: 'Motion {id} is {motionStatus} and can no longer be voted on, executed or cancelled. If it is still wanted, propose it anew.',
    zh: '议案 {id} {motionStatus}，不能再表决、执行或撤回。如仍需要，请重新提出。',
  },
  CouncilNotProposer: { en: 'Motion {id} is organisation {seat}’s; only that organisation may cancel it. You may vote no.', zh: '议案 {id} 由机构 {seat} 提出，只有该机构可以撤回。您可以投反对票。' },
  CouncilNotSeated: {
    en: 'Account {caller} administers no organisation with a seat in the council. Act with the key of an administrator; songhua council seats lists them.',
    zh: '账户 {caller} 不是任何理事机构的管理员。请使用管理员私钥；理事机构见 songhua council seats。',
  },
  CouncilReasonTooLong: { en: 'The reason has {length} bytes in UTF-8; {maximum} are possible. Shorten it.', zh: '理由的 UTF-8 长度为 {length} 字节，上限 {maximum}。请缩短。' },
  CouncilSeatUnknown: { en: 'Organisation {uscc} has no seat in the council; songhua council seats lists those that have.', zh: '机构 {uscc} 没有理事席位；席位见 songhua council seats。' },
  CouncilSeated: { en: 'Organisation {uscc} has a seat in the council already.', zh: '机构 {uscc} 已有理事席位。' },
  CouncilTooFewSeats: { en: 'The council must keep {minimum} seats, so that none can block the others. Seat another organisation first.', zh: '理事会至少保留 {minimum} 个席位，以免一家即可阻断。请先增加席位。' },
  CouncilTooFewVotes: {
    en: 'Motion {id} has {approvals} of the {needed} votes that it needs. Wait until more members have said yes: songhua council vote {id} --yes',
    zh: '议案 {id} 已获 {approvals} 票赞成，需 {needed} 票。请等待更多理事投票：songhua council vote {id} --yes',
  },
  CouncilTooManyMotions: { en: 'Organisation {seat} has {maximum} open motions, as many as it may have. Execute or cancel one first: songhua council motions', zh: '机构 {seat} 已有 {maximum} 个未决议案，达到上限。请先执行或撤回：songhua council motions' },
  CouncilTooManySeats: { en: 'The council has {maximum} seats, as many as are possible. Unseat an organisation first.', zh: '理事会已有 {maximum} 个席位，达到上限。请先撤销一个席位。' },
  CouncilUnknownMotion: { en: 'There is no motion {id}; songhua council motions --all lists them.', zh: '没有议案 {id}；全部议案见 songhua council motions --all。' },
}

export const NODE_REFUSALS: Readonly<Record<string, Text>> = {
  NodeRegisterAcCodeTaken: { en: 'The AC code {acCode} is that of node {node}. Choose another, or withdraw it first.', zh: 'AC 号 {acCode} 已属于节点 {node}。请另选，或先收回。' },
  NodeRegisterApplicationChanged: {
    en: 'The application of node {node} is not the one that you have checked: its applicant has sent another. Ask for the new file, check it, and confirm that.',
    zh: '节点 {node} 的申请与您核对的不同：申请人已重新提交。请索取新文件，核对后再确认。',
  },
  NodeRegisterCannotAdd: { en: 'Node {node} cannot become a validator: it is one already, or not active. Its operator activates an admitted node: songhua node activate {node}', zh: '节点 {node} 不能成为验证者：已是验证者，或未激活。已接纳的节点由运营主体激活：songhua node activate {node}' },
  NodeRegisterCannotRemove: { en: 'Node {node} is no validator in the set that this change begins with. songhua nodes lists the validators.', zh: '节点 {node} 不在本次变更所依据的验证者集合中。验证者见 songhua nodes。' },
  NodeRegisterHasAcCode: { en: 'Node {node} has the AC code {acCode} already; withdraw it first.', zh: '节点 {node} 已有 AC 号 {acCode}；请先收回。' },
  NodeRegisterHeightTooLow: { en: 'Block {height} is too soon; the change can hold from block {minimum} at the earliest. Propose it for a later height, with time for the votes.', zh: '高度 {height} 过早；最早可自高度 {minimum} 生效。请以更晚的高度重新提出，并预留表决时间。' },
  NodeRegisterInvalidAcCode: { en: '{acCode} is no AC code: four characters of a-z and 0-9.', zh: '{acCode} 不是有效的 AC 号：应为 4 位小写字母或数字。' },
  NodeRegisterInvalidBody: {
    en: 'The {bodyRole} {uscc} is missing, not active, or an organisation of another kind. Super and backbone nodes need a government body, a telecom operator and an operating entity; songhua organisations lists them.',
    zh: '{bodyRole} {uscc} 缺失、未处于有效状态，或机构类别不符。超级与骨干节点须有政府机构、电信运营商与运营主体；机构见 songhua organisations。',
  },
  NodeRegisterInvalidCity: { en: 'The city {city} is no code of GB/T 2260: six digits.', zh: '城市 {city} 不是 GB/T 2260 代码：应为 6 位数字。' },
  NodeRegisterInvalidIndustry: { en: 'The industry {industry} is no letter from A to T (GB/T 4754).', zh: '行业 {industry} 不是 GB/T 4754 门类字母 A 至 T。' },
  NodeRegisterInvalidKey: { en: '{publicKey} is no compressed public key of secp256k1; songhua keys show prints a node’s.', zh: '{publicKey} 不是 secp256k1 压缩公钥；节点公钥见 songhua keys show。' },
  NodeRegisterInvalidKind: { en: 'There are no nodes of kind {kind}: super, backbone or service.', zh: '没有类别为 {kind} 的节点：应为 super、backbone 或 service。' },
  NodeRegisterInvalidSignature: {
    en: 'The signature is not by the key of node {node}, or was made for another chain or for another applicant. Make the file again, with --applicant for the account that sends it.',
    zh: '签名不是节点 {node} 私钥所签，或为其他链、其他申请账户而签。请重新生成文件，并用 --applicant 指明提交账户。',
  },
  NodeRegisterIsValidator: { en: 'Node {node} is a validator, or is to become one. The council takes it out of the set first: songhua council propose changeValidators --removed {node}', zh: '节点 {node} 是验证者或即将成为验证者。请先由理事会将其移出：songhua council propose changeValidators --removed {node}' },
  NodeRegisterNoChange: { en: 'The change adds nobody and removes nobody.', zh: '变更内容为空：既未增加也未移除。' },
  NodeRegisterNoPendingChange: { en: 'No change of validators is scheduled that could be cancelled.', zh: '没有可取消的验证者变更。' },
  NodeRegisterNotApplicant: { en: 'Account {caller} did not apply for node {node}; only its applicant may change or withdraw the application.', zh: '账户 {caller} 不是节点 {node} 的申请人；只有申请人可以更改或撤回申请。' },
  NodeRegisterNotBody: {
    en: 'Account {caller} administers none of the organisations that may do this for node {node}. Act with the key of the administrator of the body in question; songhua nodes names the bodies.',
    zh: '账户 {caller} 不是节点 {node} 相应责任主体的管理员。请使用该责任主体的管理员私钥；责任主体见 songhua nodes。',
  },
  NodeRegisterTooMuchChurn: {
    en: 'As many validators as a quorum may miss, {maximum}, have exchanged their keys today (UTC), or have been suspended; try again tomorrow, or let the council take the validator out of the set first (songhua council propose changeValidators).',
    zh: '今日（UTC）已更换密钥（或已被暂停）的验证者达到 {maximum} 个，即法定人数可缺席的上限；请明日再试，或先由理事会将该验证者移出集合（songhua council propose changeValidators）。',
  },
  NodeRegisterKeyReplaced: { en: 'The key of {node} was replaced by that of {successor} and does not come back; apply with another key.', zh: '节点 {node} 的密钥已由 {successor} 取代，不能再次使用；请用其他密钥申请。' },
  NodeRegisterApplicationSpent: {
    en: 'Node {node} was admitted with just this application before (hash {applicationHash}). Who comes back says something new: renew the documents, and sign again.',
    zh: '节点 {node} 曾以完全相同的申请（哈希 {applicationHash}）获准接入。再次申请须有新的内容：请更新申请材料并重新签名。',
  },
  NodeRegisterRotatedRecently: { en: 'The key of node {node} was changed less than a day ago; a validator’s next change is possible from {notBefore} on.', zh: '节点 {node} 在一日内已更换过密钥；验证者最早可于 {notBefore} 再次更换。' },
  NodeRegisterTooFewValidators: { en: 'Only {count} validators would be left; the policy asks for {minimum}. Add another validator first.', zh: '验证者将仅剩 {count} 个，低于下限 {minimum}。请先增加验证者。' },
  NodeRegisterTooManyAdded: { en: 'The change adds {added} validators; a set of this size takes {maximum} at once. Make several changes of it.', zh: '本次增加 {added} 个验证者；该规模一次至多 {maximum} 个。请分多次变更。' },
  NodeRegisterTooManyChanges: { en: '{maximum} changes of validators are scheduled, as many as are possible. Wait until one has come into force.', zh: '已安排 {maximum} 次验证者变更，达到上限。请等待其中一次生效。' },
  NodeRegisterTooManyNodes: { en: '{maximum} nodes may connect, as many as are possible. Retire one first.', zh: '可接入节点已达上限 {maximum} 个。请先退役节点。' },
  NodeRegisterTooManyValidators: { en: 'The set would have {count} validators; {maximum} are possible.', zh: '验证者将达 {count} 个，上限 {maximum}。' },
  NodeRegisterUnconfirmed: {
    en: 'Not every body of node {node} has confirmed its application; missing: {missingBodies}. Each of them: songhua node confirm {node}',
    zh: '节点 {node} 的责任主体尚未全部确认；缺少：{missingBodies}。请其执行：songhua node confirm {node}',
  },
  NodeRegisterUnknownAcCode: { en: 'The AC code {acCode} is no node’s.', zh: 'AC 号 {acCode} 未颁发给任何节点。' },
  NodeRegisterWrongStatus: { en: 'Node {node} is {nodeStatus}, which does not allow this. songhua nodes shows what each node is.', zh: '节点 {node} {nodeStatus}，不能执行此操作。节点状态见 songhua nodes。' },
}

export const ORGANISATION_REFUSALS: Readonly<Record<string, Text>> = {
  OrganisationRegisterAccountBound: { en: 'Account {account} is bound to organisation {uscc}. It has to be released there first: songhua account release {account}', zh: '账户 {account} 已绑定机构 {uscc}。请先在该机构解除绑定：songhua account release {account}' },
  OrganisationRegisterAccountNotBound: { en: 'Account {account} is bound to no organisation.', zh: '账户 {account} 未绑定任何机构。' },
  OrganisationRegisterBelowAdministratorMinimum: { en: 'The administrator’s account {account} must keep 20,000,000 gas and 1,000,000 bytes a day, or what its organisation has: with less it could not act any more.', zh: '管理员账户 {account} 须保留每日 20,000,000 gas 与 1,000,000 字节（或其机构的全部配额），否则将无法履职。' },
  OrganisationRegisterBelowSeatMinimum: { en: 'Organisation {uscc} has a seat in the council and must keep the role administer, 20,000,000 gas and 1,000,000 bytes a day.', zh: '机构 {uscc} 有理事席位，须保留 administer 权限、每日 20,000,000 gas 与 1,000,000 字节。' },
  OrganisationRegisterExists: { en: 'Organisation {uscc} has been admitted already; songhua organisations shows it.', zh: '机构 {uscc} 已被接纳；见 songhua organisations。' },
  OrganisationRegisterInvalidAdministrator: { en: 'Account {administrator} cannot be administrator: it is the zero address, or the administrator at present.', zh: '账户 {administrator} 不能作为管理员：为零地址，或已是现任管理员。' },
  OrganisationRegisterInvalidConsent: {
    en: 'The consent is not account {account}’s for this organisation, or has been used or revoked. Ask its owner for a new one: songhua account consent',
    zh: '同意书不是账户 {account} 对本机构所签，或已使用、已撤销。请其所有人重新签署：songhua account consent',
  },
  OrganisationRegisterInvalidKind: { en: 'There are no organisations of kind {kind}.', zh: '没有类别为 {kind} 的机构。' },
  OrganisationRegisterInvalidName: { en: 'The name “{name}” is empty, or longer than 100 bytes in UTF-8.', zh: '名称“{name}”为空，或 UTF-8 长度超过 100 字节。' },
  OrganisationRegisterInvalidRoles: { en: 'The roles {roles} are not possible: they do not exist, the organisation does not have them, or its administrator would be without administer.', zh: '权限 {roles} 无效：不存在、超出机构权限，或管理员将失去 administer。' },
  OrganisationRegisterInvalidUscc: { en: '{uscc} is no unified social credit code; its check characters do not hold.', zh: '{uscc} 不是有效的统一社会信用代码，校验不成立。' },
  OrganisationRegisterIsAdministrator: { en: 'Account {account} administers its organisation and cannot be released. A lost or leaked key is replaced by the council: songhua council propose replaceAdministrator', zh: '账户 {account} 是机构管理员，不能解除绑定。私钥丢失或泄露由理事会更换：songhua council propose replaceAdministrator' },
  OrganisationRegisterNotActive: { en: 'Organisation {uscc} is suspended. The council reinstates it: songhua council propose reinstateOrganisation', zh: '机构 {uscc} 已暂停。由理事会恢复：songhua council propose reinstateOrganisation' },
  OrganisationRegisterNotAdministrator: { en: 'Account {caller} is not the administrator of an active organisation, or not of the account’s. Act with the administrator’s key; songhua organisations names it.', zh: '账户 {caller} 不是有效机构的管理员，或不是该账户所属机构的管理员。请使用管理员私钥；管理员见 songhua organisations。' },
  OrganisationRegisterNotSuspended: { en: 'Organisation {uscc} is not suspended.', zh: '机构 {uscc} 并未暂停。' },
  OrganisationRegisterSeated: { en: 'Organisation {uscc} has a seat in the council and cannot be suspended. Unseat it first: songhua council propose unseat --uscc {uscc}', zh: '机构 {uscc} 有理事席位，不能暂停。请先撤销席位：songhua council propose unseat --uscc {uscc}' },
  OrganisationRegisterTooManyAccounts: { en: 'Organisation {uscc} has {maximum} accounts, as many as it may have. Release one first.', zh: '机构 {uscc} 已有 {maximum} 个账户，达到上限。请先解除一个。' },
  OrganisationRegisterUnknown: { en: 'Organisation {uscc} has not been admitted; songhua organisations lists those that are.', zh: '机构 {uscc} 未被接纳；已接纳机构见 songhua organisations。' },
}

export const POLICY_REFUSALS: Readonly<Record<string, Text>> = {
  GovernedInvalidGovernor: { en: 'The contract {next} cannot govern: nothing is deployed there.', zh: '合约 {next} 无法接管：该地址没有代码。' },
  GovernedUnauthorized: { en: 'Account {caller} may not do this; only the council may, by a motion: songhua council propose', zh: '账户 {caller} 无权执行；须由理事会以议案决定：songhua council propose' },
  PolicyRegisterHeightTooLow: { en: 'Block {height} is too soon; the version can hold from block {minimum} at the earliest. Propose it for a later height, with time for the votes.', zh: '高度 {height} 过早；最早可自高度 {minimum} 生效。请以更晚的高度重新提出，并预留表决时间。' },
  PolicyRegisterInvalidLevels: { en: 'The levels {levels} are not possible: each door is listed, members or public.', zh: '读取级别 {levels} 无效：每个接口应为 listed、members 或 public。' },
  PolicyRegisterInvalidMinValidators: { en: 'At least {count} validators is not possible; it must be from 1 to 64.', zh: '验证者下限 {count} 无效；应为 1 至 64。' },
  PolicyRegisterInvalidMotionLifetime: { en: 'A lifetime of {seconds_} s is not possible; it must be from 3,600 to 31,536,000 s.', zh: '有效期 {seconds_} 秒无效；应为 3,600 至 31,536,000 秒。' },
  PolicyRegisterInvalidProtocolNotice: { en: 'A notice of {blocks_} blocks is not possible; it must be from 1 to 1,000,000.', zh: '协议提前量 {blocks_} 个区块无效；应为 1 至 1,000,000。' },
  PolicyRegisterInvalidReader: { en: 'The zero address {reader} cannot be a reader.', zh: '零地址 {reader} 不能作为读取者。' },
  PolicyRegisterInvalidRoles: { en: 'Newcomers cannot have the roles {roles}: of anchor, deploy and apply alone.', zh: '新账户不能有权限 {roles}：仅限 anchor、deploy、apply。' },
  PolicyRegisterInvalidValidatorNotice: { en: 'A notice of {blocks_} blocks is not possible; it must be from 1 to 100,000.', zh: '验证者提前量 {blocks_} 个区块无效；应为 1 至 100,000。' },
  PolicyRegisterNothingScheduled: { en: 'No version of the protocol is scheduled that could be cancelled.', zh: '没有可取消的协议版本。' },
  PolicyRegisterTooManyChanges: { en: '{maximum} versions of the protocol lie ahead, as many as may.', zh: '已排定 {maximum} 个未生效的协议版本，已达上限。' },
  PolicyRegisterVersionNotNext: { en: 'Version {version} does not follow the last one; the next is {next}.', zh: '版本 {version} 不是下一个版本；应为 {next}。' },
}

export const CONTRACT_REFUSALS: Readonly<Record<string, Text>> = {
  ...COUNCIL_REFUSALS, ...NODE_REFUSALS, ...ORGANISATION_REFUSALS, ...POLICY_REFUSALS,
}
