import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DevnetNode } from '@songhua/node/cli/devnet-folder'
import { planDevnet } from '@songhua/node/cli/devnet-plan'
import { refuseRunning } from '@songhua/node/cli/devnet-running'
import { privateKeyToIdentity } from '@songhua/node/cli/identity'
import { testContext } from './support.js'

const identity = privateKeyToIdentity(new Uint8Array(32).fill(7))
const stranger = privateKeyToIdentity(new Uint8Array(32).fill(8))
const context = testContext()

/** Answers like the admin port of the node with `identity`. */
const server = createServer((request, response) => {
  request.resume()
  response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result: { address: identity.address } }))
})

function nodeAt(admin: number, of = identity): DevnetNode {
  const [node] = planDevnet(context, { dir: 'd', basePort: 20_000, validators: 1, followers: 0, gateways: 0 })
  return { ...node!, identity: of, ports: { rpc: 0, admin, p2p: 0, gateway: 0 } }
}

describe('a devnet that runs already', () => {
  let port = 0
  beforeAll(async () => {
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    port = (server.address() as AddressInfo).port
  })
  afterAll(() => new Promise((closed) => server.close(closed)))

  it('is known by the node that answers at its last port, and named', async () => {
    await expect(refuseRunning(context, 'net', [nodeAt(port)])).rejects.toMatchObject({
      code: 'DEVNET_RUNNING',
      message: `the devnet in net runs already: its node Harbin answers at http://127.0.0.1:${port}`,
    })
  })

  it('is not taken for another one that has its ports by now, nor for none', async () => {
    await refuseRunning(context, 'net', [nodeAt(port, stranger)])
    await refuseRunning(context, 'net', [nodeAt(1)])
  })
})
