import { messageOf } from '@songhua/sdk/protocol/errors'
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
}

/** Between looks when nothing is due: what `wants` answers may change without a call. */
const IDLE_MS = 5_000
const SOON_MS = 20

export function createDialer(book: AddressBook, dialsAtOnceMax: number, ports: DialerPorts): Dialer {
  const dialling = new Set<string>()
  let cancel: (() => void) | undefined
  let running = false

  const dial = async (id: string): Promise<void> => {
    dialling.add(id)
    ports.count('dials')
    try {
      await ports.dial(book.addressesOf(id))
    } catch (error) {
      ports.count('dials_failed')
      book.onFailure(id)
      ports.logger.debug('a peer could not be dialled', { peer: id, error: messageOf(error) })
    } finally {
      dialling.delete(id)
      wake()
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
  }
}
