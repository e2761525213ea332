import { ROLE } from '@songhua/contracts/membership/slots'
import { RECORD_ANCHOR_ADDRESS } from '@songhua/contracts/addresses'
import { type Address, type Hex, getAddress, zeroAddress } from 'viem'
import { describe, expect, it } from 'vitest'
import {
  ADMIN, COUNCIL, type Governance, MOTIONS, type MotionName, NODE, START, STRANGER, ZERO_BYTES18, addressOf, apply, carry, confirm, event,
  eventsOf, expectOk, hash, motionArguments, nodeWith, refusal, startGovernance, uscc,
} from './governance.js'

const LIFETIME_S = 604_800n
const FUNDAMENTAL = [5, 6, 7, 14, 15, 16, 17, 19, 20, 21, 22, 23, 24]
const SEATED = { roles: 63, gasPerDay: 20_000_000n, bytesPerDay: 1_000_000n }
const entry = (number: number, changes: Record<string, unknown> = {}) => ({
  uscc: uscc(number), kind: 4, nameZh: '新单位', nameEn: 'Newcomer', contactHash: hash(0), administrator: addressOf(ADMIN(number)), ...SEATED, ...changes,
})
const propose = (governance: Governance, seat: number, name: MotionName, args: readonly unknown[], reason = 'why') =>
  governance.admin(seat, 'council', 'propose', [MOTIONS[name][0], motionArguments(name, args), reason])
const motionOf = (governance: Governance, id: bigint) => governance.read<Record<string, unknown>>('council', 'motionOf', [id])
const openMotions = (governance: Governance) => governance.read<bigint[]>('council', 'openMotions', [0n, 1_000n])
/** Organisations 4 to `count` - 1 have seats besides the first four. */
const withSeats = (count: number) => startGovernance({ seats: count })
const READER_CALL = [STRANGER, 7n] as const

describe('Council at genesis', () => {
  it('has the seats, and needs more than half of them, or more than two thirds', async () => {
    const { read } = await startGovernance()
    expect(await read('council', 'seats')).toEqual([0, 1, 2, 3].map(uscc))
    expect(await read('council', 'isSeated', [uscc(3)])).toBe(true)
    expect(await read('council', 'isSeated', [uscc(4)])).toBe(false)
    expect(await read('council', 'motionCount')).toBe(0n)
    for (let kind = 1; kind <= 24; kind++) {
      expect(await read('council', 'thresholdOf', [kind])).toBe(FUNDAMENTAL.includes(kind) ? 666 : 500)
      expect(await read('council', 'neededFor', [kind])).toBe(3n)
    }
    for (const kind of [0, 25]) await expect(read('council', 'neededFor', [kind])).rejects.toThrow(`CouncilInvalidKind(${kind})`)
  })

  it.each([4, 5, 6, 7, 12, 64])('of %i seats lets none govern alone, and none block the others', async (count) => {
    const governance = await withSeats(count)
    for (const kind of [1, 15]) {
      const needed = Number(await governance.read('council', 'neededFor', [kind]))
      expect(needed).toBe(Math.floor(count * (kind === 1 ? 0.5 : 0.666)) + 1)
      expect(needed).toBeGreaterThan(1)
      expect(needed).toBeLessThan(count)
    }
    expectOk(await governance.send('council', COUNCIL, 'setThreshold', [1, 749]))
    expect(Number(await governance.read('council', 'neededFor', [1]))).toBeLessThan(count)
  })
})

