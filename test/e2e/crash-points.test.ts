import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bytesToHex, hexToBytes, toAddress } from '@songhua/sdk/protocol/bytes'
import { signTransaction } from '@songhua/sdk/protocol/transaction'
import type { CrashPoint } from '@songhua/node/base/crash-points'
import {
  type CrashLab, createCrashLab, expectFinalOnce, expectNoEquivocation, expectOneHistory, expectVotes, pointsOf,
} from '../support/crash-lab.js'
import { type Devnet, type DevnetNode, heightOf, removeDir, startDevnet, tempDir, until } from '../support/devnet.js'
import { type Writer, deliver, startWriter } from '../support/writer.js'

/**
 * A validator of four, or a follower, dies at each point that there is, under load, and comes back. The points are those
 * of the node's own table: one that is added there is tried here.
 */

/** So that it is not the first vote or block of a life. */
const NTH = 7
const BLOCKS_MISSED = 12
/** Above the 4 MiB from which on a journal is written anew. */
const DEAR_COUNT = 40
const DEAR_BYTES = 120_000

let lab: CrashLab
let devnet: Devnet
let dataDir: string
let compared = 0
const writers: Writer[] = []
const dear: string[] = []

beforeAll(async () => {
  dataDir = await tempDir('crash')
  devnet = await startDevnet({ validators: 4, dataDir, args: ['--followers', '1'] })
  lab = createCrashLab(devnet)
  const { accounts, chainId } = devnet.ready
  const urls = (): string[] => lab.alive().map((node) => node.rpc)
  // The one that is killed is asked first, so that what it acknowledges just before it dies is among all that is checked.
  writers.push(startWriter(accounts[0]!, chainId, urls))
  writers.push(startWriter(accounts[1]!, chainId, () => [victim().rpc, ...urls()]))
}, 120_000)

afterAll(async () => {
  await Promise.all(writers.map((writer) => writer.stop()))
  await lab?.stop()
  await removeDir(dataDir)
})

const victim = (): DevnetNode => lab.nodes[3]!
const follower = (): DevnetNode => lab.nodes[4]!

async function missBlocks(node: DevnetNode): Promise<void> {
  await lab.kill(node)
  const from = await heightOf(lab.nodes[0]!.rpc)
  await until('blocks that it misses', async () => (await heightOf(lab.nodes[0]!.rpc)) >= from + BLOCKS_MISSED, 60_000)
}

/** Fills the journal of the victim. */
async function sendDear(): Promise<void> {
  const { accounts, chainId } = devnet.ready
  const { privateKey, address } = accounts[2]!
  for (let index = 0; index < DEAR_COUNT; index++) {
    const transaction = signTransaction(
      {
        type: 2, chainId: BigInt(chainId), nonce: BigInt(dear.length), maxFeePerGas: 0n, maxPriorityFeePerGas: 0n,
        gasLimit: 2_000_000n, to: toAddress(address), value: 0n, data: new Uint8Array(DEAR_BYTES), accessList: [],
      },
      hexToBytes(privateKey),
    )
    const prepared = { hash: transaction.hash, raw: bytesToHex(transaction.raw) }
    await deliver(prepared, () => [victim().rpc, lab.nodes[0]!.rpc], () => false)
    dear.push(prepared.hash)
  }
}

async function dieCompacting(point: CrashPoint): Promise<void> {
  await lab.kill(victim())
  const death = lab.dieAt(victim(), { point, nth: 1 })
  const answers = until('the victim to answer', async () => (await heightOf(victim().rpc)) >= 0)
  await Promise.race([answers.then(sendDear), death])
  await death
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
  }, 180_000)

  it('has what it acknowledged in one block, once, at every node', async () => {
    await Promise.all(writers.map((writer) => writer.stop()))
    const acknowledged = writers.map((writer) => writer.acknowledged().map(({ hash }) => hash))
    for (const hashes of [...acknowledged, dear]) {
      expect(hashes.length).toBeGreaterThan(100)
      await expectFinalOnce(lab, hashes)
    }
    await expectOneHistory(lab)
  }, 120_000)
})
