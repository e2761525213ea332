import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { keccak256Hex } from '@songhua/sdk/protocol/crypto'
import { type Header, encodeHeader } from '@songhua/sdk/protocol/header'
import { verifySeals as verifySealsAnew } from '@songhua/sdk/protocol/seals'
import { createRecentMap } from './recent-map.js'

/** Headers remembered: what sync verifies ahead of the import, several times over. */
const REMEMBERED_MAX = 512

/** By the hash of the whole header, seals included, the set that was found to have sealed it. */
const proven = createRecentMap<Hash, string>(REMEMBERED_MAX)

/**
 * As the protocol's `verifySeals`, but what was proved a moment ago is not recovered again: sync proves a range before
 * it decodes any of it, and the chain takes nobody's word, so that each seal would be recovered twice, 0.08 ms each.
 * Whether a header is sealed by a set depends on nothing else, so all chains of a process may share the memory.
 */
export function verifySeals(header: Header, validators: readonly Address[]): void {
  const hash = keccak256Hex(encodeHeader(header))
  const set = validators.join()
  if (proven.get(hash) === set) return
  verifySealsAnew(header, validators)
  proven.set(hash, set)
}