describe('proposing', () => {
  it('opens a motion with its seat\'s yes', async () => {
    const governance = await startGovernance()
    const carried = motionArguments('setReader', READER_CALL)
    expect(eventsOf(await propose(governance, 1, 'setReader', READER_CALL))).toEqual([
      event('MotionProposed', { id: 0n, seat: uscc(1), kind: 18, arguments: carried, reason: 'why', expiresAt: START.timestamp + LIFETIME_S }),
      event('MotionVoted', { id: 0n, seat: uscc(1), approve: true }),
    ])
    expect(await motionOf(governance, 0n)).toEqual({
      kind: 18, status: 1, seat: uscc(1), proposer: addressOf(ADMIN(1)), proposedAt: START.timestamp, expiresAt: START.timestamp + LIFETIME_S,
      arguments: carried, reason: 'why', approvals: 1n, rejections: 0n, needed: 3n,
    })
    expect(await governance.read('council', 'votesOf', [0n])).toEqual([{ seat: uscc(1), approve: true }])
    expect(await openMotions(governance)).toEqual([0n])
  })

  it('is for seats, with a known kind and words within their limits', async () => {
    const governance = await startGovernance()
    const extra = await governance.govern('organisations', 'admitOrganisation', [entry(7)])
    expectOk(extra)
    for (const from of [STRANGER, addressOf(ADMIN(7)), COUNCIL]) {
      expect(refusal(await governance.send('council', from, 'propose', [1, '0x', '']))).toBe(`CouncilNotSeated(${from})`)
    }
    for (const kind of [0, 25, 255]) expect(refusal(await governance.admin(0, 'council', 'propose', [kind, '0x', '']))).toBe(`CouncilInvalidKind(${kind})`)
    expect(refusal(await governance.admin(0, 'council', 'propose', [1, '0x', 'x'.repeat(501)]))).toBe('CouncilReasonTooLong(501, 500)')
    expect(refusal(await governance.admin(0, 'council', 'propose', [1, `0x${'00'.repeat(4_097)}`, '']))).toBe('CouncilArgumentsTooLong(4097, 4096)')
    expectOk(await governance.admin(0, 'council', 'propose', [1, `0x${'00'.repeat(4_096)}`, 'x'.repeat(500)]))
  })

  it('stops at eight open motions of a seat; what is executed, cancelled or expired makes room', async () => {
    const governance = await startGovernance()
    for (let index = 0; index < 8; index++) expectOk(await propose(governance, 0, 'setReader', READER_CALL))
    const more = () => propose(governance, 0, 'setReader', READER_CALL)
    expect(refusal(await more())).toBe(`CouncilTooManyMotions(${uscc(0)}, 8)`)
    expectOk(await propose(governance, 1, 'setReader', READER_CALL))
    expectOk(await governance.admin(0, 'council', 'cancel', [0n]))
    expectOk(await more())
    for (const seat of [1, 2]) expectOk(await governance.admin(seat, 'council', 'vote', [1n, true]))
    expectOk(await governance.admin(3, 'council', 'execute', [1n]))
    expectOk(await more())
    expect(refusal(await more())).toContain('CouncilTooManyMotions')
    governance.pass(1n, LIFETIME_S)
    expect(await openMotions(governance)).toEqual([])
    for (let index = 0; index < 8; index++) expectOk(await more())
    expect(refusal(await more())).toContain('CouncilTooManyMotions')
    expect([...await openMotions(governance)].sort()).toEqual([11n, 12n, 13n, 14n, 15n, 16n, 17n, 18n])
    expect(await governance.read('council', 'openMotions', [2n, 3n])).toHaveLength(3)
    expect(await governance.read('council', 'openMotions', [8n, 3n])).toEqual([])
  })
})

describe('voting', () => {
  it('may be changed while the motion is open', async () => {
    const governance = await startGovernance()
    await propose(governance, 0, 'setReader', READER_CALL)
    expect(eventsOf(await governance.admin(1, 'council', 'vote', [0n, false]))).toEqual([event('MotionVoted', { id: 0n, seat: uscc(1), approve: false })])
    await governance.admin(1, 'council', 'vote', [0n, true])
    await governance.admin(0, 'council', 'vote', [0n, false])
    expect(await governance.read('council', 'votesOf', [0n])).toEqual([{ seat: uscc(0), approve: false }, { seat: uscc(1), approve: true }])
    expect(await motionOf(governance, 0n)).toMatchObject({ approvals: 1n, rejections: 1n })
    expect(refusal(await governance.send('council', STRANGER, 'vote', [0n, true]))).toBe(`CouncilNotSeated(${STRANGER})`)
    expect(refusal(await governance.admin(0, 'council', 'vote', [1n, true]))).toBe('CouncilUnknownMotion(1)')
    await expect(motionOf(governance, 1n)).rejects.toThrow('CouncilUnknownMotion(1)')
  })

  it('counts present seats only: who loses its seat loses its vote', async () => {
    const governance = await withSeats(5)
    await propose(governance, 0, 'setReader', READER_CALL)
    for (const seat of [1, 4]) expectOk(await governance.admin(seat, 'council', 'vote', [0n, true]))
    expect(await motionOf(governance, 0n)).toMatchObject({ approvals: 3n, needed: 3n })
    expectOk(await governance.send('council', COUNCIL, 'unseat', [uscc(4)]))
    expect(await motionOf(governance, 0n)).toMatchObject({ approvals: 2n, needed: 3n })
    expect(refusal(await governance.admin(4, 'council', 'vote', [0n, true]))).toContain('CouncilNotSeated')
    expect(refusal(await governance.admin(0, 'council', 'execute', [0n]))).toBe('CouncilTooFewVotes(0, 2, 3)')
  })

  it('stays with the seat when its administrator is replaced', async () => {
    const governance = await startGovernance()
    await propose(governance, 0, 'setReader', READER_CALL)
    await governance.govern('organisations', 'replaceAdministrator', [uscc(0), addressOf(400)])
    expect(refusal(await governance.admin(0, 'council', 'vote', [0n, false]))).toContain('CouncilNotSeated')
    expectOk(await governance.send('council', addressOf(400), 'vote', [0n, false]))
    expect(await governance.read('council', 'votesOf', [0n])).toEqual([{ seat: uscc(0), approve: false }])
    expectOk(await governance.send('council', addressOf(400), 'cancel', [0n]))
  })
})

