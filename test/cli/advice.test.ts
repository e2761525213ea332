import { cp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { nearest } from '@songhua/node/cli/nearest'
import { inspectConsensusLog } from '@songhua/node/storage/consensus-log'
import { runCommand } from './in-process.js'
import { songhua, testFolder } from './support.js'
import { rosterOfOne } from '../support/roster.js'

/** What is said to whoever has lost a file, or mistaken one for another. */

const at = await testFolder()
const data = at('node')

beforeAll(async () => {
  await writeFile(at('password'), 'right password\n')
  await writeFile(at('empty'), '\n')
  expect((await runCommand(['init', '--data', data, '--key-password-file', at('password')])).code).toBe(0)
})

describe('a data folder', () => {
  it.each(['doctor', 'repair', 'start', 'status'])('that has lost its songhua.json is not to be made anew: %s', async (command) => {
    const lost = at(`lost-${command}`)
    await cp(data, lost, { recursive: true })
    await rm(join(lost, 'songhua.json'))
    const { code, error, message } = await runCommand([command, '--data', lost])
    expect([code, error, message]).toEqual([2, 'CLI_DATA_FOLDER', expect.stringContaining('write {} into songhua.json')])
    expect(message).toContain('do not run songhua init')
    await writeFile(join(lost, 'songhua.json'), '{}')
    expect((await runCommand([command, '--data', lost])).error).not.toBe('CLI_DATA_FOLDER')
  })

  it('is not one of its parts, nor a file, nor a new folder', async () => {
    await mkdir(join(data, 'gateway', 'store'), { recursive: true })
    expect((await runCommand(['doctor', '--data', join(data, 'gateway')])).message).toContain(`name that one: --data ${data}`)
    expect((await runCommand(['doctor', '--data', join(data, 'songhua.json')])).message).toContain('is a file')
    expect((await runCommand(['doctor', '--data', at('nothing')])).message).toContain('songhua init')
    await rm(join(data, 'gateway'), { recursive: true })
  })

  it('whose genesis or key is gone says at the start what to do, as the doctor does', async () => {
    expect((await runCommand(['start', '--data', data])).message).toMatch(/genesis\.json: no such file; copy the genesis file of another node/)
  })

  it('whose password file is gone is told so, and not to put its key back', async () => {
    const { publicKey } = JSON.parse((await runCommand(['keys', 'show', join(data, 'node-key.json'), '--key-password-file', at('password'), '--json'])).stdout) as { publicKey: string }
    await writeFile(at('roster.json'), JSON.stringify(rosterOfOne(publicKey)))
    expect(await runCommand(['genesis', '--roster', at('roster.json'), '--out', at('genesis.json')])).toMatchObject({ code: 0 })
    const start = (...words: string[]) => runCommand(['start', '--data', data, '--genesis', at('genesis.json'), ...words])
    const { code, error, message } = await start('--key-password-file', at('no-password'))
    expect([code, error, message]).toEqual([2, 'CLI_FILE', expect.stringContaining('name it with --key-password-file')])
    expect(message).not.toMatch(/--key-file|another node/)
    expect((await start('--key-file', at('no-key'))).message).toContain('name it with --key-file')
  })
})

describe('a key that is brought into a new data folder', () => {
  it('takes its log over, and one that is only copied does not', async () => {
    const [own, other] = [at('own'), at('other')]
    for (const folder of [own, other]) await runCommand(['init', '--data', folder, '--key-password-file', at('password')])
    const addressOf = async (folder: string) => `0x${(JSON.parse(await readFile(join(folder, 'node-key.json'), 'utf8')) as { address: string }).address}` as const
    const log = join(own, 'consensus.log')
    expect(await inspectConsensusLog(log, await addressOf(own))).toMatchObject({ status: 'fresh', owner: await addressOf(own) })
    await cp(join(other, 'node-key.json'), join(own, 'node-key.json'))
    expect(await inspectConsensusLog(log, await addressOf(own))).toMatchObject({ status: 'foreign' })
    await rm(join(own, 'node-key.json'))
    const made = await runCommand(['keys', 'new', '--out', join(own, 'node-key.json'), '--key-password-file', at('password')])
    expect([made.code, made.stderr]).toEqual([0, expect.stringContaining('goes with this key now')])
    expect(await inspectConsensusLog(log, await addressOf(own))).toMatchObject({ status: 'fresh', owner: await addressOf(own) })
    expect((await readdir(own)).sort()).toEqual(['consensus.log', 'node-key.json', 'songhua.json'])
  })
})

describe('a password', () => {
  it('is asked for by the flag of the command', async () => {
    const key = join(data, 'node-key.json')
    const uscc = '91230100MA00000231'
    const node = await runCommand(['apply', 'node', '--node-key-file', key, '--kind', 'service', '--city', '230100', '--operator', uscc, '--out', at('node.json'), '--applicant', `0x${'11'.repeat(20)}`])
    expect(node.message).toContain('use --node-key-password-file FILE')
    expect((await runCommand(['account', 'consent', '--uscc', uscc, '--gateway', data])).message).toContain('use --key-password-file FILE')
    expect((await runCommand(['keys', 'import', '--from', key, '--out', at('copy.json'), '--key-password-file', at('password')])).message).toContain('use --from-password-file FILE')
  })

  it('that is too short is named by its file and flag', async () => {
    await writeFile(at('short'), 'short\n')
    const words = ['keys', 'new', '--out', at('never.json'), '--key-password-file', at('short')]
    expect((await runCommand(words)).message).toBe(`--key-password-file ${at('short')}: the password must have at least 8 characters`)
    expect((await runCommand(words.slice(0, 4), { stdin: 'short\n', language: 'zh' })).message).toContain('--key-password-file：口令至少 8 个字符')
  })
})

describe('words that are not quite right', () => {
  it('are answered with the help of the command that was called', async () => {
    expect((await songhua(['council', 'propose', 'seat', '--lang', 'en'])).stderr).toContain('See: songhua council propose --help')
    expect((await songhua(['status', '--rpc', 'x', '--lang', 'zh'])).stderr).toContain('参见：songhua status --help')
    expect((await songhua(['docter'])).stderr).toContain('See: songhua --help')
  })

  it('a flag that is misspelt is unknown, not another one missing', async () => {
    const english = await runCommand(['doctor', '--dta', data])
    expect([english.code, english.message]).toEqual([2, 'unknown option --dta (Did you mean --data?)'])
    expect((await runCommand(['doctor', '--dta', data], { language: 'zh' })).message).toBe('未知选项 --dta （是否指 --data？）')
    expect((await runCommand(['doctor'])).message).toContain('missing option')
    expect((await runCommand(['docter', '--data', data], { language: 'zh' })).message).toContain('是否指 doctor')
  })

  it.each([['data', 'data'], ['dta', 'data'], ['datas', 'data'], ['xyzzy', undefined], ['', undefined]])('%s means %s', (word, meant) => {
    expect(nearest(word, ['data', 'json', 'follow'])).toBe(meant)
  })

  it('an empty password file is named', async () => {
    const { code, message } = await runCommand(['keys', 'new', '--out', at('k.json'), '--key-password-file', at('empty')])
    expect([code, message]).toEqual([2, `password file ${at('empty')}: its first line is empty; write the password there`])
  })
})
