import { ContractFactory, JsonRpcProvider, NonceManager, Wallet, WebSocketProvider, id as topicOf, type ContractTransactionResponse } from 'ethers'
import { createPublicClient, createWalletClient, defineChain, http, keccak256, webSocket, type Address, type Hex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { recordAnchor } from '@songhua/contracts/generated/RecordAnchor'
import { hexToBytes } from '@songhua/sdk/protocol/bytes'
import { decodeAccount } from '@songhua/sdk/protocol/account'
import { keccak256 as keccak } from '@songhua/sdk/protocol/crypto'
import { verifyMptProof } from '@songhua/sdk/protocol/mpt-proof'
import { hashAt, heightOf, removeDir, rpc, startDevnet, tempDir, until, type Devnet } from '../support/devnet.js'

const GOVERNMENT = 1
const hash32 = (label: string): Hex => topicOf(label) as Hex

let dataDir: string
let devnet: Devnet

beforeAll(async () => {
  dataDir = await tempDir('clients')
  devnet = await startDevnet({ validators: 4, dataDir })
})

afterAll(async () => {
  await devnet?.stop()
  await removeDir(dataDir)
})

describe('ethers v6', () => {
  it('deploys a contract, calls it, reads its logs by filter and by subscription', async () => {
    const { nodes, accounts } = devnet.ready
    const provider = new JsonRpcProvider(nodes[0]!.rpc)
    const socket = new WebSocketProvider(nodes[1]!.rpc.replace('http', 'ws'))
    const signer = new NonceManager(new Wallet(accounts[0]!.privateKey, provider))
    const factory = new ContractFactory(recordAnchor.abi, recordAnchor.bytecode, signer)
    const deployed = await factory.deploy()
    await deployed.waitForDeployment()
    const address = await deployed.getAddress()
    expect(await provider.getCode(address)).not.toBe('0x')

    const filter = { address, topics: [[topicOf('RecordsAnchored(address,bytes32,bytes32,uint64,uint8)')]] }
    const pushed = new Promise<string>((seen) => void socket.on(filter, (log: { transactionHash: string }) => seen(log.transactionHash)))
    const filterId = await rpc<string>(nodes[0]!.rpc, 'eth_newFilter', [{ address, fromBlock: 'latest' }])

    const sent = (await deployed.getFunction('anchor')(hash32('batch'), hash32('root'), 3, GOVERNMENT)) as ContractTransactionResponse
    const receipt = await sent.wait()
    expect(receipt?.status).toBe(1)
    expect(receipt?.logs).toHaveLength(1)

    const [log] = await provider.getLogs({ address, fromBlock: 0, toBlock: 'latest' })
    expect(log?.transactionHash).toBe(sent.hash)
    expect(await pushed).toBe(sent.hash)
    const polled = await rpc<{ transactionHash: string }[]>(nodes[0]!.rpc, 'eth_getFilterChanges', [filterId])
    expect(polled.map(({ transactionHash }) => transactionHash)).toEqual([sent.hash])
    await expect(deployed.getFunction('anchor').staticCall(hash32('batch'), hash32('root'), 3, GOVERNMENT)).rejects.toMatchObject({
      code: 'CALL_EXCEPTION',
    })
    provider.destroy()
    await socket.destroy()
  })
})

describe('ethers v6 on a chain that makes blocks on demand', () => {
  // One wait that missed its block would last until the heartbeat, 30 s, and with it the test's time.
  it('waits for twenty sends one after another without ever missing its own block', async () => {
    const { nodes, accounts } = devnet.ready
    const provider = new JsonRpcProvider(nodes[0]!.rpc, undefined, { cacheTimeout: -1 })
    const wallet = new Wallet(accounts[2]!.privateKey, provider)
    for (let round = 0; round < 20; round += 1) {
      const receipt = await (await wallet.sendTransaction({ to: wallet.address })).wait()
      expect(receipt?.status).toBe(1)
    }
    provider.destroy()
  }, 25_000)
})

describe('viem', () => {
  it('deploys a contract, calls it, reads its logs by filter and by subscription', async () => {
    const { nodes, accounts, chainId } = devnet.ready
    const chain = defineChain({
      id: chainId,
      name: 'Songhua',
      nativeCurrency: { name: 'none', symbol: 'NONE', decimals: 18 },
      rpcUrls: { default: { http: [nodes[2]!.rpc] } },
    })
    const account = privateKeyToAccount(accounts[1]!.privateKey as Hex)
    const reader = createPublicClient({ chain, transport: http(nodes[2]!.rpc), pollingInterval: 50 })
    const live = createPublicClient({ chain, transport: webSocket(nodes[3]!.rpc.replace('http', 'ws')) })
    const wallet = createWalletClient({ account, chain, transport: http(nodes[2]!.rpc) })

    const deployment = await wallet.deployContract({ abi: recordAnchor.abi, bytecode: recordAnchor.bytecode })
    const { contractAddress } = await reader.waitForTransactionReceipt({ hash: deployment })
    const address = contractAddress as Address
    const pushed = new Promise<Hex | null>((seen) => {
      live.watchContractEvent({ address, abi: recordAnchor.abi, onLogs: ([log]) => seen(log!.transactionHash) })
    })
    // The subscription is made on another node than the one written to: it must stand there first.
    await until('the other node to know the contract', async () => (await live.getCode({ address })) !== undefined)

    const { request } = await reader.simulateContract({
      account, address, abi: recordAnchor.abi, functionName: 'anchor', args: [hash32('batch'), hash32('root'), 3n, GOVERNMENT],
    })
    const hash = await wallet.writeContract(request)
    const receipt = await reader.waitForTransactionReceipt({ hash })
    expect(receipt.status).toBe('success')
    const logs = await reader.getContractEvents({ address, abi: recordAnchor.abi, fromBlock: 0n })
    expect(logs.map((log) => log.transactionHash)).toEqual([hash])
    expect(await pushed).toBe(hash)
  })

  it('gets account and storage proofs that verify against the state root of the block header', async () => {
    const { nodes, accounts } = devnet.ready
    const reader = createPublicClient({ transport: http(nodes[0]!.rpc) })
    const address = accounts[1]!.address as Address
    const block = await reader.getBlock()
    const proof = await reader.getProof({ address, storageKeys: [hash32('unset')], blockNumber: block.number })
    const nodesOf = (list: readonly string[]): Uint8Array[] => list.map((node) => hexToBytes(node as Hex))
    const leaf = verifyMptProof({
      root: block.stateRoot, key: keccak(hexToBytes(address.toLowerCase())), proof: nodesOf(proof.accountProof),
    })
    const proven = decodeAccount(leaf!)
    expect(proven.nonce).toBe(BigInt(await reader.getTransactionCount({ address, blockNumber: block.number })))
    expect(proven.balance).toBe(proof.balance)
    expect(proven.storageRoot).toBe(proof.storageHash)
    expect(keccak256('0x')).toBe(proof.codeHash)
    const absent = keccak(hexToBytes(`0x${'11'.repeat(20)}`))
    const absence = await reader.getProof({ address: `0x${'11'.repeat(20)}`, storageKeys: [], blockNumber: block.number })
    expect(verifyMptProof({ root: block.stateRoot, key: absent, proof: nodesOf(absence.accountProof) })).toBeUndefined()
  })
})

describe('the four nodes', () => {
  it('give the same hash at every height', async () => {
    const urls = devnet.ready.nodes.map(({ rpc: url }) => url)
    const heights = await Promise.all(urls.map(heightOf))
    const top = Math.max(...heights)
    await until('every node at the top', async () => (await Promise.all(urls.map(heightOf))).every((height) => height >= top))
    for (let height = 0; height <= top; height += 1) {
      const hashes = new Set(await Promise.all(urls.map((url) => hashAt(url, height))))
      expect([height, hashes.size]).toEqual([height, 1])
    }
  })
})
