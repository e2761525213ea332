/** Every change of who governs a chain, who may join, write and read: as its contracts' events tell it, in words. */
import type { Result } from 'ethers'
import { type Address, type Hash, bytesToHex } from '../protocol/bytes.js'
import { readAddressField, readObject } from '../protocol/json-fields.js'
import type { Log } from '../protocol/receipt.js'
import { isUscc } from '../protocol/uscc.js'
import { readAnswer } from '../chain/block-json.js'
import { type RpcBatchClient, createRpcBatchClient } from '../chain/rpc-batch.js'
import type { RpcClientOptions } from '../chain/rpc-client.js'
import { type AuditArguments, type AuditValue, readArguments } from './audit-forms.js'
import { type AuditMotion, type Tellers, auditMotion, eventSentence } from './audit-sentence.js'
import { type Bindings, readBindings } from './bindings.js'
import { firstBlockSince, readBlockMark } from './blocks.js'
import { addressOption, usccToHex } from './codes.js'
import { COUNCIL, ORGANISATION_REGISTER, SYSTEM_CONTRACTS } from './contracts.js'
import { type TimedLog, readLogs } from './logs.js'
import { motionOf, organisationOf } from './model.js'
import { readContract } from './transactions.js'

export type { AuditArguments, AuditValue } from './audit-forms.js'
export type { AuditMotion } from './audit-sentence.js'

export interface AuditOptions {
  /** A node's JSON-RPC over HTTP. */
  readonly rpc: string
  /** `shk_…`, of that node: for what its chain's policy does not leave open to everybody. */
  readonly apiKey?: string
  readonly retry?: RpcClientOptions['retry']
  /** Of one request, ms. */
  readonly requestTimeoutMs?: number
  readonly fetch?: typeof fetch
  readonly signal?: AbortSignal
}

/** A block, or a time in seconds since 1970. */
export type AuditBound = { readonly block: number } | { readonly time: number }

export interface AuditQuestion {
  /** The first block, or the first that is not earlier; genesis when absent. */
  readonly since?: AuditBound
  /** The last block, or the last that is not later; the head when absent. */
  readonly until?: AuditBound
  /** Credit code: what it did, and what was done to it. */
  readonly organisation?: string
  /** What was done to this node, by its address. */
  readonly node?: string
}

export interface AuditEntry {
  /** Block time, seconds since 1970. */
  readonly time: number
  readonly blockNumber: number
  readonly transactionHash: Hash
  /** Within the block. */
  readonly logIndex: number
  /** Who sent the transaction, and for whom it acted when it did. */
  readonly who: { readonly account: Address; readonly organisation: AuditOrganisation | undefined }
  readonly contract: string
  /** `AccountBound`; the topic of an event that this SDK does not know. */
  readonly event: string
  readonly zh: string
  readonly en: string
  readonly args: AuditArguments
  /** Of an event about a motion: what the motion does, or did. */
  readonly motion: AuditMotion | undefined
}

export interface AuditOrganisation {
  readonly uscc: string
  /** Empty, as is `nameEn`, for one that was never admitted. */
  readonly nameZh: string
  readonly nameEn: string
}

const TRANSACTIONS_IN_QUESTION = 100

/**
 * What changed, oldest first, up to the head at the time of the call.
 * @throws SonghuaError `OPTION_INVALID`; `RPC_…`; `GOVERNANCE_REFUSED` from a chain without these contracts
 */
export async function* auditTrail(question: AuditQuestion, options: AuditOptions): AsyncGenerator<AuditEntry, void> {
  const { rpc: url, requestTimeoutMs, apiKey, retry, fetch, signal } = options
  const isWanted = filterOf(question)
  const rpc = createRpcBatchClient({
    url, ...(apiKey !== undefined && { apiKey }), ...(retry && { retry }), ...(fetch && { fetch }), ...(requestTimeoutMs !== undefined && { timeoutMs: requestTimeoutMs }),
  })
  const range = await rangeOf(rpc, question, signal)
  if (range.from > range.to) return
  const reading = createReading(rpc, await readBindings(rpc, range.to, signal), signal)
  for await (const logs of readLogs(rpc, { addresses: SYSTEM_CONTRACTS.map(({ address }) => address), ...range }, signal)) {
    for (let at = 0; at < logs.length; at += TRANSACTIONS_IN_QUESTION) {
      const entries = await reading.entriesOf(logs.slice(at, at + TRANSACTIONS_IN_QUESTION))
      yield* entries.filter(isWanted)
    }
  }
}

function filterOf({ organisation, node }: AuditQuestion): (entry: AuditEntry) => boolean {
  if (organisation !== undefined) usccToHex(organisation, 'organisation')
  const address = node === undefined ? undefined : addressOption(node, 'node')
  return ({ who, args, motion }) => {
    const mentioned = [...textsIn(args), ...(motion?.args === undefined ? [] : textsIn(motion.args))]
    const isOfOrganisation = organisation === undefined || who.organisation?.uscc === organisation || mentioned.includes(organisation)
    return isOfOrganisation && (address === undefined || mentioned.includes(address))
  }
}

/** Every text in a value: credit codes and addresses among them. */
function textsIn(value: AuditValue): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value as AuditArguments).flatMap(textsIn) : []
}

