import { ORGANISATION_REGISTER_ADDRESS, POLICY_REGISTER_ADDRESS } from '@songhua/contracts/addresses'
import { DOOR, type Door } from '@songhua/contracts/membership/kinds'
import { POLICY_SLOT, ROLE, wordOf } from '@songhua/contracts/membership/slots'
import { readerOf } from '@songhua/node/gateway/reads'
import { type Shown, createHeadReads, judgeRead } from '@songhua/node/permission/reads'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  AUDITOR, CLERK, KEYS, type KeyName, LACKING, READING, ROBOT, doorsWord, everyDoor, levelsWord, readerSlot, readingStorage,
} from './readers.js'
import { BUREAU, accountWords, accountSlot, organisationSlot, organisationWord, stateOfStorage, storageOf } from './registers.js'

const DOORS = Object.keys(DOOR) as Door[]
const NAMES = Object.keys(KEYS) as KeyName[]
const door = fc.constantFrom(...DOORS)

function missing(storage: ReturnType<typeof readingStorage>, at: Door, reader: Shown): string | undefined {
  return judgeRead(at, reader, createHeadReads(stateOfStorage(storage)).standingOf(reader))?.details.missing
}

describe('who may read', () => {
  it.each(DOORS)('%s, when it is public: everybody', (at) => {
    const storage = readingStorage({ [at]: 'public' })
    for (const reader of ['key', 'valid-key', ...NAMES.map((name) => readerOf(KEYS[name]))] as Shown[]) expect(missing(storage, at, reader)).toBeUndefined()
    for (const other of DOORS.filter((one) => one !== at)) expect(missing(storage, other, 'key')).toBe('key')
  })

  it.each(DOORS)('%s, when it is for members or for who is listed', (at) => {
    for (const level of ['members', 'listed'] as const) {
      const storage = readingStorage({ ...everyDoor('public'), [at]: level })
      expect(missing(storage, at, 'key')).toBe('key')
      expect(missing(storage, at, 'valid-key')).toBe('valid-key')
      for (const name of NAMES) expect(missing(storage, at, readerOf(KEYS[name])), name).toBe(LACKING[name][level])
    }
  })

  it('nobody, when nothing is set or the level is none', () => {
    for (const at of DOORS) {
      expect(missing(storageOf({}), at, readerOf(KEYS["a member's key"]))).toBe('account')
      const storage = readingStorage({})
      storage.get(POLICY_REGISTER_ADDRESS)!.set(wordOf(POLICY_SLOT.readLevels), 3n << BigInt(2 * DOOR[at]))
      expect(missing(storage, at, readerOf(KEYS["a key of a member's account"]))).toBe('listing')
    }
  })

  it('a listing is of its doors and no other', () => {
    fc.assert(fc.property(fc.uniqueArray(door), door, (listed, at) => {
      const expected = listed.includes(at) ? undefined : 'listing'
      expect(missing(readingStorage({}, listed), at, { account: AUDITOR })).toBe(expected)
    }))
  })

  it("an account has no more rights than its organisation: READ of both, and an organisation that is Active", () => {
    fc.assert(fc.property(fc.nat(63), fc.nat(63), fc.constantFrom(0n, 1n, 2n), (roles, within, status) => {
      const storage = readingStorage({ eth: 'members' })
      const register = storage.get(ORGANISATION_REGISTER_ADDRESS)!
      register.set(wordOf(organisationSlot(BUREAU)), organisationWord({ ...READING, roles: within, status }))
      register.set(wordOf(accountSlot(CLERK)), accountWords({ organisation: BUREAU, ...READING, roles })[0])
      const reads = (word: number): boolean => (word & ROLE.read) !== 0
      expect(missing(storage, 'eth', { account: CLERK }) === undefined).toBe(status === 1n && reads(roles & within))
      expect(missing(storage, 'eth', { organisation: BUREAU }) === undefined).toBe(status === 1n && reads(within))
    }))
  })

  it('either of what a key names is enough', () => {
    const storage = readingStorage({ eth: 'members' })
    expect(missing(storage, 'eth', { organisation: BUREAU, account: ROBOT })).toBeUndefined()
    expect(missing(storage, 'eth', { organisation: 'nobody', account: CLERK })).toBeUndefined()
  })

  it('says what a refused reader lacks', () => {
    const standing = createHeadReads(stateOfStorage(readingStorage({ eth: 'members' }))).standingOf('key')
    expect(judgeRead('eth', 'key', standing)).toEqual({
      code: 'PERMISSION_READ', details: { door: 'eth', level: 'members', missing: 'key' },
      message: 'eth may be read by members only: an API key is needed: Authorization: Bearer shk_…',
    })
    expect(judgeRead('trace', { organisation: BUREAU }, standing)?.message).toMatch(/^trace may be read by who is listed only: .*--account$/)
  })
})

describe('whom a key stands for', () => {
  it.each([
    ['uscc:11230000MB1234567A', { organisation: '11230000MB1234567A' }],
    ['uscc:11230000MB1234567', {}],
    ['uscc:11230000MB1234567AA', {}],
    ['uscc:11230000mb1234567a', {}],
    ['did:web:uscc:11230000MB1234567A', {}],
  ])('%s', (issuer, reader) => {
    expect(readerOf({ issuer })).toEqual(reader)
    expect(readerOf({ issuer, account: CLERK })).toEqual({ ...reader, account: CLERK })
  })
})

describe('the reads of the head', () => {
  it('are read once a block, and follow what it changes', () => {
    const storage = readingStorage({ eth: 'members' })
    const state = stateOfStorage(storage)
    const head = createHeadReads(state)
    const reader = readerOf(KEYS["a member's key"])
    const refusal = () => judgeRead('eth', reader, head.standingOf(reader))
    expect(refusal()).toBeUndefined()
    const { reads } = state
    expect([refusal(), state.reads]).toEqual([undefined, reads])
    storage.get(ORGANISATION_REGISTER_ADDRESS)!.set(wordOf(organisationSlot(BUREAU)), organisationWord({ ...READING, status: 2n }))
    head.onBlock()
    expect(refusal()).toMatchObject({ details: { missing: 'membership' } })
    storage.get(POLICY_REGISTER_ADDRESS)!.set(wordOf(POLICY_SLOT.readLevels), levelsWord({ eth: 'public' }))
    head.onBlock()
    expect(refusal()).toBeUndefined()
    storage.get(POLICY_REGISTER_ADDRESS)!.set(wordOf(POLICY_SLOT.readLevels), 0n).set(wordOf(readerSlot(CLERK)), doorsWord(['eth']))
    head.onBlock()
    expect(judgeRead('eth', { account: CLERK }, head.standingOf({ account: CLERK }))).toBeUndefined()
  })

  it('remember no more readers than there may be keys', () => {
    const head = createHeadReads(stateOfStorage(readingStorage({ eth: 'members' })))
    const isMember = (n: number): boolean => head.standingOf({ organisation: n === 0 ? BUREAU : String(n) }).isMember
    expect(Array.from({ length: 10_002 }, (_, n) => isMember(n)).filter(Boolean)).toHaveLength(1)
    expect(isMember(0)).toBe(true)
  })
})
