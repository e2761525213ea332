import { concatBytes } from '@songhua/sdk/protocol/bytes'
import { envelopeLeaf } from '@songhua/sdk/protocol/evidence-envelope'
import type { EvidenceBundle } from '@songhua/sdk/protocol/evidence-format'

export interface WholeRecord {
  id: string
  status: string
  evidence: EvidenceBundle
  payload: string | null
  salt: string | null
}

export interface SharedBatch extends Pick<EvidenceBundle, 'chain' | 'anchor' | 'header' | 'validatorHistory'> {
  leaves: string
}

export interface SharedRecord extends Omit<WholeRecord, 'evidence'> {
  batch: number
  leafIndex: number
  envelope: EvidenceBundle['envelope']
}

export interface SharedAnswer {
  records: (SharedRecord | WholeRecord | { error: object; row: number })[]
  batches: SharedBatch[]
}

/** The compact form of an answer with whole evidence; of batches of which the answer has all records. */
export function toSharedAnswer(records: readonly (WholeRecord | { error: object; row: number })[]): SharedAnswer {
  const members = new Map<string, WholeRecord[]>()
  for (const one of records) if ('evidence' in one) members.set(keyOf(one.evidence), [...(members.get(keyOf(one.evidence)) ?? []), one])
  const whole = [...members].filter(([, batch]) => batch.length === batch[0]!.evidence.inclusion.treeSize)
  const places = new Map(whole.map(([key], at) => [key, at]))
  return {
    records: records.map((one) => {
      const batch = 'evidence' in one ? places.get(keyOf(one.evidence)) : undefined
      if (!('evidence' in one) || batch === undefined) return one
      const { evidence, ...rest } = one
      return { ...rest, batch, leafIndex: evidence.inclusion.leafIndex, envelope: evidence.envelope }
    }),
    batches: whole.map(([, batch]) => toBatch(batch.map(({ evidence }) => evidence))),
  }
}

function toBatch(bundles: readonly EvidenceBundle[]): SharedBatch {
  const { chain, anchor, header, validatorHistory } = bundles[0]!
  const leaves: Uint8Array[] = []
  for (const { envelope, inclusion } of bundles) leaves[inclusion.leafIndex] = envelopeLeaf(envelope)
  return { chain, anchor, header, validatorHistory, leaves: Buffer.from(concatBytes(...leaves)).toString('base64') }
}

const keyOf = ({ header, anchor }: EvidenceBundle): string => `${header} ${anchor.transactionIndex}`
