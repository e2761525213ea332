import { systemClock } from '@songhua/node/base/clock'
import { devAccounts } from '@songhua/node/cli/dev-accounts'
import { devGovernance } from '@songhua/node/cli/dev-organisations'
import type { RpcServer } from '@songhua/node/rpc/rpc-server'
import { bytesToHex } from '@songhua/sdk/protocol/bytes'
import { privateKeyToPublicKey } from '@songhua/sdk/protocol/crypto'
import { type TestCouncil, openCouncil } from '../support/govern.js'
import { type FixtureChain, VALIDATOR_KEY, createFixtureChain } from './fixture-chain.js'

/** Credit codes of the organisations of a devnet, in their order; the first accounts administer them. */
export const [BUREAU, OFFICE, TELECOM, OPERATIONS] = devGovernance([], []).seats as [string, string, string, string]
export const DEV = devAccounts()

export interface GovernedChain extends FixtureChain {
  server: RpcServer
  url: string
  wsUrl: string
  council: TestCouncil
  /** Seals blocks at this time from now on, ms; a second after each other unless told. */
  setTime(blockTimeMs: number | undefined): void
}

/**
 * A chain with the organisations of a devnet and a node that they answer for: whatever is sent to it stands in a block at once.
 * @param timestamp of genesis, s
 */
export async function createGovernedChain(timestamp?: number): Promise<GovernedChain> {
  const members = [{ publicKey: bytesToHex(privateKeyToPublicKey(VALIDATOR_KEY)), isValidator: true, isSuper: true }]
  const governance = devGovernance(members, DEV.map(({ address }) => address))
  const chain = await createFixtureChain({}, { governance, ...(timestamp !== undefined && { timestamp }) })
  let timeMs: number | undefined
  let mining = Promise.resolve()
  chain.pool.onAdded(() => {
    mining = mining.then(() => chain.mine(timeMs))
  })
  // The chain has a time of its own, and what is of today is of its day.
  const clock = { ...systemClock, now: () => chain.ports.chain.head().header.timestamp * 1000 }
  const { server, url, wsUrl } = await chain.serve({ clock })
  const council = await openCouncil(url, DEV.slice(0, 4).map(({ privateKey }) => privateKey))
  return { ...chain, server, url, wsUrl, council, setTime: (blockTimeMs) => (timeMs = blockTimeMs) }
}
