import {
  NODE_REGISTER_ADDRESS, ORGANISATION_REGISTER_ADDRESS, POLICY_REGISTER_ADDRESS,
} from '@songhua/contracts/addresses'
import {
  DAY_OFFSET_S, NEWCOMERS_USAGE_KEY, NO_LIMIT, ORGANISATION_SLOT, POLICY_SLOT, ROLE, type Role, accountUsageKey, dayOf, organisationUsageKey,
} from '@songhua/contracts/membership/slots'
import type { Address } from '@songhua/sdk/protocol/bytes'
import type { Transaction } from '@songhua/sdk/protocol/transaction'
import {
  type NewcomerEntry, type OrganisationEntry, type PolicyState, type Quota, type Usage, accountSlot, administratorQuota, organisationSlot,
  readAccount, readAdministrator, readGovernor, readNewcomer, readNewcomersQuota, readOrganisation, readUsage, usageOfWord, usageSlot, usageToWord,
} from './policy.js'
import { type PermissionRefusal, type QuotaCode, type Who, exceeds, lacksRole, notBound, suspended } from './refusal.js'

/** What the rules ask of a transaction. */
export type Asking = Pick<Transaction, 'sender' | 'to' | 'gasLimit' | 'raw'>

/** Gas limits and bytes of transactions that wait. */
export interface Work {
  readonly gas: bigint
  readonly bytes: bigint
}

/** What waits beside a transaction. */
export interface PendingWork {
  readonly own: Work
  /** Of all newcomers when the sender is one, else its own. */
  readonly group: Work
}

/** A slot of the UsageRegister and what it holds after the block. */
export interface UsageWrite {
  readonly slot: bigint
  readonly value: bigint
}

/**
 * Permissions and quotas of one block: the policy is that of its parent's post-state, whatever the block itself changes;
 * usage is the parent's and that of the block so far. What is read is kept as long as the gate.
 */
export interface Gate {
  /** Right and quota, in the order of the rule. @param pending what waits beside this one, where nothing is recorded */
  check(transaction: Asking, pending?: PendingWork): PermissionRefusal | undefined
  /** The right alone. */
  checkRight(transaction: Pick<Asking, 'sender' | 'to'>): PermissionRefusal | undefined
  /** The transaction stands in the block. */
  record(transaction: Asking, gasUsed: bigint): void
  /** What the block's end writes; nothing when nothing was recorded. */
  usageWrites(): UsageWrite[]
}

/** How a block is held to the policy of its parent's post-state. @param timestamp of the block, s */
export type Permission = (parent: PolicyState, timestamp: number) => Gate

export const createGate: Permission = (parent, timestamp) => new PolicyGate(parent, dayOf(timestamp))

/** The contracts guard themselves: whoever is known, or may apply to be, may speak to them, and to whom they obey. */
const REGISTERS: ReadonlySet<Address> = new Set<Address>([NODE_REGISTER_ADDRESS, ORGANISATION_REGISTER_ADDRESS, POLICY_REGISTER_ADDRESS])
const NEWCOMER_ROLES = ROLE.anchor | ROLE.deploy | ROLE.apply
const NO_WORK: Work = { gas: 0n, bytes: 0n }
const NOTHING_PENDING: PendingWork = { own: NO_WORK, group: NO_WORK }
const NEWCOMERS = 'newcomers'
const TRANSACTIONS_MAX = 2n ** 32n - 1n

/** One quota and what of it is used. */
interface Meter {
  readonly slot: bigint
  readonly quota: Quota
  readonly codes: readonly [gas: QuotaCode, bytes: QuotaCode]
  usage: Usage
  isRecorded: boolean
}

/** Rights and quota of many accounts together. */
interface Group<E> {
  readonly entry: E
  readonly meter: Meter
}

interface Organisation extends Group<OrganisationEntry> {
  readonly slot: bigint
  readonly administrator: Address
}

/** All that the rule needs of one sender. */
interface Standing extends Who {
  /** Of its account in the OrganisationRegister. */
  readonly slot: bigint
  /** Of the organisation; true for newcomers. */
  readonly isActive: boolean
  readonly roles: number
  /** What an administrator may use of a day to govern, whatever others of its organisation have used; undefined: is none. */
  readonly governing: Quota | undefined
  /** Its own, then the organisation's or the newcomers'. */
  readonly meters: readonly [Meter, Meter]
}

