import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { bytesToHex, hexToBytes } from '@songhua/sdk/protocol/bytes'
import type { Logger } from '@songhua/node/base/logger'
import type { Method } from '@songhua/node/rpc/method'
import type { RpcServer } from '@songhua/node/rpc/rpc-server'
import { OTHER, SENDER, createFixtureChain, post, quiet, result, type FixtureChain } from '../rpc/fixture-chain.js'
import { jsonEdited, strange, textEdited } from './json.js'
import { anyBytes, mutated } from './mutations.js'
import { assertNoPollution } from './outcome.js'
import { FUZZ_TIMEOUT_MS, holdsAsync } from './runs.js'
import { type Schema, valuesOf } from './schema.js'

interface Described {
  readonly name: string
  readonly params: readonly { readonly name: string; readonly required: boolean; readonly schema: Schema }[]
}

interface Answer {
  readonly jsonrpc: string
  readonly id: unknown
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string; readonly data?: { readonly code?: string } }
}

/** All that may answer what a client sent: JSON-RPC's own, EIP-1474's, a revert, EIP-7966's. Never an internal error. */
const CODES = [-32700, -32600, -32601, -32602, -32005, -32000, 3, 4, 6]
const STATUSES = [200, 204, 400, 413, 429]

/** Copies the eight bytes behind it and returns them as the code; they answer a call with 1. */
const INIT_CODE = '0x6008600a5f3960085ff3'
const RUNTIME_CODE = '60015f5260205ff3'

let chain: FixtureChain
let server: RpcServer
let url: string
let wsUrl: string
let methods: ReadonlyMap<string, Method>
let described: readonly Described[]
let known: readonly unknown[]
const failures: string[] = []
/** So that the generators are seen to reach behind the parameters, and to be refused by them. */
const seen = new Set<number>()

const logger: Logger = { ...quiet, error: (message, fields) => void failures.push(`${message} ${String(fields?.['error'])}`), child: () => logger }

beforeAll(async () => {
  chain = await createFixtureChain()
  // Waits of a client's own choosing are not what is tested here.
  ;({ server, url, wsUrl } = await chain.serve({ logger, limits: { syncWaitMaxMs: 20, syncWaitDefaultMs: 20, receiptHoldMs: 20, pingsBurst: 10_000 } }))
  const deploy = await chain.send({ to: undefined, data: hexToBytes(`${INIT_CODE}${RUNTIME_CODE}`), gasLimit: 3_000_000n })
  await chain.mine()
  const transfer = await chain.send({ value: 1n, type: 0 })
  await chain.mine()
  const waiting = await chain.send({ value: 1n, type: 1 })
  methods = new Map(server.methods.map((method) => [method.name, method]))
  described = (await result<{ methods: Described[] }>(url, 'rpc.discover')).methods
  const { contractAddress } = await result<{ contractAddress: string }>(url, 'eth_getTransactionReceipt', [deploy.hash])
  const block = await result<{ hash: string }>(url, 'eth_getBlockByNumber', ['0x1', false])
  known = [
    SENDER, OTHER, contractAddress, block.hash, deploy.hash, transfer.hash, waiting.hash, bytesToHex(transfer.raw), bytesToHex(chain.sign({ nonce: 99n }).raw),
    '0x0', '0x1', '0x2', '0x99', 'latest', 'earliest', 'pending', 'finalized', { blockHash: block.hash }, { blockNumber: '0x1' }, true, false, null,
    { from: SENDER, to: contractAddress, data: '0x3fa4f245' }, { fromBlock: '0x0', toBlock: 'latest' }, [], ['0x0'], '0x', 'logs', 'newHeads', 'newPendingTransactions',
  ]
}, 60_000)
afterAll(() => chain.stop())
afterEach(() => {
  assertNoPollution()
  expect(failures.splice(0)).toEqual([])
})

/** Of the kinds that the method's document names, then with parts of it changed. */
function paramsOf({ params }: Described): fc.Arbitrary<unknown> {
  const value = (schema: Schema): fc.Arbitrary<unknown> => fc.oneof(valuesOf(schema), valuesOf(schema), fc.constantFrom(...known))
  const described = fc.tuple(...params.map(({ schema }) => value(schema)))
  const short = fc.tuple(described, fc.nat(params.length)).map(([all, length]) => all.slice(0, length))
  return fc.oneof(described, short, described.chain((all) => jsonEdited(all)), strange)
}

