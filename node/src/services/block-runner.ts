import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { QBFT_MIX_HASH } from '@songhua/sdk/protocol/header'
import type { Transaction } from '@songhua/sdk/protocol/transaction'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import type { BlockExecutor } from '../execution/block-executor.js'
import type { BlockContext } from '../execution/evm.js'
import type { StateReader } from '../trie/state.js'
import type { BlockFrame, BlockRunner } from './chain.js'

/** Transactions of one block, in bytes: with header and seals a block stays well below what a peer accepts. */
export const PACKED_BYTES_MAX = 4 * 1024 * 1024
/** EIP-4844's least; there are no blobs. */
const BLOB_BASE_FEE = 1n
/** Blocks for which a transaction that outlasted the packing is left to stand alone in a later block. */
const SET_ASIDE_BLOCKS = 8

/** The pool, as far as a proposer needs it. */
export interface PackingPool {
  executable(height: number): Iterable<Transaction>
  setAside(hash: Hash, untilHeight: number, reason: string): void
}

export interface BlockRunnerPorts {
  readonly executor: BlockExecutor
  /** The head's flat state. */
  readonly state: StateReader
  readonly pool: PackingPool
  readonly clock: Clock
  readonly logger: Logger
}

export interface BlockRunnerOptions {
  readonly gasLimit: bigint
  /** The set that seals the block being run: the head's. */
  readonly validators: () => readonly Address[]
  readonly blockHash: (number: number) => Hash | undefined
}

/** Runs blocks on the head's state, and packs new ones from the pool. */
export function createBlockRunner(options: BlockRunnerOptions, ports: BlockRunnerPorts): BlockRunner {
  const { executor, state, pool, clock } = ports
  const input = (frame: BlockFrame) => ({ state, block: blockContext(frame, options), validators: options.validators() })
  return {
    async run(frame, transactions) {
      const execution = await executor.executeBlock({ ...input(frame), transactions })
      warnOfKeptValidators(frame, execution.validatorsKept, ports.logger)
      return execution
    },
    async pack(frame, deadlineMs) {
      const candidates = pool.executable(frame.number)
      const packing = await executor.packBlock({ ...input(frame), candidates, bytesMax: PACKED_BYTES_MAX, clock, deadlineMs })
      warnOfKeptValidators(frame, packing.validatorsKept, ports.logger)
      setOffendersAside(frame, packing, ports)
      return packing
    },
  }
}

function blockContext(frame: BlockFrame, { gasLimit, blockHash }: BlockRunnerOptions): BlockContext {
  return {
    number: frame.number,
    timestamp: frame.timestamp,
    coinbase: frame.coinbase,
    gasLimit,
    baseFeePerGas: 0n,
    prevRandao: QBFT_MIX_HASH,
    blobBaseFee: BLOB_BASE_FEE,
    blockHash: (number) => (number < frame.number && number >= frame.number - 256 ? blockHash(number) : undefined),
  }
}

type Packing = Awaited<ReturnType<BlockExecutor['packBlock']>>

/** What cannot stand in this block must not be tried in each of the next ones: the pool brings it back later. */
function setOffendersAside(frame: BlockFrame, { refused, overran }: Packing, { pool, logger }: BlockRunnerPorts): void {
  for (const { transaction, reason } of refused) {
    // Whether a quota holds it back the pool asks at each head: once it is there again, it is not due before all others.
    if (!reason.code.startsWith('QUOTA_')) pool.setAside(transaction.hash, frame.number + SET_ASIDE_BLOCKS, reason.message)
    logger.debug('a pending transaction does not fit the state', { hash: transaction.hash, reason: reason.message })
  }
  if (overran === undefined || overran.included) return
  const { transaction: { hash, sender, gasLimit }, elapsedMs } = overran
  const untilBlock = frame.number + SET_ASIDE_BLOCKS
  pool.setAside(hash, untilBlock, `it ran ${elapsedMs} ms, longer than the packing of block ${frame.number} could wait`)
  logger.warn('a transaction outlasted the packing and is set aside', { hash, sender, gasLimit: gasLimit.toString(), elapsedMs, untilBlock })
}

function warnOfKeptValidators(frame: BlockFrame, kept: Packing['validatorsKept'], logger: Logger): void {
  if (kept === undefined) return
  logger.warn('the membership contract gives no validator set: the last one stays', { block: frame.number, ...kept })
}
