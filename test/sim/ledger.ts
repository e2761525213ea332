import type { Block } from '@songhua/sdk/protocol/block'
import { blockHash } from '@songhua/sdk/protocol/block-hash'
import { BLOOM_BYTES } from '@songhua/sdk/protocol/bloom'
import type { Hash } from '@songhua/sdk/protocol/bytes'
import { CodedError } from '@songhua/sdk/protocol/errors'
import type { Header } from '@songhua/sdk/protocol/header'
import { EMPTY_FRONTIER, appendHash } from '@songhua/sdk/protocol/history-tree'
import { INITIAL_ROTATION } from '@songhua/sdk/protocol/proposer'
import type { Transaction } from '@songhua/sdk/protocol/transaction'
import { readValidatorSchedule } from '@songhua/contracts/membership/state-nodes'
import { type BlockOutcome, type ChainHead, headOf } from '@songhua/node/services/block-work'
import { type Chain, createChain } from '@songhua/node/services/chain'
import { emptyStateDiff } from '@songhua/node/trie/state'
import { TIMING } from '../consensus/fixture.js'
import { type Register, runMotions, stateOf } from './register.js'

export const RULES = { gasLimit: 30_000_000n, minBlockPeriodMs: TIMING.minBlockPeriodMs }
const GAS_EACH = 21_000

/** The block that transactions stand in, and the register that they find. */
export interface Place {
  readonly number: number
  readonly register: Register
}

/** What running these gives. */
export function runTransactions(transactions: readonly Transaction[], { number, register: before }: Place): BlockOutcome {
  const { register, refused } = runMotions(transactions, before, number)
  return {
    receipts: transactions.map(({ type }, index) => ({
      type, status: refused[index] ? 0 : 1, cumulativeGasUsed: BigInt(GAS_EACH * (index + 1)), logsBloom: new Uint8Array(BLOOM_BYTES), logs: [],
    })),
    gasUsed: BigInt(GAS_EACH * transactions.length),
    logsBloom: new Uint8Array(BLOOM_BYTES),
    diff: emptyStateDiff(),
    nextValidators: [...readValidatorSchedule(stateOf(register), number + 1).validators],
  }
}

/** What is on a node's disk of its chain. */
export interface Stored {
  readonly head: ChainHead
  /** The head before; the genesis has none. */
  readonly parent: ChainHead | undefined
  /** By number; the genesis has none. */
  readonly blocks: Block[]
  /** Of the head's state: who seals, and from when on. */
  readonly register: Register
}

export function genesisStored(genesis: Header): Stored {
  const hash = blockHash(genesis)
  const { frontier } = appendHash(EMPTY_FRONTIER, hash)
  const head = headOf({ header: genesis, hash, frontier, rotation: INITIAL_ROTATION }, undefined)
  return { head, parent: undefined, blocks: [], register: { current: head.validators, pending: [] } }
}

export interface LedgerOptions {
  readonly genesisHash: Hash
  readonly stored: Stored
  readonly pending: () => Transaction[]
  /** Resolves when a block has been executed for as long as that takes. */
  readonly execute: () => Promise<void>
  /** Durable when it resolves. */
  readonly commit: (stored: Stored, block: Block) => Promise<void>
  readonly onListenerError: (error: unknown) => void
}

/**
 * The node's own chain; its state is which transactions have been, so that none can stand in it twice, and who seals from
 * which height on. What the EVM would do with them is another test's.
 */
export function createLedger({ genesisHash, stored, pending, execute, commit, onListenerError }: LedgerOptions): Chain {
  const done = new Set(stored.blocks.flatMap((block) => block.transactions.map(({ hash }) => hash)))
  let { blocks, register } = stored
  const outcomeOf = (transactions: Transaction[]): BlockOutcome =>
    runTransactions(transactions, { number: chain.head().header.number + 1, register })
  const refuseRepeats = (transactions: readonly Transaction[]): void => {
    const repeated = transactions.find(({ hash }, at) => done.has(hash) || transactions.findIndex((one) => one.hash === hash) < at)
    if (repeated === undefined) return
    throw new CodedError('TRANSACTION_REPEATED', `Transaction ${repeated.hash} has been in a block before`)
  }
  const chain = createChain(
    {
      rules: { ...RULES, genesisHash },
      // From the headers, as a node opens its store.
      head: headOf(stored.head, stored.parent?.header),
      protocol: { read: () => [{ height: 0, version: 1 }], max: 1 },
      onListenerError,
    },
    {
      store: {
        nodes: { getNode: () => undefined },
        async commitBlock({ block, head }) {
          blocks = blocks.slice()
          blocks[head.header.number] = block
          const next = runMotions(block.transactions, register, head.header.number).register
          await commit({ head, parent: chain.head(), blocks, register: next }, block)
          register = next
          for (const { hash } of block.transactions) done.add(hash)
        },
      },
      runner: {
        run: async (_frame, transactions) => {
          await execute()
          refuseRepeats(transactions)
          return outcomeOf(transactions)
        },
        pack: async () => {
          await execute()
          const transactions = pending().filter(({ hash }) => !done.has(hash))
          return { ...outcomeOf(transactions), transactions }
        },
      },
    },
  )
  return chain
}
