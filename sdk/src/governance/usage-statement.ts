/** What was used of a chain in a month, reckoned from its blocks by whoever asks, and vouched for by a node. */
import type { Result } from 'ethers'
import type { Hash } from '../protocol/bytes.js'
import type { RetryPolicy } from '../connection/retry.js'
import { SonghuaError } from '../connection/songhua-error.js'
import { numberFromJson } from '../chain/block-json.js'
import { type RpcBatchClient, createRpcBatchClient } from '../chain/rpc-batch.js'
import type { RpcClient } from '../chain/rpc-client.js'
import { readActivity } from './activity.js'
import { type Bindings, readBindings } from './bindings.js'
import { type BlockMark, firstBlockSince, readBlockMark } from './blocks.js'
import { addressOption, usccToHex } from './codes.js'
import { NODE_REGISTER, ORGANISATION_REGISTER } from './contracts.js'
import { nodeOf, organisationOf } from './model.js'
import { readContract } from './transactions.js'
import { type UsageCounter, createUsageCounter } from './usage-figures.js'
import { type NamedOrganisation, USAGE_STATEMENT_VERSION, type UsageSigner, type UsageStatement, monthBounds } from './usage-format.js'

export { type NamedOrganisation, type UsageSigner, type UsageStatement, parseUsageStatement, signUsageStatement, usageStatementText } from './usage-format.js'
export type { UsageFigures, UsageShare } from './usage-figures.js'

export interface UsageOptions {
  /** A node's JSON-RPC over HTTP. It is believed: ask your own. */
  readonly rpc: string
  /** `shk_…`, of that node: for what its chain's policy does not leave open to everybody. */
  readonly apiKey?: string
  readonly retry?: Partial<RetryPolicy>
  /** Of one request, ms. */
  readonly requestTimeoutMs?: number
  readonly fetch?: typeof fetch
  readonly signal?: AbortSignal
}

export interface UsageQuestion {
  /** `2026-11`, of Beijing time. */
  readonly month: string
  /** Credit code: what this organisation used, and nothing else. */
  readonly organisation?: string
  /** Blocks read, and how many there are. */
  readonly onProgress?: (done: number, total: number) => void
}

/** The blocks over which a statement is reckoned. */
export type UsageBlocks = UsageStatement['blocks']

export const usageClient = ({ rpc: url, apiKey, requestTimeoutMs, retry, fetch }: UsageOptions): RpcBatchClient =>
  createRpcBatchClient({
    url,
    ...(apiKey !== undefined && { apiKey }), ...(retry && { retry }), ...(fetch && { fetch }),
    ...(requestTimeoutMs !== undefined && { timeoutMs: requestTimeoutMs }),
  })

/**
 * The statement of a month, of those of its blocks that there are. Anybody who asks a node of the same chain when the month
 * is over gets the same bytes (`usageStatementText`).
 * @throws SonghuaError `OPTION_INVALID` for a month without blocks; `RPC_…`; `GOVERNANCE_REFUSED`
 */
export async function readUsageStatement(question: UsageQuestion, options: UsageOptions): Promise<UsageStatement> {
  const client = usageClient(options)
  return reckonUsage(client, question, { blocks: await blocksOfMonth(client, question.month, options.signal), signal: options.signal })
}

async function blocksOfMonth(rpc: RpcClient, month: string, signal: AbortSignal | undefined): Promise<UsageBlocks> {
  const { start, end } = monthBounds(month)
  const after = await firstBlockSince(rpc, end, signal)
  const first = await firstBlockSince(rpc, start, signal)
  const last = await readBlockMark(rpc, after === undefined ? 'latest' : Math.max(0, after - 1), signal)
  if (first === undefined || first === after) {
    throw new SonghuaError('OPTION_INVALID', `month ${month} has no block on this chain`, { field: 'month' })
  }
  return { first: await readBlockMark(rpc, first, signal), last, isMonthOver: after !== undefined }
}

/** @param blocks marks that were read from this node */
export async function reckonUsage(
  rpc: RpcBatchClient,
  { month, organisation, onProgress }: UsageQuestion,
  { blocks, signal }: { blocks: UsageBlocks; signal: AbortSignal | undefined },
): Promise<UsageStatement> {
  if (organisation !== undefined) usccToHex(organisation, 'organisation')
  const { first, last } = blocks
  const chain = { chainId: numberFromJson(await rpc.call('eth_chainId', [], signal), 'chainId'), genesisHash: (await readBlockMark(rpc, 0, signal)).hash }
  const counters = createCounters(await readBindings(rpc, last.number, signal), organisation)
  for await (const read of readActivity(rpc, { from: first.number, to: last.number }, signal)) {
    for (const { number, transactions } of read) for (const one of transactions) counters.add(number, one)
    onProgress?.(read.at(-1)!.number - first.number + 1, last.number - first.number + 1)
    if (read.at(-1)!.number === last.number) checkLast(read.at(-1)!.hash, last)
  }
  const { total, applications, creations } = counters.all.share()
  const named = await Promise.all(counters.usccs().map((uscc) => readNames(rpc, uscc, last.number)))
  return {
    version: USAGE_STATEMENT_VERSION, chain, month, blocks,
    ...(organisation !== undefined && { organisation }),
    total, applications, creations,
    organisations: named.map((names) => ({ ...names, ...counters.of(names.uscc).share() })),
    ...(organisation === undefined && { newcomers: counters.of(undefined).share() }),
  }
}

