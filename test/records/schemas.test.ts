import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readEpcisDocument } from '@songhua/sdk/records/epcis-hash'
import type { RecordSchema } from '@songhua/sdk/records/record-schema'
import type { JsonSchema } from '@songhua/sdk/records/schema-types'
import { describe, expect, it } from 'vitest'
import { ENTRY, EVENT, LICENCE, NOW_MS, PAYLOADS, PENALTY, REPAIR, registry } from './samples.js'

/** `code path` of every failing field. */
const failures = (schema: string, payload: object): string[] =>
  registry.validate({ schema, payload }, { nowMs: NOW_MS }).map(({ code, path }) => `${code} ${path}`)

const without = (record: object, ...keys: string[]): object =>
  Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)))

describe('government records', () => {
  it('a licence and a penalty hold', () => {
    expect(failures('government.licence', LICENCE)).toEqual([])
    expect(failures('government.penalty', PENALTY)).toEqual([])
  })

  it('names every failing field at once, in Chinese and English', () => {
    const bad = {
      ...without(LICENCE, 'XK_WSH'),
      XK_XDR_SHXYM: '91350100M000100Y4Z',
      XK_JDRQ: '2026/13/01',
      XK_YXQZI: '2020/01/01',
      FAX: 1,
    }
    const found = registry.validate({ schema: 'government.licence', payload: bad }, { nowMs: NOW_MS })
    expect(found.map(({ code, path }) => `${code} ${path}`)).toEqual([
      'REQUIRED /XK_WSH', 'FORMAT /XK_XDR_SHXYM', 'FORMAT /XK_JDRQ', 'UNKNOWN_FIELD /FAX', 'DATE_ORDER /XK_YXQZI',
    ])
    expect(found[0]).toMatchObject({
      zh: '行政许可决定文书号（XK_WSH）必填',
      en: 'XK_WSH (number of the decision) is required',
    })
  })

  it('names a field in both languages where a rule inside asks for it', () => {
    const payload = { ...LICENCE, XK_XDR_TYPE: '自然人', XK_XDR_ZJLX: '护照' }
    const [violation] = registry.validate({ schema: 'government.licence', payload }, { nowMs: NOW_MS })
    expect(violation).toMatchObject({
      zh: '证件号码（XK_XDR_ZJHM）必填',
      en: 'XK_XDR_ZJHM (number of the identity document) is required',
    })
  })

  it.each<[string, object, string[]]>([
    ['an organisation without its code', without(LICENCE, 'XK_XDR_SHXYM'), ['REQUIRED /XK_XDR_SHXYM']],
    [
      'a person without a document',
      { ...LICENCE, XK_XDR_TYPE: '自然人' },
      ['REQUIRED /XK_XDR_ZJLX', 'REQUIRED /XK_XDR_ZJHM'],
    ],
    ['a decision of tomorrow', { ...LICENCE, XK_JDRQ: '2026-11-24' }, ['FUTURE_DATE /XK_JDRQ']],
    ['a wrong citizen number', { ...LICENCE, XK_FR_SFZH: '110105194912310021' }, ['FORMAT /XK_FR_SFZH']],
    ['a kind of person there is not', { ...LICENCE, XK_XDR_TYPE: '企业' }, ['VALUE /XK_XDR_TYPE']],
  ])('a licence: %s', (_, payload, expected) => expect(failures('government.licence', payload)).toEqual(expected))

  it.each<[string, object, string[]]>([
    ['a fine without its amount', without(PENALTY, 'CF_NR_FK'), ['REQUIRED /CF_NR_FK']],
    ['an amount as text', { ...PENALTY, CF_NR_FK: '0.5' }, ['TYPE /CF_NR_FK']],
    ['a negative amount', { ...PENALTY, CF_NR_FK: -1 }, ['RANGE /CF_NR_FK']],
    ['publication that ends before it begins', { ...PENALTY, CF_GSJZQ: '2026-08-31' }, ['DATE_ORDER /CF_GSJZQ']],
    ['an identity card with a wrong number', { ...PENALTY, CF_XDR_ZJHM: '123' }, ['FORMAT /CF_XDR_ZJHM']],
  ])('a penalty: %s', (_, payload, expected) => expect(failures('government.penalty', payload)).toEqual(expected))

  it('judicial evidence tells of its capture', () => {
    const { judicialEvidence: evidence, document } = PAYLOADS
    expect(failures('government.judicial-evidence', evidence)).toEqual([])
    const blind = {
      ...evidence,
      environment: { system: 'UOS 20', network: 1 },
      captureEndedAt: '2026-11-01T08:00:00+08:00',
    }
    expect(failures('government.judicial-evidence', blind).sort()).toEqual([
      'DATE_ORDER /captureEndedAt', 'REQUIRED /environment/cleanlinessCheck', 'REQUIRED /environment/clockSource',
      'REQUIRED /environment/software', 'TYPE /environment/network',
    ])
    expect(failures('government.document', document)).toEqual([])
    expect(failures('government.document', { ...document, sha256: 'AB' })).toEqual(['PATTERN /sha256'])
  })
})

