/**
 * Who stands first in a block.
 *
 * - `aside`: what was set aside, then who governs
 * - `governing`: who governs; what was set aside stays out
 * - `arrival`: whoever came first; what was set aside stays out
 */
export type BlockTurn = 'aside' | 'governing' | 'arrival'

/** Golden ratio: the fractions of its multiples lie evenly, of every n-th multiple too, whatever n is. */
const PHI = (1 + Math.sqrt(5)) / 2

/**
 * Half of the blocks are for `aside`, a quarter for each other. A validator packs every n-th block alone, so that a turn
 * by the remainder of the height would give some of them one kind for ever; this gives each of them all kinds.
 */
export function turnOf(height: number): BlockTurn {
  const share = (height * PHI) % 1
  if (share < 0.5) return 'aside'
  return share < 0.75 ? 'governing' : 'arrival'
}