describe('the end of a motion', () => {
  it('is its execution by any seat, once', async () => {
    const governance = await startGovernance()
    expect(eventsOf(await carry(governance, 'setReader', READER_CALL))).toEqual([
      event('ReaderChanged', { reader: STRANGER, doors: 7n }), event('MotionExecuted', { id: 0n, seat: uscc(0) }),
    ])
    expect(await motionOf(governance, 0n)).toMatchObject({ status: 2 })
    expect(await openMotions(governance)).toEqual([])
    for (const name of ['execute', 'cancel']) expect(refusal(await governance.admin(0, 'council', name, [0n]))).toBe('CouncilNotOpen(0, 2)')
    expect(refusal(await governance.admin(0, 'council', 'vote', [0n, true]))).toBe('CouncilNotOpen(0, 2)')
  })

  it('never comes with too few votes, nor by somebody without a seat', async () => {
    const governance = await startGovernance()
    expect(refusal(await carry(governance, 'setReader', READER_CALL, 2))).toBe('CouncilTooFewVotes(0, 2, 3)')
    expectOk(await governance.admin(3, 'council', 'vote', [0n, true]))
    expect(refusal(await governance.send('council', STRANGER, 'execute', [0n]))).toBe(`CouncilNotSeated(${STRANGER})`)
    expectOk(await governance.admin(3, 'council', 'execute', [0n]))
  })

  it('may be a cancellation by its own seat', async () => {
    const governance = await startGovernance()
    await propose(governance, 0, 'setReader', READER_CALL)
    expect(refusal(await governance.admin(1, 'council', 'cancel', [0n]))).toBe(`CouncilNotProposer(0, ${uscc(0)})`)
    expect(eventsOf(await governance.admin(0, 'council', 'cancel', [0n]))).toEqual([event('MotionCancelled', { id: 0n, seat: uscc(0) })])
    expect(await motionOf(governance, 0n)).toMatchObject({ status: 3 })
    expect(refusal(await governance.admin(0, 'council', 'execute', [0n]))).toBe('CouncilNotOpen(0, 3)')
  })

  it('comes by itself when its time is over', async () => {
    const governance = await startGovernance()
    await propose(governance, 0, 'setReader', READER_CALL)
    for (const seat of [1, 2]) await governance.admin(seat, 'council', 'vote', [0n, true])
    governance.pass(1n, LIFETIME_S - 1n)
    expect(await motionOf(governance, 0n)).toMatchObject({ status: 1 })
    governance.pass(1n)
    expect(await motionOf(governance, 0n)).toMatchObject({ status: 4 })
    for (const [name, args] of [['execute', [0n]], ['vote', [0n, true]], ['cancel', [0n]]] as const) {
      expect(refusal(await governance.admin(0, 'council', name, args))).toBe('CouncilNotOpen(0, 4)')
    }
  })

  it('does not come with a call that fails: the motion stays open, the error is the call\'s own', async () => {
    const governance = await startGovernance()
    expect(refusal(await carry(governance, 'suspendOrganisation', [uscc(1)]))).toBe(`OrganisationRegisterSeated(${uscc(1)})`)
    expect(await motionOf(governance, 0n)).toMatchObject({ status: 1, approvals: 3n })
    expectOk(await governance.admin(0, 'council', 'propose', [18, '0x1234', '']))
    for (const seat of [1, 2]) await governance.admin(seat, 'council', 'vote', [1n, true])
    expect(refusal(await governance.admin(0, 'council', 'execute', [1n]))).toBe('CouncilCallFailed(1)')
    expect([...await openMotions(governance)].sort()).toEqual([0n, 1n])
  })
})

