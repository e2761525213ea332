import { WebSocket } from 'ws'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { privateKeyToAddress, privateKeyToPublicKey } from '@songhua/sdk/protocol/crypto'
import { bytesToHex, type Address, type Hex } from '@songhua/sdk/protocol/bytes'
import { identityOfPublicKey } from '@songhua/node/network/peer-id'
import { SYSTEM_CONTRACTS } from '@songhua/sdk/governance/contracts'
import { signBinding, signNodeApplication } from '@songhua/sdk/governance/signatures'
import { NO_LIMIT } from '@songhua/sdk/governance/codes'
import { CHAIN_ID, VALIDATOR_KEY, ask, result } from './fixture-chain.js'
import { BUREAU, DEV, type GovernedChain, OFFICE, OPERATIONS, TELECOM, createGovernedChain } from './governed-chain.js'

const VALIDATOR = privateKeyToAddress(VALIDATOR_KEY)
const NODE_KEY = new Uint8Array(32).fill(17)
const NODE = privateKeyToAddress(NODE_KEY)
const MEMBER = DEV[5]!
const NEWCOMER = DEV[8]!.address
const NEW_ORGANISATION = '91230100MA00003144'

let chain: GovernedChain
let url: string
beforeAll(async () => {
  chain = await createGovernedChain()
  url = chain.url
}, 60_000)
afterAll(() => chain.stop())

/** The answer, which has the form that the documentation gives. */
async function get<T = Record<string, unknown>>(method: string, ...params: unknown[]): Promise<T> {
  const answer = await result<T>(url, method, params)
  const { error } = chain.server.methods.find(({ name }) => name === method)!.result.safeParse(answer)
  expect(error?.issues ?? [], `${method} ${JSON.stringify(answer)}`).toEqual([])
  return answer
}
const applied = () => ({
  publicKey: bytesToHex(privateKeyToPublicKey(NODE_KEY)), kind: 'backbone', city: '230200', industry: 'I',
  government: BUREAU, telecom: TELECOM, operator: OPERATIONS,
} as const)

describe('songhua_getMembership', () => {
  it('tells what genesis placed, as the contracts\' own views do', async () => {
    const membership = await get('songhua_getMembership')
    const [first] = chain.council.seats
    const views = await first!.organisations()
    expect(membership).toMatchObject({
      block: { number: '0x0' },
      counts: { organisations: '0x4', nodes: '0x1', connectable: '0x1', seats: '0x4', validators: '0x1' },
      validators: [VALIDATOR], pendingValidators: [],
      nodes: [{ address: VALIDATOR, kind: 'super', status: 'active', isValidator: true, government: BUREAU, telecom: TELECOM, operator: OPERATIONS }],
    })
    expect((membership.organisations as { uscc: string }[]).map(({ uscc, ...rest }) => ({ uscc, ...rest }))).toMatchObject(
      views.map(({ uscc, kind, status, nameZh, nameEn, administrator, roles }) =>
        ({ uscc, kind, status, nameZh, nameEn, administrator, roles, hasSeat: true, gasPerDay: null, bytesPerDay: null })))
    const policy = await first!.policy()
    expect(membership.policy).toMatchObject({ readLevels: policy.readLevels, minValidators: `0x${policy.minValidators.toString(16)}` })
  })

  it('gives lists in pages, and says which limit a page is over', async () => {
    const all = await get<{ organisations: { uscc: string }[] }>('songhua_getMembership')
    const page = await get<{ organisations: { uscc: string }[]; nodes: unknown[] }>('songhua_getMembership', { offset: '0x1', limit: '0x2' }, { offset: '0x9' })
    expect(page.organisations).toEqual(all.organisations.slice(1, 3))
    expect(page.nodes).toEqual([])
    const refused = (await ask(url, 'songhua_getMembership', [{ limit: '0x65' }])).error
    expect(refused).toMatchObject({ code: -32005, data: { limit: 'governancePageMax' } })
  })
})

