/**
 * The hostile clients of test/e2e/hostile-clients.test.ts, in a process of their own: an honest client beside them would
 * wait for their thread, not for the node. Takes its target as JSON and, for one attack alone, its name; prints what came of each once stdin ends.
 */
import { bytesToHex, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { signTransaction } from '@songhua/sdk/protocol/transaction'
import { attack, createHostile, type Attack, type Hostile } from './hostile.js'
import { sleep } from './devnet.js'

export interface Target {
  readonly rpc: string
  readonly gateway: string
  readonly chainId: number
  /** Of the account that floods the pool. */
  readonly privateKey: string
  readonly apiKey: string
}

const call = (method: string, params: unknown[] = []): string => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
const http = (body: string, announced = body.length): string =>
  `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${announced}\r\n\r\n${body}`
/** JUMPDEST PUSH0 PUSH0 STATICCALL-free loop: memory and hashing until the gas is gone. */
const LOOP = '0x5b61ffff5f20505f56'
const TARGET = `0x${'77'.repeat(20)}` as const
const dear = [{ to: TARGET, gas: '0x5f5e100' }, 'latest', { [TARGET]: { code: LOOP } }]

/** Everything at once, on JSON-RPC. */
function attackRpc(hostile: Hostile, { rpc: url, chainId, privateKey }: Target): Attack[] {
  const stranger = (nonce: number): string => {
    const fields = { type: 2 as const, chainId: BigInt(chainId), nonce: BigInt(nonce), gasLimit: 1_000_000n, to: TARGET, data: new Uint8Array(60_000) }
    return bytesToHex(signTransaction({ ...fields, maxFeePerGas: 0n, maxPriorityFeePerGas: 0n }, hexToBytes(privateKey)).raw)
  }
  let nonce = 5
  const open = async (text: string | Buffer, times = 1): Promise<string> => {
    const socket = await hostile.socket(url)
    for (let sent = 0; sent < times && socket.writable; sent++) socket.write(text)
    return socket.destroyed ? 'refused' : 'open'
  }
  return [
    attack('batches of a thousand', 200, () => hostile.post(url, `[${Array.from({ length: 1000 }, () => call('eth_blockNumber')).join()}]`)),
    attack('batches of two thousand', 200, () => hostile.post(url, `[${Array.from({ length: 2000 }, () => call('eth_blockNumber')).join()}]`)),
    attack('deep nesting', 100, () => hostile.post(url, `${'['.repeat(500_000)}${']'.repeat(500_000)}`)),
    attack('values', 100, () => hostile.post(url, `[${'[],'.repeat(600_000)}[]]`)),
    attack('endless calls', 20, () => Promise.race([hostile.post(url, call('eth_call', dear)), sleep(50).then(() => 'let run')])),
    attack('endless estimates', 50, () => Promise.race([hostile.post(url, call('eth_estimateGas', dear)), sleep(50).then(() => 'let run')])),
    attack('wide searches', 50, () => hostile.post(url, call('eth_getLogs', [{ fromBlock: '0x0', toBlock: '0xffffff' }]))),
    attack('proofs', 50, () => hostile.post(url, call('eth_getProof', [TARGET, Array.from({ length: 1024 }, (_, at) => `0x${at.toString(16).padStart(64, '0')}`), 'latest']))),
    attack('filters', 5, () => hostile.post(url, call('eth_newPendingTransactionFilter'))),
    attack('nonce gaps', 10, () => hostile.post(url, call('eth_sendRawTransaction', [stranger(nonce++)]))),
    attack('waiters', 5, () => Promise.race([hostile.post(url, call('eth_sendRawTransactionSync', [stranger(nonce++), '0xea60'])), sleep(20).then(() => 'let wait')])),
    attack('silent sockets', 5, () => open('')),
    attack('headers byte by byte', 10, () => open('POST / HTTP/1.1\r\nHost: l')),
    attack('bodies announced and not sent', 10, () => open(http('{', 2_000_000))),
    attack('pipelined', 100, () => open(http(call('rpc.discover')), 200)),
    attack('WebSockets that never read', 50, async () => {
      const client = await hostile.webSocket(url)
      client?.pause()
      for (let sent = 0; client && sent < 200; sent++) client.send(call('rpc.discover'))
      return client ? 'open' : 'refused'
    }),
    attack('messages that never end', 50, async () => {
      const client = await hostile.webSocket(url)
      client?.send(Buffer.alloc(1_500_000, 0x20), { fin: false })
      return client ? 'open' : 'refused'
    }),
    attack('subscriptions and pings', 50, async () => {
      const client = await hostile.webSocket(url)
      for (let sent = 0; client && sent < 100; sent++) client.send(call('eth_subscribe', [sent % 2 === 0 ? 'newHeads' : 'newPendingTransactions']))
      for (let sent = 0; client && sent < 200; sent++) client.ping()
      return client ? 'open' : 'refused'
    }),
  ]
}

/** Everything at once, on REST; with a key, and without. */
function attackRest(hostile: Hostile, { gateway: url, apiKey }: Target): Attack[] {
  const authorization = `Bearer ${apiKey}`
  const post = (path: string, body: string, headers: Record<string, string> = {}) => hostile.post(`${url}${path}`, body, headers)
  const slow = async (path: string, key: string, length: number): Promise<string> => {
    const socket = await hostile.socket(url)
    if (socket.writable) socket.write(`POST ${path} HTTP/1.1\r\nHost: localhost\r\n${key}Content-Type: application/json\r\nContent-Length: ${length}\r\n\r\n{`)
    return socket.destroyed ? 'refused' : 'open'
  }
  return [
    attack('bad keys', 20, () => post('/v1/records', '{}', { authorization: 'Bearer shk_no' })),
    attack('deep bodies', 100, () => post('/v1/records', `${'['.repeat(100_000)}`, { authorization })),
    attack('many bad records', 200, () => post('/v1/records', JSON.stringify({ records: Array.from({ length: 9_000 }, () => ({})) }), { authorization })),
    attack('too many records', 200, () => post('/v1/records', JSON.stringify({ records: Array.from({ length: 10_001 }, () => ({})) }), { authorization })),
    attack('CSV bombs', 100, () => post('/v1/records', `${'a,'.repeat(300_000)}\n`, { authorization, 'content-type': 'text/csv' })),
    attack('wrong content types', 50, () => post('/v1/records', '<a/>', { authorization, 'content-type': 'text/xml' })),
    attack('forged cursors', 50, async () => {
      const answer = await fetch(`${url}/v1/records?cursor=${'x'.repeat(50)}`, { headers: { authorization } })
      await answer.arrayBuffer()
      return String(answer.status)
    }),
    attack('bodies to verify, announced and not sent', 20, () => slow('/v1/verify', '', 2_000_000)),
    attack('records announced and not sent', 50, () => slow('/v1/records', `Authorization: ${authorization}\r\n`, 32_000_000)),
    attack('streams that never read', 20, async () => {
      const socket = await hostile.socket(url)
      if (socket.writable) socket.write(`GET /v1/stream?cursor=0 HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\n\r\n`)
      socket.pause()
      return socket.destroyed ? 'refused' : 'open'
    }),
  ]
}

const target = JSON.parse(process.argv[2]!) as Target
const hostile = createHostile()
const attacks = [...attackRpc(hostile, target), ...attackRest(hostile, target)]
  .filter(({ name }) => process.argv[3] === undefined || name === process.argv[3])
for (const one of attacks) one.start()
process.stdin.on('end', () => {
  console.log(JSON.stringify(Object.fromEntries(attacks.map(({ name, outcomes }) => [name, Object.fromEntries(outcomes)]))))
  // With everything that is still open.
  process.exit(0)
}).resume()
