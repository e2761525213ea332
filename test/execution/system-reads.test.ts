import { describe, expect, it } from 'vitest'
import { JournaledState } from '@songhua/node/execution/journaled-state'
import { readNodes, readValidators } from '@songhua/node/execution/system-reads'
import { type Address, bytesToHex, concatBytes, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { privateKeyToPublicKey } from '@songhua/sdk/protocol/crypto'
import { BLOCK, MEMBERSHIP, assemble, createState, sharedEvm, slotOf } from './world.js'

const word = (value: bigint | number): Uint8Array => hexToBytes(slotOf(BigInt(value)))
const member = (index: number): Address => `0x${index.toString(16).padStart(40, '0')}`

/** A contract that answers every call with these bytes. */
function answering(answer: Uint8Array): Uint8Array {
  const size = answer.length
  const prelude = (at: number): Uint8Array => assemble(`${size} ${at} 0 CODECOPY ${size} 0 RETURN`)
  return concatBytes(prelude(prelude(100).length), answer)
}

async function validatorsOf(code: Uint8Array): Promise<Awaited<ReturnType<typeof readValidators>>> {
  const state = new JournaledState(createState({ [MEMBERSHIP]: { nonce: 1n, code } }))
  return readValidators(state, { evm: await sharedEvm(), block: BLOCK, membershipContract: MEMBERSHIP })
}

async function nodesOf(code: Uint8Array): Promise<Awaited<ReturnType<typeof readNodes>>> {
  const state = new JournaledState(createState({ [MEMBERSHIP]: { nonce: 1n, code } }))
  return readNodes(state, { evm: await sharedEvm(), block: BLOCK, membershipContract: MEMBERSHIP })
}

const list = (...addresses: (Address | bigint)[]): Uint8Array =>
  concatBytes(word(32), word(addresses.length), ...addresses.map((address) => word(BigInt(address))))

describe('readValidators', () => {
  it('sorts', async () => {
    expect(await validatorsOf(answering(list(member(3), member(1), member(2))))).toEqual({ validators: [1, 2, 3].map(member) })
  })

  it('takes 64', async () => {
    const members = Array.from({ length: 64 }, (_, index) => member(index + 1))
    expect(await validatorsOf(answering(list(...members)))).toEqual({ validators: members })
  })

  it.each([
    ['no contract', new Uint8Array(0), 'MEMBERSHIP_ANSWER_MALFORMED'],
    ['a revert', assemble('0 0 REVERT'), 'MEMBERSHIP_READ_FAILED'],
    ['a loop', assemble('JUMPDEST 0 JUMP'), 'MEMBERSHIP_READ_FAILED'],
    ['an empty set', answering(list()), 'MEMBERSHIP_VALIDATORS'],
    ['a duplicate', answering(list(member(1), member(2), member(1))), 'MEMBERSHIP_VALIDATORS'],
    ['the zero address', answering(list(0n, member(1))), 'MEMBERSHIP_VALIDATORS'],
    ['65 members', answering(list(...Array.from({ length: 65 }, (_, index) => member(index + 1)))), 'MEMBERSHIP_ANSWER_MALFORMED'],
    ['more than an address', answering(list(1n << 160n)), 'MEMBERSHIP_ANSWER_MALFORMED'],
    ['a cut list', answering(list(member(1), member(2)).subarray(0, 100)), 'MEMBERSHIP_ANSWER_MALFORMED'],
    ['an absurd offset', answering(concatBytes(word(2n ** 255n), word(1))), 'MEMBERSHIP_ANSWER_MALFORMED'],
    ['an absurd length', answering(concatBytes(word(32), word(2n ** 200n))), 'MEMBERSHIP_ANSWER_MALFORMED'],
  ])('%s gives a reason', async (_name, code, expected) => {
    expect(await validatorsOf(code)).toMatchObject({ code: expected, message: expect.stringMatching(/./) as string })
  })

  it('leaves no trace in the state', async () => {
    const writing = concatBytes(assemble('1 1 SSTORE'), assemble('0 0 REVERT'))
    const state = new JournaledState(createState({ [MEMBERSHIP]: { nonce: 1n, code: writing } }))
    const context = { evm: await sharedEvm(), block: BLOCK, membershipContract: MEMBERSHIP }
    await readValidators(state, context)
    const quiet = new JournaledState(createState({ [MEMBERSHIP]: { nonce: 1n, code: assemble('1 1 SSTORE STOP') } }))
    await readValidators(quiet, context)
    expect([state.diff().accounts.size, quiet.diff().accounts.size]).toEqual([0, 0])
  })
})

describe('readNodes', () => {
  const keys = [1, 2].map((index) => privateKeyToPublicKey(new Uint8Array(32).fill(index)))
  const element = (key: Uint8Array): Uint8Array => concatBytes(word(key.length), key, new Uint8Array((64 - key.length) % 32))
  const nodes = (items: Uint8Array[]): Uint8Array => {
    const tails = items.map(element)
    let offset = 32 * items.length
    const heads = tails.map((tail) => {
      const at = offset
      offset += tail.length
      return word(at)
    })
    return concatBytes(word(32), word(items.length), ...heads, ...tails)
  }

  it('gives compressed keys, and none for none', async () => {
    const answer = await nodesOf(answering(nodes(keys)))
    expect('nodes' in answer && answer.nodes.map(bytesToHex)).toEqual(keys.map(bytesToHex))
    expect(await nodesOf(answering(nodes([])))).toEqual({ nodes: [] })
  })

  it('names a key that is none', async () => {
    const bad = Uint8Array.from(keys[1]!, (byte, index) => (index === 0 ? 4 : byte))
    expect(await nodesOf(answering(nodes([keys[0]!, bad])))).toMatchObject({ code: 'MEMBERSHIP_NODES', message: expect.stringContaining('node 1') as string })
    expect(await nodesOf(answering(nodes([keys[0]!.subarray(0, 32)])))).toMatchObject({ code: 'MEMBERSHIP_NODES' })
  })

  it('refuses offsets that lead out of the answer', async () => {
    const cut = nodes(keys).subarray(0, 200)
    expect(await nodesOf(answering(cut))).toMatchObject({ code: 'MEMBERSHIP_ANSWER_MALFORMED' })
  })
})
