import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { PassThrough } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { watchingStall } from '@songhua/node/cli/demo'
import { testContext } from './support.js'

/** Of a node whose head is the one set. */
let head = { number: 7, blockTimeMs: 0 }
const server = createServer((_request, response) => {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result: { head } }))
})
let admin: string

beforeAll(async () => {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  admin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => void server.close())

async function said(at: string, workMs: number): Promise<string> {
  const context = testContext()
  expect(await watchingStall(context, { admin: at, data: 'net/harbin' }, setTimeout(workMs, 'done'), 50)).toBe('done')
  return String((context.stderr as PassThrough).read() ?? '')
}

describe('a demo that waits long', () => {
  it('says since when the head has not moved, and what to run', async () => {
    head = { number: 7, blockTimeMs: Date.parse('2026-12-01T00:00:00Z') - 9e9 }
    expect(await said(admin, 600)).toMatch(/head, block 7, has not moved since 2026-.*songhua doctor --data net\/harbin/)
  })

  it('says that the chain goes on when it does, and that nobody answers', async () => {
    head = { number: 8, blockTimeMs: Date.now() + 9e6 }
    expect(await said(admin, 600)).toContain('the chain goes on (block 8')
    expect(await said('http://127.0.0.1:1', 600)).toContain('does not answer')
  })

  it('says nothing when it is done in time', async () => {
    expect(await said(admin, 1)).toBe('')
  })
})
