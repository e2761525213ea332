import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { rosterOrganisations } from '../support/roster.js'
import { beforeAll, describe, expect, it } from 'vitest'
import { parseGenesis } from '@songhua/sdk/protocol/genesis'
import { songhua, testFolder } from './support.js'

const KEY = '4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318'
const ADDRESS = '0x2c7536e3605d9c16a7a3d7b1898e529396a65c23'
const PUBLIC_KEY = '0x024e3b81af9c2234cad09d679ce6035ed1392347ce64ce405f5dcd36228a25de6e'
const DEV_ACCOUNT = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266'
const DEV_PUBLIC_KEY = '0x038318535b54105d4a7aae60c08fc45f9687181b4fdfc625bd1a753fa7397fed75'

const at = await testFolder()
const password = ['--key-password-file', at('password')]
const keystore = at('key.json')

beforeAll(async () => {
  await writeFile(at('password'), 'correct horse\r\nsecond line\n')
  await writeFile(at('wrong'), 'battery staple\n')
  const imported = await songhua(['keys', 'import', '--out', keystore, ...password, '--json'], { stdin: `0x${KEY}\n` })
  expect(imported).toMatchObject({ code: 0 })
})

describe('keys', () => {
  it('imports a key, encrypted and for its owner only, and shows what others may know', async () => {
    expect((await stat(keystore)).mode & 0o777).toBe(0o600)
    expect(await readFile(keystore, 'utf8')).not.toContain(KEY)
    const shown = await songhua(['keys', 'show', keystore, ...password, '--json'])
    expect(JSON.parse(shown.stdout)).toMatchObject({ address: ADDRESS, publicKey: PUBLIC_KEY })
    expect(shown.stdout + shown.stderr).not.toContain(KEY)
  })

  it('takes the password from standard input', async () => {
    const shown = await songhua(['keys', 'show', keystore], { stdin: 'correct horse\n' })
    expect(shown.stdout).toContain(ADDRESS)
  })

  it('exports only when told, to a new file of mode 0600, and imports that again', async () => {
    expect(await songhua(['keys', 'export', keystore, '--out', at('plain'), ...password])).toMatchObject({
      code: 0,
      stdout: '',
    })
    expect((await stat(at('plain'))).mode & 0o777).toBe(0o600)
    const again = await songhua([
      'keys',
      'import',
      '--from',
      at('plain'),
      '--out',
      at('again.json'),
      ...password,
      '--json',
    ])
    expect(JSON.parse(again.stdout)).toMatchObject({ address: ADDRESS })
  })

  it('never overwrites', async () => {
    const before = await readFile(keystore, 'utf8')
    const again = await songhua(['keys', 'new', '--out', keystore, ...password])
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining(`CLI_FILE_EXISTS: key file ${keystore}`)])
    expect(await readFile(keystore, 'utf8')).toBe(before)
  })

  it('answers a wrong password with its own exit code', async () => {
    const refused = await songhua(['keys', 'show', keystore, '--key-password-file', at('wrong')])
    expect([refused.code, refused.stdout]).toEqual([5, ''])
    expect(refused.stderr).toContain('KEYSTORE_PASSWORD')
  })

  it.each([
    ['malformed JSON', '{"version": 3,', 'CLI_JSON'],
    ['a missing field', '{"version": 3}', 'crypto must be an object'],
    ['another version', '{"version": 4, "crypto": {}}', 'version must be 3'],
  ])('names %s of a keystore', async (label, text, said) => {
    const file = at(`${label.replaceAll(' ', '-')}.json`)
    await writeFile(file, text)
    const refused = await songhua(['keys', 'show', file, ...password])
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(said)])
    expect(refused.stderr).toContain(file)
  })

  it('refuses a short password and an impossible key', async () => {
    await writeFile(at('short'), 'abc\n')
    const short = await songhua(['keys', 'new', '--out', at('none.json'), '--key-password-file', at('short')])
    expect([short.code, short.stderr]).toEqual([2, expect.stringContaining('at least 8 characters')])
    const bad = await songhua(['keys', 'import', '--out', at('none.json'), ...password], { stdin: 'f'.repeat(64) })
    expect([bad.code, bad.stderr]).toEqual([2, expect.stringContaining('CLI_KEY')])
    expect(bad.stderr).not.toContain('ffffffff')
  })
})

