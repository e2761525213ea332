import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { SigningKey, Transaction as EthersTransaction, Wallet } from 'ethers'
import { bigintToBytes, bytesToHex, concatBytes, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { type RlpItem, decodeRlp, encodeRlp } from '@songhua/sdk/protocol/rlp'
import {
  MAX_TRANSACTION_BYTES,
  type Transaction,
  type TransactionRequest,
  decodeTransaction,
  parseTransaction,
  signTransaction,
} from '@songhua/sdk/protocol/transaction'
import { codeOf, member } from './support.js'

const sender = member('sender')
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

const uint = (bits: bigint): fc.Arbitrary<bigint> => fc.bigInt({ min: 0n, max: 2n ** bits - 1n })
const hex = (length: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => bytesToHex(bytes))

const anyRequest: fc.Arbitrary<TransactionRequest> = fc
  .record({
    type: fc.constantFrom(0 as const, 1 as const, 2 as const),
    chainId: fc.bigInt({ min: 1n, max: 2n ** 53n - 1n }),
    // ethers has nonces as JavaScript numbers.
    nonce: fc.maxSafeNat().map(BigInt),
    gasLimit: uint(64n),
    to: fc.option(hex(20), { nil: undefined }),
    value: uint(256n),
    data: fc.uint8Array({ maxLength: 200 }),
    fees: fc.tuple(uint(128n), uint(128n)),
    accessList: fc.array(fc.record({ address: hex(20), storageKeys: fc.array(hex(32), { maxLength: 3 }) }), {
      maxLength: 3,
    }),
    isProtected: fc.boolean(),
  })
  .map(({ fees, isProtected, accessList, chainId, ...rest }) => {
    const [low, high] = fees[0] < fees[1] ? fees : [fees[1], fees[0]]
    if (rest.type === 0) return { ...rest, chainId: isProtected ? chainId : undefined, maxFeePerGas: high }
    const priority = rest.type === 2 ? { maxPriorityFeePerGas: low } : {}
    return { ...rest, chainId, accessList, maxFeePerGas: high, ...priority }
  })

function toEthers(request: TransactionRequest): EthersTransaction {
  const { type, chainId, accessList, maxFeePerGas, maxPriorityFeePerGas, data, to, ...rest } = request
  const fees = type === 2 ? { maxFeePerGas, maxPriorityFeePerGas } : { gasPrice: maxFeePerGas }
  const transaction = EthersTransaction.from({
    type: type ?? 2,
    to: to ?? null,
    data: bytesToHex(data!),
    nonce: Number(rest.nonce),
    gasLimit: rest.gasLimit,
    value: rest.value!,
    ...(chainId === undefined ? {} : { chainId }),
    ...(type === 0 ? {} : { accessList: accessList! }),
    ...(fees as { gasPrice: bigint }),
  })
  transaction.signature = new SigningKey(sender.privateKey).sign(transaction.unsignedHash)
  return transaction
}

function expectSame(ours: Transaction, theirs: EthersTransaction): void {
  expect(bytesToHex(ours.raw)).toBe(theirs.serialized)
  expect(ours.hash).toBe(theirs.hash)
  expect(ours.sender).toBe(theirs.from!.toLowerCase())
  expect(ours.type).toBe(theirs.type)
  expect(ours.chainId ?? 0n).toBe(theirs.chainId)
  expect(Number(ours.nonce)).toBe(theirs.nonce)
  expect(ours.gasLimit).toBe(theirs.gasLimit)
  expect(ours.maxFeePerGas).toBe(theirs.maxFeePerGas ?? theirs.gasPrice)
  expect(ours.maxPriorityFeePerGas).toBe(theirs.maxPriorityFeePerGas ?? theirs.gasPrice)
  expect(ours.to).toBe(theirs.to?.toLowerCase())
  expect(ours.value).toBe(theirs.value)
  expect(bytesToHex(ours.data)).toBe(theirs.data)
  expect(ours.yParity).toBe(theirs.signature!.yParity)
  expect(ours.r).toBe(BigInt(theirs.signature!.r))
  expect(ours.s).toBe(BigInt(theirs.signature!.s))
  const keys = (theirs.accessList ?? []).map((entry) => ({ ...entry, address: entry.address.toLowerCase() }))
  expect(ours.accessList).toEqual(keys)
}

describe('against ethers', () => {
  it('signs and reads any transaction alike', () => {
    fc.assert(
      fc.property(anyRequest, (request) => {
        const theirs = toEthers(request)
        const ours = signTransaction(request, sender.privateKey)
        expectSame(ours, theirs)
        expectSame(decodeTransaction(hexToBytes(theirs.serialized)), theirs)
      }),
      { numRuns: 60 },
    )
  })

  it('reads what a Wallet sends', async () => {
    const wallet = new Wallet(bytesToHex(sender.privateKey))
    const request = { type: 2, chainId: 230099, nonce: 0, gasLimit: 21_000, to: wallet.address, maxFeePerGas: 0 }
    const transaction = decodeTransaction(hexToBytes(await wallet.signTransaction(request)))
    expect(transaction).toMatchObject({ sender: sender.address, to: sender.address, chainId: 230099n, nonce: 0n })
  })

  it('reads the example of EIP-155', () => {
    const raw =
      '0xf86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2' +
      '195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d8' +
      '3'
    const transaction = decodeTransaction(hexToBytes(raw))
    expect(transaction.sender).toBe('0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f')
    expect(transaction).toMatchObject({ type: 0, chainId: 1n, nonce: 9n, gasLimit: 21_000n, value: 10n ** 18n })
  })
})

const base: TransactionRequest = { chainId: 5, nonce: 1, gasLimit: 21_000, to: `0x${'ab'.repeat(20)}`, value: 7n }

describe('bounds of what may be signed', () => {
  it.each<[string, Partial<TransactionRequest>]>([
    ['TX_NONCE', { nonce: 2n ** 64n - 1n }],
    ['TX_FIELD', { nonce: -1 }],
    ['TX_FIELD', { gasLimit: 2n ** 64n }],
    ['TX_FIELD', { value: 2n ** 256n }],
    ['TX_FIELD', { type: 0, accessList: [{ address: `0x${'00'.repeat(20)}`, storageKeys: [] }] }],
    ['TX_FIELD', { type: 1, maxFeePerGas: 2n, maxPriorityFeePerGas: 1n }],
    ['TX_FEES', { maxFeePerGas: 1n, maxPriorityFeePerGas: 2n }],
    ['TX_CHAIN_ID', { chainId: undefined }],
    ['TX_CHAIN_ID', { chainId: 0 }],
    ['TX_CHAIN_ID', { chainId: 2n ** 64n }],
    ['HEX_INVALID', { to: '0x1234' }],
    ['TX_TOO_LARGE', { data: new Uint8Array(MAX_TRANSACTION_BYTES) }],
  ])('%s (%#)', (code, change) => {
    expect(codeOf(() => signTransaction({ ...base, ...change }, sender.privateKey))).toBe(code)
  })

  it('go up to nonce 2^64 − 2 and to the size limit', () => {
    expect(signTransaction({ ...base, nonce: 2n ** 64n - 2n }, sender.privateKey).nonce).toBe(2n ** 64n - 2n)
    const data = new Uint8Array(MAX_TRANSACTION_BYTES - 200)
    expect(signTransaction({ ...base, data }, sender.privateKey).data.length).toBe(data.length)
  })
})

/** The fields of a signed transaction with some replaced, encoded again. */
function forged(transaction: Transaction, changes: Record<number, RlpItem>): Uint8Array {
  const { type, raw } = transaction
  const fields = decodeRlp(type === 0 ? raw : raw.subarray(1)) as RlpItem[]
  const changed = encodeRlp(fields.map((field, index) => changes[index] ?? field))
  return type === 0 ? changed : concatBytes(Uint8Array.of(type), changed)
}

describe('bad transactions', () => {
  const legacy = signTransaction({ ...base, type: 0 }, sender.privateKey)
  const listed = signTransaction({ ...base, type: 1 }, sender.privateKey)
  const modern = signTransaction(base, sender.privateKey)
  const max256 = bigintToBytes(2n ** 256n)
  const entry = (address: number, key: number): RlpItem => [[new Uint8Array(address), [new Uint8Array(key)]]]

  it.each<[string, string, Uint8Array]>([
    ['no bytes', 'TX_EMPTY', new Uint8Array(0)],
    ['too many bytes', 'TX_TOO_LARGE', new Uint8Array(MAX_TRANSACTION_BYTES + 1).fill(0xff)],
    ['a blob transaction', 'TX_TYPE', Uint8Array.of(3, 0xc0)],
    ['an unknown type', 'TX_TYPE', Uint8Array.of(0x7f, 0xc0)],
    ['type 0 written out', 'TX_TYPE', concatBytes(Uint8Array.of(0), legacy.raw)],
    ['a type alone', 'RLP_TRUNCATED', Uint8Array.of(2)],
    ['an empty list', 'RLP_FIELD', Uint8Array.of(2, 0xc0)],
    ['a byte behind', 'RLP_TRAILING_BYTES', concatBytes(modern.raw, Uint8Array.of(0))],
    ['a byte less', 'RLP_TRUNCATED', modern.raw.subarray(0, -1)],
    ['a list for data', 'RLP_FIELD', forged(modern, { 7: [] })],
    ['a field too many', 'RLP_FIELD', encodeRlp([...(decodeRlp(legacy.raw) as RlpItem[]), new Uint8Array(0)])],
    ['to of 19 bytes', 'TX_TO', forged(modern, { 5: new Uint8Array(19) })],
    ['to of 21 bytes', 'TX_TO', forged(legacy, { 3: new Uint8Array(21) })],
    ['nonce 2^64 − 1', 'TX_NONCE', forged(modern, { 1: bigintToBytes(2n ** 64n - 1n) })],
    ['nonce 2^64', 'RLP_FIELD', forged(modern, { 1: bigintToBytes(2n ** 64n) })],
    ['gas limit 2^64', 'RLP_FIELD', forged(modern, { 4: bigintToBytes(2n ** 64n) })],
    ['value 2^256', 'RLP_FIELD', forged(modern, { 6: max256 })],
    ['gas price 2^256', 'RLP_FIELD', forged(legacy, { 1: max256 })],
    ['a leading zero', 'RLP_FIELD', forged(modern, { 6: Uint8Array.of(0, 7) })],
    ['a zero byte for 0', 'RLP_FIELD', forged(modern, { 2: Uint8Array.of(0) })],
    ['priority above the maximum', 'TX_FEES', forged(modern, { 2: Uint8Array.of(9), 3: Uint8Array.of(8) })],
    ['chain id 0', 'TX_CHAIN_ID', forged(modern, { 0: new Uint8Array(0) })],
    ['chain id 2^64', 'RLP_FIELD', forged(listed, { 0: bigintToBytes(2n ** 64n) })],
    ['parity 2', 'TX_V', forged(modern, { 9: Uint8Array.of(2) })],
    ['parity 27', 'TX_V', forged(listed, { 8: Uint8Array.of(27) })],
    ['v 0', 'TX_V', forged(legacy, { 6: new Uint8Array(0) })],
    ['v 29', 'TX_V', forged(legacy, { 6: Uint8Array.of(29) })],
    ['v 35, chain id 0', 'TX_V', forged(legacy, { 6: Uint8Array.of(35) })],
    ['v 36, chain id 0', 'TX_V', forged(legacy, { 6: Uint8Array.of(36) })],
    ['v for chain id 2^64', 'TX_V', forged(legacy, { 6: bigintToBytes(2n ** 65n + 35n) })],
    ['r 0', 'SIGNATURE_RANGE', forged(modern, { 10: new Uint8Array(0) })],
    ['s 0', 'SIGNATURE_RANGE', forged(modern, { 11: new Uint8Array(0) })],
    ['s the order', 'SIGNATURE_RANGE', forged(modern, { 11: bigintToBytes(ORDER) })],
    ['high s', 'SIGNATURE_HIGH_S', forged(legacy, { 8: bigintToBytes(ORDER - legacy.s) })],
    ['r of 33 bytes', 'RLP_FIELD', forged(modern, { 10: max256 })],
    ['access list: address of 19 bytes', 'RLP_FIELD', forged(modern, { 8: entry(19, 32) })],
    ['access list: key of 31 bytes', 'RLP_FIELD', forged(listed, { 7: entry(20, 31) })],
    ['access list: bytes', 'RLP_FIELD', forged(listed, { 7: Uint8Array.of(1) })],
    ['access list: too deep', 'RLP_TOO_DEEP', forged(listed, { 7: [[new Uint8Array(20), [[new Uint8Array(32)]]]] })],
  ])('%s is refused with %s', (_, code, raw) => {
    expect(codeOf(() => decodeTransaction(raw))).toBe(code)
  })

  it('never come back under the same sender after any change of a byte', () => {
    fc.assert(
      fc.property(fc.nat(modern.raw.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const raw = modern.raw.slice()
        raw[at] = raw[at]! ^ flip
        let transaction
        try {
          transaction = decodeTransaction(raw)
        } catch (error) {
          expect(error).toHaveProperty('code')
          return
        }
        expect(transaction.sender).not.toBe(sender.address)
      }),
      { numRuns: 150 },
    )
  })

  it('are refused with a code, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (raw) => {
        expect(codeOf(() => decodeTransaction(raw))).toMatch(/^(TX|RLP|SIGNATURE)_/)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('reading', () => {
  it('keeps no larger buffer alive and does not change with its source', () => {
    const transaction = signTransaction({ ...base, data: Uint8Array.of(1, 2, 3) }, sender.privateKey)
    const frame = Buffer.alloc(1000)
    frame.set(transaction.raw, 100)
    const read = decodeTransaction(frame.subarray(100, 100 + transaction.raw.length))
    frame.fill(0)
    expect(read).toEqual(transaction)
    expect(read.raw.buffer.byteLength).toBe(read.raw.length)
  })

  it('takes a sender that is known, and none when only parsing', () => {
    const transaction = signTransaction(base, sender.privateKey)
    const known = `0x${'11'.repeat(20)}` as const
    expect(decodeTransaction(transaction.raw, { sender: known }).sender).toBe(known)
    expect(parseTransaction(transaction.raw)).not.toHaveProperty('sender')
  })
})
