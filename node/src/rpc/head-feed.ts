import type { Logger } from '../base/logger.js'
import { findBlock, type FoundBlock } from './block-lookup.js'
import { logsOfBlock } from './block-logs.js'
import type { ChainReader, LocatedLog } from './ports.js'
import { createTurns } from './turn.js'

/** A block as subscribers learn of it. */
export interface FedBlock extends FoundBlock {
  /** All logs in order; read from the store when first asked for. */
  logs(): LocatedLog[]
}

/** Every block once and in order, however many heads the chain reports at a time. */
export interface HeadFeed {
  subscribe(listener: (block: FedBlock) => void): () => void
  stop(): void
}

export function createHeadFeed(chain: ChainReader, logger: Logger): HeadFeed {
  const listeners = new Set<(block: FedBlock) => void>()
  let told = chain.head().header.number
  let telling = false

  async function tell(): Promise<void> {
    if (telling) return
    telling = true
    const turn = createTurns()
    try {
      while (told < chain.head().header.number) {
        if (listeners.size === 0) told = chain.head().header.number
        else {
          const block = findBlock(chain, { number: told + 1 })
          if (!block) break
          told = block.number
          await emit(fedBlock(chain, block), turn)
        }
      }
    } finally {
      telling = false
    }
  }

  /** Other work gets its turn between two listeners: a block may hold thousands of logs, and many may want them. */
  async function emit(block: FedBlock, turn: () => Promise<void> | undefined): Promise<void> {
    for (const listener of [...listeners]) {
      if (!listeners.has(listener)) continue
      try {
        listener(block)
      } catch (error) {
        logger.error('a listener of the head feed failed', { error })
      }
      await turn()
    }
  }

  const stop = chain.onHead(() => {
    tell().catch((error: unknown) => logger.error('the head feed failed', { error }))
  })
  return {
    stop,
    subscribe(listener) {
      // Whoever comes while nobody listens begins at the present head, also when an announcement is on its way.
      if (listeners.size === 0 && !telling) told = chain.head().header.number
      const own = (block: FedBlock): void => listener(block)
      listeners.add(own)
      return () => void listeners.delete(own)
    },
  }
}

function fedBlock(chain: ChainReader, block: FoundBlock): FedBlock {
  let logs: LocatedLog[] | undefined
  return { ...block, logs: () => (logs ??= logsOfBlock(chain, block)) }
}
