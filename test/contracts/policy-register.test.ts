import { DOOR } from '@songhua/contracts/membership/kinds'
import {
  NEWCOMERS_USAGE_KEY, ROLE, USAGE_SLOT, USAGE_WORD, accountUsageKey, dayOf, mappingSlot, organisationUsageKey, packWord, wordOf,
} from '@songhua/contracts/membership/slots'
import { bytesToHex, zeroAddress } from 'viem'
import { describe, expect, it } from 'vitest'
import { testUscc } from '../support/governance.js'
import { ADMIN, CONTRACTS, type Governance, START, STRANGER, addressOf, event, eventsOf, expectOk, refusal, startGovernance, uscc } from './governance.js'

const policy = (governance: Governance, name: string, args: readonly unknown[] = []) => governance.govern('policy', name, args)

describe('PolicyRegister at genesis', () => {
  it('answers with the defaults', async () => {
    const { read } = await startGovernance()
    expect(await read('policy', 'newcomer')).toEqual({ roles: ROLE.apply, gasPerDay: 2_000_000n, bytesPerDay: 100_000n })
    expect(await read('policy', 'newcomers')).toEqual({ gasPerDay: 20_000_000n, bytesPerDay: 1_000_000n })
    expect(await read('policy', 'parameters')).toEqual({ minValidators: 4, validatorNotice: 2, protocolNotice: 100, motionLifetime: 604_800 })
    const levels = await Promise.all(Object.values(DOOR).map((door) => read('policy', 'readLevelOf', [door])))
    expect(Object.fromEntries(Object.keys(DOOR).map((door, index) => [door, levels[index]]))).toEqual({
      eth: 2, net: 2, web3: 2, txpool: 0, debug: 0, qbft: 2, songhua: 2, government: 2, trace: 2, credit: 2,
    })
    expect(await read('policy', 'protocolChanges')).toEqual([])
  })

  it('answers with what genesis says instead', async () => {
    const { read } = await startGovernance({
      validators: 3,
      policy: {
        newcomers: { roles: 0, gasPerDayTotal: 5n }, readLevels: { eth: 'members', debug: 'public' }, parameters: { motionLifetime: 3_600 },
        readers: [{ address: STRANGER, doors: ['txpool', 'credit'] }],
      },
    })
    expect(await read('policy', 'newcomer')).toMatchObject({ roles: 0, gasPerDay: 2_000_000n })
    expect(await read('policy', 'newcomers')).toEqual({ gasPerDay: 5n, bytesPerDay: 1_000_000n })
    expect([await read('policy', 'readLevelOf', [0]), await read('policy', 'readLevelOf', [4]), await read('policy', 'readLevelOf', [1])]).toEqual([1, 2, 2])
    expect(await read('policy', 'parameters')).toEqual({ minValidators: 3, validatorNotice: 2, protocolNotice: 100, motionLifetime: 3_600 })
    expect(await read('policy', 'readerDoors', [STRANGER])).toBe((1n << 3n) | (1n << 18n))
  })
})

