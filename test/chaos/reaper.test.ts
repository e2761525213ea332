import { type ChildProcess, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../support/devnet.js'

/** A harness with one child that is stopped by SIGSTOP and notices nothing. */
const HARNESS = `
  import { spawn } from 'node:child_process'
  import { startReaper } from ${JSON.stringify(resolve(import.meta.dirname, '../support/reaper.ts'))}
  const child = spawn('sleep', ['600'])
  const reaper = startReaper()
  reaper.begun(child.pid)
  child.kill('SIGSTOP')
  process.on('SIGUSR2', () => { reaper.ended(child.pid); reaper.close().then(() => process.stdout.write('closed\\n')) })
  process.stdout.write(child.pid + '\\n')
  setInterval(() => undefined, 1000)
`

let harness: ChildProcess
let sleeper: number

async function startHarness(): Promise<AsyncIterator<string>> {
  harness = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', HARNESS], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface({ input: harness.stdout! })[Symbol.asyncIterator]()
  sleeper = Number((await lines.next()).value)
  return lines
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

afterEach(() => {
  harness.kill('SIGKILL')
  if (isAlive(sleeper)) process.kill(sleeper, 'SIGKILL')
})

describe('the reaper', () => {
  it('ends a stopped child of a harness that was killed', async () => {
    await startHarness()
    expect(isAlive(sleeper)).toBe(true)
    harness.kill('SIGKILL')
    await until('the child to be gone', () => !isAlive(sleeper))
  })

  it('leaves alone what has ended by itself, and ends with the harness', async () => {
    const lines = await startHarness()
    harness.kill('SIGUSR2')
    expect((await lines.next()).value).toBe('closed')
    expect(isAlive(sleeper)).toBe(true)
  })
})
