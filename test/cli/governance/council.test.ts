import { writeFile } from 'node:fs/promises'
import { MOTIONS, type MotionArguments, type MotionKind, encodeMotion } from '@songhua/sdk/governance/motions'
import { isUscc } from '@songhua/sdk/protocol/uscc'
import { fileSource, flagOf, flagSource, readForm, type FieldsOf } from '@songhua/node/cli/governance/fields'
import { MOTION_FIELDS, MOTION_KINDS, MOTION_TITLES } from '@songhua/node/cli/governance/motion-fields'
import { type Directory, showValue, toJson } from '@songhua/node/cli/governance/names'
import { beforeAll, describe, expect, it } from 'vitest'
import { MOTION_SAMPLES } from '../../governance/motion-samples.js'
import { testContext, testFolder } from '../support.js'
import { USCC, keyFile, problemsOf, runCommand, words } from './forms.js'

const at = await testFolder()
const context = testContext()
let key: { path: string; address: string }
let door: string[]

beforeAll(async () => {
  key = await keyFile(at, 1)
  // Nobody listens there: what is refused is refused before anybody is asked.
  door = ['--rpc', 'http://127.0.0.1:1', '--dev-key-file', key.path]
})

const propose = (kind: string, flags: Record<string, string>, language: 'en' | 'zh' = 'en') =>
  runCommand(['council', 'propose', kind, '--reason', 'as agreed', ...words(flags), ...door], { language })
type AnyArguments = MotionArguments[MotionKind]
const fieldsOf = (kind: MotionKind): FieldsOf<AnyArguments> => MOTION_FIELDS[kind]

/** As a clerk would type it. */
function flagText(value: unknown): string {
  if (Array.isArray(value)) return value.join(',')
  if (typeof value === 'object' && value !== null) return Object.entries(value).map(([door, level]) => `${door}=${String(level)}`).join(',')
  return String(value)
}

