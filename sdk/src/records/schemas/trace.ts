import type { Bilingual } from '../schema-types.js'
import { amount, choice, formatted, pastTime, text, time } from './fields.js'

/** EPCIS 2.0 events, with the required-field rules of its JSON schema. Extensions are named `prefix:name`. */

const extensions = { '^[^:]+:.+$': {} } as const
const uri = (title: string, en: string) => formatted(title, en, 'uri')
const uris = (title: string, en: string) =>
  ({ type: 'array', title, 'x-en': en, maxItems: 10_000, items: uri('标识', 'identifier') }) as const
/** A word of the Core Business Vocabulary, or a URI. */
const vocabulary = (title: string, en: string) =>
  ({ ...text(title, en), pattern: '^([A-Za-z][A-Za-z0-9_]*|[A-Za-z][A-Za-z0-9+.-]*:\\S+)$' }) as const
interface Entry<P extends object, R extends readonly string[]> {
  fields: P
  required: R
}

const listed = <const P extends object, const R extends readonly string[]>(
  title: string,
  en: string,
  of: Entry<P, R>,
) =>
  ({
    type: 'array', title, 'x-en': en, maxItems: 10_000,
    items: {
      type: 'object', properties: of.fields, patternProperties: extensions, required: of.required,
      additionalProperties: false,
    },
  }) as const

const quantities = (title: string, en: string) =>
  listed(title, en, {
    fields: {
      epcClass: uri('批次或品类', 'class or lot'),
      quantity: amount('数量', 'quantity'),
      uom: { ...text('计量单位', 'unit of measure'), pattern: '^[A-Z0-9]{2,3}$' },
    },
    required: ['epcClass'],
  })
const place = (title: string, en: string) =>
  ({
    type: 'object', title, 'x-en': en, properties: { id: uri('地点标识', 'place identifier') },
    patternProperties: extensions, required: ['id'], additionalProperties: false,
  }) as const
type Party<K extends string> = { type: ReturnType<typeof vocabulary> } & Record<K, ReturnType<typeof uri>>

const party = <K extends 'source' | 'destination'>(key: K, title: string, en: string) =>
  listed(title, en, {
    fields: { type: vocabulary('类型', 'type'), [key]: uri(title, en) } as Party<K>,
    required: ['type', key],
  })

const number = (title: string, en: string) => ({ type: 'number', title, 'x-en': en }) as const
const deviceFields = {
  deviceID: uri('设备', 'device'),
  deviceMetadata: uri('设备说明', 'about the device'),
  rawData: uri('原始数据', 'raw data'),
  dataProcessingMethod: uri('处理方法', 'processing method'),
  time: time('时间', 'time'),
} as const
const sensorReport = listed('测量值', 'sensor report', {
  fields: {
    ...deviceFields,
    type: vocabulary('测量类型', 'type of measurement'),
    exception: vocabulary('异常', 'exception'),
    microorganism: uri('微生物', 'microorganism'),
    chemicalSubstance: uri('化学物质', 'chemical substance'),
    component: vocabulary('分量', 'component'),
    stringValue: text('文本值', 'text value'),
    booleanValue: { type: 'boolean', title: '布尔值', 'x-en': 'true or false' },
    hexBinaryValue: { ...text('十六进制值', 'hexadecimal value'), pattern: '^[A-Fa-f0-9]+$' },
    uriValue: uri('URI 值', 'URI value'),
    value: number('值', 'value'),
    minValue: number('最小值', 'minimum'),
    maxValue: number('最大值', 'maximum'),
    meanValue: number('平均值', 'mean'),
    sDev: number('标准差', 'standard deviation'),
    percRank: number('百分位', 'percentile rank'),
    percValue: number('百分位值', 'percentile value'),
    uom: text('计量单位', 'unit of measure'),
    coordinateReferenceSystem: uri('坐标系', 'coordinate reference system'),
  },
  required: ['type'],
})
const sensorElements = listed('传感数据', 'sensor elements', {
  fields: {
    sensorMetadata: {
      type: 'object', title: '传感说明', 'x-en': 'sensor metadata',
      properties: {
        ...deviceFields,
        startTime: time('开始时间', 'start time'),
        endTime: time('结束时间', 'end time'),
        bizRules: uri('业务规则', 'business rules'),
      },
      patternProperties: extensions, additionalProperties: false, 'x-dateOrder': [['startTime', 'endTime']],
    },
    sensorReport,
  },
  required: ['sensorReport'],
})

