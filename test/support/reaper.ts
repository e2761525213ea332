import { spawn } from 'node:child_process'
import { resolve } from 'node:path'

/** Guards processes of this harness: those not yet `ended` when it is gone are killed. */
export interface Reaper {
  begun(pid: number): void
  ended(pid: number): void
  /** Nothing is guarded any longer. */
  close(): Promise<void>
}

export function startReaper(): Reaper {
  const child = spawn(process.execPath, [resolve(import.meta.dirname, 'reaper.mjs')], { stdio: ['pipe', 'inherit', 'inherit'] })
  const exited = new Promise<void>((done) => child.once('exit', () => done()))
  return {
    begun: (pid) => void child.stdin.write(`+${pid}\n`),
    ended: (pid) => void child.stdin.write(`-${pid}\n`),
    close() {
      child.stdin.end()
      return exited
    },
  }
}
