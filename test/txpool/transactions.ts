import { type Account, EMPTY_ACCOUNT } from '@songhua/sdk/protocol/account'
import { type Address, type Hash, EMPTY_BYTES } from '@songhua/sdk/protocol/bytes'
import type { Transaction } from '@songhua/sdk/protocol/transaction'
import type { PoolHead } from '@songhua/node/services/pool'

export const CHAIN_ID = 230099n
export const BLOCK_GAS_LIMIT = 30_000_000n

let made = 0

/** Sender number `number`. */
export function sender(number: number): Address {
  return `0x${number.toString(16).padStart(40, '0')}`
}

/** A decoded transaction whose signature nobody checks any more; every one has a hash of its own. */
export function transactionOf(from: Address, nonce: number, fields: Partial<Transaction> = {}): Transaction {
  const hash: Hash = `0x${(++made).toString(16).padStart(64, '0')}`
  return {
    type: 2, chainId: CHAIN_ID, nonce: BigInt(nonce), maxFeePerGas: 0n, maxPriorityFeePerGas: 0n, gasLimit: 21_000n,
    to: sender(0xffff), value: 0n, data: EMPTY_BYTES, accessList: [], yParity: 0, r: 1n, s: 1n, hash,
    raw: new Uint8Array(100), sender: from, ...fields,
  }
}

export function account(nonce = 0, balance = 0n): Account {
  return { ...EMPTY_ACCOUNT, nonce: BigInt(nonce), balance }
}

/** A head whose block changed these accounts and no storage. */
export function headOf(accounts: ReadonlyMap<Address, Account | null>): PoolHead {
  return { timestamp: 0, accounts, storage: new Map() }
}
