import type { Transaction } from '@songhua/sdk/protocol/transaction'
import { turnOf } from './block-turn.js'
import type { PoolEntry, SenderQueue } from './sender-queue.js'

/** Whether an executable entry is offered for the block at `height`. */
export function isOffered(entry: PoolEntry, height: number): boolean {
  return entry.asideUntilHeight <= height
}

/** For which block. */
export interface OrderOptions {
  readonly height: number
  readonly blockGasLimit: bigint
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
 *
 * Before the first turn come, in an order that changes from block to block ({@link turnOf}), those that were set aside and
 * are due again, because only there can they have a whole block, and one of each administrator who governs, up to half a
 * block's gas: a member's thousand accounts keep no vote waiting. In some blocks nobody comes before the first turn, so that
 * these do not keep out for ever what needs nearly a whole block.
 *
 * The pool may change while a block is packed: an account whose next transaction has gone is passed over.
 */
export function* fairOrder(queues: Iterable<SenderQueue>, { height, blockGasLimit }: OrderOptions): Generator<Transaction, void> {
  let turns: Turn[] = []
  for (const queue of queues) {
    const entry = queue.held === undefined ? queue.first() : undefined
    if (entry !== undefined && isOffered(entry, height)) turns.push({ queue, entry })
  }
  const blockTurn = turnOf(height)
  const governing = blockTurn === 'arrival' ? new Set<Turn>() : governingTurns(turns, { gasMax: blockGasLimit / 2n, mayExceed: blockTurn === 'governing' })
  const leavesOutAside = blockTurn === 'arrival' ? turns.some(({ entry }) => !isAside(entry)) : blockTurn === 'governing' && governing.size > 0
  const mayStand = (entry: PoolEntry): boolean => isOffered(entry, height) && !(leavesOutAside && isAside(entry))
  const rankOf = (one: Turn): number => (isAside(one.entry) ? 0 : governing.has(one) ? 1 : 2)
  turns = turns.filter(({ entry }) => mayStand(entry))
  while (turns.length > 0) {
    const sorted = turns.sort((a, b) => rankOf(a) - rankOf(b) || byPlace(a, b))
    turns = []
    for (const { queue, entry } of sorted) {
      const { nonce } = entry.transaction
      if (queue.at(nonce) !== entry) continue
      yield entry.transaction
      const next = queue.at(nonce + 1n)
      if (next?.isExecutable && mayStand(next)) turns.push({ queue, entry: next })
    }
  }
}

/**
 * As many as their gas limits allow.
 * @param share.mayExceed whether one alone may ask for more: not in each block, or it would keep others out of each until
 * its quota is used up
 */
function governingTurns(turns: readonly Turn[], { gasMax, mayExceed }: { gasMax: bigint; mayExceed: boolean }): ReadonlySet<Turn> {
  const chosen = new Set<Turn>()
  let gas = 0n
  for (const turn of turns.filter(({ entry }) => entry.isGovernance && !isAside(entry)).sort(byPlace)) {
    const { gasLimit } = turn.entry.transaction
    if (gas + gasLimit > gasMax && !(mayExceed && chosen.size === 0)) continue
    gas += gasLimit
    chosen.add(turn)
  }
  return chosen
}

const isAside = ({ asideUntilHeight }: PoolEntry): boolean => asideUntilHeight > 0

function byPlace({ entry: a, queue: aQueue }: Turn, { entry: b, queue: bQueue }: Turn): number {
  const placeOf = (entry: PoolEntry, { servedAt }: SenderQueue): number => Math.max(entry.arrival, servedAt)
  return placeOf(a, aQueue) - placeOf(b, bQueue) || a.arrival - b.arrival
}
