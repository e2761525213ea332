import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { PassThrough } from 'node:stream'
import { beforeAll, describe, expect, it } from 'vitest'
import type { EvidenceVerdict } from '@songhua/sdk/protocol/evidence-verdict'
import { trustAnchorToJson } from '@songhua/sdk/protocol/trust-anchor'
import { genesisHeader, parseGenesis } from '@songhua/sdk/protocol/genesis'
import { EMPTY_TRIE_ROOT } from '@songhua/sdk/protocol/account'
import { type CliContext, note, print } from '@songhua/node/cli/context'
import { genesisState } from '@songhua/node/execution/genesis-state'
import { updateStateTrie } from '@songhua/node/trie/state-trie'
import { chain, good, goodWith } from '../protocol/evidence-cases-support.js'
import { createEvidenceChain, record as recordWith } from '../protocol/evidence-support.js'
import { GENESIS_JSON } from '../protocol/support.js'
import { runCommand } from './in-process.js'
import { testFolder } from './support.js'

const at = await testFolder()
const [evidence, anchor, payload, salt] = ['good.json', 'anchor.json', 'payload', 'salt'].map(at) as [
  string, string, string, string,
]
const record = chain.batch[4]!
const saltDigits = Buffer.from(record.salt).toString('hex')

beforeAll(async () => {
  await writeFile(evidence, JSON.stringify(good))
  await writeFile(anchor, JSON.stringify(chain.trustAnchor()))
  await writeFile(payload, record.payload)
  await writeFile(salt, `${saltDigits}\n`)
  await writeFile(at('bad.json'), JSON.stringify(goodWith({ envelope: { ...good.envelope, note: '' } })))
  await writeFile(at('noise'), Buffer.alloc(10_000_000, 0x5b))
  await mkdir(at('folder'))
})

describe('songhua verify', () => {
  it('says each step and what is proved, and what is not', async () => {
    const { code, stdout } = await runCommand(['verify', evidence, '--anchor', anchor])
    expect(code).toBe(0)
    expect(stdout.match(/^ {2}[✓–] /gm)).toHaveLength(10)
    expect(stdout).toContain('– payload')
    for (const part of ['VALID', String(good.envelope.id), chain.hashes[15]!, 'still in force is not proved', anchor]) {
      expect(stdout).toContain(part)
    }
    expect(stdout).toContain('the validators since block 0, who sealed block 15')
  })

  it('says it in Chinese', async () => {
    const { code, stdout } = await runCommand(['verify', evidence, '--anchor', anchor], { language: 'zh' })
    expect(code).toBe(0)
    for (const part of ['有效', '证据文件与信任锚格式正确', '不证明其目前仍然有效', '信任锚']) expect(stdout).toContain(part)
  })

  it.each([
    ['digits', saltDigits],
    ['a file', salt],
  ])('compares the payload, the salt given as %s', async (_, given) => {
    const { code, stdout } = await runCommand(['verify', evidence, '--anchor', anchor, '--payload', payload, '--salt', given])
    expect(code).toBe(0)
    expect(stdout).toContain('The payload is the one that was recorded')
  })

  it('prints the verdict for programs, and reads standard input', async () => {
    const words = ['verify', '-', '--anchor', anchor, '--json']
    const { code, stdout } = await runCommand(words, { stdin: JSON.stringify(good) })
    const verdict = JSON.parse(stdout) as EvidenceVerdict & { file: string; trustAnchor: string }
    expect(code).toBe(0)
    expect(verdict).toMatchObject({ file: '-', trustAnchor: anchor, valid: true, facts: { block: { number: 15 } } })
    expect(verdict.steps).toHaveLength(10)
  })

  it('names the first code that decides, and ends with the exit code of bad evidence', async () => {
    const { code, error, message, stdout } = await runCommand(['verify', at('bad.json'), '--anchor', anchor])
    expect([code, error]).toEqual([9, 'EVIDENCE_INVALID'])
    expect(message).toMatch(/bad\.json: INCLUSION_ROOT /)
    expect(stdout).toContain('NOT VALID: INCLUSION_ROOT')
    expect(stdout).not.toContain('in force')
  })

  it('verifies many, and says how many are valid', async () => {
    const { code, stdout, message } = await runCommand(['verify', evidence, at('bad.json'), evidence, '--anchor', anchor])
    expect(code).toBe(9)
    expect(stdout).toContain('2 of 3 are valid')
    expect(message).toContain('bad.json')
  })

  it('takes the genesis of a data folder for a trust anchor', async () => {
    await writeFile(at('genesis.json'), JSON.stringify(GENESIS_JSON))
    const { code, stdout, message } = await runCommand(['verify', evidence, '--data', at('.')])
    // The chain of these tests has a genesis with another state, and so another hash: what counts is which was taken.
    const genesis = parseGenesis(GENESIS_JSON)
    const { root } = updateStateTrie({ getNode: () => undefined }, EMPTY_TRIE_ROOT, genesisState(genesis))
    const own = { chainId: 230099, genesisHeader: genesisHeader(genesis, root), checkpoints: [] }
    expect([code, message.includes('CHAIN_GENESIS')]).toEqual([9, true])
    expect(stdout).toContain(at('genesis.json'))
    await writeFile(at('own.json'), JSON.stringify(trustAnchorToJson(own)))
    const byFile = await runCommand(['verify', evidence, '--anchor', at('own.json')])
    expect(byFile.message).toBe(message)
  })
})

