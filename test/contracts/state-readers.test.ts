// What is read at fixed slots is what the contracts' own views answer.
import { describe, expect, it } from 'vitest'
import { neededVotes, readMotion, readMotionArguments, readMotionCount, readOpenMotions, readSeats, readThreshold } from '@songhua/contracts/membership/state-council'
import { readConnectableCount, readNode, readNodeAddresses, readNodeByAcCode, readValidatorSchedule } from '@songhua/contracts/membership/state-nodes'
import { readAccount, readAccountsOf, readOrganisation, readOrganisationCodes } from '@songhua/contracts/membership/state-organisations'
import { readPolicy } from '@songhua/contracts/membership/state-policy'
import type { SystemState } from '@songhua/contracts/membership/state-words'
import { DOOR, NODE_KIND, NODE_STATUS, ORGANISATION_KIND, READ_LEVEL } from '@songhua/contracts/membership/kinds'
import type { Address } from '@songhua/sdk/protocol/bytes'
import { type Hex, hexToString, stringToHex } from 'viem'
import {
  type Governance, MOTIONS, NODE, START, addressOf, carry, consent, expectOk, hash, motionArguments, nodeWith, nodesSorted, startGovernance, uscc,
} from './governance.js'
import { testUscc } from '../support/governance.js'

function stateOf(governance: Governance): SystemState {
  const words = governance.storage()
  return {
    readSlot(contract, slot) {
      const key = [...words.keys()].find((one) => one.includes(contract.slice(2)) && one.endsWith(slot.toString(16).padStart(64, '0')))
      return key === undefined ? 0n : BigInt(words.get(key)!)
    },
  }
}

const lower = (address: Hex): Address => address.toLowerCase() as Address
const codeOf = (bytes: Hex): string => hexToString(bytes).replaceAll('\0', '')

