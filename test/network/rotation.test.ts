import { systemClock } from '@songhua/node/base/clock'
import { installNativeCrypto } from '@songhua/node/execution/native-crypto'
import type { NetworkOptions } from '@songhua/node/network/network'
import { identityOfPrivateKey } from '@songhua/node/network/peer-id'
import { createSync, type Sync } from '@songhua/node/services/sync'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { councilOf, growTo, testChain, type TestChain } from '../sync/chain.js'
import { arePeers, bootnodeOf, connect, keyOf, sleep, startNode, stopAll, stopNode, type TestNode, until } from './support.js'

const HEIGHT = 200
/** The block after which the council's list names the new keys in place of the old ones. */
const ROTATED = 120
const council = councilOf([51, 52, 53, 54])
const idOf = (seed: number): string => identityOfPrivateKey(keyOf(seed)).id

let grown: TestChain
const syncs: Sync[] = []

beforeAll(async () => {
  await installNativeCrypto()
  grown = testChain(council)
  await growTo(grown, HEIGHT, () => council)
})

afterEach(async () => {
  for (const sync of syncs.splice(0)) sync.stop()
  await stopAll()
})

const heightOf = ({ chain }: TestChain): number => chain.head().header.number
const headOf = ({ chain }: TestChain) => ({ number: heightOf({ chain } as TestChain), hash: chain.head().hash })

/** A node over a chain; its list is what the chain's state says at its head, as with the contract. */
async function chainNode(seed: number, test: TestChain, { lists, ...options }: Partial<NetworkOptions> & { lists: (height: number) => number[] }): Promise<TestNode> {
  const node = await startNode({ seed, head: headOf(test), ...options })
  node.admits = ({ id }) => lists(heightOf(test)).some((one) => idOf(one) === id)
  node.isBehind = heightOf(test) < HEIGHT
  const ports = { network: node.network, chain: test.chain, clock: systemClock, logger: { debug() {}, info() {}, warn() {}, error() {}, child: () => ports.logger } }
  const sync = createSync({ graceMs: 0 }, { ...ports, blocks: { encodedBlock: (number) => test.blocks[number] } })
  syncs.push(sync)
  test.chain.onBlock(() => {
    node.head = headOf(test)
    node.isBehind = heightOf(test) < HEIGHT
    node.network.recheckPeers()
  })
  sync.start()
  return node
}

const [OLD, NEW, OLD_2, NEW_2, RETURNED] = [61, 62, 63, 64, 65]
const lists = (height: number): number[] => [RETURNED, ...(height < ROTATED ? [OLD, OLD_2] : [NEW, NEW_2])]
/** Where a peer was, by its old key. */
const formerly = (node: TestNode, seed: number): string => bootnodeOf(node).replace(node.network.self.id, idOf(seed))

describe('a node that was away while every bootnode rotated its key', () => {
  it('comes back by the addresses alone, and takes them for peers once its own state lists them', async () => {
    const hubs = [await chainNode(NEW, grown, { lists }), await chainNode(NEW_2, grown, { lists })]
    const away = testChain(council)
    const bootnodes = [formerly(hubs[0]!, OLD), formerly(hubs[1]!, OLD_2)]
    const node = await chainNode(RETURNED, away, { lists, bootnodes })
    await until(() => heightOf(away) === HEIGHT, 'the node to catch up', 20_000)
    await until(() => hubs.every((hub) => arePeers(node, hub)), 'both to be peers')
    await until(() => node.network.peers().every(({ isListed }) => isListed), 'both to be listed')
    expect(away.chain.head().hash).toBe(grown.chain.head().hash)
    expect(node.network.broadcast('consensus', Uint8Array.of(1))).toBe(2)
    const said = node.lines.filter(({ message }) => message.includes('another key answers'))
    expect(said.map(({ fields }) => [fields['bootnode'], fields['peer']]).sort()).toEqual([[idOf(OLD), idOf(NEW)], [idOf(OLD_2), idOf(NEW_2)]].sort())
    // The place is taken: it is not dialled again and again.
    const dials = node.network.metrics()['dials']
    await sleep(1_500)
    expect(node.network.metrics()['dials']).toBe(dials)
  })

  it('is not let in by a bootnode whose own list does not name it', async () => {
    const hub = await chainNode(NEW, grown, { lists: (height) => lists(height).filter((seed) => seed !== RETURNED) })
    const away = testChain(council)
    await chainNode(RETURNED, away, { lists, bootnodes: [formerly(hub, OLD)] })
    await until(() => (hub.network.metrics()['refused_not_admitted'] ?? 0) > 0, 'the refusal')
    expect(heightOf(away)).toBe(0)
  })

  it('takes nothing from another network that has the address now', async () => {
    const elsewhere = await startNode({ seed: NEW, genesisHash: `0x${'22'.repeat(32)}`, head: headOf(grown) })
    const away = testChain(council)
    const node = await chainNode(RETURNED, away, { lists, bootnodes: [formerly(elsewhere, OLD)] })
    await until(() => node.lines.some(({ fields }) => fields['code'] === 'GENESIS_MISMATCH'), 'the refusal')
    expect(node.network.peers()).toEqual([])
    // A lasting refusal: the back-off is the bootnode's, whoever stands in its place.
    const asked = node.network.metrics()['dials_any_key']
    await sleep(1_500)
    expect(node.network.metrics()['dials_any_key']).toBe(asked)
    expect(heightOf(away)).toBe(0)
  })

  it('finds the old key there again when the rotation is undone', async () => {
    const first = await startNode({ seed: NEW })
    const node = await startNode({ seed: RETURNED, bootnodes: [formerly(first, OLD)] })
    await until(() => arePeers(node, first), 'whoever is there')
    const place = bootnodeOf(first).replace(/\/p2p\/.*/, '')
    await stopNode(first)
    const again = await startNode({ seed: OLD, listen: [place] })
    await until(() => arePeers(node, again), 'the one that is configured')
  })
})

