import { proveBlock } from '@songhua/sdk/protocol/history-tree'
import type { HistoryProofs } from '../rpc/ports.js'
import type { StoreReader } from '../storage/chain-store.js'

/** Paths through the tree over all block hashes, from the nodes that the store keeps of it. */
export function historyProofs(store: Pick<StoreReader, 'historyNode'>): HistoryProofs {
  return { historyPath: (claim) => proveBlock((level, index) => store.historyNode(level, index), claim) }
}
