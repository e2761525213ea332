import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openCouncil } from '../support/govern.js'
import { type Devnet, removeDir, rpc, startDevnet, startSonghua, tempDir } from '../support/devnet.js'

let dataDir: string
let devnet: Devnet
let url: string

beforeAll(async () => {
  dataDir = await tempDir('audit')
  devnet = await startDevnet({ validators: 4, dataDir: join(dataDir, 'net') })
  url = devnet.ready.nodes[0]!.rpc
}, 120_000)
afterAll(async () => {
  await devnet?.stop()
  await removeDir(dataDir)
})

async function run(...args: string[]): Promise<string> {
  const running = startSonghua(args)
  const code = await new Promise<number | null>((done) => running.process.once('close', done))
  expect([code, running.output()]).toEqual([0, expect.anything()])
  return running.stdout()
}

const monthOf = (seconds: number): string => new Date((seconds + 28_800) * 1000).toISOString().slice(0, 7)

describe('a devnet of four organisations', () => {
  it('tells what changed, who takes part and what was used, the same at every node', async () => {
    const council = await openCouncil(url, devnet.ready.accounts.slice(0, 4).map(({ privateKey }) => privateKey))
    const { address } = devnet.ready.nodes[1]!
    const executed = await council.pass('issueAcCode', { node: address, acCode: 'qiqi' })
    const entries = (await run('audit', '--json', '--rpc', url)).trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(entries.map(({ event }) => event)).toEqual(['MotionProposed', 'MotionVoted', 'MotionVoted', 'MotionVoted', 'AcCodeIssued', 'MotionExecuted'])
    expect(entries.at(-1)).toMatchObject({ blockNumber: executed, motion: { kind: 'issueAcCode', args: { node: address, acCode: 'qiqi' } } })
    const node = await rpc<Record<string, unknown>>(url, 'songhua_getNode', ['qiqi'])
    expect(node).toMatchObject({ address, status: 'active', isValidator: true })
    expect(await rpc(url, 'songhua_getNode', [node.peerId])).toMatchObject({ address })
    const metrics = await (await fetch(`${devnet.ready.nodes[0]!.admin}/metrics`)).text()
    for (const line of ['songhua_council_seats 4', 'songhua_open_motions 0', 'songhua_organisations 4', 'songhua_nodes{status="active"} 4']) {
      expect(metrics).toContain(line)
    }
  }, 60_000)

  it('has a statement that one node signs and another verifies', async () => {
    const { timestamp } = await rpc<{ timestamp: string }>(url, 'eth_getBlockByNumber', ['latest', false])
    const file = join(dataDir, 'usage.json')
    const folder = devnet.ready.nodes[0]!.name.toLowerCase()
    await run('usage', '--month', monthOf(Number(timestamp)), '--sign', '--data', join(dataDir, 'net', folder), '--out', file, '--json')
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ signer: { address: devnet.ready.nodes[0]!.address }, total: { transactions: 4, failed: 0 } })
    const verdict = JSON.parse(await run('usage', 'verify', file, '--rpc', devnet.ready.nodes[2]!.rpc, '--json')) as { isSound: boolean; steps: { outcome: string }[] }
    expect([verdict.isSound, verdict.steps.map(({ outcome }) => outcome)]).toEqual([true, Array(6).fill('ok')])
  }, 60_000)
})
