import { createHash } from 'node:crypto'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { canonicalJson } from '@songhua/sdk/protocol/canonical-json'
import { beforeAll, describe, expect, it } from 'vitest'
import { testFolder } from '../support.js'
import { USCC, keyFile, problemsOf, runCommand, words } from './forms.js'

const at = await testFolder()
const devnet = ['--chain-id', '230099']
let administrator: { path: string; address: string }
let node: { path: string; address: string }
let organisationFlags: Record<string, string>
let nodeFlags: Record<string, string>
let documents: string[]

beforeAll(async () => {
  administrator = await keyFile(at, 1)
  node = await keyFile(at, 2)
  documents = [at('营业执照.pdf'), at('mandate.pdf')]
  await writeFile(documents[0]!, 'licence')
  await writeFile(documents[1]!, 'mandate')
  await writeFile(at('contact.json'), '{"telephone": "0451"}')
  organisationFlags = { '--uscc': USCC.bank, '--kind': 'bank', '--name-zh': '冰城银行', '--name-en': 'Ice City Bank', '--dev-key-file': administrator.path }
  nodeFlags = {
    '--node-dev-key-file': node.path, '--kind': 'backbone', '--city': '齐齐哈尔', '--government': USCC.government, '--telecom': USCC.telecom,
    '--operator': USCC.operator, '--applicant': administrator.address,
  }
})

const organisation = (flags: Record<string, string | readonly string[] | undefined> = {}, language: 'en' | 'zh' = 'en') =>
  runCommand(['apply', 'organisation', ...devnet, ...words({ ...organisationFlags, ...flags })], { language })
const applyNode = (flags: Record<string, string | readonly string[] | undefined> = {}, language: 'en' | 'zh' = 'en') =>
  runCommand(['apply', 'node', ...devnet, ...words({ ...nodeFlags, ...flags })], { language })
const check = (file: string, ...rest: string[]) => runCommand(['apply', 'check', file, ...rest])
const readJson = async (path: string): Promise<Record<string, unknown>> => JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>

/** The file at `from` with a change, written to `to`. */
async function changed(from: string, to: string, change: (json: Record<string, unknown>) => object): Promise<string> {
  await writeFile(at(to), JSON.stringify(change(await readJson(from))))
  return at(to)
}

describe('songhua apply organisation', () => {
  it('writes what is asked, the digests of the documents, and the administrator’s signature', async () => {
    const out = at('bank.json')
    const ended = await organisation({ '--out': out, '--documents': documents, '--contact-file': at('contact.json'), '--gas-per-day': 'unlimited' })
    expect([ended.code, ended.message]).toEqual([0, ''])
    expect(ended.stderr).toContain(`songhua apply submit ${out}`)
    const json = await readJson(out)
    expect(json).toMatchObject({ version: 'songhua.application/1', type: 'organisation', chainId: 230099 })
    expect(json.organisation).toMatchObject({ roles: ['anchor', 'read'], administrator: administrator.address, gasPerDay: 'unlimited', bytesPerDay: '200000000' })
    const digest = (text: string): string => createHash('sha256').update(text).digest('hex')
    const list = [{ name: '营业执照.pdf', sha256: digest('licence') }, { name: 'mandate.pdf', sha256: digest('mandate') }]
    expect(json).toMatchObject({ documents: list, documentsHash: `0x${digest(canonicalJson(list))}` })
    expect(json.organisation).toMatchObject({ contactHash: `0x${digest('{"telephone": "0451"}')}` })
    const checked = await check(out, '--documents', ...documents)
    expect(checked).toMatchObject({ code: 0, message: '' })
    for (const part of ['冰城银行', 'no limit', '✓ signature', '✓ document 营业执照.pdf', '✓ document mandate.pdf']) expect(checked.stdout).toContain(part)
  })

  it('is not signed when the administrator is another than the key’s account, and says so', async () => {
    const other = await keyFile(at, 3)
    const ended = await organisation({ '--out': at('unsigned.json'), '--administrator': other.address })
    expect([ended.code, ended.stderr]).toEqual([0, expect.stringContaining('not signed')])
    expect(await readJson(at('unsigned.json'))).not.toHaveProperty('signature')
    expect((await check(at('unsigned.json'))).stdout).toContain(`– signature: none; nothing shows that somebody holds the key of the administrator ${other.address}`)
  })

  it('names every wrong field by its flag, in the language of the clerk', async () => {
    const flags = {
      '--uscc': '91230100MA0000322X', '--kind': 'banc', '--name-zh': '银'.repeat(34), '--name-en': undefined, '--roles': 'anchor,fly',
      '--gas-per-day': '1e9', '--administrator': administrator.address.slice(0, -1), '--out': at('never.json'),
    }
    const english = problemsOf(await organisation(flags))
    expect(english.map((line) => line.split(' ')[0]).sort()).toEqual(
      ['--administrator', '--gas-per-day', '--kind', '--name-en', '--name-zh', '--roles', '--uscc'],
    )
    expect(english.join()).toContain('102 bytes')
    const chinese = problemsOf(await organisation(flags, 'zh'))
    expect(chinese).toHaveLength(english.length)
    for (const line of chinese) expect(line).toMatch(/^--[a-z-]+ .*\p{Script=Han}/u)
    await expect(stat(at('never.json'))).rejects.toThrow('ENOENT')
  })

  it('finds a mistyped digit of an address by its checksum', async () => {
    const good = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'
    const typo = good.replace('e51', 'e52')
    expect((await organisation({ '--administrator': good, '--out': at('checksum.json') })).code).toBe(0)
    expect(problemsOf(await organisation({ '--administrator': typo, '--out': at('no.json') }))).toEqual([expect.stringContaining('--administrator is 0xf39Fd6e52')])
  })

  it.each<[string, Record<string, string | readonly string[] | undefined>, string, string]>([
    ['neither --out nor --rpc', {}, 'CLI_USAGE', '--out'],
    ['a document that is not there', { '--out': 'x', '--documents': ['none.pdf'] }, 'CLI_FILE', 'none.pdf'],
    ['two documents of one name', { '--out': 'x', '--documents': ['A', 'B'] }, 'CLI_USAGE', 'two are called'],
    ['a plain key for a chain that is no devnet', { '--out': 'x', '--chain-id': '230000' }, 'CLI_USAGE', '--dev-key-file'],
    ['a node that nobody answers at', { '--rpc': 'http://127.0.0.1:1' }, 'RPC_UNREACHABLE', '127.0.0.1:1'],
    ['an address that is none', { '--rpc': 'localhost' }, 'CLI_USAGE', '--rpc'],
  ])('refuses %s', async (what, flags, error, said) => {
    await mkdir(at('twin'), { recursive: true })
    await writeFile(at('twin/mandate.pdf'), 'other')
    const out = flags['--out'] === undefined ? {} : { '--out': at(`${error}-${what.length}.json`) }
    const twins = what.startsWith('two') ? { '--documents': [documents[1]!, at('twin/mandate.pdf')] } : {}
    const ended = await organisation({ ...flags, ...out, ...twins })
    expect([ended.error, ended.message]).toEqual([error, expect.stringContaining(said)])
  })

  it('never writes over a file', async () => {
    await writeFile(at('taken.json'), 'mine')
    expect(await organisation({ '--out': at('taken.json') })).toMatchObject({ code: 2, error: 'CLI_FILE_EXISTS' })
    expect(await readFile(at('taken.json'), 'utf8')).toBe('mine')
  })
})

