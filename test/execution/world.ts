import { createBlockExecutor, type BlockExecutor } from '@songhua/node/execution/block-executor'
import { createEthereumjsEvm } from '@songhua/node/execution/ethereumjs-evm'
import type { BlockContext, Evm } from '@songhua/node/execution/evm'
import { chainRules } from '@songhua/node/execution/rules'
import { type StateDiff, type StateReader, emptyStateDiff } from '@songhua/node/trie/state'
import { EMPTY_ACCOUNT } from '@songhua/sdk/protocol/account'
import { type Address, EMPTY_BYTES, type Hash, ZERO_HASH } from '@songhua/sdk/protocol/bytes'
import { keccak256Hex, privateKeyToAddress } from '@songhua/sdk/protocol/crypto'
import { type Transaction, type TransactionRequest, signTransaction } from '@songhua/sdk/protocol/transaction'

export const CHAIN_ID = 230099
export const MEMBERSHIP: Address = '0x0000000000000000000000000000000000230002'
export const COINBASE: Address = `0x${'c0'.repeat(20)}`
export const ALICE_KEY = new Uint8Array(32).fill(0xa1)
export const BOB_KEY = new Uint8Array(32).fill(0xb0)
export const ALICE = privateKeyToAddress(ALICE_KEY)
export const BOB = privateKeyToAddress(BOB_KEY)
export const ETHER = 10n ** 18n

export const RULES = chainRules(CHAIN_ID)

export const BLOCK: BlockContext = {
  number: 7,
  timestamp: 1_800_000_000,
  coinbase: COINBASE,
  gasLimit: 8_000_000n,
  baseFeePerGas: 0n,
  prevRandao: ZERO_HASH,
  blobBaseFee: 1n,
  blockHash: (number) => (number >= 0 && number < 7 ? `0x${String(number).repeat(64)}` : undefined),
}

export interface AccountFixture {
  balance?: bigint
  nonce?: bigint
  code?: Uint8Array
  storage?: [slot: bigint, value: bigint][]
}

export function slotOf(slot: bigint): Hash {
  return `0x${slot.toString(16).padStart(64, '0')}`
}

export function diffOf(accounts: Record<Address, AccountFixture>): StateDiff {
  const diff = emptyStateDiff()
  for (const [address, { balance = 0n, nonce = 0n, code = EMPTY_BYTES, storage = [] }] of Object.entries(accounts)) {
    const codeHash = keccak256Hex(code)
    diff.codes.set(codeHash, code)
    diff.accounts.set(address as Address, { ...EMPTY_ACCOUNT, balance, nonce, codeHash })
    diff.storage.set(address as Address, new Map(storage.map(([slot, value]) => [slotOf(slot), value])))
  }
  return diff
}

/** A flat state in memory, to which diffs are applied in order. */
export function stateOf(...diffs: StateDiff[]): StateReader {
  const accounts = new Map<Address, NonNullable<ReturnType<StateReader['getAccount']>>>()
  const storage = new Map<Address, Map<Hash, bigint>>()
  const codes = new Map<Hash, Uint8Array>()
  for (const diff of diffs) {
    for (const address of diff.cleared) storage.delete(address)
    for (const [address, account] of diff.accounts) {
      if (account !== null) accounts.set(address, account)
      else {
        accounts.delete(address)
        storage.delete(address)
      }
    }
    for (const [address, slots] of diff.storage) storage.set(address, new Map([...(storage.get(address) ?? []), ...slots]))
    for (const [hash, code] of diff.codes) codes.set(hash, code)
  }
  return {
    getAccount: (address) => accounts.get(address),
    getStorage: (address, slot) => storage.get(address)?.get(slot) ?? 0n,
    getCode(codeHash) {
      const code = codes.get(codeHash)
      if (code === undefined) throw new RangeError(`no code ${codeHash}`)
      return code
    },
  }
}

export function createState(accounts: Record<Address, AccountFixture>): StateReader {
  return stateOf(diffOf(accounts))
}

export function sign(request: Partial<TransactionRequest>, key = ALICE_KEY): Transaction {
  return signTransaction({ chainId: CHAIN_ID, nonce: 0, gasLimit: 100_000, ...request }, key)
}

let evm: Promise<Evm> | undefined

export function sharedEvm(): Promise<Evm> {
  return (evm ??= createEthereumjsEvm({ chainId: BigInt(CHAIN_ID) }))
}

export async function createExecutor(): Promise<BlockExecutor> {
  return createBlockExecutor({ evm: await sharedEvm(), rules: RULES, membershipContract: MEMBERSHIP, permission: undefined })
}

const MNEMONICS: Record<string, number> = {
  STOP: 0, ADD: 1, SUB: 3, LT: 0x10, ISZERO: 0x15, CALLER: 0x33, CALLVALUE: 0x34, CALLDATALOAD: 0x35, CALLDATASIZE: 0x36, CALLDATACOPY: 0x37,
  COINBASE: 0x41, BLOCKHASH: 0x40, NUMBER: 0x43, CHAINID: 0x46, BASEFEE: 0x48, BLOBHASH: 0x49, BLOBBASEFEE: 0x4a, POP: 0x50, MLOAD: 0x51, MSTORE: 0x52, SLOAD: 0x54,
  SSTORE: 0x55, JUMP: 0x56, JUMPI: 0x57, GAS: 0x5a, JUMPDEST: 0x5b, TLOAD: 0x5c, TSTORE: 0x5d, DUP1: 0x80, LOG1: 0xa1, CREATE: 0xf0, CALL: 0xf1, RETURN: 0xf3,
  REVERT: 0xfd, INVALID: 0xfe, SELFDESTRUCT: 0xff, CODECOPY: 0x39,
}

/** EVM code from mnemonics and numbers; a number is pushed in as few bytes as it takes. */
export function assemble(source: string): Uint8Array {
  return Uint8Array.from(source.trim().split(/\s+/).flatMap((word) => {
    const opcode = MNEMONICS[word]
    if (opcode !== undefined) return [opcode]
    const digits = BigInt(word).toString(16)
    const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex')
    return [0x5f + bytes.length, ...bytes]
  }))
}
