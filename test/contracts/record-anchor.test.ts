import { RECORD_ANCHOR_ADDRESS, genesisContracts } from '@songhua/contracts/addresses'
import { recordAnchor } from '@songhua/contracts/generated/RecordAnchor'
import { type Address, type Hex, encodeAbiParameters, getAddress, keccak256, pad, toEventSelector, toHex } from 'viem'
import { beforeEach, describe, expect, it } from 'vitest'
import { anyGovernance } from '../support/governance.js'
import { callsOf, createContractChain, revertOf } from './chain.js'

const ALICE: Address = getAddress(`0x${'a1'.repeat(20)}`)
const BOB: Address = getAddress(`0x${'b0'.repeat(20)}`)
const BATCH = keccak256(toHex('batch'))
const ROOT = keccak256(toHex('root'))
const MAX_SIZE = 2n ** 64n - 1n
const { abi } = recordAnchor

const callOf = callsOf(abi, RECORD_ANCHOR_ADDRESS)
const anchor = (from: Address, batchId: Hex, root: Hex, size: bigint, family: number) =>
  callOf(from, 'anchor', [batchId, root, size, family])

describe('RecordAnchor', () => {
  let chain: Awaited<ReturnType<typeof createContractChain>>
  beforeEach(async () => {
    chain = await createContractChain(genesisContracts({ governance: anyGovernance() }))
  })
  const isAnchored = async (...args: unknown[]): Promise<boolean> =>
    BigInt((await chain.call(callOf(ALICE, 'isAnchored', args))).data) === 1n

  it('commits to root, size, family and sender, and says so in one provable log', async () => {
    const result = await chain.call(anchor(ALICE, BATCH, ROOT, 3n, 2))
    expect(result.ok).toBe(true)
    expect(result.logs).toEqual([{
      address: RECORD_ANCHOR_ADDRESS,
      topics: [
        toEventSelector('RecordsAnchored(address,bytes32,bytes32,uint64,uint8)'), pad(ALICE).toLowerCase(), BATCH, ROOT,
      ],
      data: encodeAbiParameters([{ type: 'uint64' }, { type: 'uint8' }], [3n, 2]),
    }])
    const { data } = await chain.call(callOf(BOB, 'anchorOf', [ALICE, BATCH]))
    expect(data).toBe(keccak256(encodeAbiParameters(
      [{ type: 'bytes32' }, { type: 'uint64' }, { type: 'uint8' }, { type: 'address' }], [ROOT, 3n, 2, ALICE],
    )))
  })

  it('answers isAnchored for exactly what was anchored', async () => {
    await chain.call(anchor(ALICE, BATCH, ROOT, 3n, 2))
    expect(await isAnchored(ALICE, BATCH, ROOT, 3n, 2)).toBe(true)
    expect(await isAnchored(BOB, BATCH, ROOT, 3n, 2)).toBe(false)
    expect(await isAnchored(ALICE, ROOT, ROOT, 3n, 2)).toBe(false)
    expect(await isAnchored(ALICE, BATCH, BATCH, 3n, 2)).toBe(false)
    expect(await isAnchored(ALICE, BATCH, ROOT, 4n, 2)).toBe(false)
    expect(await isAnchored(ALICE, BATCH, ROOT, 3n, 1)).toBe(false)
  })

  it('keeps the first anchor of a batch id, and leaves other senders theirs', async () => {
    await chain.call(anchor(ALICE, BATCH, ROOT, 3n, 2))
    for (const root of [ROOT, BATCH]) {
      const again = await chain.call(anchor(ALICE, BATCH, root, 3n, 2))
      expect(revertOf(abi, again)).toBe(`RecordAnchorBatchExists(${ALICE}, ${BATCH})`)
      expect(again.logs).toEqual([])
    }
    expect(await isAnchored(ALICE, BATCH, ROOT, 3n, 2)).toBe(true)
    expect((await chain.call(anchor(BOB, BATCH, ROOT, 3n, 2))).ok).toBe(true)
  })

  it('accepts the ends of the ranges', async () => {
    expect((await chain.call(anchor(ALICE, BATCH, ROOT, MAX_SIZE, 1))).ok).toBe(true)
    expect((await chain.call(anchor(ALICE, pad('0x'), ROOT, 1n, 3))).ok).toBe(true)
  })

  it.each([
    ['a zero root', anchor(ALICE, BATCH, pad('0x'), 1n, 1), `RecordAnchorZeroRoot(${BATCH})`],
    ['an empty batch', anchor(ALICE, BATCH, ROOT, 0n, 1), `RecordAnchorEmptyBatch(${BATCH})`],
    ['family 0', anchor(ALICE, BATCH, ROOT, 1n, 0), 'RecordAnchorUnknownFamily(0)'],
    ['family 4', anchor(ALICE, BATCH, ROOT, 1n, 4), 'RecordAnchorUnknownFamily(4)'],
    ['family 255', anchor(ALICE, BATCH, ROOT, 1n, 255), 'RecordAnchorUnknownFamily(255)'],
  ])('refuses %s', async (_what, call, reason) => {
    expect(revertOf(abi, await chain.call(call))).toBe(reason)
    expect(BigInt((await chain.call(callOf(ALICE, 'anchorOf', [ALICE, BATCH]))).data)).toBe(0n)
  })

  it('costs at most 48 000 gas a batch', async () => {
    const { gas } = await chain.call(anchor(ALICE, BATCH, ROOT, MAX_SIZE, 3))
    expect(gas).toBeLessThanOrEqual(48_000n)
  })
})
