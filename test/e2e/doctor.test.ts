import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommand } from '../cli/in-process.js'
import { songhua } from '../cli/support.js'
import { type CrashLab, createCrashLab } from '../support/crash-lab.js'
import {
  type Devnet, type DevnetNode, type Running, freeBasePort, heightOf, removeDir, rpc, startDevnet, startSonghua, tempDir, until,
} from '../support/devnet.js'
import { type Writer, startWriter } from '../support/writer.js'

interface Found {
  code: string
  severity: string
  values: Record<string, string | number>
  what: string
}

let root: string
let devnet: Devnet
let lab: CrashLab
let nodes: DevnetNode[]
let extra: Running | undefined
let writer: Writer | undefined

async function doctor(folder: string, ...flags: string[]): Promise<{ exit: number; node: string; findings: Found[]; codes: string[] }> {
  const { code, stdout, message } = await runCommand(['doctor', '--data', folder, '--json', ...flags])
  expect(stdout, message).not.toBe('')
  const { node, findings } = JSON.parse(stdout) as { node: string; findings: Found[] }
  return { exit: code, node, findings, codes: findings.map((one) => `${one.severity} ${one.code}`) }
}
const folderOf = (index: number): Promise<string> => lab.folderOf(nodes[index]!)
const account = (index: number): { privateKey: string } => devnet.ready.accounts[index]!
/** One for all nodes of a devnet, beside their folders. */
const genesisFile = (): string => join(devnet.dataDir, 'genesis.json')
const wrong = (codes: string[]): string[] => codes.filter((code) => !code.startsWith('info'))

/** Asks until the doctor says this; a peer is dialled and a clock measured within seconds. */
const says = (folder: string, codes: string[]) =>
  until(`the doctor to say ${codes.join(', ')}`, async () => {
    const found = await doctor(folder)
    const missing = codes.filter((code) => !found.codes.includes(code))
    if (missing.length > 0) throw new Error(`it says ${found.codes.join(', ')}`)
    return found
  }, 90_000)

/** Asks until nothing is wrong any more but the disk, which others of this machine may keep busy. */
const well = (folder: string) =>
  until('nothing to be wrong', async () => {
    const { findings } = await doctor(folder)
    const left = findings.filter(({ code, severity }) => severity !== 'info' && code !== 'DISK_SLOW')
    if (left.length > 0) throw new Error(left.map(({ code, values }) => `${code} ${JSON.stringify(values)}`).join(', '))
    return true
  }, 60_000)

/** Runs before the node's own code: the clock and the disk of this process are other ones. */
async function preload(name: string, code: string): Promise<Record<string, string>> {
  const path = join(root, `${name}.mjs`)
  await writeFile(path, code)
  return { NODE_OPTIONS: `--import=${pathToFileURL(path).href}` }
}

async function startWith(index: number, environment: Record<string, string>): Promise<void> {
  await lab.kill(nodes[index]!)
  extra = startSonghua(['start', '--data', await folderOf(index), '--log-format', 'json'], environment)
  await until('it to answer', async () => (await heightOf(nodes[index]!.rpc)) >= 0)
}

async function endExtra(index: number): Promise<void> {
  await extra?.stop()
  extra = undefined
  await lab.revive(nodes[index]!)
}

beforeAll(async () => {
  root = await tempDir('doctor')
  devnet = await startDevnet({ validators: 4, dataDir: join(root, 'devnet') })
  lab = createCrashLab(devnet)
  nodes = [...lab.nodes]
}, 120_000)
afterAll(async () => {
  await writer?.stop()
  await extra?.stop()
  await lab?.stop()
  await removeDir(root)
})