describe('songhua_getCouncil and songhua_getMotion', () => {
  it('show a motion from its proposal to its end, with what it needs', async () => {
    const [first, second] = chain.council.seats
    const entry = {
      uscc: NEW_ORGANISATION, kind: 'bank', roles: ['anchor', 'apply'], nameZh: '松花江流域农村商业银行股份有限公司', nameEn: 'Songhua River Bank, with a name of some length',
      administrator: DEV[4]!.address, gasPerDay: 30_000_000n, bytesPerDay: 2_000_000n,
    } as const
    const { id } = await first!.propose('admitOrganisation', entry, '第一家银行')
    await second!.vote(id, false)
    const council = await get<{ openMotions: { items: Record<string, unknown>[] } }>('songhua_getCouncil')
    expect(council).toMatchObject({ motionCount: '0x1', openMotions: { total: '0x1' }, governor: '0x0000000000000000000000000000000000230004' })
    expect(council.openMotions.items[0]).toMatchObject({
      id: '0x0', kind: 'admitOrganisation', status: 'open', seat: BUREAU, reason: '第一家银行', approvals: '0x1', rejections: '0x1', needed: '0x3',
      ballots: [{ seat: BUREAU, approve: true, counts: true }, { seat: OFFICE, approve: false, counts: true }],
    })
    for (const seat of chain.council.seats.slice(1, 3)) await seat.vote(id, true)
    await first!.execute(id)
    const motion = await get('songhua_getMotion', '0x0')
    const view = await first!.motion(id)
    expect(motion).toMatchObject({ status: 'executed', approvals: '0x3', arguments: view.arguments, reason: view.reason })
    expect(await get('songhua_getMotion', '0x7')).toBeNull()
    expect((await get<{ openMotions: unknown }>('songhua_getCouncil')).openMotions).toEqual({ total: '0x0', items: [] })
  }, 30_000)

  it('know what every kind needs as the contract does', async () => {
    const { thresholds } = await get<{ thresholds: { kind: string; permille: string; needed: string }[] }>('songhua_getCouncil')
    const { abi, address } = SYSTEM_CONTRACTS.find(({ name }) => name === 'Council')!
    for (const [at, { needed, permille }] of thresholds.entries()) {
      const read = async (name: string): Promise<bigint> => BigInt(await get<string>('eth_call', { to: address, data: abi.encodeFunctionData(name, [at + 1]) }))
      expect([at, BigInt(permille), BigInt(needed)]).toEqual([at, await read('thresholdOf'), await read('neededFor')])
    }
    expect(thresholds).toHaveLength(24)
  })
})

describe('songhua_getOrganisation', () => {
  it('gives an organisation with a page of its accounts; null for one that is unknown', async () => {
    const [first] = chain.council.seats
    const consent = signBinding({ uscc: BUREAU, account: MEMBER.address, nonce: 0n }, Buffer.from(MEMBER.privateKey.slice(2), 'hex'), CHAIN_ID)
    await first!.bindAccount(MEMBER.address, { roles: ['anchor'], gasPerDay: 5_000_000n, bytesPerDay: 9_000n }, consent)
    expect(await get('songhua_getOrganisation', BUREAU)).toMatchObject({
      uscc: BUREAU, nameZh: '开发网网信办', kind: 'government-body', hasSeat: true,
      accounts: { total: '0x2', items: [{ address: DEV[0]!.address }, { address: MEMBER.address, roles: ['anchor'], gasPerDay: '0x4c4b40', bytesPerDay: '0x2328' }] },
    })
    expect(await get('songhua_getOrganisation', BUREAU, { offset: '0x1', limit: '0x1' })).toMatchObject({ accounts: { total: '0x2', items: [{ address: MEMBER.address }] } })
    expect(await get('songhua_getOrganisation', NEW_ORGANISATION)).toMatchObject({ hasSeat: false, nameZh: '松花江流域农村商业银行股份有限公司', gasPerDay: '0x1c9c380' })
    // Block 0 is read as well as the head.
    expect(await get('songhua_getOrganisation', NEW_ORGANISATION, null, '0x0')).toBeNull()
    expect((await ask(url, 'songhua_getOrganisation', ['91230100MA00000312'])).error?.message).toContain('unified social credit code')
  })
})

