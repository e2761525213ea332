import { CodedError } from '@songhua/sdk/protocol/errors'
import { afterEach, describe, expect, it } from 'vitest'
import { connect, dialRawUp, framed, sleep, startNode, stopAll, stopNode, until } from './support.js'

afterEach(stopAll)

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (payload: Uint8Array): string => new TextDecoder().decode(payload)

async function pair() {
  const [a, b] = [await startNode({ seed: 1 }), await startNode({ seed: 2 })]
  await connect(a, b)
  return { a, b, toB: b.network.self.id }
}

describe('messages', () => {
  it('arrive whole and in order on each channel, small and large', async () => {
    const { a, b } = await pair()
    const got: number[] = []
    b.network.onMessage('consensus', (peer, payload) => {
      expect(peer.id).toBe(a.network.self.id)
      expect(payload.every((byte) => byte === payload[0])).toBe(true)
      got.push(payload.length)
    })
    const sizes = [1, 200, 65_532, 65_536, 3, 3_000_000, 70_000, 5]
    for (const [index, size] of sizes.entries()) a.network.broadcast('consensus', new Uint8Array(size).fill(index + 1))
    await until(() => got.length === sizes.length)
    expect(got).toEqual(sizes)
  })

  it('are refused when empty, too large or for a peer that is not there', async () => {
    const { a, toB } = await pair()
    expect(a.network.send(toB, 'transactions', new Uint8Array(0))).toBe(false)
    expect(a.network.send(toB, 'transactions', new Uint8Array(1024 * 1024 + 1))).toBe(false)
    expect(a.network.send('16Uiu2HAm1111', 'transactions', bytes('x'))).toBe(false)
  })

  it('of one listener do not suffer from another that throws', async () => {
    const { a, b } = await pair()
    let got = 0
    b.network.onMessage('transactions', () => {
      throw new Error('a bug')
    })
    b.network.onMessage('transactions', () => (got += 1))
    a.network.broadcast('transactions', bytes('x'))
    await until(() => got === 1)
    expect(b.lines.some(({ level }) => level === 'error')).toBe(true)
    expect(b.network.peers().length).toBe(1)
  })
})

describe('requests', () => {
  it('are answered, many at once and each with its own answer', async () => {
    const { a, b, toB } = await pair()
    b.network.onRequest(async (_peer, body) => {
      await sleep(Math.random() * 30)
      return bytes(`re: ${text(body)}`)
    })
    const asked = Array.from({ length: 16 }, (_, i) => a.network.request(toB, bytes(`q${i}`), { timeoutMs: 5_000 }))
    expect((await Promise.all(asked)).map(text)).toEqual(Array.from({ length: 16 }, (_, i) => `re: q${i}`))
  })

  it('carry coded refusals and hide other errors', async () => {
    const { a, b, toB } = await pair()
    const coded = new CodedError('RANGE_UNKNOWN', 'no such block')
    b.network.onRequest((_peer, body) => Promise.reject(text(body) === 'coded' ? coded : new Error('/home/secret')))
    await expect(a.network.request(toB, bytes('coded'), { timeoutMs: 5_000 })).rejects.toMatchObject({
      code: 'REQUEST_REFUSED',
      message: expect.stringContaining('RANGE_UNKNOWN: no such block') as string,
    })
    await expect(a.network.request(toB, bytes('x'), { timeoutMs: 5_000 })).rejects.toThrow(/internal error/)
  })

  it('time out, are bounded in number, and fail when the peer goes', async () => {
    const { a, b, toB } = await pair()
    b.network.onRequest(() => new Promise(() => undefined))
    const silent = a.network.request(toB, bytes('x'), { timeoutMs: 100 })
    await expect(silent).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' })
    const ask = (timeoutMs: number): Promise<Uint8Array> => a.network.request(toB, bytes('x'), { timeoutMs })
    const open = Array.from({ length: 16 }, () => ask(60_000).catch((error: unknown) => error))
    await expect(ask(100)).rejects.toMatchObject({ code: 'REQUEST_TOO_MANY' })
    await stopNode(b)
    for (const error of await Promise.all(open)) expect(error).toMatchObject({ code: 'PEER_DISCONNECTED' })
    await until(() => a.network.peers().length === 0)
    await expect(ask(100)).rejects.toMatchObject({ code: 'PEER_NOT_CONNECTED' })
  })

  it('of a peer that does not read its answers are refused, and memory stays bounded', async () => {
    const node = await startNode({ seed: 1 })
    let served = 0
    node.network.onRequest(() => ((served += 1), Promise.resolve(new Uint8Array(6_000_000))))
    const raw = await dialRawUp(node, 2)
    const wire = raw.wires.get('/songhua/1/blocks')!
    wire.onData(() => undefined)
    wire.pause()
    for (let id = 1; id <= 16; id++) {
      wire.send(framed(new Uint8Array([1, 0, 0, 0, id, 7])))
      await sleep(10)
    }
    await until(() => (node.network.metrics()['requests_refused'] ?? 0) > 8)
    expect(served).toBeLessThan(8)
    expect(node.network.metrics()['queued_bytes']).toBeLessThan(24_000_000)
  })

  it('that were never made have no answer: it ends the connection', async () => {
    const node = await startNode({ seed: 1 })
    const raw = await dialRawUp(node, 2)
    raw.wires.get('/songhua/1/blocks')!.send(framed(new Uint8Array([2, 0, 0, 0, 9, 1])))
    await until(() => raw.isClosed())
    expect(node.network.metrics()['ended_message_malformed']).toBe(1)
  })
})