describe('the fields of a motion', () => {
  it('are known for every kind, in the order of its numbers', () => {
    expect(MOTION_KINDS.map((kind) => MOTIONS[kind].number)).toEqual(MOTION_KINDS.map((_, index) => index + 1))
    expect(new Set(MOTION_KINDS)).toEqual(new Set(Object.keys(MOTIONS)))
  })

  it.each(MOTION_KINDS)('are the same by flags, by a file and on the chain: %s', (kind) => {
    const sample = MOTION_SAMPLES[kind] as AnyArguments
    const asFlags = Object.fromEntries(Object.entries(sample).map(([name, value]) => [name === 'version' ? 'protocolVersion' : name, flagText(value)]))
    const byFlags = readForm(context, fieldsOf(kind), [flagSource(asFlags, Object.keys(sample))])
    const byFile = readForm(context, fieldsOf(kind), [fileSource(context, { json: JSON.parse(toJson(sample)), file: 'args.json' })])
    expect([byFlags, byFile]).toEqual([sample, sample])
    expect(encodeMotion(kind, byFlags)).toBe(encodeMotion(kind, sample))
  })

  it.each(MOTION_KINDS)('are shown with names: %s', (kind) => {
    const directory: Directory = { organisation: (id) => `O ${id}`, node: (id) => `N ${id}`, account: (id) => `A ${id}` }
    const fields = fieldsOf(kind) as Readonly<Record<string, { type: { shape: Parameters<typeof showValue>[1]['shape'] } }>>
    for (const [name, value] of Object.entries(MOTION_SAMPLES[kind])) {
      const shown = showValue(context, { shape: fields[name]!.type.shape, value }, directory)
      if (['uscc', 'government', 'telecom', 'operator'].includes(name)) expect(shown).toBe(`O ${String(value)}`)
      if (name === 'node') expect(shown).toBe(`N ${String(value)}`)
      expect(shown).not.toMatch(/undefined|\[object/)
    }
    expect(MOTION_TITLES[kind].zh).toMatch(/\p{Script=Han}/u)
  })
})

describe('the help of governing', () => {
  const helpOf = async (words: string[], language: 'en' | 'zh' = 'en') => (await runCommand([...words, '--help'], { language })).stdout.replace(/\s+/g, ' ')
  const ROLES = 'anchor, deploy, issue, administer, read, apply'

  it.each(['en', 'zh'] as const)('lists what may stand in fields of certain words, in %s', async (language) => {
    const propose = await helpOf(['council', 'propose'], language)
    for (const part of [ROLES, 'eth, net, web3, txpool, debug, qbft, songhua, government, trace, credit', 'listed, members, public', 'government-body, telecom-operator']) {
      expect(propose).toContain(part)
    }
    for (const words of [['account', 'bind'], ['account', 'change'], ['apply', 'organisation']]) expect(await helpOf(words, language)).toContain(ROLES)
  })
})

describe('songhua council propose', () => {
  it('names a kind that there is not, and the one that is like it', async () => {
    expect(await propose('admitNote', {})).toMatchObject({ code: 2, error: 'CLI_USAGE', message: expect.stringContaining('did you mean admitNode?') as string })
    expect((await propose('法律', {}, 'zh')).message).toContain('法律 不是议案事项')
  })

  it('takes a kind in words with hyphens', async () => {
    expect(await propose('admit-node', { '--node': key.address })).toMatchObject({ code: 7, error: 'RPC_UNREACHABLE' })
  })

  it('names every wrong, missing and foreign field by its flag', async () => {
    const lines = problemsOf(await propose('issueAcCode', { '--node': '0x12', '--ac-code': 'HRB', '--height': '7' }))
    expect(lines.map((line) => line.split(' ')[0]).sort()).toEqual(['--ac-code', '--height', '--node'])
    expect(lines.join()).toContain('known are --node, --ac-code')
    expect(problemsOf(await propose('scheduleProtocol', {})).sort()).toEqual(['--height is missing', '--protocol-version is missing'])
    expect(problemsOf(await propose('setParameters', { '--min-validators': '65' }, 'zh'))).toContainEqual(expect.stringMatching(/^--min-validators 为 65；应为 1 至 64/))
  })

  it('reads a file of arguments, and flags over it', async () => {
    await writeFile(at('args.json'), JSON.stringify({ node: '0x12', acCode: 'hrb1', colour: 'red' }))
    const lines = problemsOf(await propose('issueAcCode', { '--args': at('args.json') }))
    expect(lines.map((line) => line.split(' ').slice(0, 2).join(' ')).sort()).toEqual([`${at('args.json')}: colour`, `${at('args.json')}: node`])
    await writeFile(at('good-args.json'), JSON.stringify({ node: '0x12', acCode: 'hrb1' }))
    expect(await propose('issueAcCode', { '--args': at('good-args.json'), '--node': key.address })).toMatchObject({ error: 'RPC_UNREACHABLE' })
  })

  it.each<[string, string[], string, string]>([
    ['no reason', ['council', 'propose', 'seat', '--uscc', USCC.bank], 'CLI_USAGE', '--reason'],
    ['an empty reason', ['council', 'propose', 'seat', '--uscc', USCC.bank, '--reason', ' '], 'CLI_USAGE', '--reason'],
    ['a reason that is too long', ['council', 'propose', 'seat', '--uscc', USCC.bank, '--reason', '由'.repeat(167)], 'CLI_USAGE', '501'],
    ['no key', ['council', 'propose', 'seat', '--uscc', USCC.bank, '--reason', 'x'], 'CLI_USAGE', '--key-file'],
    ['two keys', ['council', 'execute', '1', '--key-file', 'a', '--dev-key-file', 'b'], 'CLI_USAGE', '--dev-key-file'],
    ['a vote that is none', ['council', 'vote', '1'], 'CLI_USAGE', '--yes or --no'],
    ['a vote that is both', ['council', 'vote', '1', '--yes', '--no'], 'CLI_USAGE', '--yes or --no'],
    ['a number that is none', ['council', 'show', 'x1'], 'CLI_USAGE', '<id>'],
    ['a node that is none', ['node', 'activate', '0x12'], 'CLI_FIELD', '<address> is 0x12'],
    ['a rotation without a key', ['node', 'rotate', `0x${'11'.repeat(20)}`], 'CLI_USAGE', '--new-key-file'],
    ['an unknown word', ['council', 'sho'], 'CLI_USAGE', 'known are seats, motions, show'],
  ])('refuses %s', async (_what, command, error, said) => {
    const ended = await runCommand(command)
    expect([ended.code, ended.error, ended.message]).toEqual([2, error, expect.stringContaining(said)])
  })
})

describe('songhua account', () => {
  it('signs a consent offline, and bind checks it before anybody is asked', async () => {
    const out = at('consent.json')
    const made = await runCommand(['account', 'consent', '--uscc', USCC.bank, '--nonce', '3', '--chain-id', '230099', '--out', out, '--dev-key-file', key.path])
    // As printed, but for the key: the default node does not answer here.
    const printed = /songhua (account bind .*)$/m.exec(made.stderr)![1]!.replace('--key-file ADMINISTRATOR.json', door.join(' '))
    expect([made.code, printed]).toEqual([0, expect.stringContaining(`--consent ${out} --roles anchor,read`)])
    expect(await runCommand(printed.split(' '))).toMatchObject({ error: 'RPC_UNREACHABLE' })
    const bind = (file: string, ...rest: string[]) => runCommand(['account', 'bind', '--consent', file, ...rest, ...door])
    expect(await bind(out, '--roles', 'anchor')).toMatchObject({ error: 'RPC_UNREACHABLE' })
    expect(problemsOf(await bind(out))).toEqual(['--roles is missing'])
    await writeFile(at('forged.json'), JSON.stringify({ ...(JSON.parse((await runCommand(['account', 'consent', '--uscc', USCC.bank, '--nonce', '3',
      '--chain-id', '230099', '--dev-key-file', key.path])).stdout) as object), uscc: USCC.operator }))
    expect(await bind(at('forged.json'), '--roles', 'anchor')).toMatchObject({ code: 2, error: 'APPLICATION_INVALID' })
  })

  it.each<[string, string[], string]>([
    ['an organisation that is none', ['consent', '--uscc', '1'], '--uscc'],
    ['no organisation', ['consent'], '--uscc is missing'],
    ['half of what signs offline', ['consent', '--uscc', USCC.bank, '--nonce', '1'], '--chain-id'],
    ['a change of nothing', ['change', `0x${'11'.repeat(20)}`], '--roles'],
    ['an account that is none', ['show', 'me'], '<address>'],
  ])('refuses %s', async (_what, command, said) => {
    const ended = await runCommand(['account', ...command, ...(command[0] === 'show' ? [] : ['--dev-key-file', key.path])])
    expect([ended.code, ended.message]).toEqual([2, expect.stringContaining(said)])
  })
})

describe('the help of every command of governance', () => {
  const commands = [
    ['apply', 'organisation'], ['apply', 'node'], ['apply', 'submit'], ['apply', 'check'], ['council', 'seats'], ['council', 'motions'],
    ['council', 'show'], ['council', 'propose'], ['council', 'vote'], ['council', 'execute'], ['council', 'cancel'], ['node', 'confirm'],
    ['node', 'activate'], ['node', 'suspend'], ['node', 'reinstate'], ['node', 'retire'], ['node', 'withdraw'], ['node', 'endpoints'],
    ['node', 'rotate'], ['account', 'consent'], ['account', 'revoke'], ['account', 'bind'], ['account', 'change'], ['account', 'release'],
    ['account', 'show'], ['organisations'], ['nodes'],
  ]

  it.each(commands)('has examples in both languages, with codes that hold: %s %s', async (...names) => {
    const command = names.filter((name) => name !== undefined)
    const [english, chinese] = [await runCommand([...command, '--help']), await runCommand([...command, '--help'], { language: 'zh' })]
    expect(english.stdout).toContain(`Examples:\n  songhua ${command.join(' ')}`)
    expect(chinese.stdout).toContain(`示例：\n  songhua ${command.join(' ')}`)
    expect(chinese.stdout).toMatch(/--json +输出 JSON/)
    for (const [code] of english.stdout.matchAll(/\b[0-9][0-9A-Z]{17}\b/g)) expect([code, isUscc(code)]).toEqual([code, true])
  })

  it('lists the kinds with their flags', async () => {
    const { stdout } = await runCommand(['council', 'propose', '--help'])
    for (const kind of MOTION_KINDS) expect(stdout).toContain(`  ${kind}: `)
    expect(stdout).toContain('--node, --ac-code')
    expect(flagOf('version')).toBe('--protocol-version')
  })
})