describe('policy', () => {
  it('is changed by the governor alone', async () => {
    const governance = await startGovernance()
    const before = governance.storage()
    const calls: [string, unknown[]][] = [
      ['setNewcomers', [1, 1n, 1n, 1n, 1n]], ['setReadLevels', [1n]], ['setReader', [STRANGER, 1n]], ['setParameters', [1, 1, 1, 3_600]],
      ['scheduleProtocol', [2, START.number + 500n]], ['cancelProtocol', []],
    ]
    for (const [name, args] of calls) {
      for (const from of [STRANGER, addressOf(ADMIN(0))]) expect(refusal(await governance.send('policy', from, name, args))).toBe(`GovernedUnauthorized(${from})`)
    }
    expect(governance.storage()).toEqual(before)
  })

  it('gives newcomers rights within what newcomers can have', async () => {
    const governance = await startGovernance()
    const rights = { roles: 35, gasPerDay: 1n, bytesPerDay: 2n, gasPerDayTotal: 3n, bytesPerDayTotal: 4n }
    expect(eventsOf(await policy(governance, 'setNewcomers', Object.values(rights)))).toEqual([event('NewcomersChanged', rights)])
    expect(await governance.read('policy', 'newcomer')).toEqual({ roles: 35, gasPerDay: 1n, bytesPerDay: 2n })
    expect(await governance.read('policy', 'newcomers')).toEqual({ gasPerDay: 3n, bytesPerDay: 4n })
    for (const roles of [ROLE.issue, ROLE.administer, ROLE.read, 64, 0xffff]) {
      expect(refusal(await policy(governance, 'setNewcomers', [roles, 1n, 1n, 1n, 1n]))).toBe(`PolicyRegisterInvalidRoles(${roles})`)
    }
  })

  it('opens doors by levels that exist', async () => {
    const governance = await startGovernance()
    const levels = (2n << 36n) | (1n << 254n) | 1n
    expect(eventsOf(await policy(governance, 'setReadLevels', [levels]))).toEqual([event('ReadLevelsChanged', { levels })])
    expect(await governance.read('policy', 'readLevels')).toBe(levels)
    const doors = [0, 1, 18, 127, 128, 255]
    expect(await Promise.all(doors.map((door) => governance.read('policy', 'readLevelOf', [door])))).toEqual([1, 0, 2, 1, 0, 0])
    for (const wrong of [3n, 3n << 36n, 3n << 254n, 2n ** 256n - 1n]) {
      expect(refusal(await policy(governance, 'setReadLevels', [wrong]))).toBe(`PolicyRegisterInvalidLevels(${wrong})`)
    }
    // Neighbouring bits of two doors are no level 3.
    expectOk(await policy(governance, 'setReadLevels', [6n]))
  })

  it('lists readers', async () => {
    const governance = await startGovernance()
    expect(eventsOf(await policy(governance, 'setReader', [STRANGER, 9n]))).toEqual([event('ReaderChanged', { reader: STRANGER, doors: 9n })])
    expect(await governance.read('policy', 'readerDoors', [STRANGER])).toBe(9n)
    expectOk(await policy(governance, 'setReader', [STRANGER, 0n]))
    expect(await governance.read('policy', 'readerDoors', [STRANGER])).toBe(0n)
    expect(refusal(await policy(governance, 'setReader', [zeroAddress, 1n]))).toBe(`PolicyRegisterInvalidReader(${zeroAddress})`)
  })

  it('keeps parameters within their ranges', async () => {
    const governance = await startGovernance()
    for (const good of [[1, 1, 1, 3_600], [64, 100_000, 1_000_000, 31_536_000]]) {
      const [minValidators, validatorNotice, protocolNotice, motionLifetime] = good
      const parameters = { minValidators, validatorNotice, protocolNotice, motionLifetime }
      expect(eventsOf(await policy(governance, 'setParameters', good))).toEqual([event('ParametersChanged', parameters)])
      expect(await governance.read('policy', 'parameters')).toEqual(parameters)
    }
    const wrong: [number[], string][] = [
      [[0, 1, 1, 3_600], 'PolicyRegisterInvalidMinValidators(0)'], [[65, 1, 1, 3_600], 'PolicyRegisterInvalidMinValidators(65)'],
      [[1, 0, 1, 3_600], 'PolicyRegisterInvalidValidatorNotice(0)'], [[1, 100_001, 1, 3_600], 'PolicyRegisterInvalidValidatorNotice(100001)'],
      [[1, 1, 0, 3_600], 'PolicyRegisterInvalidProtocolNotice(0)'], [[1, 1, 1_000_001, 3_600], 'PolicyRegisterInvalidProtocolNotice(1000001)'],
      [[1, 1, 1, 3_599], 'PolicyRegisterInvalidMotionLifetime(3599)'], [[1, 1, 1, 31_536_001], 'PolicyRegisterInvalidMotionLifetime(31536001)'],
    ]
    for (const [args, reason] of wrong) expect(refusal(await policy(governance, 'setParameters', args))).toBe(reason)
  })
})