describe('songhua verify --document', () => {
  const digests = (bytes: Uint8Array): { sha256: string; sm3: string } => ({
    sha256: createHash('sha256').update(bytes).digest('hex'), sm3: createHash('sm3').update(bytes).digest('hex'),
  })
  const [own, text] = [record, Buffer.from('decision')]
  const recorded = Buffer.from(JSON.stringify({ sizeBytes: text.length, ...digests(text) }))
  const verify = (document: string, ...more: string[]) => runCommand([
    'verify', at('document.json'), '--anchor', at('document-anchor.json'), '--payload', at('document-payload'), '--salt', saltDigits, '--document', document, ...more,
  ])

  beforeAll(async () => {
    const envelope = recordWith(0, { payloadDigests: digests(Buffer.concat([own.salt, recorded])) }).envelope
    const other = createEvidenceChain([{ envelope, payload: recorded, salt: own.salt }])
    await writeFile(at('document.json'), JSON.stringify(other.bundle(8, 0)))
    await writeFile(at('document-anchor.json'), JSON.stringify(other.trustAnchor()))
    await writeFile(at('document-payload'), recorded)
    await writeFile(at('decision.pdf'), text)
    await writeFile(at('wrong.pdf'), 'another')
  })

  it('says that the document is the one recorded, among the steps', async () => {
    expect(await verify(at('decision.pdf'))).toMatchObject({ code: 0, stdout: expect.stringMatching(/✓ document .*decision\.pdf is the one[^]*\nVALID\n/) as string })
    expect(JSON.parse((await verify(at('decision.pdf'), '--json')).stdout)).toMatchObject({ valid: true, document: { path: at('decision.pdf'), ok: true } })
  })

  it('calls evidence of another document not valid, for people and for programs', async () => {
    const { code, error, stdout, message } = await verify(at('wrong.pdf'))
    expect([code, error]).toEqual([9, 'EVIDENCE_INVALID'])
    expect(message).toContain(`${at('wrong.pdf')} is not the document whose digests were recorded`)
    expect(stdout).toMatch(/✗ document .*wrong\.pdf is not[^]*\nNOT VALID: /)
    expect(stdout).not.toMatch(/^VALID|existed at/m)
    const json = await verify(at('wrong.pdf'), '--json')
    const verdict = JSON.parse(json.stdout) as Record<string, unknown>
    expect([json.code, verdict]).toEqual([9, expect.objectContaining({ valid: false, document: { path: at('wrong.pdf'), ok: false } })])
    expect(verdict).not.toHaveProperty('facts')
  })
})

