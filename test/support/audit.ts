import { RECORD_ANCHOR_ADDRESS } from '@songhua/contracts/addresses'
import { findTrustAnchor } from '@songhua/node/cli/trust-anchor-source'
import { createTranslator } from '@songhua/node/cli/messages'
import { createEvidenceVerifier } from '@songhua/sdk/protocol/evidence'
import { resolve } from 'node:path'
import type { Cluster, ClusterNode } from './cluster.js'
import { sleep } from './devnet.js'
import { type HttpClient, batchRpc, callRpc } from './http-client.js'
import type { AcceptedRecords } from './workers.js'

/** What an audit found; `problems` is empty when everything held. */
export interface Audit {
  heights: number
  transactionsFinal: number
  recordsVerified: number
  problems: string[]
}

export interface AuditInput {
  cluster: Cluster
  client: HttpClient
  /** Hashes that must be final exactly once, with success. */
  transactions: readonly string[]
  records: AcceptedRecords
}

const BLOCKS_PER_BATCH = 50
const HEADS_APART_MAX = 2
const SETTLE_LIMIT_MS = 60_000
const EVIDENCE_AT_ONCE = 8
const EVIDENCE_TIMEOUT_MS = 60_000
/** Of each kind: a run that failed has too many to print. */
const PROBLEMS_SHOWN_MAX = 20

const hex = (height: number): string => `0x${height.toString(16)}`
const range = (from: number, to: number): number[] => Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)

export async function heightOf(client: HttpClient, node: ClusterNode): Promise<number> {
  const { result, error } = await callRpc<string>(client, node.rpc, ['eth_blockNumber'])
  if (error) throw new Error(`${node.name}: ${error.message}`)
  return Number(result)
}

/** Everything that a stranger can check of a chain at rest. */
export async function audit(input: AuditInput): Promise<Audit> {
  const { cluster, client, transactions } = input
  const heights = await closeHeights(client, cluster.nodes)
  const top = Math.min(...heights)
  const places = cluster.nodes.map(({ name }, index) => `${name} ${heights[index]}`).join(', ')
  const problems = isClose(heights) ? [] : [`the heads still differ after ${SETTLE_LIMIT_MS / 1000} s: ${places}`]
  problems.push(...(await compareHashes(client, cluster.nodes, top)))
  const final = await finalTransactions(client, cluster.nodes[0]!, top)
  problems.push(...transactionProblems(transactions, final))
  const verified = await verifyRecords(input)
  problems.push(...verified.problems, ...(await anchoredTwice(input)))
  return {
    heights: top,
    transactionsFinal: transactions.filter((hash) => final.get(hash)?.length === 1).length,
    recordsVerified: verified.count,
    problems: shortened(problems),
  }
}

/** Anchoring may go on while this looks, and nodes hear of a block one after another. */
const isClose = (heights: readonly number[]): boolean => Math.max(...heights) - Math.min(...heights) <= HEADS_APART_MAX

async function closeHeights(client: HttpClient, nodes: readonly ClusterNode[]): Promise<number[]> {
  const deadline = performance.now() + SETTLE_LIMIT_MS
  for (;;) {
    const heights = await Promise.all(nodes.map((node) => heightOf(client, node)))
    if (isClose(heights) || performance.now() > deadline) return heights
    await sleep(200)
  }
}

const shortened = (problems: string[]): string[] =>
  problems.length <= PROBLEMS_SHOWN_MAX
    ? problems
    : [...problems.slice(0, PROBLEMS_SHOWN_MAX), `and ${problems.length - PROBLEMS_SHOWN_MAX} more`]

/** Block hashes of every node at every height. */
export async function compareHashes(client: HttpClient, nodes: readonly ClusterNode[], top: number): Promise<string[]> {
  const problems: string[] = []
  for (let from = 0; from <= top; from += BLOCKS_PER_BATCH) {
    const heights = range(from, Math.min(top, from + BLOCKS_PER_BATCH - 1))
    const calls = heights.map((height) => ['eth_getBlockByNumber', hex(height), false] as [string, ...unknown[]])
    const answers = await Promise.all(nodes.map((node) => batchRpc<{ hash: string } | null>(client, node.rpc, calls)))
    for (const [index, height] of heights.entries()) {
      const hashes = answers.map((blocks) => blocks[index]?.hash ?? 'none')
      if (new Set(hashes).size === 1) continue
      problems.push(`FORK at height ${height}: ${nodes.map(({ name }, at) => `${name} ${hashes[at]}`).join(', ')}`)
    }
  }
  return problems
}

/** By height, the genesis first. */
export async function blockHashes(client: HttpClient, node: ClusterNode, top: number): Promise<string[]> {
  const hashes: string[] = []
  for (let from = 0; from <= top; from += BLOCKS_PER_BATCH) {
    const calls = range(from, Math.min(top, from + BLOCKS_PER_BATCH - 1)).map((height) => ['eth_getBlockByNumber', hex(height), false] as [string, ...unknown[]])
    hashes.push(...(await batchRpc<{ hash: string }>(client, node.rpc, calls)).map(({ hash }) => hash))
  }
  return hashes
}

