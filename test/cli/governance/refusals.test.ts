import { SYSTEM_CONTRACTS } from '@songhua/sdk/governance/contracts'
import { SonghuaError } from '@songhua/sdk'
import { exitCodeOf } from '@songhua/node/cli/exit-codes'
import { CONTRACT_REFUSALS } from '@songhua/node/cli/governance/refusal-texts'
import { explainRefusal } from '@songhua/node/cli/governance/refusals'
import { describe, expect, it } from 'vitest'

interface AbiError {
  readonly name: string
  readonly inputs: readonly { readonly name: string }[]
}

const errors = new Map<string, AbiError>()
for (const { abi } of SYSTEM_CONTRACTS) abi.forEachError((error) => errors.set(error.name, error))

/** What is derived from an argument to be read. */
const DERIVED: Readonly<Record<string, string>> = {
  motionStatus: 'status', nodeStatus: 'status', bodyRole: 'role', missingBodies: 'confirmations',
}
const named = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => DERIVED[name!] ?? name!).sort()

const refused = (error: string, args: Record<string, unknown>): SonghuaError =>
  new SonghuaError('GOVERNANCE_REFUSED', 'as the SDK says it', { details: { error, args } })
const said = (error: unknown, language: 'en' | 'zh' = 'en'): string => (explainRefusal({ language }, error) as Error).message

describe('every error of the system contracts', () => {
  it('has a text, and there is no text for another', () => {
    expect(Object.keys(CONTRACT_REFUSALS).sort()).toEqual([...errors.keys()].sort())
  })

  it.each([...errors.keys()])('is told in both languages, with arguments that it has: %s', (name) => {
    const text = CONTRACT_REFUSALS[name]!
    const args = errors.get(name)!.inputs.map((input) => input.name)
    for (const language of ['en', 'zh'] as const) {
      for (const placeholder of named(text[language])) expect(args).toContain(placeholder)
      expect(text[language].length).toBeGreaterThan(8)
    }
    expect([...new Set(named(text.zh))]).toEqual([...new Set(named(text.en))])
    expect(text.zh).toMatch(/\p{Script=Han}/u)
    expect(text.en).not.toMatch(/\p{Script=Han}/u)
  })
})

describe('a refusal', () => {
  const uscc = `0x${Buffer.from('91230100MA00000231').toString('hex')}`

  it('names organisations, statuses, bodies and times as people do', () => {
    expect(said(refused('CouncilSeated', { uscc }))).toContain('91230100MA00000231')
    expect(said(refused('CouncilNotOpen', { id: 3n, status: 4n }))).toContain('Motion 3 is expired')
    expect(said(refused('NodeRegisterWrongStatus', { node: '0x11', status: 0n }), 'zh')).toContain('不在链上登记')
    expect(said(refused('NodeRegisterUnconfirmed', { node: '0x11', confirmations: 1n, needed: 7n }))).toContain('missing: telecom operator, operating entity')
    expect(said(refused('NodeRegisterRotatedRecently', { node: '0x11', notBefore: 1_767_225_600n }))).toContain('2026-01-01 08:00:00 (UTC+8)')
    expect(said(refused('NodeRegisterInvalidBody', { role: 2n, uscc: `0x${'00'.repeat(18)}` }))).toContain('telecom operator – is missing')
    expect(said(refused('OrganisationRegisterInvalidRoles', { roles: 3n }))).toContain('anchor, deploy')
  })

  it('ends with its own exit code, and leaves other errors as they are', () => {
    expect(exitCodeOf(explainRefusal({ language: 'en' }, refused('CouncilSeated', { uscc })))).toBe(11)
    const foreign = refused('SomethingNew', {})
    expect(explainRefusal({ language: 'en' }, foreign)).toBe(foreign)
    const bug = new TypeError('bug')
    expect(explainRefusal({ language: 'en' }, bug)).toBe(bug)
  })

  it('of the chain’s policy says why, and when to try again', () => {
    const full = { limit: '0x64', used: '0x64', asked: '0x1', resetsAt: 4_102_416_000 }
    const error = new SonghuaError('RPC_REFUSED', 'no', { details: { reason: 'QUOTA_ACCOUNT_GAS', data: full } })
    expect(said(error)).toMatch(/used up.*2100-01-01 00:00:00 \(UTC\+8\)/)
    expect(exitCodeOf(explainRefusal({ language: 'zh' }, error))).toBe(11)
  })

  it('of a transaction that was sent names it', () => {
    const late = new SonghuaError('GOVERNANCE_TIMEOUT', 'late', { details: { transactionHash: '0xabc' } })
    expect(said(late)).toContain('0xabc')
    expect(exitCodeOf(explainRefusal({ language: 'en' }, late))).toBe(1)
  })
})
