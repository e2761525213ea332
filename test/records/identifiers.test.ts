import { findPersonalNumber, findPersonalNumbers, isCitizenId } from '@songhua/sdk/records/personal-data'
import { isUscc } from '@songhua/sdk/protocol/uscc'
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
  const mobile = '13812345678'
  const card = '6222021234567890128'
  const inScript = (zero: number): string => [...mobile].map((digit) => String.fromCodePoint(zero + Number(digit))).join('')

  it.each([
    [CITIZEN_ID, 'citizen-id'],
    ['11010519491231002x', 'citizen-id'],
    ['身份证１１０１０５１９４９１２３１００２Ｘ。', 'citizen-id'],
    ['110105 19491231 002X', 'citizen-id'],
    ['110105.19491231.002X', 'citizen-id'],
    ['电话13812345678', 'mobile'],
    ['+86 138-1234-5678', 'mobile'],
    ['8613812345678', 'mobile'],
    ['08613812345678', 'mobile'],
    ['0086 138 1234 5678', 'mobile'],
    ['+86138 1234 5678', 'mobile'],
    ['(86)13812345678', 'mobile'],
    ['6222021234567890128', 'bank-card'],
    ['4111-1111-1111-1111', 'bank-card'],
    ['4111.1111.1111.1111', 'bank-card'],
  ])('%s: %s', (text, kind) => expect(findPersonalNumber(text)).toBe(kind))

  it.each([
    [`2026-${mobile}`, 'mobile'],
    [`2026 ${mobile}`, 'mobile'],
    [`${mobile}-1`, 'mobile'],
    [`${mobile} 13912345678`, 'mobile'],
    [`a_${mobile}`, 'mobile'],
    [`2026/${mobile}/1`, 'mobile'],
    [`${CITIZEN_ID}-01`, 'citizen-id'],
    [`1-${CITIZEN_ID}`, 'citizen-id'],
    ['230103199001011237-01', 'citizen-id'],
    ['1-230103199001011237', 'citizen-id'],
    ['230103199001011237 230103199001011237', 'citizen-id'],
    ['ID230103199001011237', 'citizen-id'],
    ['230103199001011237号', 'citizen-id'],
    ['x230103199001011237y', 'citizen-id'],
    [`${card}-0001`, 'bank-card'],
    [`tel${mobile}`, 'mobile'],
    [`SJ${mobile}`, 'mobile'],
  ])('among other numbers and letters, %s: %s', (text, kind) => expect(findPersonalNumber(text)).toBe(kind))

  it.each<[string, string, string]>([
    ['dots', '138.1234.5678', 'mobile'],
    ['slashes', '138/1234/5678', 'mobile'],
    ['underscores', '138_1234_5678', 'mobile'],
    ['en dashes', '138–1234–5678', 'mobile'],
    ['no-break spaces', '138\u00a01234\u00a05678', 'mobile'],
    ['two spaces', '138  1234  5678', 'mobile'],
    ['a tab', '138\t1234\t5678', 'mobile'],
    ['a line break', '138\n1234\n5678', 'mobile'],
    ['a space of no width', '138\u200b12345678', 'mobile'],
    ['a joiner', '230103199\u200d001011237', 'citizen-id'],
    ['a soft hyphen', '1381234\u00ad5678', 'mobile'],
    ['percent-encoding', 'urn:x:%3138%31234%35678', 'mobile'],
    ['percent-encoded full-width digits', `urn:x:${encodeURIComponent(inScript(0xff10))}`, 'mobile'],
    ['full-width digits', inScript(0xff10), 'mobile'],
    ['Arabic-Indic digits', inScript(0x660), 'mobile'],
    ['Devanagari digits', inScript(0x966), 'mobile'],
    ['mathematical digits', inScript(0x1d7ce), 'mobile'],
    ['Adlam digits', inScript(0x1e950), 'mobile'],
  ])('are not hidden by %s', (_, text, kind) => expect(findPersonalNumber(text)).toBe(kind))

  it.each([
    ['https://id.gs1.org/8018/230103199001011237', 'citizen-id'],
    ['https://example.cn/gsrn/230103199001011237', 'citizen-id'],
    [`https://id.gs1.org/00/${CITIZEN_ID}`, 'citizen-id'],
    ['urn:x:/party/230103199001011237', 'citizen-id'],
    [`https://example.cn/01/${mobile}`, 'mobile'],
    [`https://id.gs1.org/414/${mobile}`, 'mobile'],
    [`https://id.gs1.org/417/86${mobile}`, 'mobile'],
    [`https://id.gs1.org/01/09506000134352/21/${CITIZEN_ID}`, 'citizen-id'],
    ['https://id.gs1.org/01/09506000134353/21/13812345678', 'mobile'],
    ['https://id.gs1.org/01/09506000134352?tel=13812345678', 'mobile'],
    ['https://example.cn/?to=/01/09506000134352/21/13812345678', 'mobile'],
  ])('are not hidden in what looks like a GS1 key: %s', (text, kind) => expect(findPersonalNumber(text)).toBe(kind))

  it.each([
    ['no citizen of that date and check', ['110105194912310021', '110105194913310029', '99010519491231002X']],
    ['no mobile', ['12812345678', 'ab13812345678', 'SN13812345678Z', '1381234567', '138123456789']],
    ['no card', ['4111111111111112', '6222 0200 0000 0000 006']],
    ['credit codes', ['91110000600037341L', '914403001922038216', '91440300708461136T', 'uscc:11230100MB10000107']],
    [
      'numbers of documents',
      ['哈食经许字〔2026〕第0001号', '哈市监许〔2026〕88号', '(2026)黑01民初1381号', 'JY12301020012345', '2026-0001-12345'],
    ],
    ['times', ['2026-11-23T12:00:00.000Z', '2026-11-23 12:00:00', '20261123120000', '2026/11/23 12:00']],
    [
      'GS1 links',
      [
        'https://id.gs1.org/01/09506000134352/21/13812345678',
        'https://id.gs1.org/01/09506000134352/10/4111111111111111',
        'https://id.gs1.org/01/04006381333931/21/123',
        'https://id.gs1.org/00/106141412345678908',
        'https://id.gs1.org/414/6901234567892/254/13812345678',
        'https://id.gs1.org/417/6901234567892',
        'https://id.gs1.org/8018/690123456789012343',
        'https://id.gs1.org/8003/04006381333931123',
        'https://id.gs1.org/253/4006381333931123',
        'https://example.com/gtin/4006381333931/lot/AB12',
      ],
    ],
    ['EPC URNs', ['urn:epc:id:sgtin:0614141.107346.2017', 'urn:epc:id:sgtin:4006381.033393.123', 'urn:epc:id:sscc:0614141.1234567890']],
    [
      'ids and digests',
      [
        '0192b6a0-0000-7000-8000-013812345678',
        'urn:uuid:41111111-1111-4111-8111-086138123456',
        `sha256:${'1'.repeat(14)}230103199001011237${'f'.repeat(32)}`,
        'did:ethr:0x1381234567800000000000000000000000000000',
      ],
    ],
    [
      'addresses and coordinates',
      ['http://192.168.10.100:8645/', 'geo:45.8,130.36188888', 'https://www.hlj.gov.cn/art/2026/11/23/art_1393_4567890.html'],
    ],
  ])('are none: %s', (_, texts) => {
    expect(texts.filter((text) => findPersonalNumber(text) !== undefined)).toEqual([])
  })

  it('are looked for in a long text in one go', () => {
    // Each would take minutes if its digits were joined, or its slashes looked back from, over and over.
    const parts = ['1 ', '/01/', '1'.padEnd(500), '%31%', 'https://a/01/', '\u0661 ']
    expect(parts.map((part) => findPersonalNumber(part.repeat(200_000 / part.length)))).toEqual(parts.map(() => undefined))
  })

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
