import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anchorTransaction } from '../bench/workload.js'
import { runCommand } from '../cli/in-process.js'
import { createBuild } from '../support/builds.js'
import { type Cluster, type ClusterNode, createCluster } from '../support/cluster.js'
import { hashAt, heightOf, removeDir, rpc, tempDir, until } from '../support/devnet.js'
import { type TestCouncil, openCouncil } from '../support/govern.js'
import { type Reaper, startReaper } from '../support/reaper.js'
import { type Writer, startWriter } from '../support/writer.js'

/** Pauses between two writes while nodes are restarted one by one, and when the height is to come soon. */
const SLOW_MS = 400
const FAST_MS = 15
/** Blocks that three restarts may take at the slow pace. */
const NOTICE_BLOCKS = 300
/** Of `songhua doctor`: something is wrong. */
const UNWELL = 10

let root: string
let reaper: Reaper
let cluster: Cluster
let newer: string
let writer: Writer
let pauseMs = SLOW_MS
let height: number
/** Who takes the writer's transactions. */
const writable = new Set<string>()

const node = (index: number): ClusterNode => cluster.nodes[index]!
const logOf = (index: number): Promise<string> => readFile(join(node(index).dir, 'node.log'), 'utf8')
const count = (text: string, part: string): number => text.split(part).length - 1
const readiness = async (index: number): Promise<{ ready: boolean; reasons: string[] }> =>
  (await (await fetch(`${node(index).admin}/ready`)).json()) as { ready: boolean; reasons: string[] }

async function doctor(index: number): Promise<{ exit: number; codes: string[]; words: string[] }> {
  const { code, stdout } = await runCommand(['doctor', '--data', node(index).dir, '--json'])
  const all = (JSON.parse(stdout) as { findings: { code: string; severity: string; what: string; todo: string }[] }).findings
  // Of the machine, which others may keep busy.
  const findings = all.filter((one) => one.code !== 'DISK_SLOW')
  return { exit: code, codes: findings.map((one) => `${one.severity} ${one.code}`), words: findings.map(({ what, todo }) => `${what} ${todo}`) }
}

// ------------------------------------------------------------------------------------ the scheduling step

let council: TestCouncil

const scheduleProtocol = (version: number, at: number): Promise<number> => council.pass('scheduleProtocol', { version, height: at })
const cancelProtocol = (): Promise<number> => council.pass('cancelProtocol', {})

// ------------------------------------------------------------------------------------ the chain

const head = async (): Promise<number> => Math.max(...(await Promise.all(cluster.nodes.map(({ rpc: url }) => heightOf(url).catch(() => 0)))))
const reach = (index: number, least: number): Promise<unknown> =>
  until(`${node(index).name} at ${least}`, async () => (await heightOf(node(index).rpc)) >= least, 240_000)

async function stop(index: number): Promise<void> {
  writable.delete(node(index).rpc)
  await cluster.lifeOf(node(index))!.stop()
}

async function upgrade(index: number): Promise<void> {
  await stop(index)
  await cluster.start(node(index), newer)
  if (index < 3) writable.add(node(index).rpc)
  await reach(index, await head())
}

beforeAll(async () => {
  root = await tempDir('upgrade-motion')
  reaper = startReaper()
  newer = await createBuild(join(root, 'newer'), { max: 2 })
  cluster = await createCluster({ dir: join(root, 'net'), validators: 4, followers: 0, gateways: 0 }, reaper)
  await Promise.all(cluster.nodes.map((one) => cluster.start(one)))
  for (const index of [0, 1, 2]) writable.add(node(index).rpc)
  writer = startWriter(cluster.accounts[5]!, cluster.chainId, () => [...writable], () => pauseMs)
  await Promise.all(cluster.nodes.map((_, index) => reach(index, 3)))
  council = await openCouncil(node(0).rpc, cluster.accounts.slice(0, 4).map(({ privateKey }) => privateKey))
  const { minValidators, validatorNotice, motionLifetime } = await council.seats[0]!.policy()
  await council.pass('setParameters', { minValidators, validatorNotice, motionLifetime, protocolNotice: 20 })
}, 240_000)

afterAll(async () => {
  await writer?.stop()
  await cluster?.stop()
  await reaper?.close()
  await removeDir(root)
})

