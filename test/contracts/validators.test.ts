import { NODES_READ_GAS, VALIDATORS_READ_GAS } from '@songhua/node/execution/system-reads'
import { DEFAULT_GAS_LIMIT } from '@songhua/sdk/protocol/genesis'
import { type Address, type Hex } from 'viem'
import { describe, expect, it } from 'vitest'
import {
  ADMIN, type Governance, type StartOptions, COUNCIL, DAY_S, MOTIONS, NODE, START, STRANGER, ZERO_BYTES18, addressOf, event, eventsOf, expectOk, hash,
  motionArguments, nodeWith, nodesSorted, publicKeyOf, refusal, rotationProof, startGovernance,
} from './governance.js'

const NOTICE = 2n
const FIRST_NEW = 9_001
const sorted = (list: readonly Address[]): Address[] => [...list].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1))
const without = (list: readonly Address[], ...gone: Address[]): Address[] => list.filter((one) => !gone.includes(one))
const validators = (governance: Governance) => governance.read<Address[]>('nodes', 'getValidators')
const change = (governance: Governance, added: readonly Address[], removed: readonly Address[], height = governance.clock.number + NOTICE) =>
  governance.govern('nodes', 'changeValidators', [added, removed, height])

/** With `spare` active backbone nodes that are no validators. */
async function start(spare: number, options: StartOptions = {}) {
  const governance = await startGovernance(options)
  const spares: Address[] = []
  for (let index = 0; index < spare; index++) spares.push(await nodeWith(governance, FIRST_NEW + index, 'active'))
  return { governance, spares }
}

describe('validator changes', () => {
  it('take over at their height: the set that seals block h is read after block h - 1', async () => {
    const { governance, spares } = await start(1)
    const before = nodesSorted(5)
    const after = sorted([...without(before, before[0]!), spares[0]!])
    const height = START.number + 5n
    expect(eventsOf(await change(governance, spares, [before[0]!], height))).toEqual([event('ValidatorsChanged', { height, validators: after })])
    expect(await governance.read('nodes', 'pendingChanges')).toEqual([{ height, validators: after }])
    governance.pass(3n)
    expect(await validators(governance)).toEqual(before)
    expect(await governance.read('nodes', 'isValidator', [spares[0]])).toBe(false)
    governance.pass(1n)
    expect(await validators(governance)).toEqual(after)
    expect(await governance.read('nodes', 'isValidator', [spares[0]])).toBe(true)
    expect(await governance.read('nodes', 'isValidator', [before[0]])).toBe(false)
    expect(await governance.read('nodes', 'pendingChanges')).toEqual([])
  })

  it('work on the last scheduled set, at growing heights, at most eight at a time; matured ones make room', async () => {
    const { governance, spares } = await start(9, { validators: 4 })
    let expected = nodesSorted(4)
    for (let index = 0; index < 8; index++) {
      expectOk(await change(governance, [spares[index]!], [], START.number + 10n + BigInt(index)))
      expected = sorted([...expected, spares[index]!])
    }
    expect(await governance.read<unknown[]>('nodes', 'pendingChanges')).toHaveLength(8)
    expect(refusal(await change(governance, [spares[8]!], [], START.number + 100n))).toBe('NodeRegisterTooManyChanges(8)')
    // Sealed by the first of them: it is folded, the others stand.
    governance.clock.number = START.number + 10n
    expectOk(await change(governance, [spares[8]!], [], START.number + 100n))
    expect((await governance.read<{ height: bigint }[]>('nodes', 'pendingChanges')).map(({ height }) => height))
      .toEqual([...[2n, 3n, 4n, 5n, 6n, 7n].map((more) => START.number + 10n + more), START.number + 100n])
    governance.clock.number = START.number + 17n
    expect(await validators(governance)).toEqual(expected)
    governance.clock.number = START.number + 200n
    expect(await validators(governance)).toEqual(sorted([...expected, spares[8]!]))
    expectOk(await change(governance, [], [spares[8]!], START.number + 300n))
    expect(await validators(governance)).toEqual(sorted([...expected, spares[8]!]))
  })

  it('never share a height, not even when the first takes over with the next block', async () => {
    const { governance, spares } = await start(2)
    await governance.govern('policy', 'setParameters', [4, 1, 100, 3_600])
    const next = governance.clock.number + 1n
    expectOk(await change(governance, [spares[0]!], [], next))
    expect(refusal(await change(governance, [spares[1]!], [], next))).toBe(`NodeRegisterHeightTooLow(${next}, ${next + 1n})`)
    expect(await validators(governance)).toEqual(sorted([...nodesSorted(5), spares[0]!]))
    expectOk(await change(governance, [spares[1]!], [], next + 1n))
    expect(await validators(governance)).toEqual(sorted([...nodesSorted(5), spares[0]!]))
    governance.pass(1n)
    expect(await validators(governance)).toEqual(sorted([...nodesSorted(5), ...spares]))
  })

  it('are taken back from the last, while their height is ahead', async () => {
    const { governance, spares } = await start(2)
    // A height that no chain reaches would be the end of all changes.
    const never = 2n ** 64n - 1n
    expectOk(await change(governance, [spares[0]!], [], START.number + 2n))
    expectOk(await change(governance, [spares[1]!], [], never))
    expect(refusal(await change(governance, [], [spares[0]!], never))).toBe(`NodeRegisterHeightTooLow(${never}, ${never + 1n})`)
    expect(eventsOf(await governance.govern('nodes', 'cancelValidatorChange'))).toEqual([event('ValidatorChangeCancelled', { height: never })])
    governance.pass(2n)
    expect(refusal(await governance.govern('nodes', 'cancelValidatorChange'))).toBe('NodeRegisterNoPendingChange()')
    expect(await validators(governance)).toEqual(sorted([...nodesSorted(5), spares[0]!]))
    for (const [name, args] of [['cancelValidatorChange', []], ['changeValidators', [[], [spares[0]], 1n]]] as const) {
      expect(refusal(await governance.admin(0, 'nodes', name, args))).toBe(`GovernedUnauthorized(${addressOf(ADMIN(0))})`)
    }
  })
})

