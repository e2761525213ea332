/**
 * The dearest block: how much gas a second our executor does when a block holds nothing but one opcode or precompile.
 * The block gas limit is chosen from the worst line: on two shared cores modular exponentiation of 16 bytes by 32 did
 * 6.5 Mgas/s, calls and bn256 6.7 to 8, everything else more, so that 6.5 M gas take 1 s. Of 8 bytes by 75, the dearest,
 * it did 4.8: 1.34 s, with 1.33 s a third of the round's 4 s. A state of 200,000 accounts, as many slots and 2,500 contracts of 24 kB on disk stays far below.
 * Run, after a build: npx tsx test/bench/dear-block.ts [part of a name]
 */
import { addressAt, createBigState, type BigState } from './dear-state.js'
import { createEthereumjsEvm } from '@songhua/node/execution/ethereumjs-evm'
import { createBlockExecutor } from '@songhua/node/execution/block-executor'
import { installNativeCrypto } from '@songhua/node/execution/native-crypto'
import { chainRules } from '@songhua/node/execution/rules'
import type { BlockContext } from '@songhua/node/execution/evm'
import type { NodeStore, StateReader } from '@songhua/node/trie/state'
import { updateStateTrie } from '@songhua/node/trie/state-trie'
import { type Account, EMPTY_ACCOUNT, EMPTY_TRIE_ROOT } from '@songhua/sdk/protocol/account'
import { type Address, type Hash, ZERO_HASH, concatBytes, padLeft, bigintToBytes } from '@songhua/sdk/protocol/bytes'
import { keccak256, keccak256Hex } from '@songhua/sdk/protocol/crypto'
import { type Transaction, decodeTransaction, signTransaction } from '@songhua/sdk/protocol/transaction'

const CHAIN_ID = 230099
const BLOCK_GAS = 8_000_000n
const KEY = new Uint8Array(32).fill(7)
const CONTRACT: Address = `0x${'c0de'.padStart(40, '0')}`
const BIG_CODE: Address = `0x${'b16c'.padStart(40, '0')}`
const MEMBERSHIP: Address = `0x${'ab'.padStart(40, '0')}`
/** Reverts at once. */
const REVERTER: Address = `0x${'0bad'.padStart(40, '0')}`
/** Answers 32 kB. */
const RETURNER: Address = `0x${'0fed'.padStart(40, '0')}`
/** The big state: accounts, and contracts of the largest size. */
const FIRST_ACCOUNT = 0x1000_0000n
const FIRST_CODE = 0x2000_0000n
const BIG = { accounts: 200_000, slots: 200_000, codes: 2_500 } as const

const OP = {
  ADD: 0x01, MUL: 0x02, SUB: 0x03, DIV: 0x04, SDIV: 0x05, MOD: 0x06, SMOD: 0x07, ADDMOD: 0x08, MULMOD: 0x09, EXP: 0x0a, SIGNEXTEND: 0x0b,
  LT: 0x10, GT: 0x11, SLT: 0x12, EQ: 0x14, ISZERO: 0x15, AND: 0x16, OR: 0x17, NOT: 0x19, BYTE: 0x1a, SHL: 0x1b, SHR: 0x1c, SAR: 0x1d, KECCAK256: 0x20,
  ADDRESS: 0x30, BALANCE: 0x31, CALLER: 0x33, CALLDATALOAD: 0x35, CALLDATACOPY: 0x37, CODECOPY: 0x39, GASPRICE: 0x3a, EXTCODESIZE: 0x3b, EXTCODECOPY: 0x3c, RETURNDATACOPY: 0x3e,
  EXTCODEHASH: 0x3f, BLOCKHASH: 0x40, COINBASE: 0x41, SELFBALANCE: 0x47, POP: 0x50, MLOAD: 0x51, MSTORE: 0x52, MSTORE8: 0x53, SLOAD: 0x54, SSTORE: 0x55, JUMP: 0x56, JUMPI: 0x57, PC: 0x58,
  MSIZE: 0x59, GAS: 0x5a, JUMPDEST: 0x5b, TLOAD: 0x5c, TSTORE: 0x5d, MCOPY: 0x5e, PUSH0: 0x5f, DUP1: 0x80, DUP2: 0x81, DUP4: 0x83, DUP6: 0x85, SWAP1: 0x90, SWAP16: 0x9f, LOG0: 0xa0, LOG4: 0xa4,
  CREATE: 0xf0, CALL: 0xf1, RETURN: 0xf3, REVERT: 0xfd, SELFDESTRUCT: 0xff, CREATE2: 0xf5, DELEGATECALL: 0xf4, STATICCALL: 0xfa, STOP: 0x00,
} as const

