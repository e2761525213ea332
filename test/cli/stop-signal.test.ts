import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'

const MODULE = new URL('../../node/dist/cli/stop-signal.js', import.meta.url).href
/** Stays up until it is asked to stop; says its pid when it listens for that. */
const SCRIPT = `
  import { createStopSignal } from '${MODULE}'
  setInterval(() => undefined, 1000)
  const stop = createStopSignal({ stderr: {} })
  console.log(process.pid)
  await stop
  console.log('stopped')
  process.exit()`

const started: number[] = []
afterEach(() => {
  for (const pid of started.splice(0)) if (isAlive(pid)) process.kill(pid, 'SIGKILL')
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    expect(error).toMatchObject({ code: 'ESRCH' })
    return false
  }
}

/** As npm runs a command: in a shell that stays its parent. */
async function inShell(npmEvent: string | undefined): Promise<{ shell: ChildProcess; pid: number; said: string[] }> {
  const npm = npmEvent === undefined ? {} : { npm_lifecycle_event: npmEvent, npm_lifecycle_script: 'songhua' }
  const shell = spawn('sh', ['-c', '"$0" --input-type=module -e "$1"; true', process.execPath, SCRIPT], {
    env: { PATH: process.env.PATH, ...npm },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const said: string[] = []
  shell.stdout.on('data', (chunk: Buffer) => said.push(chunk.toString()))
  await once(shell.stdout, 'data')
  const pid = Number(said[0])
  started.push(pid)
  return { shell, pid, said }
}

describe.skipIf(process.platform === 'win32')('a command that npm started', () => {
  it.each(['npx', 'start'])('stops when npm (%s) loses its shell to a signal', async (npmEvent) => {
    const { shell, said } = await inShell(npmEvent)
    shell.kill('SIGTERM')
    // The pipe is closed by the last process that holds it.
    await once(shell, 'close')
    expect(said.join('')).toMatch(/stopped/)
  })

  it('goes on without npm when its parent ends: it may be meant to', async () => {
    const { shell, pid } = await inShell(undefined)
    shell.kill('SIGTERM')
    await once(shell, 'exit')
    await new Promise((waited) => setTimeout(waited, 500))
    expect(isAlive(pid)).toBe(true)
    process.kill(pid, 'SIGTERM')
    await once(shell, 'close')
  })
})
