import { open, readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommand } from '../cli/in-process.js'
import { songhua } from '../cli/support.js'
import { type CrashLab, createCrashLab } from '../support/crash-lab.js'
import { type Devnet, type DevnetNode, hashAt, heightOf, removeDir, rpc, startDevnet, tempDir, until } from '../support/devnet.js'
import { type Writer, startWriter } from '../support/writer.js'

const BLOCKS = 40

let root: string
let devnet: Devnet
let lab: CrashLab
let writer: Writer
let node: DevnetNode
let folder: string

interface Plan {
  steps: { part: string; path: string; aside: string; reason: string }[]
  done: unknown[]
  transactionsKept: number
}

const repair = async (...flags: string[]): Promise<Plan & { exit: number; error: string | undefined }> => {
  const { code, error, stdout } = await runCommand(['repair', '--data', folder, '--json', ...flags])
  return { exit: code, error, ...((stdout === '' ? { steps: [], done: [], transactionsKept: 0 } : JSON.parse(stdout)) as Plan) }
}
const doctor = async (...flags: string[]): Promise<{ exit: number; codes: string[] }> => {
  const { code, stdout } = await runCommand(['doctor', '--data', folder, '--json', ...flags])
  return { exit: code, codes: (JSON.parse(stdout) as { findings: { code: string }[] }).findings.map((one) => one.code) }
}
const namesIn = async (): Promise<string[]> => (await readdir(folder)).sort()

async function flip(path: string, at: number): Promise<void> {
  const file = await open(path, 'r+')
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at)
  await file.write(Buffer.of(buffer[0]! ^ 4), 0, 1, at)
  await file.close()
}

/** The same chain up to the lower of the two heads, and both go on. */
async function expectEqual(): Promise<void> {
  const [first] = lab.nodes
  const height = Math.min(await heightOf(first!.rpc), await heightOf(node.rpc))
  expect(height).toBeGreaterThan(BLOCKS)
  for (let number = 0; number <= height; number += 7) expect(await hashAt(node.rpc, number)).toBe(await hashAt(first!.rpc, number))
  expect(await hashAt(node.rpc, height)).toBe(await hashAt(first!.rpc, height))
}

const votes = () =>
  until('it to vote', async () => {
    const { consensus } = await rpc<{ consensus: { isSilent: boolean; isVoter: boolean } }>(node.admin, 'admin_nodeInfo')
    return consensus.isVoter && !consensus.isSilent
  }, 60_000)

beforeAll(async () => {
  root = await tempDir('repair')
  devnet = await startDevnet({ validators: 4, dataDir: join(root, 'devnet') })
  lab = createCrashLab(devnet)
  node = lab.nodes[3]!
  folder = await lab.folderOf(node)
  writer = startWriter(devnet.ready.accounts[0]!, devnet.ready.chainId, () => [lab.nodes[0]!.rpc])
  await until('some blocks', async () => (await heightOf(node.rpc)) > BLOCKS, 60_000)
}, 120_000)
afterAll(async () => {
  await writer?.stop()
  await lab?.stop()
  await removeDir(root)
})