type Step = keyof typeof OP | bigint | number

function assemble(steps: readonly Step[]): Uint8Array {
  return concatBytes(...steps.map((step) => {
    if (typeof step === 'string') return Uint8Array.of(OP[step])
    const bytes = bigintToBytes(BigInt(step))
    return bytes.length === 0 ? Uint8Array.of(OP.PUSH0) : concatBytes(Uint8Array.of(OP.PUSH0 + bytes.length), bytes)
  }))
}

interface Workload {
  name: string
  /** Once, in front. Leaves a counter on the stack when the body counts. */
  before?: Step[]
  body: Step[]
  /** The body in one turn of the loop. */
  times?: number
  calldata?: Uint8Array
  /** Gas left at which the loop stops: above what one turn takes. */
  reserve?: bigint
  /** In place of one transaction to the contract: the raw bytes of as many as fill a block. */
  raw?: () => Uint8Array[]
}

function codeOf({ before = [0], body, times = 1, reserve = 700_000n }: Workload): Uint8Array {
  const start = assemble(before)
  const turns = Array.from({ length: times }, () => body).flat()
  return concatBytes(start, assemble(['JUMPDEST', ...turns, reserve, 'GAS', 'GT', BigInt(start.length), 'JUMPI', 'STOP']))
}

const MAX = 2n ** 256n - 1n
const word = (value: bigint): Uint8Array => padLeft(bigintToBytes(value), 32)
const count = (...steps: Step[]): Step[] => [...steps, 1, 'ADD']
const binary = (op: Step, a = MAX, b = MAX - 12345n): Step[] => [a, b, op, 'POP']

/** STATICCALL of a precompile with calldata in memory. */
function precompile(name: string, address: number, data: Uint8Array, outBytes = 32): Workload {
  return {
    name,
    calldata: data,
    before: [data.length, 0, 0, 'CALLDATACOPY'],
    body: [outBytes, data.length, data.length, 0, address, 'GAS', 'STATICCALL', 'POP'],
    times: 10,
    reserve: 1_500_000n,
  }
}

/** The base must not be a multiple of the modulus: zero is fast. */
function modexp(length: number, exponent: Uint8Array): Uint8Array {
  const modulus = odd(length)
  const base = Uint8Array.from(modulus, (byte) => byte ^ 0x5a)
  return concatBytes(...[base, exponent, modulus].map(({ length }) => word(BigInt(length))), base, exponent, modulus)
}

const ones = (length: number): Uint8Array => new Uint8Array(length).fill(0xff)
/** All ones are even-free but smooth; a modulus with a high bit and no pattern is the common worst case. */
const odd = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i === 0 ? 0xf1 : i === length - 1 ? 0x97 : (i * 73 + 11) & 255))

function ecrecoverInput(): Uint8Array {
  const transaction = signTransaction({ chainId: CHAIN_ID, nonce: 0, gasLimit: 21000 }, KEY)
  const digest = keccak256(transaction.raw)
  return concatBytes(digest, word(27n), word(transaction.r), word(transaction.s))
}

const G1 = concatBytes(word(1n), word(2n))
const G2 = concatBytes(
  word(0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2n), word(0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6edn),
  word(0x090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975bn), word(0x12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daan))