async function rangeOf(rpc: RpcBatchClient, { since, until }: AuditQuestion, signal: AbortSignal | undefined): Promise<{ from: number; to: number }> {
  const head = (await readBlockMark(rpc, 'latest', signal)).number
  const first = async (bound: AuditBound | undefined): Promise<number> => {
    if (bound === undefined) return 0
    return 'block' in bound ? bound.block : ((await firstBlockSince(rpc, bound.time, signal)) ?? head + 1)
  }
  const behind = until !== undefined && 'time' in until ? await first({ time: until.time + 1 }) : undefined
  const last = behind === undefined ? (until !== undefined && 'block' in until ? until.block : head) : behind - 1
  return { from: await first(since), to: Math.min(last, head) }
}

interface Reading {
  entriesOf(logs: readonly TimedLog[]): Promise<AuditEntry[]>
}

/** What was looked up once is kept: names of organisations, motions, senders of the transactions at hand. */
function createReading(rpc: RpcBatchClient, bindings: Bindings, signal: AbortSignal | undefined): Reading {
  const organisations = new Map<string, AuditOrganisation>()
  const motions = new Map<number, AuditMotion>()
  const times = new Map<number, number>()
  const learnOrganisation = async (uscc: string): Promise<void> => {
    if (!organisations.has(uscc)) organisations.set(uscc, await readOrganisation(rpc, uscc))
  }
  const motionFor = async (id: number): Promise<AuditMotion> => {
    const known = motions.get(id) ?? (await readMotion(rpc, id))
    motions.set(id, known)
    return known
  }
  const timeOf = async ({ timestamp, blockNumber }: TimedLog): Promise<number> => {
    const time = timestamp ?? times.get(blockNumber) ?? (await readBlockMark(rpc, blockNumber, signal)).timestamp
    times.set(blockNumber, time)
    return time
  }
  const tellers = tellersOf(organisations)
  const entryOf = async (log: TimedLog, account: Address): Promise<AuditEntry> => {
    const { blockNumber, transactionHash, logIndex } = log
    const { contract, event, params, args } = decode(log.log)
    const motion = contract === COUNCIL.name && event.startsWith('Motion') ? await motionFor(Number(args.id)) : undefined
    const uscc = bindings.organisationAt(account, blockNumber)
    const mentioned = [uscc ?? '', ...textsIn(args), ...textsIn(motion?.args ?? {})].filter(isUscc)
    for (const code of mentioned) await learnOrganisation(code)
    const who = { account, organisation: uscc === undefined ? undefined : organisations.get(uscc) }
    const sentence = eventSentence({ contract, event, params, args, motion }, tellers)
    return { time: await timeOf(log), blockNumber, transactionHash, logIndex, who, contract, event, ...sentence, args, motion }
  }
  return {
    entriesOf: async (logs) => {
      const senders = await readSenders(rpc, [...new Set(logs.map(({ transactionHash }) => transactionHash))], signal)
      const entries: AuditEntry[] = []
      for (const log of logs) entries.push(await entryOf(log, senders.get(log.transactionHash)!))
      times.clear()
      return entries
    },
  }
}

async function readSenders(rpc: RpcBatchClient, hashes: readonly Hash[], signal: AbortSignal | undefined): Promise<Map<Hash, Address>> {
  const method = 'eth_getTransactionByHash'
  const answers = await rpc.batch(hashes.map((hash) => ({ method, params: [hash] })), signal)
  return readAnswer(method, () =>
    new Map(answers.map((answer, at) => [hashes[at]!, readAddressField(readObject(answer, 'transaction').from, 'transaction.from')])))
}

async function readOrganisation(rpc: RpcBatchClient, uscc: string): Promise<AuditOrganisation> {
  const answer = await readContract(rpc, { contract: ORGANISATION_REGISTER, name: 'organisationOf', args: [usccToHex(uscc)] })
  const found = organisationOf(uscc, answer[0] as Result)
  return { uscc, nameZh: found?.nameZh ?? '', nameEn: found?.nameEn ?? '' }
}

async function readMotion(rpc: RpcBatchClient, id: number): Promise<AuditMotion> {
  const answer = await readContract(rpc, { contract: COUNCIL, name: 'motionOf', args: [id] })
  const { kind, arguments: bytes } = motionOf(id, answer[0] as Result)
  return auditMotion(id, kind, bytes)
}

function tellersOf(organisations: ReadonlyMap<string, AuditOrganisation>): Tellers {
  const nameOf = (uscc: string, key: 'nameZh' | 'nameEn', around: readonly [string, string]): string => {
    const name = organisations.get(uscc)?.[key] ?? ''
    return name === '' ? uscc : `${name}${around[0]}${uscc}${around[1]}`
  }
  return {
    zh: { language: 'zh', organisation: (uscc) => nameOf(uscc, 'nameZh', ['（', '）']) },
    en: { language: 'en', organisation: (uscc) => nameOf(uscc, 'nameEn', [' (', ')']) },
  }
}

type Decoded = Parameters<typeof eventSentence>[0]

function decode({ address, topics, data }: Log): Omit<Decoded, 'motion'> {
  const contract = SYSTEM_CONTRACTS.find((one) => one.address === address)
  const parsed = contract?.abi.parseLog({ topics: [...topics], data: bytesToHex(data) }) ?? null
  const name = contract?.name ?? address
  if (parsed === null) return { contract: name, event: topics[0] ?? '', params: [], args: { topics, data: bytesToHex(data) } }
  const params = parsed.fragment.inputs
  return { contract: name, event: parsed.name, params, args: readArguments(name, params, parsed.args.toArray()) }
}
