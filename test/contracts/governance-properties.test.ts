// Random sequences of calls, by accounts with and without rights: what must hold after every one of them.
import fc from 'fast-check'
import { MAX_VALIDATORS } from '@songhua/contracts/membership/genesis-nodes'
import { type Address, type Hex, stringToHex } from 'viem'
import { describe, expect, it } from 'vitest'
import { type CallResult } from './chain.js'
import {
  ADMIN, CONTRACTS, COUNCIL, type Application, type ContractName, type Governance, MOTIONS, type MotionName, NODE, START, STRANGER, ZERO_BYTES18,
  addressOf, apply, consent, expectOk, hash, motionArguments, nodeWith, publicKeyOf, refusal, rotationProof, startGovernance, uscc,
} from './governance.js'

const LIFETIME_S = 604_800n
const SEATED = { roles: 63, gasPerDay: 20_000_000n, bytesPerDay: 1_000_000n }
/** Validators of genesis, and active backbone nodes besides. */
const [VALIDATORS, SPARES] = [5, 3]
const NODES: Address[] = [
  ...Array.from({ length: VALIDATORS }, (_, index) => addressOf(NODE(index))), ...Array.from({ length: SPARES }, (_, index) => addressOf(9_001 + index)),
]
const withSpares = async (): Promise<Governance> => {
  const governance = await startGovernance({ validators: VALIDATORS })
  for (let index = 0; index < SPARES; index++) await nodeWith(governance, 9_001 + index, 'active')
  return governance
}

