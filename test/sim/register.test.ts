import type { Address as Checksummed } from 'viem'
import { describe, expect, it } from 'vitest'
import { readValidatorSchedule } from '@songhua/contracts/membership/state-nodes'
import type { Address } from '@songhua/sdk/protocol/bytes'
import type { CallResult } from '../contracts/chain.js'
import { DAY_S, type Governance, addressOf, hash, nodeWith, nodesSorted, publicKeyOf, refusal, rotationProof, startGovernance } from '../contracts/governance.js'
import { seededRandom } from './random.js'
import { type Motion, type Register, councilTransaction, runMotions, sealersAt, setsOf, stateOf } from './register.js'

const SPARES = 3
const FIRST_SPARE = 9_001
const NEW_KEY = 9_200
const SEEDS = [1, 2, 3, 4]
const STEPS = 40

const lower = (address: string): Address => address.toLowerCase() as Address

class Pair {
  readonly governance: Governance
  readonly #nodes: Checksummed[]
  readonly #gone = new Set<Checksummed>()
  readonly #rotated: Checksummed
  register: Register
  refusals = 0
  enacted = 0

  constructor(governance: Governance, nodes: Checksummed[], validators: Checksummed[]) {
    this.governance = governance
    this.#nodes = nodes
    this.#rotated = validators[0]!
    this.register = { current: validators.map(lower), pending: [] }
  }

  get number(): number {
    return Number(this.governance.clock.number)
  }

  async both(motion: Motion, asked: Promise<CallResult>): Promise<void> {
    const { register, refused } = runMotions([councilTransaction(motion, 0)], this.register, this.number)
    this.register = register
    const result = await asked
    expect(result.ok, `${motion.kind}: ${result.ok ? 'done' : refusal(result)}`).toBe(!refused[0])
    if (refused[0]) this.refusals++
    else this.enacted++
  }

  async change(notice: number, pick: <T>(items: readonly T[]) => T): Promise<void> {
    const last = setsOf(this.register).at(-1)!
    const outside = this.#nodes.filter((node) => !last.includes(lower(node)) && !this.#gone.has(node))
    const added = outside.length > 0 ? [pick(outside)] : []
    const leaver = pick(this.#nodes.filter((node) => last.includes(lower(node))))
    const validators = [...last.filter((one) => one !== lower(leaver)), ...added.map(lower)]
    const height = this.governance.clock.number + BigInt(notice)
    await this.both({ kind: 'change', notice, validators }, this.governance.govern('nodes', 'changeValidators', [added, [leaver], height]))
  }

  cancel(): Promise<void> {
    return this.both({ kind: 'cancel' }, this.governance.govern('nodes', 'cancelValidatorChange'))
  }

  async suspend(): Promise<void> {
    const member = this.#nodes.find((node) => node !== this.#rotated && setsOf(this.register).at(-1)!.includes(lower(node)))!
    this.#gone.add(member)
    await this.both({ kind: 'suspend', member: lower(member) }, this.governance.govern('nodes', 'suspendNode', [member, hash(1)]))
  }

  async rotate(): Promise<void> {
    const isMember = [sealersAt(this.register, this.number + 1), ...setsOf(this.register).slice(1)].some((set) => set.includes(lower(this.#rotated)))
    if (!isMember) return
    this.#gone.add(this.#rotated)
    // The contract lets few leave the set in one day, which the simulator does not hold.
    this.governance.pass(1n, DAY_S)
    const args = [this.#rotated, publicKeyOf(NEW_KEY), await rotationProof(NEW_KEY, this.#rotated)]
    const motion: Motion = { kind: 'rotate', member: lower(this.#rotated), successor: lower(addressOf(NEW_KEY)) }
    await this.both(motion, this.governance.admin(2, 'nodes', 'rotateKey', args))
  }

  async expectEqual(): Promise<void> {
    const next = this.number + 1
    const validators = await this.governance.read<string[]>('nodes', 'getValidators')
    expect(sealersAt(this.register, next)).toEqual(validators.map(lower))
    const pending = await this.governance.read<{ height: bigint; validators: string[] }[]>('nodes', 'pendingChanges')
    const ahead = pending.map((change) => ({ height: Number(change.height), validators: change.validators.map(lower) }))
    expect(this.register.pending.filter(({ height }) => height > next)).toEqual(ahead)
    expect(readValidatorSchedule(stateOf(this.register), next)).toEqual({ validators: validators.map(lower), pending: ahead })
  }
}

async function startPair(): Promise<Pair> {
  const governance = await startGovernance({ validators: 7, policy: { parameters: { minValidators: 1, validatorNotice: 1 } } })
  const spares: Checksummed[] = []
  for (let index = 0; index < SPARES; index++) spares.push(await nodeWith(governance, FIRST_SPARE + index, 'active'))
  const validators = nodesSorted(7)
  return new Pair(governance, [...validators, ...spares], validators)
}

describe('the register of the simulator', () => {
  it.each(SEEDS)('holds and refuses what NodeRegister.sol does, block after block (%i)', async (seed) => {
    const pair = await startPair()
    const random = seededRandom(seed)
    const pick = <T>(items: readonly T[]): T => random.pick(items)
    for (let step = 0; step < STEPS; step++) {
      if (random.chance(0.6)) await pair.change(random.integer(1, 5), pick)
      else if (random.chance(0.5)) await pair.cancel()
      if (step === 15) await pair.suspend()
      if (step === 25) await pair.rotate()
      await pair.expectEqual()
      if (random.chance(0.6)) pair.governance.pass(1n)
    }
    expect(pair.refusals).toBeGreaterThan(0)
    expect(pair.enacted).toBeGreaterThan(5)
  }, 120_000)

  it('refuses the ninth change, and the end of the last validator', async () => {
    const pair = await startPair()
    for (let notice = 2; notice < 11; notice++) await pair.change(notice, ([first]) => first!)
    expect([pair.enacted, pair.refusals]).toEqual([8, 1])
    const alone: Register = { current: [lower(addressOf(1))], pending: [] }
    const { refused } = runMotions([councilTransaction({ kind: 'suspend', member: alone.current[0]! }, 0)], alone, 1)
    expect(refused).toEqual([true])
  }, 60_000)
})
