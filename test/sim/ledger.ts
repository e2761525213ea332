import type { Block } from '@songhua/sdk/protocol/block'
import { blockHash } from '@songhua/sdk/protocol/block-hash'
import { BLOOM_BYTES } from '@songhua/sdk/protocol/bloom'
import { type Address, type Hash, bytesToHex, concatBytes, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { CodedError } from '@songhua/sdk/protocol/errors'
import type { Header } from '@songhua/sdk/protocol/header'
import { EMPTY_FRONTIER, appendHash } from '@songhua/sdk/protocol/history-tree'
import { INITIAL_ROTATION } from '@songhua/sdk/protocol/proposer'
import { type Transaction, signTransaction } from '@songhua/sdk/protocol/transaction'
import { normalizeValidators } from '@songhua/sdk/protocol/validator-set'
import { type BlockOutcome, type ChainHead, headOf } from '@songhua/node/services/block-work'
import { type Chain, createChain } from '@songhua/node/services/chain'
import { emptyStateDiff } from '@songhua/node/trie/state'
import { TIMING } from '../consensus/fixture.js'

export const RULES = { gasLimit: 30_000_000n, minBlockPeriodMs: TIMING.minBlockPeriodMs }
const GAS_EACH = 21_000
/** The contract that says who validates: its calls carry the whole next set. */
const COUNCIL: Address = `0x${'c0'.repeat(20)}`
const SENDER_KEY = new Uint8Array(32).fill(98)
const ADDRESS_BYTES = 20

/** A transaction after whose block these validators seal. */
export function membershipTransaction(validators: readonly Address[], nonce: number): Transaction {
  const data = concatBytes(...normalizeValidators(validators).map((validator) => hexToBytes(validator)))
  return signTransaction({ chainId: 230099n, nonce, gasLimit: 21_000n, to: COUNCIL, data }, SENDER_KEY)
}

function validatorsAfter(current: Address[], transactions: readonly Transaction[]): Address[] {
  const last = transactions.filter(({ to }) => to === COUNCIL).at(-1)
  if (last === undefined) return current
  const at = Array.from({ length: last.data.length / ADDRESS_BYTES }, (_, index) => index * ADDRESS_BYTES)
  return at.map((start) => bytesToHex(last.data.subarray(start, start + ADDRESS_BYTES)))
}

/** What running these on `parent` gives. */
export function runTransactions(transactions: readonly Transaction[], parent: ChainHead): BlockOutcome {
  return {
    receipts: transactions.map(({ type }, index) => ({
      type, status: 1, cumulativeGasUsed: BigInt(GAS_EACH * (index + 1)), logsBloom: new Uint8Array(BLOOM_BYTES), logs: [],
    })),
    gasUsed: BigInt(GAS_EACH * transactions.length),
    logsBloom: new Uint8Array(BLOOM_BYTES),
    diff: emptyStateDiff(),
    nextValidators: validatorsAfter(parent.validators, transactions),
  }
}

/** What is on a node's disk of its chain. */
export interface Stored {
  readonly head: ChainHead
  /** The head before; the genesis has none. */
  readonly parent: ChainHead | undefined
  /** By number; the genesis has none. */
  readonly blocks: Block[]
}

export function genesisStored(genesis: Header): Stored {
  const hash = blockHash(genesis)
  const { frontier } = appendHash(EMPTY_FRONTIER, hash)
  return { head: headOf({ header: genesis, hash, frontier, rotation: INITIAL_ROTATION }, undefined), parent: undefined, blocks: [] }
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
 * The node's own chain; its state is which transactions have been, so that none can stand in it twice. What the EVM
 * would do with them is another test's.
 */
export function createLedger({ genesisHash, stored, pending, execute, commit, onListenerError }: LedgerOptions): Chain {
  const done = new Set(stored.blocks.flatMap((block) => block.transactions.map(({ hash }) => hash)))
  let { blocks } = stored
  const outcomeOf = (transactions: Transaction[]): BlockOutcome => runTransactions(transactions, chain.head())
  const refuseRepeats = (transactions: readonly Transaction[]): void => {
    const repeated = transactions.find(({ hash }, at) => done.has(hash) || transactions.findIndex((one) => one.hash === hash) < at)
    if (repeated === undefined) return
    throw new CodedError('TRANSACTION_REPEATED', `Transaction ${repeated.hash} has been in a block before`)
  }
  const chain = createChain(
    {
      rules: { ...RULES, genesisHash },
      head: stored.head,
      protocol: { read: () => [{ height: 0, version: 1 }], max: 1 },
      onListenerError,
    },
    {
      store: {
        nodes: { getNode: () => undefined },
        async commitBlock({ block, head }) {
          blocks = blocks.slice()
          blocks[head.header.number] = block
          await commit({ head, parent: chain.head(), blocks }, block)
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
