import { ROLE, type Role } from '@songhua/contracts/membership/slots'
import { failField, joinPath, readAddressField, readHashField, readInteger, readShape } from '@songhua/sdk/protocol/json-fields'
import { isUscc } from '@songhua/sdk/protocol/uscc'
import type { OrganisationGenesis } from '@songhua/contracts/membership/genesis-organisations'
import { ORGANISATION_KINDS } from '@songhua/sdk/governance/codes'

/** An organisation as a roster names it. */
export interface RosterOrganisation {
  readonly entry: OrganisationGenesis
  readonly hasSeat: boolean
}

const MAX_ORGANISATIONS = 1024
const MAX_NAME_BYTES = 100
/** What an organisation may do unless the roster says less. */
const DEFAULT_ROLES: readonly Role[] = ['anchor', 'deploy', 'issue', 'administer', 'read']
/** Some 5,000 batches of records a day. */
export const DEFAULT_GAS_PER_DAY = 1_000_000_000
export const DEFAULT_BYTES_PER_DAY = 200_000_000

/**
 * Reads `organisations` of a roster.
 * @throws CodedError with a `JSON_` code, naming the path of the field
 */
export function readOrganisations(value: unknown, field: string): RosterOrganisation[] {
  if (!Array.isArray(value)) return failField('JSON_TYPE', field, 'must be a list')
  if (value.length > MAX_ORGANISATIONS) failField('JSON_RANGE', field, `has more than ${MAX_ORGANISATIONS} entries`)
  return value.map((one: unknown, index) => readOrganisation(one, `${field}[${index}]`))
}

function readOrganisation(value: unknown, path: string): RosterOrganisation {
  const json = readShape(value, path, {
    required: ['uscc', 'kind', 'nameZh', 'nameEn', 'administrator'],
    optional: ['seat', 'roles', 'gasPerDay', 'bytesPerDay', 'contactHash'],
  })
  const at = (name: string): string => joinPath(path, name)
  const quota = (name: 'gasPerDay' | 'bytesPerDay', preset: number): bigint =>
    BigInt(json[name] === undefined ? preset : readInteger(json[name], at(name), { min: 0, max: Number.MAX_SAFE_INTEGER }))
  const entry: OrganisationGenesis = {
    uscc: readUscc(json.uscc, at('uscc')),
    kind: ORGANISATION_KINDS.indexOf(readOneOf(json.kind, at('kind'), ORGANISATION_KINDS)) + 1,
    roles: readRoles(json.roles, at('roles')),
    nameZh: readName(json.nameZh, at('nameZh')),
    nameEn: readName(json.nameEn, at('nameEn')),
    administrator: readAddressField(json.administrator, at('administrator')),
    gasPerDay: quota('gasPerDay', DEFAULT_GAS_PER_DAY),
    bytesPerDay: quota('bytesPerDay', DEFAULT_BYTES_PER_DAY),
    ...(json.contactHash === undefined ? {} : { contactHash: readHashField(json.contactHash, at('contactHash')) }),
  }
  if (json.seat !== undefined && typeof json.seat !== 'boolean') failField('JSON_TYPE', at('seat'), 'must be true or false')
  return { entry, hasSeat: json.seat === true }
}

export function readUscc(value: unknown, path: string): string {
  if (typeof value !== 'string' || !isUscc(value)) {
    return failField('JSON_TYPE', path, 'must be a unified social credit code: 18 characters whose check characters hold (GB 32100)')
  }
  return value
}

export function readOneOf<const T extends string>(value: unknown, path: string, choices: readonly T[]): T {
  const found = choices.find((one) => one === value)
  return found ?? failField('JSON_TYPE', path, `must be one of ${choices.join(', ')}`)
}

function readName(value: unknown, path: string): string {
  if (typeof value !== 'string' || value.trim() === '' || Buffer.byteLength(value) > MAX_NAME_BYTES) {
    return failField('JSON_TYPE', path, `must be a text of 1 to ${MAX_NAME_BYTES} bytes in UTF-8`)
  }
  return value
}

function readRoles(value: unknown, path: string): number {
  if (value === undefined) return rolesToBits(DEFAULT_ROLES)
  if (!Array.isArray(value)) return failField('JSON_TYPE', path, 'must be a list of roles')
  const names = Object.keys(ROLE) as Role[]
  return rolesToBits(value.map((one: unknown, index) => readOneOf(one, `${path}[${index}]`, names)))
}

const rolesToBits = (roles: readonly Role[]): number => roles.reduce((bits, role) => bits | ROLE[role], 0)
