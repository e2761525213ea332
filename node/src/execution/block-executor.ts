import type { Address } from '@songhua/sdk/protocol/bytes'
import { orBlooms } from '@songhua/sdk/protocol/bloom'
import { CodedError } from '@songhua/sdk/protocol/errors'
import type { Receipt } from '@songhua/sdk/protocol/receipt'
import type { Transaction } from '@songhua/sdk/protocol/transaction'
import type { Clock } from '../base/clock.js'
import type { StateDiff, StateReader } from '../trie/state.js'
import type { BlockContext, Evm } from './evm.js'
import { JournaledState } from './journaled-state.js'
import { TX_GAS, type ExecutionRules } from './rules.js'
import { readValidators } from './system-reads.js'
import { type Refusal, checkTransaction } from './transaction-check.js'
import { receiptOf } from './transaction-receipt.js'
import { type TransactionOutcome, runOpenTransaction } from './transaction-run.js'

/** Further conditions of the chain on a transaction (permissions, quotas), read from the state in front of it. */
export type TransactionGate = (transaction: Transaction, state: JournaledState) => Refusal | undefined

export interface ExecutorOptions {
  readonly evm: Evm
  readonly rules: ExecutionRules
  readonly membershipContract: Address
}

export interface ExecutionInput {
  /** The parent's post-state. */
  readonly state: StateReader
  readonly block: BlockContext
  /** The set that seals this block; it stays when the membership contract has no good answer. */
  readonly validators: readonly Address[]
  readonly beforeTransaction?: TransactionGate | undefined
}

export interface Execution {
  readonly receipts: Receipt[]
  readonly gasUsed: bigint
  readonly logsBloom: Uint8Array
  readonly diff: StateDiff
  /** The set that seals the next block. */
  readonly nextValidators: Address[]
  /** Why the last set was kept, when it was. */
  readonly validatorsKept: Refused | undefined
}

interface Refused {
  readonly code: string
  readonly message: string
}

export interface PackingInput extends ExecutionInput {
  /** In the order in which they shall run; taken one by one, only as many as fit. */
  readonly candidates: Iterable<Transaction>
  /** Bytes of all included transactions together. */
  readonly bytesMax: number
  readonly clock: Clock
  /** Milliseconds on `clock`; no transaction is started at or after it. */
  readonly deadlineMs: number
}

export interface Packing extends Execution {
  readonly transactions: Transaction[]
  /** Candidates that may not be in this block, and why. Those that only did not fit any more are not among them. */
  readonly refused: { transaction: Transaction; reason: Refusal }[]
  /**
   * The transaction that was running when the deadline passed. Unless it was the first, it was taken back and is not
   * in the block; it should stand first in a later one, where its gas limit bounds what it can cost.
   */
  readonly overran: { transaction: Transaction; elapsedMs: number; included: boolean } | undefined
}

export interface BlockExecutor {
  /**
   * Executes a given block, all of whose transactions must be good.
   * @throws CodedError `BLOCK_TRANSACTION_INVALID` with `index`, `hash` and `reason`
   */
  executeBlock(input: ExecutionInput & { transactions: readonly Transaction[] }): Promise<Execution>
  /** Chooses and executes the transactions of a new block. */
  packBlock(input: PackingInput): Promise<Packing>
}

/** A block in the making. */
interface Run {
  readonly state: JournaledState
  readonly receipts: Receipt[]
  gasUsed: bigint
}

/**
 * Executes blocks over any state. The header's `parentBeaconBlockRoot` is our history root, so EIP-4788's system call
 * into a beacon-roots contract is not made; no withdrawals, no blobs, no block reward.
 */
export function createBlockExecutor(options: ExecutorOptions): BlockExecutor {
  return {
    executeBlock: (input) => executeBlock(options, input),
    packBlock: (input) => packBlock(options, input),
  }
}

function startRun({ state }: ExecutionInput): Run {
  return { state: new JournaledState(state), receipts: [], gasUsed: 0n }
}

function refusalOf(
  { rules }: ExecutorOptions,
  { block, beforeTransaction }: ExecutionInput,
  { run, transaction }: { run: Run; transaction: Transaction },
): Refusal | undefined {
  const gasLeft = block.gasLimit - run.gasUsed
  return checkTransaction(transaction, { state: run.state, block, rules, gasLeft })
    ?? beforeTransaction?.(transaction, run.state)
}

