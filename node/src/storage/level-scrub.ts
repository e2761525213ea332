import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '@songhua/sdk/protocol/errors'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { liveTables } from './level-inspect.js'
import { tableDamage } from './level-file-scan.js'

/** A table of 2 MiB costs 6 ms of checking; at this pace a hundredth of a core. */
const PAUSE_PER_TABLE_MS = 500
/** From the end of one pass to the next. */
const PAUSE_PER_PASS_MS = 24 * 60 * 60 * 1000

export interface ScrubPorts {
  readonly clock: Clock
  readonly logger: Logger
  /** What was found; the scrub has ended then. */
  readonly onDamage: (what: string) => void
}

/**
 * Reads all tables of an open database, one after the other and once a day, and compares every checksum: damage in what
 * nobody asks for is found while the other nodes still have it, and before a compaction copies it as if it were whole.
 * @returns ends it
 */
export function startScrub(folder: string, { clock, logger, onDamage }: ScrubPorts): () => void {
  let cancel = (): void => undefined
  let isStopped = false
  let names: string[] = []
  const step = async (): Promise<number> => {
    if (names.length === 0) names = await liveTables(folder)
    const name = names.shift()
    const damage = name && (await damageOf(join(folder, name)))
    if (damage) throw new Damaged(`${name}: ${damage}`)
    return names.length > 0 ? PAUSE_PER_TABLE_MS : PAUSE_PER_PASS_MS
  }
  const next = (delayMs: number): void => {
    if (isStopped) return
    cancel = clock.after(delayMs, () => {
      step().then(next, (error: unknown) => {
        if (isStopped) return
        if (error instanceof Damaged) return onDamage(error.message)
        logger.warn('the files of the chain store cannot be checked', { error: messageOf(error) })
        next(PAUSE_PER_PASS_MS)
      })
    })
  }
  next(PAUSE_PER_TABLE_MS)
  return () => {
    isStopped = true
    cancel()
  }
}

class Damaged extends Error {}

/** A compaction may have put another table in the place of this one meanwhile. */
async function damageOf(path: string): Promise<string | undefined> {
  const file = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  return file && tableDamage(file)
}
