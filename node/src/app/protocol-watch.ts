import { blockTimeMs } from '@songhua/sdk/protocol/block-hash'
import type { Header } from '@songhua/sdk/protocol/header'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { type ProtocolChange, type ProtocolSchedule, changeBeyond, versionAt } from '../permission/protocol-schedule.js'

/** What the chain needs of this program, as the state after its last block says. JSON values only. */
export interface ProtocolStatus {
  /** For the next block. */
  readonly needed: number
  /** The highest that this program knows. */
  readonly max: number
  /** The first change that this program does not know, while blocks that it knows still come before it. */
  readonly ahead: ProtocolAhead | undefined
}

export interface ProtocolAhead extends ProtocolChange {
  readonly blocks: number
  /** At the pace of the last blocks, milliseconds from now; the chain makes blocks on demand, so it is a guess. */
  readonly inMs: number
}

export interface ProtocolWatch {
  status(): ProtocolStatus
  stop(): void
}

/** `services/chain` is one. */
export interface ScheduledChain {
  head(): { readonly header: Header; readonly blockTimeMs: number }
  protocol(): ProtocolSchedule
  onBlock(listener: () => void): () => void
}

export interface ProtocolWatchPorts {
  readonly chain: ScheduledChain
  readonly header: (number: number) => Header | undefined
  readonly clock: Clock
  readonly logger: Logger
}

export interface ProtocolWatchOptions {
  readonly max: number
  /** An empty block is made when none was for so long. */
  readonly heartbeatMs: number
}

/** Blocks by which the pace is judged. */
const PACE_BLOCKS = 100

/**
 * Warns as soon as a change is scheduled that this program does not know, so that its operator has the whole notice to
 * replace it; says when such a change is called off. That the height has come is said by consensus.
 */
export function createProtocolWatch(options: ProtocolWatchOptions, ports: ProtocolWatchPorts): ProtocolWatch {
  const { chain, logger } = ports
  const { max } = options
  const status = (): ProtocolStatus => statusOf(options, ports)
  let told: ProtocolChange | undefined
  const look = (): void => {
    const change = changeBeyond(chain.protocol(), max)
    if (change?.height === told?.height && change?.version === told?.version) return
    const { ahead } = status()
    if (ahead !== undefined) {
      const { height, version, blocks, inMs } = ahead
      const words = 'the chain will need a newer program: upgrade this node before the block named here'
      logger.warn(words, { height, version, known: max, blocks, about: aboutText(inMs) })
    } else if (change === undefined) {
      logger.info('a change of the protocol that this program does not know was called off', { ...told })
    }
    told = change
  }
  look()
  return { status, stop: chain.onBlock(look) }
}

function statusOf({ max, heartbeatMs }: ProtocolWatchOptions, { chain, header, clock }: ProtocolWatchPorts): ProtocolStatus {
  const { header: head, blockTimeMs: headMs } = chain.head()
  const schedule = chain.protocol()
  const needed = versionAt(schedule, head.number + 1)
  const change = changeBeyond(schedule, max)
  if (change === undefined || needed > max) return { needed, max, ahead: undefined }
  const blocks = change.height - head.number
  const dueMs = headMs + blocks * paceMs(head, headMs, { header, heartbeatMs })
  return { needed, max, ahead: { ...change, blocks, inMs: Math.max(0, Math.round(dueMs - clock.now())) } }
}

/** From block to block lately. Block 0 counts for nothing: its time is that of a file. */
function paceMs(
  head: Header,
  headMs: number,
  { header, heartbeatMs }: Pick<ProtocolWatchPorts, 'header'> & Pick<ProtocolWatchOptions, 'heartbeatMs'>,
): number {
  const from = Math.max(1, head.number - PACE_BLOCKS)
  const first = from < head.number ? header(from) : undefined
  return first === undefined ? heartbeatMs : Math.min(heartbeatMs, (headMs - blockTimeMs(first)) / (head.number - from))
}

const MINUTE_MS = 60_000

/** A length of time in its two largest units, whose signs are read in any language: `2 d 3 h`, `5 h 20 min`, `12 min`. */
export function aboutText(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / MINUTE_MS))
  const [days, hours] = [Math.floor(minutes / 1_440), Math.floor(minutes / 60) % 24]
  if (days > 0) return `${days} d ${hours} h`
  return hours > 0 ? `${hours} h ${minutes % 60} min` : `${minutes} min`
}
