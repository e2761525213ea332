import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { type Hash, type Hex, bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@songhua/sdk/protocol/bytes'
import { commitSealDigest, headerWithRound, headerWithSeals } from '@songhua/sdk/protocol/block-hash'
import { keccak256Hex, sha256, signDigest } from '@songhua/sdk/protocol/crypto'
import { createEvidenceVerifier, verifyEvidence } from '@songhua/sdk/protocol/evidence'
import { EVIDENCE_CODES, type EvidenceCode } from '@songhua/sdk/protocol/evidence-codes'
import { refreshEvidence } from '@songhua/sdk/protocol/evidence-assembly'
import type { EvidenceBundle } from '@songhua/sdk/protocol/evidence-format'
import { type ExtraData, decodeExtraData, encodeExtraData, vanityOf } from '@songhua/sdk/protocol/extra-data'
import { type Header, decodeHeader } from '@songhua/sdk/protocol/header'
import { leafHash } from '@songhua/sdk/protocol/merkle-tree'
import { orderedTrieProof, orderedTrieRoot } from '@songhua/sdk/protocol/ordered-trie'
import { type Receipt, encodeReceipt } from '@songhua/sdk/protocol/receipt'
import { parseTrustAnchor } from '@songhua/sdk/protocol/trust-anchor'
import { MEMBERS, createTestChain, member, sealedBy } from './support.js'
import {
  OTHER_CONTRACT,
  THIRD_SET,
  anchorLog,
  blockReceipts,
  bundleOfReceipts,
  codes,
  createEvidenceChain,
  failures,
  flipped,
  headerHex,
  otherLog,
  receiptOf,
  receiptProofOf,
  record,
  rootOf,
  sealByQuorum,
  setOf,
} from './evidence-support.js'

const chain = createEvidenceChain()
const trustAnchor = chain.trustAnchor()
const good = chain.bundle(15)
const verifier = createEvidenceVerifier(parseTrustAnchor(trustAnchor))
const failuresOf = (bundle: unknown, checkpoints: number[] = []): Record<string, string> =>
  failures(verifyEvidence(bundle, { trustAnchor: chain.trustAnchor(...checkpoints) }))

type Expected = EvidenceCode | EvidenceCode[]
type Case = [what: string, expected: Expected, bundle: () => EvidenceBundle]

/** The steps that fail with these codes; no other may. */
function failuresWith(expected: Expected): Record<string, string> {
  return Object.fromEntries([expected].flat().map((code) => [EVIDENCE_CODES[code].step, code]))
}

const refuses = (cases: Case[]): void => {
  it.each(cases)('%s', (_, expected, bundle) => {
    const verdict = verifier.verify(bundle())
    expect(failures(verdict)).toEqual(failuresWith(expected))
    expect(verdict).toMatchObject({ valid: false, facts: undefined })
  })
}

describe('inclusion refuses', () => {
  const { path } = good.inclusion
  const withInclusion = (changes: Partial<EvidenceBundle['inclusion']>): EvidenceBundle => ({
    ...good,
    inclusion: { ...good.inclusion, ...changes },
  })
  const root: EvidenceCode = 'INCLUSION_ROOT'
  const sizeLie: EvidenceCode = 'RECEIPT_SIZE'
  const nodes = path.map((node) => hexToBytes(node))
  refuses([
    ['a truncated path', 'INCLUSION_PATH_SHORT', () => withInclusion({ path: path.slice(0, -1) })],
    ['no path', 'INCLUSION_PATH_SHORT', () => withInclusion({ path: [] })],
    ['a path lengthened at its end', 'INCLUSION_PATH_LONG', () => withInclusion({ path: [...path, path[0]!] })],
    ['a path lengthened at its start', 'INCLUSION_PATH_LONG', () => withInclusion({ path: [path[0]!, ...path] })],
    ['a reordered path', root, () => withInclusion({ path: [path[1]!, path[0]!, path[2]!] })],
    ['a sibling off by a bit', root, () => withInclusion({ path: [flipped(path[0]!, 0), path[1]!, path[2]!] })],
    ['a sibling swapped for the leaf’s own hash', root, () =>
      withInclusion({ path: [leafOf(good), path[1]!, path[2]!] }),
    ],
    ['the neighbour’s index', root, () => withInclusion({ leafIndex: 5 })],
    ['the index of another subtree', root, () => withInclusion({ leafIndex: 0 })],
    ['an index with a shorter path', 'INCLUSION_PATH_LONG', () => withInclusion({ leafIndex: 6 })],
    ['an index outside the tree', 'INCLUSION_INDEX', () => withInclusion({ leafIndex: 7 })],
    ['a larger tree, its path as long', sizeLie, () => withInclusion({ treeSize: 8 })],
    ['a smaller tree', [sizeLie, 'INCLUSION_PATH_LONG'], () => withInclusion({ treeSize: 5 })],
    ['a tree of none', [sizeLie, 'INCLUSION_INDEX'], () => withInclusion({ treeSize: 0 })],
    ['the level above the leaves (second pre-image)', sizeLie, () =>
      withInclusion({ treeSize: 4, leafIndex: 2, path: path.slice(1) }),
    ],
    ['the level above the leaves, anchored as a tree of four', root, () => {
      const receipts = blockReceipts(chain.batch)
      receipts[2] = receiptOf([otherLog, anchorLog(rootOf(chain.batch), 4)])
      const bundle = bundleOfReceipts(chain.batch, receipts)
      return { ...bundle, inclusion: { treeSize: 4, leafIndex: 2, path: path.slice(1) } }
    }],
    ['another record of the issuer', root, () => ({ ...good, envelope: record(5).envelope })],
    ['an envelope with a field more', root, () => ({ ...good, envelope: { ...good.envelope, note: '' } })],
  ])

  it('an inner node as a leaf has another hash: RFC 9162 puts 0 before leaves, 1 before nodes', () => {
    const leaf = hexToBytes(leafOf(good))
    const asNode = sha256(concatBytes(Uint8Array.of(1), leaf, nodes[0]!))
    expect(bytesToHex(leafHash(concatBytes(leaf, nodes[0]!)))).not.toBe(bytesToHex(asNode))
  })
})

function leafOf(bundle: EvidenceBundle): Hash {
  return verifier.verify(bundle).facts!.leafHash
}

describe('the leaf refuses', () => {
  const withEnvelope = (changes: object): EvidenceBundle => ({ ...good, envelope: { ...good.envelope, ...changes } })
  const expected: EvidenceCode = 'LEAF_ENVELOPE'
  refuses([
    ['an envelope of another family', expected, () => withEnvelope({ family: 'medical' })],
    ['an envelope of a family that every object has', expected, () => withEnvelope({ family: 'toString' })],
    ['an envelope without digests', expected, () => withEnvelope({ payloadDigests: {} })],
    ['upper-case digests', expected, () =>
      withEnvelope({ payloadDigests: { sha256: 'AB'.repeat(32), sm3: 'ab'.repeat(32) } }),
    ],
    ['an issuer that is no text', expected, () => withEnvelope({ issuer: 7 })],
    ['a name without end', expected, () => withEnvelope({ id: 'x'.repeat(513) })],
    ['a proof that is no list', expected, () => withEnvelope({ proof: {} })],
    ['an envelope of 100 kB', 'LEAF_TOO_LARGE', () => withEnvelope({ note: 'x'.repeat(100_000) })],
  ])
})

describe('the payload refuses', () => {
  const { payload, salt } = chain.batch[4]!
  const off = (bytes: Uint8Array, at: number): Uint8Array => hexToBytes(flipped(bytesToHex(bytes), at))
  it.each<[string, string, object]>([
    ['a payload off by a byte', 'PAYLOAD_SHA256', { payload: off(payload, 3), salt }],
    ['a payload a byte short', 'PAYLOAD_SHA256', { payload: payload.slice(1), salt }],
    ['a salt off by a byte', 'PAYLOAD_SHA256', { payload, salt: off(salt, 31) }],
    ['a byte moved from payload to salt', 'PAYLOAD_SALT_LENGTH', {
      payload: payload.slice(1),
      salt: concatBytes(salt, payload.slice(0, 1)),
    }],
    ['a salt a byte short', 'PAYLOAD_SALT_LENGTH', { payload, salt: salt.slice(1) }],
    ['no salt', 'PAYLOAD_SALT_MISSING', { payload }],
    ['a salt alone', 'PAYLOAD_MISSING', { salt }],
    ['a payload as text', 'PAYLOAD_TYPE', { payload: 'text', salt }],
    ['null', 'PAYLOAD_TYPE', { payload: null, salt }],
  ])('%s', (_, code, input) => {
    expect(failures(verifier.verify(good, input))).toEqual({ payload: code })
  })

  it('a lying SM3 digest beside the right SHA-256 one', () => {
    const batch = [...chain.batch]
    const digests = batch[4]!.envelope.payloadDigests as object
    const payloadDigests = { ...digests, sm3: '00'.repeat(32) }
    batch[4] = { ...batch[4]!, envelope: { ...batch[4]!.envelope, payloadDigests } }
    const verdict = verifier.verify(bundleOfReceipts(batch, blockReceipts(batch)), { payload, salt })
    expect(failures(verdict)).toEqual({ payload: 'PAYLOAD_SM3' })
  })
})

describe('the receipt refuses', () => {
  const { batch } = chain
  const root = rootOf(batch)
  const log = anchorLog(root, 7)
  const withReceipt = (receipt: Receipt): EvidenceBundle => {
    const receipts = blockReceipts(batch)
    receipts[2] = receipt
    return bundleOfReceipts(batch, receipts)
  }
  const withLog = (changes: Partial<typeof log>): EvidenceBundle =>
    withReceipt(receiptOf([otherLog, { ...log, ...changes }]))
  const withAnchor = (changes: Partial<EvidenceBundle['anchor']>): EvidenceBundle => ({
    ...good,
    anchor: { ...good.anchor, ...changes },
  })
  const { receiptProof } = good.anchor
  const form: EvidenceCode = 'RECEIPT_LOG_FORM'
  const proof: EvidenceCode = 'RECEIPT_PROOF'
  refuses([
    ['a transaction that failed', 'RECEIPT_FAILED', () => withReceipt(receiptOf([otherLog, log], 0))],
    ['bytes that are no receipt', 'RECEIPT_ENCODING', () => {
      const values = [chain.receipts[0]!, chain.receipts[1]!].map(encodeReceipt).concat(new Uint8Array(64))
      const header = sealByQuorum(createTestChain().next({ receiptsRoot: orderedTrieRoot(values) }))
      const receiptProof = orderedTrieProof(values, 2).map(bytesToHex)
      const bundle = bundleOfReceipts(batch, blockReceipts(batch))
      return { ...bundle, header: headerHex(header), anchor: { ...bundle.anchor, receiptProof } }
    }],
    ['a log of another contract', 'RECEIPT_CONTRACT', () => withLog({ address: OTHER_CONTRACT })],
    ['a log of another event', 'RECEIPT_EVENT', () =>
      withLog({ topics: [keccak256Hex(utf8ToBytes('Transfer()')), ...log.topics.slice(1)] }),
    ],
    ['an anonymous log', 'RECEIPT_EVENT', () => withLog({ topics: [] })],
    ['a log with a topic less', form, () => withLog({ topics: log.topics.slice(0, 3) })],
    ['a log with a byte more', form, () => withLog({ data: concatBytes(log.data, Uint8Array.of(0)) })],
    ['a sender of 32 bytes', form, () => withLog({ topics: [log.topics[0]!, root, ...log.topics.slice(2)] })],
    ['an anchored tree of another size', 'RECEIPT_SIZE', () => withReceipt(receiptOf([otherLog, anchorLog(root, 8)]))],
    ['an anchored tree of another family', 'RECEIPT_FAMILY', () =>
      withReceipt(receiptOf([otherLog, anchorLog(root, 7, 3n)])),
    ],
    ['an anchored tree of another root', 'INCLUSION_ROOT', () =>
      withReceipt(receiptOf([otherLog, anchorLog(keccak256Hex(utf8ToBytes('x')), 7)])),
    ],
    ['the neighbour’s log', 'INCLUSION_ROOT', () => withAnchor({ logIndex: 2 })],
    ['the other contract’s log', 'RECEIPT_CONTRACT', () => withAnchor({ logIndex: 0 })],
    ['a log index counted over the block', 'RECEIPT_LOG_INDEX', () => withAnchor({ logIndex: 3 })],
    ['another transaction of the block', 'RECEIPT_LOG_INDEX', () =>
      withAnchor({ transactionIndex: 7, receiptProof: receiptProofOf(chain.receipts, 7) }),
    ],
    ['the proof under another index', proof, () => withAnchor({ transactionIndex: 130 })],
    ['a transaction that the block has not', 'RECEIPT_ABSENT', () =>
      withAnchor({ transactionIndex: 20, receiptProof: receiptProofOf(chain.receipts, 19).slice(0, 2) }),
    ],
    ['a truncated proof', proof, () => withAnchor({ receiptProof: receiptProof.slice(0, -1) })],
    ['a lengthened proof', proof, () => withAnchor({ receiptProof: [...receiptProof, receiptProof[0]!] })],
    ['a proof off by a bit', proof, () =>
      withAnchor({ receiptProof: [flipped(receiptProof[0]!, 9), ...receiptProof.slice(1)] }),
    ],
    ['no proof', proof, () => withAnchor({ receiptProof: [] })],
  ])
})

describe('header and chain refuse', () => {
  const header = chain.headers[15]!
  const tampered = (changes: Partial<Header>): EvidenceBundle => ({
    ...good,
    header: headerHex({ ...header, ...changes }),
  })
  const otherGenesis = keccak256Hex(utf8ToBytes('another genesis'))
  const ofOtherChain = (): EvidenceBundle => {
    const extraData = decodeExtraData(header.extraData)
    const vanity = vanityOf(otherGenesis, 1_800_000_015_000)
    const moved = { ...header, extraData: encodeExtraData({ ...extraData, vanity, seals: [] }) }
    return { ...good, header: headerHex(sealedBy(moved, THIRD_SET.slice(0, 3))) }
  }
  const stranger: EvidenceCode = 'SEALS_UNKNOWN_SIGNER'
  refuses([
    ['a later time', stranger, () => tampered({ timestamp: header.timestamp + 1 })],
    ['another history', stranger, () => tampered({ parentBeaconBlockRoot: otherGenesis })],
    ['another receiptsRoot', [stranger, 'RECEIPT_PROOF'], () => tampered({ receiptsRoot: otherGenesis })],
    ['another round', 'SEALS_UNKNOWN_SIGNER', () => {
      const { seals, round } = decodeExtraData(header.extraData)
      return { ...good, header: headerHex(headerWithSeals(headerWithRound(header, round + 1), seals)) }
    }],
    ['another block’s header', 'HEADER_BLOCK_NUMBER', () => ({ ...good, header: headerHex(chain.headers[16]!) })],
    ['a truncated header', 'HEADER_ENCODING', () => ({ ...good, header: good.header.slice(0, -2) as Hex })],
    ['a header with a byte more', 'HEADER_ENCODING', () => ({ ...good, header: `${good.header}00` })],
    ['an empty header', 'HEADER_ENCODING', () => ({ ...good, header: '0x' })],
    ['the genesis', 'HEADER_ENCODING', () => ({ ...good, header: headerHex(chain.headers[0]!) })],
    ['a header that the same keys sealed on another chain', 'CHAIN_VANITY', ofOtherChain],
    ['a bundle of another chain id', 'CHAIN_ID', () => ({ ...good, chain: { ...good.chain, chainId: 230000 } })],
    ['a bundle of another genesis', 'CHAIN_GENESIS', () => ({
      ...good,
      chain: { ...good.chain, genesisHash: otherGenesis },
    })],
  ])
})

describe('seals refuse', () => {
  const header = headerWithRound(chain.headers[15]!, 0)
  const own = (index: number): Uint8Array => signDigest(commitSealDigest(header), THIRD_SET[index]!.privateKey)
  const by = (name: string): Uint8Array => signDigest(commitSealDigest(header), member(name).privateKey)
  const twin = (seal: Uint8Array): Uint8Array => {
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
    const s = (order - BigInt(bytesToHex(seal.subarray(32, 64)))).toString(16).padStart(64, '0')
    return concatBytes(seal.subarray(0, 32), hexToBytes(`0x${s}`), Uint8Array.of(1 - seal[64]!))
  }
  const sealed = (...seals: Uint8Array[]) => (): EvidenceBundle => ({
    ...good,
    header: headerHex(headerWithSeals(header, seals)),
  })
  const retired = MEMBERS.find(({ address }) => !THIRD_SET.some((now) => now.address === address))!
  refuses([
    ['none', 'SEALS_BELOW_QUORUM', sealed()],
    ['one below a quorum', 'SEALS_BELOW_QUORUM', sealed(own(0), own(1))],
    ['a signer twice', 'SEALS_DUPLICATE_SIGNER', sealed(own(0), own(1), own(1))],
    ['a high-s twin', 'SEALS_HIGH_S', sealed(own(0), own(1), twin(own(2)))],
    ['a high-s twin beside its signature', 'SEALS_HIGH_S', sealed(own(0), own(1), own(2), twin(own(2)))],
    ['more seals than validators', 'SEALS_TOO_MANY', sealed(own(0), own(1), own(2), own(3), own(0))],
    ['zeros', 'SEALS_MALFORMED', sealed(own(0), own(1), new Uint8Array(65))],
    ['a stranger', 'SEALS_UNKNOWN_SIGNER', sealed(own(0), own(1), by('stranger'))],
    ['a validator retired since', 'SEALS_RETIRED_SIGNER', () => ({
      ...good,
      header: headerHex(sealedBy(header, [...THIRD_SET.slice(0, 2), retired])),
    })],
    ['a seal of 64 bytes', 'HEADER_ENCODING', sealed(own(0), own(1), own(2).subarray(0, 64))],
  ])
})

describe('the validator history refuses', () => {
  const [first, second] = good.validatorHistory as [Hex, Hex]
  const withHistory = (...validatorHistory: Hex[]) => (): EvidenceBundle => ({ ...good, validatorHistory })
  const change = (number: number, members: typeof MEMBERS, edit: Partial<ExtraData> = {}): Hex => {
    const header = chain.headers[number]!
    const extraData = encodeExtraData({ ...decodeExtraData(header.extraData), ...edit, seals: [] })
    return headerHex(sealedBy({ ...header, extraData }, members.slice(0, 3)))
  }
  const addressesOf = (members: typeof MEMBERS): Hash[] => members.map(({ address }) => address)
  const vanity = vanityOf(keccak256Hex(utf8ToBytes('another genesis')), 1_800_000_005_000)
  const forged = addressesOf([...THIRD_SET.slice(0, 3), member('forger')]).sort()
  const unchanged = headerHex(chain.headers[2]!)
  const newcomers = setOf(6).filter(({ address }) => address !== MEMBERS[1]!.address)
  const unsorted = addressesOf(setOf(6)).reverse()
  refuses([
    ['a missing change', 'SEALS_UNKNOWN_SIGNER', withHistory(first)],
    ['a missing change in the middle', 'VALIDATORS_SEALS', withHistory(second)],
    ['changes in the wrong order', 'VALIDATORS_ORDER', withHistory(second, first)],
    ['a change twice', 'VALIDATORS_ORDER', withHistory(first, first, second)],
    ['the block itself', 'VALIDATORS_ORDER', withHistory(first, second, good.header)],
    ['a later block', 'VALIDATORS_ORDER', withHistory(first, second, headerHex(chain.headers[17]!))],
    ['a block that changes nothing', 'VALIDATORS_UNCHANGED', withHistory(unchanged, first, second)],
    ['noise', 'VALIDATORS_ENCODING', withHistory(first, '0xc0')],
    ['the genesis', 'VALIDATORS_ENCODING', withHistory(headerHex(chain.headers[0]!), first, second)],
    ['a change sealed by the set that it brings', 'VALIDATORS_SEALS', withHistory(change(5, newcomers), second)],
    ['a change to forged validators', 'VALIDATORS_SEALS', () => ({
      ...good,
      validatorHistory: [first, flippedValidators(second, forged)],
    })],
    ['a change of another chain', 'VALIDATORS_CHAIN', withHistory(change(5, MEMBERS, { vanity }), second)],
    ['a set out of order', 'VALIDATORS_SET', withHistory(change(5, MEMBERS, { validators: unsorted }), second)],
    ['an empty set', 'VALIDATORS_SET', withHistory(change(5, MEMBERS, { validators: [] }), second)],
  ])

  /** Another set under the seals of the old header. */
  function flippedValidators(encoded: Hex, validators: Hash[]): Hex {
    const header = decodeHeader(hexToBytes(encoded))
    return headerHex({ ...header, extraData: encodeExtraData({ ...decodeExtraData(header.extraData), validators }) })
  }
})

describe('below a checkpoint', () => {
  const refreshed = refreshEvidence(chain.bundle(3), { height: 10, proofs: chain.proofs })
  const { checkpointPath } = refreshed
  const withPath = (changes: object): EvidenceBundle => ({
    ...refreshed,
    checkpointPath: { ...checkpointPath!, ...changes },
  })

  it('a block of retired validators, sealed by a quorum of them, is refused without a path', () => {
    const forged = bundleOfReceipts(chain.batch, blockReceipts(chain.batch))
    expect(failuresOf(forged)).toEqual({})
    expect(failuresOf(forged, [10])).toEqual(failuresWith('CHECKPOINT_PATH_MISSING'))
    expect(failuresOf({ ...forged, checkpointPath }, [10])).toEqual(failuresWith('CHECKPOINT_PATH'))
  })

  it('the chain’s own block needs its path too', () => {
    expect(failuresOf(chain.bundle(8), [10])).toEqual(failuresWith('CHECKPOINT_PATH_MISSING'))
    expect(failuresOf(chain.bundle(8), [4])).toEqual({})
  })

  it('a block at the checkpoint’s height must be the checkpoint', () => {
    const other = chain.bundle(8)
    const header = headerHex(sealedBy({ ...chain.headers[8]!, gasUsed: 1n }, setOf(8).slice(0, 3)))
    expect(failuresOf({ ...other, header })).toEqual({})
    expect(failuresOf({ ...other, header }, [8])).toEqual(failuresWith('CHECKPOINT_CONFLICT'))
  })

  const other = headerHex(sealedBy({ ...chain.headers[10]!, gasUsed: 1n }, setOf(10).slice(0, 3)))
  const ofOtherChain = (): Hex => {
    const extraData = decodeExtraData(chain.headers[10]!.extraData)
    const vanity = vanityOf(keccak256Hex(utf8ToBytes('another genesis')), 1_800_000_010_000)
    return headerHex({ ...chain.headers[10]!, extraData: encodeExtraData({ ...extraData, vanity }) })
  }
  const path = checkpointPath!.path
  it.each<[string, EvidenceCode, () => EvidenceBundle, number[]]>([
    ['a truncated path', 'CHECKPOINT_PATH', () => withPath({ path: path.slice(1) }), [10]],
    ['a lengthened path', 'CHECKPOINT_PATH', () => withPath({ path: [...path, path[0]] }), [10]],
    ['a path off by a bit', 'CHECKPOINT_PATH', () =>
      withPath({ path: [flipped(path[0]!, 0), ...path.slice(1)] }), [10],
    ],
    ['a path into an earlier block', 'CHECKPOINT_PATH', () => withPath({ header: headerHex(chain.headers[2]!) }), [2]],
    ['a checkpoint’s double', 'CHECKPOINT_CONFLICT', () => withPath({ header: other }), [10]],
    ['a path into no checkpoint', 'CHECKPOINT_UNKNOWN', () => refreshed, [12]],
    ['a path into a block after the newest', 'CHECKPOINT_UNKNOWN', () => refreshed, [7]],
    ['noise for the vouching header', 'CHECKPOINT_HEADER', () => withPath({ header: '0xc0' }), [10]],
    ['a vouching header of another chain', 'CHECKPOINT_CHAIN', () => withPath({ header: ofOtherChain() }), [10]],
    ['a vouching header without seals', 'SEALS_BELOW_QUORUM', () =>
      withPath({ header: headerHex(headerWithSeals(chain.headers[10]!, [])) }), []],
  ])('refuses %s', (_, expected, bundle, checkpoints) => {
    expect(failuresOf(bundle(), checkpoints)).toEqual(failuresWith(expected))
  })

  it('refuses a checkpoint that lists other validators than its block', () => {
    const anchor = chain.trustAnchor(10) as { checkpoints: { validators: unknown }[] }
    anchor.checkpoints[0]!.validators = [MEMBERS[0]!.address]
    expect(failures(verifyEvidence(refreshed, { trustAnchor: anchor }))).toEqual(failuresWith('CHECKPOINT_VALIDATORS'))
  })
})

describe('any change of a byte', () => {
  const text = JSON.stringify(refreshEvidence(good, { height: 18, proofs: chain.proofs }))

  it('of the file is refused with a code, and never throws', () => {
    const reference = verifier.verify(text)
    expect(reference.valid).toBe(true)
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.integer({ min: 32, max: 126 }), (at, code) => {
        const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1)
        const verdict = verifier.verify(changed)
        expect(verdict.steps).toHaveLength(10)
        // Upper-case digits mean the same bytes; the vouching header stands in for the seals of the block below it.
        if (verdict.valid) expect(verdict.facts).toEqual(reference.facts)
        else expect(codes(verdict)).not.toEqual(codes(reference))
      }),
      { numRuns: 300 },
    )
  })
})
