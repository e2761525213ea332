import { createServer } from 'node:net'
import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { describe, expect, it } from 'vitest'
import { devAccounts } from '@songhua/node/cli/dev-accounts'
import { sealRecord, uuidV7 } from '@songhua/node/cli/demo-envelope'
import { demoRecords } from '@songhua/node/cli/demo-records'
import { checkPorts, planDevnet } from '@songhua/node/cli/devnet-plan'
import { MESSAGES, languageOf } from '@songhua/node/cli/messages'
import { formatTable } from '@songhua/node/cli/table'
import { testContext } from './support.js'

const context = testContext()

describe('the plan of a devnet', () => {
  it('begins with the super node Harbin, and gives every node three ports of its own', () => {
    const plan = planDevnet(context, { dir: 'd', basePort: 20_000, validators: 13, followers: 2 })
    expect(plan.slice(0, 4).map(({ name }) => name)).toEqual(['Harbin', 'Qiqihar', 'Daqing', 'Jiamusi'])
    expect(plan.map(({ role }) => role)).toEqual([
      'super',
      ...Array<string>(12).fill('backbone'),
      'follower',
      'follower',
    ])
    expect(plan[1]?.ports).toEqual({ rpc: 20_010, admin: 20_011, p2p: 20_012 })
    expect(plan[13]?.name).toBe('Harbin-2')
    expect(new Set(plan.map(({ dir }) => dir)).size).toBe(15)
    expect(new Set(plan.slice(0, 13).map(({ cityCode }) => cityCode)).size).toBe(13)
  })

  it('refuses ports beyond the last there is', () => {
    expect(() => planDevnet(context, { dir: 'd', basePort: 65_530, validators: 2, followers: 0 })).toThrow(/65542/)
  })

  it('names the port in use, what it is for and whose it is', async () => {
    const server = createServer()
    const port = await new Promise<number>((listening) => {
      server.listen(0, '127.0.0.1', () => listening((server.address() as { port: number }).port))
    })
    const [node] = planDevnet(context, { dir: 'd', basePort: 20_000, validators: 1, followers: 0 })
    const taken = [{ ...node!, ports: { rpc: 0, admin: port, p2p: 0 } }]
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

describe('a record of the demonstration', () => {
  const records = demoRecords(new Date('2026-02-03T04:05:06.789Z'))

  it('comes from three families, EPCIS documents first', () => {
    expect(records.map(({ family }) => family)).toEqual(['trace', 'trace', 'trace', 'government', 'credit'])
    expect(new Set(records.map(({ subject }) => subject)).size).toBeGreaterThan(2)
  })

  it('keeps its payload out of the envelope, bound to it by salted digests of both kinds', () => {
    for (const record of records) {
      const sealed = sealRecord(record, new Date())
      const salted = Buffer.concat([Buffer.from(sealed.salt, 'hex'), Buffer.from(canonicalize(sealed.payload)!)])
      expect(sealed.salt).toHaveLength(64)
      expect(sealed.envelope.payloadDigests).toEqual({
        sha256: createHash('sha256').update(salted).digest('hex'),
        sm3: createHash('sm3').update(salted).digest('hex'),
      })
      const leaf = Buffer.concat([Buffer.of(0), Buffer.from(canonicalize(sealed.envelope)!)])
      expect(sealed.root).toBe(`0x${createHash('sha256').update(leaf).digest('hex')}`)
      expect(JSON.stringify(sealed.envelope)).not.toContain(sealed.salt)
    }
  })

  it('has a version 7 UUID that sorts by time', () => {
    const ids = [1_000, 2_000, 1_800_000_000_000].map(uuidV7)
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect([...ids].sort()).toEqual(ids)
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