describe('init', () => {
  it('makes a data folder with everything in it, and refuses to touch it again', async () => {
    const data = at('node')
    const made = await songhua([
      'init',
      '--data',
      data,
      ...password,
      '--name',
      'Harbin',
      '--rpc-port',
      '9001',
      '--json',
    ])
    expect(made.code).toBe(0)
    expect(await readdir(data)).toEqual(['consensus.log', 'node-key.json', 'songhua.json'])
    expect(JSON.parse(await readFile(`${data}/songhua.json`, 'utf8'))).toEqual({ name: 'Harbin', rpc: { port: 9001 } })
    expect((await stat(data)).mode & 0o077).toBe(0)
    const facts = JSON.parse(made.stdout) as { address: string }
    const shown = await songhua(['keys', 'show', `${data}/node-key.json`, ...password, '--json'])
    expect(JSON.parse(shown.stdout)).toMatchObject({ address: facts.address })

    const before = await readFile(`${data}/node-key.json`, 'utf8')
    const again = await songhua(['init', '--data', data, ...password])
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('is not empty')])
    expect(await readFile(`${data}/node-key.json`, 'utf8')).toBe(before)
  })

  it('leaves nothing behind when the genesis is refused', async () => {
    await writeFile(at('bad-genesis.json'), '{"config": {"chainId": 1}}')
    const refused = await songhua(['init', '--data', at('never'), '--genesis', at('bad-genesis.json'), ...password])
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('bad-genesis.json: genesis.alloc')])
    expect((await readdir(at('.'))).filter((name) => name.includes('never'))).toEqual([])
  })
})

describe('genesis', () => {
  const organisations = rosterOrganisations()
  const [government, , telecom, operator] = organisations.map(({ uscc }) => uscc)
  const validator = { name: 'Harbin 哈尔滨', city: '230100', publicKey: PUBLIC_KEY, kind: 'super', government, telecom, operator }

  it('makes a genesis that init takes, and that names the validator', async () => {
    await writeFile(at('roster.json'), JSON.stringify({ organisations, validators: [validator] }))
    const words = ['genesis', '--roster', at('roster.json'), '--out', at('genesis.json'), '--timestamp', '1760000000']
    expect(await songhua(words)).toMatchObject({ code: 0 })
    const genesis = parseGenesis(await readFile(at('genesis.json'), 'utf8'))
    expect(genesis).toMatchObject({ chainId: 230_000, timestamp: 1_760_000_000, validators: [ADDRESS] })
    expect(await songhua(['init', '--data', at('member'), '--genesis', at('genesis.json'), ...password])).toMatchObject(
      {
        code: 0,
        stderr: expect.stringContaining('not among the validators') as string,
      },
    )
    expect(await readFile(at('member/genesis.json'), 'utf8')).toBe(await readFile(at('genesis.json'), 'utf8'))
    expect(await songhua(words)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('CLI_FILE_EXISTS') as string,
    })
  })

  it.each([
    [
      'organisations[1].administrator',
      { organisations: organisations.map((one, index) => (index === 1 ? { ...one, administrator: DEV_ACCOUNT } : one)), validators: [validator] },
    ],
    [
      'publicKey of Court',
      { organisations, validators: [validator], nodes: [{ ...validator, name: 'Court', publicKey: DEV_PUBLIC_KEY }] },
    ],
  ])('refuses a development account as %s, but on a devnet', async (field, roster) => {
    const file = at(`public-${field.length}.json`)
    await writeFile(file, JSON.stringify(roster))
    const refused = await songhua(['genesis', '--roster', file, '--out', at('nothing.json')])
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(`${file}: ${field} ${DEV_ACCOUNT}`)])
    const words = ['genesis', '--roster', file, '--out', `${file}.genesis`, '--chain-id', '230099']
    expect(await songhua(words)).toMatchObject({ code: 0 })
  })

  it('warns, in both languages, that signatures hold on every chain of one id', async () => {
    await writeFile(at('id-roster.json'), JSON.stringify({ organisations, validators: [validator] }))
    const words = (out: string, ...more: string[]): string[] =>
      ['genesis', '--roster', at('id-roster.json'), '--out', at(out), '--chain-id', '230777', ...more]
    expect((await songhua(words('id-en.json'))).stderr).toContain('chain id 230777 must not have been another chain')
    expect((await songhua(words('id-zh.json', '--lang', 'zh'))).stderr).toContain('链 ID 230777 不得曾用于其他链')
  })

  it('names file and field of a wrong roster, and shows a right one in its help', async () => {
    await writeFile(at('wrong-roster.json'), JSON.stringify({ organisations, validators: [{ ...validator, city: '110000' }] }))
    const refused = await songhua(['genesis', '--roster', at('wrong-roster.json'), '--out', at('nothing.json')])
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain('wrong-roster.json: validators[0].city')
    expect((await songhua(['genesis', '--help'])).stdout).toContain('"validators": [')
  })
})

