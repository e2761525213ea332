// The SDK names what the contracts' package numbers, each in a list of its own: they must say the same.
import { DOOR, NODE_KIND, NODE_STATUS, ORGANISATION_KIND, READ_LEVEL } from '@songhua/contracts/membership/kinds'
import { NO_LIMIT as CONTRACTS_NO_LIMIT, ROLE } from '@songhua/contracts/membership/slots'
import {
  DOORS, NODE_KINDS, NODE_STATUSES, NO_LIMIT, ORGANISATION_KINDS, READ_LEVELS, ROLE_BITS,
} from '@songhua/sdk/governance/codes'
import { describe, expect, it } from 'vitest'

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
/** By number, in the SDK's spelling. */
const named = (numbers: Readonly<Record<string, number>>): [string, number][] =>
  Object.entries(numbers).map(([name, number]): [string, number] => [kebab(name), number]).sort(([, a], [, b]) => a - b)
const listed = (names: readonly string[], first: number): [string, number][] => names.map((name, at) => [name, at + first])

describe('the numbers of the contracts and the names of the SDK', () => {
  it.each<[string, Readonly<Record<string, number>>, readonly string[], number]>([
    ['kinds of organisations', ORGANISATION_KIND, ORGANISATION_KINDS, 1],
    ['kinds of nodes', NODE_KIND, NODE_KINDS, 1],
    ['states of nodes', NODE_STATUS, ['none', ...NODE_STATUSES], 0],
    ['levels of reading', READ_LEVEL, READ_LEVELS, 0],
  ])('are the same %s', (_what, numbers, names, first) => {
    expect(named(numbers)).toEqual(listed(names, first))
  })

  it('are the same doors, roles and lack of a limit', () => {
    expect(DOORS).toEqual(DOOR)
    expect(ROLE_BITS).toEqual(ROLE)
    expect(NO_LIMIT).toBe(CONTRACTS_NO_LIMIT)
  })
})