function check(answer: Answer, method?: string): void {
  expect(answer.jsonrpc).toBe('2.0')
  seen.add(answer.error?.code ?? 0)
  if (answer.error !== undefined) {
    expect(CODES, JSON.stringify(answer.error)).toContain(answer.error.code)
    expect(answer.error.message).not.toBe('')
    return
  }
  const schema = method === undefined ? undefined : methods.get(method)?.result
  const parsed = schema?.safeParse(answer.result)
  if (parsed?.success === false) throw new Error(`${method} does not answer in the form that it documents: ${parsed.error.message}`)
}

const REGRESSIONS: readonly (readonly [was: string, method: string, params: unknown])[] = []

describe('JSON-RPC over HTTP', { timeout: FUZZ_TIMEOUT_MS }, () => {
  it('answers every method, whatever its parameters, in the form that it documents or with a code of its own', async () => {
    expect(described.length).toBeGreaterThan(40)
    for (const method of described) {
      await holdsAsync(paramsOf(method), 12, async (params) => {
        const response = await post(url, JSON.stringify({ jsonrpc: '2.0', id: 1, method: method.name, params }))
        expect(STATUSES).toContain(response.status)
        check((await response.json()) as Answer, method.name)
      })
    }
    expect([...seen]).toEqual(expect.arrayContaining([0, -32602, -32000]))
  })

  it('answers any body with a response of JSON-RPC, or with none when none is due', async () => {
    const good = [
      { jsonrpc: '2.0', id: 1, method: 'eth_getBalance', params: [SENDER, 'latest'] },
      { jsonrpc: '2.0', id: 'x', method: 'eth_call', params: [{ to: OTHER, data: '0x12' }, 'latest'] },
      { jsonrpc: '2.0', method: 'eth_chainId' },
    ]
    const bodies = fc.oneof(
      jsonEdited(good).map((value) => JSON.stringify(value) ?? ''),
      jsonEdited(good[0]).map((value) => JSON.stringify(value) ?? ''),
      textEdited(JSON.stringify(good)),
      mutated(fc.constant(new TextEncoder().encode(JSON.stringify(good)))),
      anyBytes,
    )
    await holdsAsync(bodies, 250, async (body) => {
      const response = await post(url, body)
      expect(STATUSES).toContain(response.status)
      const text = await response.text()
      if (text === '') return
      const answers = JSON.parse(text) as Answer | Answer[]
      for (const answer of [answers].flat()) check(answer)
    })
  })

  it.each(REGRESSIONS)('keeps what was mended: %s', async (_, method, params) => {
    check((await (await post(url, JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))).json()) as Answer, method)
  })
})

describe('JSON-RPC over WebSocket', { timeout: FUZZ_TIMEOUT_MS }, () => {
  it('answers any message, subscriptions too, and goes on', async () => {
    const names = fc.constantFrom('eth_subscribe', 'eth_unsubscribe', 'eth_blockNumber')
    const requests = names.chain((name) => paramsOf(described.find((one) => one.name === name)!).map((params) => ({ jsonrpc: '2.0', id: 5, method: name, params })))
    const messages = fc.oneof(requests.map((request) => JSON.stringify(request)), requests.chain(jsonEdited).map((value) => JSON.stringify(value) ?? ''), anyBytes)
    await holdsAsync(fc.array(messages, { minLength: 1, maxLength: 6 }), 40, async (all) => {
      const socket = new WebSocket(wsUrl)
      await new Promise((opened, failed) => socket.once('open', opened).once('error', failed))
      const answers: Answer[] = []
      const marked = new Promise<void>((done, failed) => {
        socket.on('message', (data: Buffer) => {
          const answer = JSON.parse(data.toString()) as Answer | Answer[]
          answers.push(...[answer].flat())
          if (!Array.isArray(answer) && answer.id === 'end') done()
        })
        socket.once('close', (code: number) => failed(new Error(`the socket was closed with ${code}`)))
      })
      for (const message of all) socket.send(message, { binary: false })
      socket.send(JSON.stringify({ jsonrpc: '2.0', id: 'end', method: 'eth_chainId' }))
      try {
        await marked
      } catch (error) {
        // What is no UTF-8 is no message of text: RFC 6455 §8.1 ends the connection with 1007.
        expect(String(error)).toContain('closed with 1007')
      }
      socket.terminate()
      for (const answer of answers) if (!('method' in answer)) check(answer)
    })
  })
})
