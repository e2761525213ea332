import { blockHash, commitSealDigest, headerWithRound } from '@songhua/sdk/protocol/block-hash'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { privateKeyToAddress, signDigest } from '@songhua/sdk/protocol/crypto'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import { crashPoint } from '../base/crash-points.js'
import { encodeMessage } from '../consensus/encode.js'
import type { Domain, Intent, Message, ProposedBlock, Unsigned } from '../consensus/messages.js'
import { signingDigest, statementOf } from '../consensus/signing.js'
import { type SafetyRecord, isAfter } from '../consensus/safety-record.js'
import { signerError } from './errors.js'
import type { Recovery } from './recovery.js'
import { encodeBlockEntry, encodeMark, encodeRecord } from './safety-log.js'

/** The consensus log, of which the signer is the only writer. */
export interface SignerLog {
  /** Resolves when the record is durable. Records keep the order of the calls; calls made together may share one sync. */
  append(payload: Uint8Array): Promise<void>
  /** Drops all records and begins anew with these, atomically: after a crash the old ones are there, or the new ones. */
  startEpoch(height: number, records: readonly Uint8Array[]): Promise<void>
}

export interface SignerOptions {
  /** 32 bytes. */
  readonly privateKey: Uint8Array
  readonly recovery: Recovery
}

/** The validator's key behind its guard. */
export interface ValidatorSigner {
  readonly address: Address
  readonly recovery: Recovery
  /**
   * The height to come; what was signed below it can no longer matter, and its entries are dropped. Call it when the
   * block below is durable.
   */
  startHeight(height: number, options: { isSilent: boolean }): Promise<void>
  /**
   * Resolves when the log is durably at `height` or above it. The store must not run ahead of that: after a crash a log
   * that lags two blocks behind its store looks like an old copy, and would silence a validator that has lost nothing.
   */
  reached(height: number): Promise<void>
  /**
   * Binds the key to `record`, durably, with the blocks that it names. Must be awaited before anything that it covers is
   * signed.
   * @throws CodedError `SIGNER_REGRESSION` for a lower height, round or step, or another block in the same round
   */
  persist(record: SafetyRecord): Promise<void>
  /**
   * Signs what the last durable record covers and nothing else; the same intent gives the same bytes again.
   * @throws CodedError with a `SIGNER_` code
   */
  sign(intent: Intent, domain: Domain): Message
}

/** The same key for the same height never speaks for two blocks in one round, whatever the code above it does. */
export function createValidatorSigner(options: SignerOptions, log: SignerLog): ValidatorSigner {
  const { privateKey, recovery } = options
  const address = privateKeyToAddress(privateKey)
  let isSilent = recovery.silence !== undefined
  /** Handed to the log. */
  let pending = recovery.record
  /** On disk. */
  let bound = recovery.record
  let height = bound?.height ?? 0
  /** Blocks that the current epoch of the log holds. */
  let saved = new Set(blocksOf(recovery.record).keys())
  /** The height at which the log is durably. */
  let reachedHeight = height
  let waiting: { height: number; resume: () => void }[] = []

  const noteReached = (next: number): void => {
    reachedHeight = Math.max(reachedHeight, next)
    for (const { height: wanted, resume } of waiting) if (wanted <= reachedHeight) resume()
    waiting = waiting.filter(({ height: wanted }) => wanted > reachedHeight)
  }
  const reached: ValidatorSigner['reached'] = (wanted) =>
    wanted <= reachedHeight ? Promise.resolve() : new Promise((resume) => waiting.push({ height: wanted, resume }))

  const startHeight: ValidatorSigner['startHeight'] = async (next, { isSilent: silent }) => {
    if (next < height) throw signerError('SIGNER_REGRESSION', `Height ${next} is below ${height}`)
    isSilent = silent
    height = next
    // At the height of the recovered record the log goes on: it must not be dropped before its block is final.
    if (bound?.height === next) return
    pending = bound = undefined
    saved = new Set()
    await log.startEpoch(next, [encodeMark({ height: next, isSilent: silent })])
    noteReached(next)
  }

  const persist: ValidatorSigner['persist'] = async (record) => {
    if (isSilent) throw signerError('SIGNER_SILENT', 'This validator keeps silent: its consensus log does not tell what it has signed')
    if (record.height !== height || (pending !== undefined && !isAfter(record, pending))) {
      throw signerError('SIGNER_REGRESSION', `A record ${placeOf(record)} after ${placeOf(pending ?? { height })}`)
    }
    pending = record
    crashPoint('signing.before-persist')
    saved = await write(log, record, saved)
    crashPoint('signing.persisted')
    bound = record
  }

  const sign: ValidatorSigner['sign'] = (intent, domain) => {
    if (isSilent) throw signerError('SIGNER_SILENT', 'This validator keeps silent: its consensus log does not tell what it has signed')
    checkCovered(intent, bound)
    const unsigned = withSeal(intent, privateKey)
    const signature = signDigest(signingDigest(domain, statementOf(unsigned)), privateKey)
    const message = { ...unsigned, author: address, signature }
    return { ...message, bytes: encodeMessage(message) }
  }

  return { address, recovery, startHeight, reached, persist, sign }
}

