import { describe, expect, it } from 'vitest'
import { connect } from '@songhua/sdk'
import { RPC_ANSWER_BYTES_MAX, createRpcClient } from '@songhua/sdk/chain/rpc-client'
import { watchAnchorEvents } from '@songhua/sdk/chain/anchor-events'
import { readText } from '@songhua/sdk/connection/read-body'
import { SonghuaError } from '@songhua/sdk'
import { EVENT_BYTES_MAX } from '@songhua/sdk/gateway/event-stream'
import { ANSWER_BYTES_MAX } from '@songhua/sdk/gateway/http-client'
import { SUBMIT_ANSWER_BYTES_MAX } from '@songhua/sdk/gateway/submit'
import { licence } from './support.js'

const CHUNK_BYTES = 1024 * 1024
const chunk = new Uint8Array(CHUNK_BYTES).fill(0x20)

interface Endless {
  fetch: typeof fetch
  /** Bytes that were taken, in all. */
  bytes: () => number
  requests: () => number
}

/** Answers with blanks without end, behind a beginning. */
function endless(status: number, beginning = ''): Endless {
  const count = { bytes: 0, requests: 0 }
  const answer = (): Response => {
    count.requests++
    const body = new ReadableStream<Uint8Array>({
      start: (control) => control.enqueue(new TextEncoder().encode(beginning)),
      pull: (control) => {
        count.bytes += CHUNK_BYTES
        control.enqueue(chunk)
      },
    })
    return new Response(body, { status })
  }
  return { fetch: () => Promise.resolve(answer()), bytes: () => count.bytes, requests: () => count.requests }
}

const tooLarge = { code: 'ANSWER_TOO_LARGE' }
/** Streams are asked for a chunk or two ahead. */
const SLACK_BYTES = 3 * CHUNK_BYTES

describe('an answer without end', () => {
  it.each([200, 500])('of a gateway, with status %i, is left at the limit and not asked for again', async (status) => {
    const { fetch, bytes, requests } = endless(status)
    const { records } = await connect({ gateway: 'http://gateway.example', apiKey: 'shk_', fetch })
    await expect(records.get('x')).rejects.toMatchObject(tooLarge)
    expect(bytes()).toBeLessThan(ANSWER_BYTES_MAX + SLACK_BYTES)
    expect(requests()).toBe(1)
  })

  it('to a submission may be larger, and is left too', async () => {
    const { fetch, bytes, requests } = endless(201)
    const { records } = await connect({ gateway: 'http://gateway.example', apiKey: 'shk_', fetch })
    await expect(records.anchor(licence(1))).rejects.toMatchObject(tooLarge)
    expect(bytes()).toBeGreaterThan(ANSWER_BYTES_MAX)
    expect(bytes()).toBeLessThan(SUBMIT_ANSWER_BYTES_MAX + SLACK_BYTES)
    expect(requests()).toBe(1)
  })

  it('of a node is left at the limit', async () => {
    const { fetch, bytes, requests } = endless(200)
    await expect(createRpcClient({ url: 'http://node.example', fetch }).call('eth_chainId', [])).rejects.toMatchObject(tooLarge)
    expect(bytes()).toBeLessThan(RPC_ANSWER_BYTES_MAX + SLACK_BYTES)
    expect(requests()).toBe(1)
  })

  it.each([['no line', ''], ['a line, and no event', 'data: 1\n'], ['an event, and no other', ': hello\n\n']])(
    'of a stream that gives %s is left', async (_, beginning) => {
      const { fetch, bytes } = endless(200, beginning)
      const { records } = await connect({ gateway: 'http://gateway.example', apiKey: 'shk_', fetch })
      await expect(records.watch().next()).rejects.toMatchObject(tooLarge)
      expect(bytes()).toBeLessThan(EVENT_BYTES_MAX + SLACK_BYTES)
    },
  )
})

describe('what is large, and ends', () => {
  it('is read to the limit, byte for byte', async () => {
    const text = '松花江'.repeat(1000)
    const size = new TextEncoder().encode(text).length
    expect(await readText(new Response(text), size)).toBe(text)
    await expect(readText(new Response(text), size - 1)).rejects.toMatchObject(tooLarge)
    expect(await readText(new Response(null, { status: 204 }), 0)).toBe('')
  })

  it('comes out of a stream whole: many events are not one', async () => {
    const one = (at: number): string =>
      `id: ${at}\ndata: ${JSON.stringify({ cursor: String(at), type: 'record.held', by: 'k'.repeat(1000), recordId: 'r' })}\n\n`
    const body = Array.from({ length: 3000 }, (_, at) => one(at)).join('')
    expect(body.length).toBeGreaterThan(2 * EVENT_BYTES_MAX)
    const { records } = await connect({ gateway: 'http://gateway.example', apiKey: 'shk_', fetch: () => Promise.resolve(new Response(body)) })
    const cursors: string[] = []
    for await (const { cursor } of records.watch()) if (cursors.push(cursor) === 3000) break
    expect(cursors).toEqual(Array.from({ length: 3000 }, (_, at) => String(at)))
  })

  it('is asked of a node for fewer blocks at one time', async () => {
    const ranges: number[] = []
    const call = (method: string, params: readonly unknown[]): Promise<unknown> => {
      if (method === 'eth_blockNumber') return Promise.resolve('0x1000')
      const [{ fromBlock, toBlock }] = params as [{ fromBlock: string; toBlock: string }]
      ranges.push(Number(toBlock) - Number(fromBlock) + 1)
      if (ranges.at(-1)! > 2500) return Promise.reject(new SonghuaError('ANSWER_TOO_LARGE', 'too much'))
      return Promise.reject(new SonghuaError('OPTION_INVALID', 'enough'))
    }
    await expect(watchAnchorEvents({ call }, { fromBlock: 0 }).next()).rejects.toMatchObject({ code: 'OPTION_INVALID' })
    expect(ranges).toEqual([4097, 2500])
  })
})
