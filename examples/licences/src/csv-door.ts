// The gateway's door for tables. One HTTP call: a system in any language can do the same, without an SDK.
import { type Hex, hexToBytes } from '@songhua/sdk/protocol/bytes'
import type { EvidenceBundle } from '@songhua/sdk/protocol/evidence-format'

export interface Gateway {
  /** Such as http://127.0.0.1:8548 */
  url: string
  apiKey: string
}

/** A file as the legacy system wrote it. */
export interface Export {
  bytes: Uint8Array
  charset: 'utf-8' | 'gb18030'
  schema: string
  /** Column → field of the schema, '' to leave a column out. Columns named as the schema's titles need none. */
  mapping: Record<string, string>
}

export interface AnchoredRow {
  id: string
  evidence: EvidenceBundle
  payload: Uint8Array
  salt: Uint8Array
}

/** `row` counts the rows of data from 1. */
export interface RefusedRow {
  row: number
  reasons: { column?: string; zh: string; en: string }[]
}

interface Answer {
  error?: { code: string; message: string }
  records?: (
    | { id: string; status: string; evidence: EvidenceBundle; payload: string; salt: Hex }
    | { row: number; error: { message: string; violations?: RefusedRow['reasons'] } }
  )[]
}

/**
 * Anchors the rows and waits until they are final. `partial`: the good rows are taken, the others come back with all
 * that is wrong with each. `idempotencyKey`: sending the same file again changes nothing.
 */
export async function anchorExport(
  gateway: Gateway,
  { bytes, charset, schema, mapping }: Export,
  idempotencyKey: string,
): Promise<{ anchored: AnchoredRow[]; refused: RefusedRow[] }> {
  const query = new URLSearchParams({ schema, mapping: JSON.stringify(mapping), partial: 'true', wait: 'final' })
  const response = await fetch(`${gateway.url}/v1/records?${query.toString()}`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${gateway.apiKey}`,
      'Content-Type': `text/csv; charset=${charset}`,
      'Idempotency-Key': idempotencyKey,
    },
    body: bytes,
  })
  const { error, records = [] } = (await response.json()) as Answer
  if (error) throw new Error(`${response.status} ${error.code}: ${error.message}`)
  const anchored: AnchoredRow[] = []
  const refused: RefusedRow[] = []
  for (const record of records) {
    if ('error' in record) {
      const { message, violations } = record.error
      refused.push({ row: record.row, reasons: violations ?? [{ zh: message, en: message }] })
    } else if (record.status === 'anchored') {
      const { id, evidence, payload, salt } = record
      anchored.push({ id, evidence, payload: Buffer.from(payload, 'base64'), salt: hexToBytes(salt) })
    } else {
      throw new Error(`${record.id} is accepted but not final yet: ask GET /v1/records/${record.id}/evidence later`)
    }
  }
  return { anchored, refused }
}