function workloads(): Workload[] {
  const dear = ['MUL', 'DIV', 'SDIV', 'MOD', 'SMOD', 'EXP', 'SIGNEXTEND', 'BYTE', 'SHL', 'SAR', 'LT', 'SLT'] as const
  return [
    { name: 'JUMPDEST', body: ['JUMPDEST'], times: 2000 },
    { name: 'PUSH1 POP', body: [1, 'POP'], times: 2000 },
    { name: 'PUSH32 POP', body: [MAX, 'POP'], times: 500 },
    { name: 'PUSH0 POP', body: ['PUSH0', 'POP'], times: 2000 },
    { name: 'DUP SWAP POP', before: Array.from({ length: 20 }, () => 5), body: ['DUP1', 'SWAP16', 'POP'], times: 1000 },
    { name: 'PC POP', body: ['PC', 'POP'], times: 2000 },
    { name: 'GAS POP', body: ['GAS', 'POP'], times: 2000 },
    { name: 'CALLER POP', body: ['CALLER', 'POP'], times: 2000 },
    { name: 'SELFBALANCE', body: ['SELFBALANCE', 'POP'], times: 2000 },
    { name: 'ADD', body: binary('ADD'), times: 200 },
    ...dear.map((op) => ({ name: op, body: binary(op, op === 'SHL' || op === 'SAR' ? 255n : op === 'DIV' || op === 'MOD' ? (1n << 127n) + 9n : MAX - 1n), times: 200 })),
    { name: 'MULMOD', body: [MAX - 2n, MAX, MAX - 1n, 'MULMOD', 'POP'], times: 150 },
    { name: 'ADDMOD', body: [MAX - 2n, MAX, MAX - 1n, 'ADDMOD', 'POP'], times: 150 },
    { name: 'EXP 1 byte', body: [255n, MAX, 'EXP', 'POP'], times: 300 },
    { name: 'MLOAD', body: [0, 'MLOAD', 'POP'], times: 1000 },
    { name: 'MSTORE', body: [1, 0, 'MSTORE'], times: 1000 },
    { name: 'MSTORE8', body: [1, 0, 'MSTORE8'], times: 1000 },
    { name: 'memory growth', before: [0], body: ['DUP1', 'DUP1', 'MSTORE', 32, 'ADD'], times: 100 },
    { name: 'CALLDATALOAD', body: [0, 'CALLDATALOAD', 'POP'], times: 1000, calldata: ones(64) },
    { name: 'MCOPY 32', body: [32, 0, 32, 'MCOPY'], times: 500 },
    { name: 'MCOPY 32 kB', body: [32768, 0, 1, 'MCOPY'], times: 20 },
    { name: 'CALLDATACOPY 32', body: [32, 0, 0, 'CALLDATACOPY'], times: 500 },
    { name: 'CODECOPY 24 kB', body: [24576, 0, 0, 'CODECOPY'], times: 20 },
    { name: 'KECCAK256 32', body: [32, 0, 'KECCAK256', 'POP'], times: 300 },
    { name: 'KECCAK256 0', body: [0, 0, 'KECCAK256', 'POP'], times: 300 },
    { name: 'KECCAK256 136', body: [136, 0, 'KECCAK256', 'POP'], times: 300 },
    { name: 'KECCAK256 64 kB', body: [65536, 0, 'KECCAK256', 'POP'], times: 10 },
    { name: 'SLOAD warm', body: [0, 'SLOAD', 'POP'], times: 500 },
    { name: 'SLOAD cold', body: count('DUP1', 'SLOAD', 'POP'), times: 100, reserve: 700_000n },
    { name: 'SSTORE new', body: count('DUP1', 'DUP1', 'SSTORE'), times: 10, before: [1], reserve: 700_000n },
    { name: 'SSTORE same warm', body: [0, 0, 'SSTORE'], times: 300 },
    { name: 'SSTORE dirty', before: [1, 5, 'SSTORE', 1], body: count('DUP1', 5, 'SSTORE'), times: 300 },
    { name: 'SSTORE cold noop', body: count('PUSH0', 'DUP2', 'SSTORE'), times: 100, reserve: 700_000n },
    { name: 'TLOAD', body: [0, 'TLOAD', 'POP'], times: 500 },
    { name: 'TSTORE', body: [1, 0, 'TSTORE'], times: 500 },
    { name: 'TSTORE new', body: count('DUP1', 'DUP1', 'TSTORE'), times: 300, before: [1] },
    { name: 'BALANCE warm', body: ['ADDRESS', 'BALANCE', 'POP'], times: 500 },
    { name: 'BALANCE cold', body: count('DUP1', 'BALANCE', 'POP'), times: 50, before: [0x10000] },
    { name: 'EXTCODESIZE warm', body: [BigInt(BIG_CODE), 'EXTCODESIZE', 'POP'], times: 300 },
    { name: 'EXTCODESIZE cold', body: count('DUP1', 'EXTCODESIZE', 'POP'), times: 50, before: [0x10000] },
    { name: 'EXTCODEHASH warm', body: [BigInt(BIG_CODE), 'EXTCODEHASH', 'POP'], times: 300 },
    { name: 'EXTCODECOPY 32 warm', body: [32, 0, 0, BigInt(BIG_CODE), 'EXTCODECOPY'], times: 300 },
    { name: 'EXTCODECOPY 24 kB', body: [24576, 0, 0, BigInt(BIG_CODE), 'EXTCODECOPY'], times: 20 },
    { name: 'BLOCKHASH', body: [1, 'BLOCKHASH', 'POP'], times: 300 },
    { name: 'LOG0', body: [0, 0, 'LOG0'], times: 100 },
    { name: 'LOG4', body: [4, 3, 2, 1, 32, 0, 'LOG4'], times: 100 },
    { name: 'LOG0 8 kB', body: [8192, 0, 'LOG0'], times: 3, reserve: 700_000n },
    { name: 'CALL empty account', body: [0, 0, 0, 0, 0, 0xffff, 'GAS', 'CALL', 'POP'], times: 100 },
    { name: 'STATICCALL empty', body: [0, 0, 0, 0, 0xffff, 'GAS', 'STATICCALL', 'POP'], times: 100 },
    { name: 'DELEGATECALL empty', body: [0, 0, 0, 0, 0xffff, 'GAS', 'DELEGATECALL', 'POP'], times: 100 },
    { name: 'STATICCALL 24 kB code', body: [0, 0, 0, 0, BigInt(BIG_CODE), 'GAS', 'STATICCALL', 'POP'], times: 100 },
    { name: 'CALL cold account', body: count(0, 0, 0, 0, 0, 'DUP6', 0, 'CALL', 'POP'), times: 1, before: [0x10000] },
    { name: 'CALL with value', body: [0, 0, 0, 0, 1, BigInt(BIG_CODE), 0, 'CALL', 'POP'], times: 50 },
    { name: 'CREATE empty', body: [0, 0, 0, 'CREATE', 'POP'], times: 3 },
    { name: 'CREATE2 48 kB initcode', body: count('DUP1', 49152, 0, 0, 'CREATE2', 'POP'), times: 1, reserve: 700_000n },
    { name: 'CREATE 24 kB contract', before: [0x6160005ff3n << 216n, 'PUSH0', 'MSTORE', 0], body: [5, 0, 0, 'CREATE', 'POP'], times: 1, reserve: 5_600_000n },
    precompile('ecrecover', 1, ecrecoverInput()),
    precompile('sha256 32 B', 2, ones(32)),
    precompile('sha256 32 kB', 2, ones(32768)),
    precompile('ripemd160 32 B', 3, ones(32)),
    precompile('ripemd160 32 kB', 3, ones(32768)),
    precompile('identity 0 B', 4, ones(0)),
    precompile('identity 32 kB', 4, ones(32768)),
    precompile('modexp 1 B, exp 32 B', 5, modexp(1, ones(32))),
    precompile('modexp 8 B, exp 32 B', 5, modexp(8, ones(32))),
    precompile('modexp 8 B, exp 40 B', 5, modexp(8, ones(40))),
    precompile('modexp 8 B, exp 75 B', 5, modexp(8, ones(75))),
    precompile('modexp 16 B, exp 48 B', 5, modexp(16, ones(48))),
    precompile('modexp 16 B, exp 32 B', 5, modexp(16, ones(32))),
    precompile('modexp 24 B, exp 32 B', 5, modexp(24, ones(32))),
    precompile('modexp 32 B, exp 32 B', 5, modexp(32, ones(32))),
    precompile('modexp 32 B, exp 512 B', 5, modexp(32, ones(512))),
    precompile('modexp 64 B, exp 64 B', 5, modexp(64, ones(64)), 64),
    precompile('modexp 128 B, exp 32 B', 5, modexp(128, ones(32))),
    precompile('modexp 256 B, exp 3 B', 5, modexp(256, Uint8Array.of(1, 0, 1))),
    precompile('modexp 512 B, exp 32 B', 5, modexp(512, ones(32))),
    precompile('modexp 1 kB, exp 1 B', 5, modexp(1024, Uint8Array.of(3))),
    precompile('bn256 add', 6, concatBytes(G1, G1), 64),
    precompile('bn256 mul', 7, concatBytes(G1, ones(32)), 64),
    precompile('bn256 pairing 1', 8, concatBytes(G1, G2)),
    precompile('bn256 pairing 4', 8, concatBytes(...Array.from({ length: 4 }, () => [G1, G2]).flat())),
    precompile('blake2f 0 rounds', 9, concatBytes(new Uint8Array(4), ones(208), Uint8Array.of(1)), 64),
    precompile('blake2f 12 rounds', 9, concatBytes(Uint8Array.of(0, 0, 0, 12), ones(208), Uint8Array.of(1)), 64),
    precompile('blake2f 100k rounds', 9, concatBytes(Uint8Array.of(0, 1, 0x86, 0xa0), ones(208), Uint8Array.of(1)), 64),
  ]
}

