import { readFileSync } from 'node:fs'
import { type PublicSubject, gs1Subject } from '@songhua/sdk/records/subject'

/** A record as a department holds it. */
export interface DemoRecord {
  title: string
  schema: string
  payload: Record<string, unknown>
  /** Where the payload names none that is public. */
  subject?: PublicSubject
}

const EPCIS_FILES = [
  'epcisDocWithSingleEvent',
  'epcisDocWithShippingAndTransportingEvent',
  'epcisDocWithSensorDataObjectEvent',
]

/**
 * The records of the demonstration: an event of each EPCIS document of examples/records, an administrative licence in
 * the fields of 双公示, and an incentive for a trustworthy company.
 * @param now time of the events, so that each run has events of its own
 */
export function demoRecords(now: Date): DemoRecord[] {
  const folder = new URL('../../../examples/records/', import.meta.url)
  const load = (file: string): Record<string, unknown> =>
    JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Record<string, unknown>
  const today = now.toISOString().slice(0, 10)
  return [
    ...EPCIS_FILES.map((name) => eventRecord(name, load(`epcis/${name}.jsonld`), now)),
    {
      title: 'administrative licence 行政许可',
      schema: 'government.licence',
      payload: { ...load('administrative-licence.json'), XK_JDRQ: today },
    },
    {
      title: 'incentive 守信激励',
      schema: 'credit.public.incentive',
      payload: { ...load('credit-incentive.json'), decidedOn: today },
    },
  ]
}

interface EpcisDocument {
  epcisBody: { eventList: (Record<string, unknown> & { epcList: string[] })[] }
}

function eventRecord(name: string, document: Record<string, unknown>, now: Date): DemoRecord {
  const [event] = (document as unknown as EpcisDocument).epcisBody.eventList
  if (event === undefined) throw new RangeError(`${name} has no event`)
  return {
    title: `EPCIS ${name.replace(/^epcisDocWith/, '')}`,
    schema: 'trace.object-event',
    payload: { ...event, eventTime: now.toISOString(), eventTimeZoneOffset: '+00:00' },
    subject: gs1Subject(event.epcList[0] ?? ''),
  }
}
