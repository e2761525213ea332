import { readFileSync, readdirSync } from 'node:fs'
import { parse } from 'csv-parse/sync'
import { epcisEventHash } from '@songhua/sdk/records/epcis-hash'
import { gs1CheckDigit, toCanonicalDigitalLink } from '@songhua/sdk/records/gs1-link'
import { type ColumnMapping, createRowReader } from '@songhua/sdk/records/row'
import { createSchemaRegistry } from '@songhua/sdk/records/schema-registry'
import { RECORD_SCHEMAS } from '@songhua/sdk/records/schemas/catalogue'
import { isUscc } from '@songhua/sdk/protocol/uscc'
import { describe, expect, it } from 'vitest'

const registry = createSchemaRegistry(RECORD_SCHEMAS)
const read = (path: string): Buffer => readFileSync(new URL(`../../examples/${path}`, import.meta.url))

describe('the export of the licence department', () => {
  const schema = registry.get('government.licence')
  const mapping = JSON.parse(read('licences/data/mapping.json').toString()) as ColumnMapping

  function violationsOf(name: string): string[][] {
    const text = new TextDecoder('gb18030', { fatal: true }).decode(read(`licences/data/${name}`))
    const rows: Record<string, string>[] = parse(text, { columns: true })
    const reader = createRowReader(schema, Object.keys(rows[0]!), mapping)
    expect(reader.violations).toEqual([])
    return rows.map((row) => {
      const { payload, violations } = reader.read(row)
      const found = [...violations, ...registry.validate({ schema: schema.id, payload }, { nowMs: Date.now() })]
      return found.map(({ path, code }) => `${reader.columnOf(path) ?? path} ${code}`)
    })
  }

  it('has thirty rows, two of them bad, with every bad column of each', () => {
    const violations = violationsOf('licences-2025-03.csv')
    expect(violations).toHaveLength(30)
    expect(violations.flatMap((found, i) => (found.length === 0 ? [] : [[i + 1, ...found.sort()]]))).toEqual([
      [12, '行政相对人代码_1(统一社会信用代码) FORMAT'],
      [23, '有效期至 FORMAT', '法定代表人 REQUIRED'],
    ])
  })

  it('is good once corrected', () => {
    expect(violationsOf('licences-2025-03-corrected.csv')).toEqual([[], []])
  })
})

interface Event { eventID: string; type: string; errorDeclaration?: { correctiveEventIDs: string[] } }

describe('the events of the rice', () => {
  const texts = ['1-growers', '2-mill', '3-carrier', '4-shop'].map((name) => read(`rice/data/${name}.jsonld`).toString())
  const events = texts.flatMap((text) => (JSON.parse(text) as { epcisBody: { eventList: Event[] } }).epcisBody.eventList)

  it('are valid EPCIS, each under its own hash id, and a correction names what it corrects to', () => {
    expect(events).toHaveLength(16)
    for (const event of events) {
      const schema = `trace.${event.type.replace('Event', '-event').toLowerCase()}`
      expect(registry.validate({ schema, payload: event }, { nowMs: Date.now() })).toEqual([])
      expect(epcisEventHash({ ...event })).toBe(event.eventID)
    }
    const [declaration] = events.filter(({ errorDeclaration }) => errorDeclaration)
    const sameId = events.filter(({ eventID }) => eventID === declaration!.eventID)
    expect(sameId).toHaveLength(2)
    expect(events.map(({ eventID }) => eventID)).toContain(declaration!.errorDeclaration!.correctiveEventIDs[0])
  })

  it('name goods, parcels, places and parties by GS1 keys whose check digits hold', () => {
    const links = new Set(texts.join().match(/https:\/\/id\.gs1\.org\/[^"]+/g))
    expect(links.size).toBeGreaterThan(15)
    for (const link of links) {
      expect(toCanonicalDigitalLink(link)).toBe(link)
      const key = /\/(?:01|00|414|417)\/(\d+)/.exec(link)?.[1]
      if (key !== undefined) expect(gs1CheckDigit(key.slice(0, -1)), link).toBe(key.slice(-1))
    }
  })
})

describe('codes of organisations in the examples', () => {
  it.each(['credit/src/public-credit.ts', 'credit/src/credit-reporting.ts', 'licences/src/penalty.ts'])('are valid in %s', (path) => {
    const codes = read(path).toString().match(/'[0-9A-Z]{17}[0-9A-Z]'/g)!.map((code) => code.slice(1, -1))
    const organisations = codes.filter((code) => !code.startsWith('230103'))
    expect(organisations.length).toBeGreaterThan(1)
    expect(organisations.filter((code) => !isUscc(code))).toEqual([])
  })
})

describe.each(['licences', 'rice', 'credit'])('examples/%s', (name) => {
  const manifest = JSON.parse(read(`${name}/package.json`).toString()) as { dependencies: Record<string, string> }
  const files = readdirSync(new URL(`../../examples/${name}/src`, import.meta.url))

  it('imports its own files, what its package.json names, and Node: as a stranger would', () => {
    const imports = files.flatMap((file) => [...read(`${name}/src/${file}`).toString().matchAll(/ from '([^']+)'/g)].map(([, from]) => from!))
    expect(imports.length).toBeGreaterThan(3)
    const foreign = imports.filter((from) => !/^(\.\/[\w-]+\.js|node:\w+(\/promises)?)$/.test(from))
    const packages = foreign.map((from) => from.split('/').slice(0, from.startsWith('@') ? 2 : 1).join('/'))
    expect([...new Set(packages)]).toEqual(Object.keys(manifest.dependencies))
  })

  it('speaks Chinese and English', () => {
    const text = read(`${name}/README.md`).toString()
    expect(text).toMatch(/^\*\*English\*\* · \[中文\]\(#中文\)$/m)
    expect(text).toMatch(/^## 中文$/m)
    expect(text.match(new RegExp(`npm start -w examples/${name}`, 'g'))).toHaveLength(2)
  })
})
