import type { Cluster, ClusterNode } from './cluster.js'
import { type Prepared, anchorTransaction } from '../bench/workload.js'
import { sleep } from './devnet.js'
import { type HttpClient, callRpc } from './http-client.js'
import { sampleRecord } from './sample-records.js'
import type { Seeded } from './seeded.js'
import { randomUUID } from 'node:crypto'

/** What became of one attempt to deliver something. */
export type Attempt = 'acknowledged' | 'known' | { failure: string }

export interface WorkPlan {
  cluster: Cluster
  client: HttpClient
  random: Seeded
  /** Mean time between two sends of one worker, ms. */
  gapMs: number
  isOver: () => boolean
  /** An attempt that failed, and will be made again. */
  onFailure: (what: string) => void
}

export interface TransactionWork {
  /** Accepted by a node: durable in its journal. */
  acknowledged: Prepared[]
  /** A node had it already when it was sent again; so it was accepted before, by an answer that was lost. */
  known: Prepared[]
}

const RETRY_MS = 100

/** One account's transactions in nonce order; each goes to one node after another until one of them has it. */
export async function sendTransactions(
  plan: WorkPlan & { account: { privateKey: string }; targets: readonly ClusterNode[]; onAcknowledged: (sent: Prepared, sentMs: number) => void },
): Promise<TransactionWork> {
  const { cluster, random, isOver, gapMs, targets } = plan
  const work: TransactionWork = { acknowledged: [], known: [] }
  for (let nonce = 0; !isOver(); nonce += 1) {
    const prepared = anchorTransaction(plan.account, cluster.chainId, nonce)
    const first = random.integer(0, targets.length - 1)
    for (let attempt = 0; ; attempt += 1) {
      const sentMs = performance.now()
      const outcome = await sendOnce(plan.client, targets[(first + attempt) % targets.length]!, prepared)
      if (outcome === 'acknowledged') {
        work.acknowledged.push(prepared)
        plan.onAcknowledged(prepared, sentMs)
      } else if (outcome === 'known') work.known.push(prepared)
      else {
        plan.onFailure(outcome.failure)
        if (isOver()) return work
        await sleep(RETRY_MS)
        continue
      }
      break
    }
    await sleep(random.exponential(gapMs))
  }
  return work
}

async function sendOnce(client: HttpClient, node: ClusterNode, { raw }: Prepared): Promise<Attempt> {
  try {
    const answer = await callRpc<string>(client, node.rpc, ['eth_sendRawTransaction', raw])
    if (answer.error === undefined) return 'acknowledged'
    const { message } = answer.error
    return /already known|nonce too low/.test(message) ? 'known' : { failure: `eth_sendRawTransaction: ${message}` }
  } catch (error) {
    return { failure: `eth_sendRawTransaction: ${error instanceof Error ? error.message : String(error)}` }
  }
}

/** Ids by the gateway that accepted them. */
export type AcceptedRecords = Map<ClusterNode, string[]>

/** Records to one gateway: each request, with its idempotency key, again until it is accepted, as departments do. */
export async function submitRecords(
  plan: WorkPlan & { gateway: ClusterNode; first: number; step: number; onAccepted: (ids: string[], sentMs: number) => void },
): Promise<string[]> {
  const { random, isOver, gapMs, gateway } = plan
  const ids: string[] = []
  for (let number = plan.first; !isOver(); number += plan.step) {
    const body = JSON.stringify(sampleRecord(number))
    const headers = {
      authorization: `Bearer ${plan.cluster.apiKey}`,
      'content-type': 'application/json',
      'idempotency-key': randomUUID(),
    }
    const sentMs = performance.now()
    // To its end also when time is over: a request without an answer may have been accepted.
    const id = await untilAccepted(plan, `${gateway.gateway}/v1/records`, { headers, body })
    ids.push(id)
    plan.onAccepted([id], sentMs)
    await sleep(random.exponential(gapMs))
  }
  return ids
}

async function untilAccepted(plan: WorkPlan, url: string, call: { headers: Record<string, string>; body: string }): Promise<string> {
  for (;;) {
    const failure = await plan.client.send(url, { method: 'POST', ...call }).then(
      ({ status, text }) => {
        if (status === 202) return (JSON.parse(text) as { id: string }).id
        if (status !== 429 && status !== 503) throw new Refused(`POST /v1/records: ${status} ${text.slice(0, 300)}`)
        return new Error(`POST /v1/records: ${status}`)
      },
    ).catch((error: unknown) => {
      if (error instanceof Refused) throw error
      return error instanceof Error ? error : new Error(String(error))
    })
    if (typeof failure === 'string') return failure
    plan.onFailure(failure.message)
    await sleep(RETRY_MS)
  }
}

/** A record that will never be accepted, however often it is sent: the harness or the gateway is wrong. */
class Refused extends Error {}
