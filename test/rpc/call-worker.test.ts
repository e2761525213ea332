import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hexToBytes, ZERO_ADDRESS, type Address } from '@songhua/sdk/protocol/bytes'
import { id as selectorHash } from 'ethers'
import type { CallRequest } from '@songhua/node/execution/call'
import { createCallService } from '@songhua/node/services/call-worker-pool'
import {
  ask,
  callData,
  CHAIN_ID,
  compileProbe,
  createFixtureChain,
  quiet,
  result,
  type FixtureChain,
} from './fixture-chain.js'

const TIMEOUT_MS = 400
let chain: FixtureChain
let url: string
let probe: Address
let head: number

beforeAll(async () => {
  chain = await createFixtureChain({ gasMax: 10n ** 12n, timeoutMs: TIMEOUT_MS, queueMax: 3 })
  ;({ url } = await chain.serve())
  const deploy = await chain.send({ to: undefined, data: hexToBytes(compileProbe().bytecode), gasLimit: 3_000_000n })
  await chain.mine()
  probe = (await result<{ contractAddress: Address }>(url, 'eth_getTransactionReceipt', [deploy.hash])).contractAddress
  head = chain.head().number
}, 60_000)
afterAll(() => chain.stop())

const request = (signature: string, gas?: bigint): CallRequest => ({
  from: ZERO_ADDRESS,
  to: probe,
  gas,
  gasPrice: 0n,
  value: 0n,
  data: callData(selectorHash(signature).slice(0, 10)),
  accessList: [],
})
const at = (block: number, client = 'somebody') => ({ block, client })
const call = (signature: string, gas?: bigint) => chain.calls.call(at(head), request(signature, gas), new Map())
const noOverrides = new Map()

