import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Devnet, removeDir, startDevnet, tempDir } from '../support/devnet.js'
import { runCommand } from './in-process.js'
import { testFolder } from './support.js'

const at = await testFolder()
const issuer = ['--issuer', 'uscc:91230100MA1B00000X']
let devnet: Devnet
let dataDir: string
let door: string[]

beforeAll(async () => {
  dataDir = await tempDir('anchor')
  devnet = await startDevnet({ validators: 1, gateways: 1, dataDir })
  await writeFile(at('key'), devnet.ready.accounts[1]!.privateKey)
  door = ['--rpc', devnet.ready.nodes[0]!.rpc, '--dev-key-file', at('key'), ...issuer]
})

afterAll(async () => {
  await devnet?.stop()
  await removeDir(dataDir)
})

const anchorOf = (path: string): string[] => [path, '--payload', `${path}.payload.json`, '--salt', `${path}.salt`]

describe('songhua anchor', () => {
  it('anchors documents, writes three files for each, and what they prove can be verified', async () => {
    const [small, large] = [at('决定书.pdf'), at('large.bin')]
    const bytes = Buffer.alloc(5_000_000, 'songhua')
    await writeFile(small, 'decision')
    await writeFile(large, bytes)
    const ended = await runCommand(['anchor', small, large, ...door, '--type', '行政许可决定书', '--number', '黑营许〔2026〕1号'])
    expect(ended).toMatchObject({ code: 0, message: '' })
    const [node, trust] = [devnet.ready.nodes[0]!.rpc, at('trust.json')]
    const exported = await runCommand(['anchor-file', '--rpc', node, '--checkpoint', 'none', '--out', trust])
    expect(exported).toMatchObject({ code: 0 })
    for (const path of [small, large]) {
      const [, ...input] = anchorOf(path)
      const words = ['verify', `${path}.evidence.json`, ...input, '--anchor', trust]
      expect(await runCommand(words)).toMatchObject({ code: 0, message: '' })
      expect(ended.stdout).toContain(`${path}.evidence.json`)
    }
    const payload = JSON.parse(await readFile(`${large}.payload.json`, 'utf8')) as object
    const digest = (name: string): string => createHash(name).update(bytes).digest('hex')
    expect(payload).toMatchObject({ name: 'large.bin', sizeBytes: 5_000_000, sha256: digest('sha256'), sm3: digest('sm3') })
    expect(JSON.parse(await readFile(`${small}.payload.json`, 'utf8'))).toMatchObject({ mediaType: 'application/pdf' })
    expect((await stat(`${large}.salt`)).mode & 0o777).toBe(0o600)
    expect(await readFile(`${large}.evidence.json`, 'utf8')).not.toContain(digest('sha256'))
  })

  it('holds the document against its record, and tells of one that has changed since', async () => {
    const path = at('changing.txt')
    await writeFile(path, 'as it was')
    expect(await runCommand(['anchor', path, ...door])).toMatchObject({ code: 0 })
    const trust = at('document-trust.json')
    await runCommand(['anchor-file', '--rpc', devnet.ready.nodes[0]!.rpc, '--out', trust])
    const [, ...input] = anchorOf(path)
    const verify = (...words: string[]) => runCommand(['verify', `${path}.evidence.json`, ...input, '--anchor', trust, ...words])
    expect((await verify()).stdout).toContain('check it with --document')
    expect(await verify('--document', path)).toMatchObject({ code: 0, stdout: expect.stringContaining('✓ document') as string })
    await writeFile(path, 'as it was not')
    expect(await verify('--document', path)).toMatchObject({ code: 9, error: 'EVIDENCE_INVALID' })
    const again = await runCommand(['anchor', path, ...door])
    expect([again.code, again.error, again.message]).toEqual([2, 'CLI_FILE_EXISTS', expect.stringContaining('has changed since it was anchored')])
    await writeFile(`${path}.payload.json`, 'no JSON')
    expect(await runCommand(['anchor', path, ...door])).toMatchObject({ code: 2, error: 'CLI_FILE_EXISTS' })
    const alone = await runCommand(['verify', `${path}.evidence.json`, '--anchor', trust, '--document', path])
    expect([alone.code, alone.error]).toEqual([2, 'CLI_USAGE'])
  })

  it('anchors through a gateway, with an API key from a file', async () => {
    const path = at('through-gateway.txt')
    await writeFile(path, 'through')
    await writeFile(at('api-key'), `${devnet.ready.apiKey}\n`)
    const words = ['--gateway', devnet.ready.nodes[0]!.gateway!, '--api-key-file', at('api-key'), '--issued-by', '营商局']
    expect(await runCommand(['anchor', path, ...words])).toMatchObject({ code: 0, message: '' })
    const trust = at('genesis.json.anchor')
    await runCommand(['anchor-file', '--rpc', devnet.ready.nodes[0]!.rpc, '--checkpoint', 'none', '--out', trust])
    const [, ...input] = anchorOf(path)
    const verified = await runCommand(['verify', `${path}.evidence.json`, ...input, '--anchor', trust])
    expect(verified).toMatchObject({ code: 0, message: '' })
  })

  it('keeps evidence that exists, and anchors again only when told', async () => {
    const path = at('again.txt')
    await writeFile(path, 'again')
    expect((await runCommand(['anchor', path, ...door])).code).toBe(0)
    const before = await readFile(`${path}.evidence.json`, 'utf8')
    const again = await runCommand(['anchor', path, ...door])
    expect(again).toMatchObject({ code: 0, stdout: '' })
    expect(again.stderr).toContain('anchored already')
    expect(await readFile(`${path}.evidence.json`, 'utf8')).toBe(before)
    expect((await runCommand(['anchor', path, ...door, '--force'])).code).toBe(0)
    expect(await readFile(`${path}.evidence.json`, 'utf8')).not.toBe(before)
    await rm(`${path}.salt`)
    expect(await runCommand(['anchor', path, ...door])).toMatchObject({ code: 2, error: 'CLI_FILE_EXISTS' })
  })

  it('takes no evidence of another issuer or chain for that of this one', async () => {
    const path = at('other.txt')
    await writeFile(path, 'other')
    expect(await runCommand(['anchor', path, ...door])).toMatchObject({ code: 0 })
    const other = await runCommand(['anchor', path, ...door.slice(0, 4), '--issuer', 'uscc:11230100MB10000107'])
    expect([other.code, other.error, other.message]).toEqual([2, 'CLI_FILE_EXISTS', expect.stringContaining(`of issuer ${issuer[1]!}, not of uscc:11230100MB10000107`)])
    expect(other.message).toContain('--force')
    const evidence = JSON.parse(await readFile(`${path}.evidence.json`, 'utf8')) as { chain: object }
    const genesisHash = `0x${'ab'.repeat(32)}`
    await writeFile(`${path}.evidence.json`, JSON.stringify({ ...evidence, chain: { ...evidence.chain, genesisHash } }))
    await writeFile(at('other-key'), devnet.ready.apiKey)
    const gateway = ['--gateway', devnet.ready.nodes[0]!.gateway!, '--api-key-file', at('other-key'), ...issuer]
    for (const way of [door, gateway]) {
      const chain = await runCommand(['anchor', path, ...way], { language: 'zh' })
      expect([chain.code, chain.error, chain.message]).toEqual([2, 'CLI_FILE_EXISTS', expect.stringContaining(`属于链 230099, ${genesisHash}`)])
    }
    // Nobody tells which chain it is: what is known is the same.
    expect(await runCommand(['anchor', path, '--rpc', 'http://127.0.0.1:1', ...door.slice(2)])).toMatchObject({ code: 0 })
  })

  it.each<[string, () => string[], number, string]>([
    ['a missing file', () => ['anchor', at('none'), ...door], 2, 'CLI_FILE'],
    ['a folder', () => ['anchor', at('folder'), ...door], 2, 'CLI_FILE'],
    ['no door', () => ['anchor', at('key'), ...issuer], 2, 'CLI_USAGE'],
    ['two doors', () => ['anchor', at('key'), ...door, '--gateway', 'http://127.0.0.1:1', '--api-key-file', at('key')], 2, 'CLI_USAGE'],
    ['no issuer', () => ['anchor', at('key'), ...door.slice(0, 4)], 2, 'CLI_USAGE'],
    ['an issuer that is no URI', () => ['anchor', at('key'), ...door.slice(0, 4), '--issuer', 'the bureau'], 2, 'RECORD_INVALID'],
    ['a date of the future', () => ['anchor', at('key'), ...door, '--issued-on', '2999-01-01'], 2, 'RECORD_INVALID'],
  ])('refuses %s, and writes nothing', async (_, words, code, error) => {
    await mkdir(at('folder'), { recursive: true })
    expect(await runCommand(words())).toMatchObject({ code, error })
    await expect(stat(`${at('key')}.evidence.json`)).rejects.toThrow('ENOENT')
  })

  it('names every field that fails, in the language of the user', async () => {
    const words = ['anchor', at('key'), ...door, '--issued-on', '2999-01-01', '--type', 'x'.repeat(300)]
    const english = (await runCommand(words)).message
    for (const part of [at('key'), 'issuedOn: ', 'documentType: ']) expect(english).toContain(part)
    expect((await runCommand(words, { language: 'zh' })).message).toMatch(/issuedOn: .*\p{Script=Han}/u)
  })
})
