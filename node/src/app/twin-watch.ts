import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import type { ValidatorSigner } from '../signer/signer.js'

/** Proposals that were signed before the start may become final after it, their time up to 2 s ahead of a clock; ms. */
const START_MARGIN_MS = 5_000
/** Own proposals that are remembered: one becomes final, or never, within a few rounds. */
const PROPOSALS_MAX = 1_024

/** The last block by which another node with this one's key was noticed. */
export interface TwinTrace {
  readonly height: number
  readonly atMs: number
}

/**
 * Notices that another node runs with this one's key. The two have one name on the network and never meet there; but what
 * the other proposes comes back in sealed blocks that name this validator and that it has not proposed.
 */
export interface TwinWatch {
  /** The same signer, whose proposals are remembered. */
  watching(signer: ValidatorSigner): ValidatorSigner
  onBlock(head: { readonly header: { readonly number: number; readonly coinbase: Address }; readonly hash: Hash; readonly blockTimeMs: number }): void
  trace(): TwinTrace | undefined
}

export function createTwinWatch({ self, clock, logger }: { self: Address; clock: Clock; logger: Logger }): TwinWatch {
  const startedMs = clock.now()
  const proposed = new Set<Hash>()
  let last: TwinTrace | undefined
  return {
    watching: (signer) => ({
      ...signer,
      sign(intent, domain) {
        const message = signer.sign(intent, domain)
        if (intent.kind === 'proposal') remember(proposed, intent.block.digest)
        return message
      },
    }),
    onBlock({ header: { number, coinbase }, hash, blockTimeMs }) {
      if (coinbase !== self || blockTimeMs <= startedMs + START_MARGIN_MS || proposed.has(hash)) return
      const isNews = last === undefined
      last = { height: number, atMs: clock.now() }
      if (isNews) logger.error('another node runs with the key of this one: stop one of the two', { address: self, height: number })
    },
    trace: () => last,
  }
}

function remember(proposed: Set<Hash>, digest: Hash): void {
  proposed.add(digest)
  const [oldest] = proposed
  if (proposed.size > PROPOSALS_MAX && oldest !== undefined) proposed.delete(oldest)
}