describe('every kind of motion', () => {
  const organisation = 7
  const admitted = (governance: Governance) => governance.govern('organisations', 'admitOrganisation', [entry(organisation)])
  const applied = async (governance: Governance) => {
    await apply(governance, 9_001)
    await confirm(governance, addressOf(9_001))
  }
  const node = addressOf(9_001)
  const kinds: [MotionName, (governance: Governance) => Promise<unknown>, (governance: Governance) => unknown[] | Promise<unknown[]>, string][] = [
    ['admitOrganisation', () => Promise.resolve(), () => [entry(organisation)], 'OrganisationAdmitted'],
    ['suspendOrganisation', admitted, () => [uscc(organisation)], 'OrganisationSuspended'],
    ['reinstateOrganisation', async (g) => { await admitted(g); await g.govern('organisations', 'suspendOrganisation', [uscc(organisation)]) }, () => [uscc(organisation)], 'OrganisationReinstated'],
    ['setOrganisationRights', admitted, () => [uscc(organisation), 1, 2n, 3n], 'OrganisationRightsChanged'],
    ['replaceAdministrator', admitted, () => [uscc(organisation), addressOf(400)], 'AdministratorReplaced'],
    ['seat', admitted, () => [uscc(organisation)], 'SeatTaken'],
    ['unseat', async (g) => { await admitted(g); await g.send('council', COUNCIL, 'seat', [uscc(organisation)]) }, () => [uscc(organisation)], 'SeatVacated'],
    ['admitNode', applied, async (g) => [node, await g.read('nodes', 'applicationHashOf', [node])], 'NodeAdmitted'],
    ['suspendNode', (g) => nodeWith(g, 9_001, 'active'), () => [node, hash(1)], 'NodeSuspended'],
    ['reinstateNode', (g) => nodeWith(g, 9_001, 'suspended'), () => [node], 'NodeReinstated'],
    ['retireNode', (g) => nodeWith(g, 9_001, 'active'), () => [node], 'NodeRetired'],
    ['issueAcCode', (g) => nodeWith(g, 9_001, 'active'), () => [node, '0x68726231'], 'AcCodeIssued'],
    ['withdrawAcCode', (g) => g.govern('nodes', 'issueAcCode', [addressOf(NODE(0)), '0x68726231']), () => ['0x68726231'], 'AcCodeWithdrawn'],
    ['setNodeBodies', applied, () => [node, uscc(0), uscc(1), uscc(2)], 'NodeBodiesChanged'],
    ['changeValidators', (g) => nodeWith(g, 9_001, 'active'), () => [[node], [], START.number + 2n], 'ValidatorsChanged'],
    ['setNewcomers', () => Promise.resolve(), () => [35, 1n, 2n, 3n, 4n], 'NewcomersChanged'],
    ['setReadLevels', () => Promise.resolve(), () => [2n], 'ReadLevelsChanged'],
    ['setReader', () => Promise.resolve(), () => [STRANGER, 1n], 'ReaderChanged'],
    ['setParameters', () => Promise.resolve(), () => [4, 5, 6, 7_000], 'ParametersChanged'],
    ['scheduleProtocol', () => Promise.resolve(), () => [2, START.number + 100n], 'ProtocolScheduled'],
    ['cancelProtocol', (g) => g.govern('policy', 'scheduleProtocol', [2, START.number + 100n]), () => [], 'ProtocolCancelled'],
    ['setThreshold', () => Promise.resolve(), () => [1, 700], 'ThresholdChanged'],
    ['cancelValidatorChange', (g) => g.govern('nodes', 'changeValidators', [[], [addressOf(NODE(0))], START.number + 9n]), () => [], 'ValidatorChangeCancelled'],
  ]
  it.each(kinds)('%s does what its function does', async (name, prepare, args, first) => {
    const governance = await withSeats(6)
    await prepare(governance)
    const needed = Number(await governance.read('council', 'neededFor', [MOTIONS[name][0]]))
    const names = eventsOf(await carry(governance, name, await args(governance), needed)).map(({ eventName }) => eventName)
    expect(names[0]).toBe(first)
    expect(names.at(-1)).toBe('MotionExecuted')
  })

  it('is covered, but handing over, which has its own tests', () => {
    expect([...kinds.map(([name]) => name), 'handOver'].sort()).toEqual(Object.keys(MOTIONS).sort())
    expect(Object.values(MOTIONS).map(([kind]) => kind)).toEqual(Array.from({ length: 24 }, (_, index) => index + 1))
  })

  it('acts through a motion only', async () => {
    const governance = await withSeats(5)
    const before = governance.storage()
    for (const [name, args] of [['seat', [uscc(4)]], ['unseat', [uscc(4)]], ['setThreshold', [1, 600]], ['handOver', [RECORD_ANCHOR_ADDRESS]]] as const) {
      expect(refusal(await governance.admin(0, 'council', name, args))).toBe(`CouncilMotionOnly(${addressOf(ADMIN(0))})`)
    }
    expect(governance.storage()).toEqual(before)
  })
})

