import { type PayloadOf, createRecordBuilder } from '@songhua/sdk/records/builder'
import { createSchemaRegistry } from '@songhua/sdk/records/schema-registry'
import { RECORD_SCHEMAS, type SCHEMAS } from '@songhua/sdk/records/schemas/catalogue'

/** Real codes of public bodies and companies; the persons are invented. */
export const USCC = { company: '91110000600037341L', shop: '914403001922038216', bureau: '91350100M000100Y43' }
export const CITIZEN_ID = '11010519491231002X'
export const NOW_MS = Date.parse('2026-11-23T12:00:00+08:00')
export const RECORD_ID = '0192b6a0-0000-7000-8000-000000000001'

export const registry = createSchemaRegistry(RECORD_SCHEMAS)

/** Time and chance stand still: the same input gives the same record. */
export const builder = createRecordBuilder(registry, {
  nowMs: () => NOW_MS,
  randomBytes: (length) => Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 255),
})

export const LICENCE = {
  XK_XDR_MC: '松花江食品有限公司',
  XK_XDR_TYPE: '法人及非法人组织',
  XK_XDR_SHXYM: USCC.company,
  XK_FRDB: '张三',
  XK_FR_SFZH: CITIZEN_ID,
  XK_XKWS: '食品经营许可决定书',
  XK_WSH: '哈市监许〔2026〕88号',
  XK_XKLB: '普通',
  XK_NR: '预包装食品销售',
  XK_JDRQ: '2026/10/01',
  XK_YXQZ: '2026/10/01',
  XK_YXQZI: '2031/09/30',
  XK_XKJG: '市场监督管理局',
  XK_XKJGDM: USCC.bureau,
  XK_ZT: '有效',
  XK_LYDW: '市场监督管理局',
  XK_LYDWDM: USCC.bureau,
} as const

export const PENALTY = {
  CF_XDR_MC: '李四',
  CF_XDR_TYPE: '自然人',
  CF_XDR_ZJLX: '身份证',
  CF_XDR_ZJHM: CITIZEN_ID,
  CF_WSH: '哈市监罚〔2026〕7号',
  CF_WFXW: '无照经营',
  CF_SY: '未取得营业执照从事经营活动',
  CF_YJ: '《无证无照经营查处办法》第十三条',
  CF_CFLB: '罚款',
  CF_NR: '罚款人民币五千元',
  CF_NR_FK: 0.5,
  CF_JDRQ: '2026-09-01',
  CF_GSJZQ: '2027-09-01',
  CF_CFJG: '市场监督管理局',
  CF_CFJGDM: USCC.bureau,
  CF_SJLY: '市场监督管理局',
  CF_SJLYDM: USCC.bureau,
} as const

export const REPAIR = {
  name: '松花江食品有限公司',
  personType: '法人及非法人组织',
  uscc: USCC.company,
  authority: '市场监督管理局',
  authorityCode: USCC.bureau,
  repairedRecord: RECORD_ID,
  gravity: '一般',
  publishedOn: '2026-05-31',
  appliedOn: '2026-08-20',
  repairedOn: '2026-08-31',
  correction: '已缴清罚款并整改',
  promise: '承诺今后守法诚信经营',
} as const

export const ENTRY = {
  consentRecord: RECORD_ID,
  provider: '某银行',
  providerCode: USCC.shop,
  category: '借贷',
  isAdverse: true,
  content: '逾期 90 天',
  occurredOn: '2025-01-01',
  endedOn: '2025-04-01',
  keptUntil: '2030-04-01',
} as const

export const EVENT = {
  type: 'ObjectEvent',
  eventTime: '2026-10-01T08:00:00+08:00',
  eventTimeZoneOffset: '+08:00',
  epcList: ['urn:epc:id:sgtin:0614141.107346.2017'],
  action: 'OBSERVE',
  bizStep: 'shipping',
  readPoint: { id: 'urn:epc:id:sgln:0614141.07346.1234' },
} as const

