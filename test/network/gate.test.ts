import { afterEach, describe, expect, it } from 'vitest'
import { arePeers, bootnodeOf, connect, sleep, startNode, stopAll, until } from './support.js'

afterEach(stopAll)

describe('gate', () => {
  it('refuses a peer id that is not on the list before it can say a word', async () => {
    const a = await startNode({ seed: 1 })
    a.admits = () => false
    const b = await startNode({ seed: 2, bootnodes: [bootnodeOf(a)] })
    await until(() => (a.network.metrics()['refused_not_admitted'] ?? 0) > 0)
    await until(() => b.lines.some(({ message }) => message.includes('probably not on its list')), 'words')
    expect(a.network.peers()).toEqual([])
    expect(a.lines.some(({ level, fields }) => level === 'warn' && fields['code'] === 'NOT_ADMITTED')).toBe(true)
  })

  it('asks with the key, the address and the direction of the peer', async () => {
    const a = await startNode({ seed: 1 })
    const asked: unknown[] = []
    a.admits = (candidate) => asked.push(candidate) > 0
    const b = await startNode({ seed: 2 })
    await connect(b, a)
    const { id, address, publicKey } = b.network.self
    expect(asked[0]).toEqual({ id, address, publicKey, direction: 'inbound', isBootnode: false })
  })

  it('cuts a connected peer when the list no longer names it, and lets it in when it does again', async () => {
    const a = await startNode({ seed: 1 })
    const b = await startNode({ seed: 2, limits: { refusedMinMs: 200, refusedMaxMs: 400 } })
    await connect(b, a)
    a.admits = ({ address }) => address !== b.network.self.address
    a.network.recheckAdmission()
    await until(() => a.network.peers().length === 0 && b.network.peers().length === 0, 'both sides to part')
    expect(b.lines.some(({ fields }) => fields['code'] === 'NOT_ADMITTED')).toBe(true)
    await sleep(600)
    expect(arePeers(a, b)).toBe(false)
    a.admits = () => true
    a.network.recheckAdmission()
    await until(() => arePeers(a, b), 'the peer to be back')
  })

  it('keeps a bootnode that its own stale list does not name, as long as the bootnode is ahead', async () => {
    const ahead = { number: 50, hash: `0x${'50'.repeat(32)}` } as const
    const a = await startNode({ seed: 1, head: ahead })
    const b = await startNode({ seed: 2 })
    b.admits = () => false
    b.network.addBootnode(bootnodeOf(a))
    await until(() => arePeers(a, b), 'the node that is behind to connect')
    b.head = ahead
    b.network.recheckAdmission()
    await until(() => b.network.peers().length === 0, 'the list to hold once the node has caught up')
  })

  it('does not dial a learnt peer that is not admitted', async () => {
    const hub = await startNode({ seed: 1 })
    const a = await startNode({ seed: 2, bootnodes: [bootnodeOf(hub)] })
    await until(() => arePeers(a, hub))
    const b = await startNode({ seed: 3 })
    b.admits = ({ address }) => address === hub.network.self.address
    b.network.addBootnode(bootnodeOf(hub))
    await until(() => arePeers(b, hub))
    await sleep(400)
    expect(b.network.metrics()['dials']).toBe(1)
    expect(arePeers(a, b)).toBe(false)
  })

  it('limits connections from one address', async () => {
    const a = await startNode({ seed: 1, limits: { connectionsPerHostMax: 2 } })
    const bootnodes = [bootnodeOf(a)]
    const others = await Promise.all([2, 3, 4, 5].map((seed) => startNode({ seed, bootnodes, follower: true })))
    await until(() => a.network.peers().length === 2)
    await sleep(500)
    expect(a.network.peers().length).toBe(2)
    expect(others.filter(({ network }) => network.peers().length > 0).length).toBe(2)
  })
})