describe('seats', () => {
  const motion = (governance: Governance, name: string, args: readonly unknown[]) => governance.send('council', COUNCIL, name, args)

  it('are for active organisations that can always act, each once', async () => {
    const governance = await startGovernance()
    const poor = [{ roles: 63 & ~ROLE.administer }, { gasPerDay: 19_999_999n }, { bytesPerDay: 999_999n }]
    for (const [index, changes] of poor.entries()) {
      expectOk(await governance.govern('organisations', 'admitOrganisation', [entry(10 + index, changes)]))
      expect(await governance.read('organisations', 'meetsSeatMinimum', [uscc(10 + index)])).toBe(false)
      expect(refusal(await motion(governance, 'seat', [uscc(10 + index)]))).toBe(`CouncilCannotSeat(${uscc(10 + index)})`)
    }
    expect(refusal(await motion(governance, 'seat', [uscc(20)]))).toBe(`CouncilCannotSeat(${uscc(20)})`)
    expectOk(await governance.govern('organisations', 'admitOrganisation', [entry(13)]))
    await governance.govern('organisations', 'suspendOrganisation', [uscc(13)])
    expect(refusal(await motion(governance, 'seat', [uscc(13)]))).toBe(`CouncilCannotSeat(${uscc(13)})`)
    await governance.govern('organisations', 'reinstateOrganisation', [uscc(13)])
    expect(eventsOf(await motion(governance, 'seat', [uscc(13)]))).toEqual([event('SeatTaken', { uscc: uscc(13) })])
    expect(refusal(await motion(governance, 'seat', [uscc(13)]))).toBe(`CouncilSeated(${uscc(13)})`)
    expect(await governance.read('council', 'seats')).toEqual([0, 1, 2, 3, 13].map(uscc))
    expectOk(await propose(governance, 13, 'setReader', READER_CALL))
  })

  it('are four at least, 64 at most', async () => {
    const few = await startGovernance()
    expect(refusal(await motion(few, 'unseat', [uscc(0)]))).toBe('CouncilTooFewSeats(4)')
    expect(refusal(await motion(few, 'unseat', [uscc(9)]))).toBe(`CouncilSeatUnknown(${uscc(9)})`)
    expect(refusal(await motion(few, 'unseat', [ZERO_BYTES18]))).toBe(`CouncilSeatUnknown(${ZERO_BYTES18})`)
    const many = await withSeats(64)
    expectOk(await many.govern('organisations', 'admitOrganisation', [entry(90)]))
    expect(refusal(await motion(many, 'seat', [uscc(90)]))).toBe('CouncilTooManySeats(64)')
    expectOk(await motion(many, 'unseat', [uscc(0)]))
    expectOk(await motion(many, 'seat', [uscc(90)]))
  })

  it('take their open motions with them when they go', async () => {
    const governance = await withSeats(6)
    await propose(governance, 4, 'setReader', READER_CALL)
    governance.pass(1n, LIFETIME_S)
    await propose(governance, 5, 'setReader', READER_CALL)
    await propose(governance, 4, 'setReader', READER_CALL)
    await propose(governance, 4, 'setReader', READER_CALL)
    expect(eventsOf(await motion(governance, 'unseat', [uscc(4)]))).toEqual([
      event('SeatVacated', { uscc: uscc(4) }), event('MotionCancelled', { id: 3n, seat: uscc(4) }), event('MotionCancelled', { id: 2n, seat: uscc(4) }),
    ])
    expect(await openMotions(governance)).toEqual([1n])
    expect(await motionOf(governance, 0n)).toMatchObject({ status: 4 })
    expect(await motionOf(governance, 2n)).toMatchObject({ status: 3 })
    // And the organisation may be suspended now.
    expectOk(await governance.govern('organisations', 'suspendOrganisation', [uscc(4)]))
  })

  it('can vote one of them out by its own motion', async () => {
    const governance = await withSeats(5)
    await propose(governance, 4, 'unseat', [uscc(4)])
    for (const seat of [0, 1, 2]) await governance.admin(seat, 'council', 'vote', [0n, true])
    expect(eventsOf(await governance.admin(4, 'council', 'execute', [0n])).map(({ eventName }) => eventName)).toEqual(['SeatVacated', 'MotionExecuted'])
    expect(await motionOf(governance, 0n)).toMatchObject({ status: 2 })
  })
})

