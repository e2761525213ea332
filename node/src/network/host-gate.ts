import { addressKey } from '../base/address-key.js'
import type { Clock } from '../base/clock.js'
import { type TokenBucket, createTokenBucket } from '../base/token-bucket.js'
import type { NetworkLimits } from './limits.js'

export type HostGateLimits = Pick<
  NetworkLimits,
  'connectionsPerHostMax' | 'connectionsPerHostPerSecond' | 'connectionsPerSecond' | 'pendingConnectionsMax'
>

/** Why a connection was closed before its first byte; each has a counter. */
export type HostRefusal = 'HOST_CONNECTIONS' | 'HOST_RATE' | 'CONNECTION_RATE' | 'PENDING_CONNECTIONS'

/** One inbound connection, from its first byte to its last. */
export interface Admitted {
  /** Its peer has proved who it is. */
  authenticated(): void
  closed(): void
}

/** Holds strangers to their share before they have cost a handshake; the /64 of an IPv6 address counts as one host. */
export interface HostGate {
  admit(host: string): Admitted | HostRefusal
}

const HOSTS_REMEMBERED_MAX = 4_096

export function createHostGate(limits: HostGateLimits, clock: Pick<Clock, 'now'>): HostGate {
  const open = new Map<string, number>()
  const rates = new Map<string, TokenBucket>()
  const all = bucketOf(limits.connectionsPerSecond, clock)
  let pending = 0

  const rateOf = (host: string): TokenBucket => {
    const known = rates.get(host)
    if (known !== undefined) return known
    const [oldest] = rates.keys()
    if (rates.size >= HOSTS_REMEMBERED_MAX && oldest !== undefined) rates.delete(oldest)
    const rate = bucketOf(limits.connectionsPerHostPerSecond, clock)
    rates.set(host, rate)
    return rate
  }

  const refusalOf = (host: string): HostRefusal | undefined => {
    if ((open.get(host) ?? 0) >= limits.connectionsPerHostMax) return 'HOST_CONNECTIONS'
    if (pending >= limits.pendingConnectionsMax) return 'PENDING_CONNECTIONS'
    // The host's own share first: one host alone cannot use up that of all.
    if (!rateOf(host).take(clock.now())) return 'HOST_RATE'
    return all.take(clock.now()) ? undefined : 'CONNECTION_RATE'
  }

  return {
    admit(address) {
      const host = addressKey(address)
      const refusal = refusalOf(host)
      if (refusal !== undefined) return refusal
      open.set(host, (open.get(host) ?? 0) + 1)
      pending += 1
      let isPending = true
      const authenticated = (): void => {
        if (isPending) pending -= 1
        isPending = false
      }
      return {
        authenticated,
        closed() {
          authenticated()
          const left = (open.get(host) ?? 1) - 1
          if (left > 0) open.set(host, left)
          else open.delete(host)
        },
      }
    },
  }
}

const bucketOf = (perSecond: number, clock: Pick<Clock, 'now'>): TokenBucket =>
  createTokenBucket({ perSecond, burst: perSecond }, clock.now())