/** What journals, checkpoints and call frames cost when there is much in them. */
function frameWorkloads(): Workload[] {
  const call = (to: Address): Step[] => [0, 0, 0, 0, 0, BigInt(to), 'GAS', 'CALL', 'POP']
  const touched = Array.from({ length: 800 }, (_, at): Step[] => [FIRST_ACCOUNT + BigInt(at), 'BALANCE', 'POP']).flat()
  const transient = Array.from({ length: 1500 }, (_, at): Step[] => [1, at, 'TSTORE']).flat()
  const dirty = Array.from({ length: 60 }, (_, at): Step[] => [1, at + 1_000_000, 'SSTORE']).flat()
  const self: Step[] = [0, 0, 0, 0, 0, 'ADDRESS', 'GAS', 'CALL', 'POP']
  return [
    { name: 'CALL that reverts', body: call(REVERTER), times: 100 },
    { name: 'CALL without gas', body: [0, 0, 0, 0, 'ADDRESS', 0, 'STATICCALL', 'POP'], times: 100 },
    { name: 'CALL that answers 32 kB', body: call(RETURNER), times: 20 },
    { name: 'CALL after 800 cold accounts', before: touched, body: call(BIG_CODE), times: 100 },
    { name: 'CALL after 1500 transient slots', before: transient, body: call(BIG_CODE), times: 100 },
    { name: 'reverted CALL after 1500 transient slots', before: transient, body: call(REVERTER), times: 100 },
    { name: 'reverted CALL after 60 new slots', before: dirty, body: call(REVERTER), times: 100 },
    { name: 'recursion to the depth of the gas', body: self, reserve: 3_000n },
    { name: 'recursion with LOG0', body: [0, 0, 'LOG0', ...self], reserve: 4_000n },
    { name: 'recursion with TSTORE', body: ['GAS', 'GAS', 'TSTORE', ...self], reserve: 4_000n },
    { name: 'recursion with memory', body: [1, 4096, 'MSTORE', ...self], reserve: 4_000n },
    { name: 'one depth-first recursion, logs at the bottom', before: [...self, 0], body: [0, 0, 'LOG0'], times: 3, reserve: 3_000n },
    { name: 'CREATE and SELFDESTRUCT', before: [0x33ffn << 240n, 'PUSH0', 'MSTORE', 0], body: [2, 0, 0, 'CREATE', 'POP'], times: 3 },
    {
      name: 'CREATE2 48 kB initcode of JUMPDESTs', calldata: jumpyInitcode(), before: [49152, 0, 0, 'CALLDATACOPY', 0],
      body: count('DUP1', 49152, 0, 0, 'CREATE2', 'POP'),
    },
    { name: 'CALL with value to new accounts', before: [0x3000_0000n], body: count(0, 0, 0, 0, 1, 'DUP6', 0, 'CALL', 'POP') },
  ]
}

