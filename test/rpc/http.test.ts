import { request } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { scanJson } from '@songhua/node/base/json-scan'
import { errorToJsonRpc } from '@songhua/node/rpc/error-map'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { ask, createFixtureChain, post, type FixtureChain } from './fixture-chain.js'

let chain: FixtureChain
let url: string

beforeAll(async () => {
  chain = await createFixtureChain()
  ;({ url } = await chain.serve({ limits: { bodyBytesMax: 20_000, batchItemsMax: 10, responseBytesMax: 6_000 } }))
})
afterAll(() => chain.stop())

const raw = async (body: string | Uint8Array, headers: Record<string, string> = {}) => {
  const response = await post(url, body, headers)
  const text = await response.text()
  return {
    status: response.status,
    json:
      text === ''
        ? undefined
        : (JSON.parse(text) as {
            id: unknown
            error: { code: number; message: string; data?: Record<string, unknown> }
          }),
  }
}
const call = (id: unknown, method = 'eth_chainId', params: unknown = []): object => ({
  jsonrpc: '2.0',
  id,
  method,
  params,
})

describe('requests', () => {
  it.each([
    ['text that is not JSON', '{"jsonrpc": "2.0", "id": 1', -32700],
    ['bytes that are not UTF-8', Uint8Array.of(0x22, 0xff, 0xfe, 0x22), -32700],
    ['nothing', '', -32700],
    ['a bare number', '7', -32600],
    ['a string', '"eth_chainId"', -32600],
    ['null', 'null', -32600],
    ['an empty object', '{}', -32600],
    ['an empty batch', '[]', -32600],
    ['JSON-RPC 1', '{"id":1,"method":"eth_chainId"}', -32600],
    ['an object as id', '{"jsonrpc":"2.0","id":{"a":1},"method":"eth_chainId"}', -32600],
    ['a number as method', '{"jsonrpc":"2.0","id":1,"method":7}', -32600],
    ['params by name', '{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":{"address":"0x"}}', -32602],
    ['params as text', '{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":"0x"}', -32602],
    ['an unknown method', '{"jsonrpc":"2.0","id":1,"method":"hardhat_metadata"}', -32601],
    ['a method of the admin port', '{"jsonrpc":"2.0","id":1,"method":"admin_peers"}', -32601],
    ['a name from Object.prototype', '{"jsonrpc":"2.0","id":1,"method":"constructor"}', -32601],
  ])('refuses %s', async (_name, body, code) => {
    const { json } = await raw(body)
    expect(json?.error.code).toBe(code)
    expect(json?.error.message).not.toBe('')
  })

  it('repeats ids as they came, zero and text among them', async () => {
    for (const id of [0, 1, -5, 1.5, 'abc', '', null])
      expect((await raw(JSON.stringify(call(id)))).json).toMatchObject({ id, result: '0x382d3' })
  })

  it('refuses an id that no answer could repeat', async () => {
    const { json } = await raw('{"jsonrpc":"2.0","id":1e400,"method":"eth_chainId"}')
    expect(json).toMatchObject({ id: null, error: { code: -32600, message: expect.stringContaining('id: must be') as string } })
  })

  it('runs a notification and answers nothing', async () => {
    expect((await raw('{"jsonrpc":"2.0","method":"eth_chainId"}')).status).toBe(204)
    expect((await raw('[{"jsonrpc":"2.0","method":"eth_chainId"},{"jsonrpc":"2.0","method":"nothing"}]')).status).toBe(
      204,
    )
  })

  it('answers each item of a batch by its own id, bad ones among them', async () => {
    const batch = [call('a'), call(2, 'nothing'), 5, call(3, 'net_version'), { jsonrpc: '2.0', method: 'eth_chainId' }]
    expect((await raw(JSON.stringify(batch))).json).toMatchObject([
      { id: 'a', result: '0x382d3' },
      { id: 2, error: { code: -32601 } },
      { id: null, error: { code: -32600 } },
      { id: 3, result: '230099' },
    ])
  })
})

describe('limits', () => {
  const limitOf = async (body: string): Promise<unknown> => {
    const { json } = await raw(body)
    expect(json?.error.code).toBe(-32005)
    return json?.error.data?.limit
  }

  it('names the limit that a body, a batch, a depth or a response meets', async () => {
    expect(await limitOf(`"${'a'.repeat(30_000)}"`)).toBe('bodyBytesMax')
    expect(await limitOf(JSON.stringify(Array.from({ length: 11 }, (_, id) => call(id))))).toBe('batchItemsMax')
    expect(await limitOf(`${'['.repeat(5_000)}${']'.repeat(5_000)}`)).toBe('jsonDepthMax')
    expect(await limitOf(JSON.stringify(call(1, 'rpc.discover')))).toBe('responseBytesMax')
  })

  it('counts the bytes of a whole batch and says which items were left', async () => {
    const block = call(1, 'eth_getBlockByNumber', ['0x0', true])
    const { json } = await raw(JSON.stringify(Array.from({ length: 10 }, (_, id) => ({ ...block, id }))))
    const answers = json as unknown as {
      id: number
      result?: unknown
      error?: { code: number; data: { limit: string } }
    }[]
    expect(answers.map(({ id }) => id)).toEqual(Array.from({ length: 10 }, (_, id) => id))
    expect(answers[0]?.result).toBeDefined()
    expect(answers[9]?.error).toMatchObject({ code: -32005, data: { limit: 'responseBytesMax' } })
  })

  it('refuses a chunked body that grows too long, and lives on', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const sending = request(url, { method: 'POST', headers: { 'content-type': 'application/json' } }, (answer) => {
        answer.resume()
        resolve(answer.statusCode)
      })
      sending.on('error', reject)
      for (let part = 0; part < 30; part++) sending.write(' '.repeat(1_000))
      sending.end()
    })
    expect(status).toBe(413)
    expect(await ask(url, 'eth_chainId')).toMatchObject({ result: '0x382d3' })
  })

  it('measures depth without being fooled by text', () => {
    const depth = (text: string): number => scanJson(new TextEncoder().encode(text)).depth
    expect(depth('7')).toBe(0)
    expect(depth('{"a":[1,{"b":[]}]}')).toBe(4)
    expect(depth('"[[[[{{{{"')).toBe(0)
    expect(depth('["\\"[[[", "\\\\", [1]]')).toBe(2)
    expect(depth('"[[[')).toBe(0)
  })
})

