import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { createEvidenceVerifier, verifyEvidence } from '@songhua/sdk/protocol/evidence'
import { EVIDENCE_STEPS } from '@songhua/sdk/protocol/evidence-codes'
import { MAX_EVIDENCE_CHARACTERS, MAX_EVIDENCE_DEPTH } from '@songhua/sdk/protocol/evidence-json'
import { type EvidenceBundle, MAX_VALIDATOR_HISTORY, parseEvidence } from '@songhua/sdk/protocol/evidence-format'
import { type JsonObject } from '@songhua/sdk/protocol/json-fields'
import { parseTrustAnchor } from '@songhua/sdk/protocol/trust-anchor'
import { codeOf } from './support.js'
import { createEvidenceChain, failures } from './evidence-support.js'

const chain = createEvidenceChain()
const good = chain.bundle(8)
const text = JSON.stringify(good)
const verifier = createEvidenceVerifier(parseTrustAnchor(chain.trustAnchor()))
const deep = (depth: number): unknown => {
  let value: unknown = 1
  for (let at = 0; at < depth; at++) value = [value]
  return value
}
const cyclic: Record<string, unknown> = {}
cyclic.self = cyclic
const noise = (length: number): string => {
  const characters = new Uint8Array(length)
  for (let at = 0, state = 1; at < length; at++) {
    state = (state * 48271) % 0x7fffffff
    characters[at] = state & 0x7f
  }
  return Buffer.from(characters).toString('latin1')
}

describe('the text of a bundle', () => {
  it('may have any white space, order of keys and escapes', () => {
    const reordered = Object.fromEntries(Object.entries(good).reverse())
    expect(verifier.verify(JSON.stringify(reordered, null, 2)).valid).toBe(true)
    expect(verifier.verify(text.replace('"family"', '"\\u0066amily"')).valid).toBe(true)
    expect(parseEvidence(text)).toEqual(good)
  })

  it.each<[string, string, string]>([
    ['nothing', 'FORMAT_NOT_JSON', ''],
    ['half a bundle', 'FORMAT_NOT_JSON', text.slice(0, text.length / 2)],
    ['a bundle and a byte', 'FORMAT_NOT_JSON', `${text}x`],
    ['a string without end', 'FORMAT_NOT_JSON', '{"version":"songhua'],
    ['10 MB of noise', 'FORMAT_TOO_LARGE', noise(10_000_000)],
    ['as much noise as a bundle may have characters', 'FORMAT_NOT_JSON', noise(MAX_EVIDENCE_CHARACTERS)],
    ['backslashes', 'FORMAT_NOT_JSON', `"${'\\'.repeat(MAX_EVIDENCE_CHARACTERS - 1)}`],
    ['quotes', 'FORMAT_NOT_JSON', '"'.repeat(MAX_EVIDENCE_CHARACTERS)],
    ['a list in a list in a list …', 'FORMAT_TOO_DEEP', '['.repeat(MAX_EVIDENCE_CHARACTERS)],
    ['an object in an object …', 'FORMAT_TOO_DEEP', '{"a":'.repeat(500_000)],
    ['depth in the envelope', 'FORMAT_TOO_DEEP', text.replace('"proof":[]', `"proof":${JSON.stringify(deep(40))}`)],
    ['many values', 'FORMAT_TOO_LARGE', `[${'0,'.repeat(1_000_000)}0]`],
    ['a key twice', 'FORMAT_DUPLICATE_KEY', text.replace('"family"', '"id":"another","family"')],
    ['a key twice, once escaped', 'FORMAT_DUPLICATE_KEY', text.replace('"family"', '"\\u0069d":"another","family"')],
    ['a number beyond all', 'FORMAT_VALUE', text.replace('"proof":[]', '"proof":[1e999]')],
    ['half a character', 'FORMAT_VALUE', text.replace('"proof":[]', '"proof":["\\ud83d"]')],
    ['half a character in a key', 'FORMAT_VALUE', text.replace('"proof":[]', '"proof":[{"\\ud83d":1}]')],
  ])('is refused: %s', (_, code, source) => {
    expect(failures(verifier.verify(source))).toEqual({ format: code })
  })

  it('with __proto__ as a key changes nothing but the leaf', () => {
    const polluted = text.replace('"proof":[]', '"__proto__":{"valid":true},"proof":[]')
    expect(failures(verifier.verify(polluted))).toEqual({ inclusion: 'INCLUSION_ROOT' })
    expect(({} as { valid?: unknown }).valid).toBeUndefined()
  })
})

