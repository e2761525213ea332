import { describe, expect, it } from 'vitest'
import { RECORD_ANCHOR_ADDRESS } from '@songhua/contracts/addresses'
import { recordAnchor } from '@songhua/contracts/generated/RecordAnchor'
import { bytesToHex, utf8ToBytes } from '@songhua/sdk/protocol/bytes'
import { blockTimeMs } from '@songhua/sdk/protocol/block-hash'
import { installCrypto, keccak256Hex, signDigest } from '@songhua/sdk/protocol/crypto'
import { createEvidenceVerifier, verifyEvidence } from '@songhua/sdk/protocol/evidence'
import { EVIDENCE_CODES, EVIDENCE_MEANING, EVIDENCE_STEPS } from '@songhua/sdk/protocol/evidence-codes'
import { ISSUER_ALGORITHM, envelopeSigningDigest } from '@songhua/sdk/protocol/evidence-issuer'
import { ANCHOR_CONTRACT, ANCHOR_EVENT } from '@songhua/sdk/protocol/evidence-receipt'
import { parseTrustAnchor } from '@songhua/sdk/protocol/trust-anchor'
import { member } from './support.js'
import {
  ANCHOR_BLOCKS,
  ISSUER,
  SENDER,
  blockReceipts,
  bundleOfReceipts,
  codes,
  createEvidenceChain,
  failures,
  record,
  records,
} from './evidence-support.js'

const chain = createEvidenceChain()
const GOOD_WITHOUT_PAYLOAD = [
  'FORMAT_OK', 'PAYLOAD_NOT_GIVEN', 'LEAF_OK', 'INCLUSION_OK', 'RECEIPT_OK', 'HEADER_OK', 'CHAIN_OK', 'SEALS_OK',
  'VALIDATORS_OK', 'ISSUER_UNPROVEN',
]

describe('constants of the format', () => {
  it('are those of the contract', () => {
    expect(ANCHOR_CONTRACT).toBe(RECORD_ANCHOR_ADDRESS)
    const event = recordAnchor.abi.find((item) => item.type === 'event')!
    const signature = `${event.name}(${event.inputs.map(({ type }) => type).join()})`
    expect(ANCHOR_EVENT).toBe(keccak256Hex(utf8ToBytes(signature)))
    expect(event.inputs.map(({ name, indexed }) => [name, indexed])).toEqual([
      ['sender', true], ['batchId', true], ['root', true], ['size', false], ['family', false],
    ])
  })

  it('have a text in both languages for every code, and one good code for every step', () => {
    for (const [code, { en, zh }] of Object.entries(EVIDENCE_CODES)) {
      expect(en, code).toMatch(/^[A-Z]/)
      expect(zh, code).toMatch(/\p{Script=Han}/u)
    }
    const good = new Set(Object.values(EVIDENCE_CODES).flatMap(({ step, ok }) => (ok ? [step] : [])))
    expect([...good]).toEqual([...EVIDENCE_STEPS])
  })
})

