import { bytesToHex, type Hash } from '@songhua/sdk/protocol/bytes'
import { CodedError, isCodedError } from '@songhua/sdk/protocol/errors'
import type { Header } from '@songhua/sdk/protocol/header'
import type { Receipt } from '@songhua/sdk/protocol/receipt'
import { parseTransaction } from '@songhua/sdk/protocol/transaction'
import { callOn, type CallContext, type StateOverrides } from '../execution/call.js'
import { estimateGas } from '../execution/estimate-gas.js'
import type { BlockContext, Evm } from '../execution/evm.js'
import { answerGovernance } from '../execution/governance-reads.js'
import { policyStateOf } from '../permission/policy.js'
import { logsOfBlock } from '../rpc/block-logs.js'
import { logLength } from '../rpc/answer-size.js'
import { effectiveTip, logToJson } from '../rpc/json.js'
import { listOfTexts } from '../rpc/json-text.js'
import { createBloomCheck, matchesLog } from '../rpc/log-filter.js'
import type { LocatedLog, LogPage } from '../rpc/ports.js'
import { accountProof, stateReaderAt, storageProof } from '../trie/state-trie.js'
import type { NodeStore, StateReader } from '../trie/state.js'
import { callError, type CallTasks } from './call-worker-protocol.js'

/** The store, as far as calls and searches read it. */
export interface TaskStore {
  header(number: number): Header | undefined
  hashAt(number: number): Hash | undefined
  body(number: number): Uint8Array[] | undefined
  receipts(number: number): Receipt[] | undefined
  blooms(first: number, last: number): Iterable<{ number: number; logsBloom: Uint8Array }>
  readonly state: Pick<StateReader, 'getCode'> & NodeStore
}

/** EIP-4844's least; there are no blobs. */
const BLOB_BASE_FEE = 1n
/** What a call may return, revert data too, bytes: 40 times the longest contract. */
const OUTPUT_BYTES_MAX = 1024 * 1024
/** BLOCKHASH looks this far back. */
const BLOCK_HASHES = 256

export function createCallTasks(store: TaskStore, { evm, gasMax }: { evm: Evm; gasMax: bigint }): CallTasks {
  const context = (number: number, overrides: StateOverrides): CallContext => {
    const header = requireHeader(store, number)
    return { evm, gasMax, overrides, state: stateAfter(store, header), block: blockContext(store, header) }
  }
  return {
    call: async ({ block }, request, overrides) => {
      const { output, failure } = await callOn(context(block, overrides), request)
      return { output: bounded(output), failure }
    },
    estimateGas: async ({ block }, request, overrides) => {
      try {
        return await estimateGas(context(block, overrides), request)
      } catch (error) {
        if (isCodedError(error, 'CALL_REVERTED')) requireBounded((String(error.details.data).length - 2) / 2)
        throw error
      }
    },
    // eslint-disable-next-line @typescript-eslint/require-await -- a task is a promise, whether or not it waits
    proof: async ({ block }, address, slots) => {
      const header = requireHeader(store, block)
      const state = stateAfter(store, header)
      const account = state.getAccount(address)
      return {
        account,
        accountProof: accountProof(store.state, header.stateRoot, address).map(bytesToHex),
        storageProofs: slots.map((slot) => ({
          value: account ? state.getStorage(address, slot) : 0n,
          proof: account ? storageProof(store.state, account.storageRoot, slot).map(bytesToHex) : [],
        })),
      }
    },
    // eslint-disable-next-line @typescript-eslint/require-await -- as above
    governance: async ({ block }, question) => {
      const header = requireHeader(store, block)
      return answerGovernance(policyStateOf(stateAfter(store, header)), header, question)
    },
    // eslint-disable-next-line @typescript-eslint/require-await -- as above
    logs: async (query) => searchLogs(store, query),
    // eslint-disable-next-line @typescript-eslint/require-await -- as above
    rewards: async ({ firstBlock, lastBlock, percentiles }) =>
      Array.from({ length: lastBlock - firstBlock + 1 }, (_, at) => rewardsOf(store, firstBlock + at, percentiles)),
  }
}

/** A copy: sending a part of a buffer sends all of it. @throws CodedError `CALL_OUTPUT` */
function bounded(output: Uint8Array): Uint8Array {
  requireBounded(output.length)
  return output.slice()
}

/** Gas bounds what a call may return by megabytes only. */
function requireBounded(bytes: number): void {
  if (bytes <= OUTPUT_BYTES_MAX) return
  const message = `the call returns ${bytes} bytes; at most ${OUTPUT_BYTES_MAX} are answered (limit outputBytesMax)`
  throw callError('CALL_OUTPUT', message, { limit: 'outputBytesMax' })
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

function searchLogs(store: TaskStore, query: Parameters<CallTasks['logs']>[0]): LogPage {
  const { fromBlock, toBlock, resultsMax, lengthMax } = query
  const mayMatch = createBloomCheck(query)
  const texts: string[] = []
  let length = 0
  const page = (throughBlock: number, by: 'resultsMax' | 'lengthMax'): LogPage => ({
    text: listOfTexts(texts),
    throughBlock,
    endedBy: throughBlock < toBlock ? by : undefined,
  })
  for (const { number, logsBloom } of store.blooms(fromBlock, toBlock)) {
    if (!mayMatch(logsBloom)) continue
    const found = logsAt(store, number).filter(({ log }) => matchesLog(query, log))
    length += found.reduce((sum, { log }) => sum + logLength(log), 0)
    if (length > lengthMax && texts.length > 0) return page(number - 1, 'lengthMax')
    for (const located of found) texts.push(JSON.stringify(logToJson(located)))
    if (length > lengthMax) return page(number, 'lengthMax')
    if (texts.length >= resultsMax) return page(number, 'resultsMax')
  }
  return page(toBlock, 'resultsMax')
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
