import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { signNodeApplication } from '@songhua/sdk/governance'
import { hexToBytes } from '@songhua/sdk/protocol/bytes'
import { publicKeyToAddress } from '@songhua/sdk/protocol/crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anchorTransaction } from '../bench/workload.js'
import { type TestCouncil, openCouncil } from '../support/govern.js'
import {
  freeBasePort, hashAt, heightOf, removeDir, rpc, sleep, startDevnet, startSonghua, tempDir, until, type Devnet, type Running,
} from '../support/devnet.js'

const PASSWORD = 'correct horse battery staple'
const REFUSAL_WATCH_MS = 3_000
/** More than the blocks that a motion takes to be proposed, voted and executed, and its notice. */
const NOTICE_BLOCKS = 12
/** From the block that says so; the poll and the receipt are in it. */
const CUT_WITHIN_MS = 5_000

let dataDir: string
let devnet: Devnet
let follower: Running | undefined
let followerUrl: string
let publicKey: `0x${string}`
let nodeAddress: string
let council: TestCouncil

/** What a command printed on standard output. */
async function run(args: string[]): Promise<string> {
  const running = startSonghua(args)
  const code = await new Promise<number | null>((done) => running.process.once('close', done))
  expect([code, running.output()]).toEqual([0, expect.anything()])
  return running.stdout()
}

/** The node applies, its three bodies confirm, the council admits it. */
async function admit(): Promise<void> {
  const keyFile = join(dataDir, 'follower.hex')
  await run(['keys', 'export', join(dataDir, 'follower', 'node-key.json'), '--key-password-file', join(dataDir, 'password'), '--out', keyFile])
  const nodeKey = hexToBytes((await readFile(keyFile, 'utf8')).trim())
  const [seat] = council.seats
  const [government, , telecom, operator] = await seat!.seats()
  const application = { publicKey, kind: 'backbone', city: '231000', government: government!, telecom: telecom!, operator: operator! } as const
  const applicant = devnet.ready.accounts[0]!.address
  await seat!.applyNode(application, signNodeApplication(application, { nodeKey, applicant, chainId: devnet.ready.chainId }))
  for (const body of [0, 2, 3]) await council.seats[body]!.confirmBody(nodeAddress)
  await council.pass('admitNode', { node: nodeAddress })
}

beforeAll(async () => {
  dataDir = await tempDir('membership')
  devnet = await startDevnet({ validators: 4, dataDir: join(dataDir, 'net') })
  council = await openCouncil(devnet.ready.nodes[0]!.rpc, devnet.ready.accounts.slice(0, 4).map(({ privateKey }) => privateKey))
})

afterAll(async () => {
  await follower?.stop()
  await devnet?.stop()
  await removeDir(dataDir)
})

