import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDataFolder } from '@songhua/node/cli/data-folder'
import { bytesToHex } from '@songhua/sdk/protocol/bytes'
import { privateKeyToAddress } from '@songhua/sdk/protocol/crypto'
import { VALIDATOR_KEY } from '../rpc/fixture-chain.js'
import { BUREAU, DEV, type GovernedChain, TELECOM, createGovernedChain } from '../rpc/governed-chain.js'
import { runCommand } from './in-process.js'
import { testContext, testFolder } from './support.js'

const at = await testFolder()
/** Noon of the last day of October in Beijing. */
const GENESIS_S = Date.UTC(2026, 9, 31, 4) / 1000
const NOVEMBER_MS = Date.UTC(2026, 10, 3)
const VALIDATOR = privateKeyToAddress(VALIDATOR_KEY)

let chain: GovernedChain
beforeAll(async () => {
  chain = await createGovernedChain(GENESIS_S)
  await chain.council.pass('issueAcCode', { node: VALIDATOR, acCode: 'hrb1' })
  chain.setTime(NOVEMBER_MS)
  await chain.council.pass('setThreshold', { kind: 'admitNode', permille: 700 })
  chain.setTime(NOVEMBER_MS + 40 * 86_400_000)
  await chain.council.pass('setReader', { reader: DEV[9]!.address, doors: ['txpool', 'government'] })
  await writeFile(at('node.key'), `${bytesToHex(VALIDATOR_KEY).slice(2)}\n`)
  await createDataFolder(testContext(), at('node'), { options: { 'nodeKey.devFile': at('node.key') } })
}, 60_000)
afterAll(() => chain.stop())

const run = (words: string[], language: 'en' | 'zh' = 'en') => runCommand([...words, '--rpc', chain.url], { language })

describe('songhua audit', () => {
  it('prints a table of what changed, in the language of the user', async () => {
    const { code, stdout } = await run(['audit'])
    expect(code).toBe(0)
    const lines = stdout.trimEnd().split('\n')
    expect(lines[0]).toMatch(/^Beijing time +block +sent by +change/)
    expect(lines).toHaveLength(2 + 3 * 6)
    expect(lines[2]).toMatch(/^2026-10-31 12:00:0\d {2}1 +Devnet Cyberspace Office {2,}Devnet Cyberspace Office \(11230000MB0000019P\) proposes motion 0: give node 0x\w{40} the AC code hrb1; open until 2026-11-07 12:00/)
    const zh = await run(['audit', '--since', '2026-12-01'], 'zh')
    expect(zh.stdout).toContain(`读取者 ${DEV[9]!.address} 列入名单的范围：txpool、政务记录`)
    expect(zh.stdout.trimEnd().split('\n')).toHaveLength(2 + 6)
  })

  it('prints a line of JSON for each entry, of the days, blocks, organisation and node asked for', async () => {
    const entries = async (...words: string[]): Promise<Record<string, unknown>[]> => {
      const { stdout, code } = await run(['audit', '--json', ...words])
      expect(code).toBe(0)
      return stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line) as Record<string, unknown>)
    }
    const all = await entries()
    expect(all[4]).toMatchObject({
      time: '2026-10-31T04:00:04.000Z', contract: 'NodeRegister', event: 'AcCodeIssued', args: { node: VALIDATOR, acCode: 'hrb1' },
      who: { account: DEV[0]!.address, organisation: { uscc: BUREAU } }, zh: `节点 ${VALIDATOR} 获得 AC 码 hrb1`,
    })
    expect(all[5]).toMatchObject({ event: 'MotionExecuted', args: { id: '0' }, motion: { kind: 'issueAcCode', args: { acCode: 'hrb1' } } })
    expect(await entries('--since', '2026-11-01', '--until', '2026-11-30')).toEqual(all.slice(6, 12))
    expect(await entries('--until', '2026-10-31')).toEqual(all.slice(0, 6))
    expect(await entries('--since', '2026-11-03T08:00:00+08:00', '--until', String(all[7]!.blockNumber as number))).toEqual(all.slice(6, 8))
    expect(await entries('--organisation', TELECOM)).toEqual(all.filter(({ args }) => (args as { seat?: string }).seat === TELECOM))
    expect((await entries('--node', VALIDATOR)).map(({ event }) => event)).toContain('AcCodeIssued')
    expect(await entries('--since', '99')).toEqual([])
  })

  it('refuses what is no bound, no organisation and no node, naming it', async () => {
    for (const [words, part] of [
      [['--since', 'yesterday'], '--since'], [['--until', '2026-13-45'], '--until'], [['--organisation', 'x'], 'organisation'], [['--node', 'x'], 'node'],
    ] as const) {
      const { code, message } = await run(['audit', ...words])
      expect([code, message.includes(part)]).toEqual([2, true])
    }
    expect((await runCommand(['audit', '--rpc', 'http://127.0.0.1:9'])).code).toBe(7)
  })
})