describe('a version of the protocol that the chain schedules while it runs', () => {
  it('and calls off again stops nobody', async () => {
    const at = (await head()) + 60
    await scheduleProtocol(2, at)
    await cancelProtocol()
    expect(await head()).toBeLessThan(at - 1)
    pauseMs = FAST_MS
    await Promise.all(cluster.nodes.map((_, index) => reach(index, at + 2)))
    pauseMs = SLOW_MS
    expect(await logOf(3)).toContain('was called off')
  }, 300_000)

  it('is announced by every node that does not know it as soon as it is scheduled', async () => {
    height = (await head()) + NOTICE_BLOCKS
    await scheduleProtocol(2, height)
    const words = await until('the warning', async () => /.*upgrade this node before.*/g.exec((await logOf(3)).split('was called off')[1] ?? '')?.[0])
    expect(words).toContain(String(height))
    expect(await readiness(3)).toEqual({ ready: true, reasons: [] })
    const found = await doctor(3)
    expect(found.codes).toContain('warning PROTOCOL_AHEAD')
    expect(found.words.join('\n')).toContain(`before block ${height}, about`)
  }, 120_000)

  it('is passed by a network whose validators were upgraded one by one under load, but not by the one that was not', async () => {
    for (const index of [0, 1, 2]) {
      await upgrade(index)
      // Peers that merely lack the version to come are peers.
      await until('all to be connected', async () => (await rpc<string>(node(index).rpc, 'net_peerCount')) === '0x3', 60_000)
    }
    expect(await head()).toBeLessThan(height - 1)
    expect((await doctor(0)).codes.filter((code) => code.includes('PROTOCOL'))).toEqual([])
    pauseMs = FAST_MS
    await reach(0, height + 10)
    await reach(3, height - 1)
    expect(await heightOf(node(3).rpc)).toBe(height - 1)
    await until('the old one to be cut', async () => (await rpc<string>(node(3).rpc, 'net_peerCount')) === '0x0', 30_000)
    for (const index of [0, 1, 2]) expect(await rpc<string>(node(index).rpc, 'net_peerCount')).toBe('0x2')
    expect(await logOf(0)).toContain('PROTOCOL_VERSION_MISMATCH')
  }, 600_000)

  it('leaves the old one a reader that says at which block it stopped, and what to do', async () => {
    const log = await logOf(3)
    expect(count(log, 'consensus has stopped')).toBe(1)
    expect(log).toContain(`block ${height} needs protocol version 2; this program knows 1`)
    expect(log).not.toContain('could not be imported')
    const reason = `protocol: block ${height} needs version 2, this program knows 1; install the newer one`
    expect(await readiness(3)).toEqual({ ready: false, reasons: [reason, 'peers: none is connected'] })
    const found = await doctor(3)
    expect(found.exit).toBe(UNWELL)
    expect(found.codes).toEqual(['error PROTOCOL_TOO_OLD'])
    expect(found.words[0]).toMatch(new RegExp(`^Block ${height} needs protocol version 2.* Install a songhua that knows version 2 `))
    expect(await hashAt(node(3).rpc, height - 1)).toBe(await hashAt(node(0).rpc, height - 1))
    const raw = anchorTransaction(cluster.accounts[2]!, cluster.chainId, 0).raw
    await expect(rpc(node(3).rpc, 'eth_sendRawTransaction', [raw])).rejects.toThrow(/this node only reads: block \d+ needs protocol version 2/)
  }, 120_000)

  it('lets the old program start again on its folder, to read', async () => {
    await stop(3)
    await cluster.start(node(3))
    expect(await heightOf(node(3).rpc)).toBe(height - 1)
    expect((await readiness(3)).reasons[0]).toContain(`block ${height} needs version 2`)
  }, 120_000)

  it('is caught up with by the newer program on the same folder, which votes again', async () => {
    await upgrade(3)
    const top = await heightOf(node(3).rpc)
    expect(top).toBeGreaterThan(height)
    for (let number = height - 5; number <= height + 5; number++) {
      const hashes = await Promise.all(cluster.nodes.map(({ rpc: url }) => hashAt(url, number)))
      expect([number, new Set(hashes).size, hashes[0]]).toEqual([number, 1, expect.stringMatching(/^0x/)])
    }
    // With one of the three others gone a quorum needs it.
    await stop(2)
    await reach(3, (await head()) + 5)
    const info = await rpc<{ consensus: { isVoter: boolean; isSilent: boolean } }>(node(3).admin, 'admin_nodeInfo')
    expect(info.consensus).toMatchObject({ isVoter: true, isSilent: false })
    await writer.stop()
    const last = writer.acknowledged().at(-1)!
    await until('the last acknowledged write in a block', async () => (await rpc(node(3).rpc, 'eth_getTransactionReceipt', [last.hash])) !== null)
  }, 300_000)
})
