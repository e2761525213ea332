import type { Transaction } from '@songhua/sdk/protocol/transaction'
import type { PoolEntry, SenderQueue } from './sender-queue.js'

/** Whether an executable entry is offered for the block at `height`. */
export function isOffered(entry: PoolEntry, height: number): boolean {
  return entry.asideUntilHeight <= height
}

interface Turn {
  readonly queue: SenderQueue
  readonly entry: PoolEntry
}

/**
 * The order in which transactions enter a block. Fees are zero, so arrival decides, and nobody's thousand transactions
 * stand in front of another's one: in each turn every account gives one, its lowest nonce, the turn sorted by arrival.
 * An account that was served starts anew behind all that had arrived by then, so that this holds over blocks, too:
 * a thousand transactions that take a whole block each keep another's one waiting for a block, not for a thousand.
 * Those that were set aside and are due again come first, because only there can they have a whole block.
 *
 * The pool may change while a block is packed: an account whose next transaction has gone is passed over.
 */
export function* fairOrder(queues: Iterable<SenderQueue>, height: number): Generator<Transaction, void> {
  let turns: Turn[] = []
  const take = (queue: SenderQueue, entry: PoolEntry | undefined): void => {
    if (entry?.isExecutable && isOffered(entry, height)) turns.push({ queue, entry })
  }
  for (const queue of queues) if (queue.held === undefined) take(queue, queue.first())
  while (turns.length > 0) {
    const sorted = turns.sort(byTurn)
    turns = []
    for (const { queue, entry } of sorted) {
      const { nonce } = entry.transaction
      if (queue.at(nonce) !== entry) continue
      yield entry.transaction
      take(queue, queue.at(nonce + 1n))
    }
  }
}

function byTurn({ entry: a, queue: aQueue }: Turn, { entry: b, queue: bQueue }: Turn): number {
  const [aAside, bAside] = [a.asideUntilHeight > 0, b.asideUntilHeight > 0]
  if (aAside !== bAside) return aAside ? -1 : 1
  const placeOf = (entry: PoolEntry, { servedAt }: SenderQueue): number => Math.max(entry.arrival, servedAt)
  return placeOf(a, aQueue) - placeOf(b, bQueue) || a.arrival - b.arrival
}
