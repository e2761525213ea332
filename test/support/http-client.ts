import { Agent, type IncomingHttpHeaders, request } from 'node:http'

export interface HttpAnswer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

export interface HttpRequest {
  method: 'GET' | 'POST'
  headers?: Record<string, string>
  body?: string
}

/** Keep-alive HTTP, lighter than fetch: the harness shares the cores with the nodes. */
export interface HttpClient {
  /** @throws when there is no whole answer in time: refused, reset, or a process that is stopped */
  send(url: string, call: HttpRequest): Promise<HttpAnswer>
  close(): void
}

export function createHttpClient(timeoutMs: number): HttpClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  return {
    close: () => agent.destroy(),
    send: (url, { method, headers = {}, body }) =>
      new Promise((answered, failed) => {
        const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
        const signal = AbortSignal.timeout(timeoutMs)
        const call = request(url, { method, agent, headers: { ...headers, ...length }, signal }, (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('end', () => {
            answered({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString() })
          })
          response.on('error', failed)
        })
        call.on('error', failed)
        call.end(body)
      }),
  }
}

export interface RpcFailure {
  code: number
  message: string
}
export type RpcAnswer<T> = { result: T; error?: undefined } | { result?: undefined; error: RpcFailure }

const JSON_TYPE = { 'content-type': 'application/json' }

/** One call; an error answer is a value, no answer throws. */
export async function callRpc<T>(client: HttpClient, url: string, [method, ...params]: [string, ...unknown[]]): Promise<RpcAnswer<T>> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const { text } = await client.send(url, { method: 'POST', headers: JSON_TYPE, body })
  return JSON.parse(text) as RpcAnswer<T>
}

/** Many calls as one batch, answers in the order of the calls. @throws when one of them is an error */
export async function batchRpc<T>(client: HttpClient, url: string, calls: readonly [string, ...unknown[]][]): Promise<T[]> {
  const body = JSON.stringify(calls.map(([method, ...params], id) => ({ jsonrpc: '2.0', id, method, params })))
  const { text } = await client.send(url, { method: 'POST', headers: JSON_TYPE, body })
  const answers = JSON.parse(text) as ({ id: number } & RpcAnswer<T>)[]
  if (!Array.isArray(answers)) throw new Error(`${url}: ${text.slice(0, 300)}`)
  return answers.sort((a, b) => a.id - b.id).map((answer) => {
    if (answer.error) throw new Error(`${url}: ${answer.error.code} ${answer.error.message}`)
    return answer.result
  })
}
