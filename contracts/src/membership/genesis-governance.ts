// Storage of the governance contracts at genesis, from one description of who takes part.
import type { Address } from '@songhua/sdk/protocol/bytes'
import { type NodeGenesis, genesisValidators, nodeStorage } from './genesis-nodes.js'
import { type AccountGenesis, type OrganisationGenesis, organisationStorage } from './genesis-organisations.js'
import { type PolicyGenesis, policyStorage } from './genesis-policy.js'
import { type Storage, demand, putSet, repeatedAt } from './genesis-words.js'
import { COUNCIL_SLOT, ROLE, organisationKey } from './slots.js'

/** Who takes part from the first block on. Credit codes tie the parts together. */
export interface GovernanceGenesis {
  readonly organisations: readonly OrganisationGenesis[]
  /** Credit codes of 4 to 64 organisations, which have the seats in the council. */
  readonly seats: readonly string[]
  /** 1 to 1,024, of which 1 to 64 are validators. */
  readonly nodes: readonly NodeGenesis[]
  /** Accounts besides the organisations' administrators. */
  readonly accounts?: readonly AccountGenesis[]
  readonly policy?: PolicyGenesis
}

export interface GovernanceStorage {
  readonly organisations: Storage
  readonly nodes: Storage
  readonly council: Storage
  readonly policy: Storage
}

export const MIN_SEATS = 4
export const MAX_SEATS = 64
/** What a seat needs a day, so that it can always act. */
export const SEAT_GAS_PER_DAY = 20_000_000n
export const SEAT_BYTES_PER_DAY = 1_000_000n

/**
 * @param governor the council's address
 * @throws CodedError `GOVERNANCE_SEAT_COUNT`, `GOVERNANCE_UNKNOWN_SEAT`, `GOVERNANCE_DUPLICATE_SEAT`, `GOVERNANCE_SEAT_RIGHTS`, and as
 *   {@link organisationStorage}, {@link nodeStorage} and {@link policyStorage}; the message and `details.field` name the field
 */
export function governanceStorage(governance: GovernanceGenesis, governor: Address): GovernanceStorage {
  const { organisations, seats, nodes, accounts = [], policy = {} } = governance
  return {
    organisations: organisationStorage(organisations, accounts, governor),
    nodes: nodeStorage(nodes, organisations, governor),
    council: councilStorage(seats, organisations),
    policy: policyStorage(policy, genesisValidators(nodes).length, governor),
  }
}

function councilStorage(seats: readonly string[], organisations: readonly OrganisationGenesis[]): Storage {
  demand(seats.length >= MIN_SEATS && seats.length <= MAX_SEATS, 'GOVERNANCE_SEAT_COUNT', 'seats',
    `has ${seats.length} entries; expected ${MIN_SEATS} to ${MAX_SEATS}: of fewer one could block the others`)
  seats.forEach((uscc, index) => {
    const organisation = organisations.find((candidate) => candidate.uscc === uscc)
    demand(organisation !== undefined, 'GOVERNANCE_UNKNOWN_SEAT', `seats[${index}]`, `is "${uscc}", no organisation of this genesis`)
    const { roles, gasPerDay, bytesPerDay } = organisation
    const canAct = (roles & ROLE.administer) !== 0 && gasPerDay >= SEAT_GAS_PER_DAY && bytesPerDay >= SEAT_BYTES_PER_DAY
    demand(canAct, 'GOVERNANCE_SEAT_RIGHTS', `seats[${index}]`,
      `is "${uscc}", which needs ADMINISTER, ${SEAT_GAS_PER_DAY} gas and ${SEAT_BYTES_PER_DAY} bytes a day for a seat`)
  })
  const twice = repeatedAt(seats)
  demand(twice < 0, 'GOVERNANCE_DUPLICATE_SEAT', `seats[${twice}]`, 'has a seat already')
  const storage: Storage = {}
  putSet(storage, COUNCIL_SLOT.seats, seats.map(organisationKey))
  return storage
}
