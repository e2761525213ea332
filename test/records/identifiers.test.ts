import { findPersonalNumber, findPersonalNumbers, isCitizenId } from '@songhua/sdk/records/personal-data'
import { isUscc } from '@songhua/sdk/records/uscc'
import { isUuidV7, uuidV7 } from '@songhua/sdk/records/record-id'
import { describe, expect, it } from 'vitest'
import { CITIZEN_ID } from './samples.js'

describe('unified social credit codes', () => {
  const valid = [
    '91350100M000100Y43',
    '91110000600037341L',
    '914403001922038216',
    '91440300708461136T',
    '91330100799655058B',
  ]

  it.each(valid)('%s holds', (code) => expect(isUscc(code)).toBe(true))

  it('a code with any one character changed does not hold', () => {
    for (const code of valid) {
      for (let i = 0; i < 18; i++) {
        const changed = code.slice(0, i) + (code[i] === '1' ? '2' : '1') + code.slice(i + 1)
        expect(isUscc(changed), changed).toBe(false)
      }
    }
  })

  it.each(['91350100M000100Y4Z', '91350100m000100y43', '91350100M000100Y4', '9135010OM000100Y43', ''])(
    '“%s” does not hold',
    (code) => expect(isUscc(code)).toBe(false),
  )
})

describe('numbers of natural persons', () => {
  it.each([
    [CITIZEN_ID, 'citizen-id'],
    ['11010519491231002x', 'citizen-id'],
    ['身份证１１０１０５１９４９１２３１００２Ｘ。', 'citizen-id'],
    ['110105 19491231 002X', 'citizen-id'],
    ['电话13812345678', 'mobile'],
    ['+86 138-1234-5678', 'mobile'],
    ['8613812345678', 'mobile'],
    ['6222 0200 0000 0000 006', undefined],
    ['6222021234567890128', 'bank-card'],
    ['4111-1111-1111-1111', 'bank-card'],
    [`https://id.gs1.org/01/09506000134352/21/${CITIZEN_ID}`, 'citizen-id'],
    ['https://id.gs1.org/01/09506000134352?tel=13812345678', 'mobile'],
  ])('%s: %s', (text, kind) => expect(findPersonalNumber(text)).toBe(kind))

  it.each([
    '110105194912310021',
    '110105194913310029',
    '99010519491231002X',
    'https://id.gs1.org/00/622202123456789012',
    'https://id.gs1.org/01/09506000134352/21/13812345678',
    '91110000600037341L',
    'urn:epc:id:sgtin:0614141.107346.2017',
    '哈市监许〔2026〕88号',
    '12812345678',
    '0192b6a0-0000-7000-8000-013812345678',
    'ab13812345678',
    '2026-11-23T12:00:00.000Z',
    '4111111111111112',
  ])('%s is none', (text) => expect(findPersonalNumber(text)).toBeUndefined())

  it('are found wherever they stand, and the field is named', () => {
    const found = findPersonalNumbers({ a: { 'b/c': ['x', 13812345678] }, [CITIZEN_ID]: null })
    expect(found).toEqual([
      { path: '/a/b~1c/1', kind: 'mobile' },
      { path: `/${CITIZEN_ID}`, kind: 'citizen-id' },
    ])
  })

  it('a citizen number needs a real date of birth', () => {
    expect(isCitizenId('110105194902310027')).toBe(false)
  })
})

describe('record ids', () => {
  it('are those of RFC 9562, appendix A.6', () => {
    const random = Uint8Array.of(0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f)
    expect(uuidV7(0x017f22e279b0, random)).toBe('017f22e2-79b0-7cc3-98c4-dc0c0c07398f')
  })

  it('sort by time, and know each other', () => {
    const random = new Uint8Array(10)
    const ids = [1, 2 ** 32, 2 ** 40 + 5].map((timeMs) => uuidV7(timeMs, random))
    expect([...ids].sort()).toEqual(ids)
    expect(ids.every(isUuidV7)).toBe(true)
    expect(isUuidV7('0192b6a0-0000-4000-8000-000000000001')).toBe(false)
  })

  it.each([[-1, 10], [2 ** 48, 10], [1.5, 10], [1, 9]])('refuse a time of %s and %s random bytes', (timeMs, length) => {
    expect(() => uuidV7(timeMs, new Uint8Array(length))).toThrow(expect.objectContaining({ code: 'RECORD_ID_INPUT' }))
  })
})
