import { isCodedError, messageOf } from '@songhua/sdk/protocol/errors'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import type { AddressBook } from './address-book.js'

export interface DialerPorts {
  readonly clock: Clock
  readonly logger: Logger
  /** Whether a dial makes sense now: not connected, not banned, admitted or a bootnode. */
  wants(id: string): boolean
  dial(addresses: readonly string[]): Promise<void>
  count(name: string): void
}

/** The redial loop: wakes when a peer's back-off ends, or when told that something changed. */
export interface Dialer {
  start(): void
  wake(): void
  stop(): void
  /** The bootnode whose place is being asked who stands there now, whatever its key, unless `peerId` is being dialled by name. */
  askedFor(peerId: string): string | undefined
}

/** Between looks when nothing is due: what `wants` answers may change without a call. */
const IDLE_MS = 5_000
const SOON_MS = 20

/**
 * The redial loop. A bootnode's addresses outlive its key: when another key answers there, as after a rotation that this
 * node has slept through, it is dialled once more without naming a key. Whoever answers has proved nothing by that. It must
 * name the same genesis; its own gate must admit this node; and until the list here names it, it is a source of sealed
 * blocks and no more (`Standing`). One such dial goes on at a time, so that its answer can be told from others.
 */
export function createDialer(book: AddressBook, dialsAtOnceMax: number, ports: DialerPorts): Dialer {
  const dialling = new Set<string>()
  let asked: string | undefined
  let cancel: (() => void) | undefined
  let running = false

  const dial = async (id: string): Promise<void> => {
    dialling.add(id)
    ports.count('dials')
    try {
      await ports.dial(book.addressesOf(id))
      book.onAnswer(id, undefined)
    } catch (error) {
      ports.count('dials_failed')
      book.onFailure(id)
      ports.logger.debug('a peer could not be dialled', { peer: id, error: messageOf(error) })
      // Its turn is over only then: a second dial by name meanwhile would ask a second time.
      if (isCodedError(error, 'DIAL_OTHER_KEY')) await ask(id)
    } finally {
      dialling.delete(id)
      wake()
    }
  }

  const ask = async (id: string): Promise<void> => {
    const addresses = book.configuredOf(id).map((address) => address.replace(/\/p2p\/[^/]+$/, ''))
    if (addresses.length === 0 || asked !== undefined || !running) return
    asked = id
    ports.count('dials_any_key')
    try {
      await ports.dial(addresses)
    } catch (error) {
      ports.logger.debug('whoever has the place of a bootnode could not be dialled', { bootnode: id, error: messageOf(error) })
    } finally {
      asked = undefined
    }
  }

  const look = (): void => {
    const now = ports.clock.now()
    for (const id of book.due(now)) {
      if (dialling.size >= dialsAtOnceMax) break
      if (!dialling.has(id) && ports.wants(id)) void dial(id)
    }
    const waitMs = book.nextDueMs() - now
    sleep(waitMs > 0 ? Math.min(waitMs, IDLE_MS) : IDLE_MS)
  }

  const sleep = (delayMs: number): void => {
    cancel?.()
    if (running) cancel = ports.clock.after(delayMs, look)
  }

  const wake = (): void => sleep(SOON_MS)

  return {
    start() {
      running = true
      look()
    },
    wake,
    stop() {
      running = false
      cancel?.()
    },
    askedFor: (peerId) => (dialling.has(peerId) ? undefined : asked),
  }
}
