// EPCIS 2.0 documents as the companies' systems write them, and what the example needs to know of an event.
import { readFile } from 'node:fs/promises'
import { type PublicSubject, type RecordInput, type SchemaId, gs1Subject } from '@songhua/sdk'

interface Quantity {
  epcClass: string
  quantity?: number
  uom?: string
}

/** The fields that are read here; an event has more. */
export interface EpcisEvent {
  type: 'ObjectEvent' | 'AggregationEvent' | 'TransactionEvent' | 'TransformationEvent' | 'AssociationEvent'
  /** Hash id of the Core Business Vocabulary: the same for everybody who hashes the same event. */
  eventID: string
  eventTime: string
  bizStep: string
  readPoint?: { id: string }
  bizLocation?: { id: string }
  parentID?: string
  epcList?: string[]
  quantityList?: Quantity[]
  childEPCs?: string[]
  childQuantityList?: Quantity[]
  inputQuantityList?: Quantity[]
  outputQuantityList?: Quantity[]
  errorDeclaration?: { declarationTime: string; reason?: string; correctiveEventIDs?: string[] }
}

const readJson = async (file: string): Promise<unknown> =>
  JSON.parse(await readFile(new URL(`../data/${file}`, import.meta.url), 'utf8'))

export async function readEvents(document: string): Promise<EpcisEvent[]> {
  const { epcisBody } = (await readJson(`${document}.jsonld`)) as { epcisBody: { eventList: EpcisEvent[] } }
  return epcisBody.eventList
}

/** Names of places, by their GLN. */
export const readPlaces = async (): Promise<Record<string, string>> =>
  (await readJson('places.json')) as Record<string, string>

const SCHEMAS = {
  ObjectEvent: 'trace.object-event',
  AggregationEvent: 'trace.aggregation-event',
  TransactionEvent: 'trace.transaction-event',
  TransformationEvent: 'trace.transformation-event',
  AssociationEvent: 'trace.association-event',
} as const satisfies Record<EpcisEvent['type'], SchemaId>

const classes = (list: Quantity[] = []): string[] => list.map(({ epcClass }) => epcClass)

/** What an event is about is what others will ask for: the goods; the place, where there are none. */
export function subjectOf(event: EpcisEvent): PublicSubject {
  const goods = [
    ...classes(event.outputQuantityList), ...classes(event.childQuantityList), ...(event.epcList ?? []),
    ...classes(event.quantityList),
  ]
  return gs1Subject(goods[0] ?? event.parentID ?? event.readPoint!.id)
}

/** A record of the family `trace`: the event itself is the payload, and the gateway checks it against the schema. */
export function recordOf(event: EpcisEvent): RecordInput<string> {
  return { schema: SCHEMAS[event.type], subject: subjectOf(event), payload: event }
}

/** Where the goods of an event were before: what they were made of, packed in, and stored at. */
export function originsOf(event: EpcisEvent): PublicSubject[] {
  const ids = [...classes(event.inputQuantityList), event.parentID, event.bizLocation?.id]
  return ids.filter((id) => id !== undefined).map(gs1Subject)
}

export function describeEvent(event: EpcisEvent, places: Record<string, string>): string {
  const quantities = [event.quantityList, event.childQuantityList, event.outputQuantityList].flatMap((list) => list ?? [])
  const amounts = quantities.flatMap(({ quantity, uom = '件' }) => (quantity === undefined ? [] : [` ${quantity} ${uom}`]))
  const place = event.readPoint?.id ?? ''
  return `${event.eventTime.slice(0, 10)} ${event.bizStep}${amounts.join()}, ${places[place] ?? place}`
}