/** Beside {@link Gate}, can follow the later blocks of its day. */
export class PolicyGate implements Gate {
  readonly day: number
  readonly #state: PolicyState
  readonly #standings = new Map<Address, Standing>()
  readonly #organisations = new Map<string, Organisation>()
  #newcomers: Group<NewcomerEntry> | undefined
  /** By their slot. */
  readonly #meters = new Map<bigint, Meter>()
  #governor: Address | undefined

  constructor(state: PolicyState, day: number) {
    this.#state = state
    this.day = day
  }

  /** Senders that it remembers. */
  get size(): number {
    return this.#standings.size
  }

  check(transaction: Asking, pending = NOTHING_PENDING): PermissionRefusal | undefined {
    return this.checkRight(transaction) ?? this.#checkQuotas(transaction, pending)
  }

  checkRight({ sender, to }: Pick<Asking, 'sender' | 'to'>): PermissionRefusal | undefined {
    const standing = this.#standingOf(sender)
    if (!standing.isActive) return suspended(standing)
    const isBound = standing.organisation !== undefined
    if (!isBound && standing.roles === 0) return notBound(standing)
    const role = this.#roleFor(to, isBound)
    return role === undefined || (standing.roles & ROLE[role]) !== 0 ? undefined : lacksRole(standing, role)
  }

  record({ sender, to, raw }: Asking, gasUsed: bigint): void {
    const { meters } = this.#standingOf(sender)
    for (const meter of this.isGovernance({ sender, to }) ? [meters[0]] : meters) {
      const { gas, bytes, transactions } = meter.usage
      meter.usage = {
        gas: atMost(gas + gasUsed, NO_LIMIT),
        bytes: atMost(bytes + BigInt(raw.length), NO_LIMIT),
        transactions: atMost(transactions + 1n, TRANSACTIONS_MAX),
      }
      meter.isRecorded = true
    }
  }

  usageWrites(): UsageWrite[] {
    return [...this.#meters.values()]
      .filter(({ isRecorded }) => isRecorded)
      .map(({ slot, usage }) => ({ slot, value: usageToWord(usage, this.day) }))
  }

  /**
   * Whether an administrator speaks to the contracts that govern. That counts against its own quota alone: no other
   * account of its organisation can use up what its seat needs.
   */
  isGovernance({ sender, to }: Pick<Asking, 'sender' | 'to'>): boolean {
    const { isActive, governing } = this.#standingOf(sender)
    return isActive && governing !== undefined && to !== undefined && this.#governs(to)
  }

  /** Newcomers, whose keys cost nothing; the accounts of an organisation are its own affair. */
  groupOf(sender: Address): string | undefined {
    return this.#standingOf(sender).organisation === undefined ? NEWCOMERS : undefined
  }

  /** A later block has written this word of usage. */
  follow(slot: bigint, word: bigint): void {
    const meter = this.#meters.get(slot)
    if (meter !== undefined) meter.usage = usageOfWord(word, this.day)
  }

  /** A later block has changed these slots of OrganisationRegister and PolicyRegister: what hangs on them is read anew. */
  forget(organisationSlots: ReadonlySet<bigint>, policySlots: ReadonlySet<bigint>): void {
    if (organisationSlots.has(ORGANISATION_SLOT.governor)) this.#governor = undefined
    const isOfNewcomers = policySlots.has(POLICY_SLOT.newcomer) || policySlots.has(POLICY_SLOT.newcomers)
    if (isOfNewcomers && this.#newcomers !== undefined) {
      this.#meters.delete(this.#newcomers.meter.slot)
      this.#newcomers = undefined
    }
    for (const [uscc, { slot, meter }] of this.#organisations) {
      if (!organisationSlots.has(slot) && !organisationSlots.has(slot + 1n)) continue
      this.#organisations.delete(uscc)
      this.#meters.delete(meter.slot)
    }
    for (const { account, organisation, slot, meters } of this.#standings.values()) {
      const isGroupKept = organisation === undefined ? !isOfNewcomers : this.#organisations.has(organisation)
      if (isGroupKept && !organisationSlots.has(slot) && !organisationSlots.has(slot + 1n)) continue
      this.#standings.delete(account)
      this.#meters.delete(meters[0].slot)
    }
  }

  /**
   * What a transaction to this target needs; undefined: to be bound is enough. Creations inside a call are the act of the
   * called contract, so that only those of the transaction itself need the right to deploy.
   */
  #roleFor(to: Address | undefined, isBound: boolean): Role | undefined {
    if (to === undefined) return 'deploy'
    if (!this.#governs(to)) return 'anchor'
    return isBound ? undefined : 'apply'
  }

  #governs(to: Address): boolean {
    return REGISTERS.has(to) || to === (this.#governor ??= readGovernor(this.#state))
  }

  #checkQuotas({ sender, to, gasLimit, raw }: Asking, { own, group }: PendingWork): PermissionRefusal | undefined {
    const standing = this.#standingOf(sender)
    const [ownMeter, groupMeter] = standing.meters
    const meters = this.isGovernance({ sender, to }) ? [{ ...ownMeter, quota: standing.governing! }] : [ownMeter, groupMeter]
    const bytes = BigInt(raw.length)
    const resetsAt = (this.day + 1) * 86_400 - DAY_OFFSET_S
    for (const [index, { quota, usage, codes }] of meters.entries()) {
      const pending = index === 0 ? own : group
      const gas = { limit: quota.gas, used: usage.gas, pending: pending.gas, asked: gasLimit, resetsAt }
      if (isAbove(gas)) return exceeds(codes[0], standing, gas)
      const size = { limit: quota.bytes, used: usage.bytes, pending: pending.bytes, asked: bytes, resetsAt }
      if (isAbove(size)) return exceeds(codes[1], standing, size)
    }
    return undefined
  }

