import { describe, expect, it } from 'vitest'
import { JournaledState } from '@songhua/node/execution/journaled-state'
import { checkTransaction } from '@songhua/node/execution/transaction-check'
import type { Transaction } from '@songhua/sdk/protocol/transaction'
import { ALICE, BLOCK, BOB, ETHER, RULES, createState, sign } from './world.js'

function check(transaction: Transaction, overrides: Partial<Parameters<typeof checkTransaction>[1]> = {}): string | undefined {
  const state = new JournaledState(createState({ [ALICE]: { balance: ETHER, nonce: 4n } }))
  return checkTransaction(transaction, { state, block: BLOCK, rules: RULES, gasLeft: BLOCK.gasLimit, ...overrides })?.code
}

describe('checkTransaction', () => {
  it('lets a good one pass, without fees and with', () => {
    expect(check(sign({ nonce: 4, to: BOB, value: 1n }))).toBeUndefined()
    expect(check(sign({ nonce: 4, to: BOB, maxFeePerGas: 10n, maxPriorityFeePerGas: 1n }))).toBeUndefined()
    expect(check(sign({ nonce: 4, to: BOB, type: 0, maxFeePerGas: 10n }))).toBeUndefined()
  })

  it('refuses replay: from another chain, or without a chain', () => {
    expect(check(sign({ nonce: 4, chainId: 230000 }))).toBe('TX_WRONG_CHAIN')
    const unprotected = sign({ nonce: 4, type: 0, chainId: undefined })
    expect(check(unprotected)).toBe('TX_UNPROTECTED')
    expect(check(unprotected, { rules: { ...RULES, requireChainId: false } })).toBeUndefined()
  })

  it.each([
    ['TX_NONCE_TOO_LOW', { nonce: 3 }],
    ['TX_NONCE_TOO_HIGH', { nonce: 5 }],
    ['TX_INTRINSIC_GAS', { nonce: 4, to: BOB, gasLimit: 20_999 }],
    ['TX_INTRINSIC_GAS', { nonce: 4, to: BOB, gasLimit: 21_015, data: Uint8Array.of(1) }],
    ['TX_INTRINSIC_GAS', { nonce: 4, gasLimit: 52_999 }],
    ['TX_ABOVE_BLOCK_GAS', { nonce: 4, gasLimit: 8_000_001 }],
    ['TX_INIT_CODE_TOO_LARGE', { nonce: 4, gasLimit: 8_000_000, data: new Uint8Array(49_153) }],
    ['TX_INSUFFICIENT_FUNDS', { nonce: 4, value: ETHER + 1n }],
    ['TX_INSUFFICIENT_FUNDS', { nonce: 4, value: ETHER, maxFeePerGas: 1n }],
  ] as const)('%s: %o', (code, request) => {
    expect(check(sign(request))).toBe(code)
  })

  it('counts what the block has left, not what it had', () => {
    expect(check(sign({ nonce: 4, to: BOB, gasLimit: 50_000 }), { gasLeft: 49_999n })).toBe('TX_ABOVE_BLOCK_GAS')
    expect(check(sign({ nonce: 4, to: BOB, gasLimit: 50_000 }), { gasLeft: 50_000n })).toBeUndefined()
  })

  it('holds the fee cap against a base fee', () => {
    const block = { ...BLOCK, baseFeePerGas: 7n }
    expect(check(sign({ nonce: 4, to: BOB, maxFeePerGas: 6n }), { block })).toBe('TX_FEE_CAP_BELOW_BASE_FEE')
    expect(check(sign({ nonce: 4, to: BOB, maxFeePerGas: 7n }), { block })).toBeUndefined()
  })

  it('EIP-3607: a contract sends nothing', () => {
    const state = new JournaledState(createState({ [ALICE]: { balance: ETHER, nonce: 4n, code: Uint8Array.of(0) } }))
    expect(check(sign({ nonce: 4 }), { state })).toBe('TX_SENDER_HAS_CODE')
  })

  it('EIP-2681: the last nonce is never used', () => {
    const state = new JournaledState(createState({ [ALICE]: { balance: ETHER, nonce: 2n ** 64n - 1n } }))
    const transaction = { ...sign({}), nonce: 2n ** 64n - 1n }
    expect(check(transaction, { state })).toBe('TX_NONCE_EXHAUSTED')
  })

  it('an account that does not exist has nonce 0 and nothing', () => {
    const state = new JournaledState(createState({}))
    expect(check(sign({ to: BOB }), { state })).toBeUndefined()
    expect(check(sign({ to: BOB, value: 1n }), { state })).toBe('TX_INSUFFICIENT_FUNDS')
  })
})