describe('accounts without rights', () => {
  /** Every function that writes, with arguments that would be good in the right hands. */
  const attempts = async (): Promise<[ContractName, string, unknown[]][]> => {
    const entry = {
      uscc: uscc(9), kind: 4, nameZh: '单位', nameEn: 'Body', contactHash: hash(0), administrator: addressOf(ADMIN(9)), ...SEATED,
    }
    return [
      ['organisations', 'admitOrganisation', [entry]], ['organisations', 'suspendOrganisation', [uscc(8)]],
      ['organisations', 'reinstateOrganisation', [uscc(7)]], ['organisations', 'setOrganisationRights', [uscc(8), 63, 1n, 1n]],
      ['organisations', 'replaceAdministrator', [uscc(0), STRANGER]], ['organisations', 'setContactHash', [hash(1)]],
      ['organisations', 'bindAccount', [addressOf(500), 1, 1n, 1n, await consent(500, 0, 0n)]],
      ['organisations', 'changeAccount', [addressOf(501), 1, 1n, 1n]], ['organisations', 'releaseAccount', [addressOf(501)]],
      ['nodes', 'withdrawApplication', [addressOf(9_002)]], ['nodes', 'admitNode', [addressOf(9_002), hash(0)]], ['nodes', 'activateNode', [addressOf(9_003)]],
      ['nodes', 'suspendNode', [addressOf(9_001), hash(1)]], ['nodes', 'reinstateNode', [addressOf(9_004)]], ['nodes', 'retireNode', [addressOf(9_001)]],
      ['nodes', 'confirmBody', [addressOf(9_002), hash(0)]], ['nodes', 'issueAcCode', [addressOf(9_001), stringToHex('hrb1')]],
      ['nodes', 'withdrawAcCode', [stringToHex('hrb0')]], ['nodes', 'setNodeBodies', [addressOf(9_001), uscc(0), uscc(1), uscc(2)]],
      ['nodes', 'setEndpointsHash', [addressOf(9_001), hash(1)]], ['nodes', 'changeValidators', [[addressOf(9_001)], [], START.number + 50n]],
      ['nodes', 'rotateKey', [addressOf(9_001), publicKeyOf(9_009), await rotationProof(9_009, addressOf(9_001))]], ['nodes', 'cancelValidatorChange', []],
      ['council', 'propose', [18, motionArguments('setReader', [STRANGER, 1n]), '']], ['council', 'vote', [0n, true]], ['council', 'execute', [0n]],
      ['council', 'cancel', [0n]], ['council', 'seat', [uscc(8)]], ['council', 'unseat', [uscc(0)]], ['council', 'setThreshold', [1, 600]],
      ['council', 'handOver', [STRANGER]], ['policy', 'setNewcomers', [35, 1n, 1n, 1n, 1n]], ['policy', 'setReadLevels', [0n]],
      ['policy', 'setReader', [STRANGER, 1n]], ['policy', 'setParameters', [1, 1, 1, 3_600]], ['policy', 'scheduleProtocol', [3, START.number + 500n]],
      ['policy', 'cancelProtocol', []],
      ...(['organisations', 'nodes', 'policy'] as const).map((name): [ContractName, string, unknown[]] => [name, 'setGovernor', [CONTRACTS.usage.address]]),
    ]
  }

  /** A chain in which each of the attempts would succeed by somebody. */
  const busyChain = async (): Promise<Governance> => {
    const governance = await startGovernance({ seats: 5 })
    for (const number of [7, 8]) {
      const entry = { uscc: uscc(number), kind: 4, nameZh: '单位', nameEn: 'Body', contactHash: hash(0), administrator: addressOf(ADMIN(number)), ...SEATED }
      expectOk(await governance.govern('organisations', 'admitOrganisation', [entry]))
    }
    expectOk(await governance.govern('organisations', 'suspendOrganisation', [uscc(7)]))
    expectOk(await governance.admin(0, 'organisations', 'bindAccount', [addressOf(501), 63, 1n, 1n, await consent(501, 0, 0n)]))
    for (const [key, status] of [[9_001, 'active'], [9_002, 'applied'], [9_003, 'admitted'], [9_004, 'suspended']] as const) await nodeWith(governance, key, status)
    expectOk(await governance.govern('nodes', 'issueAcCode', [addressOf(9_003), stringToHex('hrb0')]))
    expectOk(await governance.govern('nodes', 'changeValidators', [[], [addressOf(NODE(0))], START.number + 40n]))
    expectOk(await governance.govern('policy', 'scheduleProtocol', [2, START.number + 400n]))
    expectOk(await governance.admin(0, 'council', 'propose', [18, motionArguments('setReader', [STRANGER, 1n]), '']))
    return governance
  }

  it('never change any state, whatever they call in whatever order', async () => {
    const calls = await attempts()
    const writing = Object.entries(CONTRACTS).flatMap(([name, { abi }]) =>
      abi.flatMap((item) => (item.type === 'function' && item.stateMutability === 'nonpayable' ? [`${name} ${item.name}`] : [])))
    // Anyone may apply, and revoke what they alone have given.
    const open = ['organisations applyOrganisation', 'organisations revokeConsents', 'nodes applyNode']
    expect(new Set([...calls.map(([name, call]) => `${name} ${call}`), ...open])).toEqual(new Set(writing))

    const governance = await busyChain()
    const before = governance.storage()
    // A stranger, an account that is bound but administers nothing, an administrator that is suspended.
    const callers = [STRANGER, addressOf(502), addressOf(ADMIN(7))]
    const sequence = fc.array(fc.tuple(fc.constantFrom(...callers), fc.constantFrom(...calls)), { minLength: 20, maxLength: 40 })
    await fc.assert(fc.asyncProperty(sequence, async (steps) => {
      for (const [from, [contract, name, args]] of steps) {
        const result = await governance.send(contract, from, name, args)
        expect({ name, ok: result.ok, logs: result.logs }).toEqual({ name, ok: false, logs: [] })
      }
      expect(governance.storage()).toEqual(before)
    }), { numRuns: 25 })
    // And each of them, once by every caller.
    for (const from of callers) for (const [contract, name, args] of calls) expect((await governance.send(contract, from, name, args)).ok).toBe(false)
    expect(governance.storage()).toEqual(before)
  }, 180_000)

  it('with an organisation but no seat govern nothing either, and touch nobody else\'s', async () => {
    const governance = await busyChain()
    const before = governance.storage()
    const own = ['setContactHash', 'bindAccount']
    for (const [contract, name, args] of (await attempts()).filter(([, call]) => !own.includes(call))) {
      expect([name, (await governance.send(contract, addressOf(ADMIN(8)), name, args)).ok]).toEqual([name, false])
    }
    expect(governance.storage()).toEqual(before)
  })
})

/** A step of a sequence, numbers to be read within what there is. */
const step = fc.record({ kind: fc.nat(11), a: fc.nat(50), b: fc.nat(50), c: fc.nat(50) })
type Step = { kind: number; a: number; b: number; c: number }
const pick = <T>(list: readonly T[], index: number): T => list[index % list.length]!

