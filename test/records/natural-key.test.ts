import { epcisEventHash } from '@songhua/sdk/records/epcis-hash'
import { gs1Subject } from '@songhua/sdk/records/subject'
import { describe, expect, it } from 'vitest'
import { EVENT, builder } from './samples.js'

const keyOf = (payload: Record<string, unknown>): string | undefined =>
  builder.build({ id: 'trace.object-event' }, { payload, subject: gs1Subject(EVENT.epcList[0]), issuer: 'did:web:mill.example' }).naturalKey

describe('the natural key of an event', () => {
  const declared = { ...EVENT, errorDeclaration: { declarationTime: '2026-10-02T08:00:00+08:00', reason: 'incorrect_data' } }

  it('is that of the same event again, whatever is said of its record', () => {
    expect(keyOf({ ...EVENT, recordTime: '2026-10-02T08:00:00+08:00' })).toBe(keyOf(EVENT))
  })

  it('tells the declaration that an event is wrong from the event, though both have one hash', () => {
    expect(epcisEventHash(declared)).toBe(epcisEventHash(EVENT))
    expect(keyOf(declared)).not.toBe(keyOf(EVENT))
    expect(keyOf({ ...declared, recordTime: '2026-10-03T08:00:00+08:00' })).toBe(keyOf(declared))
  })
})
