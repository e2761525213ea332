import type { Address } from '@songhua/sdk/protocol/bytes'
import { quorumSize } from '@songhua/sdk/protocol/validator-set'

/** Far more than the peers that a node admits. */
const REPORTS_MAX = 4_096

/** How long a validator that has lost its consensus log keeps silent. */
export interface Silence {
  /** The head that a peer named when it connected, after our start. */
  report(peer: Address, head: number): void
  /**
   * Whether the height above `head` may be voted on. Once over, it stays over.
   * @param at `sealers`: the set that sealed the head
   */
  isOver(at: { head: number; sealers: readonly Address[]; self: Address }): boolean
}

/**
 * We may have signed at a height X, no higher than one above a decided block. Whoever helped to decide X − 1 had X − 2 as
 * its head at least, and any quorum of others of the set that decided it contains one of them that is honest. So with H
 * the highest head that a quorum of others names, X is at most H + 2; from H + 3 on nothing of what we have forgotten can
 * matter. Any quorum will do, so the one with the lowest heads is asked: a liar who names a height that will never come
 * is not needed.
 *
 * The set asked is the one that sealed the head: where the head is X − 1 or below, its sealers had its parent as their
 * head before we forgot anything. The set of the next height may have had no part in it, and lag far behind.
 *
 * Reports before our start would be too old, and each peer's first one counts, because the heads go on growing.
 * Where no quorum of others is left (one validator, two, or more than f silent at once) silence does not end by
 * itself, and the chain stands still: no vote is safer than one that may contradict a forgotten one.
 */
export function createSilence(isSilent: boolean): Silence {
  const heads = new Map<Address, number>()
  let isOver = !isSilent
  return {
    report(peer, head) {
      if (!isOver && !heads.has(peer) && heads.size < REPORTS_MAX) heads.set(peer, head)
    },
    isOver({ head, sealers, self }) {
      if (isOver) return true
      const named = sealers.flatMap((sealer) => (sealer === self ? [] : (heads.get(sealer) ?? [])))
      const highest = named.sort((a, b) => a - b)[quorumSize(sealers.length) - 1]
      if (highest === undefined) return false
      isOver = head >= highest + 2
      if (isOver) heads.clear()
      return isOver
    },
  }
}