describe('trace records', () => {
  const folder = join(import.meta.dirname, '../vectors/epcis')
  const read = (name: string): Record<string, unknown> =>
    JSON.parse(readFileSync(join(folder, name), 'utf8')) as Record<string, unknown>
  const schemaOf = (type: unknown): string => `trace.${String(type).replace('Event', '').toLowerCase()}-event`

  it.each(readdirSync(folder).filter((name) => name.endsWith('.jsonld')))('every event of %s holds', (name) => {
    const { events } = readEpcisDocument(read(name))
    for (const event of events) expect(failures(schemaOf(event.type), event)).toEqual([])
  })

  const times = { eventTime: EVENT.eventTime, eventTimeZoneOffset: '+08:00' }
  const epcs = ['urn:epc:id:sscc:4047023.0111111122']
  const amounts = [{ epcClass: 'urn:epc:class:lgtin:4054739.099902.P2', quantity: 12, uom: 'KGM' }]
  const documents = [{ type: 'po', bizTransaction: 'urn:epcglobal:cbv:bt:4012345123456:1' }]
  const [parent] = epcs

  it.each<[string, object]>([
    ['ObjectEvent', { action: 'OBSERVE', epcList: [] }],
    ['ObjectEvent', { action: 'ADD', quantityList: amounts, ilmd: { 'x:lot': 1 } }],
    [
      'ObjectEvent',
      {
        action: 'OBSERVE',
        readPoint: { id: 'geo:45,126' },
        sensorElementList: [{ sensorReport: [{ type: 'Temperature', value: 4 }] }],
      },
    ],
    ['AggregationEvent', { action: 'OBSERVE', childEPCs: epcs }],
    ['AggregationEvent', { action: 'DELETE', parentID: parent }],
    ['TransactionEvent', { action: 'DELETE', bizTransactionList: documents }],
    ['TransformationEvent', { transformationID: 'urn:x:1', outputEPCList: epcs }],
    ['TransformationEvent', { inputQuantityList: amounts, outputEPCList: epcs }],
    ['AssociationEvent', { action: 'ADD', parentID: parent, childQuantityList: amounts }],
  ])('%s %j holds', (type, fields) => expect(failures(schemaOf(type), { type, ...times, ...fields })).toEqual([]))

  it.each<[string, object, string[]]>([
    ['ObjectEvent', { epcList: epcs }, ['REQUIRED /action']],
    ['ObjectEvent', { action: 'OBSERVE' }, ['COMBINATION ']],
    [
      'ObjectEvent',
      { action: 'OBSERVE', sensorElementList: [{ sensorReport: [{ type: 'Temperature' }] }] },
      ['COMBINATION '],
    ],
    ['ObjectEvent', { action: 'OBSERVE', epcList: epcs, ilmd: {} }, ['VALUE /action']],
    ['ObjectEvent', { action: 'OBSERVE', epcList: epcs, childEPCs: epcs }, ['UNKNOWN_FIELD /childEPCs']],
    ['ObjectEvent', { action: 'MOVE', epcList: ['not a uri'] }, ['FORMAT /epcList/0', 'VALUE /action']],
    ['AggregationEvent', { action: 'ADD', childEPCs: epcs }, ['REQUIRED /parentID']],
    ['AggregationEvent', { action: 'ADD', parentID: parent }, ['COMBINATION ']],
    ['TransactionEvent', { action: 'ADD', epcList: epcs }, ['REQUIRED /bizTransactionList']],
    ['TransactionEvent', { action: 'ADD', bizTransactionList: [], epcList: epcs }, ['ITEMS /bizTransactionList']],
    ['TransactionEvent', { action: 'ADD', bizTransactionList: documents }, ['COMBINATION ']],
    ['TransformationEvent', { inputEPCList: epcs }, ['COMBINATION ']],
    ['TransformationEvent', { transformationID: 'urn:x:1' }, ['COMBINATION ']],
    ['TransformationEvent', { inputEPCList: epcs, outputEPCList: epcs, action: 'ADD' }, ['UNKNOWN_FIELD /action']],
    ['AssociationEvent', { action: 'ADD', childEPCs: epcs }, ['REQUIRED /parentID']],
    [
      'AssociationEvent',
      { action: 'ADD', parentID: parent, childQuantityList: [{ quantity: -1 }] },
      ['RANGE /childQuantityList/0/quantity', 'REQUIRED /childQuantityList/0/epcClass'],
    ],
  ])('%s %j fails', (type, fields, expected) => {
    expect(failures(schemaOf(type), { type, ...times, ...fields }).sort()).toEqual(expected)
  })

  it('times have zones', () => {
    const bad = { ...EVENT, eventTime: '2026-10-01 08:00', eventTimeZoneOffset: '+15:00' }
    expect(failures('trace.object-event', bad)).toEqual(['FORMAT /eventTime', 'PATTERN /eventTimeZoneOffset'])
  })
})

