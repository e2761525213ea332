import { join } from 'node:path'
import { connect, keySigner, verifyEvidence } from '@songhua/sdk'
import type { EvidenceBundle } from '@songhua/sdk'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, type ClusterNode, createCluster } from '../support/cluster.js'
import { hashAt, heightOf, removeDir, rpc, sleep, tempDir, until } from '../support/devnet.js'
import { type TestCouncil, openCouncil } from '../support/govern.js'
import { type Reaper, startReaper } from '../support/reaper.js'
import { type Writer, startWriter } from '../support/writer.js'
import { LICENCE } from '../records/samples.js'

const VALIDATORS = 4
const OTHERS = 3
/** More than the blocks of one motion (proposed, two votes, executed) and its notice; the writer makes some five a second. */
const NOTICE_BLOCKS = 40
const WRITE_PAUSE_MS = 150
/** Three timeouts of round 0. */
const STALL_MS_MAX = 3 * 4_000
const ISSUER = 'uscc:11230000MB0000019P'

let root: string
let reaper: Reaper
let cluster: Cluster
let council: TestCouncil
let writer: Writer
let watch: { longestMs(): number; stop(): void }

const node = (index: number): ClusterNode => cluster.nodes[index]!
const address = (index: number): string => node(index).identity.address
const sealersAt = (height: number): Promise<string[]> => rpc(node(0).rpc, 'qbft_getValidatorsByBlockNumber', [`0x${height.toString(16)}`])

/** How long the head of the first node ever stood still while somebody wrote. */
function watchStalls(url: string): typeof watch {
  let [last, sinceMs, longest, isStopped] = [0, performance.now(), 0, false]
  const look = async (): Promise<void> => {
    while (!isStopped) {
      const height = await heightOf(url).catch(() => last)
      const nowMs = performance.now()
      if (height > last) [last, sinceMs] = [height, nowMs]
      longest = Math.max(longest, nowMs - sinceMs)
      await sleep(50)
    }
  }
  void look()
  return { longestMs: () => longest, stop: () => void (isStopped = true) }
}

/** A motion, and the chain beyond the height of its change. @returns the sets before and after it */
async function change(motion: { added?: number[]; removed?: number[] }): Promise<string[]> {
  const height = (await heightOf(node(0).rpc)) + NOTICE_BLOCKS
  const [added, removed] = [motion.added ?? [], motion.removed ?? []].map((list) => list.map(address))
  await council.pass('changeValidators', { added: added!, removed: removed!, height })
  await until('the change', async () => (await heightOf(node(0).rpc)) > height + 3, 120_000)
  expect(await sealersAt(height - 1)).not.toEqual(await sealersAt(height))
  return sealersAt(height)
}

async function anchor(): Promise<EvidenceBundle> {
  const songhua = await connect({ rpc: node(0).rpc, signer: keySigner(cluster.accounts[6]!.privateKey), issuer: ISSUER })
  const { evidence } = await songhua.records.anchor({ schema: 'government.licence', payload: LICENCE, subject: { kind: 'public', scheme: 'number', id: '7' } })
  return evidence
}

beforeAll(async () => {
  root = await tempDir('validators-by-motion')
  reaper = startReaper()
  cluster = await createCluster({ dir: join(root, 'net'), validators: VALIDATORS, followers: OTHERS, gateways: 0 }, reaper, () => ({ follow: false }))
  await Promise.all(cluster.nodes.map((one) => cluster.start(one)))
  council = await openCouncil(node(0).rpc, cluster.accounts.slice(0, 4).map(({ privateKey }) => privateKey))
  writer = startWriter(cluster.accounts[5]!, cluster.chainId, () => [node(0).rpc], () => WRITE_PAUSE_MS)
  await until('the first blocks', async () => (await heightOf(node(0).rpc)) > 2, 60_000)
  watch = watchStalls(node(0).rpc)
}, 300_000)

afterAll(async () => {
  watch?.stop()
  await writer?.stop()
  await cluster?.stop()
  await reaper?.close()
  await removeDir(root)
})

describe('validators that the council changes while the chain works', () => {
  it('go from four to five, to seven and back to four, without a stall of three timeouts; evidence of all times verifies from the genesis', async () => {
    const bundles = [await anchor()]
    const sorted = (indexes: number[]): string[] => indexes.map(address).sort()
    expect(await change({ added: [4] })).toEqual(sorted([0, 1, 2, 3, 4]))
    bundles.push(await anchor())
    expect(await change({ added: [5, 6] })).toEqual(sorted([0, 1, 2, 3, 4, 5, 6]))
    bundles.push(await anchor())
    expect(await change({ removed: [1, 3, 5] })).toEqual(sorted([0, 2, 4, 6]))
    bundles.push(await anchor())

    expect(watch.longestMs()).toBeLessThan(STALL_MS_MAX)
    const songhua = await connect({ rpc: node(2).rpc, signer: keySigner(cluster.accounts[6]!.privateKey), issuer: ISSUER })
    const trustAnchor = await songhua.trustAnchor()
    for (const bundle of bundles) expect(verifyEvidence(bundle, { trustAnchor })).toMatchObject({ valid: true })
    const height = await heightOf(node(0).rpc) - 2
    for (const one of cluster.nodes) {
      await until(`${one.name} at ${height}`, async () => (await heightOf(one.rpc)) >= height, 60_000)
      expect(await hashAt(one.rpc, height)).toBe(await hashAt(node(0).rpc, height))
    }
  }, 600_000)
})
