import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect, keySigner } from '@songhua/sdk'
import { createRpcClient } from '@songhua/sdk/chain/rpc-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let server: Server
let url: string
const seen: (string | undefined)[] = []

/** Refuses whoever has not the key, as a node does whose door is for members. */
beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push(request.headers.authorization)
    const data = { code: 'PERMISSION_READ', door: 'eth', level: 'members', missing: 'key' }
    const isKnown = request.headers.authorization === 'Bearer shk_known'
    const answer = isKnown ? { result: '0x1' } : { error: { code: -32000, message: 'eth may be read by members only', data } }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, ...answer }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => server.close())

describe('the API key of a connection to a node', () => {
  it('goes with every request, and none is sent when there is none', async () => {
    expect(await createRpcClient({ url, apiKey: 'shk_known' }).call('eth_chainId', [])).toBe('0x1')
    await expect(createRpcClient({ url }).call('eth_chainId', [])).rejects.toMatchObject({
      code: 'RPC_REFUSED', details: { reason: 'PERMISSION_READ', data: { door: 'eth', missing: 'key' } },
    })
    expect(seen.splice(0)).toEqual(['Bearer shk_known', undefined])
  })

  it('is passed along by connect()', async () => {
    const signer = keySigner(`0x${'11'.repeat(32)}`)
    await expect(connect({ rpc: url, signer, apiKey: 'shk_other' })).rejects.toMatchObject({ details: { reason: 'PERMISSION_READ' } })
    expect(seen.splice(0)).toEqual(['Bearer shk_other'])
    // The key is good, what this server answers is no block.
    await expect(connect({ rpc: url, signer, apiKey: 'shk_known' })).rejects.toMatchObject({ code: 'RPC_ANSWER' })
    expect(new Set(seen)).toEqual(new Set(['Bearer shk_known']))
  })
})