describe('songhua doctor', () => {
  it('finds nothing wrong with any node of a chain that works, and ends with 0', async () => {
    for (const index of [0, 1, 2, 3]) {
      const { exit, node, codes } = await doctor(await folderOf(index))
      expect([exit, node, wrong(codes)]).toEqual([0, 'running', []])
      expect(codes).toHaveLength(1)
    }
    const deep = await runCommand(['doctor', '--data', await folderOf(0), '--deep'])
    expect([deep.code, deep.stderr]).toEqual([0, expect.stringContaining('--deep was not done')])
  }, 60_000)

  it('speaks to people in their language, and ends with 10 when something is wrong', async () => {
    await lab.kill(nodes[3]!)
    await says(await folderOf(0), ['warning VALIDATORS_MISSING'])
    const chinese = await songhua(['doctor', '--data', await folderOf(0)], { environment: { LANG: 'zh_CN.UTF-8' } })
    expect([chinese.code, chinese.stderr]).toEqual([10, expect.stringContaining('NODE_UNWELL')])
    expect(chinese.stdout).toMatch(/^! 4 个验证者中已连接 3 个；需要 3 个。 {2}\[VALIDATORS_MISSING\]\n {2}未与本节点连接：0x/)
    expect(chinese.stdout).toContain(nodes[3]!.address.toLowerCase())
    const english = await songhua(['doctor', '--data', await folderOf(3)])
    expect([english.code, english.stdout]).toEqual([10, expect.stringMatching(/^! The node does not run; its last block: \d+\./)])
  }, 60_000)

  it('says who is missing when the chain stands still, and that nothing is wrong once they are back', async () => {
    await lab.kill(nodes[2]!)
    const { findings } = await says(await folderOf(0), ['error NO_QUORUM'])
    const { missing, connected, quorum, validators } = findings[0]!.values
    expect([connected, quorum, validators]).toEqual([2, 3, 4])
    expect(String(missing).split(', ').sort()).toEqual([nodes[2]!, nodes[3]!].map(({ address }) => address.toLowerCase()).sort())
    await lab.revive(nodes[2]!)
    await lab.revive(nodes[3]!)
    await well(await folderOf(0))
  }, 120_000)

  it('sees a lost consensus log in a stopped node, in the running one while it is silent, and no more when it votes', async () => {
    const folder = await folderOf(3)
    await lab.kill(nodes[3]!)
    await rm(join(folder, 'consensus.log'))
    const offline = await doctor(folder)
    expect(wrong(offline.codes)).toEqual(['warning LOG_LOST', 'warning NODE_STOPPED'])
    expect(offline.findings[0]!.values.status).toBe('missing')
    await lab.start(nodes[3]!)
    await until('it to answer', async () => (await heightOf(nodes[3]!.rpc)) >= 0)
    const online = await says(folder, ['warning LOG_LOST'])
    expect(online.findings.find(({ code }) => code === 'LOG_LOST')!.values.status).toBe('missing')
    writer = startWriter(account(0), 230_099, () => [nodes[0]!.rpc])
    await until('it to vote again', async () => !(await doctor(folder)).codes.includes('warning LOG_LOST'), 90_000)
    await writer.stop()
    const { consensus } = await rpc<{ consensus: { isSilent: boolean } }>(nodes[3]!.admin, 'admin_nodeInfo')
    expect(consensus.isSilent).toBe(false)
  }, 180_000)

  it('keeps a node silent that has the key of another, and names both keys', async () => {
    await lab.kill(nodes[3]!)
    const [folder, key] = [await folderOf(3), join(await folderOf(3), 'node-key.hex')]
    const own = await readFile(key, 'utf8')
    await cp(join(await folderOf(2), 'node-key.hex'), key)
    const addresses = { owner: nodes[3]!.address.toLowerCase(), address: nodes[2]!.address.toLowerCase() }
    const offline = await doctor(folder)
    expect([wrong(offline.codes), offline.findings[0]!.values]).toEqual([['warning LOG_FOREIGN', 'warning NODE_STOPPED'], expect.objectContaining(addresses)])
    extra = startSonghua(['start', '--data', folder, '--log-format', 'json'])
    const { consensus } = await until('it to answer', () => rpc<{ consensus: { isSilent: boolean } }>(nodes[3]!.admin, 'admin_nodeInfo'))
    expect(consensus.isSilent).toBe(true)
    const { findings } = await says(folder, ['warning LOG_FOREIGN'])
    expect(findings.find(({ code }) => code === 'LOG_FOREIGN')!.values).toMatchObject(addresses)
    await extra.stop()
    await writeFile(key, own)
    await endExtra(3)
    await until('the four to be together', async () => (await rpc<unknown[]>(nodes[0]!.admin, 'admin_peers')).length === 3, 60_000)
  }, 180_000)

  it('measures that the clock of its machine is off', async () => {
    await startWith(1, await preload('clock', 'const real = Date.now; Date.now = () => real() + 5000'))
    const { findings } = await says(await folderOf(1), ['error CLOCK_OFF'])
    const { aheadMs, peers } = findings.find(({ code }) => code === 'CLOCK_OFF')!.values
    expect([Math.abs(Number(aheadMs) - 5_000) < 500, peers]).toEqual([true, 3])
    // The three whose clocks agree do not doubt theirs.
    expect((await doctor(await folderOf(0))).codes).not.toContain('error CLOCK_OFF')
    await endExtra(1)
  }, 120_000)

  it('measures that the disk of the consensus log is slow', async () => {
    const slow = `import { open } from 'node:fs/promises'
      const file = await open(process.execPath)
      const kind = Object.getPrototypeOf(file)
      await file.close()
      const real = kind.datasync
      kind.datasync = async function () { await new Promise((done) => setTimeout(done, 300)); return real.call(this) }`
    await startWith(1, await preload('disk', slow))
    writer = startWriter(account(1), 230_099, () => [nodes[0]!.rpc])
    const { findings } = await says(await folderOf(1), ['warning DISK_SLOW'])
    await writer.stop()
    expect(Number(findings.find(({ code }) => code === 'DISK_SLOW')!.values.p50Ms)).toBeGreaterThan(290)
    await endExtra(1)
  }, 120_000)

  it('says that peers belong to another chain, on both sides, and that another genesis does not fit the store', async () => {
    await lab.kill(nodes[3]!)
    const folder = await folderOf(3)
    const genesis = JSON.parse(await readFile(genesisFile(), 'utf8')) as { timestamp: string }
    const other = JSON.stringify({ ...genesis, timestamp: `0x${(Number(genesis.timestamp) + 1).toString(16)}` })
    const copy = join(root, 'other')
    await cp(folder, copy, { recursive: true })
    await writeFile(join(root, 'genesis.json'), other)
    const mismatch = await doctor(copy)
    expect(wrong(mismatch.codes)).toEqual(['error STORE_OTHER_CHAIN', 'warning NODE_STOPPED'])
    await rm(join(copy, 'chain'), { recursive: true })
    extra = startSonghua(['start', '--data', copy, '--log-format', 'json'])
    await says(copy, ['error WRONG_GENESIS', 'error NO_PEERS'])
    await says(await folderOf(0), ['warning WRONG_GENESIS', 'warning VALIDATORS_MISSING'])
    await endExtra(3)
    await well(await folderOf(0))
  }, 180_000)

  it('says what keeps a stopped node from starting: key, password, genesis, ports, another process', async () => {
    const folder = join(root, 'new')
    const password = join(root, 'password')
    await writeFile(password, 'right password\n')
    const genesis = genesisFile()
    expect((await runCommand(['init', '--data', folder, '--genesis', genesis, '--key-password-file', password])).code).toBe(0)
    const port = await freeBasePort(1)
    const config = { rpc: { port: Number(new URL(nodes[0]!.rpc).port) }, admin: { port }, p2p: { listen: [`127.0.0.1:${port + 1}`] } }
    await writeFile(join(folder, 'songhua.json'), JSON.stringify(config))
    expect(wrong((await doctor(folder)).codes)).toEqual(['error PORT_TAKEN', 'warning NODE_STOPPED'])
    await writeFile(join(folder, 'songhua.json'), JSON.stringify({ ...config, rpc: { port: port + 2 }, nodeKey: { passwordFile: password } }))
    expect(wrong((await doctor(folder)).codes)).toEqual(['warning NODE_STOPPED'])
    await writeFile(password, 'wrong password\n')
    const refused = await doctor(folder)
    expect([wrong(refused.codes)[0], refused.findings[0]!.values.code]).toEqual(['error KEY_UNUSABLE', 'KEYSTORE_PASSWORD'])
    await writeFile(password, 'right password\n')
    await rm(join(folder, 'genesis.json'))
    expect(wrong((await doctor(folder)).codes)[0]).toBe('error GENESIS_UNUSABLE')
    await cp(genesis, join(folder, 'genesis.json'))
    await rm(join(folder, 'node-key.json'))
    expect(wrong((await doctor(folder)).codes)[0]).toBe('error KEY_UNUSABLE')
    // A running node, asked where it does not answer.
    const hidden = join(root, 'hidden')
    await mkdir(hidden)
    await cp(genesis, join(hidden, 'genesis.json'))
    await cp(join(await folderOf(0), 'node-key.hex'), join(hidden, 'node-key.hex'))
    await writeFile(join(hidden, 'songhua.json'), JSON.stringify({ ...config, rpc: { port: port + 2 }, nodeKey: { devFile: 'node-key.hex' } }))
    await symlink(join(await folderOf(0), 'chain'), join(hidden, 'chain'))
    expect(wrong((await doctor(hidden)).codes)[0]).toBe('error STORE_LOCKED')
  }, 120_000)
})
