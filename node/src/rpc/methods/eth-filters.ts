import { z } from 'zod'
import { findBlock, referenceToNumber } from '../block-lookup.js'
import { invalidParams, limitExceeded, RpcError } from '../errors.js'
import type { Filters, FilterState, LogFilterState } from '../filters.js'
import { quantityToJson } from '../json.js'
import { JsonText } from '../json-text.js'
import type { RpcLimits } from '../limits.js'
import { defineMethod, param, type Method } from '../method.js'
import type { ChainReader, HistorySearch, LogPage, LogQuery } from '../ports.js'
import { hashJson, logJson } from '../result-schemas.js'
import { logFilter, type BlockReference, type LogFilterRequest } from '../schemas.js'
import type { Hash } from '@songhua/sdk/protocol/bytes'

interface Ports {
  chain: ChainReader
  history: HistorySearch
  filters: Filters
  limits: RpcLimits
}

const filterId = z.string('must be a filter id').regex(/^0x[0-9a-f]{1,64}$/, 'must be a filter id')
const idJson = z.string().regex(/^0x[0-9a-f]{32}$/)

/** Log searches and filters that are polled. Searches run away from this thread. */
export function ethFilterMethods(ports: Ports): Method[] {
  const { chain, filters } = ports
  const nextBlock = (): number => chain.head().header.number + 1
  const add = (name: string, summary: string, state: () => FilterState): Method =>
    defineMethod({ name, summary, params: [], result: idJson, handler: (_params, session) => filters.add(state(), session) })
  return [
    defineMethod({
      name: 'eth_getLogs',
      summary: 'Logs of past blocks that match a filter',
      params: [param('filter', logFilter)],
      result: z.array(logJson),
      handler: ([filter], { client }) => searchAll(ports, filter, client),
    }),
    defineMethod({
      name: 'eth_newFilter',
      summary: 'Makes a filter that collects logs of coming blocks',
      params: [param('filter', logFilter)],
      result: idJson,
      handler: ([filter], session) => filters.add(newLogFilter(chain, filter), session),
    }),
    add('eth_newBlockFilter', 'Makes a filter that collects hashes of coming blocks', () => ({
      kind: 'blocks',
      nextBlock: nextBlock(),
    })),
    add(
      'eth_newPendingTransactionFilter',
      'Makes a filter that collects hashes of transactions as they enter the pool',
      () => ({
        kind: 'transactions',
        hashes: [],
        missed: false,
      }),
    ),
    defineMethod({
      name: 'eth_getFilterChanges',
      summary: 'What a filter has collected since the last poll',
      params: [param('filterId', filterId)],
      result: z.union([z.array(hashJson), z.array(logJson)]),
      handler: ([id], { client }) => changes(ports, filters.get(id), client),
    }),
    defineMethod({
      name: 'eth_getFilterLogs',
      summary: 'All logs between the bounds of a log filter',
      params: [param('filterId', filterId)],
      result: z.array(logJson),
      handler: ([id], { client }) => {
        const state = filters.get(id)
        if (state.kind !== 'logs')
          throw new RpcError('RPC_FILTER_NOT_FOUND', `filter not found: ${id} is no log filter`)
        const { fromBlock, addresses, topics } = state
        return searchRange(ports, {
          fromBlock,
          toBlock: state.toBlock ?? chain.head().header.number,
          addresses,
          topics,
          client,
        })
      },
    }),
    defineMethod({
      name: 'eth_uninstallFilter',
      summary: 'Ends a filter; false when there is no such filter',
      params: [param('filterId', filterId)],
      result: z.boolean(),
      handler: ([id]) => filters.remove(id),
    }),
  ]
}

function newLogFilter(chain: ChainReader, request: LogFilterRequest): LogFilterState {
  if (request.blockHash)
    throw invalidParams('invalid argument 0 (filter.blockHash): a filter is of a range; use eth_getLogs')
  const head = chain.head().header.number
  const bound = (reference: BlockReference | undefined): number | undefined =>
    reference === undefined || ('tag' in reference && reference.tag !== 'earliest')
      ? undefined
      : referenceToNumber(chain, reference)
  const fromBlock = bound(request.fromBlock) ?? head
  const toBlock = bound(request.toBlock)
  if (toBlock !== undefined && toBlock < fromBlock) throw badRange(fromBlock, toBlock)
  const { addresses, topics } = request
  return { kind: 'logs', addresses, topics, fromBlock, toBlock, nextBlock: Math.max(fromBlock, head + 1) }
}

function badRange(from: number, to: number): RpcError {
  return invalidParams(`invalid argument 0 (filter.toBlock): block ${to} lies before fromBlock ${from}`, {
    argument: 0,
    name: 'filter',
  })
}