describe('the set of the next block', () => {
  it('cannot be taken back: the one before it may hold nodes that are out since', async () => {
    const { governance } = await start(0, { validators: 6 })
    const [gone, rotated] = [addressOf(NODE(0)), addressOf(NODE(1))]
    expectOk(await change(governance, [], [gone]))
    governance.pass(1n)
    // `gone` still seals this block, so only the set before holds it.
    expectOk(await governance.govern('nodes', 'suspendNode', [gone, hash(1)]))
    expectOk(await governance.admin(2, 'nodes', 'rotateKey', [rotated, publicKeyOf(9_200), await rotationProof(9_200, rotated)]))
    expect(refusal(await governance.govern('nodes', 'cancelValidatorChange'))).toBe('NodeRegisterNoPendingChange()')
    const expected = sorted([...without(nodesSorted(6), gone, rotated), addressOf(9_200)])
    expect(await validators(governance)).toEqual(expected)
    governance.pass(5n)
    expect(await validators(governance)).toEqual(expected)
  })
})

describe('a validator change is refused', () => {
  it('for a height nearer than the notice', async () => {
    const { governance } = await start(0)
    const minimum = START.number + NOTICE
    expect(refusal(await change(governance, [], [addressOf(NODE(0))], minimum - 1n))).toBe(`NodeRegisterHeightTooLow(${minimum - 1n}, ${minimum})`)
    expectOk(await change(governance, [], [addressOf(NODE(0))], minimum))
  })

  it('for members added, strangers removed, and nodes that are not active or do not vote', async () => {
    const { governance, spares } = await start(1)
    const admitted = await nodeWith(governance, 9_100, 'admitted')
    const suspended = await nodeWith(governance, 9_101, 'suspended')
    const service = await nodeWith(governance, 9_102, 'active', { kind: 3, government: ZERO_BYTES18, telecom: ZERO_BYTES18 })
    for (const node of [addressOf(NODE(0)), admitted, suspended, service, STRANGER]) {
      expect(refusal(await change(governance, [node], []))).toBe(`NodeRegisterCannotAdd(${node})`)
    }
    expect(refusal(await change(governance, [spares[0]!, spares[0]!], []))).toBe(`NodeRegisterCannotAdd(${spares[0]})`)
    expect(refusal(await change(governance, [addressOf(NODE(0))], [addressOf(NODE(0))]))).toBe(`NodeRegisterCannotAdd(${addressOf(NODE(0))})`)
    expect(refusal(await change(governance, [], [spares[0]!]))).toBe(`NodeRegisterCannotRemove(${spares[0]})`)
    expect(refusal(await change(governance, [], [addressOf(NODE(0)), addressOf(NODE(0))]))).toBe(`NodeRegisterCannotRemove(${addressOf(NODE(0))})`)
    expect(refusal(await change(governance, [], []))).toBe('NodeRegisterNoChange()')
  })

  it('for fewer members than the minimum, unless there were as few before', async () => {
    const { governance, spares } = await start(2, { validators: 4 })
    expect(refusal(await change(governance, [], [addressOf(NODE(0))]))).toBe('NodeRegisterTooFewValidators(3, 4)')
    await governance.govern('policy', 'setParameters', [7, 2, 100, 3_600])
    expectOk(await change(governance, [spares[0]!], [addressOf(NODE(0))], START.number + 10n))
    expectOk(await change(governance, [spares[1]!], [], START.number + 11n))
    expect(refusal(await change(governance, [], [spares[1]!], START.number + 12n))).toBe('NodeRegisterTooFewValidators(4, 7)')
  })

  it('for an empty set, even where the minimum is one', async () => {
    const { governance } = await start(0, { validators: 1, policy: { parameters: { minValidators: 1 } } })
    expect(refusal(await change(governance, [], [addressOf(NODE(0))]))).toBe('NodeRegisterTooFewValidators(0, 1)')
    expect(refusal(await governance.govern('nodes', 'suspendNode', [addressOf(NODE(0)), hash(1)]))).toBe('NodeRegisterTooFewValidators(0, 1)')
  })

  it('for more new members than the others can do without', async () => {
    const { governance, spares } = await start(3, { validators: 4 })
    expect(refusal(await change(governance, spares.slice(0, 2), []))).toBe('NodeRegisterTooManyAdded(2, 1)')
    expect(refusal(await change(governance, spares, []))).toBe('NodeRegisterTooManyAdded(3, 2)')
    expectOk(await change(governance, spares.slice(0, 1), []))
    const seven = await start(3, { validators: 5 })
    expectOk(await change(seven.governance, seven.spares.slice(0, 2), []))
  })

  it('for a 65th member', async () => {
    const { governance, spares } = await start(1, { validators: 64 })
    expect(refusal(await change(governance, spares, []))).toBe('NodeRegisterTooManyValidators(65, 64)')
    expectOk(await change(governance, spares, [addressOf(NODE(0))]))
  })
})

