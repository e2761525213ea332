import type { RecordSchema } from '../record-schema.js'
import { amount, choice, date, formatted, listOf, longText, pastDate, pastTime, text, time, uscc } from './fields.js'

/**
 * Credit reporting 征信, by consent (征信业管理条例). Kept apart from public credit: the subject appears in public only
 * as a keyed commitment, and all but the consent itself name the consent they rest on.
 */

const draft = 'https://json-schema.org/draft/2020-12/schema'
const base = { retention: 'consent', subjects: ['commitment'] } as const
const consentRecord = formatted('授权记录编号', 'id of the consent record', 'uuid')
const PURPOSES = ['贷前审查', '贷后管理', '担保审查', '任职审查', '本人查询', '异议处理', '其他'] as const

export const consent = {
  ...base,
  id: 'credit.reporting.consent',
  version: '1',
  title: { zh: '征信授权', en: 'consent to credit reporting' },
  schema: {
    $schema: draft, type: 'object', title: '征信授权', 'x-en': 'consent to credit reporting',
    properties: {
      subjectName: text('信息主体', 'subject'),
      identityDocument: text('证件号码', 'number of the identity document'),
      grantee: text('被授权机构', 'who may ask'),
      granteeCode: uscc('被授权机构统一社会信用代码', 'code of who may ask'),
      scope: listOf('授权范围', 'scope', text('信息类别', 'kind of information')),
      purpose: choice('用途', 'purpose', PURPOSES),
      grantedAt: pastTime('授权时间', 'granted at'),
      expiresAt: time('到期时间', 'expires at'),
      revokedAt: pastTime('撤回时间', 'revoked at'),
      method: choice('授权方式', 'how it was given', ['书面', '电子签名', '柜面', '其他']),
    },
    required: [
      'subjectName', 'identityDocument', 'grantee', 'granteeCode', 'scope', 'purpose', 'grantedAt', 'expiresAt',
      'method',
    ],
    additionalProperties: false,
    'x-dateOrder': [['grantedAt', 'expiresAt'], ['grantedAt', 'revokedAt']],
  },
} as const satisfies RecordSchema

/** Adverse information is kept five years from the end of the act or event: article 16. */
export const creditEntry = {
  ...base,
  id: 'credit.reporting.entry',
  version: '1',
  title: { zh: '征信信息', en: 'credit reporting entry' },
  schema: {
    $schema: draft, type: 'object', title: '征信信息', 'x-en': 'credit reporting entry',
    properties: {
      consentRecord,
      provider: text('信息提供者', 'provider'),
      providerCode: uscc('信息提供者统一社会信用代码', 'code of the provider'),
      category: choice('信息类别', 'category', ['借贷', '担保', '租赁', '赊购', '公用事业缴费', '其他']),
      isAdverse: { type: 'boolean', title: '不良信息', 'x-en': 'adverse' },
      content: longText('信息内容', 'content'),
      amountYuan: amount('金额（元）', 'amount in yuan'),
      occurredOn: pastDate('发生日期', 'date of the event'),
      endedOn: pastDate('不良行为终止日期', 'date the adverse act ended'),
      keptUntil: date('保存期限', 'kept until'),
      subjectStatement: longText('信息主体说明', 'statement of the subject'),
    },
    required: ['consentRecord', 'provider', 'providerCode', 'category', 'isAdverse', 'content', 'occurredOn'],
    additionalProperties: false,
    allOf: [
      {
        if: { required: ['isAdverse'], properties: { isAdverse: { const: true } } },
        then: {
          required: ['endedOn', 'keptUntil'],
          'x-monthsAfter': [{ from: 'endedOn', field: 'keptUntil', max: 60 }],
        },
      },
    ],
    'x-dateOrder': [['occurredOn', 'endedOn'], ['endedOn', 'keptUntil']],
  },
} as const satisfies RecordSchema

export const creditQuery = {
  ...base,
  retention: '5y',
  id: 'credit.reporting.query',
  version: '1',
  title: { zh: '征信查询', en: 'credit reporting query' },
  schema: {
    $schema: draft, type: 'object', title: '征信查询', 'x-en': 'credit reporting query',
    properties: {
      consentRecord,
      querier: text('查询机构', 'who asked'),
      querierCode: uscc('查询机构统一社会信用代码', 'code of who asked'),
      operator: text('操作人', 'operator'),
      purpose: choice('查询用途', 'purpose', PURPOSES),
      reason: longText('查询原因', 'reason'),
      queriedAt: pastTime('查询时间', 'asked at'),
    },
    required: ['consentRecord', 'querier', 'querierCode', 'operator', 'purpose', 'queriedAt'],
    additionalProperties: false,
  },
} as const satisfies RecordSchema

export const objection = {
  ...base,
  retention: '5y',
  id: 'credit.reporting.objection',
  version: '1',
  title: { zh: '征信异议', en: 'objection to a credit reporting entry' },
  schema: {
    $schema: draft, type: 'object', title: '征信异议', 'x-en': 'objection to a credit reporting entry',
    properties: {
      consentRecord,
      disputedRecord: formatted('被异议记录编号', 'id of the disputed record', 'uuid'),
      claim: longText('异议内容', 'what is disputed'),
      raisedOn: pastDate('提出日期', 'raised on'),
      answeredOn: pastDate('答复日期', 'answered on'),
      outcome: choice('处理结果', 'outcome', ['核查中', '已更正', '维持原信息', '已删除']),
      answer: longText('书面答复', 'written answer'),
    },
    required: ['consentRecord', 'disputedRecord', 'claim', 'raisedOn', 'outcome'],
    additionalProperties: false,
    'x-dateOrder': [['raisedOn', 'answeredOn']],
  },
} as const satisfies RecordSchema
