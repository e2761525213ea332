import { lookup as systemLookup } from 'node:dns/promises'
import { BlockList, isIP, isIPv6 } from 'node:net'
import { gatewayError } from '../errors.js'

/**
 * Which hosts webhooks may call. A name is allowed by itself or by `*.suffix`; an address only when it is listed
 * itself. What a name resolves to may not be the gateway's own machine, its link, or a cloud's metadata service,
 * unless that address is listed too.
 */

export interface ResolvedAddress {
  readonly address: string
  readonly family: number
}
export type Resolve = (host: string) => Promise<readonly ResolvedAddress[]>

export const resolveHost: Resolve = (host) => systemLookup(host, { all: true, verbatim: true })

const refused = new BlockList()
refused.addSubnet('0.0.0.0', 8, 'ipv4')
refused.addSubnet('127.0.0.0', 8, 'ipv4')
refused.addSubnet('169.254.0.0', 16, 'ipv4') // link-local, and the metadata service of most clouds
refused.addAddress('100.100.100.200', 'ipv4') // the metadata service of Alibaba Cloud
refused.addAddress('192.0.0.192', 'ipv4') // that of Oracle Cloud
refused.addSubnet('224.0.0.0', 3, 'ipv4') // multicast and reserved
refused.addAddress('::', 'ipv6')
refused.addAddress('::1', 'ipv6')
refused.addSubnet('fe80::', 10, 'ipv6')
refused.addAddress('fd00:ec2::254', 'ipv6') // the metadata service of AWS
refused.addSubnet('ff00::', 8, 'ipv6')
// IPv4 in other clothes: what stands behind is not seen.
refused.addSubnet('64:ff9b::', 96, 'ipv6')
refused.addSubnet('2002::', 16, 'ipv6')

/** Whether a name may not lead there. */
export function isRefusedAddress(address: string): boolean {
  return refused.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

const withoutBrackets = (host: string): string => (host.startsWith('[') ? host.slice(1, -1) : host)

function isListed(host: string, hosts: readonly string[]): boolean {
  return hosts.some((given) => {
    const one = given.toLowerCase()
    return one.startsWith('*.') ? isIP(host) === 0 && host.endsWith(one.slice(1)) : withoutBrackets(one) === host
  })
}

/** @throws GatewayError `WEBHOOK_URL`, `WEBHOOK_HOST` */
export function parseWebhookUrl(text: string, hosts: readonly string[]): URL {
  const problem = (reason: string) => gatewayError('WEBHOOK_URL', { reason, field: 'url' })
  if (!URL.canParse(text)) throw problem('is no URL')
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw problem('must begin with https:// or http://')
  if (url.username !== '' || url.password !== '') throw problem('must not hold a name or password')
  const host = hostOf(url)
  if (!isListed(host, hosts)) throw gatewayError('WEBHOOK_HOST', { host, field: 'url' })
  return url
}

export const hostOf = (url: URL): string => withoutBrackets(url.hostname.toLowerCase()).replace(/\.$/, '')

/**
 * Where to connect, decided once: what is checked is what is called.
 * @throws GatewayError `WEBHOOK_HOST`
 */
export async function resolveWebhookHost(url: URL, hosts: readonly string[], resolve: Resolve): Promise<ResolvedAddress> {
  const host = hostOf(url)
  if (!isListed(host, hosts)) throw gatewayError('WEBHOOK_HOST', { host })
  const family = isIP(host)
  if (family !== 0) return { address: host, family }
  const addresses = await resolve(host)
  // One bad address condemns the name: which of them is used would be chance.
  const bad = addresses.find(({ address }) => isRefusedAddress(address) && !isListed(address, hosts))
  if (bad) throw gatewayError('WEBHOOK_HOST', { host: `${host} (${bad.address})` })
  const [first] = addresses
  if (first === undefined) throw gatewayError('WEBHOOK_HOST', { host })
  return first
}
