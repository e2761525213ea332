import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

const SONGHUA = resolve(import.meta.dirname, '../../node/bin/songhua.mjs')
const READY_TIMEOUT_MS = 60_000
const PORTS_PER_NODE = 10

export interface DevnetNode {
  name: string
  pid: number
  rpc: string
  admin: string
  p2p: string
  /** URL, of those nodes that have one. */
  gateway?: string
  address: string
}

export interface Ready {
  event: 'ready'
  chainId: number
  nodes: DevnetNode[]
  accounts: { address: string; privateKey: string }[]
  apiKey: string
}

/** A running `songhua` process and what it printed. */
export interface Running {
  process: ChildProcess
  stdout(): string
  /** Standard output and standard error, as they came. */
  output(): string
  /** Ends the process; the answer is its exit code, or null when a signal ended it. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** A devnet of real processes: one `songhua devnet` and its validators. */
export interface Devnet extends Running {
  ready: Ready
  readyMs: number
  dataDir: string
  basePort: number
}

export const tempDir = (label: string): Promise<string> => mkdtemp(join(tmpdir(), `songhua-${label}-`))

export const removeDir = (dir: string): Promise<void> => rm(dir, { recursive: true, force: true, maxRetries: 5 })

export const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms))

/** Asks until `probe` answers something; `what` names it in the error. */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs
  let last: unknown
  for (;;) {
    try {
      const value = await probe()
      if (value !== undefined && value !== false) return value
    } catch (error) {
      last = error
    }
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`, { cause: last })
    await sleep(50)
  }
}

/**
 * A base port whose next `nodes` blocks of ten ports are free at this moment. All lie below 32,768, from where Linux
 * takes the ports of outgoing connections.
 */
export async function freeBasePort(nodes: number): Promise<number> {
  for (;;) {
    const base = 20_000 + Math.floor(Math.random() * 1_200) * PORTS_PER_NODE
    const wanted = Array.from({ length: nodes }, (_, node) => [0, 1, 2, 3].map((port) => base + node * PORTS_PER_NODE + port))
    const free = await Promise.all(wanted.flat().map(isPortFree))
    if (free.every(Boolean)) return base
  }
}

function isPortFree(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const server = createServer()
    server.once('error', () => answer(false))
    server.listen(port, '127.0.0.1', () => server.close(() => answer(true)))
  })
}

/** Starts `songhua` with `args` as an operating-system process of its own; `environment` is laid over this process's. */
export function startSonghua(args: string[], environment: Record<string, string> = {}): Running {
  const env = { ...process.env, ...environment }
  const child = spawn(process.execPath, [SONGHUA, ...args], { stdio: ['pipe', 'pipe', 'pipe'], env })
  const chunks: string[] = []
  const printed: string[] = []
  child.stdout.on('data', (chunk: Buffer) => {
    chunks.push(chunk.toString())
    printed.push(chunk.toString())
  })
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk.toString()))
  const exited = new Promise<number | null>((done) => child.once('exit', (code) => done(code)))
  return {
    process: child,
    stdout: () => printed.join(''),
    output: () => chunks.join(''),
    stop(signal = 'SIGTERM') {
      child.kill(signal)
      return exited
    },
  }
}

/** `songhua devnet --json`, once it says that it is ready. */
export async function startDevnet(options: {
  validators: number
  dataDir: string
  basePort?: number
  /** Nodes with a gateway; none unless told. */
  gateways?: number
  args?: string[]
}): Promise<Devnet> {
  const basePort = options.basePort ?? (await freeBasePort(options.validators + 2))
  const args = ['--validators', options.validators, '--data', options.dataDir, '--base-port', basePort, '--gateways', options.gateways ?? 0]
  const startedMs = Date.now()
  const running = startSonghua(['devnet', ...args.map(String), '--json', ...(options.args ?? [])])
  const ready = await readyLine(running)
  return { ...running, ready, readyMs: Date.now() - startedMs, dataDir: options.dataDir, basePort }
}

function readyLine(running: Running): Promise<Ready> {
  return new Promise((found, failed) => {
    const fail = (why: string): void => failed(new Error(`${why}\n${running.output()}`))
    const timer = setTimeout(() => {
      running.process.kill('SIGTERM')
      fail(`the devnet was not ready after ${READY_TIMEOUT_MS} ms`)
    }, READY_TIMEOUT_MS)
    createInterface({ input: running.process.stdout! }).on('line', (line) => {
      if (!line.startsWith('{"event":"ready"')) return
      clearTimeout(timer)
      found(JSON.parse(line) as Ready)
    })
    running.process.once('exit', (code) => {
      clearTimeout(timer)
      fail(`the devnet ended with code ${code} before it was ready`)
    })
  })
}

/** One JSON-RPC call over HTTP; an error answer throws with its code and message. */
export async function rpc<T>(url: string, method: string, params: unknown[] = []): Promise<T> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    signal: AbortSignal.timeout(10_000),
  })
  // A node that stops answers so, and not in JSON-RPC.
  if (response.status === 503) throw new Error(`${method}: HTTP 503 ${await response.text()}`)
  const answer = (await response.json()) as { result?: T; error?: { code: number; message: string } }
  if (answer.error) throw new Error(`${method}: ${answer.error.code} ${answer.error.message}`)
  return answer.result as T
}

export const heightOf = async (url: string): Promise<number> => Number(await rpc<string>(url, 'eth_blockNumber'))

export const hashAt = async (url: string, height: number): Promise<string | undefined> =>
  (await rpc<{ hash: string } | null>(url, 'eth_getBlockByNumber', [`0x${height.toString(16)}`, false]))?.hash
