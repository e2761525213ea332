import type { Hash } from '../protocol/bytes.js'
import { readHashField, readObject } from '../protocol/json-fields.js'
import { SonghuaError } from '../connection/songhua-error.js'
import { numberFromJson, readAnswer, toQuantity } from '../chain/block-json.js'
import type { RpcClient } from '../chain/rpc-client.js'

/** A block, as far as it is named by what is told of it. */
export interface BlockMark {
  readonly number: number
  readonly hash: Hash
  /** Seconds since 1970. */
  readonly timestamp: number
}

const BLOCK = 'eth_getBlockByNumber'

/** @throws SonghuaError `RPC_ANSWER` when the node has no such block */
export async function readBlockMark(rpc: RpcClient, block: number | 'latest', signal?: AbortSignal): Promise<BlockMark> {
  const answer = await rpc.call(BLOCK, [block === 'latest' ? block : toQuantity(block), false], signal)
  if (answer === null) throw new SonghuaError('RPC_ANSWER', `${BLOCK}: the node has no block ${block}; it may be behind the others`)
  return readAnswer(BLOCK, () => blockMarkFromJson(answer))
}

export function blockMarkFromJson(value: unknown): BlockMark {
  const json = readObject(value, 'block')
  return {
    number: numberFromJson(json.number, 'block.number'),
    hash: readHashField(json.hash, 'block.hash'),
    timestamp: numberFromJson(json.timestamp, 'block.timestamp'),
  }
}

/**
 * The first block with this time or a later one; undefined when the head is earlier. Block times never decrease, so it is
 * found in as many questions as the head's number has bits.
 * @param timestamp seconds since 1970
 */
export async function firstBlockSince(rpc: RpcClient, timestamp: number, signal?: AbortSignal): Promise<number | undefined> {
  const head = await readBlockMark(rpc, 'latest', signal)
  if (head.timestamp < timestamp) return undefined
  let [low, high] = [0, head.number]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if ((await readBlockMark(rpc, middle, signal)).timestamp < timestamp) low = middle + 1
    else high = middle
  }
  return low
}
