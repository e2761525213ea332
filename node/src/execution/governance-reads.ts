import {
  MOTION_KIND, type MotionKindName, type MotionState, neededVotes, readMotion, readMotionArguments, readMotionCount, readOpenMotions,
  readSeats, readThreshold,
} from '@songhua/contracts/membership/state-council'
import {
  type NodeState, type ValidatorChangeState, readConnectableCount, readNode, readNodeAddresses, readNodeByAcCode, readValidatorSchedule,
} from '@songhua/contracts/membership/state-nodes'
import {
  type AccountState, type OrganisationState, readAccount, readAccountsOf, readOrganisation, readOrganisationCodes,
} from '@songhua/contracts/membership/state-organisations'
import { type PolicyState, type UsageState, readPolicy, readUsage } from '@songhua/contracts/membership/state-policy'
import type { Page, Paged, SystemState } from '@songhua/contracts/membership/state-words'
import { NEWCOMERS_USAGE_KEY, ROLE, accountUsageKey, dayOf, organisationUsageKey } from '@songhua/contracts/membership/slots'
import type { Address, Hex } from '@songhua/sdk/protocol/bytes'
import { administratorQuota } from '../permission/policy.js'

/** Whose use is counted. */
export type UsageSubject = { readonly account: Address } | { readonly uscc: string } | 'newcomers'

/** What may be asked of who governs, takes part and uses; each costs at most some thousand slots. */
export type GovernanceQuestion =
  | { readonly about: 'membership'; readonly organisations: Page; readonly nodes: Page }
  | { readonly about: 'organisation'; readonly uscc: string; readonly accounts: Page }
  | { readonly about: 'node'; readonly node: { readonly address: Address } | { readonly acCode: string } }
  | { readonly about: 'council'; readonly motions: Page }
  | { readonly about: 'motion'; readonly id: number }
  | { readonly about: 'quota'; readonly of: UsageSubject; readonly timestamp: number }
  | { readonly about: 'usage'; readonly of: UsageSubject; readonly timestamp: number }

export interface GovernanceAnswers {
  membership: MembershipAnswer
  organisation: OrganisationAnswer | undefined
  node: SealingNode | undefined
  council: CouncilAnswer
  motion: MotionAnswer | undefined
  /** Undefined for an organisation that was never admitted. */
  quota: QuotaAnswer | undefined
  usage: CountedUsage
}

export type GovernanceAnswer<Q extends GovernanceQuestion> = GovernanceAnswers[Q['about']]

export type SeatedOrganisation = OrganisationState & { readonly hasSeat: boolean }
export type SealingNode = NodeState & { readonly isValidator: boolean }
export type MotionAnswer = MotionState & { readonly arguments: Hex }

export interface MembershipAnswer {
  readonly counts: { readonly organisations: number; readonly nodes: number; readonly connectable: number; readonly seats: number; readonly validators: number }
  readonly organisations: readonly SeatedOrganisation[]
  readonly nodes: readonly SealingNode[]
  readonly validators: readonly Address[]
  readonly pending: readonly ValidatorChangeState[]
  readonly policy: PolicyState
}

export interface OrganisationAnswer {
  readonly organisation: SeatedOrganisation
  readonly accounts: Paged<AccountState>
}

export interface CouncilAnswer {
  /** Whom the registers obey. */
  readonly governor: Address
  readonly seats: readonly Pick<OrganisationState, 'uscc' | 'nameZh' | 'nameEn' | 'administrator'>[]
  readonly thresholds: readonly { readonly kind: MotionKindName; readonly permille: number; readonly needed: number }[]
  readonly motionCount: number
  /** Oldest first. */
  readonly open: Paged<MotionState>
}

export interface CountedUsage extends UsageState {
  readonly day: number
}

/** One quota: its limits and what of it is used today. */
export interface QuotaMeter {
  readonly of: 'account' | 'organisation' | 'newcomers'
  readonly gas: bigint
  readonly bytes: bigint
  readonly used: UsageState
}

export interface QuotaAnswer {
  readonly day: number
  readonly account: Address | undefined
  readonly uscc: string | undefined
  /** Bits of `ROLE` that count at present. */
  readonly roles: number
  /** All of them hold, but for what {@link governing} is for. */
  readonly meters: readonly QuotaMeter[]
  /** Of an administrator: the one that holds when it speaks to the contracts that govern. */
  readonly governing: QuotaMeter | undefined
}

/** @param block whose state this is; time in seconds */
export function answerGovernance<Q extends GovernanceQuestion>(
  state: SystemState,
  block: { readonly number: number; readonly timestamp: number },
  question: Q,
): GovernanceAnswer<Q> {
  return answerOf(state, block, question) as GovernanceAnswer<Q>
}

function answerOf(state: SystemState, block: { number: number; timestamp: number }, question: GovernanceQuestion): GovernanceAnswers[keyof GovernanceAnswers] {
  switch (question.about) {
    case 'membership':
      return membershipOf(state, block.number, question)
    case 'organisation':
      return organisationAnswer(state, question.uscc, question.accounts)
    case 'node': {
      const address = 'address' in question.node ? question.node.address : readNodeByAcCode(state, question.node.acCode)
      return address && sealingNode(state, address, readValidatorSchedule(state, block.number + 1).validators)
    }
    case 'council':
      return councilOf(state, block.timestamp, question.motions)
    case 'motion': {
      const motion = readMotion(state, question.id, block.timestamp)
      return motion && { ...motion, arguments: readMotionArguments(state, motion.id) }
    }
    case 'quota':
      return quotaOf(state, question.of, dayOf(question.timestamp))
    case 'usage': {
      const day = dayOf(question.timestamp)
      return { day, ...readUsage(state, usageKey(question.of), day) }
    }
  }
}