describe('who answers in the place of a bootnode and is on no list', () => {
  const ahead = { number: 500, hash: `0x${'50'.repeat(32)}` } as const

  async function strangerAndNode(node: { isBehind: boolean }) {
    const stranger = await startNode({ seed: 71, head: ahead })
    const listed = await startNode({ seed: 72 })
    const returned = await startNode({ seed: 73, limits: { refusedMinMs: 60_000 } })
    returned.isBehind = node.isBehind
    returned.admits = ({ id }) => id === idOf(72)
    await connect(returned, listed)
    returned.network.addBootnode(formerly(stranger, OLD))
    return { stranger, listed, returned }
  }

  it('hands over sealed blocks to a node that is behind, and gets nothing for it', async () => {
    const { stranger, listed, returned } = await strangerAndNode({ isBehind: true })
    await until(() => arePeers(returned, stranger), 'the stranger')
    const heard: string[] = []
    const hear = (node: TestNode, name: string): void => {
      for (const channel of ['consensus', 'transactions', 'blocks'] as const) node.network.onMessage(channel, () => heard.push(`${name} ${channel}`))
      node.network.onRequest(() => Promise.resolve(Uint8Array.of(7)))
    }
    hear(stranger, 'stranger')
    hear(listed, 'listed')
    hear(returned, 'returned')
    expect(returned.network.broadcast('consensus', Uint8Array.of(1))).toBe(1)
    expect(returned.network.broadcast('transactions', Uint8Array.of(1))).toBe(1)
    for (const channel of ['consensus', 'blocks'] as const) expect(returned.network.send(idOf(71), channel, Uint8Array.of(1))).toBe(false)
    for (const channel of ['consensus', 'transactions', 'blocks'] as const) stranger.network.send(idOf(73), channel, Uint8Array.of(1))
    // What it may ask and be asked: sealed blocks go one way.
    await expect(stranger.network.request(idOf(73), Uint8Array.of(1), { timeoutMs: 2_000 })).rejects.toMatchObject({ code: 'REQUEST_REFUSED' })
    await expect(returned.network.request(idOf(71), Uint8Array.of(1), { timeoutMs: 2_000 })).resolves.toEqual(Uint8Array.of(7))
    await until(() => heard.length >= 3, 'what was sent')
    await sleep(200)
    expect(heard.sort()).toEqual(['listed consensus', 'listed transactions', 'returned blocks'])
    const told = stranger.network.peers()[0]!
    expect(told.id).toBe(idOf(73))
    // Nor is it told where other nodes are.
    await sleep(300)
    expect(arePeers(stranger, listed)).toBe(false)
  })

  it('is cut as soon as the node is no longer behind, and never kept by one that is not', async () => {
    const { stranger, returned } = await strangerAndNode({ isBehind: true })
    await until(() => arePeers(returned, stranger), 'the stranger')
    returned.isBehind = false
    returned.network.recheckPeers()
    await until(() => !arePeers(returned, stranger) && stranger.network.peers().length === 0, 'both sides to part', 5_000)
    await stopAll()
    const fresh = await strangerAndNode({ isBehind: false })
    await until(() => fresh.returned.lines.some(({ fields }) => fields['code'] === 'NOT_ADMITTED'), 'the refusal')
    await sleep(500)
    expect(arePeers(fresh.returned, fresh.stranger)).toBe(false)
  })
})