async function changes({ chain, history, limits }: Ports, state: FilterState, client: string): Promise<Hash[] | JsonText> {
  const head = chain.head().header.number
  switch (state.kind) {
    case 'transactions': {
      if (state.missed) {
        Object.assign(state, { hashes: [], missed: false })
        throw limitExceeded(
          'filterHashesMax',
          `more than ${limits.filterHashesMax} transactions came since the last poll`,
        )
      }
      return state.hashes.splice(0)
    }
    case 'blocks': {
      const last = Math.min(head, state.nextBlock + limits.logBlocksMax - 1)
      const first = state.nextBlock
      state.nextBlock = Math.max(first, last + 1)
      return Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => chain.hashAt(first + at)).filter(
        (one) => one !== undefined,
      )
    }
    case 'logs': {
      const { addresses, topics, nextBlock: fromBlock } = state
      const toBlock = Math.min(head, state.toBlock ?? head, fromBlock + limits.logBlocksMax - 1)
      if (toBlock < fromBlock) return NO_LOGS
      // Moved before the search, so that two polls at a time do not both get the same logs; moved back on failure.
      state.nextBlock = toBlock + 1
      const page = await searchOrRestore(
        history,
        { fromBlock, toBlock, addresses, topics, client, ...pageBounds(limits) },
        state,
      )
      return new JsonText(page.text)
    }
    default:
      return state satisfies never
  }
}

async function searchOrRestore(history: HistorySearch, query: LogQuery, state: LogFilterState): Promise<LogPage> {
  try {
    const page = await history.logs(query)
    if (page.throughBlock < query.toBlock) state.nextBlock = Math.min(state.nextBlock, page.throughBlock + 1)
    return page
  } catch (error) {
    state.nextBlock = query.fromBlock
    throw error
  }
}

function searchAll(ports: Ports, request: LogFilterRequest, client: string): Promise<JsonText> | JsonText {
  const { chain } = ports
  const { addresses, topics, blockHash } = request
  const head = chain.head().header.number
  if (blockHash) {
    const found = findBlock(chain, { hash: blockHash })
    if (!found) throw new RpcError('RPC_HEADER_NOT_FOUND', `unknown block ${blockHash}`)
    return searchRange(ports, { fromBlock: found.number, toBlock: found.number, addresses, topics, client })
  }
  const fromBlock = referenceToNumber(chain, request.fromBlock ?? { tag: 'latest' }) ?? head
  const toBlock = referenceToNumber(chain, request.toBlock ?? { tag: 'latest' }) ?? head
  if (toBlock < fromBlock) {
    // The head may lie before a fromBlock still to come: nothing yet, rather than an error.
    if (request.toBlock === undefined || 'tag' in request.toBlock) return NO_LOGS
    throw badRange(fromBlock, toBlock)
  }
  return searchRange(ports, { fromBlock, toBlock, addresses, topics, client })
}

/** @throws RPC_LIMIT_EXCEEDED with a range that would have been answered */
async function searchRange({ chain, history, limits }: Ports, query: Omit<LogQuery, keyof PageBounds>): Promise<JsonText> {
  const toBlock = Math.min(query.toBlock, chain.head().header.number)
  const { fromBlock } = query
  if (toBlock < fromBlock) return NO_LOGS
  const blocks = toBlock - fromBlock + 1
  if (blocks > limits.logBlocksMax) {
    const hint = rangeHint(fromBlock, fromBlock + limits.logBlocksMax - 1)
    throw limitExceeded(
      'logBlocksMax',
      `the search covers ${blocks} blocks; at most ${limits.logBlocksMax} are searched: ${hint}`,
    )
  }
  const { text, throughBlock, endedBy } = await history.logs({ ...query, toBlock, ...pageBounds(limits) })
  if (endedBy === undefined) return new JsonText(text)
  const hint = rangeHint(fromBlock, Math.max(fromBlock, throughBlock))
  if (endedBy === 'resultsMax') {
    throw limitExceeded('logResultsMax', `the search found more than ${limits.logResultsMax} logs: ${hint}`)
  }
  throw limitExceeded('logBytesMax', `the logs found come to more than ${limits.logBytesMax} bytes: ${hint}`)
}

const NO_LOGS = new JsonText('[]')

type PageBounds = Pick<LogQuery, 'resultsMax' | 'lengthMax'>

const pageBounds = ({ logResultsMax, logBytesMax }: RpcLimits): PageBounds => ({ resultsMax: logResultsMax, lengthMax: logBytesMax })

const rangeHint = (from: number, to: number): string =>
  `try fromBlock ${quantityToJson(from)}, toBlock ${quantityToJson(to)}`