describe('songhua apply node', () => {
  it.each(['999999', '230399', '230103'])('refuses the city %s, which no genesis takes, and lists those that there are', async (city) => {
    const words_ = ['apply', 'node', '--kind', 'service', '--city', city, '--operator', USCC.operator, '--out', at('never-city.json')]
    const [line] = problemsOf(await runCommand(words_))
    expect(line).toMatch(new RegExp(`^--city is ${city}; it must be one of the codes 230100 Harbin, .*232700 Daxing'anling$`))
    expect(problemsOf(await runCommand(words_, { language: 'zh' })).join()).toContain('230200 齐齐哈尔')
  })

  it('signs by the node’s key for one applicant; a city may be given by its name', async () => {
    const out = at('node.json')
    const ended = await applyNode({ '--out': out, '--documents': documents, '--industry': 'O' })
    expect([ended.code, ended.message]).toEqual([0, ''])
    expect(await readJson(out)).toMatchObject({ type: 'node', applicant: administrator.address, node: { city: '230200', kind: 'backbone', industry: 'O' } })
    const checked = await check(out)
    expect([checked.code, checked.stdout]).toEqual([0, expect.stringContaining(`✓ signature: by the key of ${node.address}`)])
    expect(checked.stdout).toContain('– document mandate.pdf: not checked')
  })

  it('takes key and chain from a data folder', async () => {
    await writeFile(at('password'), 'correct horse battery staple\n')
    const made = await runCommand(['init', '--data', at('node'), '--key-password-file', at('password'), '--json'])
    const { address } = JSON.parse(made.stdout) as { address: string }
    const flags = { '--node-dev-key-file': undefined, '--data': at('node'), '--node-key-password-file': at('password'), '--out': at('folder.json') }
    expect(await applyNode(flags)).toMatchObject({ code: 0, message: '' })
    expect((await check(at('folder.json'))).stdout).toContain(address)
    expect(await applyNode({ ...flags, '--data': at('nowhere'), '--out': at('no-folder.json') })).toMatchObject({ code: 2, error: 'CLI_DATA_FOLDER' })
  })

  it('names every wrong field by its flag', async () => {
    const flags = { '--city': '23010', '--industry': 'Z', '--operator': '1', '--kind': 'tiny', '--out': at('never-node.json') }
    const lines = problemsOf(await applyNode(flags))
    expect(lines.map((line) => line.split(' ')[0]).sort()).toEqual(['--city', '--industry', '--kind', '--operator'])
    expect(problemsOf(await applyNode({ '--telecom': undefined, '--government': undefined, '--out': at('no.json') })).map((line) => line.split(' ')[0]))
      .toEqual(['--government', '--telecom'])
    expect(problemsOf(await applyNode({ '--applicant': undefined, '--out': at('no.json') }))).toEqual(['--applicant is missing'])
    expect(problemsOf(await applyNode({ '--node-dev-key-file': undefined, '--out': at('no.json') }))).toEqual([expect.stringContaining('--node-key-file')])
  })

  it('lets a service node have an operator alone', async () => {
    const flags = { '--kind': 'service', '--government': undefined, '--telecom': undefined, '--out': at('service.json') }
    expect(await applyNode(flags)).toMatchObject({ code: 0, message: '' })
  })
})

