import { request, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { WebSocket } from 'ws'
import { sleep } from './devnet.js'

/**
 * Clients that want to bring a node down, all from one address that is not the one of honest clients: Linux gives
 * every address of 127.0.0.0/8 to this machine.
 */
const HOSTILE_ADDRESS = '127.0.0.2'

/** Does one thing after another for ever; answers are counted by what they say. */
export interface Attack {
  readonly name: string
  readonly outcomes: ReadonlyMap<string, number>
  start(): void
}

export interface Hostile {
  /** One request; the outcome is its status and, when it has one, the code of its refusal. */
  post(url: string, body: string, headers?: Record<string, string>): Promise<string>
  /** A socket that is open, or was refused. */
  socket(url: string): Promise<Socket>
  webSocket(url: string): Promise<WebSocket | undefined>
}

const REQUEST_TIMEOUT_MS = 20_000

export function createHostile(): Hostile {
  return {
    post: (url, body, headers = {}) =>
      new Promise((resolve) => {
        const asked = request(url, {
          method: 'POST', localAddress: HOSTILE_ADDRESS, timeout: REQUEST_TIMEOUT_MS,
          headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers },
        })
        asked.on('response', (response) => void outcomeOf(response).then(resolve))
        asked.on('timeout', () => asked.destroy(new Error('no answer in time')))
        asked.on('error', ({ message }) => resolve(message))
        asked.end(body)
      }),
    socket: (url) =>
      new Promise((resolve) => {
        const { port, hostname } = new URL(url)
        const socket = connect({ port: Number(port), host: hostname, localAddress: HOSTILE_ADDRESS })
        socket.on('error', () => resolve(socket)).on('connect', () => resolve(socket))
      }),
    webSocket: (url) =>
      new Promise((resolve) => {
        const client = new WebSocket(url.replace('http', 'ws'), { localAddress: HOSTILE_ADDRESS })
        client.on('open', () => resolve(client)).on('error', () => resolve(undefined))
      }),
  }
}

function outcomeOf(response: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    response.on('data', (chunk: Buffer) => (text = text.length < 4000 ? text + chunk.toString('latin1') : text))
    response.on('close', () => {
      const code = /"(?:limit|code)":"([A-Za-z_]+)"/.exec(text)?.[1]
      resolve(code === undefined ? String(response.statusCode) : `${response.statusCode} ${code}`)
    })
  })
}

/** @param pauseMs between two tries, so that the attacker does not outshout the machine that it runs on */
export function attack(name: string, pauseMs: number, once: () => Promise<string>): Attack {
  const outcomes = new Map<string, number>()
  const run = async (): Promise<never> => {
    for (;;) {
      const outcome = await once()
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
      await sleep(pauseMs)
    }
  }
  return { name, outcomes, start: () => void run() }
}
