import { randomBytes } from 'node:crypto'
import { signBinding } from '@songhua/sdk/governance'
import { bytesToHex, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { privateKeyToAddress } from '@songhua/sdk/protocol/crypto'
import { NO_LIMIT } from '@songhua/sdk/governance/codes'
import { type Devnet, rpc } from '../support/devnet.js'
import { type TestCouncil, openCouncil } from '../support/govern.js'
import { measureThroughput } from './throughput.js'

export interface PermissionsReport {
  scenario: 'permissions'
  /** Medians over the phases. */
  openPerSecond: number
  membersPerSecond: number
  ratio: number
  /** Transactions a second of each phase, open and closed in turn. */
  openPhases: number[]
  membersPhases: number[]
  errors: number
}

const ACCOUNTS = 10
const PHASES_EACH = 3
const WARM_UP_S = 3
/** A hundred times what a phase uses: quotas are counted and compared, and never met. */
const QUOTA = { gasPerDay: 100_000_000_000n, bytesPerDay: 10_000_000_000n }

interface LoadAccount {
  privateKey: string
  address: string
}

/**
 * The same load under an open policy, by accounts that nobody knows, and under a closed one, by accounts of an
 * organisation with quotas; in turn on one chain, so that the machine's moods fall on both.
 */
export async function measurePermissions(devnet: Devnet, options: { seconds: number; inFlight: number; batch: number }): Promise<PermissionsReport> {
  const { nodes, accounts, chainId } = devnet.ready
  const council = await openCouncil(nodes[0]!.rpc, accounts.slice(0, 4).map(({ privateKey }) => privateKey))
  const newcomers = newAccounts()
  const members = newAccounts()
  await bindAll(council, members, chainId)
  const phases = { open: [] as number[], members: [] as number[] }
  let errors = 0
  for (let turn = 0; turn < 2 * PHASES_EACH; turn++) {
    const isOpen = turn % 2 === 0
    await setPolicy(council, isOpen)
    const senders = isOpen ? newcomers : members
    const load = await withNonces(nodes[0]!.rpc, senders)
    const outcome = await measureThroughput({ nodes, chainId, accounts: load, warmUpS: WARM_UP_S, ...options })
    phases[isOpen ? 'open' : 'members'].push(Math.round(outcome.finalityMs.length / options.seconds))
    errors += outcome.errors
  }
  const [openPerSecond, membersPerSecond] = [median(phases.open), median(phases.members)]
  return {
    scenario: 'permissions', openPerSecond, membersPerSecond, ratio: Math.round((membersPerSecond / openPerSecond) * 1000) / 1000,
    openPhases: phases.open, membersPhases: phases.members, errors,
  }
}

function newAccounts(): LoadAccount[] {
  return Array.from({ length: ACCOUNTS }, () => {
    const key = new Uint8Array(randomBytes(32))
    return { privateKey: bytesToHex(key), address: privateKeyToAddress(key) }
  })
}

async function bindAll(council: TestCouncil, members: readonly LoadAccount[], chainId: number): Promise<void> {
  const [administrator] = council.seats
  const [uscc] = await administrator!.seats()
  for (const { privateKey, address } of members) {
    const account = address as `0x${string}`
    const consent = signBinding({ uscc: uscc!, account, nonce: 0n }, hexToBytes(privateKey), chainId)
    await administrator!.bindAccount(account, { roles: ['anchor'], ...QUOTA }, consent)
  }
}

/** Closed: newcomers may apply, and nothing else. */
async function setPolicy(council: TestCouncil, isOpen: boolean): Promise<void> {
  const open = { gasPerDay: NO_LIMIT, bytesPerDay: NO_LIMIT, gasPerDayTotal: NO_LIMIT, bytesPerDayTotal: NO_LIMIT }
  await council.pass('setNewcomers', { roles: isOpen ? ['anchor', 'deploy', 'apply'] : ['apply'], ...open })
}

async function withNonces(url: string, senders: readonly LoadAccount[]): Promise<(LoadAccount & { nonce: number })[]> {
  const counts = await Promise.all(senders.map(({ address }) => rpc<string>(url, 'eth_getTransactionCount', [address, 'pending'])))
  return senders.map((sender, index) => ({ ...sender, nonce: Number(counts[index]) }))
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]!
}
