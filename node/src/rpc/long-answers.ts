import { createFairQueue } from '../base/fair-queue.js'
import { limitExceeded, RpcError } from './errors.js'
import { JsonText } from './json-text.js'
import type { RpcLimits } from './limits.js'
import type { Session } from './method.js'
import { createTurns } from './turn.js'

/** Lets other work run once a stretch of the thread is used up. @throws RPC_CLIENT_GONE */
export type Turn = () => Promise<void> | undefined

/**
 * Answers that come to megabytes for a request of a hundred bytes. While they are made they take turns with all other work,
 * so that without a bound every one that was asked for would be there by halves.
 */
export interface LongAnswers {
  /**
   * Waits until there is room, then makes the answer.
   * @param length of the answer at most, characters; a short one does not wait
   * @param make the JSON
   * @throws RPC_LIMIT_EXCEEDED, RPC_CLIENT_GONE
   */
  make(session: Session, length: number, make: (turn: Turn) => Promise<string> | string): Promise<JsonText>
  /** @throws RPC_LIMIT_EXCEEDED for what would be longer than a response may be */
  checkLength(length: number, what: string): void
  /** Requests that wait for room. */
  readonly waiting: number
}

/** All that are made at a time, should all be of this length and all of the most requests ask for one: 64 MiB, characters. */
const SHORT_LENGTH_MAX = 32 * 1024

/** Made at once. */
export const isShort = (length: number): boolean => length <= SHORT_LENGTH_MAX

export function createLongAnswers(limits: RpcLimits): LongAnswers {
  const waiting = createFairQueue<{ length: number; enter: () => void; refuse: (error: RpcError) => void }>({
    totalMax: limits.longAnswersWaitingMax,
    shareMax: limits.longAnswersWaitingPerAddressMax,
    onDisplaced: ({ refuse }) => refuse(limitExceeded('longAnswersWaitingMax', 'too many long answers are waited for, by your address more than by others; try again')),
  })
  let held = 0

  function admit(): void {
    for (let next = waiting.peek(); next && held + next.length <= limits.longAnswersBytesMax; next = waiting.peek()) {
      waiting.shift()
      held += next.length
      next.enter()
    }
  }

  function enter(client: string, length: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const refused = waiting.push(client, { length, enter: resolve, refuse: reject })
      if (refused === 'total') throw limitExceeded('longAnswersWaitingMax', 'too many long answers are waited for; try again')
      if (refused === 'share') throw limitExceeded('longAnswersWaitingPerAddressMax', 'your address waits for too many long answers')
      admit()
    })
  }

  return {
    get waiting() {
      return waiting.size
    },
    async make(session, atMost, make) {
      const turn = turnsOf(session)
      if (isShort(atMost)) return new JsonText(await make(turn))
      // One as long as a response may be has room when no other is made.
      const length = Math.min(atMost, limits.responseBytesMax, limits.longAnswersBytesMax)
      await enter(session.client, length)
      try {
        stayFor(session)
        return new JsonText(await make(turn))
      } finally {
        held -= length
        admit()
      }
    },
    checkLength(length, what) {
      if (length <= limits.responseBytesMax) return
      throw limitExceeded('responseBytesMax', `${what} would be longer than ${limits.responseBytesMax} bytes`)
    },
  }
}

function turnsOf(session: Session): Turn {
  const turn = createTurns(session.client)
  return () => turn()?.then(() => stayFor(session))
}

/** Nobody would read the answer. */
function stayFor(session: Session): void {
  if (session.isGone()) throw new RpcError('RPC_CLIENT_GONE', 'the client has closed the connection')
}