describe('the validator set', () => {
  const isAscending = (list: readonly Address[]): boolean => list.every((one, index) => index === 0 || BigInt(list[index - 1]!) < BigInt(one))

  async function act(governance: Governance, nodes: Address[], { kind, a, b, c }: Step): Promise<CallResult | undefined> {
    const { number } = governance.clock
    const [one, two] = [pick(nodes, a), pick(nodes, b)]
    if (kind === 0) return governance.govern('nodes', 'changeValidators', [[one, two], [], number + BigInt(c % 6)])
    if (kind === 1) return governance.govern('nodes', 'changeValidators', [[one], [], number + BigInt(c % 6)])
    if (kind <= 3) return governance.govern('nodes', 'changeValidators', [[], [one], number + BigInt(c % 6)])
    if (kind === 4) return governance.govern('nodes', 'changeValidators', [[one], [two], number + BigInt(c % 12)])
    if (kind === 5) return governance.govern('nodes', 'suspendNode', [one, hash(1)])
    if (kind === 6) return governance.govern('nodes', 'reinstateNode', [one])
    if (kind === 7) return governance.admin(2, 'nodes', 'retireNode', [one])
    if (kind === 8) return governance.govern('nodes', 'cancelValidatorChange')
    if (kind === 9) {
      const key = 20_000 + nodes.length
      const result = await governance.admin(2, 'nodes', 'rotateKey', [one, publicKeyOf(key), await rotationProof(key, one)])
      if (result.ok) nodes.push(addressOf(key))
      return result
    }
    governance.pass(BigInt(1 + (c % 4)), BigInt(a * 4_000))
    return undefined
  }

  it('is never empty, never below the minimum, always ascending, and of nodes that may connect', async () => {
    let changed = 0
    const governance = await withSpares()
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 30 }), fc.constantFrom(1, 2), (steps, notice) => governance.trying(async () => {
      const nodes = [...NODES]
      // A suspension shrinks sets that are scheduled already, and so what a third of them is.
      let suspensions = 0
      let set = await governance.read<Address[]>('nodes', 'getValidators')
      expectOk(await governance.govern('policy', 'setParameters', [4, notice, 100, 3_600]))
      for (const one of steps) {
        const before = governance.storage()
        const last = set
        const result = await act(governance, nodes, one)
        if (one.kind === 5 && result?.ok === true) suspensions++
        if (result?.ok === false) expect(governance.storage()).toEqual(before)
        set = await governance.read<Address[]>('nodes', 'getValidators')
        const pending = await governance.read<{ height: bigint; validators: Address[] }[]>('nodes', 'pendingChanges')
        const sets = [set, ...pending.map(({ validators }) => validators)]
        for (const validators of sets) {
          expect(validators.length).toBeGreaterThanOrEqual(4)
          expect(validators.length).toBeLessThanOrEqual(MAX_VALIDATORS)
          expect(isAscending(validators)).toBe(true)
        }
        expect(pending.every(({ height }, index) => index === 0 || pending[index - 1]!.height < height)).toBe(true)
        // A change never outruns the quorum: of a set, the set before it has all but a third.
        sets.slice(1).forEach((later, index) => {
          const added = later.filter((validator) => !sets[index]!.includes(validator)).length
          expect(added).toBeLessThanOrEqual(Math.max(1, Math.floor((later.length - 1 + suspensions) / 3)))
        })
        if (set.join() !== last.join()) changed++
      }
      const keys = new Set(await governance.read<Hex[]>('nodes', 'getNodes'))
      for (const validator of set) expect(keys.has(await governance.read<Hex>('nodes', 'publicKeyOf', [validator]))).toBe(true)
      // Whatever is pending comes: nothing stays scheduled for ever.
      governance.pass(100n)
      expect(await governance.read('nodes', 'pendingChanges')).toEqual([])
    })), { numRuns: 20 })
    expect(changed).toBeGreaterThan(10)
  }, 240_000)
})

