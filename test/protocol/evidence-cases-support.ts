import type { EvidenceInput } from '@songhua/sdk/protocol/evidence'
import type { EvidenceCode } from '@songhua/sdk/protocol/evidence-codes'
import type { EvidenceBundle } from '@songhua/sdk/protocol/evidence-format'
import { createEvidenceChain } from './evidence-support.js'

/** A bundle that every verifier of the format must refuse. */
export interface NegativeCase {
  readonly group: string
  readonly what: string
  /** What our verifier says: these codes, each at its step, and no others but those of steps that it did not reach. */
  readonly codes: readonly EvidenceCode[]
  /** The text of a file, or what `JSON.stringify` writes into one. */
  readonly source: unknown
  readonly trustAnchor: unknown
  readonly input: EvidenceInput
}

/** A bundle that every verifier must accept. */
export type PositiveCase = Omit<NegativeCase, 'group' | 'codes'>

export const chain = createEvidenceChain()
/** Of block 15, under the third set of validators. */
export const good = chain.bundle(15)

type Codes = EvidenceCode | EvidenceCode[]
type Row = readonly [what: string, codes: Codes, source: unknown, rest?: { trustAnchor?: unknown; input?: EvidenceInput }]

/** Rows are judged by the genesis alone, without payload, unless they say otherwise. */
export function negativeCases(group: string, rows: readonly Row[]): NegativeCase[] {
  return rows.map(([what, codes, source, { trustAnchor = chain.trustAnchor(), input = {} } = {}]) => {
    return { group, what, codes: [codes].flat(), source, trustAnchor, input }
  })
}

/** The good bundle with some of its parts replaced. */
export function goodWith(changes: Partial<EvidenceBundle>): EvidenceBundle {
  return { ...good, ...changes }
}
