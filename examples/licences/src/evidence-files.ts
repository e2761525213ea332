import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AnchoredRow } from './csv-door.js'

/**
 * What a department keeps of a record. The evidence may be given to anybody; payload and salt to whom the record is
 * for: together the three are what `songhua verify` checks, offline.
 */
export async function keep(folder: string, { id, evidence, payload, salt }: AnchoredRow): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, `${id}.evidence.json`), JSON.stringify(evidence))
  await writeFile(join(folder, `${id}.payload.json`), payload)
  await writeFile(join(folder, `${id}.salt`), Buffer.from(salt).toString('hex'))
}