function jumpyInitcode(): Uint8Array {
  const code = new Uint8Array(49_152).fill(OP.JUMPDEST)
  code.set([0x60, 0x04, OP.JUMP, OP.STOP, OP.JUMPDEST, OP.STOP])
  return code
}

/** What a state of years costs to read and to change. */
function bigStateWorkloads(): Workload[] {
  return [
    { name: 'big state: SLOAD cold', before: [1], body: count('DUP1', 'SLOAD', 'POP'), times: 100 },
    { name: 'big state: SSTORE other value', before: [1], body: count('GAS', 'DUP2', 'SSTORE'), times: 10 },
    { name: 'big state: SSTORE zero', before: [1], body: count('PUSH0', 'DUP2', 'SSTORE'), times: 10 },
    { name: 'big state: SSTORE new', before: [1_000_000], body: count('GAS', 'DUP2', 'SSTORE'), times: 10 },
    { name: 'big state: BALANCE cold', before: [FIRST_ACCOUNT], body: count('DUP1', 'BALANCE', 'POP'), times: 50 },
    { name: 'big state: CALL with value', before: [FIRST_ACCOUNT], body: count(0, 0, 0, 0, 1, 'DUP6', 0, 'CALL', 'POP') },
    { name: 'big state: EXTCODESIZE cold 24 kB', before: [FIRST_CODE], body: count('DUP1', 'EXTCODESIZE', 'POP'), times: 20 },
    { name: 'big state: EXTCODEHASH cold', before: [FIRST_CODE], body: count('DUP1', 'EXTCODEHASH', 'POP'), times: 20 },
    { name: 'big state: EXTCODECOPY cold 32 B', before: [FIRST_CODE], body: count(32, 0, 0, 'DUP4', 'EXTCODECOPY'), times: 20 },
    { name: 'big state: CALL of cold 24 kB codes', before: [FIRST_CODE], body: count(0, 0, 0, 0, 0, 'DUP6', 'GAS', 'CALL', 'POP'), times: 10 },
  ]
}