describe('a bundle', () => {
  it.each(ANCHOR_BLOCKS)('of block %i is valid with the genesis alone, whatever set sealed it', (blockNumber) => {
    const verdict = verifyEvidence(chain.bundle(blockNumber), { trustAnchor: chain.trustAnchor() })
    expect(codes(verdict)).toEqual(GOOD_WITHOUT_PAYLOAD)
    expect(verdict.steps.map(({ step }) => step)).toEqual([...EVIDENCE_STEPS])
    expect(verdict).toMatchObject({ valid: true, facts: { block: { number: blockNumber } } })
  })

  it('proves every leaf of trees of any shape, in the text of its file', () => {
    const verifier = createEvidenceVerifier(parseTrustAnchor(JSON.stringify(chain.trustAnchor())))
    for (const size of [5, 6, 7, 8, 9, 13]) {
      const batch = records(size)
      const whole = createEvidenceChain(batch)
      batch.forEach(({ payload, salt }, at) => {
        const verdict = verifier.verify(JSON.stringify(whole.bundle(8, at)), { payload, salt })
        expect(failures(verdict), `leaf ${at} of ${size}`).toEqual({})
        expect(verdict.facts?.batch).toMatchObject({ size, leafIndex: at })
      })
    }
  })

  it('of one record alone has an empty path', () => {
    const single = createEvidenceChain(records(1)).bundle(3, 0)
    expect(single.inclusion).toEqual({ treeSize: 1, leafIndex: 0, path: [] })
    expect(verifyEvidence(single, { trustAnchor: chain.trustAnchor() }).valid).toBe(true)
  })

  it('tells what it proves, and what it does not', () => {
    const { payload, salt } = chain.batch[4]!
    const bundle = { ...chain.bundle(8), timestampTokens: ['MIIC'], status: {} }
    const verdict = verifyEvidence(bundle, { payload, salt, trustAnchor: chain.trustAnchor() })
    expect(verdict.facts).toMatchObject({
      proves: 'existence',
      inForce: 'unproven',
      meaning: EVIDENCE_MEANING,
      recordId: chain.batch[4]!.envelope.id,
      family: 'government',
      schema: { id: 'government.licence', version: '1.0.0' },
      issuer: { name: ISSUER, standing: 'unproven' },
      payload: 'verified',
      batch: { size: 7, leafIndex: 4, sender: SENDER },
      chainId: 230099,
      genesisHash: chain.hashes[0],
      block: {
        number: 8,
        hash: chain.hashes[8],
        timeMs: blockTimeMs(chain.headers[8]!),
        transactionIndex: 2,
        logIndex: 1,
      },
      horizon: { proof: 'validators', fromHeight: 0, sealedHeight: 8 },
      unchecked: ['timestampTokens', 'status'],
    })
  })

  it('with its payload is valid to the byte', () => {
    const { payload, salt } = chain.batch[4]!
    const verdict = verifyEvidence(chain.bundle(8), { payload, salt, trustAnchor: chain.trustAnchor() })
    expect(codes(verdict)[1]).toBe('PAYLOAD_OK')
    expect(verdict.facts?.payload).toBe('verified')
  })
})

describe('a checkpoint', () => {
  it('at the very block vouches for it', () => {
    const verdict = verifyEvidence(chain.bundle(8), { trustAnchor: chain.trustAnchor(8) })
    expect(codes(verdict).slice(7, 9)).toEqual(['SEALS_BY_CHECKPOINT', 'VALIDATORS_BY_CHECKPOINT'])
    expect(verdict.facts?.horizon).toEqual({ proof: 'checkpoint', height: 8 })
  })

  it.each([4, 5, 6, 12, 14])('at block %i is where the validators start, whatever the bundle starts from', (height) => {
    const verdict = verifyEvidence(chain.bundle(15), { trustAnchor: chain.trustAnchor(height) })
    expect(failures(verdict)).toEqual({})
    expect(verdict.facts?.horizon).toEqual({ proof: 'validators', fromHeight: height, sealedHeight: 15 })
  })

  it('spares the bundle the changes before it', () => {
    const bundle = chain.bundle(15)
    const short = { ...bundle, validatorHistory: bundle.validatorHistory.slice(1) }
    expect(verifyEvidence(short, { trustAnchor: chain.trustAnchor(6) }).valid).toBe(true)
    expect(verifyEvidence(short, { trustAnchor: chain.trustAnchor() }).valid).toBe(false)
  })
})

