import { cp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { nearest } from '@songhua/node/cli/nearest'
import { inspectConsensusLog } from '@songhua/node/storage/consensus-log'
import { runCommand } from './in-process.js'
import { testFolder } from './support.js'

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

describe('words that are not quite right', () => {
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