function checkLast(hash: Hash, last: BlockMark): void {
  if (hash === last.hash) return
  throw new SonghuaError('RPC_ANSWER', `block ${last.number} is ${hash} now, and was ${last.hash}: the node tells of two chains`)
}

interface Counters {
  readonly all: UsageCounter
  add(block: number, activity: Parameters<UsageCounter['add']>[0]): void
  /** Those that have used something, sorted. */
  usccs(): string[]
  of(uscc: string | undefined): UsageCounter
}

function createCounters(bindings: Bindings, only: string | undefined): Counters {
  const all = createUsageCounter()
  const shares = new Map<string | undefined, UsageCounter>()
  const of = (uscc: string | undefined): UsageCounter => {
    const known = shares.get(uscc) ?? createUsageCounter()
    shares.set(uscc, known)
    return known
  }
  return {
    all,
    of,
    add(block, activity) {
      const uscc = bindings.organisationAt(activity.account, block)
      if (only !== undefined && uscc !== only) return
      all.add(activity)
      of(uscc).add(activity)
    },
    usccs: () => [...shares.keys()].filter((uscc) => uscc !== undefined).sort(),
  }
}

async function readNames(rpc: RpcClient, uscc: string, block: number): Promise<NamedOrganisation> {
  const answer = await readContract(rpc, { contract: ORGANISATION_REGISTER, name: 'organisationOf', args: [usccToHex(uscc)] }, toBlock(block))
  const found = organisationOf(uscc, answer[0] as Result)
  if (found === undefined) throw new SonghuaError('RPC_ANSWER', `organisation ${uscc} has accounts and is not in the register`)
  return { uscc, nameZh: found.nameZh, nameEn: found.nameEn }
}

const toBlock = (number: number): string => `0x${number.toString(16)}`

/** Those that may speak for the chain's use. */
const VOUCHING: readonly string[] = ['admitted', 'active']

/**
 * A node as the register has it, as a statement names who vouches for it.
 * @param block the state after which is read; the head's when absent
 * @throws SonghuaError `OPTION_INVALID` for a node that is neither admitted nor active
 */
export async function readUsageSigner(node: string, options: UsageOptions, block?: number): Promise<UsageSigner> {
  const rpc = usageClient(options)
  const { number, hash } = await readBlockMark(rpc, block ?? 'latest', options.signal)
  const address = addressOption(node, 'node')
  const answer = await readContract(rpc, { contract: NODE_REGISTER, name: 'nodeOf', args: [address] }, toBlock(number))
  const entry = nodeOf(address, answer[0] as Result, false)
  if (entry === undefined || !VOUCHING.includes(entry.status)) {
    const status = entry === undefined ? 'is not in the register' : `is ${entry.status}`
    throw new SonghuaError('OPTION_INVALID', `node ${address} ${status}; who vouches for a statement must be admitted or active`, { field: 'node' })
  }
  const body = async <K extends string>(key: K, uscc: string | undefined): Promise<Partial<Record<K, NamedOrganisation>>> =>
    uscc === undefined ? {} : ({ [key]: await readNames(rpc, uscc, number) } as Record<K, NamedOrganisation>)
  return {
    asOf: { number, hash }, address, publicKey: entry.publicKey, kind: entry.kind, city: entry.city,
    ...(entry.acCode !== undefined && { acCode: entry.acCode }),
    ...(await body('government', entry.government)), ...(await body('telecom', entry.telecom)), ...(await body('operator', entry.operator)),
  }
}

/** @returns whether these are the blocks of the month that the chain has now, as far as they reach, and what they are on it */
export async function readClaimedBlocks(rpc: RpcClient, statement: Pick<UsageStatement, 'month' | 'blocks'>, signal?: AbortSignal): Promise<UsageBlocks> {
  const { first, last } = statement.blocks
  const { start, end } = monthBounds(statement.month)
  const head = await readBlockMark(rpc, 'latest', signal)
  const fail = (problem: string): never => {
    throw new SonghuaError('USAGE_STATEMENT_BLOCKS', `blocks ${first.number} to ${last.number}: ${problem}`)
  }
  if (last.number > head.number) return fail(`the node has blocks up to ${head.number}`)
  const mark = (number: number): Promise<BlockMark> => readBlockMark(rpc, number, signal)
  const isInMonth = ({ timestamp }: BlockMark): boolean => timestamp >= start && timestamp < end
  const [begins, ends] = [await mark(first.number), await mark(last.number)]
  if (!isInMonth(begins) || !isInMonth(ends)) return fail(`they are not of ${statement.month}`)
  if (first.number > 0 && isInMonth(await mark(first.number - 1))) return fail('an earlier one belongs to the month')
  const after = last.number < head.number ? await mark(last.number + 1) : undefined
  if (statement.blocks.isMonthOver && (after === undefined || isInMonth(after))) return fail('the month is not over with the last of them')
  return { first: begins, last: ends, isMonthOver: statement.blocks.isMonthOver }
}

