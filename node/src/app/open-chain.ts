import { EMPTY_TRIE_ROOT } from '@songhua/sdk/protocol/account'
import { blockHash } from '@songhua/sdk/protocol/block-hash'
import type { Hash } from '@songhua/sdk/protocol/bytes'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { type Genesis, genesisHeader } from '@songhua/sdk/protocol/genesis'
import type { Header } from '@songhua/sdk/protocol/header'
import { EMPTY_FRONTIER, appendHash } from '@songhua/sdk/protocol/history-tree'
import { INITIAL_ROTATION } from '@songhua/sdk/protocol/proposer'
import { genesisState } from '../execution/genesis-state.js'
import { type ChainHead, headOf } from '../services/block-work.js'
import type { BlockCommit, ChainStore } from '../storage/chain-store.js'
import { openStore } from '../storage/open-store.js'
import { updateStateTrie } from '../trie/state-trie.js'

export interface OpenChain {
  readonly store: ChainStore
  readonly genesisHash: Hash
  readonly head: ChainHead
  /** The folder held no block before. */
  readonly isNew: boolean
}

/** Opens the store of the chain that `genesis` begins, and writes block 0 into an empty one. */
export async function openChain(folder: string, genesis: Genesis, onDamage?: (error: Error) => void): Promise<OpenChain> {
  const commit = genesisCommit(genesis)
  const { hash: genesisHash } = commit.head
  const store = await openStore(folder, { genesisHash, onDamage })
  const stored = store.head()
  if (stored === undefined) await store.commitBlock(commit)
  const head = stored === undefined ? headOf(commit.head, undefined) : headOf(stored, parentOf(stored.header, store))
  return { store, genesisHash, head, isNew: stored === undefined }
}

/** @throws CodedError `STORE_INCONSISTENT` */
function parentOf({ number }: Header, store: ChainStore): Header | undefined {
  if (number === 0) return undefined
  const parent = store.header(number - 1)
  if (parent !== undefined) return parent
  throw new CodedError('STORE_INCONSISTENT', `the header of block ${number - 1}, below the head, is missing`, { details: { number } })
}

/** Of block 0, by which a chain is known. */
export function genesisHashOf(genesis: Genesis): Hash {
  return genesisCommit(genesis).head.hash
}

export function genesisHeaderOf(genesis: Genesis): Header {
  return genesisCommit(genesis).head.header
}

function genesisCommit(genesis: Genesis): BlockCommit {
  const diff = genesisState(genesis)
  const trie = updateStateTrie({ getNode: () => undefined }, EMPTY_TRIE_ROOT, diff)
  const header = genesisHeader(genesis, trie.root)
  const hash = blockHash(header)
  const { frontier, nodes } = appendHash(EMPTY_FRONTIER, hash)
  return {
    block: { header, transactions: [] },
    receipts: [],
    diff: { ...diff, accounts: trie.accounts },
    trieNodes: trie.nodes,
    head: { header, hash, frontier, rotation: INITIAL_ROTATION },
    historyNodes: nodes,
  }
}
