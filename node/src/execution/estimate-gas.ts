import { bytesToHex } from '@songhua/sdk/protocol/bytes'
import { EMPTY_ACCOUNT } from '@songhua/sdk/protocol/account'
import { CodedError, isCodedError } from '@songhua/sdk/protocol/errors'
import type { CallContext, CallErrorCode, CallRequest, CallResult } from './call.js'
import { runCall, stateForCall } from './call.js'
import type { JournaledState } from './journaled-state.js'
import { TX_GAS } from './rules.js'

/** The search ends when it is this near: the estimate may be 1.5 % above the least that works (geth's figure). */
const ERROR_PER_MILLE = 15n
/** A callee that asks for more than it uses: the stipend of a call with value. */
const CALL_STIPEND_GAS = 2_300n

interface Search {
  readonly state: JournaledState
  readonly context: CallContext
  readonly request: CallRequest
}

/**
 * The least gas limit with which the message succeeds, within 1.5 %, by geth's binary search.
 * @throws CodedError `CALL_REVERTED` with `data` (hex), `CALL_GAS_ALLOWANCE`, or another of `CallErrorCode`
 */
export async function estimateGas(context: CallContext, request: CallRequest): Promise<bigint> {
  const search = { state: stateForCall(context), context, request }
  let high = allowance(search)
  if (isPlainTransfer(search) && high >= TX_GAS && (await attempt(search, TX_GAS))?.failure === undefined) return TX_GAS
  const first = await runCall(search.state, context, { ...request, gas: high })
  if (first.failure !== undefined) throw failureOf(first, high)
  let low = first.gasUsed - 1n
  const likely = ((first.gasUsed + first.gasRefunded + CALL_STIPEND_GAS) * 64n) / 63n
  if (likely < high) {
    if (await succeeds(search, likely)) high = likely
    else low = likely
  }
  while (low + 1n < high && (high - low) * 1000n >= high * ERROR_PER_MILLE) {
    const half = (low + high) / 2n
    const middle = half > low * 2n ? low * 2n : half
    if (await succeeds(search, middle)) high = middle
    else low = middle
  }
  return high
}

/** As much gas as the request, the cap and the sender's balance allow. */
function allowance({ state, context, request }: Search): bigint {
  const { gas, gasPrice, from, value } = request
  const asked = gas === undefined || gas > context.gasMax ? context.gasMax : gas
  if (gasPrice === 0n) return asked
  const { balance } = state.getAccount(from) ?? EMPTY_ACCOUNT
  const affordable = balance < value ? 0n : (balance - value) / gasPrice
  return affordable < asked ? affordable : asked
}

function isPlainTransfer({ state, request }: Search): boolean {
  const { to, data, accessList } = request
  return to !== undefined && data.length === 0 && accessList.length === 0 && state.getCode(to).length === 0
}

/** Undefined when the gas does not even cover what a transaction pays before it runs. */
async function attempt({ state, context, request }: Search, gas: bigint): Promise<CallResult | undefined> {
  try {
    return await runCall(state, context, { ...request, gas })
  } catch (error) {
    if (isCodedError(error, 'TX_INTRINSIC_GAS')) return undefined
    throw error
  }
}

async function succeeds(search: Search, gas: bigint): Promise<boolean> {
  const result = await attempt(search, gas)
  return result !== undefined && result.failure === undefined
}

function failureOf({ failure, output }: CallResult, gas: bigint): CodedError<CallErrorCode> {
  if (failure?.kind === 'revert') {
    return new CodedError('CALL_REVERTED', 'execution reverted', { details: { data: bytesToHex(output) } })
  }
  if (failure?.kind === 'out-of-gas') {
    return new CodedError('CALL_GAS_ALLOWANCE', `gas required exceeds allowance (${gas})`, { details: { gas } })
  }
  return new CodedError('CALL_FAILED', `execution failed: ${failure?.message ?? 'unknown'}`, { details: { gas } })
}