describe('songhua_getNode', () => {
  it('finds a node by its address, its AC code and its peer id', async () => {
    const [first, , telecom, operator] = chain.council.seats
    const application = applied()
    await operator!.applyNode(application, signNodeApplication(application, { nodeKey: NODE_KEY, applicant: DEV[3]!.address, chainId: CHAIN_ID }))
    expect(await get('songhua_getNode', NODE)).toMatchObject({ status: 'applied', confirmations: [], applicant: DEV[3]!.address, city: '230200', industry: 'I' })
    for (const seat of [first!, telecom!, operator!]) await seat.confirmBody(NODE)
    await chain.council.pass('admitNode', { node: NODE })
    await chain.council.pass('issueAcCode', { node: NODE, acCode: 'hrb2' })
    const byAddress = await get('songhua_getNode', NODE)
    expect(byAddress).toMatchObject({
      address: NODE, publicKey: application.publicKey, peerId: identityOfPublicKey(privateKeyToPublicKey(NODE_KEY)).id, kind: 'backbone', status: 'admitted',
      isValidator: false, acCode: 'hrb2', confirmations: ['government', 'telecom', 'operator'], government: BUREAU,
    })
    const { since } = (await first!.node(NODE))!
    expect(byAddress.since).toBe(`0x${since.toString(16)}`)
    expect(await get('songhua_getNode', 'hrb2')).toEqual(byAddress)
    expect(await get('songhua_getNode', byAddress.peerId)).toEqual(byAddress)
    expect(await get('songhua_getNode', 'nope')).toBeNull()
    expect(await get('songhua_getNode', NEWCOMER)).toBeNull()
    expect((await ask(url, 'songhua_getNode', ['not a node'])).error?.message).toContain('peer id')
    await operator!.activateNode(NODE)
    await chain.council.pass('changeValidators', { added: [NODE], height: chain.head().number + 50 })
    const { pendingValidators } = await get<{ pendingValidators: { validators: Address[] }[] }>('songhua_getMembership')
    expect(pendingValidators.map(({ validators }) => validators)).toEqual([[VALIDATOR, NODE].sort()])
    expect(await first!.pendingValidators()).toEqual(pendingValidators.map(({ validators, ...change }) => ({ ...change, height: Number((change as unknown as { height: Hex }).height), validators })))
    await chain.council.pass('suspendNode', { node: NODE })
    expect(await get('songhua_getNode', NODE)).toMatchObject({ status: 'suspended', suspendedFrom: 'active' })
    expect(await get('songhua_getMembership')).toMatchObject({ counts: { nodes: '0x2', connectable: '0x1' } })
  }, 60_000)
})

