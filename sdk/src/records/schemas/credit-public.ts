import type { RecordSchema } from '../record-schema.js'
import { PERSON_TYPES, choice, date, formatted, listOf, longText, pastDate, text, uscc } from './fields.js'

/** Public credit 公共信用: what authorities publish. Credit reporting 征信 is another matter, in its own schemas. */

const subjectFields = {
  name: text('主体名称', 'name'),
  personType: choice('主体类别', 'kind of subject', PERSON_TYPES),
  uscc: uscc('统一社会信用代码', 'unified social credit code'),
  identityDocument: text('证件号码', 'number of the identity document'),
} as const
const authorityFields = {
  authority: text('认定单位', 'authority'),
  authorityCode: uscc('认定单位统一社会信用代码', 'code of the authority'),
} as const

const organisationsHaveCodes = [
  {
    if: { required: ['personType'], properties: { personType: { enum: PERSON_TYPES.slice(0, 2) } } },
    then: { required: ['uscc'] },
  },
]
const base = {
  retention: '10y',
  subjects: ['public', 'commitment'],
  subjectField: { field: 'uscc', scheme: 'uscc' },
} as const
const draft = 'https://json-schema.org/draft/2020-12/schema'

export const creditPromise = {
  ...base,
  id: 'credit.public.promise',
  version: '1',
  title: { zh: '信用承诺', en: 'credit promise' },
  schema: {
    $schema: draft, type: 'object', title: '信用承诺', 'x-en': 'credit promise',
    properties: {
      ...subjectFields,
      promiseType: choice('承诺类型', 'kind of promise', ['审批替代型', '主动公示型', '行业自律型', '信用修复型', '证明事项型', '其他']),
      content: longText('承诺内容', 'what is promised'),
      consequences: longText('违诺责任', 'what follows a breach'),
      promisedOn: pastDate('承诺日期', 'date of the promise'),
      validUntil: date('有效期至', 'valid until'),
      fulfilment: choice('履约状态', 'fulfilment', ['履行中', '已履行', '未履行']),
      acceptedBy: text('受理单位', 'accepting body'),
      acceptedByCode: uscc('受理单位统一社会信用代码', 'code of the accepting body'),
    },
    required: [
      'name', 'personType', 'promiseType', 'content', 'promisedOn', 'fulfilment', 'acceptedBy', 'acceptedByCode',
    ],
    additionalProperties: false,
    allOf: organisationsHaveCodes,
    'x-dateOrder': [['promisedOn', 'validUntil']],
  },
} as const satisfies RecordSchema

export const seriousListing = {
  ...base,
  id: 'credit.public.serious-listing',
  version: '1',
  title: { zh: '严重失信主体名单', en: 'list of seriously untrustworthy subjects' },
  schema: {
    $schema: draft, type: 'object', title: '严重失信主体名单', 'x-en': 'list of seriously untrustworthy subjects',
    properties: {
      ...subjectFields,
      ...authorityFields,
      listName: text('名单名称', 'name of the list'),
      decisionNumber: text('列入决定文书号', 'number of the decision'),
      reason: longText('列入事由', 'reason'),
      legalBasis: longText('列入依据', 'legal basis'),
      listedOn: pastDate('列入日期', 'date of listing'),
      removedOn: pastDate('移出日期', 'date of removal'),
      publicationEndsOn: date('公示截止日期', 'publication ends'),
    },
    required: [
      'name', 'personType', 'authority', 'authorityCode', 'listName', 'decisionNumber', 'reason', 'legalBasis',
      'listedOn',
    ],
    additionalProperties: false,
    allOf: organisationsHaveCodes,
    'x-dateOrder': [['listedOn', 'removedOn'], ['listedOn', 'publicationEndsOn']],
  },
} as const satisfies RecordSchema

export const incentive = {
  ...base,
  id: 'credit.public.incentive',
  version: '1',
  title: { zh: '守信激励', en: 'incentive for trustworthiness' },
  schema: {
    $schema: draft, type: 'object', title: '守信激励', 'x-en': 'incentive for trustworthiness',
    properties: {
      ...subjectFields,
      ...authorityFields,
      honour: text('荣誉或红名单名称', 'honour or list'),
      decisionNumber: text('认定文书号', 'number of the decision'),
      reviewYear: { type: 'integer', title: '评价年度', 'x-en': 'year of review', minimum: 1990, maximum: 2200 },
      measures: listOf('激励措施', 'measures', text('措施', 'measure')),
      decidedOn: pastDate('认定日期', 'date of the decision'),
      expiresOn: date('有效期至', 'expires'),
    },
    required: ['name', 'personType', 'authority', 'authorityCode', 'honour', 'measures', 'decidedOn'],
    additionalProperties: false,
    allOf: organisationsHaveCodes,
    'x-dateOrder': [['decidedOn', 'expiresOn']],
  },
} as const satisfies RecordSchema

const isGrave = (gravity: string) => ({ required: ['gravity'], properties: { gravity: { const: gravity } } })
const notBefore = (months: number) => ({
  'x-monthsAfter': [{ from: 'publishedOn', field: 'repairedOn', min: months }],
  properties: { publishedOn: date('公示起始日期', 'published since'), repairedOn: date('修复日期', 'date of repair') },
})

/** 信用修复管理办法 (in force 2026-04-01): at least 3 months published for 一般, 12 for 严重; the decider repairs. */
export const repair = {
  ...base,
  id: 'credit.public.repair',
  version: '1',
  title: { zh: '信用修复', en: 'credit repair' },
  schema: {
    $schema: draft, type: 'object', title: '信用修复', 'x-en': 'credit repair',
    properties: {
      ...subjectFields,
      ...authorityFields,
      repairedRecord: formatted('被修复记录编号', 'id of the record repaired', 'uuid'),
      gravity: choice('失信程度', 'gravity', ['轻微', '一般', '严重']),
      publishedOn: pastDate('公示起始日期', 'published since'),
      appliedOn: pastDate('申请日期', 'date of application'),
      repairedOn: pastDate('修复日期', 'date of repair'),
      correction: longText('纠正失信行为情况', 'how it was put right'),
      promise: longText('信用承诺', 'credit promise'),
      decisionNumber: text('修复决定文书号', 'number of the decision'),
    },
    required: [
      'name', 'personType', 'authority', 'authorityCode', 'repairedRecord', 'gravity', 'publishedOn', 'appliedOn',
      'repairedOn', 'correction', 'promise',
    ],
    additionalProperties: false,
    allOf: [
      ...organisationsHaveCodes,
      { if: isGrave('一般'), then: notBefore(3) },
      { if: isGrave('严重'), then: notBefore(12) },
    ],
    'x-dateOrder': [['publishedOn', 'appliedOn'], ['appliedOn', 'repairedOn']],
  },
} as const satisfies RecordSchema
