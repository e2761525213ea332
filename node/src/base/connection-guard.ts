import { BlockList, type Server, type Socket, isIPv6 } from 'node:net'
import { addressKey } from './address-key.js'

export interface ConnectionGuardOptions {
  readonly limits: {
    /** Connections of one address that is no trusted proxy. */
    readonly connectionsPerAddressMax: number
    /** How long a connection may say nothing before its first byte, ms. */
    readonly headersReceiveMs: number
    readonly receiveCheckMs: number
  }
  /** By address or CIDR. */
  readonly trustedProxies?: readonly string[]
  /** A connection was closed without a word, by the limit of this name. */
  readonly onClosed: (limit: 'connectionsMax' | 'connectionsPerAddressMax' | 'headersReceiveMs') => void
}

/**
 * Nobody keeps the others out by opening sockets: a limit for each address, and none stays that says nothing. Node's own
 * timeouts begin with the first byte.
 */
export function guardConnections(server: Server, { limits, trustedProxies = [], onClosed }: ConnectionGuardOptions): void {
  const proxies = blockListOf(trustedProxies)
  const counts = new Map<string, number>()
  const silent = new Map<Socket, number>()
  server.on('connection', (socket: Socket) => {
    const { remoteAddress = '' } = socket
    const key = addressKey(remoteAddress)
    const isProxy = proxies.check(remoteAddress, isIPv6(remoteAddress) ? 'ipv6' : 'ipv4')
    const count = (counts.get(key) ?? 0) + 1
    if (count > limits.connectionsPerAddressMax && !isProxy) {
      onClosed('connectionsPerAddressMax')
      return void socket.destroy()
    }
    counts.set(key, count)
    silent.set(socket, Date.now())
    socket.once('close', () => {
      silent.delete(socket)
      const left = counts.get(key)! - 1
      if (left === 0) counts.delete(key)
      else counts.set(key, left)
    })
  })
  // Above its `maxConnections` the server closes sockets before anybody sees them.
  server.on('drop', () => onClosed('connectionsMax'))
  const check = setInterval(() => {
    const nowMs = Date.now()
    for (const [socket, sinceMs] of silent) {
      if (socket.bytesRead > 0) silent.delete(socket)
      else if (nowMs - sinceMs > limits.headersReceiveMs) {
        onClosed('headersReceiveMs')
        socket.destroy()
      }
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