/** Blocks of many transactions: signatures, nonces, receipts. */
function transactionWorkloads(): Workload[] {
  const to = (at: number): Address => addressAt(0x4000_0000n + BigInt(at))
  const many = (perBlock: number, fields: (at: number) => Partial<Parameters<typeof signTransaction>[0]>) => (): Uint8Array[] =>
    Array.from({ length: perBlock }, (_, nonce) =>
      signTransaction({ chainId: CHAIN_ID, nonce, gasLimit: 21_000, to: to(nonce), ...fields(nonce) }, KEY).raw)
  const keys = Array.from({ length: 1000 }, (_, at): Hash => `0x${at.toString(16).padStart(64, '0')}`)
  return [
    { name: 'transfers to new accounts', body: [], raw: many(380, () => ({ value: 1n })) },
    { name: 'transactions of 128 kB zeros', body: [], raw: many(13, () => ({ data: new Uint8Array(130_000), gasLimit: 541_000n })) },
    { name: 'access lists of 1000 keys', body: [], raw: many(4, () => ({ type: 1, gasLimit: 1_950_000n, accessList: [{ address: CONTRACT, storageKeys: keys }] })) },
    { name: 'creations of nothing', body: [], raw: many(150, () => ({ to: undefined, gasLimit: 53_000n })) },
  ]
}

function stateWith(code: Uint8Array, sender: Address, base?: BigState): StateReader & NodeStore {
  const big = new Uint8Array(24_576).fill(OP.JUMPDEST)
  big[0] = OP.STOP
  const reverter = assemble(['PUSH0', 'PUSH0', 'REVERT'])
  const returner = assemble([32768, 'PUSH0', 'RETURN'])
  const codes = new Map<Hash, Uint8Array>([code, big, reverter, returner].map((one) => [keccak256Hex(one), one]))
  const storageRoot = base?.reader.getAccount(CONTRACT)?.storageRoot ?? EMPTY_TRIE_ROOT
  const accounts = new Map<Address, Account>([
    [sender, { ...EMPTY_ACCOUNT, balance: 10n ** 30n }],
    [CONTRACT, { ...EMPTY_ACCOUNT, nonce: 1n, balance: 10n ** 18n, storageRoot, codeHash: keccak256Hex(code) }],
    [REVERTER, { ...EMPTY_ACCOUNT, nonce: 1n, codeHash: keccak256Hex(reverter) }],
    [RETURNER, { ...EMPTY_ACCOUNT, nonce: 1n, codeHash: keccak256Hex(returner) }],
    [BIG_CODE, { ...EMPTY_ACCOUNT, nonce: 1n, codeHash: keccak256Hex(big) }],
  ])
  return {
    getAccount: (address) => accounts.get(address) ?? base?.reader.getAccount(address),
    getStorage: (address, slot) => base?.reader.getStorage(address, slot) ?? 0n,
    getCode: (hash) => codes.get(hash) ?? base!.reader.getCode(hash),
    getNode: (hash) => base?.reader.getNode(hash),
  }
}

