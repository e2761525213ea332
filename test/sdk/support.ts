import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { RecordInput } from '@songhua/sdk'
import { EVENT, LICENCE, REPAIR, USCC } from '../records/samples.js'

export const ISSUER = `uscc:${USCC.bureau}`

/** A licence with a number of its own. */
export function licence(number: number): RecordInput<'government.licence'> {
  return { schema: 'government.licence', payload: { ...LICENCE, XK_WSH: `哈市监许〔2026〕${number}号` } }
}

/** Records of the three families in turn. */
export function mixed(number: number): RecordInput<'government.licence' | 'trace.object-event' | 'credit.public.repair'> {
  if (number % 3 === 0) return licence(number)
  if (number % 3 === 1) {
    const epcList = [`urn:epc:id:sgtin:0614141.107346.${number}`]
    const subject = { kind: 'public', scheme: 'number', id: `lot-${number}` } as const
    return { schema: 'trace.object-event', subject, payload: { ...EVENT, epcList } }
  }
  return { schema: 'credit.public.repair', payload: { ...REPAIR, decisionNumber: `哈示信修〔2026〕${number}号` } }
}

/** Without a type that its schema asks for, and with a citizen number for a code: several violations. */
export const badLicence = (): RecordInput => ({
  schema: 'government.licence',
  payload: { ...LICENCE, XK_XDR_TYPE: '法人', XK_XDR_SHXYM: '123', XK_JDRQ: 'yesterday' },
})

export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const one of source) all.push(one)
  return all
}

export interface Stub {
  url: string
  server: Server
  stop(): Promise<void>
}

export type Handle = (request: { method: string; url: URL; headers: IncomingMessage['headers']; body: string }, response: ServerResponse) => unknown

/** An HTTP server that does as the test says. @param port of one that was stopped; a free one when left out */
export async function serve(handle: Handle, port = 0): Promise<Stub> {
  const server = createServer((request, response) => {
    void (async () => {
      let body = ''
      for await (const chunk of request.setEncoding('utf8')) body += String(chunk)
      const url = new URL(request.url ?? '/', 'http://stub')
      await handle({ method: request.method ?? '', url, headers: request.headers, body }, response)
    })().catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined))
  })
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening))
  const address = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${address.port}`,
    server,
    stop: () => {
      server.closeAllConnections()
      return new Promise((closed) => server.close(() => closed()))
    },
  }
}

export function json(response: ServerResponse, status: number, value: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))
}

export interface RpcCall {
  method: string
  params: unknown[]
}

/**
 * A JSON-RPC endpoint in front of a real one, which may lie, refuse or break off.
 * @param tamper gets each call and the honest answer; what it returns is answered, nothing breaks the connection
 */
export function serveTampered(
  upstream: string,
  tamper: (call: RpcCall, honest: () => Promise<Record<string, unknown>>) => Promise<unknown>,
): Promise<Stub> {
  const answerTo = async (call: RpcCall & { id: number }): Promise<object | undefined> => {
    const honest = async (): Promise<Record<string, unknown>> => {
      const answer = await fetch(upstream, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(call) })
      return (await answer.json()) as Record<string, unknown>
    }
    const answer = await tamper({ method: call.method, params: call.params }, honest)
    return answer === undefined ? undefined : { jsonrpc: '2.0', id: call.id, ...(answer as object) }
  }
  return serve(async ({ body }, response) => {
    const asked = JSON.parse(body) as (RpcCall & { id: number }) | (RpcCall & { id: number })[]
    const answer = Array.isArray(asked) ? await Promise.all(asked.map(answerTo)) : await answerTo(asked)
    if (answer === undefined || (Array.isArray(answer) && answer.includes(undefined))) response.destroy()
    else json(response, 200, answer)
  })
}