describe('a parsed bundle', () => {
  const throwing = new Proxy({}, {
    ownKeys: () => {
      throw new Error('no')
    },
  })
  it.each<[string, string, unknown]>([
    ['undefined', 'FORMAT_VALUE', undefined],
    ['null', 'FORMAT_FIELD', null],
    ['a number', 'FORMAT_FIELD', 7],
    ['a list', 'FORMAT_FIELD', [good]],
    ['bytes', 'FORMAT_VALUE', new Uint8Array(10_000_000)],
    ['a huge sparse list', 'FORMAT_TOO_LARGE', new Array(0xffff_ffff)],
    ['a circle', 'FORMAT_TOO_DEEP', cyclic],
    ['a deep list', 'FORMAT_TOO_DEEP', deep(100_000)],
    ['a bigint', 'FORMAT_VALUE', { ...good, status: { at: 1n } }],
    ['a function', 'FORMAT_VALUE', { ...good, envelope: { ...good.envelope, toJSON: () => ({}) } }],
    ['a date', 'FORMAT_VALUE', { ...good, envelope: { ...good.envelope, created: new Date(0) } }],
    ['an undefined field', 'FORMAT_VALUE', { ...good, status: undefined }],
    ['an object that throws', 'STEP_UNEXPECTED', throwing],
    ['strings without end', 'FORMAT_TOO_LARGE', { ...good, status: { note: 'x'.repeat(MAX_EVIDENCE_CHARACTERS) } }],
  ])('is refused: %s', (_, code, source) => {
    expect(failures(verifier.verify(source))).toEqual({ format: code })
  })

  it(`is read to a depth of ${MAX_EVIDENCE_DEPTH}`, () => {
    const envelope = (depth: number): JsonObject => ({ ...good.envelope, deep: deep(depth) })
    const verdictAt = (depth: number) => failures(verifier.verify({ ...good, envelope: envelope(depth) }))
    expect(verdictAt(MAX_EVIDENCE_DEPTH - 2)).toEqual({ inclusion: 'INCLUSION_ROOT' })
    expect(verdictAt(MAX_EVIDENCE_DEPTH - 1)).toEqual({ format: 'FORMAT_TOO_DEEP' })
  })

  const without = (key: keyof EvidenceBundle): object =>
    Object.fromEntries(Object.entries(good).filter(([name]) => name !== key))
  const withPath = (path: unknown[]): object => ({ ...good, inclusion: { ...good.inclusion, path } })
  const nodes = Array<string>(21).fill('0x')
  const endless = Array<string>(MAX_VALIDATOR_HISTORY + 1).fill('0x')
  it.each(['chain', 'envelope', 'inclusion', 'anchor', 'header', 'validatorHistory'] as const)('needs %s', (key) => {
    const verdict = verifier.verify(without(key))
    expect(failures(verdict)).toEqual({ format: 'FORMAT_FIELD' })
    expect(verdict.steps[0]?.message).toContain(key)
  })

  it.each<[string, string, object]>([
    ['no version', 'FORMAT_FIELD', without('version')],
    ['a future version', 'FORMAT_VERSION', { ...good, version: 'songhua.evidence/2', cose: {} }],
    ['a version that is no text', 'FORMAT_FIELD', { ...good, version: 1 }],
    ['an unknown key', 'FORMAT_FIELD', { ...good, valid: true }],
    ['an unknown key inside', 'FORMAT_FIELD', { ...good, anchor: { ...good.anchor, gas: 1 } }],
    ['a fraction of a leaf', 'FORMAT_FIELD', { ...good, inclusion: { ...good.inclusion, leafIndex: 0.5 } }],
    ['a negative index', 'FORMAT_FIELD', { ...good, anchor: { ...good.anchor, logIndex: -1 } }],
    ['an index above 2^53', 'FORMAT_FIELD', { ...good, anchor: { ...good.anchor, transactionIndex: 2 ** 53 } }],
    ['block 0', 'FORMAT_FIELD', { ...good, anchor: { ...good.anchor, blockNumber: 0 } }],
    ['a number as text', 'FORMAT_FIELD', { ...good, chain: { ...good.chain, chainId: '230099' } }],
    ['a path of 65', 'FORMAT_FIELD', withPath(Array(65).fill(chain.hashes[0]))],
    ['a node of 31 bytes', 'FORMAT_FIELD', withPath([`0x${'00'.repeat(31)}`])],
    ['a proof of 21 nodes', 'FORMAT_FIELD', { ...good, anchor: { ...good.anchor, receiptProof: nodes } }],
    ['a header that is no hex', 'FORMAT_FIELD', { ...good, header: '0xzz' }],
    ['a header of 8 kB and a byte', 'FORMAT_FIELD', { ...good, header: `0x${'00'.repeat(8193)}` }],
    ['a history without end', 'FORMAT_FIELD', { ...good, validatorHistory: endless }],
    ['a path without header', 'FORMAT_FIELD', { ...good, checkpointPath: { path: [] } }],
    ['nine time stamps', 'FORMAT_FIELD', { ...good, timestampTokens: Array(9).fill('') }],
  ])('is refused: %s', (_, code, source) => {
    expect(failures(verifier.verify(source))).toEqual({ format: code })
  })
})

