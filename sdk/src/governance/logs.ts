import type { Address, Hash } from '../protocol/bytes.js'
import { readObject } from '../protocol/json-fields.js'
import { createLogRange } from '../chain/adaptive.js'
import { type LocatedLog, listFromJson, locatedLogFromJson, numberFromJson, readAnswer, toQuantity } from '../chain/block-json.js'
import type { RpcClient } from '../chain/rpc-client.js'

export interface LogQuestion {
  readonly addresses: readonly Address[]
  /** Alternatives for the first topic; any when absent. */
  readonly events?: readonly Hash[]
  readonly from: number
  /** Included. */
  readonly to: number
}

export interface TimedLog extends LocatedLog {
  /** Seconds since 1970; undefined where the node does not say it with its logs. */
  readonly timestamp: number | undefined
}

/** Logs in the order of the chain, a list for each range of blocks that the node answers in one go; lists may be empty. */
export async function* readLogs(rpc: RpcClient, question: LogQuestion, signal?: AbortSignal): AsyncGenerator<TimedLog[]> {
  const { addresses, events, to } = question
  const range = createLogRange()
  for (let from = question.from; from <= to; ) {
    const last = Math.min(to, from + range.size() - 1)
    const filter = {
      address: addresses, topics: events === undefined ? [] : [events], fromBlock: toQuantity(from), toBlock: toQuantity(last),
    }
    const logs = await range.attempt(() => rpc.call('eth_getLogs', [filter], signal))
    // Undefined: again, in a smaller range.
    if (logs === undefined) continue
    yield readAnswer('eth_getLogs', () => listFromJson(logs, 'logs').map(timedLogFromJson))
    from = last + 1
  }
}

function timedLogFromJson(value: unknown): TimedLog {
  const { blockTimestamp } = readObject(value, 'log')
  const timestamp = blockTimestamp === undefined ? undefined : numberFromJson(blockTimestamp, 'log.blockTimestamp')
  return { ...locatedLogFromJson(value), timestamp }
}
