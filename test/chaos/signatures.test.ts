import { describe, expect, it } from 'vitest'
import type { SignatureEntry } from '@songhua/node/signer/signature-journal'
import { SignatureLedger } from './signatures.js'

const commit = (validator: string, digest: string, place: Partial<SignatureEntry> = {}): SignatureEntry => ({
  validator, height: 1, round: 0, kind: 'commit', digest, sealRound: place.round ?? 0, ...place,
})

function problemsOf(entries: readonly SignatureEntry[], top = 1): string[] {
  const ledger = new SignatureLedger(3)
  for (const entry of entries) ledger.add(entry)
  return ledger.close(top, () => 'A').problems
}

const decided = ['v1', 'v2', 'v3'].map((validator) => commit(validator, 'A'))

describe('the ledger of signatures', () => {
  it('takes a decided block, signed again in a later life', () => {
    expect(problemsOf([...decided, decided[0]!])).toEqual([])
  })

  it('finds two digests of one validator in one height, round and kind', () => {
    expect(problemsOf([...decided, commit('v1', 'B')])).toEqual(['EQUIVOCATION: v1 height 1 round 0 commit: A and B'])
    expect(problemsOf([...decided, commit('v1', 'B', { kind: 'prepare' }), commit('v1', 'B', { round: 1 })])).toEqual([])
  })

  it('tells a round change that names a certificate from one that names none', () => {
    const roundChange = (digest: string | null): SignatureEntry => ({ validator: 'v1', height: 1, round: 2, kind: 'roundChange', digest })
    expect(problemsOf([...decided, roundChange(null), roundChange('0:A')])).toEqual(['EQUIVOCATION: v1 height 1 round 2 roundChange: null and 0:A'])
  })

  it('finds a block without a quorum, and a quorum for a block that is not the chain’s', () => {
    expect(problemsOf(decided.slice(1))).toEqual(['block 1 has 2 signed Commits; a quorum is 3'])
    const others = ['v1', 'v2', 'v3'].map((validator) => commit(validator, 'B', { round: 1 }))
    expect(problemsOf([...decided, ...others])).toEqual(['FORK: 3 Commits at height 1 for B, which is not the chain’s'.replace('’', "'")])
  })

  it('finds a seal that is bound to another round', () => {
    expect(problemsOf([...decided, commit('v4', 'A', { sealRound: 1 })])).toEqual(['the seal of v4 height 1 round 0 commit is bound to round 1'])
  })
})