describe('call worker', () => {
  it('starts only for what needs it', async () => {
    await chain.calls.account(head, probe)
    await chain.calls.storage(head, probe, `0x${'00'.repeat(32)}`)
    expect((await chain.calls.code(head, probe)).length).toBeGreaterThan(100)
    expect(chain.calls.stats()).toMatchObject({ workers: 0 })
    expect((await call('value()')).failure).toBeUndefined()
    expect(chain.calls.stats()).toMatchObject({ workers: 1, running: 0 })
  })

  it('ends a call that runs too long and serves the next, while this thread stays free', async () => {
    const spin = ask(url, 'eth_call', [{ to: probe, data: selectorHash('spin()').slice(0, 10) }, 'latest'])
    let [answered, isOver] = [0, false]
    void spin.then(() => (isOver = true))
    for (; !isOver; answered++) await result(url, 'eth_blockNumber')
    expect(answered).toBeGreaterThan(3)
    expect((await spin).error).toMatchObject({ code: -32005, data: { limit: 'timeoutMs', timeoutMs: TIMEOUT_MS } })
    expect((await call('value()')).failure).toBeUndefined()
    expect(chain.calls.stats()).toMatchObject({ timeouts: 1, workers: 1 })
  })

  it('sees blocks that come after it started', async () => {
    await call('value()')
    await chain.send({ to: probe, data: callData(selectorHash('store(uint256,uint256)').slice(0, 10), 1n, 123n) })
    await chain.mine()
    const { output } = await chain.calls.call(at(chain.head().number), request('value()'), noOverrides)
    expect(output.at(-1)).toBe(123)
  })

  it('refuses calls above its queue, and loses none that it took', async () => {
    await call('value()')
    const calls = Array.from({ length: 8 }, () =>
      call('value()').then(
        () => 'done',
        (error: { code: string }) => error.code,
      ),
    )
    const outcomes = await Promise.all(calls)
    expect(outcomes.filter((outcome) => outcome === 'done').length).toBe(4)
    expect(outcomes.filter((outcome) => outcome === 'CALL_QUEUE_FULL').length).toBe(4)
  })

  it('serves clients in turn, and gives each its share of the places', async () => {
    await call('value()')
    const outcomes: string[] = []
    // A worker may take long to start where many tests run.
    const patient = { timeoutMs: 20_000, waitMs: 60_000 }
    const ask = (client: string, signature: string) =>
      service.call(at(head, client), request(signature, 200_000n), noOverrides).then(
        () => outcomes.push(client),
        (error: { details: { limit: string } }) => outcomes.push(`${client}: ${error.details.limit}`),
      )
    const service = createCallService({ ...chain.callSettings, ...patient, queueMax: 8, queuePerClientMax: 4 }, chain.store)
    const flood = Array.from({ length: 7 }, () => ask('flood', 'spin()'))
    await Promise.all([...flood, ask('honest', 'value()')])
    await service.stop()
    // One runs, four wait, two are refused; the honest one waits for one of them at most.
    expect(outcomes.slice(0, 2)).toEqual(['flood: queuePerClientMax', 'flood: queuePerClientMax'])
    expect(outcomes.slice(2).indexOf('honest')).toBeLessThanOrEqual(2)
    expect(outcomes).toHaveLength(8)
  })

  it('takes a place for a client that has none from who has most of them when all are taken', async () => {
    await call('value()')
    const refusals: string[] = []
    const service = createCallService({ ...chain.callSettings, timeoutMs: 20_000, waitMs: 60_000, queueMax: 4, queuePerClientMax: 2 }, chain.store)
    const ask = (client: string) =>
      service.call(at(head, client), request('value()'), noOverrides).then(
        () => client,
        (error: { code: string; details: { limit: string } }) => void refusals.push(`${client} ${error.code} ${error.details.limit}`),
      )
    // The first of them runs at once.
    const answered = await Promise.all(['first', 'first', 'second', 'first', 'second', 'honest', 'second'].map(ask))
    await service.stop()
    expect(refusals).toEqual(['first CALL_QUEUE_FULL queueMax', 'second CALL_QUEUE_FULL queuePerClientMax'])
    expect(answered.filter((client) => client !== undefined).sort()).toEqual(['first', 'first', 'honest', 'second', 'second'])
  })

  it.each([
    ['returned', '6211000060' + '00f3', 'eth_call'],
    ['reverted with', '6211000060' + '00fd', 'eth_call'],
    ['reverted with', '6211000060' + '00fd', 'eth_estimateGas'],
  ])('sends on no more than a named number of bytes %s by a call (%s, %s)', async (_how, code, method) => {
    const patient = createCallService({ ...chain.callSettings, timeoutMs: 5_000 }, chain.store)
    const { url: own } = await chain.serve({}, { state: patient })
    const { error } = await ask(own, method, [{ to: probe }, 'latest', { [probe]: { code: `0x${code}` } }])
    await patient.stop()
    expect(error).toMatchObject({ code: -32005, data: { code: 'CALL_OUTPUT', limit: 'outputBytesMax' } })
  })

  it('carries the codes of failures across the thread', async () => {
    await expect(chain.calls.estimateGas(at(head), request('fail()'), noOverrides)).rejects.toMatchObject({
      code: 'CALL_REVERTED',
    })
    await expect(chain.calls.call(at(head), request('value()', 5n), noOverrides)).rejects.toMatchObject({
      code: 'TX_INTRINSIC_GAS',
    })
    await expect(chain.calls.call(at(9999), request('value()'), noOverrides)).rejects.toMatchObject({
      code: 'CALL_BLOCK_UNKNOWN',
    })
    await expect(chain.calls.account(9999, probe)).rejects.toMatchObject({ code: 'CALL_BLOCK_UNKNOWN' })
    expect((await call('fail()')).failure).toMatchObject({ kind: 'revert' })
    expect((await call('spin()', 100_000n)).failure).toMatchObject({ kind: 'out-of-gas' })
  })

  it('runs several at a time when it may, and refuses once it is stopped', async () => {
    const { chain: reader } = chain.ports
    const settings = { storeFolder: '/nowhere', chainId: CHAIN_ID, gasMax: 1n, logger: quiet }
    const state = { getCode: () => new Uint8Array(0), getNode: () => undefined }
    const broken = createCallService(settings, { header: (number) => reader.header(number), state })
    await expect(broken.call(at(head), request('value()'), noOverrides)).rejects.toMatchObject({
      code: 'CALL_WORKER_FAILED',
    })
    await broken.stop()
    await expect(broken.call(at(head), request('value()'), noOverrides)).rejects.toMatchObject({ code: 'CALL_STOPPED' })
  })

  it('fails what is under way when it is stopped', async () => {
    const spin = call('spin()').catch((error: { code: string }) => error.code)
    const waiting = call('value()').catch((error: { code: string }) => error.code)
    await chain.calls.stop()
    expect([await spin, await waiting]).toEqual(['CALL_STOPPED', 'CALL_STOPPED'])
  })
})