describe('the council', () => {
  const SEATS = [0, 1, 2, 3]
  const reader = (doors: number): Hex => motionArguments('setReader', [STRANGER, BigInt(doors)])

  it('is never governed by one seat: whatever it does alone, no register changes', async () => {
    const governance = await startGovernance()
    await fc.assert(fc.asyncProperty(fc.constantFrom(...SEATS), fc.array(step, { maxLength: 30 }), (seat, steps) => governance.trying(async () => {
      const registers = () => new Map([...governance.storage()].filter(([slot]) => !slot.startsWith(CONTRACTS.council.address)))
      const before = registers()
      const seats = await governance.read('council', 'seats')
      for (const { kind, a, c } of steps) {
        const name = pick(Object.keys(MOTIONS) as MotionName[], a)
        if (kind <= 3) await governance.admin(seat, 'council', 'propose', [MOTIONS[name][0], reader(c), ''])
        else if (kind <= 5) await governance.admin(seat, 'council', 'vote', [BigInt(a % 8), true])
        else if (kind <= 9) expect((await governance.admin(seat, 'council', 'execute', [BigInt(a % 8)])).ok).toBe(false)
        else governance.pass(1n, BigInt(c) * 20_000n)
      }
      expect(registers()).toEqual(before)
      expect(await governance.read('council', 'seats')).toEqual(seats)
    })), { numRuns: 25 })
  }, 180_000)

  it('is never blocked by one seat: the others can always act, whatever it does', async () => {
    const governance = await startGovernance()
    await fc.assert(fc.asyncProperty(fc.constantFrom(...SEATS), fc.array(step, { maxLength: 25 }), (against, steps) => governance.trying(async () => {
      const others = SEATS.filter((seat) => seat !== against)
      for (const { kind, a, c } of steps) {
        if (kind <= 5) await governance.admin(against, 'council', 'propose', [1 + (a % 24), reader(c), 'x'.repeat(c)])
        else if (kind <= 8) await governance.admin(against, 'council', 'vote', [BigInt(a % 8), false])
        else if (kind === 9) await governance.admin(against, 'council', 'cancel', [BigInt(a % 8)])
        else governance.pass(1n, BigInt(c) * 20_000n)
      }
      for (const permille of [500, 749]) {
        expectOk(await governance.send('council', COUNCIL, 'setThreshold', [18, permille]))
        const id = await governance.read<bigint>('council', 'motionCount')
        expectOk(await governance.admin(others[0]!, 'council', 'propose', [18, reader(permille), '']))
        expectOk(await governance.admin(against, 'council', 'vote', [id, false]))
        for (const seat of others.slice(1)) expectOk(await governance.admin(seat, 'council', 'vote', [id, true]))
        expectOk(await governance.admin(others[1]!, 'council', 'execute', [id]))
        expect(await governance.read('policy', 'readerDoors', [STRANGER])).toBe(BigInt(permille))
      }
    })), { numRuns: 20 })
  }, 180_000)

  it('counts what a model counts, and carries out what the model lets through', async () => {
    interface Motion { seat: number; expiresAt: bigint; status: 'open' | 'executed' | 'cancelled'; votes: Map<number, boolean> }
    const governance = await startGovernance()
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), (steps) => governance.trying(async () => {
      const motions: Motion[] = []
      const isOpen = (motion: Motion | undefined) => motion?.status === 'open' && governance.clock.timestamp < motion.expiresAt
      for (const { kind, a, b, c } of steps) {
        const [seat, id] = [a % 4, b % (motions.length + 1)]
        const motion = motions[id]
        if (kind <= 2) {
          const isFree = motions.filter((one) => one.seat === seat && isOpen(one)).length < 8
          expect((await governance.admin(seat, 'council', 'propose', [18, reader(c), ''])).ok).toBe(isFree)
          if (isFree) motions.push({ seat, expiresAt: governance.clock.timestamp + LIFETIME_S, status: 'open', votes: new Map([[seat, true]]) })
        } else if (kind <= 7) {
          const approve = c % 4 !== 0
          expect((await governance.admin(seat, 'council', 'vote', [BigInt(id), approve])).ok).toBe(isOpen(motion))
          if (isOpen(motion)) motion?.votes.set(seat, approve)
        } else if (kind <= 9) {
          const passes = isOpen(motion) && [...motion!.votes.values()].filter(Boolean).length >= 3
          expect((await governance.admin(seat, 'council', 'execute', [BigInt(id)])).ok).toBe(passes)
          if (passes) motion!.status = 'executed'
        } else if (kind === 10) {
          const canCancel = isOpen(motion) && motion!.seat === seat
          expect((await governance.admin(seat, 'council', 'cancel', [BigInt(id)])).ok).toBe(canCancel)
          if (canCancel) motion!.status = 'cancelled'
        } else governance.pass(1n, BigInt(c) * 10_000n)
        const open = await governance.read<bigint[]>('council', 'openMotions', [0n, 256n])
        expect(open.map(Number).sort()).toEqual(motions.flatMap((one, at) => (isOpen(one) ? [at] : [])).sort())
      }
    })), { numRuns: 20 })
  }, 180_000)
})

