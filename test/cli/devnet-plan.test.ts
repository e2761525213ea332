import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { createRecordBuilder } from '@songhua/sdk/records/builder'
import { createSchemaRegistry } from '@songhua/sdk/records/schema-registry'
import { RECORD_SCHEMAS } from '@songhua/sdk/records/schemas/catalogue'
import { devAccounts } from '@songhua/node/cli/dev-accounts'
import { DEV_ISSUER } from '@songhua/node/cli/dev-api-key'
import { demoRecords } from '@songhua/node/cli/demo-records'
import { checkPorts, planDevnet } from '@songhua/node/cli/devnet-plan'
import { MESSAGES, languageOf } from '@songhua/node/cli/messages'
import { formatTable } from '@songhua/node/cli/table'
import { testContext } from './support.js'

const context = testContext()

describe('the plan of a devnet', () => {
  it('begins with the super node Harbin, and gives every node four ports of its own', () => {
    const plan = planDevnet(context, { dir: 'd', basePort: 20_000, validators: 13, followers: 2, gateways: 2 })
    expect(plan.slice(0, 4).map(({ name }) => name)).toEqual(['Harbin', 'Qiqihar', 'Daqing', 'Jiamusi'])
    expect(plan.map(({ role }) => role)).toEqual([
      'super',
      ...Array<string>(12).fill('backbone'),
      'follower',
      'follower',
    ])
    expect(plan[1]?.ports).toEqual({ rpc: 20_010, admin: 20_011, p2p: 20_012, gateway: 20_013 })
    expect(plan.filter(({ hasGateway }) => hasGateway).map(({ name }) => name)).toEqual(['Harbin', 'Qiqihar'])
    expect(plan[13]?.name).toBe('Harbin-2')
    expect(new Set(plan.map(({ dir }) => dir)).size).toBe(15)
    expect(new Set(plan.slice(0, 13).map(({ cityCode }) => cityCode)).size).toBe(13)
  })

  it('refuses ports beyond the last there is', () => {
    expect(() => planDevnet(context, { dir: 'd', basePort: 65_530, validators: 2, followers: 0, gateways: 1 })).toThrow(/65543/)
  })

  it('names the port in use, what it is for and whose it is', async () => {
    const server = createServer()
    const port = await new Promise<number>((listening) => {
      server.listen(0, '127.0.0.1', () => listening((server.address() as { port: number }).port))
    })
    const [node] = planDevnet(context, { dir: 'd', basePort: 20_000, validators: 1, followers: 0, gateways: 0 })
    const taken = [{ ...node!, ports: { rpc: 0, admin: port, p2p: 0, gateway: 0 } }]
    await expect(checkPorts(context, taken)).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(`port ${port} (admin of Harbin)`) as string,
    })
    await new Promise((closed) => server.close(closed))
    await checkPorts(context, taken)
  })

  it('has the ten accounts of every development tool', () => {
    const accounts = devAccounts()
    expect(accounts).toHaveLength(10)
    expect(accounts[0]).toEqual({
      address: '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266',
      privateKey: '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
    })
    expect(accounts[9]?.address).toBe('0xa0ee7a142d267c1f36714e4a8f75612f20a79720')
  })
})

describe('the records of the demonstration', () => {
  const builder = createRecordBuilder(createSchemaRegistry(RECORD_SCHEMAS))
  const build = (now: string) =>
    demoRecords(new Date(now)).map(({ schema, title: _title, ...record }) =>
      builder.build({ id: schema }, { ...record, issuer: DEV_ISSUER }),
    )

  it('come from three families, and hold what their schemas ask', () => {
    expect(build('2026-02-03T04:05:06.789Z').map(({ envelope }) => envelope.family)).toEqual(
      ['trace', 'trace', 'trace', 'government', 'credit'],
    )
  })

  it('are other events in every run, which no duplicate guard refuses', () => {
    const keys = ['2026-02-03T04:05:06.789Z', '2026-02-03T04:05:06.790Z'].flatMap(build).flatMap(({ naturalKey }) => naturalKey ?? [])
    expect([keys.length, new Set(keys).size]).toEqual([6, 6])
  })
})

describe('what the command line says', () => {
  it('exists in both languages with the same blanks', () => {
    const blanks = (text: string): string[] => [...new Set(text.match(/\{\w+\}/g))].sort()
    for (const [key, { en, zh }] of Object.entries(MESSAGES)) expect([key, blanks(zh)]).toEqual([key, blanks(en)])
  })

  it('follows --lang, then the locale', () => {
    expect(languageOf(['keys', '--lang', 'zh'], { LANG: 'en_US.UTF-8' })).toBe('zh')
    expect(languageOf(['--lang=en'], { LANG: 'zh_CN.UTF-8' })).toBe('en')
    expect(languageOf([], { LC_ALL: 'zh_CN.UTF-8', LANG: 'en_US' })).toBe('zh')
    expect(languageOf([], {})).toBe('en')
    expect(languageOf(['--lang', 'fr'], {})).toBeUndefined()
  })

  it('aligns columns with Chinese characters', () => {
    expect(
      formatTable(
        ['名称', 'x'],
        [
          ['哈尔滨', '1'],
          ['ab', '2'],
        ],
      ),
    ).toBe('名称    x\n──────  ─\n哈尔滨  1\nab      2')
  })
})
