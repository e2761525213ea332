import { EMPTY_TRIE_ROOT } from '@songhua/sdk/protocol/account'
import { keccak256Hex } from '@songhua/sdk/protocol/crypto'
import type { Genesis } from '@songhua/sdk/protocol/genesis'
import { type StateDiff, emptyStateDiff } from '../trie/state.js'

/** The state before block 1, as the changes to an empty one. */
export function genesisState({ alloc }: Pick<Genesis, 'alloc'>): StateDiff {
  const diff = emptyStateDiff()
  for (const { address, balance, nonce, code, storage } of alloc) {
    const codeHash = keccak256Hex(code)
    if (code.length > 0) diff.codes.set(codeHash, code)
    diff.accounts.set(address, { nonce, balance, storageRoot: EMPTY_TRIE_ROOT, codeHash })
    if (storage.size > 0) diff.storage.set(address, new Map(storage))
  }
  return diff
}
