import { EMPTY_TRIE_ROOT } from '@songhua/sdk/protocol/account'
import { type Block, encodeBlock } from '@songhua/sdk/protocol/block'
import { blockHash, commitSealDigest, headerWithSeals } from '@songhua/sdk/protocol/block-hash'
import { BLOOM_BYTES } from '@songhua/sdk/protocol/bloom'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { privateKeyToAddress, signDigest } from '@songhua/sdk/protocol/crypto'
import { encodeExtraData } from '@songhua/sdk/protocol/extra-data'
import { EMPTY_OMMERS_HASH, type Header, QBFT_MIX_HASH } from '@songhua/sdk/protocol/header'
import { appendHash, EMPTY_FRONTIER } from '@songhua/sdk/protocol/history-tree'
import { INITIAL_ROTATION } from '@songhua/sdk/protocol/proposer'
import { signTransaction, type Transaction } from '@songhua/sdk/protocol/transaction'
import { quorumSize } from '@songhua/sdk/protocol/validator-set'
import type { ProtocolSchedule } from '@songhua/node/permission/protocol-schedule'
import { type BlockOutcome, headOf } from '@songhua/node/services/block-work'
import { type Chain, createChain } from '@songhua/node/services/chain'
import { emptyStateDiff } from '@songhua/node/trie/state'

const ZERO_HASH = `0x${'00'.repeat(32)}` as const
const GENESIS_TIME_S = 1_700_000_000

/** Validators by address, with their keys. */
export interface Council {
  readonly addresses: Address[]
  readonly keys: Map<Address, Uint8Array>
}

export function councilOf(seeds: number[]): Council {
  const privateKeys = seeds.map((seed) => new Uint8Array(32).fill(seed))
  const keys = new Map(privateKeys.map((key) => [privateKeyToAddress(key), key]))
  return { addresses: [...keys.keys()].sort(), keys }
}

export function genesisOf(council: Council): Header {
  return {
    parentHash: ZERO_HASH,
    ommersHash: EMPTY_OMMERS_HASH,
    coinbase: `0x${'00'.repeat(20)}`,
    stateRoot: EMPTY_TRIE_ROOT,
    transactionsRoot: EMPTY_TRIE_ROOT,
    receiptsRoot: EMPTY_TRIE_ROOT,
    logsBloom: new Uint8Array(BLOOM_BYTES),
    difficulty: 1n,
    number: 0,
    gasLimit: 30_000_000n,
    gasUsed: 0n,
    timestamp: GENESIS_TIME_S,
    extraData: encodeExtraData({ vanity: new Uint8Array(32), validators: council.addresses, round: 0, seals: [] }),
    mixHash: QBFT_MIX_HASH,
    nonce: new Uint8Array(8),
    baseFeePerGas: 0n,
    withdrawalsRoot: EMPTY_TRIE_ROOT,
    blobGasUsed: 0n,
    excessBlobGas: 0n,
    parentBeaconBlockRoot: ZERO_HASH,
  }
}

export interface TestChain {
  readonly chain: Chain
  /** Encoded, by number; what a peer serves. */
  readonly blocks: Uint8Array[]
  /** Numbers in the order in which they were executed. */
  readonly executed: number[]
  /** Set to make the next execution fail. */
  fault: Error | undefined
  /** What its state says of protocol versions; the program knows version 1. */
  schedule: ProtocolSchedule
}

/** The node's own chain over a memory store; transactions cost gas and change nothing, the council may be replaced. */
export function testChain(council: Council, nextCouncil?: { height: number; council: Council }): TestChain {
  const genesis = genesisOf(council)
  const hash = blockHash(genesis)
  const { frontier } = appendHash(EMPTY_FRONTIER, hash)
  const test: TestChain = { chain: undefined as unknown as Chain, blocks: [], executed: [], fault: undefined, schedule: [{ height: 0, version: 1 }] }
  const councilAfter = (number: number): Council =>
    nextCouncil !== undefined && number >= nextCouncil.height ? nextCouncil.council : council
  const outcome = (number: number, transactions: Transaction[]): BlockOutcome => ({
    receipts: transactions.map(({ type }, index) => ({
      type,
      status: 1,
      cumulativeGasUsed: BigInt(21_000 * (index + 1)),
      logsBloom: new Uint8Array(BLOOM_BYTES),
      logs: [],
    })),
    gasUsed: BigInt(21_000 * transactions.length),
    logsBloom: new Uint8Array(BLOOM_BYTES),
    diff: emptyStateDiff(),
    nextValidators: councilAfter(number).addresses,
  })
  const chain = createChain(
    {
      rules: { genesisHash: hash, gasLimit: 30_000_000n, minBlockPeriodMs: 50 },
      head: headOf({ header: genesis, hash, frontier, rotation: INITIAL_ROTATION }, undefined),
      protocol: { read: () => test.schedule, max: 1 },
      onListenerError: (error) => {
        throw error
      },
    },
    {
      store: {
        nodes: { getNode: () => undefined },
        commitBlock: ({ block }) => {
          test.blocks[block.header.number] = encodeBlock(block)
          return Promise.resolve()
        },
      },
      runner: {
        run: ({ number }, transactions) => {
          if (test.fault !== undefined) return Promise.reject(test.fault)
          test.executed.push(number)
          return Promise.resolve(outcome(number, transactions))
        },
        pack: ({ number }) => {
          const transactions = transactionsOf(number)
          return Promise.resolve({ ...outcome(number, transactions), transactions })
        },
      },
    },
  )
  return Object.assign(test, { chain })
}

/** A transaction in every fifth block. */
function transactionsOf(number: number): Transaction[] {
  if (number % 5 !== 0) return []
  const request = { chainId: 230099n, nonce: number, gasLimit: 21_000n, to: `0x${'ab'.repeat(20)}` }
  return [signTransaction(request, new Uint8Array(32).fill(99))]
}

export function sealed(block: Block, council: Council, signers = quorumSize(council.addresses.length)): Block {
  const digest = commitSealDigest(block.header)
  const seals = council.addresses.slice(0, signers).map((address) => signDigest(digest, council.keys.get(address)!))
  return { ...block, header: headerWithSeals(block.header, seals) }
}

/** Builds and seals up to block `height`. */
export async function growTo(test: TestChain, height: number, councilAt: (number: number) => Council): Promise<void> {
  for (let number = test.chain.head().header.number + 1; number <= height; number++) {
    const council = councilAt(number)
    const coinbase = council.addresses[number % council.addresses.length]!
    const blockTimeMs = GENESIS_TIME_S * 1000 + number * 1000
    const block = await test.chain.build({ coinbase, round: 0, blockTimeMs, deadlineMs: Infinity })
    await test.chain.importSealed(sealed(block, council))
  }
}

export const headHash = (test: TestChain): Hash => test.chain.head().hash
