import { describe, expect, it } from 'vitest'
import { keccak256Hex } from '@songhua/sdk/protocol/crypto'
import { type Hash, ZERO_HASH, bytesToHex, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { blockHash, headerWithRound } from '@songhua/sdk/protocol/block-hash'
import { decodeExtraData, encodeExtraData, readVanity, vanityOf } from '@songhua/sdk/protocol/extra-data'
import { type Header, decodeHeader, encodeHeader } from '@songhua/sdk/protocol/header'
import { type ParentBlock, checkHeader } from '@songhua/sdk/protocol/header-rules'
import { merkleRoot } from '@songhua/sdk/protocol/merkle-tree'
import { MEMBERS, VALIDATORS, codeOf, createTestChain, member, sealedBy } from './support.js'

const chain = createTestChain()
for (let at = 0; at < 5; at++) chain.append()
const parent = chain.tip()
const good = chain.next()
const { rules } = chain
const parentMs = 1_800_000_000_000 + 1_234 * 5
const other: Hash = keccak256Hex(new Uint8Array(1))

function withExtraData(changes: Partial<ReturnType<typeof decodeExtraData>>): Partial<Header> {
  return { extraData: encodeExtraData({ ...decodeExtraData(good.extraData), ...changes }) }
}

function atMs(timeMs: number, timestamp = Math.floor(timeMs / 1000)): Partial<Header> {
  return { ...withExtraData({ vanity: vanityOf(rules.genesisHash, timeMs) }), timestamp }
}

describe('a header that keeps the rules', () => {
  it('is accepted, after the wire, in any round and with seals', () => {
    for (const header of [good, decodeHeader(encodeHeader(good)), headerWithRound(good, 7), sealedBy(good, MEMBERS)]) {
      expect(() => checkHeader(header, parent, rules)).not.toThrow()
    }
  })

  it('may come at the earliest moment, have another set of next validators and use all gas', () => {
    const changes: Partial<Header>[] = [
      atMs(parentMs + rules.minBlockPeriodMs),
      withExtraData({ validators: [member('e').address] }),
      { gasUsed: rules.gasLimit, coinbase: VALIDATORS[3]! },
    ]
    for (const change of changes) expect(() => checkHeader({ ...good, ...change }, parent, rules)).not.toThrow()
  })

  it('holds the RFC 9162 root over all block hashes before it', () => {
    expect(good.parentBeaconBlockRoot).toBe(bytesToHex(merkleRoot(chain.hashes.map((hash) => hexToBytes(hash)))))
    expect(chain.headers[0]!.parentBeaconBlockRoot).toBe(ZERO_HASH)
    expect(chain.headers[1]!.parentBeaconBlockRoot).toBe(bytesToHex(merkleRoot([hexToBytes(chain.hashes[0]!)])))
  })
})

describe('a header that breaks a rule', () => {
  it.each<[string, string, Partial<Header>]>([
    ['number skipped', 'HEADER_NUMBER', { number: 7 }],
    ['number of the parent', 'HEADER_NUMBER', { number: 5 }],
    ['the genesis again', 'HEADER_NUMBER', { number: 0 }],
    ['another parent', 'HEADER_PARENT_HASH', { parentHash: other }],
    ['another history', 'HEADER_HISTORY_ROOT', { parentBeaconBlockRoot: other }],
    ['no history', 'HEADER_HISTORY_ROOT', { parentBeaconBlockRoot: ZERO_HASH }],
    ['the parent’s history', 'HEADER_HISTORY_ROOT', { parentBeaconBlockRoot: parent.header.parentBeaconBlockRoot }],
    ['a stranger as coinbase', 'HEADER_COINBASE', { coinbase: member('e').address }],
    ['another gas limit', 'HEADER_GAS_LIMIT', { gasLimit: rules.gasLimit + 1n }],
    ['gas above the limit', 'HEADER_GAS_USED', { gasUsed: rules.gasLimit + 1n }],
    ['ommers', 'HEADER_OMMERS', { ommersHash: other }],
    ['difficulty 0', 'HEADER_DIFFICULTY', { difficulty: 0n }],
    ['difficulty 2', 'HEADER_DIFFICULTY', { difficulty: 2n }],
    ['another mix hash', 'HEADER_MIX_HASH', { mixHash: ZERO_HASH }],
    ['a nonce', 'HEADER_NONCE', { nonce: new Uint8Array(8).fill(1) }],
    ['a base fee', 'HEADER_BASE_FEE', { baseFeePerGas: 1n }],
    ['withdrawals', 'HEADER_WITHDRAWALS', { withdrawalsRoot: other }],
    ['blob gas', 'HEADER_BLOB_GAS', { blobGasUsed: 131_072n }],
    ['excess blob gas', 'HEADER_BLOB_GAS', { excessBlobGas: 1n }],
    ['another chain', 'HEADER_CHAIN', withExtraData({ vanity: vanityOf(other, parentMs + 1000) })],
    ['a ms too early', 'HEADER_TIME', atMs(parentMs + rules.minBlockPeriodMs - 1)],
    ['time 0', 'HEADER_TIME', atMs(0)],
    ['a second ahead of its ms', 'HEADER_TIMESTAMP', atMs(parentMs + 1000, Math.floor((parentMs + 1000) / 1000) + 1)],
    ['a second behind its ms', 'HEADER_TIMESTAMP', { timestamp: good.timestamp - 1 }],
    ['ms beyond 2^53', 'INTEGER_RANGE', withExtraData({ vanity: new Uint8Array(32).fill(255) })],
    ['no next validators', 'HEADER_VALIDATORS', withExtraData({ validators: [] })],
    ['unsorted validators', 'HEADER_VALIDATORS', withExtraData({ validators: [...VALIDATORS].reverse() })],
    ['a validator twice', 'HEADER_VALIDATORS', withExtraData({ validators: [VALIDATORS[0]!, VALIDATORS[0]!] })],
    ['no extraData', 'RLP_TRUNCATED', { extraData: new Uint8Array(0) }],
  ])('is refused: %s', (_, code, change) => {
    expect(codeOf(() => checkHeader({ ...good, ...change }, parent, rules))).toBe(code)
  })

  it('is refused under a parent that has another set of validators', () => {
    const changed: ParentBlock = { ...parent, validators: VALIDATORS.slice(1) }
    expect(codeOf(() => checkHeader(good, changed, rules))).toBe('HEADER_COINBASE')
  })

  it('names the block, the field and both values', () => {
    const check = (): void => checkHeader({ ...good, difficulty: 2n }, parent, rules)
    expect(check).toThrow('Block 6: difficulty is 2; expected 1')
  })
})

it('a header of one chain proves nothing on another with the same validators', () => {
  const twin = { ...rules, genesisHash: other }
  expect(codeOf(() => checkHeader(good, parent, twin))).toBe('HEADER_CHAIN')
  const { blockTimeMs } = readVanity(decodeExtraData(good.extraData).vanity)
  const moved = { ...good, ...withExtraData({ vanity: vanityOf(other, blockTimeMs) }) }
  expect(blockHash(moved)).not.toBe(blockHash(good))
})
