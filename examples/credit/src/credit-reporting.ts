// 征信: by consent. The chain sees of the person a keyed commitment only, and every record names the consent behind it.
import {
  type AnchoredRecord, type GatewayConnection, type PayloadBySchema, type TrustAnchorFile, commitSubject, isSonghuaError,
} from '@songhua/sdk'

/** Of nobody: born in 1900. */
const PERSON = { name: '李示范', citizenId: '230103190001010014' }
const AGENCY = { name: '松花示范征信有限公司（虚构）', code: '91230199EXAMPLA16X' }
const BANK = { name: '松花江示范村镇银行（虚构）', code: '91230102EXAMPLB12N' }

const CONSENT: PayloadBySchema['credit.reporting.consent'] = {
  subjectName: PERSON.name,
  identityDocument: PERSON.citizenId,
  grantee: BANK.name,
  granteeCode: BANK.code,
  scope: ['借贷', '担保'],
  purpose: '贷前审查',
  grantedAt: '2025-03-01T09:12:00+08:00',
  expiresAt: '2026-03-01T00:00:00+08:00',
  method: '电子签名',
}

const entryUnder = (consentRecord: string): PayloadBySchema['credit.reporting.entry'] => ({
  consentRecord,
  provider: BANK.name,
  providerCode: BANK.code,
  category: '借贷',
  isAdverse: true,
  content: '个人经营贷款逾期 34 天，已结清。',
  amountYuan: 18_600,
  occurredOn: '2024-11-06',
  endedOn: '2024-12-10',
  // Five years after the adverse act ended, and not a day more: article 16 of 征信业管理条例.
  keptUntil: '2029-12-10',
})

const queryUnder = (consentRecord: string): PayloadBySchema['credit.reporting.query'] => ({
  consentRecord,
  querier: BANK.name,
  querierCode: BANK.code,
  operator: '信贷审查岗 07',
  purpose: '贷前审查',
  queriedAt: '2025-03-01T09:20:31+08:00',
})

const objectionTo = (consentRecord: string, disputedRecord: string): PayloadBySchema['credit.reporting.objection'] => ({
  consentRecord,
  disputedRecord,
  claim: '逾期系银行系统切换未扣款所致，申请更正。',
  raisedOn: '2025-03-12',
  answeredOn: '2025-03-28',
  outcome: '维持原信息',
  answer: '经核查，扣款账户余额不足，维持原信息；本人声明已附注。',
})

/** @param key of the bureau: whoever has it can tell which commitments are whose, so it never leaves the house */
export async function creditReporting(
  songhua: GatewayConnection,
  key: { id: string; secret: Uint8Array },
  trustAnchor: TrustAnchorFile,
): Promise<AnchoredRecord> {
  const { records } = songhua
  const subject = commitSubject(key, { scheme: 'citizen-id', id: PERSON.citizenId })
  console.log(`${AGENCY.name}: subject 主体 ${subject.keyId}:${subject.value.slice(0, 16)}…`)

  const consent = await records.anchor({ schema: 'credit.reporting.consent', subject, payload: CONSENT })
  const entry = await records.anchor({ schema: 'credit.reporting.entry', subject, payload: entryUnder(consent.id) })
  const query = await records.anchor({ schema: 'credit.reporting.query', subject, payload: queryUnder(consent.id) })
  console.log(`consent 授权 ${consent.id}\nentry 信息 ${entry.id}\nquery 查询 ${query.id}`)

  // While an objection is open, the entry is held: nobody may erase what is disputed.
  await records.hold(entry.id, '异议处理中')
  const payload = objectionTo(consent.id, entry.id)
  const objection = await records.anchor({ schema: 'credit.reporting.objection', subject, payload })
  console.log(`objection 异议 ${objection.id}: ${payload.outcome}`)
  console.log(`erase 删除: ${await codeOf(records.erase(entry.id))}`)
  await records.release(entry.id)

  // The consent is withdrawn, so the bank's entry goes: payload and key are destroyed, the proof stands.
  const withdrawn = { ...CONSENT, revokedAt: '2025-05-06T14:00:00+08:00' }
  await records.anchor({ schema: 'credit.reporting.consent', subject, payload: withdrawn, supersedes: consent.id })
  await records.erase(entry.id)
  const { payload: state } = await records.get(entry.id)
  console.log(`consent withdrawn 授权已撤回; payload 载荷 ${state}, reading it 读取: ${await codeOf(records.payload(entry.id))}`)
  const { valid } = await records.verify(await records.evidence(entry.id), { trustAnchor })
  console.log(`evidence of the erased record 已删除记录的存证: ${valid ? 'valid 有效' : 'INVALID 无效'}`)
  return entry
}

async function codeOf(refused: Promise<unknown>): Promise<string> {
  try {
    await refused
    return 'done'
  } catch (error) {
    if (!isSonghuaError(error)) throw error
    return `${error.code} (${error.message})`
  }
}
