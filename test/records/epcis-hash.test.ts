import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { epcisEventHash, epcisPreHash, readEpcisDocument } from '@songhua/sdk/records/epcis-hash'
import { describe, expect, it } from 'vitest'

const folder = join(import.meta.dirname, '../vectors/epcis')
const documents = readdirSync(folder).filter((name) => name.endsWith('.jsonld'))
const read = (name: string): ReturnType<typeof readEpcisDocument> =>
  readEpcisDocument(JSON.parse(readFileSync(join(folder, name), 'utf8')) as Record<string, unknown>)

describe('the event hash id of CBV 2.0', () => {
  it.each(documents)('is the published one for every event of %s', (name) => {
    const published = readFileSync(join(folder, name.replace('.jsonld', '.hashes')), 'utf8').trim().split('\n')
    const { events, options } = read(name)
    expect(events.map((event) => epcisEventHash(event, options))).toEqual(published)
  })

  const event = {
    type: 'ObjectEvent',
    eventTime: '2026-10-01T08:00:00+08:00',
    eventTimeZoneOffset: '+08:00',
    epcList: ['urn:epc:id:sgtin:0614141.107346.2017', 'urn:epc:id:sgtin:0614141.107346.2018'],
    action: 'OBSERVE',
    bizStep: 'shipping',
    readPoint: { id: 'urn:epc:id:sgln:0614141.07346.1234' },
  }

  it('is one for all ways to write an event down', () => {
    const same = {
      recordTime: '2026-10-02T00:00:00Z',
      eventID: 'urn:uuid:0192b6a0-0000-7000-8000-000000000001',
      readPoint: { id: 'https://trace.example.cn/414/0614141073467/254/1234?x=1' },
      bizStep: 'urn:epcglobal:cbv:bizstep:shipping',
      action: 'OBSERVE',
      epcList: [
        'https://example.cn/x/gtin/10614141073464/ser/2018',
        'https://id.gs1.org/01/10614141073464/10/L1/21/2017',
      ],
      eventTimeZoneOffset: '+08:00',
      eventTime: '2026-10-01T00:00:00.00004Z',
      type: 'ObjectEvent',
      errorDeclaration: { declarationTime: '2026-10-03T00:00:00Z', reason: 'incorrect_data' },
    }
    expect(epcisPreHash(same)).toBe(epcisPreHash(event))
    expect(epcisEventHash({ ...event, bizStep: 'cbv:BizStep-shipping' })).toBe(epcisEventHash(event))
  })

  it.each([
    ['eventTime', '2026-10-01T08:00:00.001+08:00'],
    ['eventTimeZoneOffset', '+09:00'],
    ['action', 'ADD'],
    ['bizStep', 'receiving'],
    ['epcList', ['urn:epc:id:sgtin:0614141.107346.2017']],
    ['readPoint', { id: event.readPoint.id, 'example:floor': 3 }],
    ['example:temperature', -18.5],
  ])('is another when %s is another', (field, value) => {
    expect(epcisEventHash({ ...event, [field]: value })).not.toBe(epcisEventHash(event))
  })

  it('writes numbers, booleans and nothing at all in one way', () => {
    const extension = {
      'x:a': '007.50',
      'x:b': true,
      'x:c': 1e-7,
      'x:d': 1e21,
      'x:e': { 'x:f': ['b', 'a'] },
      'x:g': '',
    }
    const text = epcisPreHash({ type: 'ObjectEvent', ...extension }, { context: { x: 'urn:x:' } })
    expect(text).toBe(
      'eventType=ObjectEvent{urn:x:}a=7.5{urn:x:}b=true{urn:x:}c=1e-07{urn:x:}d=1000000000000000000000' +
        '{urn:x:}e{urn:x:}f=a{urn:x:}f=b{urn:x:}g',
    )
  })
})
