import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dataPaths } from '@songhua/node/app/options'
import { openJournal } from '@songhua/node/storage/journal'
import type { CrashPoint } from '@songhua/node/base/crash-points'
import {
  type CrashLab, createCrashLab, expectFinalOnce, expectNoEquivocation, expectOneHistory, expectVotes, pointsOf,
} from '../support/crash-lab.js'
import { type DevnetNode, heightOf, removeDir, startDevnet, tempDir, until } from '../support/devnet.js'
import { type Writer, startWriter } from '../support/writer.js'

/**
 * A validator of four, or a follower, dies at each point that there is, under load, and comes back. The points are those
 * of the node's own table: one that is added there is tried here.
 */

/** So that it is not the first vote or block of a life. */
const NTH = 7
const BLOCKS_MISSED = 12
/** From here on a journal is written anew. */
const COMPACTED_FROM_BYTES = 4 * 1024 * 1024

let lab: CrashLab
let dataDir: string
let compared = 0
const writers: Writer[] = []

beforeAll(async () => {
  dataDir = await tempDir('crash')
  const devnet = await startDevnet({ validators: 4, dataDir, args: ['--followers', '1'] })
  lab = createCrashLab(devnet)
  const { accounts, chainId } = devnet.ready
  const urls = (): string[] => lab.alive().map((node) => node.rpc)
  // The one that is killed is asked first, so that what it acknowledges just before it dies is among all that is checked.
  writers.push(startWriter(accounts[0]!, chainId, urls))
  writers.push(startWriter(accounts[1]!, chainId, () => [victim().rpc, ...urls()]))
}, 120_000)

afterAll(async () => {
  try {
    await Promise.all(writers.map((writer) => writer.stop()))
  } finally {
    await lab?.stop()
    await removeDir(dataDir)
  }
})

const victim = (): DevnetNode => lab.nodes[3]!
const follower = (): DevnetNode => lab.nodes[4]!

async function missBlocks(node: DevnetNode): Promise<void> {
  await lab.kill(node)
  const from = await heightOf(lab.nodes[0]!.rpc)
  await until('blocks that it misses', async () => (await heightOf(lab.nodes[0]!.rpc)) >= from + BLOCKS_MISSED, 120_000)
}

/** The journal of the dead, made as long as one that was not compacted for a while: a transaction in it more than once is one. */
async function fillJournal(node: DevnetNode): Promise<void> {
  const journal = await openJournal(dataPaths(await lab.folderOf(node)).poolFile)
  const final = journal.payloads.slice(0, 1)
  expect(final).toHaveLength(1)
  const count = Math.ceil(COMPACTED_FROM_BYTES / final[0]!.length)
  await Promise.all(Array.from({ length: count }, () => journal.append(final[0]!)))
  await journal.close()
}

async function dieCompacting(point: CrashPoint): Promise<void> {
  await lab.kill(victim())
  await fillJournal(victim())
  await lab.dieAt(victim(), { point, nth: 1 })
}

/** Who dies, and how it comes to the point. */
const SCENES: readonly [RegExp, () => DevnetNode, (point: CrashPoint) => Promise<void>][] = [
  [/^sync\.range-/, follower, (point) => missBlocks(follower()).then(() => lab.dieAt(follower(), { point, nth: 1 }))],
  [/^sync\./, follower, (point) => missBlocks(follower()).then(() => lab.dieAt(follower(), { point, nth: 3 }))],
  [/compaction|^file\./, victim, dieCompacting],
  [/./, victim, (point) => lab.dieAt(victim(), { point, nth: NTH })],
]

describe('killed at a crash point', () => {
  it.each(pointsOf('node'))('%s: it comes back, votes, and nothing is forked, lost or doubled', async (point) => {
    const [, who, die] = SCENES.find(([pattern]) => pattern.test(point))!
    await die(point)
    await lab.revive(who())
    if (who() === victim()) await expectVotes(lab, victim())
    await expectNoEquivocation(lab)
    compared = await expectOneHistory(lab, compared)
  }, 400_000)

  it('has what it acknowledged in one block, once, at every node', async () => {
    await Promise.all(writers.map((writer) => writer.stop()))
    const acknowledged = writers.map((writer) => writer.acknowledged().map(({ hash }) => hash))
    for (const hashes of acknowledged) {
      expect(hashes.length).toBeGreaterThan(100)
      await expectFinalOnce(lab, hashes)
    }
    await expectOneHistory(lab)
  }, 240_000)
})