async function executeBlock(
  options: ExecutorOptions,
  input: ExecutionInput & { transactions: readonly Transaction[] },
): Promise<Execution> {
  const run = startRun(input)
  for (const [index, transaction] of input.transactions.entries()) {
    const refusal = refusalOf(options, input, { run, transaction })
    if (refusal !== undefined) throw invalidTransaction(index, transaction, refusal)
    const context = { state: run.state, block: input.block, evm: options.evm }
    endTransaction(run, transaction, await runOpenTransaction(transaction, context))
  }
  return finishRun(options, input, run)
}

function invalidTransaction(index: number, { hash }: Transaction, reason: Refusal): CodedError<'BLOCK_TRANSACTION_INVALID'> {
  const message = `transaction ${index} (${hash}) cannot be in this block: ${reason.message}`
  return new CodedError('BLOCK_TRANSACTION_INVALID', message, { details: { index, hash, reason: reason.code } })
}

async function finishRun(options: ExecutorOptions, input: ExecutionInput, run: Run): Promise<Execution> {
  const answer = await readValidators(run.state, { ...options, block: input.block })
  return {
    receipts: run.receipts,
    gasUsed: run.gasUsed,
    logsBloom: orBlooms(run.receipts.map(({ logsBloom }) => logsBloom)),
    diff: run.state.diff(),
    nextValidators: 'validators' in answer ? answer.validators : [...input.validators],
    validatorsKept: 'validators' in answer ? undefined : answer,
  }
}

async function packBlock(options: ExecutorOptions, input: PackingInput): Promise<Packing> {
  const run = startRun(input)
  const transactions: Transaction[] = []
  const refused: Packing['refused'] = []
  // Once one of a sender's transactions is left out, its later nonces cannot follow: they wait, they are not refused.
  const waiting = new Set<Address>()
  let overran: Packing['overran']
  let bytes = 0
  for (const transaction of input.candidates) {
    if (input.block.gasLimit - run.gasUsed < TX_GAS || bytes >= input.bytesMax) break
    const startMs = input.clock.now()
    if (startMs >= input.deadlineMs) break
    if (waiting.has(transaction.sender)) continue
    if (bytes + transaction.raw.length > input.bytesMax || !fitsGas(transaction, input, run)) {
      waiting.add(transaction.sender)
      continue
    }
    const reason = refusalOf(options, input, { run, transaction })
    if (reason !== undefined) {
      refused.push({ transaction, reason })
      waiting.add(transaction.sender)
      continue
    }
    const { included, late } = await tryTransaction(options, input, { run, transaction })
    if (included) {
      transactions.push(transaction)
      bytes += transaction.raw.length
    }
    if (late) {
      overran = { transaction, elapsedMs: input.clock.now() - startMs, included }
      break
    }
  }
  return { ...(await finishRun(options, input, run)), transactions, refused, overran }
}

/** A transaction that would fit into an empty block waits for the next one; one that never fits is refused. */
function fitsGas({ gasLimit }: Transaction, { block }: ExecutionInput, { gasUsed }: Run): boolean {
  return gasLimit <= block.gasLimit - gasUsed || gasLimit > block.gasLimit
}

/** Runs one candidate, and takes it back when it ends after the deadline and the block has others. */
async function tryTransaction(
  { evm }: ExecutorOptions,
  { block, clock, deadlineMs }: PackingInput,
  { run, transaction }: { run: Run; transaction: Transaction },
): Promise<{ included: boolean; late: boolean }> {
  const outcome = await runOpenTransaction(transaction, { state: run.state, block, evm })
  const late = clock.now() >= deadlineMs
  if (late && run.receipts.length > 0) {
    run.state.abandonTransaction()
    return { included: false, late }
  }
  endTransaction(run, transaction, outcome)
  return { included: true, late }
}

function endTransaction(run: Run, { type }: Transaction, outcome: TransactionOutcome): void {
  run.state.endTransaction(outcome.result.destroyed)
  run.receipts.push(receiptOf(type, outcome, run.gasUsed))
  run.gasUsed += outcome.gasUsed
}
