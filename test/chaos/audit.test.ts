import { type AddressInfo } from 'node:net'
import { type Server, createServer } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { anchoredTwice, compareHashes, finalTransactions, transactionProblems } from '../support/audit.js'
import type { ClusterNode } from '../support/cluster.js'
import { createHttpClient } from '../support/http-client.js'

/** A chain as its nodes would tell it; block 0 stands first. */
interface FakeChain {
  blocks: { hash: string; receipts: [hash: string, status: '0x0' | '0x1'][] }[]
  /** Sizes of the batches that the gateway's account has anchored. */
  batches?: number[]
}

interface Call {
  id: number
  method: string
  params: unknown[]
}

const client = createHttpClient(5_000)
const servers: Server[] = []

function answer({ blocks, batches = [] }: FakeChain, { method, params }: Call): unknown {
  const block = blocks[Number(params[0])]
  switch (method) {
    case 'eth_blockNumber':
      return `0x${(blocks.length - 1).toString(16)}`
    case 'eth_getBlockByNumber':
      return block === undefined ? null : { hash: block.hash }
    case 'eth_getBlockReceipts':
      return block!.receipts.map(([transactionHash, status]) => ({ transactionHash, status, blockNumber: params[0] }))
    default:
      return batches.map((size) => ({ data: `0x${size.toString(16).padStart(64, '0')}` }))
  }
}

async function startNode(name: string, chain: FakeChain): Promise<ClusterNode> {
  const server = createServer((request, response) => {
    if (request.method === 'GET') return void response.end(JSON.stringify({ account: `0x${'11'.repeat(20)}` }))
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      const calls = JSON.parse(text) as Call | Call[]
      const answers = [calls].flat().map((call) => ({ jsonrpc: '2.0', id: call.id, result: answer(chain, call) }))
      response.end(JSON.stringify(Array.isArray(calls) ? answers : answers[0]))
    })
  })
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { name, rpc: url, gateway: url } as ClusterNode
}

afterEach(async () => {
  client.close()
  await Promise.all(servers.splice(0).map((server) => new Promise((done) => server.close(done))))
})

const honest: FakeChain = {
  blocks: [{ hash: 'genesis', receipts: [] }, { hash: 'one', receipts: [['t1', '0x1']] }, { hash: 'two', receipts: [['t2', '0x1'], ['t3', '0x0']] }],
  batches: [3, 4],
}

describe('the audit', () => {
  it('takes one history, and names the height and the nodes of a fork', async () => {
    const [a, b] = [await startNode('A', honest), await startNode('B', honest)]
    expect(await compareHashes(client, [a, b], 2)).toEqual([])
    const forked = await startNode('C', { blocks: [honest.blocks[0]!, { hash: 'other', receipts: [] }] })
    expect(await compareHashes(client, [a, b, forked], 2)).toEqual([
      'FORK at height 1: A one, B one, C other',
      'FORK at height 2: A two, B two, C none',
    ])
  })

  it('finds what is lost, doubled or failed', async () => {
    const doubled = { blocks: [...honest.blocks, { hash: 'three', receipts: [['t1', '0x1']] as [string, '0x1'][] }] }
    const final = await finalTransactions(client, await startNode('A', doubled), 3)
    expect(transactionProblems(['t2'], final)).toEqual([])
    expect(transactionProblems(['t1', 't2', 't3', 't4'], final)).toEqual([
      'DOUBLED: transaction t1 is in blocks 1, 3',
      'transaction t3 did not succeed: block 2 FAILED',
      'LOST: the acknowledged transaction t4 is in no block',
    ])
  })

  it('counts the leaves on the chain against the records accepted', async () => {
    const node = await startNode('A', honest)
    const cluster = { nodes: [node] }
    const ids = Array.from({ length: 7 }, (_, index) => `record ${index}`)
    expect(await anchoredTwice({ cluster, client, records: new Map([[node, ids]]) })).toEqual([])
    expect(await anchoredTwice({ cluster, client, records: new Map([[node, ids.slice(1)]]) })).toEqual([
      'A accepted 6 records, and 7 leaves of it are on the chain',
    ])
  })
})
