// Who may read: the levels that the council sets, and where a reader stands.
import { DOOR, type Door, READ_LEVEL, type ReadLevel } from '@songhua/contracts/membership/kinds'
import { ROLE } from '@songhua/contracts/membership/slots'
import type { Address } from '@songhua/sdk/protocol/bytes'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { type PolicyState, accountSlot, organisationSlot, readAccount, readOrganisation, readReadLevels, readReaderDoors } from './policy.js'

/** Who reads, as its API key names it. */
export interface Reader {
  /** Credit code of the organisation that the key was issued for. */
  readonly organisation?: string
  /** The account that the key stands for. */
  readonly account?: Address
}

/** Nobody is known: no key was shown, or none that is valid. */
export type Nobody = 'key' | 'valid-key'
export type Shown = Reader | Nobody

/** What a refused reader lacks: a (valid) key, a member's right to read, an account, or that account's place on the list. */
export type ReadMissing = Nobody | 'membership' | 'account' | 'listing'

/** All that the rule needs of one reader, at one block. */
export interface ReadStanding {
  /** The word of levels, two bits for each door. */
  readonly levels: bigint
  /** Of an Active organisation, with the role READ. */
  readonly isMember: boolean
  /** Bits of the doors for which the account is listed. */
  readonly doors: bigint
}

export interface ReadRefusal {
  readonly code: 'PERMISSION_READ'
  readonly message: string
  readonly details: { readonly door: Door; readonly level: ReadLevel; readonly missing: ReadMissing }
}

/** What may be done about it. */
export const READ_MISSING_TEXTS: Readonly<Record<ReadMissing, { readonly en: string; readonly zh: string }>> = {
  key: { en: 'an API key is needed: Authorization: Bearer shk_…', zh: '需要 API 密钥：Authorization: Bearer shk_…' },
  'valid-key': { en: 'the API key is not valid', zh: 'API 密钥无效' },
  membership: {
    en: 'the key belongs to no active organisation, or to none with the role READ', zh: '密钥不属于有效机构，或其机构、账户没有 READ 角色',
  },
  account: {
    en: 'the key names no account, and the list is of accounts: songhua apikey create --account',
    zh: '密钥未指明链上账户，而名单按账户列出：songhua apikey create --account',
  },
  listing: { en: 'the council has not listed the account of the key', zh: '理事会未将密钥所指账户列入名单' },
}

/**
 * Public: everybody. Members: whose key is of an Active organisation with READ, or of an account of one. Listed: whose
 * account is on the list, member or not. A level that is none is the most closed.
 */
export function judgeRead(door: Door, reader: Shown, standing: ReadStanding): ReadRefusal | undefined {
  const level = levelOf(standing.levels, door)
  const missing = missingFor(level, { door, reader, standing })
  if (missing === undefined) return undefined
  const who = level === 'members' ? 'members' : 'who is listed'
  const message = `${door} may be read by ${who} only: ${READ_MISSING_TEXTS[missing].en}`
  return { code: 'PERMISSION_READ', message, details: { door, level, missing } }
}

function missingFor(level: ReadLevel, asked: { door: Door; reader: Shown; standing: ReadStanding }): ReadMissing | undefined {
  const { door, reader, standing } = asked
  if (level === 'public') return undefined
  if (typeof reader === 'string') return reader
  if (level === 'members') return standing.isMember ? undefined : 'membership'
  if (((standing.doors >> BigInt(DOOR[door])) & 1n) === 1n) return undefined
  return reader.account === undefined ? 'account' : 'listing'
}

function levelOf(levels: bigint, door: Door): ReadLevel {
  const value = Number((levels >> BigInt(2 * DOOR[door])) & 3n)
  if (value === READ_LEVEL.public) return 'public'
  return value === READ_LEVEL.members ? 'members' : 'listed'
}

export function readRefusalToError({ code, message, details }: ReadRefusal): CodedError<'PERMISSION_READ'> {
  return new CodedError(code, message, { details: { ...details } })
}

/** Where readers stand after the head. */
export interface HeadReads {
  standingOf(reader: Shown): ReadStanding
  /** A block has become final: all is read anew. */
  onBlock(): void
}

/** As many as there may be keys; should there be more, all are read anew. */
const READERS_MAX = 10_000

/** @param state always the head's */
export function createHeadReads(state: PolicyState): HeadReads {
  const standings = new Map<string, ReadStanding>()
  return {
    standingOf(reader) {
      const key = typeof reader === 'string' ? '' : readerKey(reader)
      let standing = standings.get(key)
      if (standing === undefined) {
        if (standings.size >= READERS_MAX) standings.clear()
        standings.set(key, (standing = readStanding(state, reader)))
      }
      return standing
    },
    onBlock: () => standings.clear(),
  }
}

/** The same for the same organisation and account. */
export const readerKey = ({ organisation, account }: Reader): string => `${organisation ?? ''} ${account ?? ''}`

function readStanding(state: PolicyState, reader: Shown): ReadStanding {
  const levels = readReadLevels(state)
  if (typeof reader === 'string') return { levels, isMember: false, doors: 0n }
  const { organisation, account } = reader
  const isMember = isMemberOrganisation(state, organisation) || isMemberAccount(state, account)
  return { levels, isMember, doors: account === undefined ? 0n : readReaderDoors(state, account) }
}

function isMemberOrganisation(state: PolicyState, uscc: string | undefined): boolean {
  if (uscc === undefined) return false
  const { isActive, roles } = readOrganisation(state, organisationSlot(uscc))
  return isActive && (roles & ROLE.read) !== 0
}

function isMemberAccount(state: PolicyState, account: Address | undefined): boolean {
  const entry = account && readAccount(state, accountSlot(account))
  if (!entry || (entry.roles & ROLE.read) === 0) return false
  return isMemberOrganisation(state, entry.organisation)
}
