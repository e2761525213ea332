import { type Block, transactionsRootOf } from '@songhua/sdk/protocol/block'
import { blockHash, blockTimeMs } from '@songhua/sdk/protocol/block-hash'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { decodeExtraData } from '@songhua/sdk/protocol/extra-data'
import type { Header } from '@songhua/sdk/protocol/header'
import { type HistoryFrontier, type HistoryNode, appendHash } from '@songhua/sdk/protocol/history-tree'
import { type Rotation, advanceRotation } from '@songhua/sdk/protocol/proposer'
import { orderedTrieRoot } from '@songhua/sdk/protocol/ordered-trie'
import { type Receipt, encodeReceipt } from '@songhua/sdk/protocol/receipt'
import type { Transaction } from '@songhua/sdk/protocol/transaction'
import { updateStateTrie } from '../trie/state-trie.js'
import type { NodeStore, StateDiff } from '../trie/state.js'

/** The last block of the chain and what the next one is built from. */
export interface ChainHead {
  readonly header: Header
  readonly hash: Hash
  /** Who sealed this block, ascending; nobody sealed the genesis, for which its own set stands. */
  readonly sealers: readonly Address[]
  /** Who seals the next block, ascending. */
  readonly validators: Address[]
  readonly blockTimeMs: number
  readonly rotation: Rotation
  /** The history tree over all blocks, this one included. */
  readonly frontier: HistoryFrontier
}

/** What running a block's transactions on the parent's state gives. */
export interface BlockOutcome {
  readonly receipts: Receipt[]
  readonly gasUsed: bigint
  readonly logsBloom: Uint8Array
  readonly diff: StateDiff
  /** `getValidators()` of the membership contract in the new state. */
  readonly nextValidators: Address[]
}

/** A block's roots and everything that is stored with it; what is missing is the seals. */
export interface BlockResult {
  readonly receipts: Receipt[]
  readonly diff: StateDiff
  readonly trieNodes: Map<Hash, Uint8Array>
  readonly roots: Pick<Header, 'stateRoot' | 'transactionsRoot' | 'receiptsRoot' | 'logsBloom' | 'gasUsed'>
  readonly nextValidators: Address[]
}

/** The roots that follow from running `transactions`: the same computation for who proposes and who checks. */
export function blockResult(
  outcome: BlockOutcome,
  transactions: readonly Transaction[],
  parent: { store: NodeStore; stateRoot: Hash },
): BlockResult {
  const trie = updateStateTrie(parent.store, parent.stateRoot, outcome.diff)
  return {
    receipts: outcome.receipts,
    // The EVM leaves storage roots as they were; the flat accounts must carry the new ones.
    diff: { ...outcome.diff, accounts: trie.accounts },
    trieNodes: trie.nodes,
    roots: {
      stateRoot: trie.root,
      transactionsRoot: transactionsRootOf(transactions),
      receiptsRoot: orderedTrieRoot(outcome.receipts.map(encodeReceipt)),
      logsBloom: outcome.logsBloom,
      gasUsed: outcome.gasUsed,
    },
    nextValidators: outcome.nextValidators,
  }
}

/**
 * The header states what the execution gave.
 * @throws CodedError `BLOCK_RESULT`, naming the first field that differs
 */
export function checkResult(header: Header, result: BlockResult): void {
  const differ = (field: string, stated: unknown, computed: unknown): void => {
    if (stated === computed) return
    const message = `Block ${header.number}: ${field} is ${String(stated)}, executing the block gives ${String(computed)}`
    throw new CodedError('BLOCK_RESULT', message, { details: { number: header.number, field } })
  }
  const { roots, nextValidators } = result
  differ('gasUsed', header.gasUsed, roots.gasUsed)
  differ('transactionsRoot', header.transactionsRoot, roots.transactionsRoot)
  differ('receiptsRoot', header.receiptsRoot, roots.receiptsRoot)
  differ('logsBloom', String(header.logsBloom), String(roots.logsBloom))
  differ('stateRoot', header.stateRoot, roots.stateRoot)
  differ('extraData.validators', String(decodeExtraData(header.extraData).validators), String(nextValidators))
}

/** The head after `block`, and the nodes of the history tree that it completes. */
export function advanceHead(parent: ChainHead, block: Block): { head: ChainHead; historyNodes: HistoryNode[] } {
  const { header } = block
  const hash = blockHash(header)
  const { frontier, nodes } = appendHash(parent.frontier, hash)
  const turn = { validators: parent.validators, height: header.number, coinbase: header.coinbase }
  const head = headOf({ header, hash, frontier, rotation: advanceRotation(parent.rotation, turn) }, parent.header)
  return { head, historyNodes: nodes }
}

/**
 * What follows from the headers themselves is not stored twice.
 * @param parent header of the block below; undefined for the genesis
 */
export function headOf(stored: Omit<ChainHead, 'sealers' | 'validators' | 'blockTimeMs'>, parent: Header | undefined): ChainHead {
  const { validators } = decodeExtraData(stored.header.extraData)
  const sealers = parent === undefined ? validators : decodeExtraData(parent.extraData).validators
  return { ...stored, sealers, validators, blockTimeMs: blockTimeMs(stored.header) }
}
