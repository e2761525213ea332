import { readFileSync } from 'node:fs'

export const FAMILIES = { government: 1, trace: 2, credit: 3 } as const
export type Family = keyof typeof FAMILIES

/** A record as a department holds it, before it is put into an envelope. */
export interface DemoRecord {
  title: string
  family: Family
  schema: { id: string; version: string }
  /** Public identifier of whom or what it is about; personal data never. */
  subject: string
  issuer: string
  retention: string
  payload: unknown
}

const EPCIS_FILES = [
  'epcisDocWithSingleEvent',
  'epcisDocWithShippingAndTransportingEvent',
  'epcisDocWithSensorDataObjectEvent',
]
/** Unified social credit codes with right check characters (GB 32100-2015). */
const ORGANISATION = 'uscc:91110000600037341L'
const LICENSING_OFFICE = 'uscc:11230100MB10000107'

/**
 * The records of the demonstration: the EPCIS documents of examples/records, an administrative licence in the fields of
 * 双公示, and a credit record.
 * @param now time of the two records made here
 */
export function demoRecords(now: Date): DemoRecord[] {
  const records = new URL('../../../examples/records/', import.meta.url)
  const load = (file: string): Record<string, unknown> =>
    JSON.parse(readFileSync(new URL(file, records), 'utf8')) as Record<string, unknown>
  const today = now.toISOString().slice(0, 10)
  return [
    ...EPCIS_FILES.map((name) => epcisRecord(name, load(`epcis/${name}.jsonld`))),
    {
      title: 'administrative licence 行政许可',
      family: 'government',
      schema: { id: 'cn.shuanggongshi.xk', version: '1' },
      subject: ORGANISATION,
      issuer: LICENSING_OFFICE,
      retention: 'permanent',
      payload: { ...load('administrative-licence.json'), XK_JDRQ: today },
    },
    {
      title: 'credit record 信用记录',
      family: 'credit',
      schema: { id: 'cn.credit.red-list', version: '1' },
      subject: ORGANISATION,
      issuer: LICENSING_OFFICE,
      retention: 'five-years',
      payload: { ...load('credit-record.json'), IDENTIFICATION_DATE: today },
    },
  ]
}

function epcisRecord(name: string, document: Record<string, unknown>): DemoRecord {
  return {
    title: `EPCIS ${name.replace(/^epcisDocWith/, '')}`,
    family: 'trace',
    schema: { id: 'org.gs1.epcis', version: '2.0' },
    subject: firstEpc(document) ?? String(document.id),
    issuer: ORGANISATION,
    retention: 'two-years',
    payload: document,
  }
}

/** The traded thing that a document is about. */
function firstEpc(document: Record<string, unknown>): string | undefined {
  const body = document.epcisBody as { eventList?: { epcList?: string[] }[] } | undefined
  return body?.eventList?.flatMap(({ epcList }) => epcList ?? [])[0]
}