describe('bad input', () => {
  it.each<[string, string[], string]>([
    ['an unknown command', ['strat'], 'unknown command strat'],
    ['an unknown flag', ['start', '--data', 'x', '--rpc-prot', '1'], 'unknown option --rpc-prot'],
    ['a missing flag', ['start'], 'missing option: --data'],
    ['a flag without value', ['start', '--data'], 'needs a value'],
    ['a bad port', ['start', '--data', 'x', '--rpc-port', '70000'], '--rpc-port: must be a port'],
    ['a bad choice', ['start', '--data', 'x', '--admin-host', '0.0.0.0'], '--admin-host'],
    ['a bad peer', ['start', '--data', 'x', '--bootnodes', '10.0.0.1:30303'], '--bootnodes'],
    ['a folder that is not initialised', ['start', '--data', at('nowhere')], 'has no songhua.json'],
    ['too many words', ['version', 'please'], 'too many arguments'],
    ['a bad count', ['devnet', '--validators', '0'], '--validators: must be an integer from 1 to 64'],
    ['a broken count', ['devnet', '--validators', '4x'], '--validators'],
    ['too many nodes', ['devnet', '--validators', '60', '--followers', '9', '--data', at('d')], '--followers'],
    ['ports past the end', ['devnet', '--base-port', '65530', '--data', at('d')], '--base-port'],
    ['a foreign folder', ['devnet', '--data', at('.')], 'holds no devnet'],
    ['a missing file', ['genesis', '--roster', at('no-roster'), '--out', at('x')], 'no-roster: no such file'],
    ['a folder for a file', ['genesis', '--roster', at('.'), '--out', at('x')], 'EISDIR'],
    ['a bad address', ['status', '--rpc', 'localhost'], '--rpc: must be an http:// address'],
    ['a bad language', ['version', '--lang', 'fr'], '--lang: must be en or zh'],
  ])('is named, without a stack: %s', async (_what, words, said) => {
    const refused = await songhua(words)
    expect([refused.code, refused.stdout]).toEqual([2, ''])
    expect(refused.stderr).toContain(said)
    expect(refused.stderr).not.toMatch(/^\s+at .*\(/m)
  })

  it.each([
    ['{', 'CLI_JSON'],
    ['[]', 'must be a JSON object'],
    ['{"rpc": {"prot": 1}}', 'unknown option rpc.prot'],
    ['{"log": {"level": "loud"}}', 'log.level: must be one of'],
  ])('is named in a configuration file: %s', async (text, said) => {
    const data = at(`config-${text.length}`)
    await mkdir(data)
    await writeFile(`${data}/songhua.json`, text)
    const refused = await songhua(['start', '--data', data])
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(said)])
    expect(refused.stderr).toContain(`${data}/songhua.json`)
  })

  it('finds a port in use by name before anything is made', async () => {
    const server = createServer()
    const port = await new Promise<number>((listening) => {
      server.listen(0, '127.0.0.1', () => listening((server.address() as { port: number }).port))
    })
    const refused = await songhua(['devnet', '--validators', '1', '--data', at('busy'), '--base-port', String(port)])
    await new Promise((closed) => server.close(closed))
    expect([refused.code, refused.stderr]).toEqual([6, expect.stringContaining(`port ${port} (rpc of Harbin)`)])
    expect(await readdir(at('.'))).not.toContain('busy')
  })

  it('says that nobody answers', async () => {
    const refused = await songhua(['status', '--rpc', 'http://127.0.0.1:1'])
    expect([refused.code, refused.stderr]).toEqual([7, expect.stringContaining('RPC_UNREACHABLE')])
  })
})

describe('help and version', () => {
  it('shows commands and exit codes, and examples of each command', async () => {
    const { code, stdout } = await songhua(['--help'])
    expect(code).toBe(0)
    const commands = ['init', 'genesis', 'start', 'devnet', 'keys', 'status', 'version']
    for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'))
    expect(stdout).toMatch(/^ +4 {2}data folder or backup belongs to another chain$/m)
    for (const command of ['init', 'genesis', 'start', 'devnet', 'status']) {
      expect((await songhua([command, '--help'])).stdout).toContain('Examples:')
    }
  })

  it('speaks Chinese by flag and by locale', async () => {
    const help = await songhua(['start', '--help', '--lang', 'zh'])
    // Where a line breaks is the terminal's.
    expect(help.stdout.replace(/\s+/g, ' ')).toContain('（可选：auto, json, pretty）（默认 auto）')
    const refused = await songhua(['start'], { environment: { LANG: 'zh_CN.UTF-8' } })
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('缺少选项')])
  })

  it('says its version as text and as JSON', async () => {
    const { version } = JSON.parse(await readFile(new URL('../../node/package.json', import.meta.url), 'utf8')) as {
      version: string
    }
    expect((await songhua(['version'])).stdout).toContain(`songhua ${version} `)
    expect(await songhua(['--version'])).toEqual(await songhua(['version']))
    expect(JSON.parse((await songhua(['version', '--json'])).stdout)).toMatchObject({ songhua: version })
  })
})
