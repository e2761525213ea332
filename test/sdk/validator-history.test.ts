import { describe, expect, it } from 'vitest'
import { findValidatorHistory } from '@songhua/sdk/chain/validator-history'
import { numberToBytes, padLeft, toAddress } from '@songhua/sdk/protocol/bytes'
import { verifyEvidence } from '@songhua/sdk/protocol/evidence'
import { assembleEvidence } from '@songhua/sdk/protocol/evidence-assembly'
import { envelopeLeaf } from '@songhua/sdk/protocol/evidence-envelope'
import { decodeExtraData, encodeExtraData } from '@songhua/sdk/protocol/extra-data'
import type { Header } from '@songhua/sdk/protocol/header'
import { failures } from '../protocol/evidence-support.js'
import type { Member } from '../protocol/support.js'
import { FIRST, SECOND, THIRD, batch, chainOf, receipts, trustIn } from './changing-chain.js'

/** What the verifier says of a bundle of block `before` with this history. */
function verdictOf(headers: Header[], before: number, history: Header[], checkpoints: number[] = []) {
  const bundle = assembleEvidence(
    {
      chain: { chainId: 230099, genesisHash: headers[1]!.parentHash },
      leaves: batch.map(({ envelope }) => envelopeLeaf(envelope)),
      block: { header: headers[before]!, receipts, transactionIndex: 2 },
      validatorHistory: history,
    },
    batch[1]!.envelope,
    1,
  )
  return verifyEvidence(bundle, { trustAnchor: trustIn({ headers }, ...checkpoints) })
}

const numbers = (history: readonly Header[]): number[] => history.map(({ number }) => number)

describe('the validator history', () => {
  it.each<[what: string, changes: Record<number, Member[]>, before: number, expected: number[]]>([
    ['of a set that never changed', {}, 40, []],
    ['of the first block', { 1: SECOND }, 1, []],
    ['of the block after a change', { 5: SECOND }, 6, [5]],
    ['of the block that changes the set: its own change does not count', { 5: SECOND }, 5, []],
    ['of a change in the first block', { 1: SECOND }, 40, [1]],
    ['of a change in the last block before', { 39: SECOND }, 40, [39]],
    ['of two changes', { 5: SECOND, 12: THIRD }, 40, [5, 12]],
    ['of two changes one after the other', { 12: SECOND, 13: THIRD }, 40, [12, 13]],
    ['of a set that changed and changed back', { 5: SECOND, 12: FIRST }, 40, []],
  ])('%s', async (_, changes, before, expected) => {
    const { headers, read } = chainOf(40, changes)
    const history = await findValidatorHistory(read, before)
    expect(numbers(history)).toEqual(expected)
    expect(failures(verdictOf(headers, before, history))).toEqual({})
  })

  it('verifies at every height of a chain whose set comes, goes and comes back', async () => {
    const { headers, read } = chainOf(40, { 3: SECOND, 9: FIRST, 10: THIRD, 22: SECOND, 30: THIRD, 31: FIRST })
    let known: Header[] = []
    for (let before = 1; before <= 40; before++) {
      const fresh = await findValidatorHistory(read, before)
      known = await findValidatorHistory(read, before, { known })
      expect([before, failures(verdictOf(headers, before, fresh))]).toEqual([before, {}])
      expect([before, failures(verdictOf(headers, before, known))]).toEqual([before, {}])
    }
  })

  it('leads through the sets of checkpoints, so that a bundle stands under them too', async () => {
    const { headers, read } = chainOf(40, { 5: SECOND, 12: FIRST })
    const short = await findValidatorHistory(read, 40)
    expect(failures(verdictOf(headers, 40, short, [8]))).toEqual({ seals: 'SEALS_RETIRED_SIGNER' })
    const through = await findValidatorHistory(read, 40, { through: [8] })
    expect(numbers(through)).toEqual([5, 12])
    for (const checkpoints of [[], [8], [8, 20], [3]]) {
      expect(failures(verdictOf(headers, 40, through, checkpoints))).toEqual({})
    }
  })

  it('leads on from a checkpoint, where its set had reigned before', async () => {
    const { headers, read } = chainOf(40, { 5: SECOND, 12: FIRST, 25: SECOND, 27: FIRST })
    const through = [8, 26]
    const history = await findValidatorHistory(read, 40, { through })
    expect(numbers(history)).toEqual([5, 27])
    for (const checkpoints of [[], [8], through]) expect(failures(verdictOf(headers, 40, history, checkpoints))).toEqual({})
  })

  it('reads two headers when nothing changed, one when that was known, and few for one change in many', async () => {
    const { reads, read } = chainOf(200, { 77: SECOND })
    await findValidatorHistory(read, 60)
    expect(reads).toEqual([0, 59])
    reads.length = 0
    const history = await findValidatorHistory(read, 200)
    expect(numbers(history)).toEqual([77])
    expect(reads.length).toBeLessThanOrEqual(2 + Math.ceil(Math.log2(200)))
    reads.length = 0
    expect(await findValidatorHistory(read, 150, { known: history })).toEqual(history)
    expect(reads).toEqual([149])
  })

  it('passes over what was known of later blocks', async () => {
    const { read } = chainOf(40, { 5: SECOND, 12: THIRD })
    const known = await findValidatorHistory(read, 40)
    expect(numbers(await findValidatorHistory(read, 9, { known }))).toEqual([5])
  })

  it('refuses another header than the one asked for', async () => {
    const { headers } = chainOf(10, {})
    const liar = (number: number): Promise<Header> => Promise.resolve(headers[Math.min(number, 4)]!)
    await expect(findValidatorHistory(liar, 9)).rejects.toMatchObject({ code: 'VALIDATOR_HISTORY_HEADER' })
  })

  it('stops at more changes than a bundle takes, however many a lying node makes up', async () => {
    const { headers } = chainOf(1, {})
    const { vanity } = decodeExtraData(headers[1]!.extraData)
    const listing = (number: number): Uint8Array => {
      const validators = [toAddress(padLeft(numberToBytes(number + 1), 20))]
      return encodeExtraData({ vanity, validators, round: 0, seals: [] })
    }
    const endless = (number: number): Promise<Header> =>
      Promise.resolve({ ...headers[0]!, number, extraData: listing(number) })
    await expect(findValidatorHistory(endless, 3002)).rejects.toMatchObject({ code: 'VALIDATOR_HISTORY_LENGTH' })
  })
})