const commonFields = {
  '@context': { type: ['string', 'object', 'array'], title: 'JSON-LD 上下文', 'x-en': 'JSON-LD context' },
  eventTime: pastTime('事件时间', 'time of the event'),
  eventTimeZoneOffset: {
    ...text('事件时区', 'time zone of the event'), pattern: '^[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00)$',
    'x-message': {
      zh: '事件时区应为 -14:00 至 +14:00，如 +08:00',
      en: 'eventTimeZoneOffset must be -14:00 to +14:00, such as +08:00',
    },
  },
  eventID: uri('事件标识', 'event identifier'),
  recordTime: time('记录时间', 'time of the record'),
  errorDeclaration: {
    type: 'object', title: '更正声明', 'x-en': 'error declaration',
    properties: {
      declarationTime: time('声明时间', 'time of the declaration'),
      reason: vocabulary('原因', 'reason'),
      correctiveEventIDs: uris('更正事件', 'corrective events'),
    },
    patternProperties: extensions, required: ['declarationTime'], additionalProperties: false,
  },
  certificationInfo: { type: ['string', 'array'], title: '认证信息', 'x-en': 'certification' },
  bizStep: vocabulary('业务步骤', 'business step'),
  disposition: vocabulary('状态', 'disposition'),
  persistentDisposition: {
    type: 'object', title: '持续状态', 'x-en': 'persistent disposition',
    properties: {
      set: { type: 'array', title: '设定状态', 'x-en': 'dispositions set', items: vocabulary('状态', 'disposition') },
      unset: { type: 'array', title: '取消状态', 'x-en': 'dispositions unset', items: vocabulary('状态', 'disposition') },
    },
    additionalProperties: false,
  },
  readPoint: place('读取点', 'read point'),
  bizLocation: place('业务地点', 'business location'),
  bizTransactionList: listed('业务单据', 'business transactions', {
    fields: { type: vocabulary('单据类型', 'type'), bizTransaction: uri('单据', 'transaction') },
    required: ['bizTransaction'],
  }),
  sourceList: party('source', '来源方', 'source'),
  destinationList: party('destination', '去向方', 'destination'),
  sensorElementList: sensorElements,
} as const

const action = choice('动作', 'action', ['OBSERVE', 'ADD', 'DELETE'])
const parentID = uri('上级标识', 'parent')
const childEPCs = uris('下级标识', 'children')
const childQuantityList = quantities('下级数量', 'quantities of children')
const epcList = uris('标识清单', 'identifiers')
const quantityList = quantities('数量清单', 'quantities')
const ilmd = { type: 'object', title: '批次主数据', 'x-en': 'instance and lot master data' } as const

const filled = (key: string) => ({ required: [key], properties: { [key]: { minItems: 1 } } })
const isDelete = { required: ['action'], properties: { action: { const: 'DELETE' } } }

const oneOf = (message: Bilingual, choices: readonly object[]) => ({ anyOf: choices, 'x-message': message })

const hasChildren = oneOf(
  {
    zh: '至少需要 childEPCs 或 childQuantityList，除非 action 为 DELETE',
    en: 'childEPCs or childQuantityList is required, unless action is DELETE',
  },
  [filled('childEPCs'), filled('childQuantityList'), isDelete],
)

interface EventKind<I extends string, T extends string, P extends object, R extends readonly string[]> {
  id: I
  type: T
  title: Bilingual
  fields: P
  required: R
  rules: readonly object[]
}

const ALWAYS_REQUIRED = ['type', 'eventTime', 'eventTimeZoneOffset'] as const

/** One event type: what all have, and its own. */
const eventSchema = <
  const I extends string,
  const T extends string,
  const P extends object,
  const R extends readonly string[],