describe('the readers of slots', () => {
  it('answer as the organisation register does, long and short names alike', async () => {
    const governance = await startGovernance({ accounts: [{ address: lower(addressOf(7)), uscc: testUscc(1), roles: 3, gasPerDay: 5n, bytesPerDay: 6n }] })
    const entry = { uscc: uscc(9), kind: 7, roles: 5, nameZh: '行', nameEn: 'A name of exactly thirty-two bytes'.slice(0, 32), contactHash: hash(5), administrator: addressOf(8), gasPerDay: 1n, bytesPerDay: 2n }
    expectOk(await governance.govern('organisations', 'admitOrganisation', [entry]))
    expectOk(await governance.govern('organisations', 'suspendOrganisation', [uscc(9)]))
    expectOk(await governance.admin(1, 'organisations', 'bindAccount', [addressOf(70), 1, 10n, 11n, await consent(70, 1, 0n)]))
    const state = stateOf(governance)
    const codes = await governance.read<Hex[]>('organisations', 'organisations', [0n, 256n])
    expect(readOrganisationCodes(state)).toEqual({ total: codes.length, items: codes.map(codeOf) })
    expect(readOrganisationCodes(state, { offset: 3, limit: 9 }).items).toEqual(codes.slice(3).map(codeOf))
    for (const code of codes) {
      const view = await governance.read<Record<string, unknown>>('organisations', 'organisationOf', [code])
      const read = readOrganisation(state, codeOf(code))!
      const { uscc: _code, status, kind, since, administrator, contactHash, ...rest } = read
      expect(view).toMatchObject({
        ...rest, kind: ORGANISATION_KIND[kind], status: status === 'active' ? 1 : 2, since: BigInt(since), contactHash: contactHash ?? hash(0),
      })
      expect(lower(view.administrator as Hex)).toBe(administrator)
    }
    const accounts = await governance.read<Hex[]>('organisations', 'accountsOf', [uscc(1), 0n, 9n])
    expect(readAccountsOf(state, testUscc(1), { offset: 0, limit: 9 }).items.map(({ address }) => address)).toEqual(accounts.map(lower))
    expect(readAccount(state, lower(addressOf(70)))).toMatchObject({ uscc: testUscc(1), roles: 1, gasPerDay: 10n, bytesPerDay: 11n })
    expect([readAccount(state, lower(addressOf(71))), readOrganisation(state, testUscc(50))]).toEqual([undefined, undefined])
  })

  it('answer as the node register does, through every status and before and after each scheduled set', async () => {
    const governance = await startGovernance({ validators: 7 })
    for (const [number, status] of (['applied', 'admitted', 'active', 'suspended', 'retired'] as const).entries()) await nodeWith(governance, 2_000 + number, status)
    expectOk(await governance.govern('nodes', 'issueAcCode', [addressOf(NODE(0)), stringToHex('hrb1')]))
    const [first, second] = nodesSorted(7) as [Address, Address]
    expectOk(await governance.govern('nodes', 'changeValidators', [[], [first], START.number + 4n]))
    expectOk(await governance.govern('nodes', 'changeValidators', [[addressOf(2_002)], [second], START.number + 8n]))
    const state = stateOf(governance)
    const addresses = await governance.read<Hex[]>('nodes', 'nodes', [0n, 256n])
    expect(readNodeAddresses(state).items).toEqual(addresses.map(lower))
    for (const address of addresses) {
      const view = await governance.read<Record<string, unknown>>('nodes', 'nodeOf', [address])
      const read = readNode(state, lower(address))!
      expect(view).toMatchObject({
        kind: NODE_KIND[read.kind], status: NODE_STATUS[read.status], suspendedFrom: read.suspendedFrom === undefined ? 0 : NODE_STATUS[read.suspendedFrom],
        since: BigInt(read.since), rotatedAt: BigInt(read.rotatedAt), documentsHash: read.documentsHash ?? hash(0), endpointsHash: read.endpointsHash ?? hash(0),
      })
      expect(await governance.read('nodes', 'publicKeyOf', [address])).toBe(read.publicKey)
      for (const name of ['government', 'telecom', 'operator', 'suspendedBy', 'city', 'acCode'] as const) expect([name, codeOf(view[name] as Hex)]).toEqual([name, read[name] ?? ''])
    }
    expect(readConnectableCount(state)).toBe(Number(await governance.read<bigint>('nodes', 'connectableCount')))
    expect([readNodeByAcCode(state, 'hrb1'), readNodeByAcCode(state, 'none')]).toEqual([lower(addressOf(NODE(0))), undefined])
    for (let block = 0; block < 10; block++) {
      const { validators, pending } = readValidatorSchedule(state, Number(governance.clock.number) + 1)
      expect(validators).toEqual((await governance.read<Hex[]>('nodes', 'getValidators')).map(lower))
      const changes = await governance.read<{ height: bigint; validators: Hex[] }[]>('nodes', 'pendingChanges')
      expect(pending).toEqual(changes.map((change) => ({ height: Number(change.height), validators: change.validators.map(lower) })))
      governance.pass(1n)
    }
  })

  it('answer as the council does, of open, executed, cancelled and expired motions', async () => {
    const governance = await startGovernance({ seats: 5 })
    expectOk(await carry(governance, 'setThreshold', [8, 749], 4))
    const long = motionArguments('changeValidators', [[], nodesSorted(5), 9_999n])
    for (const [seat, bytes] of [[0, motionArguments('seat', [uscc(4)])], [3, long], [1, '0x'], [3, long]] as const) {
      expectOk(await governance.admin(seat, 'council', 'propose', [MOTIONS.changeValidators[0], bytes, 'ü'.repeat(40 * seat)]))
    }
    expectOk(await governance.admin(2, 'council', 'vote', [2n, false]))
    expectOk(await governance.admin(1, 'council', 'cancel', [3n]))
    for (const days of [0n, 8n]) {
      governance.pass(1n, days * 86_400n)
      const [state, time] = [stateOf(governance), Number(governance.clock.timestamp)]
      expect(readSeats(state)).toEqual((await governance.read<Hex[]>('council', 'seats')).map(codeOf))
      expect(readMotionCount(state)).toBe(Number(await governance.read<bigint>('council', 'motionCount')))
      const open = await governance.read<bigint[]>('council', 'openMotions', [0n, 256n])
      expect(readOpenMotions(state).filter(({ expiresAt }) => time < expiresAt).map(({ id }) => id)).toEqual(open.map(Number).sort())
      for (let id = 0; id < 5; id++) {
        const view = await governance.read<Record<string, unknown>>('council', 'motionOf', [BigInt(id)])
        const { kindNumber, status, seat, proposedAt, expiresAt, reason, approvals, rejections, needed, ballots } = readMotion(state, id, time)!
        expect(view).toMatchObject({
          kind: kindNumber, status: ['', 'open', 'executed', 'cancelled', 'expired'].indexOf(status), proposedAt: BigInt(proposedAt), expiresAt: BigInt(expiresAt),
          reason, approvals: BigInt(approvals), rejections: BigInt(rejections), needed: BigInt(needed), arguments: readMotionArguments(state, id),
        })
        expect(codeOf(view.seat as Hex)).toBe(seat)
        const votes = await governance.read<{ seat: Hex; approve: boolean }[]>('council', 'votesOf', [BigInt(id)])
        expect(ballots.map(({ counts: _counts, ...ballot }) => ballot)).toEqual(votes.map((vote) => ({ seat: codeOf(vote.seat), approve: vote.approve })))
      }
      for (const [number] of Object.values(MOTIONS)) {
        const permille = readThreshold(state, number)
        expect([number, permille, BigInt(neededVotes(5, permille))]).toEqual([
          number, await governance.read('council', 'thresholdOf', [number]), await governance.read('council', 'neededFor', [number]),
        ])
      }
      expect(readMotion(state, 5, time)).toBeUndefined()
    }
  })

  it('answer as the policy register does', async () => {
    const governance = await startGovernance()
    expectOk(await governance.govern('policy', 'setNewcomers', [35, 1n, 2n, 3n, 4n]))
    expectOk(await governance.govern('policy', 'setReadLevels', [BigInt(READ_LEVEL.public) | (1n << 6n) | (2n << 36n)]))
    expectOk(await governance.govern('policy', 'setParameters', [5, 6, 7, 8_000]))
    expectOk(await governance.govern('policy', 'scheduleProtocol', [2, START.number + 1_000n]))
    expect(readPolicy(stateOf(governance))).toMatchObject({
      newcomers: { roles: 35, gasPerDay: 1n, bytesPerDay: 2n, gasPerDayTotal: 3n, bytesPerDayTotal: 4n },
      readLevels: { eth: 'public', net: 'listed', txpool: 'members', credit: 'public' }, minValidators: 5, validatorNotice: 6, protocolNotice: 7, motionLifetime: 8_000,
      protocolChanges: [{ height: Number(START.number) + 1_000, version: 2 }], governor: '0x0000000000000000000000000000000000230004',
    })
    expect(Object.keys(readPolicy(stateOf(governance)).readLevels)).toEqual(Object.keys(DOOR))
  })
})