describe('protocol versions', () => {
  it('are scheduled with notice, growing, and taken back from the last while ahead', async () => {
    const governance = await startGovernance()
    const first = START.number + 100n
    const schedule = (version: number, height: bigint) => policy(governance, 'scheduleProtocol', [version, height])
    expect(refusal(await schedule(1, first))).toBe('PolicyRegisterVersionNotNext(1, 2)')
    expect(refusal(await schedule(2, first - 1n))).toBe(`PolicyRegisterHeightTooLow(${first - 1n}, ${first})`)
    expect(refusal(await policy(governance, 'cancelProtocol'))).toBe('PolicyRegisterNothingScheduled()')
    expect(eventsOf(await schedule(2, first))).toEqual([event('ProtocolScheduled', { version: 2, height: first })])
    for (const version of [2, 4]) {
      expect(refusal(await schedule(version, first + 1n))).toBe(`PolicyRegisterVersionNotNext(${version}, 3)`)
    }
    expect(refusal(await schedule(3, first))).toBe(`PolicyRegisterHeightTooLow(${first}, ${first + 1n})`)
    expectOk(await schedule(3, first + 1n))
    expect(await governance.read('policy', 'protocolChanges')).toEqual([{ version: 2, height: first }, { version: 3, height: first + 1n }])
    expect(eventsOf(await policy(governance, 'cancelProtocol'))).toEqual([event('ProtocolCancelled', { version: 3, height: first + 1n })])
    governance.clock.number = first - 1n
    expectOk(await schedule(3, first + 500n))
    expectOk(await policy(governance, 'cancelProtocol'))
    governance.clock.number = first
    expect(refusal(await policy(governance, 'cancelProtocol'))).toBe('PolicyRegisterNothingScheduled()')
    expect(await governance.read('policy', 'protocolChanges')).toEqual([{ version: 2, height: first }])
    expect(refusal(await schedule(2, first + 100n))).toBe('PolicyRegisterVersionNotNext(2, 3)')
    expectOk(await schedule(3, first + 100n))
  })

  it('are at most eight ahead', async () => {
    const governance = await startGovernance()
    const first = START.number + 100n
    const schedule = (version: number) => policy(governance, 'scheduleProtocol', [version, first + BigInt(version)])
    for (let version = 2; version <= 9; version++) expectOk(await schedule(version))
    governance.clock.number = first + 1n
    expect(refusal(await policy(governance, 'scheduleProtocol', [10, first + 500n]))).toBe('PolicyRegisterTooManyChanges(8)')
    governance.clock.number = first + 2n
    expectOk(await policy(governance, 'scheduleProtocol', [10, first + 500n]))
  })
})

describe('UsageRegister', () => {
  const day = dayOf(Number(START.timestamp))
  const used = { gas: 5_000_000_000n, bytes: 77n, transactions: 3n }
  /** As the chain writes it. */
  const write = (governance: Governance, key: Uint8Array, onDay: number) =>
    governance.setStorage(CONTRACTS.usage.address, wordOf(mappingSlot(key, USAGE_SLOT.usage)), wordOf(packWord(USAGE_WORD, { ...used, day: BigInt(onDay) })))
  const answer = (today: number, isUsed: boolean) => ({ day: today, gas: isUsed ? used.gas : 0n, bytes_: isUsed ? used.bytes : 0n, transactions: isUsed ? 3 : 0 })

  it.each<[string, Uint8Array, string, unknown[]]>([
    ['account', accountUsageKey(STRANGER), 'usageOfAccount', [STRANGER]],
    ['organisation', organisationUsageKey(testUscc(1)), 'usageOfOrganisation', [uscc(1)]],
    ['newcomers', NEWCOMERS_USAGE_KEY, 'usageOfNewcomers', []],
  ])('answers what the chain wrote today for an %s, and zero tomorrow', async (_what, key, name, args) => {
    const governance = await startGovernance()
    expect(await governance.read('usage', name, args)).toEqual(answer(day, false))
    await write(governance, key, day)
    expect(await governance.read('usage', name, args)).toEqual(answer(day, true))
    expect(await governance.read('usage', 'usageOf', [bytesToHex(key)])).toEqual(answer(day, true))
    governance.pass(1n, 86_400n)
    expect(await governance.read('usage', name, args)).toEqual(answer(day + 1, false))
  })

  it('begins its days at midnight in Beijing', async () => {
    const governance = await startGovernance()
    const midnight = BigInt(Date.parse('2027-01-16T00:00:00+08:00') / 1_000)
    for (const [timestamp, expected] of [[midnight - 1n, dayOf(Number(midnight)) - 1], [midnight, dayOf(Number(midnight))]] as const) {
      governance.clock.timestamp = timestamp
      expect(await governance.read('usage', 'today')).toBe(expected)
    }
  })

  it('has no function that writes', () => {
    const functions = CONTRACTS.usage.abi.filter((entry) => entry.type === 'function')
    expect(functions.map(({ stateMutability }) => stateMutability)).toEqual(functions.map(() => 'view'))
  })
})