describe('an issuer', () => {
  const key = member('issuer')
  const unsigned = record(4).envelope
  const proofBy = (name: string, envelope = unsigned): object => {
    const signature = signDigest(envelopeSigningDigest(envelope), member(name).privateKey)
    return { algorithm: ISSUER_ALGORITHM, keyId: 'key-1', value: bytesToHex(signature).slice(2) }
  }
  const batchOf = (proof: unknown[]): ReturnType<typeof records> => {
    const batch = records(7)
    batch[4] = record(4, { proof })
    return batch
  }
  const verdictOf = (proof: unknown[], issuers: Parameters<typeof verifyEvidence>[1]['issuers'] = {}) => {
    const batch = batchOf(proof)
    return verifyEvidence(bundleOfReceipts(batch, blockReceipts(batch)), { trustAnchor: chain.trustAnchor(), issuers })
  }
  const signed = [proofBy('issuer')]
  const zeros = { algorithm: ISSUER_ALGORITHM, keyId: 'key-1', value: '00'.repeat(65) }

  it('has signed, when a key known to be its own did', () => {
    const verdict = verdictOf(signed, { [ISSUER]: { signers: [key.address] } })
    expect(codes(verdict)).toEqual([...GOOD_WITHOUT_PAYLOAD.slice(0, -1), 'ISSUER_SIGNED'])
    expect(verdict.facts?.issuer).toEqual({ name: ISSUER, standing: 'signed' })
  })

  it('is the organisation, when its account anchored an unsigned record', () => {
    const verdict = verdictOf([], { [ISSUER]: { accounts: [SENDER] } })
    expect(codes(verdict).at(-1)).toBe('ISSUER_ORGANISATION')
  })

  it.each<[string, unknown[]]>([
    ['nothing is signed', []],
    ['the keys are not known', signed],
    ['the algorithm is not known', [{ algorithm: 'sm2-sm3', keyId: 'key-1', value: 'x' }]],
  ])('is unproven, and said to be, when %s', (_, proof) => {
    const verdict = verdictOf(proof)
    expect(verdict.valid).toBe(true)
    expect(codes(verdict).at(-1)).toBe('ISSUER_UNPROVEN')
    expect(verdict.facts?.issuer.standing).toBe('unproven')
  })

  it.each<[string, string, unknown[]]>([
    ['another’s signature', 'ISSUER_SIGNATURE', [proofBy('somebody')]],
    ['a signature over another envelope', 'ISSUER_SIGNATURE', [proofBy('issuer', record(5).envelope)]],
    ['a good signature and a bad one', 'ISSUER_SIGNATURE', [...signed, zeros]],
    ['a signature too short', 'ISSUER_PROOF', [{ algorithm: ISSUER_ALGORITHM, value: '00' }]],
    ['a signature in a list', 'ISSUER_PROOF', [{ algorithm: ISSUER_ALGORITHM, value: ['00'.repeat(65)] }]],
    ['a proof without algorithm', 'ISSUER_PROOF', [null]],
    ['nine proofs', 'ISSUER_PROOF', Array.from({ length: 9 }, () => ({ algorithm: 'x' }))],
  ])('refuses %s', (_, code, proof) => {
    const verdict = verdictOf(proof, { [ISSUER]: { signers: [key.address], accounts: [SENDER] } })
    expect(failures(verdict)).toEqual({ issuer: code })
  })
})

describe('a verifier', () => {
  it('checks the seals of a block once', () => {
    const seen = createEvidenceVerifier(parseTrustAnchor(chain.trustAnchor()))
    expect(seen.verify(chain.bundle(15, 0)).valid).toBe(true)
    installCrypto({ recoverPublicKey: () => expect.fail('a seal was recovered again') })
    try {
      expect(seen.verify(chain.bundle(15, 1)).valid).toBe(true)
      expect(verifyEvidence(chain.bundle(15, 1), { trustAnchor: chain.trustAnchor() }).valid).toBe(false)
    } finally {
      installCrypto({})
    }
  })

  it('gives the same verdict with a full cache, and remembers no more than it may', () => {
    const verifier = createEvidenceVerifier(parseTrustAnchor(chain.trustAnchor()), { maxCachedHeaders: 1 })
    const [first, second, third] = ANCHOR_BLOCKS.map((number) => chain.bundle(number))
    const forged = { ...third!, validatorHistory: [third!.validatorHistory[1]!] }
    const verdicts = [first, second, third, forged, third, second].map((bundle) => verifier.verify(bundle).valid)
    expect(verdicts).toEqual([true, true, true, false, true, true])
  })

  it('is not fooled by a header that it has seen sealed', () => {
    const verifier = createEvidenceVerifier(parseTrustAnchor(chain.trustAnchor()))
    const bundle = chain.bundle(15)
    expect(verifier.verify(bundle).valid).toBe(true)
    expect(failures(verifier.verify({ ...bundle, validatorHistory: [] }))).toEqual({ seals: 'SEALS_UNKNOWN_SIGNER' })
  })
})
