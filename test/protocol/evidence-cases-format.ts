import type { EvidenceBundle } from '@songhua/sdk/protocol/evidence-format'
import { MAX_VALIDATOR_HISTORY } from '@songhua/sdk/protocol/evidence-format'
import { MAX_EVIDENCE_CHARACTERS } from '@songhua/sdk/protocol/evidence-json'
import { type JsonObject } from '@songhua/sdk/protocol/json-fields'
import { type NegativeCase, chain, good, goodWith, negativeCases } from './evidence-cases-support.js'

/** What is wrong with the files: their text, the shape of the bundle, the trust anchor. */
export function formatCases(): NegativeCase[] {
  return [...textCases(), ...shapeCases(), ...trustAnchorCases()]
}

export function deepList(depth: number): unknown {
  let value: unknown = 1
  for (let at = 0; at < depth; at++) value = [value]
  return value
}

function noise(length: number): string {
  const characters = new Uint8Array(length)
  for (let at = 0, state = 1; at < length; at++) {
    state = (state * 48271) % 0x7fffffff
    characters[at] = state & 0x7f
  }
  return Buffer.from(characters).toString('latin1')
}

function textCases(): NegativeCase[] {
  const text = JSON.stringify(good)
  const withProof = (proof: string): string => text.replace('"proof":[]', `"proof":${proof}`)
  return negativeCases('text', [
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
    ['depth in the envelope', 'FORMAT_TOO_DEEP', withProof(JSON.stringify(deepList(40)))],
    ['many values', 'FORMAT_TOO_LARGE', `[${'0,'.repeat(1_000_000)}0]`],
    ['a key twice', 'FORMAT_DUPLICATE_KEY', text.replace('"family"', '"id":"another","family"')],
    ['a key twice, once escaped', 'FORMAT_DUPLICATE_KEY', text.replace('"family"', '"\\u0069d":"another","family"')],
    ['a number beyond all', 'FORMAT_VALUE', withProof('[1e999]')],
    ['half a character', 'FORMAT_VALUE', withProof('["\\ud83d"]')],
    ['half a character in a key', 'FORMAT_VALUE', withProof('[{"\\ud83d":1}]')],
  ])
}

function without(key: keyof EvidenceBundle): object {
  return Object.fromEntries(Object.entries(good).filter(([name]) => name !== key))
}

export const REQUIRED = ['chain', 'envelope', 'inclusion', 'anchor', 'header', 'validatorHistory'] as const

function shapeCases(): NegativeCase[] {
  const { anchor, inclusion } = good
  const withInclusion = (changes: object): object => ({ ...good, inclusion: { ...inclusion, ...changes } })
  const withAnchor = (changes: object): object => ({ ...good, anchor: { ...anchor, ...changes } })
  const endless = Array<string>(MAX_VALIDATOR_HISTORY + 1).fill('0x')
  const missing = REQUIRED.map((key) => [`no ${key}`, 'FORMAT_FIELD', without(key)] as const)
  return negativeCases('shape', [
    ...missing,
    ['null', 'FORMAT_FIELD', null],
    ['a number', 'FORMAT_FIELD', 7],
    ['a list', 'FORMAT_FIELD', [good]],
    ['no version', 'FORMAT_FIELD', without('version')],
    ['a future version', 'FORMAT_VERSION', { ...good, version: 'songhua.evidence/2', cose: {} }],
    ['a version that is no text', 'FORMAT_FIELD', { ...good, version: 1 }],
    ['an unknown key', 'FORMAT_FIELD', { ...good, valid: true }],
    ['an unknown key inside', 'FORMAT_FIELD', withAnchor({ gas: 1 })],
    ['a fraction of a leaf', 'FORMAT_FIELD', withInclusion({ leafIndex: 0.5 })],
    ['a negative index', 'FORMAT_FIELD', withAnchor({ logIndex: -1 })],
    ['an index above 2^53', 'FORMAT_FIELD', withAnchor({ transactionIndex: 2 ** 53 })],
    ['block 0', 'FORMAT_FIELD', withAnchor({ blockNumber: 0 })],
    ['a number as text', 'FORMAT_FIELD', { ...good, chain: { ...good.chain, chainId: '230099' } }],
    ['a path of 65', 'FORMAT_FIELD', withInclusion({ path: Array(65).fill(chain.hashes[0]) })],
    ['a node of 31 bytes', 'FORMAT_FIELD', withInclusion({ path: [`0x${'00'.repeat(31)}`] })],
    ['a proof of 21 nodes', 'FORMAT_FIELD', withAnchor({ receiptProof: Array<string>(21).fill('0x') })],
    ['a header that is no hex', 'FORMAT_FIELD', { ...good, header: '0xzz' }],
    ['a header without 0x', 'FORMAT_FIELD', { ...good, header: good.header.slice(2) }],
    ['a header of 8 kB and a byte', 'FORMAT_FIELD', { ...good, header: `0x${'00'.repeat(8193)}` }],
    ['a history without end', 'FORMAT_FIELD', { ...good, validatorHistory: endless }],
    ['a path without header', 'FORMAT_FIELD', { ...good, checkpointPath: { path: [] } }],
    ['nine time stamps', 'FORMAT_FIELD', { ...good, timestampTokens: Array(9).fill('') }],
    ['a status that is no object', 'FORMAT_FIELD', goodWith({ status: [] as unknown as JsonObject })],
  ])
}

/** Each with the code that reading the trust anchor alone gives. */
export function badTrustAnchors(): [what: string, code: string, source: unknown][] {
  const anchor = chain.trustAnchor(4, 9) as { genesisHeader: string; checkpoints: JsonObject[] } & JsonObject
  const [first, second] = anchor.checkpoints as [JsonObject, JsonObject]
  const withValidators = (validators: unknown[]): object => ({ ...anchor, checkpoints: [{ ...first, validators }] })
  return [
    ['noise', 'TRUST_ANCHOR_FORMAT', 'noise'],
    ['nothing', 'TRUST_ANCHOR_FORMAT', ''],
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
  ]
}

function trustAnchorCases(): NegativeCase[] {
  const rows = badTrustAnchors().map(([what, , trustAnchor]) => [what, 'FORMAT_TRUST_ANCHOR', good, { trustAnchor }] as const)
  return negativeCases('trust anchor', rows)
}
