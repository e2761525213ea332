import { readFile, stat, writeFile } from 'node:fs/promises'
import { systemClock } from '@songhua/node/base/clock'
import { followKnownPeers, readKnownPeers } from '@songhua/node/app/known-peers'
import type { KnownPeer } from '@songhua/node/network/control'
import { afterEach, describe, expect, it } from 'vitest'
import { testFolder } from '../cli/support.js'
import { type TestNode, arePeers, bootnodeOf, connect, memoryLogger, startNode, stopAll, stopNode, until } from '../network/support.js'

const at = await testFolder()
afterEach(stopAll)

const [HERE, HUB, OTHER] = [81, 82, 83]

/** The file of this node, as its composition root keeps it. @returns stops node and file */
function keep(node: TestNode, path: string, remembered: readonly KnownPeer[]): () => Promise<void> {
  const { logger } = memoryLogger()
  const admission = { isAdmitted: (candidate: Parameters<TestNode['admits']>[0]) => node.admits(candidate) }
  const stop = followKnownPeers(path, remembered, { network: node.network, admission, clock: systemClock, logger })
  return async () => {
    await stopNode(node)
    await stop()
  }
}
const idsIn = async (path: string): Promise<string[]> => (await readKnownPeers(path, memoryLogger().logger)).map(({ id }) => id)

describe('the file of known peers', () => {
  it('brings a node back whose only bootnode is gone, to a peer that it had learnt of', async () => {
    const path = at('learnt.json')
    const [hub, other] = [await startNode({ seed: HUB }), await startNode({ seed: OTHER })]
    await connect(hub, other)
    const first = await startNode({ seed: HERE, bootnodes: [bootnodeOf(hub)] })
    const stopFirst = keep(first, path, await readKnownPeers(path, memoryLogger().logger))
    await until(() => arePeers(first, other), 'the learnt peer')
    await stopFirst()
    await stopNode(hub)
    const remembered = await readKnownPeers(path, memoryLogger().logger)
    const second = await startNode({ seed: HERE, bootnodes: [`/ip4/127.0.0.1/tcp/1/p2p/${hub.network.self.id}`], remembered })
    await until(() => arePeers(second, other), 'the remembered peer')
    // Whoever is away is not forgotten.
    await keep(second, path, remembered)()
    expect((await idsIn(path)).sort()).toEqual([hub.network.self.id, other.network.self.id].sort())
  })

  it('is written soon after a peer came, and holds nobody whom the list names no more', async () => {
    const path = at('listed.json')
    const [hub, other] = [await startNode({ seed: HUB }), await startNode({ seed: OTHER })]
    const node = await startNode({ seed: HERE, bootnodes: [bootnodeOf(hub), bootnodeOf(other)] })
    const stop = keep(node, path, [])
    await until(() => arePeers(node, hub) && arePeers(node, other), 'both peers')
    const deadline = Date.now() + 10_000
    while ((await idsIn(path)).length < 2 && Date.now() < deadline) await new Promise((again) => setTimeout(again, 50))
    expect((await idsIn(path)).sort()).toEqual([hub.network.self.id, other.network.self.id].sort())
    expect((await stat(path)).mode & 0o077).toBe(0)
    node.admits = ({ id }) => id !== other.network.self.id
    await stop()
    expect(await idsIn(path)).toEqual([hub.network.self.id])
  })

  it('stays as it is while the list of nodes cannot be read, and so names nobody', async () => {
    const path = at('unread.json')
    const hub = await startNode({ seed: HUB })
    const remembered = [{ id: hub.network.self.id, addresses: hub.network.addresses() }]
    const text = JSON.stringify({ version: 1, peers: remembered })
    await writeFile(path, text)
    const node = await startNode({ seed: HERE, bootnodes: [bootnodeOf(hub)] })
    const stop = keep(node, path, remembered)
    await until(() => arePeers(node, hub), 'the peer')
    node.admits = () => false
    await stop()
    expect(await readFile(path, 'utf8')).toBe(text)
  })

  it('dials nobody from the file whom the list does not name', async () => {
    const other = await startNode({ seed: OTHER })
    const node = await startNode({ seed: HERE, bootnodes: [] })
    node.admits = () => false
    await stopNode(node)
    const remembered = [{ id: other.network.self.id, addresses: other.network.addresses() }]
    const back = await startNode({ seed: HERE, remembered, limits: { redialMinMs: 10 } })
    back.admits = () => false
    back.network.recheckAdmission()
    await new Promise((later) => setTimeout(later, 500))
    expect(back.network.peers()).toEqual([])
  })

  it('is no hindrance when it is damaged: that is a line in the log', async () => {
    expect(await readKnownPeers(at('absent.json'), memoryLogger().logger)).toEqual([])
    const id = (await startNode({ seed: OTHER })).network.self.id
    for (const text of [
      '', '{"version":1,', '[]', '{"version":2,"peers":[]}', '{"version":1,"peers":{}}', '{"version":1,"peers":[{"id":"x","addresses":[]}]}',
      JSON.stringify({ version: 1, peers: [{ id, addresses: [7] }] }), JSON.stringify({ version: 1, peers: [{ id, addresses: ['a'.repeat(300)] }] }),
      JSON.stringify({ version: 1, peers: Array.from({ length: 600 }, () => ({ id, addresses: [] })) }),
    ]) {
      await writeFile(at('damaged.json'), text)
      const { logger, lines } = memoryLogger()
      expect(await readKnownPeers(at('damaged.json'), logger)).toEqual([])
      expect(lines).toMatchObject([{ level: 'warn', fields: { path: at('damaged.json') } }])
    }
    // Addresses that are none, or of somebody else, are not dialled.
    const remembered = [{ id, addresses: ['nonsense', '/ip4/127.0.0.1/tcp/1'] }]
    const node = await startNode({ seed: HERE, remembered })
    expect(node.network.metrics()['dials'] ?? 0).toBe(0)
    expect(await readFile(at('damaged.json'), 'utf8')).not.toBe('')
  })
})
