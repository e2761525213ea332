import { describe, expect, it } from 'vitest'
import { createChainProver, type ChainProver } from '@songhua/sdk/chain/chain-prover'
import type { ChainReader } from '@songhua/sdk/chain/chain-reader'
import { proofTargetOf } from '@songhua/sdk/connection/proved-under'
import { blockHash } from '@songhua/sdk/protocol/block-hash'
import { envelopeLeaf } from '@songhua/sdk/protocol/evidence-envelope'
import type { EvidenceBundle } from '@songhua/sdk/protocol/evidence-format'
import { type Checkpoint, checkpointOf, parseTrustAnchor } from '@songhua/sdk/protocol/trust-anchor'
import { verifyEvidence } from '@songhua/sdk/verify'
import { failures } from '../protocol/evidence-support.js'
import { FIRST, SECOND, type ChangingChain, batch, chainOf, readerOf, set, trustIn } from './changing-chain.js'

const HEIGHT = 40
/** The validators of the genesis went away at block 5, all of them. */
const truth = chainOf(HEIGHT, { 5: set('e', 'f', 'g', 'h'), 30: set('f', 'g', 'h', 'i') })
/** By whoever holds their keys: as if nothing had changed, and with the truth up to a height. */
const lie = chainOf(HEIGHT, {})
const PINNED = [10, 20]

const proverOf = (reader: ChainReader, chain: ChangingChain, ...pinned: number[]): ChainProver =>
  createChainProver(reader, parseTrustAnchor(trustIn(chain, ...pinned)))
const checkpointsAt = (...heights: number[]): Checkpoint[] => heights.map((height) => checkpointOf(truth.headers[height]!))

describe('checkpoints of a chain', () => {
  it('are given where the pinned ones, or the genesis, lead to them', async () => {
    for (const pinned of [[], PINNED, [5], [HEIGHT]]) {
      const prover = proverOf(readerOf(truth), truth, ...pinned)
      const heights = [1, 5, 6, 10, 15, 20, 21, 30, 31, HEIGHT]
      expect(await Promise.all(heights.map((height) => prover.checkpoint(height)))).toEqual(checkpointsAt(...heights))
    }
  })

  const honest = readerOf(truth)
  const retired = readerOf(lie)
  it.each<[what: string, reader: ChainReader]>([
    ['retired keys', retired],
    ['retired keys, but for the pinned blocks', {
      ...retired, header: (number) => (PINNED.includes(number) ? honest : retired).header(number),
    }],
    ['retired keys, but for all that leads there', {
      ...honest, header: (number) => (PINNED.includes(number) || number === 0 || number === 30 ? honest : retired).header(number),
    }],
  ])('are not given to %s under a pinned trust anchor', async (what, reader) => {
    const prover = proverOf(reader, truth, ...PINNED)
    const pinned = what === 'retired keys' ? PINNED : []
    // Up to block 4 the lie is the truth.
    for (const height of [...pinned, 5, 9, 15, 25, 35, HEIGHT]) {
      const given = await prover.checkpoint(height).then(({ hash }) => `${height}: ${hash}`, (error: unknown) => error)
      expect(given, String(given)).toMatchObject({ code: 'EVIDENCE_INVALID' })
    }
  })

  it('are not given for a block whose path leads to another', async () => {
    const reader = { ...honest, historyPath: (claim: { number: number; size: number }) => honest.historyPath({ ...claim, number: claim.number - 1 }) }
    await expect(proverOf(reader, truth, ...PINNED).checkpoint(15)).rejects.toMatchObject({ code: 'EVIDENCE_INVALID', details: { codes: ['TREE_ROOT_MISMATCH'] } })
    expect(blockHash(lie.headers[15]!)).not.toBe(blockHash(truth.headers[15]!))
  })
})

describe('evidence of a set that changed and changed back', () => {
  const chain = chainOf(HEIGHT, { 5: SECOND, 12: FIRST, 25: SECOND, 27: FIRST })
  const reader = readerOf(chain)

  async function bundleAt(blockNumber: number, ...pinned: number[]): Promise<EvidenceBundle> {
    const leaves = batch.map(({ envelope }) => envelopeLeaf(envelope))
    const place = { blockNumber, transactionIndex: 2, status: 1 }
    const cut = await proverOf(reader, chain, ...pinned).prove({ leaves, firstEnvelope: batch[0]!.envelope, place })
    return cut(batch[1]!.envelope, 1)
  }

  it.each([[[8]], [[8, 26]], [[6, 20]], [[26]]])('stands under checkpoints in between at %j after a refresh', async (checkpoints) => {
    const evidence = await bundleAt(30)
    expect(evidence.validatorHistory).toEqual([])
    const trustAnchor = trustIn(chain, ...checkpoints)
    const target = proofTargetOf(parseTrustAnchor(trustAnchor))
    const prover = proverOf(reader, chain)
    const refreshed = await prover.refresh(evidence, target)
    expect(failures(verifyEvidence(refreshed, { trustAnchor }))).toEqual({})
    expect(failures(verifyEvidence(refreshed, { trustAnchor: trustIn(chain) }))).toEqual({})
    const led = await prover.refresh(evidence, 35)
    expect(failures(verifyEvidence(await prover.refresh(led, target), { trustAnchor }))).toEqual({})
  })

  it('fails under such a checkpoint before, and is left as it is where it stands', async () => {
    const evidence = await bundleAt(30)
    expect(failures(verifyEvidence(evidence, { trustAnchor: trustIn(chain, 8) }))).toEqual({ seals: 'SEALS_RETIRED_SIGNER' })
    const target = proofTargetOf(parseTrustAnchor(trustIn(chain, 20)))
    expect(await proverOf(reader, chain).refresh(evidence, target)).toBe(evidence)
  })

  it('is not read anew when something else is wrong', async () => {
    const evidence = await bundleAt(30)
    chain.reads.length = 0
    const other = { ...evidence, chain: { ...evidence.chain, chainId: 7 } }
    const target = proofTargetOf(parseTrustAnchor(trustIn(chain, 8)))
    await expect(proverOf(reader, chain).refresh(other, target)).rejects.toMatchObject({ details: { codes: ['CHAIN_ID'] } })
    expect(chain.reads).toEqual([])
  })
})
