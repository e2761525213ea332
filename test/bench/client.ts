import { Agent, request } from 'node:http'

export interface RpcAnswer {
  result?: unknown
  error?: { code: number; message: string }
}

/** A keep-alive JSON-RPC client, lighter than fetch: the load generator shares the cores with the nodes. */
export interface RpcClient {
  /** One HTTP request with all calls as a batch (a single call is sent alone). */
  send(calls: { method: string; params: unknown[] }[]): Promise<RpcAnswer[]>
  close(): void
}

export function createRpcClient(url: string): RpcClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 })
  return {
    async send(calls) {
      const bodies = calls.map((call, id) => ({ jsonrpc: '2.0', id, ...call }))
      const text = await post(url, agent, JSON.stringify(bodies.length === 1 ? bodies[0] : bodies))
      const answer = JSON.parse(text) as RpcAnswer | RpcAnswer[]
      return Array.isArray(answer) ? answer : [answer]
    },
    close: () => agent.destroy(),
  }
}

function post(url: string, agent: Agent, body: string): Promise<string> {
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  return new Promise((answered, failed) => {
    const call = request(url, { method: 'POST', agent, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => answered(Buffer.concat(chunks).toString()))
      response.on('error', failed)
    })
    call.on('error', failed)
    call.end(body)
  })
}
