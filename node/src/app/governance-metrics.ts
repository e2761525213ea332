import { COUNCIL_ADDRESS, NODE_REGISTER_ADDRESS, ORGANISATION_REGISTER_ADDRESS } from '@songhua/contracts/addresses'
import { NODE_STATUS } from '@songhua/contracts/membership/kinds'
import { type OpenMotion, readOpenMotions, readSeats } from '@songhua/contracts/membership/state-council'
import { type NodeStatusName, readNodeAddresses, readNodeStatus } from '@songhua/contracts/membership/state-nodes'
import { readOrganisationCodes } from '@songhua/contracts/membership/state-organisations'
import type { SystemState } from '@songhua/contracts/membership/state-words'
import type { Address } from '@songhua/sdk/protocol/bytes'
import type { Metric } from '../rpc/admin-ports.js'

export interface GovernanceMetrics {
  /** A block has become final; what it changed, contract by contract. */
  onBlock(storage: ReadonlyMap<Address, unknown>): void
  /** @param timestamp of the head, s */
  read(timestamp: number): Metric[]
}

interface Figures {
  readonly organisations: number
  readonly seats: number
  readonly motions: readonly OpenMotion[]
  readonly nodes: Readonly<Record<NodeStatusName, number>>
}

const WATCHED: readonly Address[] = [ORGANISATION_REGISTER_ADDRESS, NODE_REGISTER_ADDRESS, COUNCIL_ADDRESS]
/** Those that may connect are 1,024 at most; those that ever applied have no bound, and 10 µs each take the thread of consensus. */
const NODES_COUNTED_MAX = 4_096
const STATUSES = (Object.keys(NODE_STATUS) as (keyof typeof NODE_STATUS)[]).filter((status) => status !== 'none')

/** Counted anew when it is asked for after a block that touched the contracts, and not before. @param state always the head's */
export function createGovernanceMetrics(state: SystemState): GovernanceMetrics {
  let figures: Figures | undefined
  return {
    onBlock(storage) {
      if (WATCHED.some((address) => storage.has(address))) figures = undefined
    },
    read: (timestamp) => metricsOf((figures ??= readFigures(state)), timestamp),
  }
}

function readFigures(state: SystemState): Figures {
  const nodes = Object.fromEntries(STATUSES.map((status) => [status, 0])) as Record<NodeStatusName, number>
  for (const address of readNodeAddresses(state, { offset: 0, limit: NODES_COUNTED_MAX }).items) {
    const status = readNodeStatus(state, address)
    if (status !== undefined) nodes[status] += 1
  }
  return { organisations: readOrganisationCodes(state, { offset: 0, limit: 0 }).total, seats: readSeats(state).length, motions: readOpenMotions(state), nodes }
}

function metricsOf({ organisations, seats, motions, nodes }: Figures, timestamp: number): Metric[] {
  const gauge = (name: string, help: string, value: number): Metric => ({ name: `songhua_${name}`, help, kind: 'gauge', value })
  return [
    gauge('organisations', 'organisations that were ever admitted', organisations),
    gauge('council_seats', 'seats in the council', seats),
    gauge('open_motions', 'motions that may still be voted on', motions.filter(({ expiresAt }) => timestamp < expiresAt).length),
    ...STATUSES.map((status): Metric => ({ ...gauge('nodes', 'registered nodes by status', nodes[status]), labels: { status } })),
  ]
}
