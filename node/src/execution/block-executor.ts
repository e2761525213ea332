import { USAGE_REGISTER_ADDRESS } from '@songhua/contracts/addresses'
import { wordOf } from '@songhua/contracts/membership/slots'
import type { Address } from '@songhua/sdk/protocol/bytes'
import { orBlooms } from '@songhua/sdk/protocol/bloom'
import { CodedError } from '@songhua/sdk/protocol/errors'
import type { Receipt } from '@songhua/sdk/protocol/receipt'
import type { Transaction } from '@songhua/sdk/protocol/transaction'
import { assert } from '../base/assert.js'
import type { Clock } from '../base/clock.js'
import type { Gate, Permission } from '../permission/gate.js'
import { policyStateOf } from '../permission/policy.js'
import type { PermissionRefusal } from '../permission/refusal.js'
import type { StateDiff, StateReader } from '../trie/state.js'
import type { BlockContext, Evm } from './evm.js'
import { JournaledState } from './journaled-state.js'
import { TX_GAS, type ExecutionRules } from './rules.js'
import { readValidators } from './system-reads.js'
import { type Refusal as TransactionRefusal, checkTransaction } from './transaction-check.js'
import { receiptOf } from './transaction-receipt.js'
import { type TransactionOutcome, runOpenTransaction } from './transaction-run.js'

export interface ExecutorOptions {
  readonly evm: Evm
  readonly rules: ExecutionRules
  readonly membershipContract: Address
  /** Undefined: nobody is held to anything and no usage is written. Only for states without the system contracts. */
  readonly permission: Permission | undefined
}

/** Why a transaction cannot be in the block: its form, its sender's account, or its sender's permission or quota. */
export type Refusal = TransactionRefusal | PermissionRefusal

export interface ExecutionInput {
  /** The parent's post-state. */
  readonly state: StateReader
  readonly block: BlockContext
  /** The set that seals this block; it stays when the membership contract has no good answer. */
  readonly validators: readonly Address[]
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
  readonly gate: Gate | undefined
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

/** The gate reads the parent's state itself: what this block changes of the policy counts from the next one on. */
function startRun({ permission }: ExecutorOptions, { state, block }: ExecutionInput): Run {
  const gate = permission?.(policyStateOf(state), block.timestamp)
  return { state: new JournaledState(state), gate, receipts: [], gasUsed: 0n }
}

function refusalOf(
  { rules }: ExecutorOptions,
  { block }: ExecutionInput,
  { run, transaction }: { run: Run; transaction: Transaction },
): Refusal | undefined {
  const gasLeft = block.gasLimit - run.gasUsed
  return checkTransaction(transaction, { state: run.state, block, rules, gasLeft }) ?? run.gate?.check(transaction)
}

async function executeBlock(
  options: ExecutorOptions,
  input: ExecutionInput & { transactions: readonly Transaction[] },
): Promise<Execution> {
  const run = startRun(options, input)
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
  const details = { ...('details' in reason && reason.details), index, hash, reason: reason.code }
  return new CodedError('BLOCK_TRANSACTION_INVALID', message, { details })
}

/**
 * The chain's own write, the only one that no transaction makes: what the block's senders, their organisations and all
 * newcomers have used today, into the storage of the UsageRegister.
 */
function writeUsage({ state, gate }: Run): void {
  const writes = gate?.usageWrites() ?? []
  if (writes.length === 0) return
  assert(state.getAccount(USAGE_REGISTER_ADDRESS) !== undefined, 'permissions hold in a state without the UsageRegister')
  for (const { slot, value } of writes) state.putStorage(USAGE_REGISTER_ADDRESS, wordOf(slot), value)
  state.endTransaction([])
}

/** Usage is written before the next set is read, so that the set is read in the block's own post-state. */
async function finishRun(options: ExecutorOptions, input: ExecutionInput, run: Run): Promise<Execution> {
  writeUsage(run)
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
  const run = startRun(options, input)
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

function endTransaction(run: Run, transaction: Transaction, outcome: TransactionOutcome): void {
  run.state.endTransaction(outcome.result.destroyed)
  run.receipts.push(receiptOf(transaction.type, outcome, run.gasUsed))
  run.gasUsed += outcome.gasUsed
  run.gate?.record(transaction, outcome.gasUsed)
}
