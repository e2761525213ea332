import { isIP } from 'node:net'

const LOCAL_HOSTS = ['localhost']

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