describe('doors', () => {
  it('takes JSON only, at / only, by POST only', async () => {
    expect(await raw('{}', { 'content-type': 'text/plain' })).toMatchObject({
      status: 415,
      json: { error: { code: -32600 } },
    })
    const packed = await raw('{}', { 'content-type': 'application/json', 'content-encoding': 'gzip' })
    expect(packed).toMatchObject({ status: 415, json: { error: { message: expect.stringContaining('gzip') as string } } })
    expect((await post(`${url}/other`, '{}')).status).toBe(404)
    expect((await fetch(url)).status).toBe(404)
    expect((await fetch(url, { method: 'PUT', body: '{}' })).status).toBe(404)
  })

  const statusFor = (headers: Record<string, string>): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const body = JSON.stringify(call(1))
      const sending = request(
        url,
        { method: 'POST', headers: { 'content-type': 'application/json', ...headers } },
        (answer) => {
          answer.resume()
          resolve(answer.statusCode)
        },
      )
      sending.on('error', reject)
      sending.end(body)
    })

  it('refuses host names it does not know, against DNS rebinding', async () => {
    expect(await statusFor({ host: 'evil.example:8545' })).toBe(403)
    expect(await statusFor({ host: 'localhost.evil.example' })).toBe(403)
    expect(await statusFor({ host: 'localhost:8545' })).toBe(200)
    expect(await statusFor({ host: '10.1.2.3' })).toBe(200)
    expect(await statusFor({ host: '[::1]:8545' })).toBe(200)
  })

  it('answers configured hosts and origins, and no other origin', async () => {
    const { url: open } = await chain.serve({
      allowedHosts: ['rpc.example.cn'],
      corsOrigins: ['https://app.example.cn'],
    })
    const from = async (origin: string): Promise<string | null> =>
      (await post(open, JSON.stringify(call(1)), { origin })).headers.get('access-control-allow-origin')
    expect(await from('https://app.example.cn')).toBe('https://app.example.cn')
    expect(await from('https://evil.example')).toBeNull()
  })

  it('survives bytes that are no HTTP', async () => {
    const text = await new Promise<string>((resolve, reject) => {
      const { port } = new URL(url)
      const socket = connect(Number(port), '127.0.0.1', () => socket.write('\x16\x03\x01 garbage\r\n\r\n'))
      let received = ''
      socket.on('data', (chunk) => (received += chunk.toString()))
      socket.on('close', () => resolve(received))
      socket.on('error', reject)
    })
    expect(text).toMatch(/^HTTP\/1.1 400/)
    expect(await ask(url, 'eth_chainId')).toMatchObject({ result: '0x382d3' })
  })

  it('says on which address it cannot listen', async () => {
    const { port } = new URL(url)
    await expect(chain.serve({ port: Number(port) })).rejects.toMatchObject({ code: 'RPC_LISTEN_FAILED' })
  })
})

describe('errors', () => {
  it('keeps the words of unknown failures inside', async () => {
    expect(errorToJsonRpc(new Error('disk /secret/path'))).toBeUndefined()
    expect(errorToJsonRpc(new CodedError('STORE_DAMAGED', 'secret'))).toBeUndefined()
    const reader = chain.ports.chain
    const sound = { ...reader }
    reader.numberOf = () => {
      throw new Error('disk /secret/path')
    }
    const answer = await ask(url, 'eth_getBlockByHash', [`0x${'11'.repeat(32)}`])
    expect(answer.error).toEqual({ code: -32603, message: 'internal error; the node has logged it' })
    Object.assign(reader, sound)
  })

  it('puts geth’s words first where clients look for them', () => {
    const message = (code: string, text: string): string | undefined =>
      errorToJsonRpc(new CodedError(code, text))?.message
    expect(message('SIGNATURE_HIGH_S', 's is high')).toBe('invalid sender: s is high')
    expect(message('TX_TYPE', 'type 3')).toBe('transaction type not supported: type 3')
    expect(message('TX_INSUFFICIENT_FUNDS', 'has 0')).toBe('insufficient funds for gas * price + value: has 0')
    expect(message('POOL_NONCE_TOO_LOW', 'nonce too low: 1 < 2')).toBe('nonce too low: 1 < 2')
  })
})
