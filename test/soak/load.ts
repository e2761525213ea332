import { WebSocket } from 'ws'
import { NODE_REGISTER_ADDRESS, RECORD_ANCHOR_ADDRESS } from '@songhua/contracts/addresses'
import { keccak256 } from '@songhua/sdk/protocol/crypto'
import { bytesToHex } from '@songhua/sdk/protocol/bytes'
import { watchFinality } from '../bench/finality.js'
import type { Cluster } from '../support/cluster.js'
import { sleep } from '../support/devnet.js'
import { type HttpClient, callRpc } from '../support/http-client.js'
import { createSeeded } from '../support/seeded.js'
import { type AcceptedRecords, type WorkPlan, sendTransactions, submitRecords } from '../support/workers.js'
import type { Finality } from './report.js'

export interface LoadOptions {
  cluster: Cluster
  client: HttpClient
  seed: number
  /** Transactions a second; half as many records. */
  rate: number
  seconds: number
  /** The run was broken off. */
  isStopped: () => boolean
}

export interface LoadResult {
  transactions: string[]
  records: AcceptedRecords
  finality: Finality[]
  /** Of the trickle of reads: calls, log queries, messages of subscriptions. */
  reads: number
  /** Each kind of failure and how often it was met. */
  errors: Map<string, number>
}

const SENDERS = 5
const RECORD_CLIENTS = 2
const CALL_GAP_MS = 500
const LOGS_GAP_MS = 5_000
/** A subscriber comes anew after so long, ms: connections and subscriptions must be let go. */
const RESUBSCRIBE_MS = 30_000
const LOG_BLOCKS = 50

interface Trickle extends Pick<WorkPlan, 'cluster' | 'client' | 'random' | 'isOver' | 'onFailure'> {
  onRead: () => void
}

/** Steady load for `seconds`; resolves when everything that was sent is accepted and all its transactions are final here. */
export async function runLoad({ cluster, client, seed, rate, seconds, isStopped }: LoadOptions): Promise<LoadResult> {
  const startedMs = performance.now()
  const isOver = (): boolean => isStopped() || performance.now() - startedMs >= seconds * 1000
  const result: LoadResult = { transactions: [], records: new Map(), finality: [], reads: 0, errors: new Map() }
  const onFailure = (what: string): void => void result.errors.set(what, (result.errors.get(what) ?? 0) + 1)
  const watch = await watchFinality(cluster.nodes[0]!.rpc)
  const onAcknowledged = ({ hash }: { hash: string }, sentMs: number): void => {
    result.transactions.push(hash)
    void watch.final(hash).then((finalMs) => result.finality.push({ atS: (finalMs - startedMs) / 1000, ms: finalMs - sentMs }))
  }
  const planOf = (label: string, gapMs: number): WorkPlan => ({ cluster, client, random: createSeeded(seed, label), gapMs, isOver, onFailure })
  const senders = Array.from({ length: SENDERS }, (_, index) =>
    sendTransactions({ ...planOf(`sender ${index}`, (SENDERS * 1000) / rate), account: cluster.accounts[index]!, targets: [cluster.nodes[index % cluster.nodes.length]!], onAcknowledged }),
  )
  const gateway = cluster.nodes.find((node) => node.gateway !== undefined)!
  const writers = Array.from({ length: RECORD_CLIENTS }, (_, index) =>
    submitRecords({ ...planOf(`records ${index}`, (RECORD_CLIENTS * 2000) / rate), gateway, first: index, step: RECORD_CLIENTS, onAccepted: () => undefined }),
  )
  const trickle: Trickle = { ...planOf('reads', 0), onRead: () => (result.reads += 1) }
  await Promise.all([...senders, call(trickle), queryLogs(trickle), subscribe(trickle)])
  result.records.set(gateway, (await Promise.all(writers)).flat())
  await drain(() => watch.pending())
  if (watch.pending() > 0) onFailure(`${watch.pending()} transactions were not seen final within ${DRAIN_MS} ms`)
  watch.close()
  return result
}

const DRAIN_MS = 30_000

async function drain(pending: () => number): Promise<void> {
  const deadline = performance.now() + DRAIN_MS
  while (pending() > 0 && performance.now() < deadline) await sleep(100)
}

const GET_VALIDATORS = bytesToHex(keccak256(new TextEncoder().encode('getValidators()')).subarray(0, 4))

async function ask(trickle: Trickle, words: [string, ...unknown[]]): Promise<void> {
  const node = trickle.random.pick(trickle.cluster.nodes)
  try {
    const { error } = await callRpc(trickle.client, node.rpc, words)
    if (error) trickle.onFailure(`${words[0]}: ${error.message}`)
    else trickle.onRead()
  } catch (error) {
    trickle.onFailure(`${words[0]}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

async function call(trickle: Trickle): Promise<void> {
  while (!trickle.isOver()) {
    await ask(trickle, ['eth_call', { to: NODE_REGISTER_ADDRESS, data: GET_VALIDATORS }, 'latest'])
    await sleep(trickle.random.exponential(CALL_GAP_MS))
  }
}

async function queryLogs(trickle: Trickle): Promise<void> {
  while (!trickle.isOver()) {
    const node = trickle.cluster.nodes[0]!
    const head = await callRpc<string>(trickle.client, node.rpc, ['eth_blockNumber'])
    const fromBlock = `0x${Math.max(0, Number(head.result) - LOG_BLOCKS).toString(16)}`
    // To a height that every node has: `latest` of one may be below `fromBlock` of another.
    await ask(trickle, ['eth_getLogs', { address: RECORD_ANCHOR_ADDRESS, fromBlock, toBlock: fromBlock }])
    await sleep(trickle.random.exponential(LOGS_GAP_MS))
  }
}

async function subscribe(trickle: Trickle): Promise<void> {
  while (!trickle.isOver()) {
    const node = trickle.random.pick(trickle.cluster.nodes)
    const socket = new WebSocket(node.rpc.replace(/^http/, 'ws'))
    socket.on('error', (error) => trickle.onFailure(`WebSocket: ${error.message}`))
    socket.on('message', trickle.onRead)
    socket.on('open', () => {
      socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: ['newHeads'] }))
      socket.send(JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'eth_subscribe', params: ['logs', { address: RECORD_ANCHOR_ADDRESS }] }))
    })
    const untilMs = performance.now() + RESUBSCRIBE_MS
    while (!trickle.isOver() && performance.now() < untilMs) await sleep(200)
    socket.close()
  }
}