  #standingOf(account: Address): Standing {
    let standing = this.#standings.get(account)
    if (standing === undefined) this.#standings.set(account, (standing = this.#readStanding(account)))
    return standing
  }

  #readStanding(account: Address): Standing {
    const slot = accountSlot(account)
    const entry = readAccount(this.#state, slot)
    if (entry === undefined) return this.#readNewcomerStanding(account, slot)
    const organisation = this.#organisationOf(entry.organisation)
    const { isActive, roles, quota } = organisation.entry
    return {
      account, slot, organisation: entry.organisation, isActive, roles: entry.roles & roles,
      governing: account === organisation.administrator ? administratorQuota(entry.quota, quota) : undefined,
      meters: [this.#accountMeter(account, entry.quota), organisation.meter],
    }
  }

  #readNewcomerStanding(account: Address, slot: bigint): Standing {
    const { entry: { roles, quota }, meter } = (this.#newcomers ??= this.#readNewcomers())
    return {
      account, slot, organisation: undefined, isActive: true, roles: roles & NEWCOMER_ROLES, governing: undefined,
      meters: [this.#accountMeter(account, quota), meter],
    }
  }

  #readNewcomers(): Group<NewcomerEntry> {
    const together = readNewcomersQuota(this.#state)
    const meter = this.#meterOf(NEWCOMERS_USAGE_KEY, together, ['QUOTA_NEWCOMERS_GAS', 'QUOTA_NEWCOMERS_BYTES'])
    return { entry: readNewcomer(this.#state), meter }
  }

  #organisationOf(uscc: string): Organisation {
    let organisation = this.#organisations.get(uscc)
    if (organisation === undefined) {
      const slot = organisationSlot(uscc)
      const entry = readOrganisation(this.#state, slot)
      const meter = this.#meterOf(organisationUsageKey(uscc), entry.quota, ['QUOTA_ORGANISATION_GAS', 'QUOTA_ORGANISATION_BYTES'])
      this.#organisations.set(uscc, (organisation = { slot, entry, meter, administrator: readAdministrator(this.#state, slot) }))
    }
    return organisation
  }

  #accountMeter(account: Address, quota: Quota): Meter {
    return this.#meterOf(accountUsageKey(account), quota, ['QUOTA_ACCOUNT_GAS', 'QUOTA_ACCOUNT_BYTES'])
  }

  #meterOf(key: Uint8Array, quota: Quota, codes: Meter['codes']): Meter {
    const slot = usageSlot(key)
    let meter = this.#meters.get(slot)
    if (meter === undefined) {
      meter = { slot, quota, codes, usage: readUsage(this.#state, slot, this.day), isRecorded: false }
      this.#meters.set(slot, meter)
    }
    return meter
  }
}

function isAbove({ limit, used, pending, asked }: { limit: bigint; used: bigint; pending: bigint; asked: bigint }): boolean {
  return limit !== NO_LIMIT && used + pending + asked > limit
}

const atMost = (value: bigint, max: bigint): bigint => (value < max ? value : max)
