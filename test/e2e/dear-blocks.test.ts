import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bytesToHex, concatBytes, hexToBytes, type Address, type Hex } from '@songhua/sdk/protocol/bytes'
import { decodeExtraData } from '@songhua/sdk/protocol/extra-data'
import { signTransaction } from '@songhua/sdk/protocol/transaction'
import { heightOf, removeDir, rpc, sleep, startDevnet, tempDir, until, type Devnet, type DevnetNode } from '../support/devnet.js'
import { expectFinal, percentile, startSteady } from '../support/steady.js'

const FLOOD_MS = 20_000
/** Three fill a block of 6.5 M. */
const DEAR_GAS = 2_100_000n
const PAUSE_MS = 2_000
/** Rounds of one height that a loaded machine may need: the timer grows with each, so it settles. */
const ROUND_MAX = 4

/**
 * The three dearest kinds that test/bench/dear-block.ts finds, as loops: calls that fail at once, modular
 * exponentiation of 16 bytes by an exponent of 32, multiplication on bn256. Each stops with 50,000 gas left.
 */
const LOOP_END = '61c3505a115f57'
/** JUMPDEST at 0; then the body, and back while `gas > 50000`. */
const loop = (body: string): string => `5b${body}${LOOP_END}00`
/** STATICCALL(gas, address, 0, inBytes, 0, 0). */
const staticCall = (address: string, inBytes: string): string => `5f5f${inBytes}5f${address}5afa50`
const WORD_OF_ONES = `7f${'ff'.repeat(32)}`
const kinds: Record<string, string> = {
  'calls without gas': loop('5f5f5f5f305afa50'.replace('5afa', '5ffa')),
  // Lengths 16, 32, 16 at 0, 32, 64; base, exponent and modulus from 96 on.
  'modexp of 16 bytes': loop(`60105f52602060205260106040527f${'5a'.repeat(16)}${'ff'.repeat(16)}6060527f${'ff'.repeat(16)}${'f1'.repeat(16)}608052${staticCall('6005', '60a0')}`),
  // The generator (1, 2), times 2^256 - 1.
  'bn256 multiplication': loop(`60015f526002602052${WORD_OF_ONES}604052${staticCall('6007', '6060')}`),
}

let dataDir: string
let devnet: Devnet

beforeAll(async () => {
  dataDir = await tempDir('dear')
  devnet = await startDevnet({ validators: 4, dataDir })
})

afterAll(async () => {
  await devnet?.stop()
  await removeDir(dataDir)
})

interface Sending { privateKey: string; nonce: number; to: Address | undefined; data: Uint8Array }

function signed({ privateKey, nonce, to, data }: Sending): { hash: Hex; raw: Hex } {
  const fees = { maxFeePerGas: 0n, maxPriorityFeePerGas: 0n }
  const fields = { type: 2 as const, chainId: BigInt(devnet.ready.chainId), nonce: BigInt(nonce), gasLimit: DEAR_GAS, to, data, ...fees }
  const { hash, raw } = signTransaction(fields, hexToBytes(privateKey))
  return { hash, raw: bytesToHex(raw) }
}

const send = (url: string, { raw }: { raw: Hex }): Promise<Hex> => rpc(url, 'eth_sendRawTransaction', [raw])

/** CODECOPY and RETURN of what follows. */
const initCode = (runtime: string): Uint8Array => {
  const code = hexToBytes(`0x${runtime}`)
  return concatBytes(hexToBytes(`0x61${code.length.toString(16).padStart(4, '0')}80600a5f395ff3`), code)
}

interface Receipt { contractAddress: Address; gasUsed: Hex; blockNumber: Hex; status: Hex }

const receiptOf = (url: string, hash: Hex): Promise<Receipt> =>
  until(`the receipt of ${hash}`, async () => (await rpc<Receipt | null>(url, 'eth_getTransactionReceipt', [hash])) ?? undefined, 120_000)

async function metric({ admin }: DevnetNode, name: string): Promise<number> {
  const text = await (await fetch(`${admin}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)![1])
}

async function roundsOf(url: string, from: number, to: number): Promise<number[]> {
  const rounds: number[] = []
  for (let height = from; height <= to; height++) {
    const { extraData } = await rpc<{ extraData: Hex }>(url, 'eth_getBlockByNumber', [`0x${height.toString(16)}`, false])
    rounds.push(decodeExtraData(hexToBytes(extraData)).round)
  }
  return rounds
}

describe('blocks filled with the dearest work', () => {
  it('flood four validators: ordinary transactions become final in between, and rounds do not run away', async () => {
    const [first, second, third] = devnet.ready.nodes as [DevnetNode, DevnetNode, DevnetNode, DevnetNode]
    const { accounts, chainId } = devnet.ready
    const senders = Object.entries(kinds).map(([name, code], at) => ({ name, code, privateKey: accounts[at + 1]!.privateKey }))
    const deployed = await Promise.all(senders.map(async ({ privateKey, code, name }) => {
      const transaction = signed({ privateKey, nonce: 0, to: undefined, data: initCode(code) })
      await send(first.rpc, transaction)
      return { name, privateKey, to: (await receiptOf(first.rpc, transaction.hash)).contractAddress }
    }))
    const from = await heightOf(first.rpc)
    const steady = startSteady(accounts[0]!, { chainId, url: second.rpc, pauseMs: 150 })
    const dear: { name: string; hash: Hex }[] = []
    let nonce = 0
    for (const end = Date.now() + FLOOD_MS; Date.now() < end; await sleep(PAUSE_MS)) {
      nonce++
      for (const { name, privateKey, to } of deployed) {
        const transaction = signed({ privateKey, nonce, to, data: new Uint8Array() })
        await send(third.rpc, transaction)
        dear.push({ name, hash: transaction.hash })
      }
    }
    await steady.stop()
    const ordinary = steady.acknowledged
    expect(ordinary.length).toBeGreaterThan(10)
    await expectFinal(first.rpc, ordinary)
    const finalMs = await Promise.all(ordinary.map(({ hash }) => receiptOf(first.rpc, hash)))
    const to = await heightOf(first.rpc)
    const receipts = await Promise.all(dear.slice(0, 6).map(({ hash }) => receiptOf(first.rpc, hash)))
    // The loops did run until their gas was gone: a kind that fails at once would prove nothing.
    for (const { status, gasUsed } of receipts) expect([status, Number(gasUsed) > 1_900_000]).toEqual(['0x1', true])
    const rounds = await roundsOf(first.rpc, from + 1, to)
    expect(Math.max(...rounds)).toBeLessThanOrEqual(ROUND_MAX)
    const blocks = new Set(finalMs.map(({ blockNumber }) => blockNumber)).size
    // Between the dear ones, not after them all: there are many more ordinary blocks than one.
    expect(blocks).toBeGreaterThan(3)
    const setAside = await Promise.all(devnet.ready.nodes.map((node) => metric(node, 'songhua_pool_set_aside_total')))
    console.info(JSON.stringify({
      blocks: to - from, late: rounds.filter((round) => round > 0).length, roundMax: Math.max(...rounds), dear: dear.length,
      ordinary: ordinary.length, blocksWithOrdinary: blocks, refused: [...steady.refused], setAside,
      acknowledgedMs: { p50: percentile(steady.waitsMs, 0.5), p95: percentile(steady.waitsMs, 0.95) },
    }))
    const [last] = dear.slice(-1)
    expect(await rpc(third.rpc, 'songhua_getTransactionStatus', [last!.hash])).toHaveProperty('status')
  }, 300_000)
})
