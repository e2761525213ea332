import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type AuditEntry, type AuditQuestion, auditTrail } from '@songhua/sdk/governance/audit'
import { EVENT_TEXTS, MOTION_TEXTS } from '@songhua/sdk/governance/audit-texts'
import { eventSentence, motionSentence } from '@songhua/sdk/governance/audit-sentence'
import { readArguments } from '@songhua/sdk/governance/audit-forms'
import { SYSTEM_CONTRACTS } from '@songhua/sdk/governance/contracts'
import { MOTIONS, type MotionKind } from '@songhua/sdk/governance/motions'
import { signBinding, signNodeApplication } from '@songhua/sdk/governance/signatures'
import { MOTION_KIND } from '@songhua/contracts/membership/state-council'
import { bytesToHex, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { privateKeyToAddress, privateKeyToPublicKey } from '@songhua/sdk/protocol/crypto'
import type { ParamType } from 'ethers'
import { CHAIN_ID } from '../rpc/fixture-chain.js'
import { BUREAU, DEV, type GovernedChain, OPERATIONS, TELECOM, createGovernedChain } from '../rpc/governed-chain.js'
import { type Stub, collect, serveTampered } from './support.js'

const NODE_KEY = new Uint8Array(32).fill(17)
const NODE = privateKeyToAddress(NODE_KEY)
const BANK = '91230100MA00003144'
const MEMBER = DEV[5]!
const GENESIS_S = 1_793_462_400 // 2026-11-01, midnight in UTC: 8 o'clock in Beijing

let chain: GovernedChain
const stubs: Stub[] = []
beforeAll(async () => {
  chain = await createGovernedChain(GENESIS_S)
  const [bureau, , telecom, operations] = chain.council.seats
  await chain.council.pass('admitOrganisation', {
    uscc: BANK, kind: 'bank', roles: ['anchor'], nameZh: '松花江银行', nameEn: 'Songhua River Bank', administrator: DEV[4]!.address,
    gasPerDay: 30_000_000n, bytesPerDay: 2n ** 64n - 1n,
  })
  await bureau!.bindAccount(MEMBER.address, { roles: ['anchor'], gasPerDay: 1_000n, bytesPerDay: 9_000n }, signBinding({ uscc: BUREAU, account: MEMBER.address, nonce: 0n }, hexToBytes(MEMBER.privateKey), CHAIN_ID))
  const application = { publicKey: bytesToHex(privateKeyToPublicKey(NODE_KEY)), kind: 'backbone', city: '230200', government: BUREAU, telecom: TELECOM, operator: OPERATIONS } as const
  await operations!.applyNode(application, signNodeApplication(application, { nodeKey: NODE_KEY, applicant: DEV[3]!.address, chainId: CHAIN_ID }))
  for (const seat of [bureau!, telecom!, operations!]) await seat.confirmBody(NODE)
  chain.setTime((GENESIS_S + 3 * 86_400) * 1000)
  await chain.council.pass('admitNode', { node: NODE })
  await bureau!.suspendNode(NODE, `0x${'ab'.repeat(32)}`)
  await bureau!.releaseAccount(MEMBER.address)
}, 60_000)
afterAll(() => chain.stop())
afterEach(async () => {
  for (const stub of stubs.splice(0)) await stub.stop()
})

const trail = (question: AuditQuestion = {}, rpc = chain.url): Promise<AuditEntry[]> => collect(auditTrail(question, { rpc }))

/** Arguments of any event or function, as ethers decodes them. */
function someValue({ type, arrayChildren, components, baseType }: ParamType): unknown {
  if (arrayChildren !== null) return [someValue(arrayChildren)]
  if (baseType === 'tuple') return components!.map(someValue)
  if (type === 'bool') return true
  if (type === 'string') return 'text'
  if (type === 'address') return `0x${'12'.repeat(20)}`
  if (type.startsWith('uint')) return 1n
  if (type === 'bytes') return '0x1234'
  return `0x${Buffer.from(type === 'bytes18' ? BANK : 'abcd').toString('hex').padEnd(Number(type.slice(5)) * 2, '0').slice(0, Number(type.slice(5)) * 2)}`
}

const TELLERS = { zh: { language: 'zh', organisation: (uscc: string) => `机构${uscc}` }, en: { language: 'en', organisation: (uscc: string) => `body ${uscc}` } } as const

describe('the sentences', () => {
  it('are there in both languages for every event of every contract, with every value that they name', () => {
    for (const { name: contract, abi } of SYSTEM_CONTRACTS) {
      const events: string[] = []
      abi.forEachEvent(({ name }) => events.push(name))
      expect(Object.keys(EVENT_TEXTS[contract] ?? {}).sort(), contract).toEqual(events.sort())
      abi.forEachEvent(({ name: event, inputs: params }) => {
        const args = readArguments(contract, params, params.map(someValue))
        const motion = { id: 1, kind: 'cancelProtocol', args: {} } as const
        const { zh, en } = eventSentence({ contract, event, params, args, motion }, TELLERS)
        for (const [language, text] of [['zh', zh], ['en', en]] as const) {
          expect(namesIn(EVENT_TEXTS[contract]![event]![language]).filter((name) => !knows(params, name)), event).toEqual([])
          expect(text, event).not.toMatch(/\{|undefined|\[object/)
        }
        expect(zh, event).toMatch(/[\u4e00-\u9fff]/)
        expect(en, event).not.toMatch(/[\u4e00-\u9fff]/)
      })
    }
  })

  it('are there for every kind of motion', () => {
    expect(Object.keys(MOTION_TEXTS)).toEqual(Object.keys(MOTIONS))
    for (const kind of Object.keys(MOTIONS) as MotionKind[]) {
      expect([kind, MOTIONS[kind].number]).toEqual([kind, MOTION_KIND[kind]])
      const { contract } = MOTIONS[kind]
      const { inputs } = contract.abi.getFunction(kind)!
      const { zh, en } = motionSentence({ id: 1, kind, args: readArguments(contract.name, inputs, inputs.map(someValue)) }, TELLERS)
      for (const text of [zh, en]) expect(text, kind).not.toMatch(/\{|undefined|\[object|\(\)|（）/)
      expect(namesIn(MOTION_TEXTS[kind].en).filter((name) => !knows(inputs, name)), kind).toEqual([])
      expect(namesIn(MOTION_TEXTS[kind].zh.replace('nameZh', 'nameEn')).sort(), kind).toEqual(namesIn(MOTION_TEXTS[kind].en).sort())
    }
  })
})

const namesIn = (text: string): string[] => [...text.matchAll(/\{=?(\w+)\}/g)].map(([, name]) => name!)
const knows = (params: readonly ParamType[], name: string): boolean =>
  name === 'motion' || params.some((param) => param.name === name || param.components?.some((inner) => inner.name === name))

describe('auditTrail', () => {
  it('tells everything that changed, oldest first: when, who, what, and what motions did', async () => {
    const entries = await trail()
    expect(entries.map(({ event }) => event)).toEqual([
      'MotionProposed', 'MotionVoted', 'MotionVoted', 'MotionVoted', 'OrganisationAdmitted', 'AccountBound', 'MotionExecuted', 'AccountBound', 'NodeApplied',
      'NodeConfirmed', 'NodeConfirmed', 'NodeConfirmed', 'MotionProposed', 'MotionVoted', 'MotionVoted', 'MotionVoted', 'NodeAdmitted', 'MotionExecuted',
      'NodeSuspended', 'AccountReleased',
    ])
    const executed = entries.find(({ event }) => event === 'MotionExecuted')!
    expect(executed).toMatchObject({
      contract: 'Council', who: { account: DEV[0]!.address, organisation: { uscc: BUREAU, nameZh: '开发网网信办' } }, args: { id: 0n, seat: BUREAU },
      motion: { id: 0, kind: 'admitOrganisation', args: { entry: { uscc: BANK, kind: 'bank', roles: ['anchor'], gasPerDay: 30_000_000n } } },
      en: `Devnet Cyberspace Office (${BUREAU}) carries out motion 0: admit Songhua River Bank (${BANK}), bank; administrator ${DEV[4]!.address}, roles anchor, 30,000,000 gas and unlimited bytes a day`,
      zh: `开发网网信办（${BUREAU}）执行第 0 号议案：接纳松花江银行（${BANK}，银行）；管理员 ${DEV[4]!.address}，权限：上链，每日 Gas 30,000,000、字节 不限`,
    })
    const receipt = chain.ports.chain.transactionLocation(executed.transactionHash)!
    expect(executed).toMatchObject({ blockNumber: receipt.number, time: chain.ports.chain.header(receipt.number)!.timestamp })
    expect(entries.find(({ event }) => event === 'NodeConfirmed')!.zh).toBe(`开发网网信办（${BUREAU}）以政府机构身份确认节点 ${NODE}`)
    expect(entries.find(({ event }) => event === 'NodeSuspended')).toMatchObject({ args: { body: BUREAU, reasonHash: `0x${'ab'.repeat(32)}` } })
  })

  it('begins and ends at a block or at a time', async () => {
    const all = await trail()
    const later = GENESIS_S + 3 * 86_400
    expect(await trail({ since: { time: later } })).toEqual(all.filter(({ time }) => time >= later))
    expect(await trail({ until: { time: later - 1 } })).toEqual(all.filter(({ time }) => time < later))
    const { blockNumber } = all[8]!
    expect(await trail({ since: { block: blockNumber }, until: { block: blockNumber } })).toEqual([all[8]])
    expect(await trail({ since: { time: later + 9 } })).toEqual([])
  })

  it('tells of one organisation, or of one node', async () => {
    const all = await trail()
    expect((await trail({ node: NODE })).map(({ event }) => event)).toEqual([
      'NodeApplied', 'NodeConfirmed', 'NodeConfirmed', 'NodeConfirmed', 'MotionProposed', 'MotionVoted', 'MotionVoted', 'MotionVoted', 'NodeAdmitted',
      'MotionExecuted', 'NodeSuspended',
    ])
    const ofBank = await trail({ organisation: BANK })
    expect(ofBank).toEqual(all.slice(0, 7))
    await expect(trail({ organisation: '91230100MA00003145' })).rejects.toMatchObject({ code: 'OPTION_INVALID', field: 'organisation' })
  })

  it('asks for smaller ranges where a node takes no wider ones, and finds times where it does not give them', async () => {
    const asked: number[] = []
    const stub = await serveTampered(chain.url, async ({ method, params }, honest) => {
      if (method !== 'eth_getLogs') return honest()
      const { fromBlock, toBlock } = params[0] as { fromBlock: string; toBlock: string }
      asked.push(Number(toBlock) - Number(fromBlock) + 1)
      if (asked.at(-1)! > 5) return { error: { code: -32602, message: 'query exceeds max block range 5' } }
      const { result } = (await honest()) as { result: Record<string, unknown>[] }
      return { result: result.map(({ blockTimestamp: _time, ...log }) => log) }
    })
    stubs.push(stub)
    expect(await trail({}, stub.url)).toEqual(await trail())
    expect(Math.max(...asked.slice(-3))).toBeLessThanOrEqual(5)
  })
})