describe('credit records', () => {
  it.each<[string, object, string[]]>([
    ['three months on', REPAIR, []],
    ['a day too early', { ...REPAIR, repairedOn: '2026-08-30' }, ['DATE_ORDER /repairedOn']],
    ['a grave one after three months', { ...REPAIR, gravity: '严重' }, ['DATE_ORDER /repairedOn']],
    ['a grave one after a year', { ...REPAIR, gravity: '严重', publishedOn: '2025-05-31' }, []],
    ['a slight one at once', { ...REPAIR, gravity: '轻微', repairedOn: '2026-08-20' }, []],
    [
      'without correction and promise',
      without(REPAIR, 'correction', 'promise'),
      ['REQUIRED /correction', 'REQUIRED /promise'],
    ],
  ])('repair: %s', (_, payload, expected) => expect(failures('credit.public.repair', payload)).toEqual(expected))

  it.each<[string, object, string[]]>([
    ['five years', ENTRY, []],
    ['longer than five years', { ...ENTRY, keptUntil: '2030-04-02' }, ['DATE_ORDER /keptUntil']],
    ['without an end', without(ENTRY, 'keptUntil'), ['REQUIRED /keptUntil']],
    ['without consent', without(ENTRY, 'consentRecord'), ['REQUIRED /consentRecord']],
    ['of a forbidden kind', { ...ENTRY, religion: '…' }, ['UNKNOWN_FIELD /religion']],
  ])('adverse information kept %s', (_, payload, expected) => {
    expect(failures('credit.reporting.entry', payload)).toEqual(expected)
  })

  it.each<[string, object]>([
    ['credit.public.promise', PAYLOADS.creditPromise],
    ['credit.public.serious-listing', PAYLOADS.seriousListing],
    ['credit.public.incentive', PAYLOADS.incentive],
    ['credit.reporting.consent', PAYLOADS.consent],
    ['credit.reporting.query', PAYLOADS.creditQuery],
    ['credit.reporting.objection', PAYLOADS.objection],
  ])('%s holds, and every field it requires is missed', (schema, payload) => {
    expect(failures(schema, payload)).toEqual([])
    const { required } = registry.get(schema).schema
    expect(failures(schema, {})).toEqual(required!.map((field) => `REQUIRED /${field}`))
  })
})

describe('the catalogue', () => {
  const fieldsOf = (id: string): string[] => Object.keys(registry.get(id).schema.properties!).sort()
  const PERSON = [
    'XDR_MC', 'XDR_TYPE', 'XDR_SHXYM', 'XDR_GSZC', 'XDR_ZZJG', 'XDR_SWDJ', 'XDR_SYDW', 'XDR_SHZZ', 'FRDB', 'FR_SFZH',
    'XDR_ZJLX', 'XDR_ZJHM',
  ]
  const XK = [
    'XKWS', 'WSH', 'XKLB', 'XKZS', 'XKBH', 'NR', 'JDRQ', 'YXQZ', 'YXQZI', 'XKJG', 'XKJGDM', 'ZT', 'LYDW', 'LYDWDM',
  ]
  const CF = [
    'WSH', 'WFXW', 'SY', 'YJ', 'CFLB', 'NR', 'NR_FK', 'NR_WFFF', 'NR_ZKDX', 'JDRQ', 'YXQ', 'GSJZQ', 'CFJG', 'CFJGDM',
    'SJLY', 'SJLYDM',
  ]

  it.each([
    ['government.licence', 'XK', XK],
    ['government.penalty', 'CF', CF],
  ])('%s has every field code of 双公示, and no other', (id, prefix, codes) => {
    expect(fieldsOf(id)).toEqual([...[...PERSON, ...codes].map((code) => `${prefix}_${code}`), 'BZ'].sort())
  })

  it('names every field in Chinese and English', () => {
    const unnamed = (schema: JsonSchema, path: string): string[] =>
      Object.entries(schema.properties ?? {}).flatMap(([key, field]) => {
        const here = field.title === undefined || field['x-en'] === undefined ? [`${path}/${key}`] : []
        return [...here, ...unnamed(field, `${path}/${key}`), ...(field.items ? unnamed(field.items, `${path}/${key}`) : [])]
      })
    for (const { id, schema } of registry.list()) expect(unnamed(schema, id)).toEqual([])
  })

  const ofFamily = (prefix: string): RecordSchema[] => registry.list().filter(({ id }) => id.startsWith(prefix))

  it('keeps credit reporting apart from public credit', () => {
    expect(ofFamily('credit.')).toHaveLength(ofFamily('credit.public.').length + ofFamily('credit.reporting.').length)
    for (const reporting of ofFamily('credit.reporting.')) {
      expect(reporting).toMatchObject({ subjects: ['commitment'] })
      expect(reporting.subjectField).toBeUndefined()
      const consented = reporting.id === 'credit.reporting.consent' || reporting.schema.required!.includes('consentRecord')
      expect(consented).toBe(true)
    }
    for (const { id, schema } of ofFamily('credit.public.')) {
      expect(schema).toMatchObject({ additionalProperties: false })
      expect(fieldsOf(id)).not.toContain('consentRecord')
      expect(failures(id, PAYLOADS.creditEntry)).toContain('UNKNOWN_FIELD /consentRecord')
    }
    expect(failures('credit.reporting.entry', PAYLOADS.seriousListing)).toContain('UNKNOWN_FIELD /listName')
  })
})