const FILE = { name: 'a.html', mediaType: 'text/html', sizeBytes: 5, sha256: 'ab'.repeat(32) } as const
const COMPANY = { name: '某公司', personType: '法人及非法人组织', uscc: USCC.company } as const
const AUTHORITY = { authority: '某局', authorityCode: USCC.bureau } as const
const EVENT_TIME = { eventTime: EVENT.eventTime, eventTimeZoneOffset: '+08:00' } as const
const [ITEM] = EVENT.epcList
const PARCEL = 'urn:epc:id:sscc:4047023.0111111122'

/** A payload for each builder. */
export const PAYLOADS: { readonly [K in keyof typeof SCHEMAS]: PayloadOf<K> } = {
  licence: LICENCE,
  penalty: PENALTY,
  document: { ...FILE, documentType: '公证书', issuedOn: '2026-01-01', issuedBy: '公证处' },
  judicialEvidence: {
    ...FILE,
    evidenceType: '网页',
    source: '某网站',
    generation: '服务器生成',
    operator: '王五',
    storageProcess: '取证后即上链',
    captureStartedAt: '2026-11-01T09:00:00+08:00',
    captureEndedAt: '2026-11-01T09:05:00+08:00',
    environment: {
      system: 'UOS 20', software: '取证 3.1', network: '政务外网', clockSource: '国家授时中心', cleanlinessCheck: '已查杀',
    },
  },
  objectEvent: EVENT,
  aggregationEvent: { type: 'AggregationEvent', ...EVENT_TIME, action: 'ADD', parentID: PARCEL, childEPCs: [ITEM] },
  transactionEvent: {
    type: 'TransactionEvent',
    ...EVENT_TIME,
    action: 'ADD',
    epcList: [ITEM],
    bizTransactionList: [{ type: 'po', bizTransaction: 'urn:epcglobal:cbv:bt:4012345123456:1' }],
  },
  transformationEvent: {
    type: 'TransformationEvent',
    ...EVENT_TIME,
    inputQuantityList: [{ epcClass: 'urn:epc:class:lgtin:4054739.099902.P2', quantity: 12, uom: 'KGM' }],
    outputEPCList: [ITEM],
  },
  associationEvent: { type: 'AssociationEvent', ...EVENT_TIME, action: 'ADD', parentID: PARCEL, childEPCs: [ITEM] },
  creditPromise: {
    ...COMPANY,
    promiseType: '主动公示型',
    content: '守法',
    promisedOn: '2026-01-01',
    fulfilment: '履行中',
    acceptedBy: '某局',
    acceptedByCode: USCC.bureau,
  },
  seriousListing: {
    ...COMPANY,
    ...AUTHORITY,
    listName: '严重违法失信名单',
    decisionNumber: '1号',
    reason: '拒不履行',
    legalBasis: '办法',
    listedOn: '2026-01-01',
  },
  incentive: { ...COMPANY, ...AUTHORITY, honour: 'A 级纳税人', measures: ['绿色通道'], decidedOn: '2026-01-01' },
  repair: REPAIR,
  consent: {
    subjectName: '李四',
    identityDocument: CITIZEN_ID,
    grantee: '某行',
    granteeCode: USCC.shop,
    scope: ['借贷'],
    purpose: '贷前审查',
    grantedAt: '2026-01-01T00:00:00Z',
    expiresAt: '2027-01-01T00:00:00Z',
    method: '书面',
  },
  creditEntry: ENTRY,
  creditQuery: {
    consentRecord: RECORD_ID,
    querier: '某行',
    querierCode: USCC.shop,
    operator: '王五',
    purpose: '贷前审查',
    queriedAt: '2026-01-01T00:00:00Z',
  },
  objection: {
    consentRecord: RECORD_ID, disputedRecord: RECORD_ID, claim: '有误', raisedOn: '2026-01-01', outcome: '核查中',
  },
}
