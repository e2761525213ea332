import { afterEach, describe, expect, it } from 'vitest'
import { type GatewayConnection, type GatewayEvent, connect } from '@songhua/sdk'
import { type Handle, type Stub, json, serve } from './support.js'

/** What becomes of a stream, with gateways that do as the test says; `gateway-connection.test.ts` has a real one. */

const stubs: Stub[] = []
afterEach(async () => {
  for (const stub of stubs.splice(0)) await stub.stop()
})

async function stub(handle: Handle): Promise<string> {
  const one = await serve(handle)
  stubs.push(one)
  return one.url
}

const connected = ({ gateway }: { gateway: string }): Promise<GatewayConnection> =>
  connect({ gateway, apiKey: 'shk_', retry: { delayMs: 5, timeoutMs: 20_000 } })
const next = async (events: AsyncGenerator<GatewayEvent, never>): Promise<GatewayEvent> => (await events.next()).value

describe('watch', () => {
  it('takes a stream without heartbeats for broken', async () => {
    let opened = 0
    const url = await stub((_request, response) => {
      opened++
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('retry: 10\n\n')
      if (opened === 3) response.write('id: 7.1\ndata: {"cursor":"7.1","type":"record.held","by":"k","recordId":"r"}\n\n')
    })
    const { records } = await connected({ gateway: url })
    expect(await next(records.watch({ silenceMs: 60 }))).toMatchObject({ cursor: '7.1' })
    expect(opened).toBe(3)
  })

  it('resumes from where the first stream began, when that broke before an event', async () => {
    const asked: (string | undefined)[] = []
    const url = await stub((request, response) => {
      asked.push(request.headers['last-event-id'] as string | undefined)
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      if (asked.length < 2) response.write(': cursor 41.2\n\n', () => response.destroy())
      else response.write('id: 42.0\ndata: {"cursor":"42.0","type":"record.erased","by":"k","recordId":"r"}\n\n')
    })
    const { records } = await connected({ gateway: url })
    expect(await next(records.watch())).toMatchObject({ cursor: '42.0' })
    expect(asked).toEqual([undefined, '41.2'])
  })

  it.each([
    [410, 'CURSOR_AHEAD'],
    [400, 'CURSOR_INVALID'],
    [403, 'SCOPE_MISSING'],
  ])('ends with the code of a %i when it comes back, instead of asking for ever', async (status, code) => {
    let opened = 0
    const url = await stub((_request, response) => {
      if (++opened > 1) return json(response, status, { error: { code, message: 'the feed was restored' } })
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('id: 7.1\ndata: {"cursor":"7.1","type":"record.held","by":"k","recordId":"r"}\n\n', () => response.end())
    })
    const { records } = await connected({ gateway: url })
    const watching = records.watch()
    expect(await next(watching)).toMatchObject({ cursor: '7.1' })
    await expect(next(watching)).rejects.toMatchObject({ code, status })
    expect(opened).toBe(2)
    expect(await watching.next()).toMatchObject({ done: true })
  })

  it('goes on after the gateway was down and came back, from where it was', async () => {
    const asked: (string | undefined)[] = []
    const event = (cursor: string): string => `id: ${cursor}\ndata: {"cursor":"${cursor}","type":"record.held","by":"k","recordId":"r"}\n\n`
    const stream: Handle = ({ headers }, response) => {
      const after = headers['last-event-id'] as string | undefined
      asked.push(after)
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(event(`${Number(after ?? 0) + 1}`))
    }
    const url = await stub(stream)
    const { records } = await connected({ gateway: url })
    const watching = records.watch()
    expect(await next(watching)).toMatchObject({ cursor: '1' })
    const second = next(watching)
    await stubs.pop()!.stop()
    await new Promise((down) => setTimeout(down, 100))
    stubs.push(await serve(stream, Number(new URL(url).port)))
    expect(await second).toMatchObject({ cursor: '2' })
    expect(asked).toEqual([undefined, '1'])
    await watching.return(undefined as never)
  })
})
