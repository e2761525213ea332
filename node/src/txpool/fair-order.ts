import type { Transaction } from '@songhua/sdk/protocol/transaction'
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
 * Before the first turn come, in order, those that were set aside and are due again, because only there can they have a
 * whole block, and one of each administrator who governs, up to half a block's gas: a member's thousand accounts keep no
 * vote waiting. Blocks of even height in which such a one stands leave out what was set aside, so that neither waits for
 * more than a block for the other.
 *
 * The pool may change while a block is packed: an account whose next transaction has gone is passed over.
 */
export function* fairOrder(queues: Iterable<SenderQueue>, { height, blockGasLimit }: OrderOptions): Generator<Transaction, void> {
  let turns: Turn[] = []
  for (const queue of queues) {
    const entry = queue.held === undefined ? queue.first() : undefined
    if (entry !== undefined && isOffered(entry, height)) turns.push({ queue, entry })
  }
  const governing = governingTurns(turns, { height, gasMax: blockGasLimit / 2n })
  const leavesOutAside = governing.size > 0 && height % 2 === 0
  const mayStand = (entry: PoolEntry): boolean => isOffered(entry, height) && !(leavesOutAside && isAside(entry))
  const rankOf = (turn: Turn): number => (isAside(turn.entry) ? 0 : governing.has(turn) ? 1 : 2)
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
 * As many as their gas limits allow. One that asks for more than all of it is among them in every second block only, so
 * that it cannot keep others out of each block until its quota is used up.
 */
function governingTurns(turns: readonly Turn[], { height, gasMax }: { height: number; gasMax: bigint }): ReadonlySet<Turn> {
  const chosen = new Set<Turn>()
  let gas = 0n
  for (const turn of turns.filter(({ entry }) => entry.isGovernance && !isAside(entry)).sort(byPlace)) {
    const { gasLimit } = turn.entry.transaction
    const isAlone = chosen.size === 0 && height % 2 === 0
    if (gas + gasLimit > gasMax && !isAlone) continue
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