describe('a validator', () => {
  it('that is suspended leaves the present set and all scheduled ones with the next block', async () => {
    const { governance, spares } = await start(2)
    const gone = addressOf(NODE(0))
    expectOk(await change(governance, [spares[0]!], [], START.number + 10n))
    expectOk(await change(governance, [spares[1]!], [addressOf(NODE(1))], START.number + 20n))
    expect(eventsOf(await governance.govern('nodes', 'suspendNode', [gone, hash(1)]))).toEqual([
      event('NodeSuspended', { node: gone, body: ZERO_BYTES18, reasonHash: hash(1) }), event('ValidatorRemoved', { validator: gone }),
    ])
    expect(await validators(governance)).toEqual(without(nodesSorted(5), gone))
    expect(await governance.read('nodes', 'pendingChanges')).toEqual([
      { height: START.number + 10n, validators: sorted([...without(nodesSorted(5), gone), spares[0]!]) },
      { height: START.number + 20n, validators: sorted([...without(nodesSorted(5), gone, addressOf(NODE(1))), ...spares]) },
    ])
    expectOk(await governance.govern('nodes', 'reinstateNode', [gone]))
    expect(await governance.read('nodes', 'isValidator', [gone])).toBe(false)
    expectOk(await change(governance, [gone], [], START.number + 30n))
  })

  it('is not suspended when a day has seen as many as a quorum may miss; a change of validators takes it out', async () => {
    const governance = await startGovernance({ validators: 7 })
    const suspend = (place: number) => governance.govern('nodes', 'suspendNode', [addressOf(NODE(place)), hash(1)])
    for (const place of [0, 1]) expectOk(await suspend(place))
    expect(refusal(await suspend(2))).toBe('NodeRegisterTooMuchChurn(2)')
    expectOk(await governance.govern('nodes', 'changeValidators', [[], [addressOf(NODE(2))], governance.clock.number + 2n]))
    governance.pass(3n)
    expectOk(await suspend(2))
    governance.pass(1n, DAY_S)
    expect(refusal(await suspend(3))).toBe('NodeRegisterTooFewValidators(3, 4)')
  })

  it.each([
    ['before', (spare: Address, members: Address[]) => [spare, ...members]],
    ['after', (spare: Address, members: Address[]) => [members[0]!, spare, ...members.slice(1)]],
  ])('counts among the suspended of its day when it has no seat yet, %s one that has', async (_when, inOrder) => {
    const { governance, spares } = await start(1, { validators: 7 })
    expectOk(await change(governance, [spares[0]!], [], START.number + 10n))
    const [first, second, last] = inOrder(spares[0]!, [0, 1].map((place) => addressOf(NODE(place)))) as [Address, Address, Address]
    for (const node of [first, second]) expectOk(await governance.govern('nodes', 'suspendNode', [node, hash(1)]))
    expect(refusal(await governance.govern('nodes', 'suspendNode', [last, hash(1)]))).toBe('NodeRegisterTooMuchChurn(2)')
  })

  it('that is suspended leaves a set of which no scheduled one may be too small', async () => {
    const { governance } = await start(0)
    expectOk(await change(governance, [], [addressOf(NODE(1))], START.number + 10n))
    const before = governance.storage()
    expect(refusal(await governance.govern('nodes', 'suspendNode', [addressOf(NODE(0)), hash(1)]))).toBe('NodeRegisterTooFewValidators(3, 4)')
    expect(governance.storage()).toEqual(before)
    // It is in no later set: only the present one shrinks.
    expectOk(await governance.govern('nodes', 'suspendNode', [addressOf(NODE(1)), hash(1)]))
  })

  it('present or scheduled, cannot be retired, nor be suspended by its government body', async () => {
    const { governance, spares } = await start(1)
    expectOk(await change(governance, [spares[0]!], [addressOf(NODE(0))], START.number + 10n))
    for (const node of [addressOf(NODE(0)), spares[0]!]) {
      for (const from of [COUNCIL, addressOf(ADMIN(2))]) {
        expect(refusal(await governance.send('nodes', from, 'retireNode', [node]))).toBe(`NodeRegisterIsValidator(${node})`)
      }
      expect(refusal(await governance.admin(0, 'nodes', 'suspendNode', [node, hash(1)]))).toBe(`NodeRegisterIsValidator(${node})`)
    }
    // It seals its last block at height 9 behind the start, and is free with the next.
    governance.pass(9n)
    expect(refusal(await governance.admin(2, 'nodes', 'retireNode', [addressOf(NODE(0))]))).toBe(`NodeRegisterIsValidator(${addressOf(NODE(0))})`)
    governance.pass(1n)
    expectOk(await governance.admin(2, 'nodes', 'retireNode', [addressOf(NODE(0))]))
  })

  it('that rotates its key is exchanged in scheduled sets too', async () => {
    const { governance, spares } = await start(1)
    const [old, next] = [addressOf(NODE(2)), addressOf(9_200)]
    expectOk(await change(governance, [spares[0]!], [], START.number + 10n))
    const args = [old, publicKeyOf(9_200), await rotationProof(9_200, old)]
    expect(eventsOf(await governance.admin(2, 'nodes', 'rotateKey', args)).map(({ eventName }) => eventName)).toEqual(['NodeKeyRotated', 'ValidatorReplaced'])
    const now = sorted([...without(nodesSorted(5), old), next])
    expect(await validators(governance)).toEqual(now)
    expect(await governance.read('nodes', 'pendingChanges')).toEqual([{ height: START.number + 10n, validators: sorted([...now, spares[0]!]) }])
    expect(await governance.read<Hex[]>('nodes', 'getNodes')).toContain(publicKeyOf(9_200))
  })
})