const block: BlockContext = {
  number: 2, timestamp: 1_700_000_000, coinbase: `0x${'c0'.padStart(40, '0')}`, gasLimit: BLOCK_GAS, baseFeePerGas: 0n,
  prevRandao: ZERO_HASH, blobBaseFee: 1n, blockHash: () => ZERO_HASH,
}

interface Line { name: string; mgasPerSecond: number; ms: number; gas: number; trieMs: number }

interface Bench { executor: ReturnType<typeof createBlockExecutor>; base: BigState | undefined }

async function measure(workload: Workload, { executor, base }: Bench): Promise<Line> {
  const data = workload.calldata ?? new Uint8Array(0)
  const raws = workload.raw?.() ?? [signTransaction({ chainId: CHAIN_ID, nonce: 0, gasLimit: BLOCK_GAS, to: CONTRACT, data }, KEY).raw]
  const { sender } = decodeTransaction(raws[0]!)
  let best: Line | undefined
  for (let round = 0; round < 2; round++) {
    // Anew, so that nothing stays warm from the round before but the pages of the disk.
    const state = stateWith(codeOf(workload), sender, base)
    const started = process.cpuUsage()
    const transactions: Transaction[] = raws.map((raw) => decodeTransaction(raw))
    const execution = await executor.executeBlock({ state, block, validators: [], transactions })
    const spent = process.cpuUsage(started)
    const receipt = execution.receipts[0]!
    if (receipt.status === 0) throw new RangeError(`${workload.name} failed after ${execution.gasUsed} gas`)
    const before = process.cpuUsage()
    updateStateTrie(state, base?.root ?? EMPTY_TRIE_ROOT, execution.diff)
    const trie = process.cpuUsage(before)
    const ms = (spent.user + spent.system) / 1000
    const gas = Number(execution.gasUsed)
    const line = { name: workload.name, ms, gas, mgasPerSecond: gas / ms / 1000, trieMs: (trie.user + trie.system) / 1000 }
    if (best === undefined || line.mgasPerSecond > best.mgasPerSecond) best = line
  }
  return best!
}

/** The gas limit of a block unless genesis says otherwise, and what a third of a round is. */
const DEFAULT_GAS_LIMIT = 6_500_000
const THIRD_OF_ROUND_MS = 4_000 / 3

async function main(): Promise<void> {
  console.log(JSON.stringify(await installNativeCrypto()))
  const evm = await createEthereumjsEvm({ chainId: BigInt(CHAIN_ID) })
  const executor = createBlockExecutor({ evm, rules: chainRules(CHAIN_ID), membershipContract: MEMBERSHIP, permission: undefined })
  const part = process.argv[2] ?? process.env.DEAR ?? ''
  const wanted = (some: Workload[]): Workload[] => some.filter(({ name }) => name.includes(part))
  const lines: Line[] = []
  for (const workload of wanted([...workloads(), ...frameWorkloads(), ...transactionWorkloads()])) {
    lines.push(await measure(workload, { executor, base: undefined }))
  }
  const onBigState = wanted(bigStateWorkloads())
  if (onBigState.length > 0) {
    const base = await createBigState({ ...BIG, firstAccount: FIRST_ACCOUNT, firstCode: FIRST_CODE, contract: CONTRACT, contractAccount: EMPTY_ACCOUNT })
    for (const workload of onBigState) lines.push(await measure(workload, { executor, base }))
    await base.close()
  }
  report(lines)
}

/** The dearest first, with what a block at the default limit takes: execution and trie. */
function report(lines: Line[]): void {
  const blockMs = ({ ms, gas, trieMs }: Line): number => ((ms + trieMs) * DEFAULT_GAS_LIMIT) / gas
  for (const line of lines.sort((a, b) => blockMs(b) - blockMs(a))) {
    const { name, ms, gas, mgasPerSecond, trieMs } = line
    const full = blockMs(line)
    const mark = full > THIRD_OF_ROUND_MS ? ' over a third of the round' : ''
    console.log(`${name.padEnd(46)} ${mgasPerSecond.toFixed(1).padStart(9)} Mgas/s ${ms.toFixed(0).padStart(6)} ms for ${gas} gas, `
      + `trie ${trieMs.toFixed(0)} ms; a block ${full.toFixed(0)} ms${mark}`)
  }
}

await main()
