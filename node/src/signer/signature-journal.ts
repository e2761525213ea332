import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { messageOf } from '@songhua/sdk/protocol/errors'
import type { Message } from '../consensus/messages.js'
import { statementOf } from '../consensus/signing.js'
import { signerError } from './errors.js'
import type { ValidatorSigner } from './signer.js'

/** One signature of the validator key, a line of JSON. At most one `digest` may stand for one (validator, height, round, kind). */
export interface SignatureEntry {
  readonly validator: string
  readonly height: number
  readonly round: number
  readonly kind: Message['kind']
  /** Of the block; of a round change the prepared block's, after its round and a colon, or null when none was prepared. */
  readonly digest: string | null
  /** Of a commit: the round that its seal is bound to. */
  readonly sealRound?: number
}

export interface SignatureJournal {
  /** Returns when the system has the line: it survives the end of this process, not that of the machine. @throws CodedError `SIGNER_JOURNAL` */
  append(entry: SignatureEntry): void
  close(): void
}

const NEWLINE = 0x0a

/** @throws CodedError `SIGNER_JOURNAL` when the file cannot be opened */
export function openSignatureJournal(path: string): SignatureJournal {
  const attempt = <T>(what: string, act: () => T): T => {
    try {
      return act()
    } catch (error) {
      const advice = 'mend that or make room, or set signatures.journal to false'
      throw signerError('SIGNER_JOURNAL', `${path}: cannot be ${what} (${messageOf(error)}); ${advice}`, { path })
    }
  }
  const file = attempt('opened', () => openSync(path, 'a+', 0o600))
  // A line that a full disk has cut must not swallow the next one.
  let isCut = attempt('read', () => lastByte(file) !== NEWLINE)
  return {
    append(entry) {
      const line = Buffer.from(`${isCut ? '\n' : ''}${JSON.stringify(entry)}\n`)
      isCut = true
      attempt('written', () => writeWhole(file, line))
      isCut = false
    },
    close: () => closeSync(file),
  }
}

function writeWhole(file: number, line: Buffer): void {
  const written = writeSync(file, line)
  if (written < line.length) throw new Error(`${written} of ${line.length} bytes were taken: the disk is full`)
}

/** An empty file ends well. */
function lastByte(file: number): number {
  const { size } = fstatSync(file)
  if (size === 0) return NEWLINE
  const last = Buffer.alloc(1)
  readSync(file, last, 0, 1, size - 1)
  return last[0]!
}

/** The same signer, whose every signature is in the journal before whoever asked for it has it. */
export function journaledSigner(signer: ValidatorSigner, journal: SignatureJournal): ValidatorSigner {
  return {
    ...signer,
    sign(intent, domain) {
      const message = signer.sign(intent, domain)
      journal.append(entryOf(message))
      return message
    },
  }
}

function entryOf(message: Message): SignatureEntry {
  const statement = statementOf(message)
  const { height, round, kind } = statement
  const base = { validator: message.author, height, round, kind }
  if (statement.kind !== 'roundChange') {
    return { ...base, digest: statement.digest, ...(statement.kind === 'commit' ? { sealRound: round } : {}) }
  }
  const { prepared } = statement
  return { ...base, digest: prepared === undefined ? null : `${prepared.round}:${prepared.digest}` }
}
