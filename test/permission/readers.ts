// Who may read, as genesis and council leave it in the registers, word by word.
import { POLICY_REGISTER_ADDRESS } from '@songhua/contracts/addresses'
import { DOOR, type Door, READ_LEVEL, type ReadLevel } from '@songhua/contracts/membership/kinds'
import { POLICY_SLOT, ROLE, addressKey, mappingSlot, wordOf } from '@songhua/contracts/membership/slots'
import type { Address } from '@songhua/sdk/protocol/bytes'
import { BANK, BUREAU, type Storage, storageOf } from './registers.js'

/** Of the bureau, which is active and reads. */
export const CLERK: Address = `0x${'c1'.repeat(20)}`
/** Of the bureau too, without the role. */
export const ROBOT: Address = `0x${'b0'.repeat(20)}`
/** Of the bank, which is suspended. */
export const TELLER: Address = `0x${'7e'.repeat(20)}`
/** Of nobody, and on the list. */
export const AUDITOR: Address = `0x${'ad'.repeat(20)}`
export const STRANGER: Address = `0x${'57'.repeat(20)}`
/** Active, without the role. */
export const MUTE = '91230100MA1MUTE00X'

const NOTHING = { gas: 0n, bytes: 0n }
export const READING = { roles: ROLE.anchor | ROLE.read, ...NOTHING }
const NOT_READING = { roles: ROLE.anchor | ROLE.administer, ...NOTHING }

export const readerSlot = (account: Address): bigint => mappingSlot(addressKey(account), POLICY_SLOT.readers)

/** Doors that are not named are listed. */
export const levelsWord = (levels: Partial<Record<Door, ReadLevel>>): bigint =>
  Object.entries(levels).reduce((word, [door, level]) => word | (BigInt(READ_LEVEL[level]) << BigInt(2 * DOOR[door as Door])), 0n)

export const doorsWord = (doors: readonly Door[]): bigint => doors.reduce((word, door) => word | (1n << BigInt(DOOR[door])), 0n)

export const everyDoor = (level: ReadLevel): Record<Door, ReadLevel> =>
  Object.fromEntries(Object.keys(DOOR).map((door) => [door, level])) as Record<Door, ReadLevel>

/** @param listed doors that the auditor is listed for */
export function readingStorage(levels: Partial<Record<Door, ReadLevel>>, listed: readonly Door[] = Object.keys(DOOR) as Door[]): Storage {
  const storage = storageOf({
    organisations: { [BUREAU]: READING, [BANK]: { ...READING, status: 2n }, [MUTE]: NOT_READING },
    accounts: {
      [CLERK]: { organisation: BUREAU, ...READING },
      [ROBOT]: { organisation: BUREAU, ...NOT_READING },
      [TELLER]: { organisation: BANK, ...READING },
    },
  })
  storage.get(POLICY_REGISTER_ADDRESS)!.set(wordOf(POLICY_SLOT.readLevels), levelsWord(levels)).set(wordOf(readerSlot(AUDITOR)), doorsWord(listed))
  return storage
}

/** API keys by what they are: the issuer, and the account when they name one. */
export const KEYS = {
  'a key of nobody on the chain': { issuer: 'did:web:harbin.example' },
  'a key of an organisation that is not registered': { issuer: 'uscc:91230184MA1B2C3D4E' },
  "a member's key": { issuer: `uscc:${BUREAU}` },
  "a key of a member's account": { issuer: 'did:web:clerk.example', account: CLERK },
  "a key of a member's account without READ": { issuer: 'did:web:robot.example', account: ROBOT },
  'a key of an organisation without READ': { issuer: `uscc:${MUTE}` },
  'a key of a suspended organisation': { issuer: `uscc:${BANK}` },
  'a key of an account of a suspended organisation': { issuer: 'did:web:teller.example', account: TELLER },
  'a key of a listed account': { issuer: 'did:web:auditor.example', account: AUDITOR },
  'a key of an account that is not listed': { issuer: 'did:web:stranger.example', account: STRANGER },
} as const
export type KeyName = keyof typeof KEYS

type Missing = 'membership' | 'account' | 'listing' | undefined

/** What each lacks at each level; undefined: it reads. At `public` none lacks anything. */
export const LACKING: Record<KeyName, { readonly members: Missing; readonly listed: Missing }> = {
  'a key of nobody on the chain': { members: 'membership', listed: 'account' },
  'a key of an organisation that is not registered': { members: 'membership', listed: 'account' },
  "a member's key": { members: undefined, listed: 'account' },
  "a key of a member's account": { members: undefined, listed: 'listing' },
  "a key of a member's account without READ": { members: 'membership', listed: 'listing' },
  'a key of an organisation without READ': { members: 'membership', listed: 'account' },
  'a key of a suspended organisation': { members: 'membership', listed: 'account' },
  'a key of an account of a suspended organisation': { members: 'membership', listed: 'listing' },
  'a key of a listed account': { members: 'membership', listed: undefined },
  'a key of an account that is not listed': { members: 'membership', listed: 'listing' },
}
