import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Contract, JsonRpcProvider, NonceManager, Wallet, type ContractTransactionResponse } from 'ethers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MEMBERSHIP_ADDRESS } from '@songhua/contracts/addresses'
import { membership } from '@songhua/contracts/generated/Membership'
import { anchorTransaction } from '../bench/workload.js'
import {
  freeBasePort, hashAt, heightOf, removeDir, rpc, sleep, startDevnet, startSonghua, tempDir, until, type Devnet, type Running,
} from '../support/devnet.js'

const PASSWORD = 'correct horse battery staple'
const REFUSAL_WATCH_MS = 3_000
/** From the block that says so; the poll and the receipt are in it. */
const CUT_WITHIN_MS = 5_000

let dataDir: string
let devnet: Devnet
let follower: Running | undefined
let followerUrl: string
let publicKey: string
let contract: Contract
let provider: JsonRpcProvider

/** What a command printed on standard output. */
async function run(args: string[]): Promise<string> {
  const running = startSonghua(args)
  const code = await new Promise<number | null>((done) => running.process.once('close', done))
  expect([code, running.output()]).toEqual([0, expect.anything()])
  return running.stdout()
}

/** `wait` of ethers looks again when it hears of a new block; where this one is the last, that is the heartbeat. */
async function send(method: string, ...args: unknown[]): Promise<void> {
  const { hash } = (await contract.getFunction(method)(...args)) as ContractTransactionResponse
  const url = devnet.ready.nodes[0]!.rpc
  const found = (): Promise<{ status: string } | null> => rpc(url, 'eth_getTransactionReceipt', [hash])
  const receipt = await until('the receipt', async () => (await found()) ?? undefined)
  expect(receipt.status).toBe('0x1')
}

beforeAll(async () => {
  dataDir = await tempDir('membership')
  devnet = await startDevnet({ validators: 4, dataDir: join(dataDir, 'net') })
  provider = new JsonRpcProvider(devnet.ready.nodes[0]!.rpc)
  const administrator = new NonceManager(new Wallet(devnet.ready.accounts[0]!.privateKey, provider))
  contract = new Contract(MEMBERSHIP_ADDRESS, membership.abi, administrator)
})

afterAll(async () => {
  provider?.destroy()
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
    publicKey = (JSON.parse(made) as { publicKey: string }).publicKey
    follower = startSonghua(['start', '--data', folder, '--key-password-file', join(dataDir, 'password'), '--follow'])
    await until('the follower to answer', async () => (await heightOf(followerUrl)) === 0)
    await sleep(REFUSAL_WATCH_MS)
    expect(await heightOf(followerUrl)).toBe(0)
    expect(await rpc<string>(followerUrl, 'net_peerCount')).toBe('0x0')
    expect(await readFile(join(dataDir, 'net', 'harbin', 'node.log'), 'utf8')).toMatch(/not.admitted/i)
  })

  it('catches up and follows once the contract lists it, without a file edited on any other node', async () => {
    const [first] = devnet.ready.nodes
    await send('admitNode', publicKey)
    const top = await heightOf(first!.rpc)
    await until('the follower at the head', async () => (await heightOf(followerUrl)) >= top, 60_000)
    for (let height = 0; height <= top; height += 1) expect(await hashAt(followerUrl, height)).toBe(await hashAt(first!.rpc, height))
  }, 120_000)

  it('passes on what its own clients send', async () => {
    const { hash, raw } = anchorTransaction(devnet.ready.accounts[1]!, devnet.ready.chainId, 0)
    expect(await rpc(followerUrl, 'eth_sendRawTransaction', [raw])).toBe(hash)
    await until('the receipt at the follower', async () => (await rpc(followerUrl, 'eth_getTransactionReceipt', [hash])) !== null)
  }, 60_000)

  it('is cut at once when the contract lists it no more', async () => {
    await send('removeNode', publicKey)
    const saidMs = Date.now()
    await until('the follower without peers', async () => (await rpc<string>(followerUrl, 'net_peerCount')) === '0x0')
    expect(Date.now() - saidMs).toBeLessThan(CUT_WITHIN_MS)
  }, 60_000)
})

describe('the validator set', () => {
  it('shrinks and grows by the contract: the header of the change lists the set that seals the next block', async () => {
    const validators = devnet.ready.nodes.map(({ address }) => address).sort()
    const url = devnet.ready.nodes[0]!.rpc
    const at = (height: number): Promise<string[]> => rpc(url, 'qbft_getValidatorsByBlockNumber', [`0x${height.toString(16)}`])
    // Without work the next block would be the heartbeat, half a minute away.
    const anchor = (nonce: number): Promise<string> =>
      rpc(url, 'eth_sendRawTransaction', [anchorTransaction(devnet.ready.accounts[1]!, devnet.ready.chainId, nonce).raw])
    const three = validators.slice(1)
    await send('setValidators', three)
    const changed = await heightOf(url)
    await anchor(1)
    await until('a block of the new set', async () => (await heightOf(url)) > changed)
    expect(await at(changed + 1)).toEqual(three)
    expect(await at(changed)).toEqual(validators)
    await send('setValidators', validators)
    const back = await heightOf(url)
    await anchor(2)
    await until('the next block', async () => (await heightOf(url)) > back)
    expect(await at(back + 1)).toEqual(validators)
  }, 120_000)
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
