// From a bag back to the field: every record that speaks of the bag, of what it was made of, and of where that was.
import {
  type EvidenceBundle, type GatewayConnection, type PublicSubject, type TrustAnchorFile, payloadJson, reasonOf,
} from '@songhua/sdk'
import { type EpcisEvent, originsOf } from './epcis.js'

export interface Step {
  id: string
  event: EpcisEvent
  issuer: string
  evidence: EvidenceBundle
  /** Declared wrong later; the corrective event stands in its place. */
  isWithdrawn: boolean
}

/**
 * Latest first. Each step has been verified: its evidence under the trust anchor, and the event against it.
 * @param trustAnchor with a checkpoint: whoever trusts that one block needs to trust no validator's key before it
 */
export async function traceBack(
  songhua: GatewayConnection,
  from: PublicSubject[],
  trustAnchor: TrustAnchorFile,
): Promise<Step[]> {
  const steps: Omit<Step, 'isWithdrawn'>[] = []
  const queue = [...from]
  const seen = new Set(queue.map(({ id }) => id))
  for (let subject = queue.shift(); subject !== undefined; subject = queue.shift()) {
    for await (const { id, envelope } of songhua.records.find({ subject })) {
      const { payload, salt } = await songhua.records.payload(id)
      const evidence = await songhua.records.evidence(id, { under: trustAnchor })
      const verdict = await songhua.records.verify(evidence, { payload, salt, trustAnchor })
      if (!verdict.valid) throw new Error(`${id} is not proved: ${reasonOf(verdict)}`)
      const event = payloadJson(payload) as EpcisEvent
      steps.push({ id, event, issuer: envelope.issuer, evidence })
      const origins = originsOf(event).filter((origin) => !seen.has(origin.id))
      for (const origin of origins) seen.add(origin.id)
      queue.push(...origins)
    }
  }
  const declared = new Set(steps.flatMap(({ event }) => (event.errorDeclaration ? [event.eventID] : [])))
  return steps
    .map((step) => ({ ...step, isWithdrawn: declared.has(step.event.eventID) }))
    .sort((a, b) => Date.parse(b.event.eventTime) - Date.parse(a.event.eventTime))
}
