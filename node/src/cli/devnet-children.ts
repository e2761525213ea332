import { type ChildProcess, spawn } from 'node:child_process'
import { open, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '@songhua/sdk/protocol/errors'
import type { RunningNode } from '../app/node.js'
import { type CliContext, cliError } from './context.js'
import type { DevnetNode } from './devnet-folder.js'
import { NODE_LOG_FILE } from './devnet-plan.js'

/** How long a node may take to stop before it is killed, ms. */
const STOP_TIMEOUT_MS = 10_000
/** A log larger than this is set aside (one older log is kept) when its node starts, bytes. */
const LOG_ROTATE_BYTES = 16 * 1024 * 1024
/**
 * As in the first line of bin/songhua.mjs: bounds the young generation. At full load on quiet cores 212 MB resident for
 * each node instead of 222 to 232, for about a tenth of the throughput (639 instead of 720 transactions a second).
 */
const YOUNG_HEAP = '--max-semi-space-size=8'
/**
 * Of glibc, passed over elsewhere; inherited by the gateway. LevelDB allocates on several threads, each of which would
 * get an arena that gives nothing back: under load 142 MB anonymous memory after 7 minutes instead of 160, for the same CPU time.
 */
const FEW_ARENAS = { MALLOC_ARENA_MAX: '2' }
const LOG_TAIL_LINES = 12
const LOG_TAIL_BYTES = 16 * 1024

export interface DevnetExit {
  code: number | null
  signal: NodeJS.Signals | null
}

/** A node of a devnet as a process. */
export interface DevnetChild {
  node: DevnetNode
  pid: number
  logFile: string
  /** Resolves when it answers; never rejects: watch `exited` too. */
  ready: Promise<RunningNode['info']>
  exited: Promise<DevnetExit>
  /** Asks it to stop, and kills it when it does not. */
  stop(): Promise<void>
  kill(): void
}

/** Starts `songhua start` for a node. It ends by itself when this process ends in whatever way. */
export async function startChild(context: CliContext, node: DevnetNode): Promise<DevnetChild> {
  const logFile = join(node.dir, NODE_LOG_FILE)
  const log = await openLog(logFile)
  try {
    const words = [context.program, 'start', '--data', node.dir, '--managed', '--lang', context.language]
    const child = spawn(process.execPath, [YOUNG_HEAP, ...words], {
      env: { ...FEW_ARENAS, ...process.env },
      stdio: ['ignore', log.fd, log.fd, 'ipc'],
    })
    return watchChild(child, node, logFile)
  } finally {
    await log.close()
  }
}

async function openLog(path: string): ReturnType<typeof open> {
  const size = await stat(path).then(
    (file) => file.size,
    () => 0,
  )
  if (size > LOG_ROTATE_BYTES) await rename(path, `${path}.1`)
  return open(path, 'a', 0o600)
}

function watchChild(child: ChildProcess, node: DevnetNode, logFile: string): DevnetChild {
  const exited = new Promise<DevnetExit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
    child.once('error', () => resolve({ code: null, signal: null }))
  })
  const ready = new Promise<RunningNode['info']>((resolve) => {
    child.on('message', (message: { event?: string; info?: RunningNode['info'] }) => {
      if (message.event === 'ready' && message.info !== undefined) resolve(message.info)
    })
  })
  const kill = (): void => void child.kill('SIGKILL')
  return {
    node,
    logFile,
    ready,
    exited,
    kill,
    pid: child.pid ?? 0,
    async stop() {
      if (child.connected) child.disconnect()
      const timer = setTimeout(kill, STOP_TIMEOUT_MS)
      await exited
      clearTimeout(timer)
    },
  }
}

/** Resolves, with the last lines of its log, when a node ends that was not asked to. */
export async function whenDied(context: CliContext, child: DevnetChild): Promise<Error> {
  const { code, signal } = await child.exited
  const { name } = child.node
  const cause = signal ?? `exit code ${code ?? '?'}`
  // What is said of a dead node must not bring the others down with it.
  const lines = await logTail(child.logFile).catch((unread: unknown) => `  ${messageOf(unread)}`)
  const error = cliError(context, 'DEVNET_CHILD_DIED', [
    'devnetChildDied',
    { name, pid: child.pid, cause, log: child.logFile, lines },
  ])
  if (code !== null) error.details.exitCode = code
  return error
}

async function logTail(path: string): Promise<string> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const start = Math.max(0, size - LOG_TAIL_BYTES)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LOG_TAIL_BYTES), 0, LOG_TAIL_BYTES, start)
    const lines = buffer.toString('utf8', 0, bytesRead).trimEnd().split('\n').slice(-LOG_TAIL_LINES)
    return lines.map((line) => `  ${line}`).join('\n')
  } finally {
    await file.close()
  }
}
