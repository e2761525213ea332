import type { Hash } from '@songhua/sdk/protocol/bytes'
import { CodedError } from '@songhua/sdk/protocol/errors'
import type { Header } from '@songhua/sdk/protocol/header'
import type { Receipt } from '@songhua/sdk/protocol/receipt'
import { parseTransaction } from '@songhua/sdk/protocol/transaction'
import { callOn, type CallContext, type StateOverrides } from '../execution/call.js'
import { estimateGas } from '../execution/estimate-gas.js'
import type { BlockContext, Evm } from '../execution/evm.js'
import { logsOfBlock } from '../rpc/block-logs.js'
import { effectiveTip } from '../rpc/json.js'
import { createBloomCheck, matchesLog } from '../rpc/log-filter.js'
import type { LocatedLog } from '../rpc/ports.js'
import { accountProof, stateReaderAt, storageProof } from '../trie/state-trie.js'
import type { NodeStore, StateReader } from '../trie/state.js'
import type { CallTasks } from './call-worker-protocol.js'

/** The store, as far as calls and searches read it. */
export interface TaskStore {
  header(number: number): Header | undefined
  hashAt(number: number): Hash | undefined
  body(number: number): Uint8Array[] | undefined
  receipts(number: number): Receipt[] | undefined
  blooms(first: number, last: number): AsyncIterable<{ number: number; logsBloom: Uint8Array }>
  readonly state: Pick<StateReader, 'getCode'> & NodeStore
}

/** EIP-4844's least; there are no blobs. */
const BLOB_BASE_FEE = 1n
/** BLOCKHASH looks this far back. */
const BLOCK_HASHES = 256

export function createCallTasks(store: TaskStore, { evm, gasMax }: { evm: Evm; gasMax: bigint }): CallTasks {
  const context = (number: number, overrides: StateOverrides): CallContext => {
    const header = requireHeader(store, number)
    return { evm, gasMax, overrides, state: stateAfter(store, header), block: blockContext(store, header) }
  }
  return {
    call: async (number, request, overrides) => callOn(context(number, overrides), request),
    estimateGas: async (number, request, overrides) => estimateGas(context(number, overrides), request),
    // eslint-disable-next-line @typescript-eslint/require-await -- a task is a promise, whether or not it waits
    proof: async (number, address, slots) => {
      const header = requireHeader(store, number)
      const state = stateAfter(store, header)
      const account = state.getAccount(address)
      return {
        account,
        accountProof: accountProof(store.state, header.stateRoot, address),
        storageProofs: slots.map((slot) => ({
          value: account ? state.getStorage(address, slot) : 0n,
          proof: account ? storageProof(store.state, account.storageRoot, slot) : [],
        })),
      }
    },
    logs: (query) => searchLogs(store, query),
    // eslint-disable-next-line @typescript-eslint/require-await -- as above
    rewards: async (first, last, percentiles) =>
      Array.from({ length: last - first + 1 }, (_, at) => rewardsOf(store, first + at, percentiles)),
  }
}

/** @throws CodedError `CALL_BLOCK_UNKNOWN` */
export function requireHeader(store: Pick<TaskStore, 'header'>, number: number): Header {
  const header = store.header(number)
  if (header) return header
  throw new CodedError('CALL_BLOCK_UNKNOWN', `block ${number} is not stored here`, { details: { number } })
}

/** The state that a block left behind. */
export function stateAfter(store: Pick<TaskStore, 'state'>, { stateRoot }: Header): StateReader {
  return stateReaderAt(store.state, (codeHash) => store.state.getCode(codeHash), stateRoot)
}

/** As geth: a call on block N sees N's own number and time. */
function blockContext(store: Pick<TaskStore, 'hashAt'>, header: Header): BlockContext {
  const { number, timestamp, coinbase, gasLimit, baseFeePerGas, mixHash: prevRandao } = header
  const isSeen = (other: number): boolean => other < number && other >= number - BLOCK_HASHES
  const blockHash = (other: number): Hash | undefined => (isSeen(other) ? store.hashAt(other) : undefined)
  return { number, timestamp, coinbase, gasLimit, baseFeePerGas, prevRandao, blobBaseFee: BLOB_BASE_FEE, blockHash }
}

async function searchLogs(store: TaskStore, query: Parameters<CallTasks['logs']>[0]): ReturnType<CallTasks['logs']> {
  const { fromBlock, toBlock, resultsMax } = query
  const mayMatch = createBloomCheck(query)
  const logs: LocatedLog[] = []
  for await (const { number, logsBloom } of store.blooms(fromBlock, toBlock)) {
    if (!mayMatch(logsBloom)) continue
    for (const located of logsAt(store, number)) if (matchesLog(query, located.log)) logs.push(located)
    if (logs.length >= resultsMax) return { logs, throughBlock: number }
  }
  return { logs, throughBlock: toBlock }
}

function logsAt(store: TaskStore, number: number): LocatedLog[] {
  const hash = store.hashAt(number)
  return hash === undefined ? [] : logsOfBlock(store, { number, hash, header: requireHeader(store, number) })
}

/** Tips at the percentiles of a block's gas, the cheapest transaction first, as geth computes them. */
function rewardsOf(store: TaskStore, number: number, percentiles: readonly number[]): bigint[] {
  const { gasUsed, baseFeePerGas } = requireHeader(store, number)
  const receipts = store.receipts(number) ?? []
  const paid = (store.body(number) ?? []).map((raw, index) => ({
    tip: effectiveTip(parseTransaction(raw), baseFeePerGas),
    gas: (receipts[index]?.cumulativeGasUsed ?? 0n) - (receipts[index - 1]?.cumulativeGasUsed ?? 0n),
  }))
  paid.sort((a, b) => (a.tip < b.tip ? -1 : a.tip > b.tip ? 1 : 0))
  return percentiles.map((percentile) => {
    const threshold = (Number(gasUsed) * percentile) / 100
    let gas = 0
    return paid.find((one) => (gas += Number(one.gas)) >= threshold)?.tip ?? paid.at(-1)?.tip ?? 0n
  })
}
