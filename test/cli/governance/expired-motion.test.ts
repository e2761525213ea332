import { writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DEV, type GovernedChain, createGovernedChain } from '../../rpc/governed-chain.js'
import type { Ended } from '../in-process.js'
import { testFolder } from '../support.js'
import { runCommand } from './forms.js'

// No motion may expire in less than an hour, so that the chain has a time of its own here; it answers at a real port.

const at = await testFolder()
const PROPOSED_MS = Date.UTC(2026, 10, 3)
const DECISION = ['setReader', '--reader', DEV[9]!.address, '--doors', 'txpool']
/** An hour, the least that the policy allows. */
const LIFETIME_S = 3_600

let chain: GovernedChain
beforeAll(async () => {
  chain = await createGovernedChain(PROPOSED_MS / 1000 - 1)
  chain.setTime(PROPOSED_MS)
  const { minValidators, validatorNotice, protocolNotice } = await chain.council.seats[0]!.policy()
  await chain.council.pass('setParameters', { minValidators, validatorNotice, protocolNotice, motionLifetime: LIFETIME_S })
  for (const seat of [0, 1, 2, 3]) await writeFile(at(`seat-${seat}`), DEV[seat]!.privateKey)
}, 60_000)
afterAll(() => chain.stop())

const ask = (words: string[], language: 'en' | 'zh' = 'en'): Promise<Ended> => runCommand([...words, '--rpc', chain.url], { language })
const by = (seat: number, words: string[], language: 'en' | 'zh' = 'en'): Promise<Ended> => ask([...words, '--dev-key-file', at(`seat-${seat}`)], language)
const statuses = async (): Promise<string[]> => (JSON.parse((await ask(['council', 'motions', '--all', '--json'])).stdout) as { status: string }[]).map(({ status }) => status)

describe('a motion that nobody has carried out in its time', () => {
  it('is open up to the hour, and expired after it: nobody votes on it, executes it or takes it back', async () => {
    const proposed = await by(0, ['council', 'propose', ...DECISION, '--reason', 'too late'])
    expect([proposed.message, proposed.stdout]).toEqual(['', expect.stringContaining('2026-11-03 09:00:00 (UTC+8)')])
    chain.setTime(PROPOSED_MS + (LIFETIME_S - 60) * 1000)
    for (const seat of [1, 3]) expect(await by(seat, ['council', 'vote', '1', '--yes'])).toMatchObject({ code: 0, message: '' })
    expect(await statuses()).toEqual(['executed', 'open'])
    chain.setTime(PROPOSED_MS + (LIFETIME_S + 60) * 1000)
    // Any block brings the time.
    await chain.council.seats[0]!.setContactHash(`0x${'11'.repeat(32)}`)
    expect(await statuses()).toEqual(['executed', 'expired'])
    expect((await ask(['council', 'motions'])).stdout).toBe('no motions\n')
    expect((await ask(['council', 'show', '1'])).stdout).toMatch(/status +expired/)
    expect((await ask(['council', 'show', '1'], 'zh')).stdout).toContain('已过期')
    for (const words of [['vote', '1', '--no'], ['execute', '1'], ['cancel', '1']]) {
      const { code, error, message } = await by(0, ['council', ...words])
      expect([words, code, error, message]).toEqual([words, 11, 'GOVERNANCE_REFUSED', expect.stringContaining('expired')])
    }
    expect((await by(2, ['council', 'execute', '1'], 'zh')).message).toContain('已过期')
    expect(JSON.parse((await ask(['council', 'seats', '--json'])).stdout)).toHaveLength(4)
  }, 60_000)

  it('may be proposed again', async () => {
    expect((await by(0, ['council', 'propose', ...DECISION, '--reason', 'again'])).stdout).toContain('Motion 2 is proposed')
    for (const seat of [1, 3]) await by(seat, ['council', 'vote', '2', '--yes'])
    expect((await by(3, ['council', 'execute', '2'])).stdout).toContain('Motion 2 is carried out')
  }, 60_000)
})
