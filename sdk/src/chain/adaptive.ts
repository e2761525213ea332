import { isSonghuaError } from '../connection/songhua-error.js'

/**
 * How much is asked of a node in one question. Limits differ from node to node, and so do the words in which they are told:
 * whatever is refused is asked for again in smaller pieces.
 */
export interface Adaptive {
  /** As much as this node was found to take, or not yet found to refuse. */
  size(): number
  /**
   * @returns undefined when it was too much, and the next question shall be smaller
   * @throws what the node said of the smallest question, or what is no refusal
   */
  attempt<T>(ask: () => Promise<T>): Promise<T | undefined>
}

const STEP = 4
/** As many as a node of ours takes in one question about logs. */
const LOG_BLOCKS = { most: 10_000, least: 1 } as const

/**
 * @param most of one question, in whatever is asked for
 * @param growsAfter so many good answers it tries more again; absent: never
 */
export function createAdaptive({ most, least, growsAfter = Infinity }: { most: number; least: number; growsAfter?: number }): Adaptive {
  let size = most
  let good = 0
  return {
    size: () => size,
    attempt: async (ask) => {
      try {
        const answer = await ask()
        if (++good >= growsAfter) [size, good] = [Math.min(most, size * STEP), 0]
        return answer
      } catch (error) {
        const isTooMuch = isSonghuaError(error, 'RPC_REFUSED') || isSonghuaError(error, 'ANSWER_TOO_LARGE')
        if (!isTooMuch || size <= least) throw error
        ;[size, good] = [Math.max(least, Math.ceil(size / STEP)), 0]
        return undefined
      }
    },
  }
}

/** Blocks in a question about logs. */
export const createLogRange = (): Adaptive => createAdaptive(LOG_BLOCKS)
