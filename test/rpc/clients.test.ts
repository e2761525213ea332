import { type Contract, ContractFactory, id, JsonRpcProvider, Wallet, WebSocketProvider } from 'ethers'
import { createPublicClient, createWalletClient, defineChain, http, webSocket, type Abi, type Hex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  CHAIN_ID,
  compileProbe,
  createFixtureChain,
  ETHER,
  OTHER,
  OTHER_KEY,
  SENDER,
  SENDER_KEY,
  toHex,
  type FixtureChain,
} from './fixture-chain.js'

const { abi, bytecode } = compileProbe()
/** ethers keeps answers for 250 ms by default, longer than a block takes here: nonces would be stale. */
const UNCACHED = { cacheTimeout: -1 }

let chain: FixtureChain
let url: string
let wsUrl: string
let stopMining: () => void

/** Seals a block as soon as the pool holds something. */
function mineOnDemand(): () => void {
  let mining = Promise.resolve()
  return chain.ports.pool.onAdded(() => {
    mining = mining.then(() => chain.mine())
  })
}

beforeAll(async () => {
  chain = await createFixtureChain()
  ;({ url, wsUrl } = await chain.serve())
  stopMining = mineOnDemand()
}, 60_000)
afterAll(async () => {
  stopMining()
  await chain.stop()
})

describe('ethers', () => {
  it('reads blocks, transactions and receipts, sends, deploys, calls and reads logs', async () => {
    const provider = new JsonRpcProvider(url, undefined, UNCACHED)
    try {
      provider.pollingInterval = 50
      expect((await provider.getNetwork()).chainId).toBe(BigInt(CHAIN_ID))
      expect(await provider.getBalance(SENDER)).toBe(1000n * ETHER)
      expect((await provider.getFeeData()).gasPrice).toBe(0n)
      const wallet = new Wallet(toHex(SENDER_KEY), provider)
      const receipt = await (await wallet.sendTransaction({ to: OTHER, value: 5n })).wait()
      // ethers takes a base fee of zero for none, and falls back to legacy transactions.
      expect(receipt).toMatchObject({ status: 1, gasUsed: 21_000n, type: 0 })
      const block = await provider.getBlock(receipt!.blockNumber, true)
      expect(block?.prefetchedTransactions[0]?.hash).toBe(receipt!.hash)
      expect(block).toMatchObject({
        baseFeePerGas: 0n,
        difficulty: 1n,
        parentBeaconBlockRoot: expect.stringMatching(/^0x/) as string,
      })
      const probe = (await (await new ContractFactory(abi, bytecode, wallet).deploy()).waitForDeployment()) as Contract
      await ((await probe.getFunction('store')(7n, 70n)) as { wait(): Promise<unknown> }).wait()
      expect(await probe.getFunction('value')()).toBe(70n)
      const found = await probe.queryFilter(probe.filters.Stored!(SENDER), 0)
      expect(found.map((log) => 'args' in log && (log.args.value as bigint))).toEqual([70n])
      await expect(probe.getFunction('fail')()).rejects.toMatchObject({
        code: 'CALL_EXCEPTION',
        reason: 'no such record',
      })
      await expect(probe.getFunction('failCustom')()).rejects.toMatchObject({ revert: { name: 'Refused' } })
      await expect(wallet.sendTransaction({ to: OTHER, nonce: 0 })).rejects.toMatchObject({ code: 'NONCE_EXPIRED' })
      await expect(wallet.sendTransaction({ to: OTHER, value: 9999n * ETHER, gasLimit: 21_000 })).rejects.toMatchObject(
        { code: 'INSUFFICIENT_FUNDS' },
      )
    } finally {
      provider.destroy()
    }
  })

  it('subscribes over WebSocket', async () => {
    const provider = new WebSocketProvider(wsUrl, undefined, UNCACHED)
    try {
      const block = new Promise<number>((resolve) => void provider.once('block', resolve))
      const wallet = new Wallet(toHex(SENDER_KEY), provider)
      const probe = (await (await new ContractFactory(abi, bytecode, wallet).deploy()).waitForDeployment()) as Contract
      const heard = new Promise<string>((resolve) => {
        void provider.on(
          { address: probe.target as string, topics: [id('Stored(address,uint256,uint256)')] },
          (log: { transactionHash: string }) => resolve(log.transactionHash),
        )
      })
      await provider.getBlockNumber()
      const sent = (await probe.getFunction('store')(1n, 2n)) as { hash: string }
      expect(await heard).toBe(sent.hash)
      expect(await block).toBeGreaterThan(0)
    } finally {
      await provider.destroy()
    }
  })
})

