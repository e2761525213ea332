import { execFile, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'

const run = promisify(execFile)
const PROGRAM = fileURLToPath(import.meta.resolve('@songhua/node/songhua'))

/** Runs `songhua` with these words. @returns what it printed @throws with what it said when it refuses */
export async function songhua(...words: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [PROGRAM, ...words], { maxBuffer: 64 * 1024 * 1024 })
  return stdout
}

/** `songhua start` in a process of its own; its log goes to `logFile`. @returns ends it, and waits */
export function startNode(logFile: string, ...words: string[]): () => Promise<void> {
  const child = spawn(process.execPath, [PROGRAM, 'start', ...words], { stdio: ['ignore', 'pipe', 'pipe'] })
  const log = createWriteStream(logFile)
  child.stdout.pipe(log)
  child.stderr.pipe(log)
  const ended = new Promise<void>((done) => child.once('close', () => done()))
  return async () => {
    child.kill('SIGTERM')
    await ended
  }
}
