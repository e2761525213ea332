import { isIPv6 } from 'node:net'

/** How many hextets of an IPv6 address one subscriber holds to himself: a /64 is one neighbour. */
const IPV6_NETWORK_HEXTETS = 4

/** An IP address as far as one party has only one of it: IPv4 whole, IPv6 its /64. */
export function addressKey(address: string): string {
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.split('%')[0]!.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0')
  return [...before, ...zeros, ...after].slice(0, IPV6_NETWORK_HEXTETS).map((one) => parseInt(one, 16)).join(':')
}