describe('anything at all', () => {
  it('gets a verdict', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true }), (source) => {
        const verdict = verifier.verify(source)
        expect(verdict.valid).toBe(false)
        expect(verdict.steps.map(({ step }) => step)).toEqual([...EVIDENCE_STEPS])
      }),
    )
  })

  it('in place of a part of the bundle gets one', () => {
    const keys = Object.keys(good) as (keyof EvidenceBundle)[]
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.jsonValue(), (key, value) => {
        expect(verifier.verify({ ...good, [key]: value }).valid).toBe(false)
      }),
    )
  })
})

describe('a trust anchor', () => {
  const anchor = chain.trustAnchor(4, 9) as { genesisHeader: string; checkpoints: JsonObject[] } & JsonObject
  const [first, second] = anchor.checkpoints as [JsonObject, JsonObject]

  it('is read with its checkpoints and the set that seals block 1', () => {
    const { chainId, genesisHash, checkpoints, validators } = parseTrustAnchor(JSON.stringify(anchor))
    expect({ chainId, genesisHash }).toEqual(good.chain)
    expect(checkpoints.map(({ height, hash }) => [height, hash])).toEqual([[4, chain.hashes[4]], [9, chain.hashes[9]]])
    expect(validators).toHaveLength(4)
  })

  const withValidators = (validators: unknown[]): object => ({ ...anchor, checkpoints: [{ ...first, validators }] })
  it.each<[string, string, unknown]>([
    ['noise', 'TRUST_ANCHOR_FORMAT', 'noise'],
    ['undefined', 'TRUST_ANCHOR_FORMAT', undefined],
    ['a future version', 'TRUST_ANCHOR_VERSION', { ...anchor, version: 'songhua.trust-anchor/2' }],
    ['an unknown key', 'TRUST_ANCHOR_FORMAT', { ...anchor, trusted: true }],
    ['chain id 0', 'TRUST_ANCHOR_FORMAT', { ...anchor, chainId: 0 }],
    ['a genesis that is noise', 'TRUST_ANCHOR_GENESIS', { ...anchor, genesisHeader: '0xc0' }],
    ['another block as genesis', 'TRUST_ANCHOR_GENESIS', { ...anchor, genesisHeader: good.header }],
    ['checkpoints out of order', 'TRUST_ANCHOR_CHECKPOINT', { ...anchor, checkpoints: [second, first] }],
    ['a checkpoint twice', 'TRUST_ANCHOR_CHECKPOINT', { ...anchor, checkpoints: [first, first] }],
    ['a checkpoint at 0', 'TRUST_ANCHOR_FORMAT', { ...anchor, checkpoints: [{ ...first, height: 0 }] }],
    ['no validators', 'TRUST_ANCHOR_CHECKPOINT', withValidators([])],
    ['a validator that is null', 'TRUST_ANCHOR_CHECKPOINT', withValidators([null])],
    ['too many checkpoints', 'TRUST_ANCHOR_FORMAT', { ...anchor, checkpoints: Array(1025).fill(first) }],
  ])('is refused: %s', (_, code, source) => {
    expect(codeOf(() => parseTrustAnchor(source))).toBe(code)
    expect(failures(verifyEvidence(good, { trustAnchor: source }))).toEqual({ format: 'FORMAT_TRUST_ANCHOR' })
  })
})