describe('thresholds', () => {
  it('are from 500 to 749 of a thousand, of kinds that exist', async () => {
    const governance = await withSeats(12)
    const set = (kind: number, permille: number) => governance.send('council', COUNCIL, 'setThreshold', [kind, permille])
    expect(eventsOf(await set(1, 749))).toEqual([event('ThresholdChanged', { kind: 1, permille: 749 })])
    expect([await governance.read('council', 'thresholdOf', [1]), await governance.read('council', 'neededFor', [1])]).toEqual([749, 9n])
    expectOk(await set(15, 500))
    expect(await governance.read('council', 'neededFor', [15])).toBe(7n)
    for (const permille of [0, 499, 750, 1_000]) expect(refusal(await set(1, permille))).toBe(`CouncilInvalidThreshold(${permille})`)
    for (const kind of [0, 25]) expect(refusal(await set(kind, 600))).toBe(`CouncilInvalidKind(${kind})`)
  })
})

describe('handing over', () => {
  const REGISTERS = ['organisations', 'nodes', 'policy'] as const

  it('makes a successor govern all registers, which the old council then cannot', async () => {
    const governance = await startGovernance()
    // A second council, at another address.
    const successor: Address = getAddress('0x00000000000000000000000000000000000c0de2')
    await governance.copyCode(COUNCIL, successor)
    // It has to know the seats first, or the registers would leave them unguarded.
    expect(refusal(await carry(governance, 'handOver', [successor]))).toBe(`CouncilInvalidSuccessor(${successor})`)
    await governance.copyStorage(COUNCIL, successor)
    expect(eventsOf(await carry(governance, 'handOver', [successor]))).toEqual([
      ...REGISTERS.map(() => event('GovernorChanged', { previous: COUNCIL, next: successor })),
      event('CouncilHandedOver', { successor }), event('MotionExecuted', { id: 1n, seat: uscc(0) }),
    ])
    for (const register of REGISTERS) expect(BigInt(await governance.read<Hex>(register, 'governor'))).toBe(BigInt(successor))
    expect(refusal(await carry(governance, 'setReader', READER_CALL))).toBe(`GovernedUnauthorized(${COUNCIL})`)
    // The registers ask the successor for its seats.
    expect(refusal(await governance.send('organisations', successor, 'suspendOrganisation', [uscc(0)]))).toContain('OrganisationRegisterSeated')
    expectOk(await governance.send('policy', successor, 'setReader', READER_CALL))
  })

  it.each<[string, Address]>([
    ['an account', STRANGER], ['nobody', zeroAddress], ['a contract that knows no seats', RECORD_ANCHOR_ADDRESS], ['the council itself', COUNCIL],
  ])('is refused to %s', async (_whom, successor) => {
    const governance = await startGovernance()
    expect(refusal(await carry(governance, 'handOver', [successor]))).toBe(`CouncilInvalidSuccessor(${successor})`)
    expect(await governance.read('nodes', 'governor')).toBe(COUNCIL)
  })
})