describe('viem', () => {
  const definition = defineChain({
    id: CHAIN_ID,
    name: 'songhua',
    nativeCurrency: { name: 'S', symbol: 'S', decimals: 18 },
    rpcUrls: { default: { http: [] } },
  })
  const account = privateKeyToAccount(toHex(OTHER_KEY))
  const typedAbi = abi as unknown as Abi

  it('reads, deploys, calls, proves and reads logs, in batches too', async () => {
    const client = createPublicClient({ chain: definition, transport: http(url, { batch: true }), pollingInterval: 50 })
    const wallet = createWalletClient({ account, chain: definition, transport: http(url) })
    const [chainId, block, balance, fees] = await Promise.all([
      client.getChainId(),
      client.getBlock({ includeTransactions: true }),
      client.getBalance({ address: OTHER }),
      client.getFeeHistory({ blockCount: 2, rewardPercentiles: [50] }),
    ])
    expect(chainId).toBe(CHAIN_ID)
    expect(block.number).toBeGreaterThanOrEqual(0n)
    expect(balance).toBeGreaterThan(0n)
    expect(fees.baseFeePerGas.every((fee) => fee === 0n)).toBe(true)
    const deployed = await client.waitForTransactionReceipt({
      hash: await wallet.deployContract({ abi: typedAbi, bytecode }),
    })
    const address = deployed.contractAddress!
    const contract = { address, abi: typedAbi }
    const stored = await client.waitForTransactionReceipt({
      hash: await wallet.writeContract({ ...contract, functionName: 'store', args: [3n, 33n] }),
    })
    expect(stored.status).toBe('success')
    expect(await client.readContract({ ...contract, functionName: 'value' })).toBe(33n)
    expect(
      await client.readContract({
        ...contract,
        functionName: 'value',
        stateOverride: [{ address, stateDiff: [{ slot: `0x${'00'.repeat(32)}`, value: `0x${'00'.repeat(31)}05` }] }],
      }),
    ).toBe(5n)
    expect(await client.getContractEvents({ ...contract, fromBlock: 0n })).toHaveLength(1)
    await expect(client.readContract({ ...contract, functionName: 'fail' })).rejects.toThrow('no such record')
    await expect(client.readContract({ ...contract, functionName: 'failCustom' })).rejects.toThrow('Refused')
    const proof = await client.getProof({ address, storageKeys: [`0x${'00'.repeat(32)}`] })
    expect(proof.storageProof[0]?.value).toBe(33n)
    const filter = await client.createEventFilter({ address })
    await client.waitForTransactionReceipt({
      hash: await wallet.writeContract({ ...contract, functionName: 'store', args: [4n, 44n] }),
    })
    expect(await client.getFilterChanges({ filter })).toHaveLength(1)
    expect(await client.uninstallFilter({ filter })).toBe(true)
  })

  it('waits for the receipt with sendRawTransactionSync, and watches over WebSocket', async () => {
    const transport = webSocket(wsUrl)
    const client = createPublicClient({ chain: definition, transport })
    const wallet = createWalletClient({ account, chain: definition, transport })
    const heads: bigint[] = []
    const unwatch = client.watchBlockNumber({ onBlockNumber: (number) => heads.push(number) })
    try {
      await client.getBlockNumber()
      const request = await wallet.prepareTransactionRequest({ to: SENDER, value: 1n, type: 'eip1559' })
      const serializedTransaction = (await wallet.signTransaction(request)) as Hex
      const receipt = await wallet.sendRawTransactionSync({ serializedTransaction, timeout: 10_000 })
      expect(receipt).toMatchObject({ status: 'success', gasUsed: 21_000n })
      while (!heads.includes(receipt.blockNumber)) await new Promise((resolve) => setTimeout(resolve, 10))
    } finally {
      unwatch()
      ;(await (client.transport as { getRpcClient(): Promise<{ close(): void }> }).getRpcClient()).close()
    }
  })
})