describe('what a file says of itself', () => {
  const escapes = '\u001b[2K\u001b[1A\u009b8m\u202e\u2028\nVALID'
  const hidden = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u
  const linesOf = (text: string): string[] => text.split('\n')

  it('is shown, and not obeyed by the terminal: its issuer and schema', async () => {
    const batch = [recordWith(0, { issuer: `did:x:${escapes}`, id: `i${escapes}`, schema: { id: `s${escapes}`, version: '1' } })]
    const own = createEvidenceChain(batch)
    await writeFile(at('escapes.json'), JSON.stringify(own.bundle(8, 0)))
    await writeFile(at('escapes-anchor.json'), JSON.stringify(own.trustAnchor()))
    const words = ['verify', at('escapes.json'), '--anchor', at('escapes-anchor.json')]
    const { code, stdout } = await runCommand(words)
    expect(code).toBe(0)
    expect(linesOf(stdout).filter((line) => hidden.test(line))).toEqual([])
    expect(linesOf(stdout).filter((line) => line.startsWith('VALID'))).toEqual(['VALID'])
    expect(stdout).toContain('did:x:\\u001b[2K\\u001b[1A\\u009b8m\\u202e\\u2028\\u000aVALID')
    const json = (await runCommand([...words, '--json'])).stdout
    expect(hidden.test(json.trimEnd())).toBe(false)
    expect(JSON.parse(json)).toMatchObject({ facts: { issuer: { name: `did:x:${escapes}` } } })
  })

  it('is shown so when it is refused, in the error too', async () => {
    await writeFile(at('version.json'), JSON.stringify({ ...good, version: `songhua${escapes}` }))
    const { code, stdout, message } = await runCommand(['verify', at('version.json'), '--anchor', anchor])
    expect(code).toBe(9)
    expect(linesOf(stdout).filter((line) => hidden.test(line) || line.startsWith('VALID'))).toEqual([])
    expect(hidden.test(message)).toBe(false)
    expect(message).toContain('FORMAT_VERSION')
    expect(message).toContain('\\u001b[2K')
  })

  it('reaches neither stdout nor stderr of any command as it is', () => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()]
    const context = { stdout, stderr } as unknown as CliContext
    print(context, `a\tb\n${escapes}`)
    note(context, `a\tb\n${escapes}😀\u{e0001}`)
    expect(String(stdout.read())).toBe('a\tb\n\\u001b[2K\\u001b[1A\\u009b8m\\u202e\\u2028\nVALID\n')
    expect(String(stderr.read())).toBe('a\tb\n\\u001b[2K\\u001b[1A\\u009b8m\\u202e\\u2028\nVALID😀\\udb40\\udc01\n')
  })
})

describe('songhua verify refuses', () => {
  it.each<[string, string[], number, string]>([
    ['a missing file', ['verify', at('none.json'), '--anchor', anchor], 2, 'CLI_FILE'],
    ['a folder', ['verify', at('folder'), '--anchor', anchor], 2, 'CLI_FILE'],
    ['no file', ['verify', '--anchor', anchor], 2, 'CLI_USAGE'],
    ['a missing trust anchor', ['verify', evidence, '--anchor', at('none.json')], 2, 'CLI_FILE'],
    ['a trust anchor that is none', ['verify', evidence, '--anchor', evidence], 2, 'TRUST_ANCHOR_FORMAT'],
    ['a data folder without genesis', ['verify', evidence, '--data', at('folder')], 2, 'CLI_FILE'],
    ['no trust anchor', ['verify', evidence], 2, 'CLI_USAGE'],
    ['a payload without salt', ['verify', evidence, '--anchor', anchor, '--payload', payload], 2, 'CLI_USAGE'],
    ['a salt without payload', ['verify', evidence, '--anchor', anchor, '--salt', salt], 2, 'CLI_USAGE'],
    ['a salt that is none', ['verify', evidence, '--anchor', anchor, '--payload', payload, '--salt', payload], 2, 'CLI_USAGE'],
    ['one payload for two files', ['verify', evidence, evidence, '--anchor', anchor, '--payload', payload, '--salt', salt], 2, 'CLI_USAGE'],
    ['10 MB of noise', ['verify', at('noise'), '--anchor', anchor], 9, 'EVIDENCE_INVALID'],
    ['the payload in place of the evidence', ['verify', payload, '--anchor', anchor], 9, 'EVIDENCE_INVALID'],
  ])('%s', async (_, words, code, error) => {
    expect(await runCommand(words)).toMatchObject({ code, error })
  })

  it('no trust anchor, saying how to get one', async () => {
    expect((await runCommand(['verify', evidence])).message).toContain('songhua anchor-file')
    expect((await runCommand(['verify', evidence], { language: 'zh' })).message).toContain('信任锚')
  })

  it('a payload off by a byte', async () => {
    await writeFile(at('off'), Buffer.concat([record.payload, Buffer.of(10)]))
    const words = ['verify', evidence, '--anchor', anchor, '--payload', at('off'), '--salt', salt]
    expect(await runCommand(words)).toMatchObject({ code: 9, message: expect.stringContaining('PAYLOAD_SHA256') as string })
  })

  it('and the help tells the exit code', async () => {
    expect((await runCommand(['--help'])).stdout).toContain('9  evidence does not prove its record')
  })
})