describe('what every node reads', () => {
  it('costs less gas than it is given, with 64 validators, 8 changes and 1,024 nodes', async () => {
    const { governance, spares } = await start(1, { validators: 64, others: 959 })
    for (let index = 0; index < 8; index++) {
      const [added, removed] = index % 2 === 0 ? [spares, [addressOf(NODE(0))]] : [[addressOf(NODE(0))], spares]
      expectOk(await change(governance, added, removed, START.number + 10n + BigInt(index)))
    }
    const gasOf = async (name: string) => (expectOk(await governance.send('nodes', STRANGER, name))).gas
    const [early, nodes] = [await gasOf('getValidators'), await gasOf('getNodes')]
    governance.clock.number = START.number + 16n
    const late = await gasOf('getValidators')
    expect(await validators(governance)).toHaveLength(64)
    expect(await governance.read<unknown[]>('nodes', 'getNodes')).toHaveLength(1_024)
    // Measured: 0.19 M before and 0.18 M after the changes have matured; 7.6 M for the keys.
    for (const gas of [early, late]) expect(gas).toBeLessThan(VALIDATORS_READ_GAS)
    expect(nodes).toBeLessThan(NODES_READ_GAS)
  }, 180_000)

  it('is changed at worst for less gas than a seat has a day', async () => {
    const { governance, spares } = await start(2, { validators: 64 })
    let worst = 0n
    for (let index = 0; index < 8; index++) {
      const [added, removed] = index % 2 === 0 ? [[spares[0]!], [addressOf(NODE(0))]] : [[addressOf(NODE(0))], [spares[0]!]]
      const { gas } = expectOk(await change(governance, added, removed, START.number + 10n + BigInt(index)))
      if (gas > worst) worst = gas
    }
    const lowest = nodesSorted(64).find((one) => one !== addressOf(NODE(0)))!
    const suspension = expectOk(await governance.govern('nodes', 'suspendNode', [lowest, hash(1)])).gas
    governance.clock.number = START.number + 16n
    const folding = expectOk(await change(governance, [spares[1]!], [addressOf(NODE(0))], START.number + 30n)).gas
    // Measured: 1.7 M, 3.9 M from nine sets, 2.8 M with seven changes that fold.
    for (const gas of [worst, suspension, folding]) expect(gas).toBeLessThan(20_000_000n)
  }, 180_000)

  it('is changed by the longest of motions, which is proposed and carried out well within a block\'s gas', async () => {
    const { governance, spares } = await start(1, { validators: 64 })
    for (let index = 0; index < 8; index++) {
      const [added, removed] = index % 2 === 0 ? [spares, [addressOf(NODE(0))]] : [[addressOf(NODE(0))], spares]
      expectOk(await change(governance, added, removed, START.number + 10n + BigInt(index)))
    }
    const lowest = nodesSorted(64).find((one) => one !== addressOf(NODE(0)))!
    // What follows a call's own arguments is passed over: it only has to be stored and read.
    const longest = `${motionArguments('suspendNode', [lowest, hash(1)])}${'ff'.repeat(4_096 - 64)}` as const
    const proposal = expectOk(await governance.admin(0, 'council', 'propose', [MOTIONS.suspendNode[0], longest, '\u677e'.repeat(166)]))
    for (const seat of [1, 2]) expectOk(await governance.admin(seat, 'council', 'vote', [0, true]))
    const execution = expectOk(await governance.admin(0, 'council', 'execute', [0]))
    expect(eventsOf(execution).map(({ eventName }) => eventName)).toContain('ValidatorRemoved')
    // Measured: 3.6 M and 4.2 M, the latter from nine sets of validators.
    for (const { gas } of [proposal, execution]) expect(gas).toBeLessThan((DEFAULT_GAS_LIMIT * 3n) / 4n)
  }, 180_000)
})
