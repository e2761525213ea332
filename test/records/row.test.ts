import type { JsonSchema } from '@songhua/sdk/records/schema-types'
import { createRowReader, rowToPayload } from '@songhua/sdk/records/row'
import { describe, expect, it } from 'vitest'
import { EVENT, LICENCE, NOW_MS, PENALTY, registry } from './samples.js'

const licence = registry.get('government.licence')
const penalty = registry.get('government.penalty')
const judicial = registry.get('government.judicial-evidence')
const objectEvent = registry.get('trace.object-event')
const own = (schema: JsonSchema) => ({ ...licence, schema })

/** Under their Chinese titles, as a legacy system exports them. */
const exported = Object.fromEntries(
  Object.entries(LICENCE).map(([code, value]) => [licence.schema.properties![code]!.title!, value]),
)

describe('a row as payload', () => {
  it('takes columns by the codes of the fields, and by their titles in Chinese and English', () => {
    const english = Object.fromEntries(
      Object.entries(LICENCE).map(([code, value]) => [licence.schema.properties![code]!['x-en']!, value]),
    )
    expect(Object.keys(exported)).toContain('行政许可决定文书号')
    expect(Object.keys(english)).toContain('number of the decision')
    for (const row of [{ ...LICENCE }, exported, english]) {
      expect(rowToPayload(licence, row)).toEqual({ payload: LICENCE, violations: [] })
    }
  })

  it('gives numbers where the schema has numbers', () => {
    const row = Object.fromEntries(Object.entries(PENALTY).map(([code, value]) => [code, String(value)]))
    const { payload } = rowToPayload(penalty, row)
    expect(payload).toEqual(PENALTY)
    expect(registry.validate({ schema: penalty.id, payload }, { nowMs: NOW_MS })).toEqual([])
  })

  it('does not mind width, case and spaces of a heading, nor spaces around a cell', () => {
    const row = { '\uFEFF罚款金额(万元) ': ' 1,234.50 ', cf_wsh: '　哈市监罚〔2026〕7号 ' }
    expect(rowToPayload(penalty, row)).toEqual({
      payload: { CF_NR_FK: 1234.5, CF_WSH: '哈市监罚〔2026〕7号' },
      violations: [],
    })
  })

  it('leaves fields of empty cells out', () => {
    expect(rowToPayload(licence, { XK_WSH: '', BZ: ' 　' })).toEqual({ payload: {}, violations: [] })
  })

  it('fills objects by dots, and lists by numbers or by one cell', () => {
    const row = {
      'environment.system': 'UOS 20', 校时来源: '国家授时中心', 关联记录: 'a;b；c;', 字节数: '５',
    }
    expect(rowToPayload(judicial, row).payload).toEqual({
      environment: { system: 'UOS 20', clockSource: '国家授时中心' },
      relatedRecords: ['a', 'b', 'c'],
      sizeBytes: 5,
    })
    const documents = {
      'bizTransactionList.0.type': 'po', 'bizTransactionList.0.bizTransaction': 'urn:x:1',
      'bizTransactionList.1.bizTransaction': 'urn:x:2',
      quantityList: '[{"epcClass":"urn:x:3","quantity":4}]', ilmd: '{"x:lot":"A1"}', 'x:grade': '一等',
    }
    expect(rowToPayload(objectEvent, documents)).toEqual({
      payload: {
        bizTransactionList: [{ type: 'po', bizTransaction: 'urn:x:1' }, { bizTransaction: 'urn:x:2' }],
        quantityList: [{ epcClass: 'urn:x:3', quantity: 4 }],
        ilmd: { 'x:lot': 'A1' },
        'x:grade': '一等',
      },
      violations: [],
    })
  })

  it('follows a mapping before names, and leaves out what the mapping says', () => {
    const row = { 时间: EVENT.eventTime, 标识: EVENT.epcList[0], action: 'OBSERVE', 库位: EVENT.readPoint.id, 内部编号: '77' }
    const mapping = { 时间: 'eventTime', 标识: 'epcList', 库位: 'readPoint.id', 内部编号: '' }
    expect(rowToPayload(objectEvent, row, mapping)).toEqual({
      payload: { eventTime: EVENT.eventTime, epcList: EVENT.epcList, action: 'OBSERVE', readPoint: EVENT.readPoint },
      violations: [],
    })
  })

  it('prefers the field of the record to one inside another of the same title', () => {
    expect(rowToPayload(judicial, { 'SHA-256 摘要': 'ab' }).payload).toEqual({ sha256: 'ab' })
  })

  it.each<[string, JsonSchema, string, unknown]>([
    ['yes', { type: 'boolean' }, '是', true],
    ['no', { type: 'boolean' }, 'FALSE', false],
    ['a negative number', { type: 'number' }, '-0.5', -0.5],
    ['a number with exponent', { type: 'number' }, '1.2E+3', 1200],
    ['a whole number with a point', { type: 'integer' }, '3.0', 3],
    ['a listed number', { enum: [1, 2] }, '2', 2],
    ['a number or a text', { type: ['number', 'string'] }, '甲', '甲'],
    ['a text of digits', { type: 'string' }, '0012', '0012'],
    ['numbers in a list', { type: 'array', items: { type: 'integer' } }, '1; 2', [1, 2]],
    ['a text, where a list is possible too', { type: ['string', 'array'] }, 'a;b', 'a;b'],
    ['one object for a list', { type: 'array', items: { type: 'object' } }, '{"a":"1;2"}', [{ a: '1;2' }]],
    ['a list in brackets of texts', { type: 'array', items: { type: 'string' } }, '[a];[b]', ['[a]', '[b]']],
  ])('reads %s', (_, schema, cell, value) => {
    expect(rowToPayload(own({ properties: { f: schema } }), { f: cell })).toEqual({ payload: { f: value }, violations: [] })
  })
})

