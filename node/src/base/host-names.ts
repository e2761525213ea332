import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'

const LOCAL_HOSTS = ['localhost']

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** Whether an address is of this machine alone; no name is. */
export function isLoopbackAddress(host: string): boolean {
  return isIPv4(host) ? loopback.check(host, 'ipv4') : isIPv6(host) && loopback.check(host, 'ipv6')
}

/** Whether nobody between here and the server of a URL can read what is sent to it: it is on this machine, or encrypted. */
export function isConfidential(url: string): boolean {
  const { protocol, host } = new URL(url)
  const name = hostName(host)
  return protocol === 'https:' || (name !== undefined && (LOCAL_HOSTS.includes(name) || isOwnAddress(name)))
}

const isOwnAddress = (host: string): boolean =>
  isLoopbackAddress(host) || Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === host))

/** The host of a Host header without its port and brackets; undefined when malformed. */
function hostName(header: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]/\s]+))(?::\d{1,5})?$/i.exec(header)
  return (match?.[1] ?? match?.[2])?.toLowerCase()
}

/**
 * Whether a server answers under this Host header. Addresses and `localhost` always: DNS rebinding needs a name.
 * @param allowedHosts names without ports; `*`: all
 */
export function isHostAllowed(header: string | undefined, allowedHosts: readonly string[]): boolean {
  if (allowedHosts.includes('*')) return true
  const name = hostName(header ?? '')
  if (name === undefined) return false
  return isIP(name) !== 0 || LOCAL_HOSTS.includes(name) || allowedHosts.some((one) => one.toLowerCase() === name)
}
