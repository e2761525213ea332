import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Devnet, removeDir, startDevnet, tempDir } from '../support/devnet.js'
import { createKey, filesIn, isOnChain, startExample, verifyByCommand, verifyKept } from './support.js'

let devnet: Devnet
let dir: string
let env: { SONGHUA_GATEWAY: string; SONGHUA_API_KEY: string }

beforeAll(async () => {
  dir = await tempDir('examples')
  devnet = await startDevnet({ validators: 4, gateways: 1, dataDir: join(dir, 'chain') })
  const { apiKey, nodes } = devnet.ready
  env = { SONGHUA_GATEWAY: nodes[0]!.gateway!, SONGHUA_API_KEY: apiKey }
})
afterAll(async () => {
  await devnet?.stop()
  await removeDir(dir)
})

const idsIn = async (folder: string): Promise<string[]> =>
  (await filesIn(folder, '.evidence.json')).map((name) => name.replace('.evidence.json', ''))

describe('examples/licences', () => {
  it('anchors the export, says what is wrong with two rows, and keeps what proves all thirty', async () => {
    const OUT = join(dir, 'licences')
    const lines = await startExample('licences', { ...env, OUT })
    expect(lines[0]).toMatch(/28 anchored.* 2 refused/)
    expect(lines[1]).toMatch(/row 第 12 行 \[行政相对人代码_1\(统一社会信用代码\)\].*GB 32100/)
    expect(lines.slice(2, 4).join()).toMatch(/(?=.*第 23 行 \[有效期至\])(?=.*第 23 行 \[法定代表人\])/)
    expect(lines[4]).toMatch(/2 anchored.* 0 refused/)
    expect(lines.find((line) => line.startsWith('licence 许可'))).toMatch(/食品生产许可证.* 2030\/03\/07,/)
    expect(lines.at(-1)).toMatch(/^penalty 处罚 哈示市监处罚〔2025〕第17号: record [0-9a-f-]{36} proved since block 区块 \d+$/)

    const ids = await idsIn(OUT)
    expect(ids).toHaveLength(30)
    for (const id of ids) {
      expect(await verifyKept(OUT, id, true)).toMatchObject({ valid: true, facts: { payload: 'verified' } })
      expect((await readFile(join(OUT, `${id}.payload.json`))).toString()).not.toMatch(/证件号码|\*{8}/)
    }
    // The contract says the same of the record as the file does.
    const { rpc } = devnet.ready.nodes[1]!
    expect(await isOnChain(rpc, OUT, { record: ids[3]!, envelope: ids[3]! })).toBe(true)
    expect(await isOnChain(rpc, OUT, { record: ids[3]!, envelope: ids[4]! })).toBe(false)
    expect(await verifyByCommand(OUT, ids[0]!)).toMatchObject({ valid: true })

    // The same export again is the same submission: nothing is added.
    await startExample('licences', { ...env, OUT })
    expect(await idsIn(OUT)).toEqual(ids)
  })
})

describe('examples/rice', () => {
  const companies = { GROWERS: '9520001000003', MILL: '9520002000002', CARRIER: '9520003000001', SHOP: '9520004000000' }

  it('traces a bag to its field through four companies, each event proved and none doubled', async () => {
    const OUT = join(dir, 'rice')
    const all: Record<string, string> = { ...env, OUT }
    for (const [name, gln] of Object.entries(companies)) {
      const key = { issuer: `https://id.gs1.org/417/${gln}`, name }
      all[`SONGHUA_API_KEY_${name}`] = await createKey(join(devnet.dataDir, 'harbin'), key)
    }
    const lines = await startExample('rice', all)
    expect(lines.slice(0, 4).map((line) => / (\d+) events anchored/.exec(line)?.[1])).toEqual(['4', '8', '2', '2'])
    expect(lines[4]).toMatch(/RECORD_DUPLICATE/)

    const steps = lines.filter((line) => line.startsWith('  ✓ '))
    expect(steps.map((line) => /✓ (\S+ \w+)/.exec(line)?.[1])).toEqual([
      '2024-11-23 retail_selling', '2024-11-09 receiving', '2024-11-08 arriving', '2024-11-08 departing', '2024-11-06 packing',
      '2024-11-06 packing', '2024-11-05 commissioning', '2024-10-31 sensor_reporting', '2024-10-06 receiving',
      '2024-10-06 receiving', '2024-10-06 receiving', '2024-10-06 shipping', '2024-10-06 loading', '2024-09-28 collecting',
      '2024-09-20 installing', '2024-05-18 commissioning',
    ])
    const issuers = Object.values(companies).map((gln) => steps.filter((line) => line.endsWith(gln)).length)
    expect(issuers).toEqual([4, 8, 2, 2])
    const received = steps.filter((line) => line.includes('2024-10-06 receiving'))
    expect(received.filter((line) => /14200 KGM.*withdrawn/.test(line))).toHaveLength(1)
    expect(received.filter((line) => /14200 KGM.*error declaration/.test(line))).toHaveLength(1)
    expect(received.filter((line) => /12400 KGM/.test(line) && !line.includes('withdrawn'))).toHaveLength(1)

    const ids = await idsIn(OUT)
    expect(ids).toHaveLength(16)
    for (const id of ids) expect(await verifyKept(OUT, id, false)).toMatchObject({ valid: true })

    const again = await startExample('rice', all)
    expect(again.slice(0, 4).map((line) => / (\d+) events anchored 已上链, (\d+) known/.exec(line)?.slice(1))).toEqual([
      ['0', '4'], ['0', '8'], ['0', '2'], ['0', '2'],
    ])
    expect(await idsIn(OUT)).toEqual(ids)
  })
})

describe('examples/credit', () => {
  it('keeps people out of the public part, and erases what consent no longer covers while the proof stands', async () => {
    const OUT = join(dir, 'credit')
    const lines = await startExample('credit', { ...env, OUT })
    const lineOf = (start: string): string => lines.find((line) => line.startsWith(start)) ?? `no line ${start}`
    expect(lineOf('repair refused')).toMatch(/12 个?月.*12 .*months/)
    expect(lineOf('repair 信用修复')).toContain(lineOf('serious listing').split(' ').at(-1))
    expect(lineOf('person refused')).toMatch(/公民身份号码.*a citizen number/)
    expect(lineOf('erase')).toMatch(/LEGAL_HOLD/)
    expect(lineOf('consent withdrawn')).toMatch(/ erased, .*PAYLOAD_ERASED/)
    expect(lineOf('evidence of the erased')).toMatch(/valid 有效$/)

    const [id] = await idsIn(OUT)
    expect(await verifyKept(OUT, id!, false)).toMatchObject({ valid: true, facts: { payload: 'not given', family: 'credit' } })
    const evidence = await readFile(join(OUT, `${id}.evidence.json`), 'utf8')
    for (const secret of ['230103190001010014', '李示范', '逾期']) {
      expect(evidence).not.toContain(secret)
      expect(lines.join('\n')).not.toContain(secret)
    }
    const subjects = [lineOf('松花示范征信'), (await startExample('credit', { ...env, OUT })).find((line) => line.startsWith('松花示范征信'))]
    expect(subjects[1]).toBe(subjects[0])
  })
})
