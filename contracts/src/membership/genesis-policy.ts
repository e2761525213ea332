// Storage of PolicyRegister.sol at genesis.
import { type Address, toAddress } from '@songhua/sdk/protocol/bytes'
import { checkQuota, checkQuotas, checkRoles } from './genesis-organisations.js'
import { type Storage, demand, put } from './genesis-words.js'
import { DOOR, type Door, READ_LEVEL, type ReadLevel } from './kinds.js'
import { NEWCOMERS_WORD, NEWCOMER_WORD, PARAMETERS_WORD, POLICY_SLOT, ROLE, addressKey, mappingSlot, packWord } from './slots.js'

/** Rights of accounts that are bound to no organisation; the quotas for each, and for all together. */
export interface NewcomersGenesis {
  readonly roles: number
  readonly gasPerDay: bigint
  readonly bytesPerDay: bigint
  readonly gasPerDayTotal: bigint
  readonly bytesPerDayTotal: bigint
}

export interface ParametersGenesis {
  /** 1 to 64. */
  readonly minValidators: number
  /** Blocks from a motion to the set that it makes; 1 to 100,000. */
  readonly validatorNotice: number
  /** Blocks from a motion to the protocol version that it sets; 1 to 1,000,000. */
  readonly protocolNotice: number
  /** Seconds; 3,600 to 31,536,000. */
  readonly motionLifetime: number
}

/** What is absent is as in the defaults. */
export interface PolicyGenesis {
  readonly newcomers?: Partial<NewcomersGenesis>
  readonly readLevels?: Partial<Record<Door, ReadLevel>>
  readonly readers?: readonly { readonly address: Address; readonly doors: readonly Door[] }[]
  readonly parameters?: Partial<ParametersGenesis>
}

export const DEFAULT_NEWCOMERS: NewcomersGenesis = {
  roles: ROLE.apply, gasPerDay: 2_000_000n, bytesPerDay: 100_000n, gasPerDayTotal: 20_000_000n, bytesPerDayTotal: 1_000_000n,
}
/** Open, as an Ethereum node is, but for what shows others' unsealed transactions and what costs a node dearly. */
export const DEFAULT_READ_LEVELS: Record<Door, ReadLevel> = {
  eth: 'public', net: 'public', web3: 'public', txpool: 'listed', debug: 'listed', qbft: 'public', songhua: 'public',
  government: 'public', trace: 'public', credit: 'public',
}
const DEFAULT_MIN_VALIDATORS = 4
const DEFAULT_NOTICES = { validatorNotice: 2, protocolNotice: 100, motionLifetime: 7 * 86_400 }
const PARAMETER_RANGES: Record<keyof ParametersGenesis, readonly [min: number, max: number]> = {
  minValidators: [1, 64], validatorNotice: [1, 100_000], protocolNotice: [1, 1_000_000], motionLifetime: [3_600, 31_536_000],
}
const NEWCOMER_ROLES = ROLE.anchor | ROLE.deploy | ROLE.apply

/**
 * @param validatorCount of the first set, from which the default of minValidators follows
 * @param governor the address in slot 0
 * @throws CodedError `GOVERNANCE_ROLES`, `GOVERNANCE_QUOTA`, `GOVERNANCE_DOOR`, `GOVERNANCE_READ_LEVEL`, `GOVERNANCE_PARAMETER`
 */
export function policyStorage(policy: PolicyGenesis, validatorCount: number, governor: Address): Storage {
  const newcomers = { ...DEFAULT_NEWCOMERS, ...policy.newcomers }
  const parameters = { minValidators: Math.min(DEFAULT_MIN_VALIDATORS, validatorCount), ...DEFAULT_NOTICES, ...policy.parameters }
  checkNewcomers(newcomers)
  checkParameters(parameters, validatorCount)

  const storage: Storage = {}
  put(storage, POLICY_SLOT.governor, BigInt(governor))
  put(storage, POLICY_SLOT.newcomer, packWord(NEWCOMER_WORD, {
    roles: BigInt(newcomers.roles), gasPerDay: newcomers.gasPerDay, bytesPerDay: newcomers.bytesPerDay,
  }))
  put(storage, POLICY_SLOT.newcomers, packWord(NEWCOMERS_WORD, {
    gasPerDay: newcomers.gasPerDayTotal, bytesPerDay: newcomers.bytesPerDayTotal,
  }))
  put(storage, POLICY_SLOT.readLevels, readLevelsWord({ ...DEFAULT_READ_LEVELS, ...policy.readLevels }))
  put(storage, POLICY_SLOT.parameters, packWord(PARAMETERS_WORD, {
    minValidators: BigInt(parameters.minValidators), validatorNotice: BigInt(parameters.validatorNotice),
    protocolNotice: BigInt(parameters.protocolNotice), motionLifetime: BigInt(parameters.motionLifetime),
  }))
  policy.readers?.forEach(({ address, doors }, index) => {
    const field = `policy.readers[${index}]`
    const bits = doors.reduce((word, door) => word | (1n << BigInt(doorAt(door, `${field}.doors`))), 0n)
    put(storage, mappingSlot(addressKey(toAddress(address, `${field}.address`)), POLICY_SLOT.readers), bits)
  })
  return storage
}

/** Two bits for each door. */
export function readLevelsWord(levels: Partial<Record<Door, ReadLevel>>): bigint {
  return Object.entries(levels).reduce((word, [door, level]) => {
    demand(Object.hasOwn(READ_LEVEL, level), 'GOVERNANCE_READ_LEVEL', `policy.readLevels.${door}`,
      `is "${level}"; expected listed, members or public`)
    return word | (BigInt(READ_LEVEL[level]) << BigInt(2 * doorAt(door, 'policy.readLevels')))
  }, 0n)
}

function doorAt(door: string, field: string): number {
  demand(Object.hasOwn(DOOR, door), 'GOVERNANCE_DOOR', field, `names "${door}", which is no door: ${Object.keys(DOOR).join(', ')}`)
  return DOOR[door as Door]
}

function checkNewcomers(newcomers: NewcomersGenesis): void {
  const field = 'policy.newcomers'
  checkRoles(newcomers.roles, NEWCOMER_ROLES, `${field}.roles`)
  checkQuotas(newcomers, field)
  checkQuota(newcomers.gasPerDayTotal, `${field}.gasPerDayTotal`)
  checkQuota(newcomers.bytesPerDayTotal, `${field}.bytesPerDayTotal`)
}

function checkParameters(parameters: ParametersGenesis, validatorCount: number): void {
  for (const [name, [min, max]] of Object.entries(PARAMETER_RANGES)) {
    const value = parameters[name as keyof ParametersGenesis]
    demand(Number.isInteger(value) && value >= min && value <= max, 'GOVERNANCE_PARAMETER', `policy.parameters.${name}`,
      `is ${value}; expected ${min} to ${max}`)
  }
  demand(parameters.minValidators <= validatorCount, 'GOVERNANCE_PARAMETER', 'policy.parameters.minValidators',
    `is ${parameters.minValidators}; there are ${validatorCount} validators`)
}
