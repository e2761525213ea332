import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DEV_KEY_FILE } from '@songhua/node/cli/devnet-plan'
import { runCommand } from '../cli/in-process.js'
import { type Finished, songhua } from '../cli/support.js'
import { type Cluster, type ClusterNode, createCluster } from '../support/cluster.js'
import { hashAt, heightOf, removeDir, rpc, tempDir, until } from '../support/devnet.js'
import { type Reaper, startReaper } from '../support/reaper.js'
import { type Writer, startWriter } from '../support/writer.js'

// A validator's key is exchanged by the commands that the rotation itself tells its operator, on a chain of four that works.

const PASSWORD = 'correct horse battery staple'
/** Of a devnet: operates all its nodes. */
const OPERATOR = 3
const ROTATED = 2

let root: string
let reaper: Reaper
let cluster: Cluster
let writer: Writer
let next: { address: string; peerId: string; previous: string; blockNumber: number }
const at = (name: string): string => join(root, name)
const node = (index: number): ClusterNode => cluster.nodes[index]!
const keyFile = (): string => join(node(ROTATED).dir, 'node-key.json')

async function done(command: Promise<Finished>): Promise<string> {
  const { code, stdout, stderr } = await command
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('songhua: error')])
  return stdout
}
const doctor = async (folder: string): Promise<{ severity: string; code: string; values: Record<string, unknown>; todo: string }[]> => {
  const { stdout } = await runCommand(['doctor', '--data', folder, '--json'])
  return (JSON.parse(stdout) as { findings: Awaited<ReturnType<typeof doctor>> }).findings
}

beforeAll(async () => {
  root = await tempDir('rotation')
  reaper = startReaper()
  // As an operator has it, not a devnet: an encrypted key, with its password in a file.
  const configure = (one: { name: string }, all: readonly { name: string }[]): Record<string, string> =>
    one === all[ROTATED] ? { 'nodeKey.devFile': '', 'nodeKey.passwordFile': at('password') } : {}
  cluster = await createCluster({ dir: at('net'), validators: 4, followers: 0, gateways: 0 }, reaper, configure)
  await writeFile(at('password'), `${PASSWORD}\n`)
  await done(songhua(['keys', 'import', '--from', join(node(ROTATED).dir, DEV_KEY_FILE), '--out', keyFile(), '--key-password-file', at('password')]))
  await Promise.all(cluster.nodes.map((one) => cluster.start(one)))
  await writeFile(at('operator'), cluster.accounts[OPERATOR]!.privateKey)
  writer = startWriter(cluster.accounts[5]!, cluster.chainId, () => [node(0).rpc], () => 200)
  await until('the first blocks', async () => (await heightOf(node(0).rpc)) > 2, 60_000)
}, 180_000)

afterAll(async () => {
  await writer?.stop()
  await cluster?.stop()
  await reaper?.close()
  await removeDir(root)
})

describe('a validator whose key its operator exchanges', () => {
  it('is missed until the new key is in its place, and votes with it after', async () => {
    const told = await done(songhua(['node', 'rotate', node(ROTATED).identity.address, '--new-key-file', at('new-key.json'), '--new-key-password-file', at('password'),
      '--rpc', node(0).rpc, '--dev-key-file', at('operator'), '--json']))
    next = JSON.parse(told) as typeof next
    // As it tells: stop, move the old key away, put the new one there, start; consensus.log stays.
    await cluster.lifeOf(node(ROTATED))!.stop()
    await rename(keyFile(), at('old-key.json'))
    await writeFile(keyFile(), await readFile(at('new-key.json')))
    await cluster.start(node(ROTATED))
    const voted = async (): Promise<boolean> => {
      const { consensus } = await rpc<{ consensus: { isVoter: boolean; isSilent: boolean } }>(node(ROTATED).admin, 'admin_nodeInfo')
      return consensus.isVoter && !consensus.isSilent
    }
    await until('the node to vote', voted, 60_000)
    const proposedBy = async (): Promise<boolean> => {
      const head = await heightOf(node(0).rpc)
      const metrics = await rpc<{ address: string; proposedBlockCount: string }[]>(node(0).rpc, 'qbft_getSignerMetrics', [`0x${Math.max(1, head - 20).toString(16)}`, 'latest'])
      return metrics.some((one) => one.address.toLowerCase() === next.address && Number(one.proposedBlockCount) > 0)
    }
    await until('a block that the new key proposed', proposedBy, 120_000)
    const validators = await rpc<string[]>(node(0).rpc, 'qbft_getValidatorsByBlockNumber', ['latest'])
    expect(validators).toContain(next.address)
    expect(validators).not.toContain(next.previous)
  }, 300_000)

  it('is needed for a quorum, and bears it', async () => {
    await cluster.lifeOf(node(3))!.stop()
    const from = await heightOf(node(0).rpc)
    await until('blocks by the three', async () => (await heightOf(node(0).rpc)) > from + 5, 120_000)
    await cluster.start(node(3))
    await until('the fourth at the head', async () => (await heightOf(node(3).rpc)) > from + 5, 60_000)
    expect(await hashAt(node(ROTATED).rpc, from + 5)).toBe(await hashAt(node(0).rpc, from + 5))
  }, 300_000)

  it('is found by a node that has its old key among its bootnodes, which doctor says with the address to write', async () => {
    // Started anew it dials its bootnodes, of which one has another key.
    await cluster.lifeOf(node(1))!.stop()
    const remembered = JSON.parse(await readFile(join(node(1).dir, 'known-peers.json'), 'utf8')) as { peers: { id: string }[] }
    expect(remembered.peers.map(({ id }) => id)).toContain(next.peerId)
    expect(remembered.peers.map(({ id }) => id)).not.toContain(node(ROTATED).identity.peerId)
    await writeFile(join(node(1).dir, 'known-peers.json'), '{"version":1,"pee')
    await cluster.start(node(1))
    const found = await until('the finding', async () => (await doctor(node(1).dir)).find(({ code }) => code === 'BOOTNODE_ROTATED'), 60_000)
    expect(found).toMatchObject({ severity: 'warning', values: { bootnode: node(ROTATED).identity.peerId, peer: next.peerId } })
    expect(found.todo).toContain(`/ip4/127.0.0.1/tcp/${node(ROTATED).ports.p2p}/p2p/${next.peerId}`)
    expect(await readFile(join(node(1).dir, 'node.log'), 'utf8')).toContain('the file of known peers cannot be read')
  }, 180_000)
})
