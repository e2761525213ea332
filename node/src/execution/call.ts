import { EMPTY_ACCOUNT } from '@songhua/sdk/protocol/account'
import { type Address, type Hash, EMPTY_BYTES } from '@songhua/sdk/protocol/bytes'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { MAX_INIT_CODE_BYTES, intrinsicGas } from '@songhua/sdk/protocol/intrinsic-gas'
import type { Log } from '@songhua/sdk/protocol/receipt'
import type { AccessListEntry } from '@songhua/sdk/protocol/transaction'
import type { StateReader } from '../trie/state.js'
import type { BlockContext, Evm, EvmFailure } from './evm.js'
import { JournaledState } from './journaled-state.js'
import { gasAfterRefund, warmForTransaction } from './transaction-run.js'

/** What `eth_call` and `eth_estimateGas` ask, with defaults filled in. Value and gas price in wei. */
export interface CallRequest {
  readonly from: Address
  /** Undefined creates a contract from `data`. */
  readonly to: Address | undefined
  /** Undefined means as much as is allowed. */
  readonly gas: bigint | undefined
  readonly gasPrice: bigint
  readonly value: bigint
  readonly data: Uint8Array
  readonly accessList: readonly AccessListEntry[]
}

/** geth's state overrides: `state` replaces the whole storage, `stateDiff` single slots. */
export interface AccountOverride {
  readonly balance?: bigint
  readonly nonce?: bigint
  readonly code?: Uint8Array
  readonly state?: ReadonlyMap<Hash, bigint>
  readonly stateDiff?: ReadonlyMap<Hash, bigint>
}

export type StateOverrides = ReadonlyMap<Address, AccountOverride>

export interface CallContext {
  readonly evm: Evm
  /** Any state, historical ones too. */
  readonly state: StateReader
  readonly block: BlockContext
  /** Bounds what one call may cost; `request.gas` above it is lowered. */
  readonly gasMax: bigint
  readonly overrides?: StateOverrides | undefined
}

export interface CallResult {
  /** As a transaction would pay, refunds included. */
  readonly gasUsed: bigint
  /** What the refunds took off. */
  readonly gasRefunded: bigint
  /** Return data; revert data when `failure.kind` is `revert`. */
  readonly output: Uint8Array
  readonly logs: Log[]
  readonly failure: { readonly kind: EvmFailure; readonly message: string } | undefined
}

export type CallErrorCode =
  | 'CALL_OVERRIDE_CONFLICT'
  | 'TX_INIT_CODE_TOO_LARGE'
  | 'TX_INTRINSIC_GAS'
  | 'TX_INSUFFICIENT_FUNDS'
  | 'CALL_REVERTED'
  | 'CALL_GAS_ALLOWANCE'
  | 'CALL_FAILED'

/**
 * Runs a message over a state and changes nothing. Nonce and signature are not asked for; gas and value must be paid
 * from the sender's balance, as in geth.
 * @throws CodedError of `CallErrorCode` when the call cannot start; a call that fails is a result
 */
export async function callOn(context: CallContext, request: CallRequest): Promise<CallResult> {
  const gas = request.gas === undefined || request.gas > context.gasMax ? context.gasMax : request.gas
  return runCall(stateForCall(context), context, { ...request, gas })
}

/** The state with its overrides, as if they had always been there. */
export function stateForCall({ state, overrides }: CallContext): JournaledState {
  const journaled = new JournaledState(state)
  for (const [address, override] of overrides ?? []) applyOverride(journaled, address, override)
  journaled.endTransaction([])
  return journaled
}

function applyOverride(state: JournaledState, address: Address, override: AccountOverride): void {
  const { balance, nonce, code, state: storage, stateDiff } = override
  if (storage !== undefined && stateDiff !== undefined) {
    const message = `the override of ${address} has both state and stateDiff; give one of them`
    throw new CodedError<CallErrorCode>('CALL_OVERRIDE_CONFLICT', message, { details: { address } })
  }
  const account = state.getAccount(address) ?? EMPTY_ACCOUNT
  if (balance !== undefined || nonce !== undefined) {
    state.putAccount(address, { ...account, balance: balance ?? account.balance, nonce: nonce ?? account.nonce })
  }
  if (code !== undefined) state.putCode(address, code)
  if (storage !== undefined) state.clearStorage(address)
  for (const [slot, value] of storage ?? stateDiff ?? []) state.putStorage(address, slot, value)
}

function fail(code: CallErrorCode, message: string, details: Record<string, unknown>): never {
  throw new CodedError<CallErrorCode>(code, message, { details })
}

/** Leaves `state` as it was, its read caches filled. */
export async function runCall(
  state: JournaledState,
  { evm, block }: Pick<CallContext, 'evm' | 'block'>,
  request: CallRequest & { gas: bigint },
): Promise<CallResult> {
  const { from, to, gas, gasPrice, value, data, accessList } = request
  if (to === undefined && data.length > MAX_INIT_CODE_BYTES) {
    const message = `init code has ${data.length} bytes, at most ${MAX_INIT_CODE_BYTES}`
    fail('TX_INIT_CODE_TOO_LARGE', message, { bytes: data.length })
  }
  const intrinsic = intrinsicGas({ to, data, accessList: [...accessList] })
  if (gas < intrinsic) {
    fail('TX_INTRINSIC_GAS', `gas ${gas} is below the intrinsic gas ${intrinsic}`, { gas, intrinsic })
  }
  const sender = state.getAccount(from) ?? EMPTY_ACCOUNT
  const needed = gas * gasPrice + value
  if (sender.balance < needed) {
    fail('TX_INSUFFICIENT_FUNDS', `${from} has ${sender.balance} wei, gas and value need ${needed}`, { from, needed })
  }
  state.putAccount(from, { ...sender, nonce: sender.nonce + 1n, balance: sender.balance - gas * gasPrice })
  warmForTransaction(state, { sender: from, to, coinbase: block.coinbase, accessList })
  const result = await evm.run(state, block, { caller: from, to, value, data, gasLimit: gas - intrinsic, gasPrice })
  state.abandonTransaction()
  const spent = intrinsic + result.gasUsed
  const gasUsed = gasAfterRefund(spent, result.gasRefund)
  const output = result.failure === undefined || result.failure.kind === 'revert' ? result.output : EMPTY_BYTES
  return { gasUsed, gasRefunded: spent - gasUsed, output, logs: result.logs, failure: result.failure }
}
