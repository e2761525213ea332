import { afterEach, describe, expect, it } from 'vitest'
import { arePeers, bootnodeOf, connect, sleep, startNode, stopAll, stopNode, type TestNode, until } from './support.js'

afterEach(stopAll)

const codesOf = (node: TestNode): unknown[] => node.lines.map(({ fields }) => fields['code']).filter(Boolean)
const warned = (node: TestNode, code: string): boolean =>
  node.lines.some(({ level, fields }) => level === 'warn' && fields['code'] === code)

describe('handshake', () => {
  it('brings both sides up with what the other said of itself', async () => {
    const a = await startNode({ seed: 1, head: { number: 7, hash: `0x${'77'.repeat(32)}` }, software: 'songhua/9.9' })
    const b = await startNode({ seed: 2, follower: true })
    await connect(b, a)
    expect(b.network.peers()[0]).toMatchObject({
      id: a.network.self.id,
      address: a.network.self.address,
      direction: 'outbound',
      software: 'songhua/9.9',
      follower: false,
      head: { number: 7 },
    })
    expect(a.network.peers()[0]).toMatchObject({ direction: 'inbound', follower: true })
    expect(a.network.peerOfAddress(b.network.self.address)?.id).toBe(b.network.self.id)
  })

  it.each([
    ['GENESIS_MISMATCH', { genesisHash: `0x${'22'.repeat(32)}` as const }],
    ['CHAIN_ID_MISMATCH', { chainId: 230000 }],
    ['PROTOCOL_VERSION_MISMATCH', { protocolVersions: { min: 2, max: 4 } }],
  ])('refuses another chain with %s, in words on both sides', async (code, different) => {
    const a = await startNode({ seed: 1 })
    const b = await startNode({ seed: 2, ...different, bootnodes: [bootnodeOf(a)] })
    await until(() => warned(a, code) && warned(b, code), `both logs to say ${code}`)
    expect(arePeers(a, b)).toBe(false)
    const reasons = [a, b].map((node) => node.lines.find(({ fields }) => fields['code'] === code)!.fields['reason'])
    expect(reasons[0]).toMatch(/differ|no common/)
    expect(reasons[1]).toMatch(/differ|no common/)
    // The back-off after such a refusal is long: it is not tried again at once.
    const dials = b.network.metrics()['dials']
    await sleep(500)
    expect(b.network.metrics()['dials']).toBe(dials)
  })

  it('accepts overlapping protocol versions', async () => {
    const a = await startNode({ seed: 1, protocolVersions: { min: 1, max: 3 } })
    const b = await startNode({ seed: 2, protocolVersions: { min: 3, max: 5 } })
    // The only one that both can run.
    a.protocolVersion = 3
    await connect(a, b)
    expect(a.network.peers()[0]!.protocolVersions).toEqual({ min: 3, max: 5 })
  })

  it('ends with one connection when both dial at once, and it carries messages', async () => {
    for (let turn = 0; turn < 5; turn++) {
      const [a, b] = await Promise.all([startNode({ seed: 10 + turn }), startNode({ seed: 40 + turn })])
      const got: string[] = []
      a.network.onMessage('consensus', (_peer, payload) => got.push(new TextDecoder().decode(payload)))
      const [toA, toB] = [bootnodeOf(a), bootnodeOf(b)]
      a.network.addBootnode(toB)
      b.network.addBootnode(toA)
      await until(() => arePeers(a, b), 'the nodes to connect')
      await sleep(200)
      const isSingle = ({ network }: TestNode): boolean => network.metrics()['connections'] === 1
      await until(() => arePeers(a, b) && isSingle(a) && isSingle(b), 'one connection')
      expect(b.network.broadcast('consensus', new TextEncoder().encode(`vote ${turn}`))).toBe(1)
      await until(() => got.length === 1)
      expect(got).toEqual([`vote ${turn}`])
      await Promise.all([stopNode(a), stopNode(b)])
    }
  })

  it('redials a peer that was restarted on the same port', async () => {
    const a = await startNode({ seed: 1 })
    const port = bootnodeOf(a)
    const b = await startNode({ seed: 2, bootnodes: [port] })
    await until(() => arePeers(a, b))
    const events: string[] = []
    b.network.onPeer(({ type }) => events.push(type))
    await stopNode(a)
    await until(() => b.network.peers().length === 0, 'the peer to be gone')
    const again = await startNode({ seed: 1, listen: [port.replace(/\/p2p\/.*/, '')] })
    await until(() => arePeers(again, b), 'the peer to be back')
    expect(events).toEqual(['down', 'up'])
    expect(codesOf(b)).toContain('STOPPING')
  })

  it('learns third nodes from a common bootnode', async () => {
    const hub = await startNode({ seed: 1 })
    const a = await startNode({ seed: 2, bootnodes: [bootnodeOf(hub)] })
    await until(() => arePeers(a, hub))
    const b = await startNode({ seed: 3, bootnodes: [bootnodeOf(hub)] })
    await until(() => arePeers(a, b), 'the two to meet')
  })

  it('dials nobody but its bootnodes when it is told so', async () => {
    const hub = await startNode({ seed: 1 })
    const a = await startNode({ seed: 2, bootnodes: [bootnodeOf(hub)], learnsAddresses: false })
    await until(() => arePeers(a, hub))
    const b = await startNode({ seed: 3, bootnodes: [bootnodeOf(hub)], learnsAddresses: false })
    await until(() => arePeers(b, hub))
    const c = await startNode({ seed: 4, bootnodes: [bootnodeOf(hub)] })
    // That it met both shows that the hub had told where they are.
    await until(() => arePeers(c, a) && arePeers(c, b), 'the one that learns to meet the two')
    expect(arePeers(a, b)).toBe(false)
    expect([a, b].map(({ network }) => network.metrics().dials)).toEqual([1, 1])
  })

  it('announces new heads', async () => {
    const a = await startNode({ seed: 1 })
    const b = await startNode({ seed: 2 })
    await connect(a, b)
    const heads: number[] = []
    b.network.onPeer(({ type, peer }) => type === 'head' && heads.push(peer.head.number))
    a.network.announceHead({ number: 12, hash: `0x${'12'.repeat(32)}` })
    await until(() => heads.length === 1)
    expect(b.network.peers()[0]!.head.number).toBe(12)
  })

  it('dials a bootnode by its name', async () => {
    const a = await startNode({ seed: 1 })
    const b = await startNode({ seed: 2, bootnodes: [bootnodeOf(a).replace('/ip4/127.0.0.1', '/dns4/localhost')] })
    await until(() => arePeers(a, b))
  })

  it('connects over IPv6', async () => {
    const a = await startNode({ seed: 1, listen: ['/ip6/::1/tcp/0'] })
    const b = await startNode({ seed: 2, listen: ['/ip6/::1/tcp/0'] })
    await connect(a, b)
    expect(a.network.peers()[0]!.remoteAddress).toContain('/ip6/::1/')
  })

  it('listens on IPv4 and IPv6 at the same port, and announces what it is told to', async () => {
    const a = await startNode({ seed: 1 })
    const port = /tcp\/\d+/.exec(bootnodeOf(a))![0]
    await stopNode(a)
    const both = await startNode({ seed: 1, listen: [`/ip4/127.0.0.1/${port}`, `/ip6/::1/${port}`] })
    expect(both.network.addresses().map((address) => address.split('/')[1])).toEqual(['ip4', 'ip6'])
    const hidden = await startNode({ seed: 2, announce: ['/dns4/node.example/tcp/30300'] })
    expect(hidden.network.addresses()).toEqual([`/dns4/node.example/tcp/30300/p2p/${hidden.network.self.id}`])
  })

  it('takes whoever answers at a bootnode\'s address for the owner of its own key, never of the one that was expected', async () => {
    const a = await startNode({ seed: 1 })
    const b = await startNode({ seed: 2 })
    const elsewhere = await startNode({ seed: 3 })
    b.network.addBootnode(bootnodeOf(a).replace(a.network.self.id, elsewhere.network.self.id))
    await until(() => b.network.peers().length > 0)
    expect(b.network.metrics()['dials_failed']).toBe(1)
    expect(b.network.peers().map(({ id }) => id)).toEqual([a.network.self.id])
  })

  it('refuses options that are wrong, by name', async () => {
    await expect(startNode({ seed: 1, listen: ['127.0.0.1:30300'] })).rejects.toMatchObject({ code: 'ADDRESS_INVALID' })
    const nameless = startNode({ seed: 1, bootnodes: ['/ip4/127.0.0.1/tcp/1'] })
    await expect(nameless).rejects.toMatchObject({ code: 'ADDRESS_INVALID' })
    const a = await startNode({ seed: 1 })
    const taken = bootnodeOf(a).replace(/\/p2p\/.*/, '')
    await expect(startNode({ seed: 2, listen: [taken] })).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
      message: expect.stringMatching(`^cannot listen for peers: ${taken}: listen EADDRINUSE[^\n]*; end what uses`) as string,
    })
  })
})