/** Where each transaction of the chain stands, and whether it succeeded. */
export async function finalTransactions(client: HttpClient, node: ClusterNode, top: number): Promise<Map<string, string[]>> {
  const final = new Map<string, string[]>()
  for (let from = 0; from <= top; from += BLOCKS_PER_BATCH) {
    const calls = range(from, Math.min(top, from + BLOCKS_PER_BATCH - 1)).map((height) => ['eth_getBlockReceipts', hex(height)] as [string, ...unknown[]])
    const blocks = await batchRpc<{ transactionHash: string; status: string; blockNumber: string }[]>(client, node.rpc, calls)
    for (const { transactionHash, status, blockNumber } of blocks.flat()) {
      final.set(transactionHash, [...(final.get(transactionHash) ?? []), `${Number(blockNumber)}${status === '0x1' ? '' : ' FAILED'}`])
    }
  }
  return final
}

export function transactionProblems(wanted: readonly string[], final: ReadonlyMap<string, string[]>): string[] {
  return wanted.flatMap((hash) => {
    const places = final.get(hash)
    if (places === undefined) return [`LOST: the acknowledged transaction ${hash} is in no block`]
    if (places.length > 1) return [`DOUBLED: transaction ${hash} is in blocks ${places.join(', ')}`]
    return places[0]!.endsWith('FAILED') ? [`transaction ${hash} did not succeed: block ${places[0]}`] : []
  })
}

/** The bundle of each accepted record, under nothing but the genesis file. */
async function verifyRecords({ cluster, client, records }: AuditInput): Promise<{ count: number; problems: string[] }> {
  const { trustAnchor } = await findTrustAnchor(
    { language: 'en', t: createTranslator('en'), stdin: process.stdin, stdout: process.stderr, stderr: process.stderr, environment: {}, program: resolve('.') },
    { data: cluster.dir },
  )
  const verifier = createEvidenceVerifier(trustAnchor)
  const problems: string[] = []
  const places = new Map<string, string>()
  const queue = [...records].flatMap(([node, ids]) => ids.map((id) => ({ node, id })))
  let count = 0
  const worker = async (): Promise<void> => {
    for (let item = queue.pop(); item !== undefined; item = queue.pop()) {
      const { node, id } = item
      const verdict = verifier.verify(await evidenceOf({ cluster, client }, node, id))
      const place = `${verdict.facts?.batch.sender} ${verdict.facts?.batch.id} ${verdict.facts?.batch.leafIndex}`
      if (!verdict.valid) problems.push(`the bundle of ${id} does not verify: ${verdict.steps.find(({ ok }) => !ok)?.code}`)
      else if (verdict.facts?.recordId !== id) problems.push(`the bundle of ${id} is that of ${verdict.facts?.recordId}`)
      else if (places.has(place)) problems.push(`records ${id} and ${places.get(place)} share the place ${place}`)
      else count += 1
      places.set(place, id)
    }
  }
  await Promise.all(Array.from({ length: EVIDENCE_AT_ONCE }, worker))
  return { count, problems }
}

async function evidenceOf({ cluster, client }: Pick<AuditInput, 'cluster' | 'client'>, node: ClusterNode, id: string): Promise<string> {
  const deadline = performance.now() + EVIDENCE_TIMEOUT_MS
  for (;;) {
    const headers = { authorization: `Bearer ${cluster.apiKey}` }
    const { status, text } = await client.send(`${node.gateway}/v1/records/${id}/evidence`, { method: 'GET', headers })
    if (status === 200) return text
    // 409: accepted and not anchored yet.
    if ((status !== 409 && status !== 429 && status !== 503) || performance.now() > deadline) {
      throw new Error(`${node.name}: evidence of ${id}: ${status} ${text.slice(0, 300)}`)
    }
    await sleep(100)
  }
}

/** The chain's own events must count as many leaves as were accepted: one more, and a record is anchored twice. */
export async function anchoredTwice({ cluster, client, records }: Pick<AuditInput, 'client' | 'records'> & { cluster: Pick<Cluster, 'nodes'> }): Promise<string[]> {
  const problems: string[] = []
  for (const [node, ids] of records) {
    const { text } = await client.send(`${node.gateway}/v1/status`, { method: 'GET' })
    const { account } = JSON.parse(text) as { account: string }
    const leaves = await anchoredLeaves(client, cluster.nodes[0]!, account)
    if (leaves !== ids.length) problems.push(`${node.name} accepted ${ids.length} records, and ${leaves} leaves of it are on the chain`)
  }
  return problems
}

const LOG_BLOCKS_PER_CALL = 2_000

async function anchoredLeaves(client: HttpClient, node: ClusterNode, account: string): Promise<number> {
  const topics = [null, `0x${'00'.repeat(12)}${account.slice(2)}`]
  const top = await heightOf(client, node)
  let leaves = 0
  for (let from = 0; from <= top; from += LOG_BLOCKS_PER_CALL) {
    const filter = { address: RECORD_ANCHOR_ADDRESS, fromBlock: hex(from), toBlock: hex(Math.min(top, from + LOG_BLOCKS_PER_CALL - 1)), topics }
    const { result, error } = await callRpc<{ data: string }[]>(client, node.rpc, ['eth_getLogs', filter])
    if (error) throw new Error(`eth_getLogs: ${error.message}`)
    for (const { data } of result) leaves += Number(BigInt(data.slice(0, 66)))
  }
  return leaves
}