describe('songhua usage', () => {
  it('prints who used how much of what, and says which blocks it covers', async () => {
    const { code, stdout } = await run(['usage', '--month', '2026-11'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/Devnet Cyberspace Office 11230000MB0000019P +1 +2 +0 +[\d,]+ /)
    expect(stdout).toMatch(/0x0{34}230004 +4 /)
    for (const part of ['accounts of no organisation', chain.ports.chain.hashAt(5)!, chain.ports.chain.hashAt(8)!]) expect(stdout).toContain(part)
    expect((await run(['usage', '--month', '2026-12'], 'zh')).stdout).toContain('本月尚未结束')
  })

  it('writes canonical bytes, the same for everybody, and never over a file', async () => {
    const [one, two] = [at('one.json'), at('two.json')]
    const { stdout } = await run(['usage', '--month', '2026-11', '--json', '--out', one])
    await run(['usage', '--month', '2026-11', '--out', two])
    const digest = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex')
    expect([digest(await readFile(one)), digest(await readFile(two))]).toEqual([digest(stdout), digest(stdout)])
    expect(await run(['usage', '--month', '2026-11', '--out', one])).toMatchObject({ code: 2, error: 'CLI_FILE_EXISTS' })
    const { stdout: bureau } = await run(['usage', '--month', '2026-11', '--organisation', BUREAU, '--json'])
    expect(JSON.parse(bureau)).toMatchObject({ organisation: BUREAU, total: { transactions: 2 } })
  })

  it('is vouched for by the node of a data folder, and verified by whoever has the file', async () => {
    const file = at('signed.json')
    expect((await run(['usage', '--month', '2026-11', '--sign', '--data', at('node'), '--out', file])).code).toBe(0)
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ signer: { address: VALIDATOR, acCode: 'hrb1', government: { uscc: BUREAU } } })
    const alone = await runCommand(['usage', 'verify', file])
    expect([alone.code, alone.stdout.match(/^ {2}✓ /gm)?.length, alone.stdout.match(/^ {2}– /gm)?.length]).toEqual([0, 3, 3])
    const whole = await run(['usage', 'verify', file], 'zh')
    expect([whole.code, whole.stdout.match(/^ {2}✓ /gm)?.length]).toEqual([0, 6])
    expect(whole.stdout).toContain('有效')
    await writeFile(at('forged.json'), (await readFile(file, 'utf8')).replace('"transactions":2', '"transactions":3'))
    const forged = await run(['usage', 'verify', at('forged.json'), '--json'])
    expect(forged).toMatchObject({ code: 9, error: 'USAGE_STATEMENT_INVALID' })
    expect((JSON.parse(forged.stdout) as { steps: { outcome: string }[] }).steps.map(({ outcome }) => outcome)).toEqual(['ok', 'wrong', 'wrong', 'ok', 'ok', 'wrong'])
  })

  it('says what is missing or wrong', async () => {
    expect(await run(['usage'])).toMatchObject({ code: 2, message: expect.stringContaining('--month') as string })
    expect(await run(['usage', '--month', '2026-11', '--sign'])).toMatchObject({ code: 2, message: expect.stringContaining('--data') as string })
    expect(await run(['usage', '--month', '2028-01'])).toMatchObject({ code: 2, message: expect.stringContaining('month') as string })
    await writeFile(at('noise'), 'noise')
    expect(await runCommand(['usage', 'verify', at('noise')])).toMatchObject({ code: 9 })
    expect(await runCommand(['usage', 'verify', at('absent')])).toMatchObject({ code: 2, error: 'CLI_FILE' })
  })
})
