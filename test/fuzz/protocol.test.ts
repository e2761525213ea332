import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { decodeAccount, encodeAccount } from '@songhua/sdk/protocol/account'
import { decodeBlock, encodeBlock } from '@songhua/sdk/protocol/block'
import { bytesToHex } from '@songhua/sdk/protocol/bytes'
import { recoverAddress } from '@songhua/sdk/protocol/crypto'
import { decodeExtraData, encodeExtraData } from '@songhua/sdk/protocol/extra-data'
import { decodeHeader, encodeHeader } from '@songhua/sdk/protocol/header'
import { verifyMptProof } from '@songhua/sdk/protocol/mpt-proof'
import { decodeHexPrefix, encodeHexPrefix } from '@songhua/sdk/protocol/nibbles'
import { orderedTrieProof, orderedTrieRoot } from '@songhua/sdk/protocol/ordered-trie'
import { decodeReceipt, encodeReceipt } from '@songhua/sdk/protocol/receipt'
import { type RlpItem, decodeRlp, encodeRlp, encodeRlpList, splitRlpList } from '@songhua/sdk/protocol/rlp'
import { verifySeals } from '@songhua/sdk/protocol/seals'
import { decodeTransaction, signTransaction } from '@songhua/sdk/protocol/transaction'
import { installNativeCrypto } from '@songhua/node/execution/native-crypto'
import * as any from './arbitraries.js'
import { describeCodec } from './decoder.js'
import { anyBytes, mutated, rlpItem } from './mutations.js'
import { outcomeOf } from './outcome.js'
import { FUZZ_TIMEOUT_MS, holds } from './runs.js'

beforeAll(async () => {
  await installNativeCrypto()
})

/** The type's byte in front of a typed transaction or receipt. */
const typeByte = (input: Uint8Array): number => ((input[0] ?? 0) < 0xc0 ? 1 : 0)
const atStart = (): number => 0

describeCodec<RlpItem>({
  name: 'RLP',
  values: rlpItem,
  encode: encodeRlp,
  decode: (bytes) => decodeRlp(bytes),
  codes: /^RLP_/,
  isCanonical: true,
  rlpFrom: atStart,
})

describeCodec({
  name: 'an RLP list, split',
  values: fc.array(rlpItem.map(encodeRlp), { maxLength: 8 }),
  encode: encodeRlpList,
  decode: (bytes) => splitRlpList(bytes, 'list', 16),
  codes: /^RLP_/,
  isCanonical: true,
})

describeCodec({
  name: 'a transaction',
  values: any.transaction,
  encode: ({ raw }) => raw,
  decode: (bytes) => decodeTransaction(bytes),
  codes: /^(TX|RLP|SIGNATURE)_/,
  isCanonical: true,
  rlpFrom: typeByte,
})

describeCodec({
  name: 'a header',
  values: any.header,
  encode: encodeHeader,
  decode: (bytes) => decodeHeader(bytes),
  codes: /^(RLP_|INTEGER_RANGE$)/,
  isCanonical: true,
  rlpFrom: atStart,
})

describeCodec({
  name: 'extraData',
  values: any.extraData,
  encode: encodeExtraData,
  decode: decodeExtraData,
  codes: /^(RLP_|EXTRA_DATA_|INTEGER_RANGE$)/,
  isCanonical: true,
  rlpFrom: atStart,
})

describeCodec({
  name: 'a block',
  values: any.block,
  encode: encodeBlock,
  decode: (bytes) => decodeBlock(bytes),
  codes: /^(RLP_|BLOCK_|INTEGER_RANGE$)/,
  isCanonical: true,
  rlpFrom: atStart,
})

describeCodec({
  name: 'a receipt',
  values: any.receipt,
  encode: encodeReceipt,
  decode: decodeReceipt,
  codes: /^(RLP_|RECEIPT_|INTEGER_RANGE$)/,
  isCanonical: true,
  rlpFrom: typeByte,
})