describe('songhua repair', () => {
  it('leaves a running node alone', async () => {
    const { exit, error, steps } = await repair('--yes')
    expect([exit, error, steps]).toEqual([3, 'REPAIR_REFUSED', []])
  })

  it('finds nothing to do in a folder that is whole, and the deep look passes what a killed node left', async () => {
    await lab.kill(node)
    const before = await namesIn()
    expect(await repair('--yes', '--deep')).toMatchObject({ exit: 0, steps: [], done: [] })
    expect(await doctor('--deep')).toEqual({ exit: 10, codes: ['NODE_STOPPED', 'FOLDER_SOUND'] })
    expect(await namesIn()).toEqual(before)
  }, 120_000)

  it('moves a damaged store aside, and the node fetches the chain again, keeps silent while it must, and votes', async () => {
    const chain = join(folder, 'chain')
    const table = (await readdir(chain)).filter((name) => name.endsWith('.ldb')).sort()[0]!
    await flip(join(chain, table), 300)
    const start = await songhua(['start', '--data', folder])
    expect([start.code, start.stderr]).toEqual([1, expect.stringContaining(`STORE_DAMAGED: the chain database in ${chain} is damaged: ${table}`)])
    expect(await doctor()).toEqual({ exit: 10, codes: ['STORE_DAMAGED', 'NODE_STOPPED'] })

    const before = await namesIn()
    const plan = await repair()
    expect([plan.exit, plan.error, plan.steps.map(({ part }) => part), plan.done]).toEqual([10, 'NODE_UNWELL', ['store'], []])
    expect(plan.steps[0]!.reason).toContain(table)
    expect(await namesIn()).toEqual(before)

    const done = await repair('--yes')
    expect([done.exit, done.done]).toEqual([0, done.steps])
    expect(done.steps[0]!.aside).toMatch(/chain\.damaged-\d{8}T\d{6}Z$/)
    expect(await readdir(done.steps[0]!.aside)).toContain(table)
    expect(await namesIn()).not.toContain('chain')

    await lab.revive(node)
    await votes()
    await expectEqual()
  }, 180_000)

  it('moves a damaged consensus log aside and never mends it, and the validator is silent until it may vote', async () => {
    await lab.kill(node)
    const log = join(folder, 'consensus.log')
    const size = (await stat(log)).size
    const file = await open(log, 'r+')
    await file.write(Buffer.alloc(64 * 1024, 0xa5), 0, 64 * 1024, 0)
    await file.close()
    expect(await doctor()).toEqual({ exit: 10, codes: ['LOG_LOST', 'NODE_STOPPED'] })
    const { steps } = await repair('--yes')
    expect(steps.map(({ part }) => part)).toEqual(['log'])
    expect((await stat(steps[0]!.aside)).size).toBe(size)
    expect(await namesIn()).not.toContain('consensus.log')
    await lab.start(node)
    const { consensus } = await until('it to answer', () => rpc<{ consensus: { isSilent: boolean } }>(node.admin, 'admin_nodeInfo'))
    expect(consensus.isSilent).toBe(true)
    await votes()
    await expectEqual()
  }, 180_000)

  it('keeps every transaction that can be read of a damaged journal, wherever the damage is', async () => {
    await lab.kill(node)
    const journal = join(folder, 'transactions.journal')
    const whole = await readFile(journal)
    expect(whole.length).toBeGreaterThan(1_000)
    const records = whole.filter((byte, at) => byte === 0x53 && whole.readUInt32BE(Math.min(at, whole.length - 4)) === 0x534a524e).length
    await flip(journal, 0)
    await flip(journal, 60)
    expect(await doctor()).toEqual({ exit: 10, codes: ['JOURNAL_REFUSED', 'NODE_STOPPED'] })
    const { steps, transactionsKept } = await repair('--yes')
    expect([steps.map(({ part }) => part), transactionsKept]).toEqual([['journal'], records - 1])
    expect((await readFile(steps[0]!.aside)).length).toBe(whole.length)
    expect(await doctor()).toEqual({ exit: 10, codes: ['NODE_STOPPED'] })
    await lab.revive(node)
    await expectEqual()
  }, 120_000)

  it('does not move what is not at fault: a store of another chain stays where it is', async () => {
    await lab.kill(node)
    const config = await readFile(join(folder, 'songhua.json'), 'utf8')
    const genesis = JSON.parse(await readFile(join(devnet.dataDir, 'genesis.json'), 'utf8')) as { timestamp: string }
    await writeFile(join(root, 'other.json'), JSON.stringify({ ...genesis, timestamp: `0x${(Number(genesis.timestamp) + 1).toString(16)}` }))
    await writeFile(join(folder, 'songhua.json'), JSON.stringify({ ...(JSON.parse(config) as object), genesisFile: join(root, 'other.json') }))
    const before = await namesIn()
    expect(await repair('--yes')).toMatchObject({ exit: 3, error: 'REPAIR_REFUSED', done: [] })
    expect(await namesIn()).toEqual(before)
    await writeFile(join(folder, 'songhua.json'), config)
    await lab.revive(node)
    await expectEqual()
  }, 120_000)

  it('stops a node that finds damage while it runs, and keeps it stopped', async () => {
    await writer.stop()
    const chain = join(folder, 'chain')
    await lab.kill(node)
    const running = await lab.start(node)
    await until('it to answer', async () => (await heightOf(node.rpc)) >= 0)
    const tables = (await readdir(chain)).filter((name) => name.endsWith('.ldb'))
    expect(tables.length).toBeGreaterThan(0)
    for (const table of tables) await flip(join(chain, table), 200)
    const code = await new Promise((ended) => running.process.once('exit', ended))
    expect([code, running.output()]).toEqual([1, expect.stringContaining('STORE_DAMAGED')])
    expect(await readFile(join(chain, 'DAMAGED.txt'), 'utf8')).toContain('the checksum of the block at byte')
    expect(await doctor()).toEqual({ exit: 10, codes: ['STORE_DAMAGED', 'NODE_STOPPED'] })
    expect((await songhua(['start', '--data', folder])).stderr).toContain('DAMAGED.txt')
    await repair('--yes')
    await lab.revive(node)
    await expectEqual()
  }, 120_000)
})
