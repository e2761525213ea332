import { peerIdOfAddress } from './transport.js'

/** A node that listens everywhere names its own loopback first, where nobody else finds it. */
export function addressesOfPeer(id: string, addresses: readonly string[]): string[] {
  const its = addresses.filter((address) => attempt(() => peerIdOfAddress(address)) === id)
  return [...its.filter((address) => !LOOPBACK.test(address)), ...its.filter((address) => LOOPBACK.test(address))]
}

const LOOPBACK = /^\/(ip4\/127\.|ip6\/::1\/)/

/** For what strangers say of others: what cannot be read counts as not said. */
export function attempt<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch {
    return undefined
  }
}