describeCodec({
  name: 'an account',
  values: any.account,
  encode: encodeAccount,
  decode: decodeAccount,
  codes: /^RLP_/,
  isCanonical: true,
  rlpFrom: atStart,
})

describeCodec({
  name: 'a hex-prefix path',
  values: fc.record({ nibbles: fc.array(fc.nat(15), { maxLength: 70 }).map((all) => Uint8Array.from(all)), isLeaf: fc.boolean() }),
  encode: ({ nibbles, isLeaf }) => encodeHexPrefix(nibbles, isLeaf),
  decode: decodeHexPrefix,
  codes: /^[A-Z]+_/,
  isCanonical: true,
})

describe('a Merkle Patricia proof', { timeout: FUZZ_TIMEOUT_MS }, () => {
  const proven = fc
    .tuple(fc.array(any.bytesUpTo(120).filter(({ length }) => length > 0), { minLength: 1, maxLength: 40 }), fc.nat())
    .map(([values, place]) => {
      const index = place % values.length
      const root = orderedTrieRoot(values)
      return { root, key: encodeRlp(index === 0 ? new Uint8Array(0) : Uint8Array.of(index)), value: values[index]!, proof: orderedTrieProof(values, index) }
    })

  it('gives the value that is there', () => {
    holds(proven, 60, ({ root, key, value, proof }) => expect(verifyMptProof({ root, key, proof })).toEqual(value))
  })

  it('gives no other value, and never its absence, whatever is done to it', () => {
    const spoilt = proven.chain((one) =>
      mutated(fc.constant(encodeRlp(one.proof))).map((bytes) => ({ ...one, bytes })))
    holds(spoilt, 200, ({ root, key, value, bytes }) => {
      const list = outcomeOf(/^RLP_/, () => splitRlpList(bytes, 'proof').map((item) => decodeRlp(item)))
      if ('code' in list) return
      const proof = list.value.filter((node) => node instanceof Uint8Array)
      const outcome = outcomeOf(/^MPT_PROOF_/, () => verifyMptProof({ root, key, proof }))
      if ('value' in outcome) expect(outcome.value).toEqual(value)
    })
  })

  it('made of anything proves nothing under another root', () => {
    holds(fc.tuple(any.hash, anyBytes, fc.array(anyBytes, { maxLength: 4 })), 100, ([root, key, proof]) => {
      expect(outcomeOf(/^MPT_PROOF_/, () => verifyMptProof({ root, key, proof }))).toHaveProperty('code')
    })
  })
})

describe('signatures and seals', { timeout: FUZZ_TIMEOUT_MS }, () => {
  it('of any bytes are recovered to an address or refused', () => {
    holds(fc.tuple(any.bytesOf(32), fc.oneof(any.signature, any.bytesUpTo(70))), 150, ([digest, bytes]) => {
      outcomeOf(/^SIGNATURE_/, () => recoverAddress(digest, bytes))
    })
  })

  it('of no key of the set never seal a header', () => {
    holds(fc.tuple(any.header, fc.array(any.address, { minLength: 1, maxLength: 7 })), 100, ([header, validators]) => {
      expect(outcomeOf(/^(SEAL|SIGNATURE_|EXTRA_DATA_|RLP_|INTEGER_RANGE)/, () => verifySeals(header, validators))).toHaveProperty('code')
    })
  })

  it('of a transaction whose bytes are changed never name its sender again, unless it is the same', () => {
    const signed = signTransaction({ chainId: 7n, nonce: 1n, gasLimit: 21_000n, to: `0x${'ab'.repeat(20)}` }, new Uint8Array(32).fill(3))
    holds(mutated(fc.constant(signed.raw)), 200, (raw) => {
      const outcome = outcomeOf(/^(TX|RLP|SIGNATURE)_/, () => decodeTransaction(raw))
      if ('value' in outcome && outcome.value.sender === signed.sender) expect(bytesToHex(raw)).toBe(bytesToHex(signed.raw))
    })
  })
})