describe('songhua apply check', () => {
  beforeAll(async () => {
    await organisation({ '--out': at('good.json'), '--documents': documents })
    await applyNode({ '--out': at('good-node.json'), '--documents': documents })
  })

  it('tells of documents that have changed, are missing, or do not belong', async () => {
    await writeFile(at('other.pdf'), 'other')
    await mkdir(at('handed'), { recursive: true })
    await writeFile(at('handed/mandate.pdf'), 'mandate, altered')
    const ended = await check(at('good.json'), '--documents', at('handed/mandate.pdf'), at('other.pdf'))
    expect(ended).toMatchObject({ code: 2, error: 'APPLICATION_INVALID' })
    for (const part of ['✗ document 营业执照.pdf: was not handed over', '✗ document mandate.pdf: is not the one', '✗ document other.pdf: does not belong']) {
      expect(ended.stdout).toContain(part)
    }
  })

  it('knows a document under another name', async () => {
    await writeFile(at('scan-1.pdf'), 'licence')
    const ended = await check(at('good.json'), '--documents', at('scan-1.pdf'), documents[1]!, '--json')
    const { isRight, checks } = JSON.parse(ended.stdout) as { isRight: boolean; checks: { text: string }[] }
    expect([ended.code, isRight]).toEqual([0, true])
    expect(checks.map(({ text }) => text).join()).toContain('handed over as scan-1.pdf')
  })

  it.each<[string, string, (json: Record<string, unknown>) => object]>([
    ['a name', 'good.json', (json) => ({ ...json, organisation: { ...(json.organisation as object), nameEn: 'Another' } })],
    ['the chain', 'good-node.json', (json) => ({ ...json, chainId: 1 })],
    ['the applicant', 'good-node.json', (json) => ({ ...json, applicant: `0x${'99'.repeat(20)}` })],
  ])('finds that %s was changed after the signature', async (_what, from, change) => {
    const file = await changed(at(from), `changed-${_what.length}.json`, change)
    const ended = await check(file)
    expect([ended.code, ended.error, ended.stdout]).toEqual([2, 'APPLICATION_INVALID', expect.stringContaining('✗ signature')])
  })

  it('finds that the list of documents was changed', async () => {
    const file = await changed(at('good.json'), 'fewer.json', (json) => ({ ...json, documents: [(json.documents as object[])[0]] }))
    expect((await check(file)).stdout).toContain('✗ documentsHash')
  })

  it('names every wrong field by file and path', async () => {
    const file = await changed(at('good.json'), 'wrong.json', (json) => ({
      ...json, organisation: { ...(json.organisation as object), uscc: '1', roles: ['fly'], nickname: 'x' },
    }))
    expect(problemsOf(await check(file)).map((line) => line.split(' ').slice(0, 2).join(' ')).sort()).toEqual([
      `${file}: organisation.nickname`, `${file}: organisation.roles`, `${file}: organisation.uscc`,
    ])
    const outer = await changed(at('good.json'), 'outer.json', ({ documentsHash: _, ...json }) => ({ ...json, version: 'songhua.application/2', documents: 3 }))
    expect(problemsOf(await check(outer)).map((line) => line.split(' ')[1]).sort()).toEqual(['documents', 'documentsHash', 'version'])
    await writeFile(at('list.json'), '[]')
    expect(problemsOf(await check(at('list.json')))).toEqual([expect.stringContaining('must be an object')])
    await writeFile(at('none.json'), 'no JSON')
    expect(await check(at('none.json'))).toMatchObject({ code: 2, error: 'CLI_JSON' })
  })

  it('is asked before anything is sent or proposed', async () => {
    const file = await changed(at('good.json'), 'forged.json', (json) => ({ ...json, chainId: 230098 }))
    const key = ['--dev-key-file', administrator.path, '--rpc', 'http://127.0.0.1:1']
    const commands = [
      ['apply', 'submit', file, ...key], ['council', 'propose', 'admitOrganisation', '--application', file, '--reason', 'x', ...key],
    ]
    for (const command of commands) expect(await runCommand(command)).toMatchObject({ code: 2, error: 'APPLICATION_INVALID' })
  })
})
