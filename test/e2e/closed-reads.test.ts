import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Finished, songhua } from '../cli/support.js'
import { openCouncil } from '../support/govern.js'
import { type Devnet, removeDir, startDevnet, tempDir } from '../support/devnet.js'

// Every command that asks a node, on a chain whose council has closed what they read.

const MEMBER = '11230000MB0000019P'
const STRANGER = '11230100MB10000107'

let dataDir: string
let devnet: Devnet
let url: string
let key: string
let statement: string
const at = (name: string): string => join(dataDir, name)
const month = new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 7)

async function apiKey(uscc: string): Promise<string> {
  const { stdout } = await songhua(['apikey', 'create', '--data', join(dataDir, 'net', 'harbin'), '--issuer', `uscc:${uscc}`, '--name', 'test'])
  return stdout.trim()
}

const ask = (words: readonly string[], environment: Record<string, string> = {}): Promise<Finished> =>
  songhua([...words, '--rpc', url], { environment: { LANG: 'en_US.UTF-8', ...environment } })

/** Of the whole command line; the account is a well-known one. */
const reading = (): string[][] => [
  ['council', 'seats'], ['council', 'motions', '--all'], ['council', 'show', '0'], ['organisations'], ['nodes'],
  ['account', 'show', devnet.ready.accounts[0]!.address], ['audit'], ['usage', '--month', month], ['usage', 'verify', statement],
  ['anchor-file', '--checkpoint', 'head'], ['status'],
]
const acting = (): string[][] => {
  const signer = ['--dev-key-file', at('seat')]
  return [
    ['council', 'propose', 'unseat', '--uscc', '91230100MA00000231', '--reason', 'test', ...signer],
    ['council', 'cancel', '1', ...signer],
    ['anchor', at('notice.txt'), '--issuer', `uscc:${MEMBER}`, ...signer],
  ]
}

beforeAll(async () => {
  dataDir = await tempDir('closed-reads')
  devnet = await startDevnet({ validators: 1, dataDir: at('net') })
  url = devnet.ready.nodes[0]!.rpc
  statement = at('usage.json')
  await writeFile(at('seat'), devnet.ready.accounts[0]!.privateKey)
  await writeFile(at('notice.txt'), 'a notice')
  key = await apiKey(MEMBER)
  await writeFile(at('key'), `${key}\n`)
  await songhua(['usage', '--month', month, '--out', statement, '--rpc', url])
  const council = await openCouncil(url, devnet.ready.accounts.slice(0, 4).map(({ privateKey }) => privateKey), { apiKey: key })
  const levels = { eth: 'members', net: 'members', web3: 'members', qbft: 'members', songhua: 'members', txpool: 'members' } as const
  await council.pass('setReadLevels', { levels })
}, 120_000)

afterAll(async () => {
  await devnet?.stop()
  await removeDir(dataDir)
})

describe('a chain whose reads are closed to the public', () => {
  it('is read by no command without a key, and each says what it takes', async () => {
    for (const words of reading()) {
      const { code, stderr } = await ask(words)
      expect([words.slice(0, 2), code, stderr]).toEqual([words.slice(0, 2), 11, expect.stringMatching(/PERMISSION_READ.*an API key is needed.*--api-key-file.*SONGHUA_API_KEY/)])
    }
    const { stderr } = await songhua(['nodes', '--rpc', url, '--lang', 'zh'])
    expect(stderr).toMatch(/需要 API 密钥.*--api-key-file/)
  }, 120_000)

  it('is read and governed by every command with the key of a member, from a file', async () => {
    for (const words of [...reading(), ...acting()]) {
      const { code, stderr } = await ask([...words, '--api-key-file', at('key')])
      expect([words.slice(0, 2), code, stderr]).toEqual([words.slice(0, 2), 0, expect.not.stringContaining('songhua: error')])
    }
  }, 120_000)

  it('is read with a key from the environment, over which a file stands', async () => {
    expect((await ask(['nodes'], { SONGHUA_API_KEY: key })).code).toBe(0)
    expect((await ask(['status'], { SONGHUA_API_KEY: key })).code).toBe(0)
    expect((await ask(['nodes', '--api-key-file', at('key')], { SONGHUA_API_KEY: 'wrong' })).code).toBe(0)
  }, 60_000)

  it('leaves its operator what the admin port knows, and says what could not be read', async () => {
    const data = join(dataDir, 'net', 'harbin')
    const status = (...words: string[]) => songhua(['status', '--data', data, ...words])
    const { code, stdout, stderr } = await status()
    expect([code, stderr]).toEqual([0, expect.stringContaining('PERMISSION_READ')])
    expect(stdout).toMatch(/height +\d+\nblock hash +0x[0-9a-f]{64}\nblock time +\S+Z\npeers +0\nconsensus +height \d+, round/)
    const { node, unread } = JSON.parse((await status('--json')).stdout) as { node: { head: { number: number } }; unread: { code: string } }
    expect([node.head.number, unread.code]).toEqual([expect.any(Number), 'PERMISSION_READ'])
    expect((await status('--api-key-file', at('key'))).stdout).toContain('validators')
  }, 60_000)

  it('says whether a key is wrong, of no member, or none at all', async () => {
    expect(await ask(['nodes'], { SONGHUA_API_KEY: `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}` })).toMatchObject({
      code: 11, stderr: expect.stringContaining('the API key is not valid') as string,
    })
    expect(await ask(['audit'], { SONGHUA_API_KEY: await apiKey(STRANGER) })).toMatchObject({
      code: 11, stderr: expect.stringContaining('belongs to no active organisation') as string,
    })
    await writeFile(at('empty'), '\n')
    expect(await ask(['nodes', '--api-key-file', at('empty')])).toMatchObject({ code: 2, stderr: expect.stringContaining(`--api-key-file ${at('empty')}: holds no API key`) as string })
    expect(await ask(['nodes', '--api-key-file', at('absent')])).toMatchObject({ code: 2, stderr: expect.stringContaining(at('absent')) as string })
    expect(await ask(['nodes'], { SONGHUA_API_KEY: 'two words' })).toMatchObject({ code: 2, stderr: expect.stringContaining('SONGHUA_API_KEY: holds no API key') as string })
  }, 60_000)

  it('starts again as a devnet, whose blocks its own command may not read', async () => {
    expect(await devnet.stop()).toBe(0)
    devnet = await startDevnet({ validators: 1, dataDir: at('net'), basePort: devnet.basePort })
    url = devnet.ready.nodes[0]!.rpc
    expect((await ask(['nodes', '--api-key-file', at('key')])).code).toBe(0)
  }, 120_000)
})
