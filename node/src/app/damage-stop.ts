import { messageOf } from '@songhua/sdk/protocol/errors'
import type { Logger } from '../base/logger.js'
import { damagedStore, markStoreDamaged } from '../storage/level-table.js'

export interface DamageStop {
  /** An error `STORE_DAMAGED`, from whichever thread read. */
  readonly onDamage: (error: Error) => void
  /** Words of whoever looked without being asked. */
  readonly onFound: (what: string) => void
}

/**
 * A store that is found damaged while the node runs ends the node: it would answer wrongly or not at all. The first finding
 * leaves a marker, so that a supervisor who starts the node again does not have it answer until the damage is met again.
 */
export function createDamageStop(
  storeDir: string,
  { logger, onBroken }: { logger: Logger; onBroken: (error: Error) => void },
): DamageStop {
  let isTold = false
  const onDamage = (error: Error): void => {
    if (isTold) return
    isTold = true
    logger.error('the chain store is damaged', { folder: storeDir, error: error.message })
    markStoreDamaged(storeDir, error.message)
      .catch((failure: unknown) => logger.error('the damage cannot be marked', { error: messageOf(failure) }))
      .finally(() => onBroken(error))
  }
  return { onDamage, onFound: (what) => onDamage(damagedStore(storeDir, what)) }
}
