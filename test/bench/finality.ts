import { WebSocket } from 'ws'

/** Watches blocks at one node and tells when each awaited transaction is final. */
export interface FinalityWatch {
  /** Resolves with the time (performance.now) at which the transaction's block arrived here. */
  final(hash: string): Promise<number>
  pending(): number
  close(): void
}

interface Message {
  id?: number
  method?: string
  params?: { result: { hash: string } }
  result?: { transactions: string[] }
}

/** Subscribes to newHeads over WebSocket; a head's transactions are read over the same socket. */
export async function watchFinality(rpc: string): Promise<FinalityWatch> {
  const socket = new WebSocket(rpc.replace(/^http/, 'ws'))
  await new Promise((open, failed) => {
    socket.once('open', open)
    socket.once('error', failed)
  })
  const waiting = new Map<string, (atMs: number) => void>()
  const seen = new Map<string, number>()
  const heads = new Map<number, number>()
  let id = 1
  const ask = (method: string, params: unknown[]): number => {
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: ++id, method, params }))
    return id
  }
  const settle = (hash: string, atMs: number): void => {
    const resolve = waiting.get(hash)
    if (!resolve) return void seen.set(hash, atMs)
    waiting.delete(hash)
    resolve(atMs)
  }
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as Message
    if (message.method === 'eth_subscription') {
      heads.set(ask('eth_getBlockByHash', [message.params!.result.hash, false]), performance.now())
    } else if (message.id !== undefined && heads.has(message.id)) {
      for (const hash of message.result!.transactions) settle(hash, heads.get(message.id)!)
      heads.delete(message.id)
    }
  })
  ask('eth_subscribe', ['newHeads'])
  return {
    final: (hash) =>
      new Promise((resolve) => {
        const atMs = seen.get(hash)
        if (atMs === undefined) return void waiting.set(hash, resolve)
        seen.delete(hash)
        resolve(atMs)
      }),
    pending: () => waiting.size,
    close: () => socket.close(),
  }
}
