import { type CliContext, note } from './context.js'
import { EXIT_CODES } from './exit-codes.js'

interface StopSignalOptions {
  /** Run before the second request ends the process at once. */
  beforeForce?: () => void
  /**
   * This process is a node of a devnet, which asks it to stop by closing the channel between them. The channel also
   * closes when the devnet is killed. Ctrl-C on the terminal reaches both, and is for the devnet alone.
   */
  isManaged?: boolean
}

const NPM_EVENTS: readonly (string | undefined)[] = ['npx', 'start']
const PARENT_POLL_MS = 100

/**
 * `npx songhua` and `npm start` run their command in a shell, which dies of a signal without handing it on; that this
 * process has lost its parent then is all there is to notice.
 */
function watchShell(ask: () => void): void {
  const { npm_lifecycle_event: event, npm_lifecycle_script: script } = process.env
  if (!NPM_EVENTS.includes(event) || script?.includes('songhua') !== true) return
  const shell = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === shell) return
    clearInterval(timer)
    ask()
  }, PARENT_POLL_MS)
  timer.unref()
}

/** @returns resolves at the first request to stop; the second ends the process at once with exit code `forced` */
export function createStopSignal(
  context: CliContext,
  { beforeForce, isManaged = false }: StopSignalOptions = {},
): Promise<void> {
  return new Promise((resolve) => {
    let isAsked = false
    const ask = (): void => {
      if (isAsked) {
        beforeForce?.()
        process.exit(EXIT_CODES.forced.code)
      }
      isAsked = true
      if (context.stderr.isTTY) note(context, context.t('stopping'))
      resolve()
    }
    process.on('SIGTERM', ask)
    process.on('SIGHUP', ask)
    process.on('SIGINT', isManaged ? () => undefined : ask)
    if (!isManaged) watchShell(() => (isAsked ? undefined : ask()))
    if (isManaged) process.on('disconnect', resolve)
    if (isManaged && !process.connected) resolve()
  })
}