describe('violations of a row', () => {
  it('name the column, and the field in both languages; the cell stays for validation', () => {
    expect(rowToPayload(penalty, { '罚款金额（万元）': '五千' })).toEqual({
      payload: { CF_NR_FK: '五千' },
      violations: [
        {
          column: '罚款金额（万元）', path: '/CF_NR_FK', code: 'TYPE',
          zh: '列“罚款金额（万元）”：罚款金额（万元）（CF_NR_FK）应为数字',
          en: 'Column "罚款金额（万元）": CF_NR_FK (fine, in ten thousand yuan) must be a number',
        },
      ],
    })
  })

  it.each<[string, JsonSchema, string]>([
    ['no number', { type: 'number' }, '12万'],
    ['hexadecimal', { type: 'number' }, '0x10'],
    ['commas out of place', { type: 'number' }, '1,23'],
    ['more digits than a number keeps', { type: 'number' }, '1234567890123456'],
    ['an infinite number', { type: 'number' }, '1e999'],
    ['half a whole number', { type: 'integer' }, '1.5'],
    ['neither yes nor no', { type: 'boolean' }, '有'],
    ['a list with a bad entry', { type: 'array', items: { type: 'integer' } }, '1;x'],
    ['objects without JSON', { type: 'array', items: { type: 'object' } }, 'a;b'],
    ['broken JSON', { type: 'object' }, '{"a":'],
    ['JSON of another type', { type: 'array', items: { type: 'object' } }, '1'],
  ])('%s', (_, schema, cell) => {
    const { payload, violations } = rowToPayload(own({ properties: { f: schema } }), { f: cell })
    expect(violations).toMatchObject([{ column: 'f', path: '/f', code: 'TYPE' }])
    expect(payload).toEqual({ f: cell })
  })

  const columns = (row: Record<string, string>, mapping?: Record<string, string>) =>
    rowToPayload(licence, row, mapping).violations.map(({ column, code, zh, en }) => [column, code, zh, en])

  it('name columns that fill no field', () => {
    expect(columns({ XK_WSH: '1', 传真: '2' })).toEqual([
      ['传真', 'COLUMN', '列“传真”：该模式没有字段“传真”；请用字段名、字段中文名或列映射',
        'Column "传真": the schema has no field "传真"; name the field, its title, or map the column'],
    ])
    const [wrong] = columns({ 文号: '1' }, { 文号: 'XK_WSHH' })
    expect(wrong!.slice(2)).toEqual([expect.stringContaining('“XK_WSHH”'), expect.stringContaining('"XK_WSHH"')])
  })

  it.each<[string, Record<string, string>, Record<string, string> | undefined, string]>([
    ['two columns for one field', { XK_WSH: '1', 行政许可决定文书号: '2' }, undefined, '行政许可决定文书号'],
    ['a mapped column that is not there', { XK_WSH: '1' }, { 文号: 'XK_WSH' }, '文号'],
    ['a path into a text', { a: '1' }, { a: 'XK_WSH.x' }, 'a'],
    ['the prototype', { a: '1' }, { a: '__proto__.polluted' }, 'a'],
    ['a property of the prototype', { constructor: '1' }, undefined, 'constructor'],
  ])('%s', (_, row, mapping, column) => {
    expect(columns(row, mapping).map((one) => one.slice(0, 2))).toEqual([[column, 'COLUMN']])
    expect(({} as { polluted?: string }).polluted).toBeUndefined()
  })

  it('name all fields that a title could mean', () => {
    const two = own({ properties: { a: { title: '编号' }, b: { title: '编号' } } })
    const { payload, violations } = rowToPayload(two, { 编号: '1' })
    expect(payload).toEqual({})
    expect(violations).toMatchObject([{ column: '编号', code: 'COLUMN', zh: expect.stringContaining('a、b') as string }])
  })
})

describe('a reader of rows', () => {
  it('tells of the heading once, and of each row its own', () => {
    const reader = createRowReader(penalty, ['罚款金额（万元）', '传真'])
    expect(reader.violations.map(({ column }) => column)).toEqual(['传真'])
    expect(reader.read({ '罚款金额（万元）': '1', 传真: '2' })).toEqual({ payload: { CF_NR_FK: 1 }, violations: [] })
    expect(reader.read({ '罚款金额（万元）': 'x' }).violations).toHaveLength(1)
    expect(reader.read({})).toEqual({ payload: {}, violations: [] })
  })

  it('finds the column behind what validation says', () => {
    const reader = createRowReader(objectEvent, ['标识', '库位', '动作'], { 标识: 'epcList', 库位: 'readPoint.id' })
    const { payload } = reader.read({ 标识: 'urn:x:1;no uri', 库位: 'x', 动作: 'MOVE' })
    const found = registry.validate({ schema: objectEvent.id, payload }, { nowMs: NOW_MS })
    expect(found.map(({ path }) => [path, reader.columnOf(path)]).sort()).toEqual([
      ['/action', '动作'], ['/epcList/1', '标识'], ['/eventTime', undefined], ['/eventTimeZoneOffset', undefined],
      ['/readPoint/id', '库位'], ['/type', undefined],
    ])
    expect(reader.columnOf('/readPoint')).toBe('库位')
    expect(reader.columnOf('')).toBeUndefined()
  })
})
