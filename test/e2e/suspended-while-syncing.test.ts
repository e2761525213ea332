import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Links, createLinks } from '../chaos/links.js'
import { type Cluster, type ClusterNode, createCluster } from '../support/cluster.js'
import { heightOf, removeDir, rpc, sleep, tempDir, until } from '../support/devnet.js'
import { type TestCouncil, openCouncil } from '../support/govern.js'
import { type Reaper, startReaper } from '../support/reaper.js'
import { startWriter } from '../support/writer.js'

/** More than a follower asks for at once of one peer: two ranges of 128. */
const LENGTH = 320
/** Of everything that the validator sends: a round of sync takes as long. */
const DELAY_MS = 1_000
const CUT_WITHIN_MS = 5_000
const WATCH_MS = 3_000
const [VALIDATOR, FOLLOWER] = [0, 1]

let root: string
let reaper: Reaper
let links: Links
let cluster: Cluster
let council: TestCouncil
const node = (index: number): ClusterNode => cluster.nodes[index]!
const peerIds = async (): Promise<string[]> => (await rpc<{ id: string }[]>(node(VALIDATOR).admin, 'admin_peers')).map(({ id }) => id)

beforeAll(async () => {
  root = await tempDir('suspended')
  reaper = startReaper()
  links = await createLinks(2)
  cluster = await createCluster({ dir: join(root, 'net'), validators: 1, followers: 1, gateways: 0 }, reaper, (one, all) => ({
    'p2p.bootnodes': one === all[FOLLOWER] ? [`/ip4/127.0.0.1/tcp/${links.port(FOLLOWER, VALIDATOR)}/p2p/${all[VALIDATOR]!.identity.peerId}`] : [],
    // By the proxy alone, and never around it.
    'p2p.bootnodesOnly': true,
  }))
  links.route(VALIDATOR, node(VALIDATOR).ports.p2p)
  links.route(FOLLOWER, node(FOLLOWER).ports.p2p)
  await cluster.start(node(VALIDATOR))
  council = await openCouncil(node(VALIDATOR).rpc, cluster.accounts.slice(0, 4).map(({ privateKey }) => privateKey))
  const writer = startWriter(cluster.accounts[5]!, cluster.chainId, () => [node(VALIDATOR).rpc], () => 5)
  await until('a long chain', async () => (await heightOf(node(VALIDATOR).rpc)) >= LENGTH, 240_000)
  await writer.stop()
}, 300_000)

afterAll(async () => {
  await cluster?.stop()
  await links?.close()
  await reaper?.close()
  await removeDir(root)
})

describe('a node that the council suspends while it syncs', () => {
  it('is cut within five seconds of the block that says so, in the middle of the chain, and gets no further', async () => {
    const identity = node(FOLLOWER).identity
    const [first, second, third] = council.seats
    const { id } = await first!.propose('suspendNode', { node: identity.address }, 'in the middle of its sync')
    for (const seat of [second!, third!]) await seat.vote(id, true)
    links.impose({ kind: 'delay', from: VALIDATOR, to: FOLLOWER, delayMs: DELAY_MS })
    await cluster.start(node(FOLLOWER))
    await until('the first blocks at the follower', async () => (await heightOf(node(FOLLOWER).rpc)) > 0, 60_000)
    // What it has asked for is on its way, and stays there.
    const arrives = links.impose({ kind: 'hold', from: VALIDATOR, to: FOLLOWER })
    const head = await heightOf(node(VALIDATOR).rpc)
    expect(await heightOf(node(FOLLOWER).rpc)).toBeLessThan(head)
    expect(await peerIds()).toContain(identity.peerId)

    await first!.execute(id)
    const saidMs = performance.now()
    await until('the validator without the follower', async () => !(await peerIds()).includes(identity.peerId))
    expect(performance.now() - saidMs).toBeLessThan(CUT_WITHIN_MS)
    arrives()
    await until('the follower without peers', async () => (await rpc<string>(node(FOLLOWER).rpc, 'net_peerCount')) === '0x0')
    // What had come before is still imported.
    await sleep(WATCH_MS)
    const stoodAt = await heightOf(node(FOLLOWER).rpc)
    expect(stoodAt).toBeLessThan(head)
    await sleep(WATCH_MS)
    expect(await heightOf(node(FOLLOWER).rpc)).toBe(stoodAt)
    expect(await peerIds()).toEqual([])
  }, 180_000)

  it('comes back and goes on where it was once it is reinstated', async () => {
    const identity = node(FOLLOWER).identity
    await council.pass('reinstateNode', { node: identity.address })
    const head = await heightOf(node(VALIDATOR).rpc)
    await until('the follower at the head', async () => (await heightOf(node(FOLLOWER).rpc)) >= head, 120_000)
  }, 180_000)
})
