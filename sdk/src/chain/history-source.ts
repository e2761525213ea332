import type { Header } from '../protocol/header.js'
import type { TrustAnchor } from '../protocol/trust-anchor.js'
import { toSonghuaError } from '../connection/songhua-error.js'
import type { ChainReader } from './chain-reader.js'
import { findValidatorHistory } from './validator-history.js'

export interface HistoryAsking {
  /** Heights of checkpoints through whose sets it shall lead, besides those of the trust anchor. */
  readonly through?: readonly number[]
  readonly signal?: AbortSignal | undefined
}

/** The changes of the validators, as evidence carries them. */
export interface HistorySource {
  below(height: number, asking?: HistoryAsking): Promise<readonly Header[]>
  /** Has been verified: the next search begins at its end. */
  remember(history: readonly Header[]): void
}

export function createHistorySource(reader: ChainReader, trustAnchor: TrustAnchor): HistorySource {
  const own = trustAnchor.checkpoints.map(({ height }) => height)
  let known: readonly Header[] = []
  return {
    below: (height, { through = [], signal } = {}) => {
      const read = (number: number): Promise<Header> =>
        number === 0 ? Promise.resolve(trustAnchor.genesisHeader) : reader.header(number, signal)
      // What is known was not led through other checkpoints: with such the search begins anew.
      const isKnown = through.every((one) => own.includes(one))
      const options = isKnown ? { known, through: own } : { through: [...own, ...through] }
      return findValidatorHistory(read, height, options).catch((error: unknown) => {
        throw toSonghuaError(error, 'EVIDENCE_INVALID')
      })
    },
    remember: (history) => {
      if ((history.at(-1)?.number ?? 0) > (known.at(-1)?.number ?? 0)) known = history
    },
  }
}