describe('songhua_getQuota and songhua_getUsage', () => {
  it('tell limits, what is used today and what is left, of an account and of those it is one of', async () => {
    const before = await get<{ gas: Hex; transactions: Hex }>('songhua_getUsage', BUREAU)
    const raw = (await chain.send({ key: Buffer.from(MEMBER.privateKey.slice(2), 'hex'), nonce: 0n, gasLimit: 30_000n })).raw
    await until(async () => (await get<string>('eth_getTransactionCount', MEMBER.address)) === '0x1')
    const quota = await get<{ quotas: Record<string, unknown>[]; resetsAt: Hex; day: Hex }>('songhua_getQuota', MEMBER.address)
    expect(quota).toMatchObject({ account: MEMBER.address, uscc: BUREAU, roles: ['anchor'] })
    expect(quota.quotas[0]).toEqual({
      of: 'account', transactions: '0x1',
      gas: { limit: '0x4c4b40', used: '0x5208', left: `0x${(5_000_000 - 21_000).toString(16)}` },
      bytes: { limit: '0x2328', used: `0x${raw.length.toString(16)}`, left: `0x${(9_000 - raw.length).toString(16)}` },
    })
    expect(quota.quotas[1]).toMatchObject({ of: 'organisation', gas: { limit: null, left: null } })
    expect(quota).not.toHaveProperty('governing')
    // The administrator has just bound the member and whoever else: that counts for it, and not for its organisation.
    const { administrator } = await get<{ administrator: Address }>('songhua_getOrganisation', BUREAU)
    const governor = await get<{ quotas: { gas: { used: Hex } }[]; governing: unknown }>('songhua_getQuota', administrator)
    expect(governor.governing).toEqual(governor.quotas[0])
    expect(Number(governor.quotas[0]!.gas.used)).toBeGreaterThan(Number(governor.quotas[1]!.gas.used))
    const after = await get<{ gas: Hex; transactions: Hex; day: Hex; resetsAt: Hex }>('songhua_getUsage', BUREAU)
    expect(Number(after.gas) - Number(before.gas)).toBe(21_000)
    expect(Number(after.resetsAt)).toBe((Number(after.day) + 1) * 86_400 - 28_800)
    const view = await chain.council.seats[0]!.usage({ account: MEMBER.address })
    expect(view).toMatchObject({ gas: 21_000n, transactions: 1, bytes: BigInt(raw.length) })
  })

  it('tell them of organisations and of newcomers too', async () => {
    expect(await get('songhua_getQuota', NEW_ORGANISATION)).toMatchObject({
      uscc: NEW_ORGANISATION, roles: ['anchor', 'apply'], quotas: [{ of: 'organisation', gas: { limit: '0x1c9c380', used: '0x0', left: '0x1c9c380' } }],
    })
    expect(await get('songhua_getQuota', NEWCOMER)).toMatchObject({
      account: NEWCOMER, roles: ['anchor', 'deploy', 'apply'], quotas: [{ of: 'account', gas: { limit: null } }, { of: 'newcomers' }],
    })
    await chain.council.pass('setNewcomers', { roles: ['apply'], gasPerDay: 1_000n, bytesPerDay: 2_000n, gasPerDayTotal: NO_LIMIT, bytesPerDayTotal: 0n })
    expect(await get('songhua_getQuota', 'newcomers')).toMatchObject({ roles: ['apply'], quotas: [{ of: 'newcomers', gas: { limit: null }, bytes: { limit: '0x0', left: '0x0' } }] })
    expect(await get('songhua_getQuota', '91230100MA000039XR')).toBeNull()
    expect((await ask(url, 'songhua_getUsage', ['nobody'])).error?.message).toContain('newcomers')
  }, 30_000)
})

describe('a subscription to logs', () => {
  it('is told of every change of membership, as it is made', async () => {
    const socket = new WebSocket(chain.wsUrl)
    const told: { address: Address; topics: Hex[] }[] = []
    await new Promise<void>((subscribed, failed) => {
      socket.once('error', failed)
      socket.once('open', () => {
        const addresses = SYSTEM_CONTRACTS.map(({ address }) => address)
        socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: ['logs', { address: addresses }] }))
      })
      socket.on('message', (data: Buffer) => {
        const message = JSON.parse(data.toString()) as { id?: number; params?: { result: (typeof told)[number] } }
        if (message.id === 1) subscribed()
        else if (message.params !== undefined) told.push(message.params.result)
      })
    })
    await chain.council.pass('setReader', { reader: NEWCOMER, doors: ['debug'] })
    await until(() => Promise.resolve(told.length >= 6))
    socket.close()
    const names = told.map(({ address, topics }) => SYSTEM_CONTRACTS.find((one) => one.address === address)!.abi.getEvent(topics[0]!)!.name)
    expect(names).toEqual(['MotionProposed', 'MotionVoted', 'MotionVoted', 'MotionVoted', 'ReaderChanged', 'MotionExecuted'])
  }, 30_000)
})

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 10_000; !(await isSo()); ) {
    if (Date.now() > deadline) throw new Error('it did not come to be')
    await new Promise((done) => setTimeout(done, 20))
  }
}
