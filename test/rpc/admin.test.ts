import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AdminPorts } from '@songhua/node/rpc/admin-ports'
import { createAdminServer, type AdminServer } from '@songhua/node/rpc/admin-server'
import { ask, quiet, result } from './fixture-chain.js'

const PEER = '/ip4/10.0.0.1/tcp/30303/p2p/16Uiu2HAmDDzHnVw2cQyyTkYXvxdYyhWPcbNjdWs5VnXJmVbqYz1q'
const added: string[] = []
let ready = false
const ports: AdminPorts = {
  node: {
    info: () => ({ name: 'harbin' }),
    readiness: () => (ready ? { ready, reasons: [] } : { ready, reasons: ['syncing: block 5 of 90'] }),
  },
  peers: {
    list: () => [{ id: 'a' }],
    add: (address) => added.push(address) === 1,
    remove: (address) => added.includes(address),
  },
  chain: undefined,
  gateway: undefined,
  metrics: () => [
    { name: 'songhua_head_block_number', help: 'Number of the head', kind: 'gauge', value: 42 },
    { name: 'songhua_frames_total', help: 'Frames', kind: 'counter', value: 3, labels: { stream: 'votes' } },
    { name: 'songhua_frames_total', help: 'Frames', kind: 'counter', value: 9, labels: { stream: 'blocks' } },
  ],
}
let server: AdminServer
let url: string

beforeAll(async () => {
  server = await createAdminServer({ host: '127.0.0.1', port: 0, logger: quiet, version: '0.0.0' }, ports)
  url = `http://127.0.0.1:${server.port}`
})
afterAll(() => server.stop())

describe('admin server', () => {
  it.each(['0.0.0.0', '::', '10.0.0.1', 'example.cn', '::ffff:10.0.0.1', ''])(
    'refuses to listen on %j',
    async (host) => {
      const opening = createAdminServer({ host, port: 0, logger: quiet, version: '0.0.0' }, ports)
      await expect(opening).rejects.toMatchObject({ code: 'RPC_ADMIN_NOT_LOOPBACK', details: { host } })
    },
  )

  it('answers admin methods and nothing of the public port', async () => {
    expect(await result(url, 'admin_nodeInfo')).toEqual({ name: 'harbin' })
    expect(await result(url, 'admin_peers')).toEqual([{ id: 'a' }])
    expect(await result(url, 'admin_addPeer', [PEER])).toBe(true)
    expect(await result(url, 'admin_addPeer', [PEER])).toBe(false)
    expect(await result(url, 'admin_removePeer', [PEER])).toBe(true)
    expect(await ask(url, 'admin_addPeer', ['enode://abc@10.0.0.1:30303'])).toMatchObject({ error: { code: -32602 } })
    expect(await ask(url, 'eth_chainId')).toMatchObject({ error: { code: -32601 } })
  })

  it('is live at once, and ready when it is', async () => {
    expect(await (await fetch(`${url}/health`)).json()).toMatchObject({ status: 'live' })
    const before = await fetch(`${url}/ready`)
    expect([before.status, await before.json()]).toEqual([503, { ready: false, reasons: ['syncing: block 5 of 90'] }])
    ready = true
    expect((await fetch(`${url}/ready`)).status).toBe(200)
  })

  it('gives metrics of the process and of the node, fresh at each scrape', async () => {
    for (let scrape = 0; scrape < 2; scrape++) {
      const text = await (await fetch(`${url}/metrics`)).text()
      expect(text).toContain('songhua_head_block_number 42\n')
      expect(text).toContain('songhua_frames_total{stream="votes"} 3\n')
      expect(text).toContain('songhua_frames_total{stream="blocks"} 9\n')
      expect(text).toContain('process_resident_memory_bytes')
      expect(text.match(/# TYPE songhua_frames_total counter/g)).toHaveLength(1)
    }
  })

  it('answers no name but localhost', async () => {
    const status = await new Promise((resolve, reject) => {
      const asking = request(`${url}/metrics`, { headers: { host: 'evil.example' } }, (answer) => {
        answer.resume()
        resolve(answer.statusCode)
      })
      asking.on('error', reject)
      asking.end()
    })
    expect(status).toBe(403)
  })
})
