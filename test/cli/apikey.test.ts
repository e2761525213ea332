import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { runCommand } from './in-process.js'
import { songhua, testFolder } from './support.js'

const at = await testFolder()
const ISSUER = 'uscc:11230100MB10000107'
const data = (name: string): string[] => ['--data', at(name)]
const create = (name: string, ...more: string[]) =>
  songhua(['apikey', 'create', ...data(name), '--issuer', ISSUER, '--name', 'licences', ...more])

beforeAll(async () => {
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
    await mkdir(at(name))
    await writeFile(at(`${name}/songhua.json`), '{}')
  }
})

describe('apikey', () => {
  it('prints a key once, and keeps its hash alone, for the owner only', async () => {
    const { code, stdout, stderr } = await create('a')
    expect([code, stderr]).toEqual([0, expect.stringContaining('It is shown only now')])
    const [, id, secret] = /^shk_([a-z2-7]{16})_([A-Za-z0-9_-]{43})\n$/.exec(stdout)!
    const path = at('a/gateway/api-keys.json')
    const kept = await readFile(path, 'utf8')
    expect(kept).not.toContain(secret)
    expect(kept).toContain(createHash('sha256').update(secret!).digest('hex'))
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const listed = await songhua(['apikey', 'list', ...data('a'), '--json'])
    expect(JSON.parse(listed.stdout)).toEqual([
      expect.objectContaining({ id, name: 'licences', issuer: ISSUER, scopes: ['records:write', 'records:read', 'payload:read'] }),
    ])
    expect(listed.stdout).not.toContain('secretHash')
  })

  it('revokes, keeps what was revoked, and says when', async () => {
    const { id } = JSON.parse((await create('b', '--json')).stdout) as { id: string }
    expect(await songhua(['apikey', 'revoke', id, ...data('b')])).toMatchObject({ code: 0 })
    const [key] = JSON.parse((await songhua(['apikey', 'list', ...data('b'), '--json'])).stdout) as [{ revokedAt: string }]
    expect(Date.now() - Date.parse(key.revokedAt)).toBeLessThan(60_000)
    const table = await songhua(['apikey', 'list', ...data('b'), '--lang', 'zh'])
    expect(table.stdout).toContain('吊销时间')
  })

  it('names the account that a key stands for, and lists it', async () => {
    const account = `0x${'aB'.repeat(20)}`
    expect(JSON.parse((await create('f', '--account', account, '--json')).stdout)).toMatchObject({ account: account.toLowerCase() })
    await create('f')
    const [named, other] = JSON.parse((await songhua(['apikey', 'list', ...data('f'), '--json'])).stdout) as { account?: string }[]
    expect([named!.account, other!.account]).toEqual([account.toLowerCase(), undefined])
    const table = (await songhua(['apikey', 'list', ...data('f'), '--lang', 'zh'])).stdout
    expect(table).toContain('账户')
    expect(table).toContain(account.toLowerCase())
  })

  it('makes several at a time, and loses none', async () => {
    await Promise.all(Array.from({ length: 4 }, () => create('e')))
    const listed = await songhua(['apikey', 'list', ...data('e'), '--json'])
    expect(JSON.parse(listed.stdout)).toHaveLength(4)
  })

  it.each([
    ['an issuer that is no URI', ['--issuer', 'Harbin'], 'API_KEY_ISSUER'],
    ['a scope that there is not', ['--scopes', 'records:write,everything'], 'API_KEY_SCOPE'],
    ['no scope', ['--scopes', ''], 'API_KEY_SCOPE'],
    ['an account that is no address', ['--account', '0x1234'], 'API_KEY_ACCOUNT'],
    ['an empty name', ['--name', ' '], 'API_KEY_NAME'],
  ])('refuses %s, and writes nothing', async (_what, flags, code) => {
    const refused = await create('c', ...flags)
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(code)])
    await expect(stat(at('c/gateway/api-keys.json'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('refuses a folder that is none of a node, and makes nothing there', async () => {
    for (const words of [['create', '--issuer', ISSUER, '--name', 'n'], ['list'], ['list', '--json'], ['revoke', 'aaaaaaaaaaaaaaaa']]) {
      const refused = await runCommand(['apikey', ...words, ...data('nosuch')])
      expect(refused).toMatchObject({ code: 2, error: 'CLI_DATA_FOLDER', stdout: '', message: expect.stringContaining(at('nosuch')) as string })
    }
    await expect(stat(at('nosuch'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it.each(['11230100MB10000108', '11230100MB1000010', '11230100mb10000107'])('refuses the credit code %s, which is none, naming --issuer', async (uscc) => {
    const words = ['apikey', 'create', ...data('c'), '--issuer', `uscc:${uscc}`, '--name', 'n']
    expect(await runCommand(words)).toMatchObject({ code: 2, error: 'API_KEY_ISSUER', message: expect.stringContaining(`--issuer: "${uscc}"`) as string })
    expect((await runCommand(words, { language: 'zh' })).message).toContain('统一社会信用代码')
  })

  it('refuses an unknown id, a damaged file and a file that another program changes', async () => {
    await create('d')
    const unknown = await songhua(['apikey', 'revoke', 'aaaaaaaaaaaaaaaa', ...data('d')])
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('API_KEY_UNKNOWN')])
    await writeFile(at('d/gateway/api-keys.json.lock'), '')
    const locked = await create('d')
    expect([locked.code, locked.stderr]).toEqual([2, expect.stringContaining('another program changes it')])
    await writeFile(at('d/gateway/api-keys.json'), '{"version":1,"keys":[{}]}')
    const damaged = await songhua(['apikey', 'list', ...data('d')])
    expect([damaged.code, damaged.stderr]).toEqual([2, expect.stringContaining('API_KEYS_FORMAT')])
    expect(damaged.stderr).toContain(at('d/gateway/api-keys.json'))
  })
})

describe('backup and restore', () => {
  it('say what is missing before they make anything', async () => {
    const folders = ['--to', at('records'), '--keys-to', at('keys')]
    const noNode = await songhua(['backup', ...data('nothing'), ...folders])
    expect([noNode.code, noNode.stderr]).toEqual([2, expect.stringContaining('songhua.json')])
    const noData = await songhua(['restore', ...data('nothing'), '--from', at('x'), '--keys-from', at('y')])
    expect([noData.code, noData.stderr]).toEqual([2, expect.stringContaining('CLI_DATA_FOLDER')])
  })
})
