import { BlockList, type Server, type Socket, isIPv6 } from 'node:net'
import type { GatewayLimits } from '../limits.js'
import { addressKey } from './rates.js'

/**
 * Nobody keeps the others out by opening sockets: a limit for each address, and none stays that says nothing. Node's own
 * timeouts begin with the first byte.
 */
export function guardConnections(
  server: Server,
  limits: Pick<GatewayLimits, 'connectionsPerAddressMax' | 'headersReceiveMs' | 'receiveCheckMs'>,
  trustedProxies: readonly string[],
): void {
  const proxies = blockListOf(trustedProxies)
  const counts = new Map<string, number>()
  const silent = new Map<Socket, number>()
  server.on('connection', (socket: Socket) => {
    const { remoteAddress = '' } = socket
    const key = addressKey(remoteAddress)
    const isProxy = proxies.check(remoteAddress, isIPv6(remoteAddress) ? 'ipv6' : 'ipv4')
    const count = (counts.get(key) ?? 0) + 1
    if (count > limits.connectionsPerAddressMax && !isProxy) return void socket.destroy()
    counts.set(key, count)
    silent.set(socket, Date.now())
    socket.once('close', () => {
      silent.delete(socket)
      const left = counts.get(key)! - 1
      if (left === 0) counts.delete(key)
      else counts.set(key, left)
    })
  })
  const check = setInterval(() => {
    const nowMs = Date.now()
    for (const [socket, sinceMs] of silent) {
      if (socket.bytesRead > 0) silent.delete(socket)
      else if (nowMs - sinceMs > limits.headersReceiveMs) socket.destroy()
    }
  }, limits.receiveCheckMs)
  check.unref()
  server.once('close', () => clearInterval(check))
}

function blockListOf(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return list
}