describe('every state has a way out', () => {
  it('a node that is somewhere in its life is retired, and a new one of the same key admitted', async () => {
    const statuses = ['applied', 'admitted', 'active', 'suspended', 'retired'] as const
    await fc.assert(fc.asyncProperty(fc.constantFrom(...statuses), fc.boolean(), async (status, isService) => {
      const governance = await startGovernance()
      const changes: Partial<Application> = isService ? { kind: 3, government: ZERO_BYTES18, telecom: ZERO_BYTES18 } : {}
      const node = await nodeWith(governance, 9_001, status, changes)
      if (status === 'suspended') expectOk(await governance.govern('nodes', 'reinstateNode', [node]))
      if (status !== 'retired') expectOk(await governance.govern('nodes', 'retireNode', [node]))
      expect(await nodeWith(governance, 9_001, 'active', { ...changes, documentsHash: hash(9) })).toBe(node)
    }), { numRuns: 10 })
  }, 60_000)

  it('an organisation whose key is lost, even by all seats but three, acts again by another', async () => {
    await fc.assert(fc.asyncProperty(fc.constantFrom(0, 1, 2, 3), async (lost) => {
      const governance = await startGovernance()
      const others = [0, 1, 2, 3].filter((seat) => seat !== lost)
      expectOk(await governance.admin(others[0]!, 'council', 'propose', [5, motionArguments('replaceAdministrator', [uscc(lost), addressOf(700)]), 'lost']))
      for (const seat of others.slice(1)) expectOk(await governance.admin(seat, 'council', 'vote', [0n, true]))
      expectOk(await governance.admin(others[0]!, 'council', 'execute', [0n]))
      expectOk(await governance.send('council', addressOf(700), 'propose', [18, reader(1), '']))
      expect(refusal(await governance.admin(lost, 'council', 'propose', [18, reader(1), '']))).toContain('CouncilNotSeated')
    }), { numRuns: 4 })
  })

  const reader = (doors: number): Hex => motionArguments('setReader', [STRANGER, BigInt(doors)])
})

describe('consents', () => {
  it('bind once: no sequence of binding, releasing and revoking lets one that was used be used again', async () => {
    const governance = await startGovernance()
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), (steps) => governance.trying(async () => {
      const account = addressOf(500)
      const given: { organisation: number; nonce: bigint; signature: Hex }[] = []
      const used = new Set<string>()
      let [nonce, boundTo] = [0n, -1]
      for (const { kind, a, b } of steps) {
        if (kind <= 2) given.push({ organisation: a % 4, nonce, signature: await consent(500, a % 4, nonce) })
        else if (kind <= 7 && given.length > 0) {
          const { organisation, nonce: named, signature } = pick(given, b)
          const result = await governance.admin(organisation, 'organisations', 'bindAccount', [account, 1, 1n, 1n, signature])
          const isGood = boundTo < 0 && named === nonce
          expect(result.ok).toBe(isGood)
          if (isGood) {
            expect(used.has(`${organisation} ${named}`)).toBe(false)
            used.add(`${organisation} ${named}`)
            boundTo = organisation
          }
        } else if (kind <= 9) {
          const result = await governance.send('organisations', a % 2 === 0 ? account : addressOf(ADMIN(Math.max(boundTo, 0))), 'releaseAccount', [account])
          expect(result.ok).toBe(boundTo >= 0)
          if (result.ok) [nonce, boundTo] = [nonce + 1n, -1]
        } else if (kind === 10) {
          expectOk(await governance.send('organisations', account, 'revokeConsents'))
          nonce++
        }
        expect(await governance.read('organisations', 'bindingNonceOf', [account])).toBe(nonce)
      }
    })), { numRuns: 20 })
  }, 120_000)

  it('and proofs of possession are good for their applicant alone', async () => {
    const governance = await startGovernance()
    expectOk(await apply(governance, 9_001))
    expectOk(await governance.admin(2, 'nodes', 'withdrawApplication', [addressOf(9_001)]))
    expect((await apply(governance, 9_001, {}, STRANGER)).ok).toBe(true)
  })
})
