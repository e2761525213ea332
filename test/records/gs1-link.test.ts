import { gs1CheckDigit, toCanonicalDigitalLink } from '@songhua/sdk/records/gs1-link'
import { describe, expect, it } from 'vitest'

describe('GS1 identifiers', () => {
  it.each(['6291041500213', '9506000134352', '106141411234567897', '4012345000115'])('checks %s', (key) => {
    expect(gs1CheckDigit(key.slice(0, -1))).toBe(key.slice(-1))
  })

  it.each([
    ['urn:epc:id:sgtin:0614141.107346.2017', 'https://id.gs1.org/01/10614141073464/21/2017'],
    ['urn:epc:id:sgtin:0614141.107346.A(1)', 'https://id.gs1.org/01/10614141073464/21/A%281%29'],
    ['urn:epc:class:lgtin:4054739.099914.2016.07', 'https://id.gs1.org/01/04054739999148/10/2016.07'],
    ['urn:epc:id:sgln:4012345.00011.0', 'https://id.gs1.org/414/4012345000115'],
    ['urn:epc:idpat:sgtin:4012345.066666.*', 'https://id.gs1.org/01/04012345666663'],
    ['https://shop.example.cn/rice/01/9506000134352?17=261231', 'https://id.gs1.org/01/09506000134352'],
    ['http://example.cn/01/09506000134352/22/V1/10/LOT/', 'https://id.gs1.org/01/09506000134352/10/LOT'],
  ])('makes %s canonical', (uri, link) => {
    expect(toCanonicalDigitalLink(uri)).toBe(link)
    expect(toCanonicalDigitalLink(link)).toBe(link)
  })

  it.each([
    ['a reference of the wrong length', 'urn:epc:id:sgtin:0614141.10734.2017'],
    ['letters where digits belong', 'urn:epc:id:sscc:0614141.ABCDEFGHIJ'],
    ['an unknown scheme', 'urn:epc:id:toString:0614141.107346.2017'],
    ['a pattern with a serial', 'urn:epc:idpat:sgtin:0614141.107346.2017'],
    ['a page that is no Digital Link', 'https://example.cn/orders/01/5'],
    ['a qualifier that the key has not', 'https://id.gs1.org/00/106141411234567897/21/5'],
    ['a GTIN of eleven digits', 'https://id.gs1.org/01/95060001343'],
    ['a name without a value', 'https://id.gs1.org/01/09506000134352/10'],
    ['plain text', '五常大米'],
  ])('leaves %s alone', (_, uri) => {
    expect(toCanonicalDigitalLink(uri)).toBeUndefined()
  })
})