describe('a node that the membership contract does not list', () => {
  it('is refused, and the node that refuses says so', async () => {
    const [first] = devnet.ready.nodes
    const port = await freeBasePort(1)
    followerUrl = `http://127.0.0.1:${port}`
    await writeFile(join(dataDir, 'password'), `${PASSWORD}\n`)
    const folder = join(dataDir, 'follower')
    const flags = {
      '--data': folder,
      '--genesis': join(dataDir, 'net', 'genesis.json'),
      '--key-password-file': join(dataDir, 'password'),
      '--bootnodes': first!.p2p,
      '--rpc-port': String(port),
      '--admin-port': String(port + 1),
      '--p2p-listen': `127.0.0.1:${port + 2}`,
    }
    const made = await run(['init', ...Object.entries(flags).flat(), '--follow', '--json'])
    publicKey = (JSON.parse(made) as { publicKey: `0x${string}` }).publicKey
    nodeAddress = publicKeyToAddress(hexToBytes(publicKey))
    follower = startSonghua(['start', '--data', folder, '--key-password-file', join(dataDir, 'password'), '--follow'])
    await until('the follower to answer', async () => (await heightOf(followerUrl)) === 0)
    await sleep(REFUSAL_WATCH_MS)
    expect(await heightOf(followerUrl)).toBe(0)
    expect(await rpc<string>(followerUrl, 'net_peerCount')).toBe('0x0')
    expect(await readFile(join(dataDir, 'net', 'harbin', 'node.log'), 'utf8')).toMatch(/not.admitted/i)
  })

  it('catches up and follows once the contract lists it, without a file edited on any other node', async () => {
    const [first] = devnet.ready.nodes
    await admit()
    const top = await heightOf(first!.rpc)
    await until('the follower at the head', async () => (await heightOf(followerUrl)) >= top, 60_000)
    for (let height = 0; height <= top; height += 1) expect(await hashAt(followerUrl, height)).toBe(await hashAt(first!.rpc, height))
  }, 120_000)

  it('passes on what its own clients send', async () => {
    const { hash, raw } = anchorTransaction(devnet.ready.accounts[5]!, devnet.ready.chainId, 0)
    expect(await rpc(followerUrl, 'eth_sendRawTransaction', [raw])).toBe(hash)
    await until('the receipt at the follower', async () => (await rpc(followerUrl, 'eth_getTransactionReceipt', [hash])) !== null)
  }, 60_000)

  it('is cut at once when the contract lists it no more', async () => {
    await council.pass('suspendNode', { node: nodeAddress })
    const saidMs = Date.now()
    await until('the follower without peers', async () => (await rpc<string>(followerUrl, 'net_peerCount')) === '0x0')
    expect(Date.now() - saidMs).toBeLessThan(CUT_WITHIN_MS)
  }, 60_000)

  it('returns once it is reinstated', async () => {
    await council.pass('reinstateNode', { node: nodeAddress })
    const top = await heightOf(devnet.ready.nodes[0]!.rpc)
    await until('the follower at the head', async () => (await heightOf(followerUrl)) >= top, 60_000)
  }, 120_000)
})

describe('the validator set', () => {
  it('shrinks and grows by the contract: the header of the change lists the set that seals the next block', async () => {
    const validators = devnet.ready.nodes.map(({ address }) => address).sort()
    const url = devnet.ready.nodes[0]!.rpc
    const at = (height: number): Promise<string[]> => rpc(url, 'qbft_getValidatorsByBlockNumber', [`0x${height.toString(16)}`])
    const advanceTo = async (height: number): Promise<void> => {
      // Without work the next block would be the heartbeat, half a minute away.
      while ((await heightOf(url)) < height) {
        const before = await heightOf(url)
        await rpc(url, 'eth_sendRawTransaction', [anchorTransaction(devnet.ready.accounts[5]!, devnet.ready.chainId, nonce++).raw])
        await until('a block', async () => (await heightOf(url)) > before)
      }
    }
    let nonce = 1
    const { validatorNotice, protocolNotice, motionLifetime } = await council.seats[0]!.policy()
    await council.pass('setParameters', { minValidators: 3, validatorNotice, protocolNotice, motionLifetime })
    expect(validators).toHaveLength(4)
    const [leaving, ...three] = validators as [string, ...string[]]
    for (const [set, motion] of [[three, { removed: [leaving] }], [validators, { added: [leaving] }]] as const) {
      const height = (await heightOf(url)) + NOTICE_BLOCKS
      await council.pass('changeValidators', { ...motion, height })
      await advanceTo(height)
      expect(await at(height)).toEqual(set)
      expect(await at(height - 1)).not.toEqual(set)
    }
  }, 240_000)
})

describe('a second start', () => {
  it('resumes the same chain', async () => {
    const url = devnet.ready.nodes[0]!.rpc
    const height = await heightOf(url)
    const hash = await hashAt(url, height)
    expect(await devnet.stop()).toBe(0)
    devnet = await startDevnet({ validators: 4, dataDir: devnet.dataDir, basePort: devnet.basePort })
    expect(await hashAt(url, height)).toBe(hash)
  }, 120_000)
})