/** @returns the blocks that the epoch then holds */
async function write(log: SignerLog, record: SafetyRecord, saved: ReadonlySet<Hash>): Promise<Set<Hash>> {
  const named = blocksOf(record)
  const missing = [...named.values()].filter(({ digest }) => !saved.has(digest))
  const entries = [...missing.map(encodeBlockEntry), encodeRecord(record)]
  try {
    await Promise.all(entries.map((entry) => log.append(entry)))
    return new Set([...saved, ...named.keys()])
  } catch (error) {
    if (!isCodedError(error, 'CONSENSUS_LOG_FULL')) throw error
    // Days of rounds at one height, or hours with large blocks: only the last record still counts, and what it names.
    await log.startEpoch(record.height, wholeEpoch(record))
    return new Set(named.keys())
  }
}

function wholeEpoch(record: SafetyRecord): Uint8Array[] {
  const { height } = record
  const blocks = [...blocksOf(record).values()]
  return [encodeMark({ height, isSilent: false }), ...blocks.map(encodeBlockEntry), encodeRecord(record)]
}

/** The blocks that a record names: a log that does not hold them cannot be read. */
function blocksOf(record: SafetyRecord | undefined): Map<Hash, ProposedBlock> {
  return new Map([record?.certificate?.block, record?.block].flatMap((kept) => (kept ? [[kept.digest, kept]] : [])))
}

/** A Commit gets its seal, over the header of its round. */
function withSeal(intent: Intent, privateKey: Uint8Array): Unsigned {
  if (intent.kind !== 'commit') return intent
  const { kind, height, round, digest, header } = intent
  return { kind, height, round, digest, seal: signDigest(commitSealDigest(headerWithRound(header, round)), privateKey) }
}

function placeOf({ height, round, step }: { height: number; round?: number; step?: string }): string {
  return round === undefined ? `at height ${height}` : `at height ${height}, round ${round}, step ${step}`
}

function checkCovered(intent: Intent, bound: SafetyRecord | undefined): asserts bound is SafetyRecord {
  const { kind, height, round } = intent
  const what = `A ${kind} ${placeOf(intent)}`
  if (bound === undefined || height > bound.height || (height === bound.height && round > bound.round)) {
    throw signerError('SIGNER_NOT_PERSISTED', `${what} is not in the consensus log yet`)
  }
  if (height < bound.height || round < bound.round) {
    throw signerError('SIGNER_REGRESSION', `${what} lies below the record ${placeOf(bound)}`)
  }
  if (kind === 'roundChange') return checkRoundChange(intent, bound, what)
  if (bound.block === undefined || (kind === 'commit' && bound.step !== 'commit')) {
    throw signerError('SIGNER_NOT_PERSISTED', `${what} goes beyond the record ${placeOf(bound)}`)
  }
  const digest = kind === 'proposal' ? intent.block.digest : intent.digest
  if (digest !== bound.block.digest) {
    const details = { digest, bound: bound.block.digest }
    throw signerError('SIGNER_CONFLICT', `${what} is for ${digest}; the record is for ${bound.block.digest}`, details)
  }
  // The seal is made over the header: it must be the header of that very block.
  if (kind === 'commit' && blockHash(intent.header) !== digest) {
    throw signerError('SIGNER_CONFLICT', `${what} carries the header of another block than ${digest}`, { digest })
  }
}

function checkRoundChange(intent: Extract<Intent, { kind: 'roundChange' }>, bound: SafetyRecord, what: string): void {
  if (bound.step !== 'roundChange') {
    throw signerError('SIGNER_REGRESSION', `${what} lies below the record ${placeOf(bound)}`)
  }
  const { prepared } = intent
  if (prepared?.digest !== bound.certificate?.digest || prepared?.round !== bound.certificate?.round) {
    throw signerError('SIGNER_CONFLICT', `${what} does not carry the certificate of the record`)
  }
}
