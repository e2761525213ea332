import { type Address, type Hash, ZERO_HASH, bytesToHex } from '../protocol/bytes.js'
import { ANCHOR_CONTRACT, ANCHOR_EVENT, type AnchoredBatch, readAnchoredBatch } from '../protocol/evidence-receipt.js'
import { readHashField } from '../protocol/json-fields.js'
import { DEFAULT_RETRY, backOffMs, sleep } from '../connection/retry.js'
import { SonghuaError, isSonghuaError } from '../connection/songhua-error.js'
import { createLogRange } from './adaptive.js'
import { anchorOfCall } from './batch.js'
import { type LocatedLog, listFromJson, locatedLogFromJson, numberFromJson, readAnswer, toQuantity } from './block-json.js'
import type { RpcClient } from './rpc-client.js'

/** `RecordAnchor` anchored a batch: as the endpoint tells it, not proved. */
export interface AnchorEvent extends AnchoredBatch {
  readonly blockNumber: number
  readonly transactionIndex: number
  readonly transactionHash: Hash
  /** Within the block. */
  readonly logIndex: number
  /** Resume after this event. */
  readonly cursor: string
}

export interface WatchChainOptions {
  /** Events after this one; of an event seen before. */
  readonly cursor?: string
  /** Events from this block on; from the next block on when neither is given. */
  readonly fromBlock?: number
  /** Of one account only. */
  readonly sender?: Address
  /** Between two looks at the head, ms. */
  readonly pollMs?: number
  readonly signal?: AbortSignal
}

const DEFAULT_POLL_MS = 500
const CURSOR = /^(\d{1,15})\.(\d{1,9})$/

type Topics = readonly (Hash | null)[]

const senderTopic = (sender: Address): Hash => `0x${ZERO_HASH.slice(2, 26)}${sender.slice(2)}`

async function readEvents(
  rpc: RpcClient,
  range: { from: number; to: number; topics: Topics },
  signal: AbortSignal | undefined,
): Promise<AnchorEvent[]> {
  const { from, to, topics } = range
  const filter = { address: ANCHOR_CONTRACT, topics, fromBlock: toQuantity(from), toBlock: toQuantity(to) }
  const logs = await rpc.call('eth_getLogs', [filter], signal)
  return readAnswer('eth_getLogs', () => listFromJson(logs, 'logs').map(locatedLogFromJson).map(eventOf))
}

function eventOf({ log, ...place }: LocatedLog): AnchorEvent {
  return { ...readAnchoredBatch(log), ...place, cursor: `${place.blockNumber}.${place.logIndex}` }
}

async function headOf(rpc: RpcClient, signal: AbortSignal | undefined): Promise<number> {
  const height = await rpc.call('eth_blockNumber', [], signal)
  return readAnswer('eth_blockNumber', () => numberFromJson(height, 'height'))
}

/**
 * The event of this batch, wherever it stands; undefined when the contract does not know the batch. The newest blocks are
 * looked through first, for a batch that is sent twice was sent not long ago.
 */
export async function findAnchorEvent(
  rpc: RpcClient,
  batch: { sender: Address; batchId: Hash },
  signal?: AbortSignal,
): Promise<AnchorEvent | undefined> {
  if (!(await isAnchored(rpc, batch, signal))) return undefined
  const topics = [ANCHOR_EVENT, senderTopic(batch.sender), batch.batchId]
  const width = createLogRange()
  for (let to = await headOf(rpc, signal); to >= 0; ) {
    const from = Math.max(0, to - width.size() + 1)
    const events = await width.attempt(() => readEvents(rpc, { from, to, topics }, signal))
    if (events?.[0] !== undefined) return events[0]
    // Undefined: again, in a smaller range.
    if (events !== undefined) to = from - 1
  }
  return undefined
}

async function isAnchored(
  rpc: RpcClient,
  batch: { sender: Address; batchId: Hash },
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const call = { to: ANCHOR_CONTRACT, data: bytesToHex(anchorOfCall(batch)) }
  const commitment = await rpc.call('eth_call', [call, 'latest'], signal)
  return readAnswer('eth_call', () => readHashField(commitment, 'anchorOf')) !== ZERO_HASH
}

/**
 * All batches that are anchored, in the order of the chain, for ever. An endpoint that cannot be reached is asked again
 * until it can.
 * @throws SonghuaError `OPTION_INVALID` for a cursor that is none; the signal's reason
 */
export async function* watchAnchorEvents(
  rpc: RpcClient,
  options: WatchChainOptions = {},
): AsyncGenerator<AnchorEvent, never> {
  const { signal } = options
  const topics = options.sender === undefined ? [ANCHOR_EVENT] : [ANCHOR_EVENT, senderTopic(options.sender)]
  const after = options.cursor === undefined ? undefined : parseCursor(options.cursor)
  const width = createLogRange()
  let next = after?.block ?? options.fromBlock ?? (await patiently(() => headOf(rpc, signal), signal)) + 1
  for (;;) {
    const head = await patiently(() => headOf(rpc, signal), signal)
    while (next <= head) {
      const range = { from: next, to: Math.min(head, next + width.size() - 1), topics }
      const events = await patiently(() => width.attempt(() => readEvents(rpc, range, signal)), signal)
      if (events === undefined) continue
      for (const event of events) {
        if (after === undefined || isAfter(event, after)) yield event
      }
      next = range.to + 1
    }
    await sleep(options.pollMs ?? DEFAULT_POLL_MS, signal)
  }
}

function parseCursor(cursor: string): { block: number; logIndex: number } {
  const [, block, logIndex] = CURSOR.exec(cursor) ?? []
  if (block !== undefined) return { block: Number(block), logIndex: Number(logIndex) }
  const message = `cursor "${cursor.slice(0, 40)}" is none of an event; leave it out to begin with the next block`
  throw new SonghuaError('OPTION_INVALID', message, { field: 'cursor' })
}

function isAfter(event: AnchorEvent, cursor: { block: number; logIndex: number }): boolean {
  return event.blockNumber > cursor.block || event.logIndex > cursor.logIndex
}

async function patiently<T>(ask: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await ask()
    } catch (error) {
      if (!isSonghuaError(error, 'RPC_UNREACHABLE')) throw error
      await sleep(backOffMs(DEFAULT_RETRY, Math.min(attempt, 10)), signal)
    }
  }
}
