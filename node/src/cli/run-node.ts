import { type CodedError, isCodedError, messageOf } from '@songhua/sdk/protocol/errors'
import type { NodeConfig } from '../app/config.js'
import { DISK_LOOK_MS, diskReserve, freeBytesAt, resumeBytes } from '../app/disk-room.js'
import type { RunningNode } from '../app/node.js'
import { type CliContext, note } from './context.js'
import { startHeapCompaction } from './heap-compaction.js'
import { createProgress } from './progress.js'
import { titledMessage } from './titles/error-text.js'

export interface RunNodeOptions {
  /** Resolves at the request to stop. */
  readonly stop: Promise<void>
  /** Each time that the node runs. */
  readonly onStarted: (node: RunningNode) => void
  /** A node that cannot even start for want of room ends with that error: somebody waits for it to be ready. */
  readonly isManaged: boolean
}

/**
 * Runs a node until it is asked to stop. When its disk has no room, the node is closed and started again in this process
 * as soon as there is enough: a supervisor sees one process that lives, not one that fails again and again.
 * @throws CodedError of whatever else ends the node
 */
export async function runNode(context: CliContext, config: NodeConfig, options: RunNodeOptions): Promise<void> {
  const stopCompaction = startHeapCompaction()
  try {
    await runWhileRoom(context, config, options)
  } finally {
    stopCompaction()
  }
}

async function runWhileRoom(context: CliContext, config: NodeConfig, options: RunNodeOptions): Promise<void> {
  let hasRun = false
  for (;;) {
    const onStarted = (node: RunningNode): void => {
      hasRun = true
      options.onStarted(node)
    }
    const full = await runUntilFull(context, config, { ...options, onStarted })
    if (full === undefined) return
    if (options.isManaged && !hasRun) throw full
    if (await waitForRoom(context, config, { full, stop: options.stop })) return
    note(context, context.t('diskResumes', { path: config.dataDir }))
  }
}

/** @returns what stopped it when that was a full disk, undefined when it was asked to stop */
async function runUntilFull(
  context: CliContext,
  config: NodeConfig,
  { stop, onStarted }: RunNodeOptions,
): Promise<CodedError | undefined> {
  // The node with its EVM and network is loaded here, so that other commands answer at once.
  const { createNode } = await import('../app/node.js')
  try {
    const node = await createNode(config)
    onStarted(node)
    await runUntilStopped(context, node, stop)
    return undefined
  } catch (error) {
    if (isCodedError(error, 'DISK_FULL')) return error
    throw error
  }
}

async function runUntilStopped(context: CliContext, node: RunningNode, stop: Promise<void>): Promise<void> {
  const progress = createProgress(context, context.t('syncing'))
  node.onSyncProgress(({ currentBlock, highestBlock }) => progress.show(currentBlock, highestBlock))
  const fatal = new Promise<never>((_, reject) => node.onFatal(reject))
  try {
    await Promise.race([stop, fatal])
  } finally {
    progress.end()
    await node.stop()
  }
}

/** @returns whether it was asked to stop meanwhile */
async function waitForRoom(
  context: CliContext,
  config: NodeConfig,
  { full, stop }: { full: CodedError; stop: Promise<void> },
): Promise<boolean> {
  const reserve = diskReserve(config)
  const needed = resumeBytes(reserve)
  const free = (): Promise<number> => freeBytesAt(reserve.path)
  note(context, `${full.code}: ${titledMessage(context.language, full.code, full.message)}`)
  note(context, context.t('diskFull', { path: reserve.path, free: await free(), needed }))
  const { openPausedDoor } = await import('../app/paused-door.js')
  const door = await openPausedDoor(config, full, free).catch((error: unknown) => {
    note(context, messageOf(error))
    return undefined
  })
  const isStopped = await untilRoom({ stop, hasRoom: async () => (await free()) >= needed })
  await door?.stop()
  return isStopped
}

async function untilRoom({ stop, hasRoom }: { stop: Promise<void>; hasRoom: () => Promise<boolean> }): Promise<boolean> {
  const stopped = stop.then(() => true)
  for (;;) {
    let timer: NodeJS.Timeout | undefined
    const look = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), DISK_LOOK_MS)))
    if (await Promise.race([stopped, look])) {
      clearTimeout(timer)
      return true
    }
    if (await hasRoom()) return false
  }
}
