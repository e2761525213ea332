import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import type { RecordInput } from '@songhua/sdk'
import { type CliContext, cliError } from './context.js'

/** What the command line says of a document besides the file itself. */
export interface DocumentFacts {
  readonly issuer?: string
  readonly title?: string
  readonly number?: string
  readonly type: string
  /** YYYY-MM-DD. */
  readonly issuedOn: string
  readonly issuedBy: string
}

const MEDIA_TYPES: Record<string, string> = {
  '.pdf': 'application/pdf',
  '.ofd': 'application/ofd',
  '.json': 'application/json',
  '.xml': 'application/xml',
  '.zip': 'application/zip',
  '.csv': 'text/csv',
  '.txt': 'text/plain',
  '.md': 'text/markdown',
  '.html': 'text/html',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.png': 'image/png',
  '.tif': 'image/tiff',
  '.mp4': 'video/mp4',
  '.doc': 'application/msword',
  '.docx': 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  '.xlsx': 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
}

/**
 * The record of a file: its name, size and digests, never its contents. Without a number the subject is a random URN,
 * which tells nobody anything; the digests stay in the salted payload.
 * @throws CLI_FILE
 */
export async function documentRecord(
  context: CliContext,
  path: string,
  facts: DocumentFacts,
): Promise<RecordInput<'government.document'>> {
  const { issuer, title, number, type, issuedOn, issuedBy } = facts
  const digests = await digestFile(context, path)
  return {
    schema: 'government.document',
    subject:
      number === undefined
        ? { kind: 'public', scheme: 'uri', id: `urn:uuid:${randomUUID()}` }
        : { kind: 'public', scheme: 'number', id: number },
    payload: {
      name: basename(path),
      mediaType: MEDIA_TYPES[extname(path).toLowerCase()] ?? 'application/octet-stream',
      ...digests,
      documentType: type,
      issuedOn,
      issuedBy,
      ...(number === undefined ? {} : { documentNumber: number }),
      ...(title === undefined ? {} : { summary: title }),
    },
    ...(issuer === undefined ? {} : { issuer }),
  }
}

export interface DocumentDigests {
  readonly sizeBytes: number
  readonly sha256: string
  readonly sm3: string
}

/** Empty for what is no JSON object: then it is no record of a document. */
function parseObject(text: string): Partial<DocumentDigests> {
  try {
    return (JSON.parse(text) ?? {}) as Partial<DocumentDigests>
  } catch (error) {
    if (error instanceof SyntaxError) return {}
    throw error
  }
}

/** What the record of a document says of it; undefined when the payload is no such record. */
export function recordedDigests(payload: string): DocumentDigests | undefined {
  const { sizeBytes, sha256, sm3 } = parseObject(payload)
  return sizeBytes === undefined || sha256 === undefined || sm3 === undefined ? undefined : { sizeBytes, sha256, sm3 }
}

export const isSameDocument = (a: DocumentDigests, b: DocumentDigests): boolean =>
  a.sizeBytes === b.sizeBytes && a.sha256 === b.sha256 && a.sm3 === b.sm3

/** Read once, in pieces, however large. */
export async function digestFile(
  context: CliContext,
  path: string,
): Promise<DocumentDigests> {
  const [sha256, sm3] = [createHash('sha256'), createHash('sm3')]
  let sizeBytes = 0
  try {
    if (!(await stat(path)).isFile()) throw Object.assign(new Error('no regular file'), { code: 'EISDIR', syscall: 'read' })
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
      const bytes = chunk as Buffer
      sha256.update(bytes)
      sm3.update(bytes)
      sizeBytes += bytes.length
    }
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) throw error
    const [what, reason] = [context.t('documentFile'), String(error.code)]
    throw cliError(context, 'CLI_FILE', [reason === 'ENOENT' ? 'fileMissing' : 'fileUnreadable', { what, path, reason }, error])
  }
  return { sizeBytes, sha256: sha256.digest('hex'), sm3: sm3.digest('hex') }
}
