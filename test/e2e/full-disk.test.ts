import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type CrashLab, createCrashLab, expectFinalOnce, expectNoEquivocation, expectOneHistory, expectVotes,
} from '../support/crash-lab.js'
import { type DevnetNode, type Running, heightOf, removeDir, startDevnet, startSonghua, tempDir, until } from '../support/devnet.js'
import { type SmallDisk, createSmallDisk } from '../support/small-disk.js'
import { type Writer, startWriter } from '../support/writer.js'

/**
 * One validator of four has its data folder on a disk of its own, which a stranger fills while records come in. It must
 * stop and say so, lose nothing, and go on in the same process when there is room.
 */

const MB = 1024 * 1024
const DISK_MB = 160
const RESERVE_MB = 24

let lab: CrashLab
let disk: SmallDisk
let dataDir: string
let folder: string
let running: Running
const writers: Writer[] = []

beforeAll(async () => {
  dataDir = await tempDir('full-disk')
  const devnet = await startDevnet({ validators: 4, dataDir })
  lab = createCrashLab(devnet)
  const { accounts, chainId } = devnet.ready
  disk = await createSmallDisk(DISK_MB)
  await lab.kill(victim())
  folder = join(disk.path, 'node')
  await cp(await lab.folderOf(victim()), folder, { recursive: true })
  await cp(join(dataDir, 'genesis.json'), join(disk.path, 'genesis.json'))
  const others = (): string[] => lab.nodes.slice(0, 3).map((node) => node.rpc)
  writers.push(startWriter(accounts[0]!, chainId, others))
  // It asks the victim first, and takes what that has acknowledged for final.
  writers.push(startWriter(accounts[1]!, chainId, () => [victim().rpc, ...others()]))
}, 120_000)

afterAll(async () => {
  try {
    await Promise.all(writers.map((writer) => writer.stop()))
  } finally {
    await running?.stop()
    await lab?.stop()
    await disk?.remove()
    await removeDir(dataDir)
  }
})

const victim = (): DevnetNode => lab.nodes[3]!
const isUp = (): Promise<boolean> => heightOf(victim().rpc).then(() => true, () => false)

async function start(reserveMb: number): Promise<void> {
  running = startSonghua(['start', '--data', folder, '--log-format', 'json', '--disk-min-free', String(reserveMb)])
  await until(`the node to run\n${running.output()}`, isUp, 60_000)
  await expectVotes(lab, victim())
}

/** The process lives and says why it does not work. */
async function expectPaused(): Promise<void> {
  await until(`the node to stop\n${running.output().slice(-2_000)}`, () => running.output().includes('DISK_FULL'), 60_000)
  const ready = await until('its admin port to say so', async () => {
    const response = await fetch(`${victim().admin}/ready`)
    return response.status === 503 ? ((await response.json()) as { ready: boolean; reasons: string[] }) : undefined
  })
  expect(ready).toMatchObject({ ready: false, reasons: [expect.stringContaining(`disk: the disk of ${folder}`)] })
  expect((await fetch(`${victim().admin}/health`)).status).toBe(200)
  const figures = await (await fetch(`${victim().admin}/metrics`)).text()
  expect(figures).toMatch(/^songhua_paused 1$/m)
  expect(await isUp()).toBe(false)
  expect(running.process.exitCode).toBeNull()
  // The others, a quorum, go on.
  const witness = lab.nodes[0]!.rpc
  const from = await heightOf(witness)
  await until('the chain to go on', async () => (await heightOf(witness)) >= from + 5, 60_000)
}

async function expectResumed(): Promise<void> {
  const pid = running.process.pid
  const top = await heightOf(lab.nodes[0]!.rpc)
  await until('the node to catch up', async () => (await heightOf(victim().rpc)) >= top, 90_000)
  expect(running.process.pid).toBe(pid)
  expect(running.process.exitCode).toBeNull()
  await expectVotes(lab, victim())
  await expectNoEquivocation(lab)
  await expectOneHistory(lab)
}

describe('a full disk', () => {
  it('stops the node before any write fails, and lets it go on when there is room', async () => {
    await start(RESERVE_MB)
    await disk.fill((RESERVE_MB - 4) * MB)
    await expectPaused()
    expect(running.output()).not.toMatch(/No space left|STORE_WRITE_FAILED|JOURNAL_IO|CONSENSUS_LOG_IO/)
    await disk.fill((RESERVE_MB + 8) * MB)
    // Between the reserve and what it resumes at, it waits.
    const paused = running.output()
    await until('two more looks', () => new Promise<boolean>((resolve) => setTimeout(() => resolve(true), 5_000)), 10_000)
    expect(running.output()).toBe(paused)
    await disk.empty()
    await expectResumed()
  }, 300_000)

  it('ends a node that waits for room, when that is asked, with success', async () => {
    await disk.fill((RESERVE_MB - 4) * MB)
    await expectPausedAgain()
    expect(await running.stop()).toBe(0)
    const refused = startSonghua(['start', '--data', folder, '--log-format', 'json', '--disk-min-free', String(RESERVE_MB)])
    await until('a node that finds no room at its start', () => refused.output().includes('DISK_FULL'), 60_000)
    expect(await refused.stop()).toBe(0)
    await disk.empty()
  }, 180_000)

  it('without a reserve stops the node at the write that fails, and loses nothing', async () => {
    await start(0)
    await disk.fill(0)
    await expectPaused()
    expect(running.output()).toMatch(/No space left|ENOSPC/)
    await disk.empty()
    await expectResumed()
  }, 300_000)

  it('has cost nobody an acknowledged transaction', async () => {
    await Promise.all(writers.map((writer) => writer.stop()))
    for (const writer of writers) {
      const hashes = writer.acknowledged().map(({ hash }) => hash)
      expect(hashes.length).toBeGreaterThan(50)
      await expectFinalOnce(lab, hashes)
    }
    await expectOneHistory(lab)
  }, 120_000)
})

/** Its output has said it before. */
async function expectPausedAgain(): Promise<void> {
  await until('the node to stop', async () => (await fetch(`${victim().admin}/ready`)).status === 503 && !(await isUp()), 60_000)
}