>(
  kind: EventKind<I, T, P, R>,
) =>
  ({
    id: `trace.${kind.id}`,
    version: '1',
    title: kind.title,
    retention: '10y',
    subjects: ['public', 'commitment'],
    naturalKey: 'epcis-event-hash',
    schema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      title: kind.title.zh,
      'x-en': kind.title.en,
      properties: { type: { title: '事件类型', 'x-en': 'event type', const: kind.type }, ...commonFields, ...kind.fields },
      patternProperties: extensions,
      required: [...ALWAYS_REQUIRED, ...kind.required] as readonly ((typeof ALWAYS_REQUIRED)[number] | R[number])[],
      additionalProperties: false,
      ...(kind.rules.length === 0 ? {} : { allOf: kind.rules }),
    },
  }) as const

const ONLY_ADD = { zh: '有 ilmd 时 action 只能为 ADD', en: 'action must be ADD where there is ilmd' }

export const objectEvent = eventSchema({
  id: 'object-event',
  type: 'ObjectEvent',
  title: { zh: '对象事件', en: 'object event' },
  fields: { epcList, quantityList, action, ilmd },
  required: ['action'],
  rules: [
    oneOf(
      {
        zh: '至少需要 epcList、quantityList，或 sensorElementList 与 readPoint',
        en: 'epcList, quantityList, or sensorElementList with readPoint is required',
      },
      [
        { required: ['epcList'] },
        filled('quantityList'),
        { allOf: [filled('sensorElementList'), { required: ['readPoint'] }] },
      ],
    ),
    {
      if: { required: ['ilmd'] },
      then: { properties: { action: { const: 'ADD', 'x-message': ONLY_ADD } } },
    },
  ],
})

export const aggregationEvent = eventSchema({
  id: 'aggregation-event',
  type: 'AggregationEvent',
  title: { zh: '聚合事件', en: 'aggregation event' },
  fields: { parentID, childEPCs, childQuantityList, action },
  required: ['action'],
  rules: [
    hasChildren,
    {
      if: { required: ['action'], properties: { action: { enum: ['ADD', 'DELETE'] } } },
      then: { required: ['parentID'] },
    },
  ],
})

export const transactionEvent = eventSchema({
  id: 'transaction-event',
  type: 'TransactionEvent',
  title: { zh: '交易事件', en: 'transaction event' },
  fields: {
    parentID, epcList, quantityList, action,
    bizTransactionList: { ...commonFields.bizTransactionList, minItems: 1 },
  },
  required: ['action', 'bizTransactionList'],
  rules: [
    oneOf(
      {
        zh: '至少需要 epcList 或 quantityList，除非 action 为 DELETE',
        en: 'epcList or quantityList is required, unless action is DELETE',
      },
      [{ required: ['epcList'] }, filled('quantityList'), isDelete],
    ),
  ],
})

const INPUTS = [filled('inputEPCList'), filled('inputQuantityList')]
const OUTPUTS = [filled('outputEPCList'), filled('outputQuantityList')]

export const transformationEvent = eventSchema({
  id: 'transformation-event',
  type: 'TransformationEvent',
  title: { zh: '转化事件', en: 'transformation event' },
  fields: {
    transformationID: uri('转化标识', 'transformation identifier'),
    inputEPCList: uris('投入标识', 'inputs'),
    inputQuantityList: quantities('投入数量', 'quantities of inputs'),
    outputEPCList: uris('产出标识', 'outputs'),
    outputQuantityList: quantities('产出数量', 'quantities of outputs'),
    ilmd,
  },
  required: [],
  rules: [
    {
      if: { required: ['transformationID'] },
      then: oneOf({ zh: '至少需要一项投入或产出', en: 'an input or an output is required' }, [...INPUTS, ...OUTPUTS]),
      else: {
        allOf: [
          oneOf({
            zh: '至少需要 inputEPCList 或 inputQuantityList',
            en: 'inputEPCList or inputQuantityList is required',
          }, INPUTS),
          oneOf({
            zh: '至少需要 outputEPCList 或 outputQuantityList',
            en: 'outputEPCList or outputQuantityList is required',
          }, OUTPUTS),
        ],
      },
    },
  ],
})

export const associationEvent = eventSchema({
  id: 'association-event',
  type: 'AssociationEvent',
  title: { zh: '关联事件', en: 'association event' },
  fields: { parentID, childEPCs, childQuantityList, action },
  required: ['action', 'parentID'],
  rules: [hasChildren],
})