function membershipOf(state: SystemState, block: number, pages: { organisations: Page; nodes: Page }): MembershipAnswer {
  const codes = readOrganisationCodes(state, pages.organisations)
  const addresses = readNodeAddresses(state, pages.nodes)
  const { validators, pending } = readValidatorSchedule(state, block + 1)
  const seats = readSeats(state)
  return {
    counts: {
      organisations: codes.total, nodes: addresses.total, connectable: readConnectableCount(state), seats: seats.length, validators: validators.length,
    },
    organisations: present(codes.items.map((uscc) => seatedOrganisation(state, uscc, seats))),
    nodes: present(addresses.items.map((address) => sealingNode(state, address, validators))),
    validators, pending, policy: readPolicy(state),
  }
}

const present = <T>(values: readonly (T | undefined)[]): T[] => values.filter((value): value is T => value !== undefined)

function seatedOrganisation(state: SystemState, uscc: string, seats: readonly string[]): SeatedOrganisation | undefined {
  const organisation = readOrganisation(state, uscc)
  return organisation && { ...organisation, hasSeat: seats.includes(uscc) }
}

function sealingNode(state: SystemState, address: Address, validators: readonly Address[]): SealingNode | undefined {
  const node = readNode(state, address)
  return node && { ...node, isValidator: validators.includes(address) }
}

function organisationAnswer(state: SystemState, uscc: string, page: Page): OrganisationAnswer | undefined {
  const organisation = seatedOrganisation(state, uscc, readSeats(state))
  return organisation && { organisation, accounts: readAccountsOf(state, uscc, page) }
}

function councilOf(state: SystemState, timestamp: number, page: Page): CouncilAnswer {
  const seats = readSeats(state)
  const open = readOpenMotions(state).filter(({ expiresAt }) => timestamp < expiresAt)
  const shown = open.slice(page.offset, page.offset + page.limit)
  return {
    governor: readPolicy(state).governor,
    seats: present(seats.map((uscc) => readOrganisation(state, uscc)))
      .map(({ uscc, nameZh, nameEn, administrator }) => ({ uscc, nameZh, nameEn, administrator })),
    thresholds: (Object.entries(MOTION_KIND) as [MotionKindName, number][]).map(([kind, number]) => {
      const permille = readThreshold(state, number)
      return { kind, permille, needed: neededVotes(seats.length, permille) }
    }),
    motionCount: readMotionCount(state),
    open: { total: open.length, items: present(shown.map(({ id }) => readMotion(state, id, timestamp))) },
  }
}

const usageKey = (of: UsageSubject): Uint8Array => {
  if (of === 'newcomers') return NEWCOMERS_USAGE_KEY
  return 'uscc' in of ? organisationUsageKey(of.uscc) : accountUsageKey(of.account)
}

/** Roles that newcomers may have at all: as the gate of transactions. */
const NEWCOMER_ROLES = ROLE.anchor | ROLE.deploy | ROLE.apply

function quotaOf(state: SystemState, of: UsageSubject, day: number): QuotaAnswer | undefined {
  const used = (subject: UsageSubject): UsageState => readUsage(state, usageKey(subject), day)
  const ofNewcomers = (account?: Address): QuotaAnswer => {
    const { roles, gasPerDay, bytesPerDay, gasPerDayTotal, bytesPerDayTotal } = readPolicy(state).newcomers
    const together: QuotaMeter = { of: 'newcomers', gas: gasPerDayTotal, bytes: bytesPerDayTotal, used: used('newcomers') }
    const own: QuotaMeter[] = account === undefined ? [] : [{ of: 'account', gas: gasPerDay, bytes: bytesPerDay, used: used({ account }) }]
    return { day, account, uscc: undefined, roles: roles & NEWCOMER_ROLES, meters: [...own, together], governing: undefined }
  }
  if (of === 'newcomers') return ofNewcomers()
  const account = 'account' in of ? readAccount(state, of.account) : undefined
  const uscc = 'uscc' in of ? of.uscc : account?.uscc
  if (uscc === undefined) return ofNewcomers('account' in of ? of.account : undefined)
  const organisation = readOrganisation(state, uscc)
  if (organisation === undefined) return undefined
  const { gasPerDay, bytesPerDay, status, roles } = organisation
  const group: QuotaMeter = { of: 'organisation', gas: gasPerDay, bytes: bytesPerDay, used: used({ uscc }) }
  const own: QuotaMeter[] = account === undefined ? [] : [{
    of: 'account', gas: account.gasPerDay, bytes: account.bytesPerDay, used: used({ account: account.address }),
  }]
  const isAdministrator = own[0] !== undefined && account?.address === organisation.administrator
  return {
    day, account: account?.address, uscc, roles: status === 'active' ? roles & (account?.roles ?? roles) : 0, meters: [...own, group],
    governing: isAdministrator ? { ...own[0]!, ...administratorQuota(own[0]!, group) } : undefined,
  }
}

