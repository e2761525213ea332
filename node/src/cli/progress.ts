import cliProgress from 'cli-progress'
import type { CliContext } from './context.js'

const SECONDS_PER_MINUTE = 60

export interface Progress {
  show(value: number, total: number): void
  end(): void
}

/** A bar on the terminal's stderr while value is below total; silent elsewhere, where logs tell. */
export function createProgress(context: CliContext, label: string): Progress {
  if (!context.stderr.isTTY) return { show: () => undefined, end: () => undefined }
  const bar = new cliProgress.SingleBar(
    {
      format: `${label} {bar} {percentage}% | {value}/{total} | {eta_formatted}`,
      stream: context.stderr,
      clearOnComplete: true,
      etaBuffer: 50,
      gracefulExit: false,
      formatTime,
    },
    cliProgress.Presets.shades_classic,
  )
  let isShown = false
  const end = (): void => {
    if (isShown) bar.stop()
    isShown = false
  }
  return {
    end,
    show(value, total) {
      if (value >= total) return end()
      if (isShown) bar.setTotal(total)
      else bar.start(total, value)
      isShown = true
      bar.update(value)
    },
  }
}

/** @param seconds what is left; no number while nothing has moved yet */
function formatTime(seconds: number): string {
  if (!Number.isFinite(seconds)) return '…'
  if (seconds < SECONDS_PER_MINUTE) return `${Math.round(seconds)} s`
  return `${Math.round(seconds / SECONDS_PER_MINUTE)} min`
}
