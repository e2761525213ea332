import { MAX_BLOCK_BYTES, type Block } from '@songhua/sdk/protocol/block'
import { blockHash } from '@songhua/sdk/protocol/block-hash'
import { type Address, type Hash, ownBytes } from '@songhua/sdk/protocol/bytes'
import { SIGNATURE_BYTES } from '@songhua/sdk/protocol/crypto'
import { isCodedError, messageOf } from '@songhua/sdk/protocol/errors'
import { MAX_ROUND } from '@songhua/sdk/protocol/extra-data'
import { type Header, decodeHeader } from '@songhua/sdk/protocol/header'
import { proposerOf } from '@songhua/sdk/protocol/proposer'
import { type RlpItem, decodeRlp, readBytes, readHash, readList, readNumber, splitRlpList } from '@songhua/sdk/protocol/rlp'
import { type ConsensusErrorCode, consensusError } from './errors.js'
import { MAX_CONSENSUS_MESSAGE_BYTES, MAX_MESSAGE_DEPTH, MAX_MESSAGE_ITEMS, WIRE_VERSION } from './limits.js'
import type { MessageKind, PreparedPair, SignedVote } from './messages.js'
import { type Electorate, checkValidator } from './quorum.js'
import { KIND_CODES, type Statement, recoverAuthor } from './signing.js'

/*
 * Reading goes from cheap to dear: `readEnvelope` looks at sizes and numbers, `authenticate` recovers the one author,
 * `openMessage` recovers what is nested and decodes the block. Whoever reads may stop between any two of them.
 */

/** A message's frame: nothing of it is proven yet. */
export interface Envelope {
  readonly kind: MessageKind
  readonly height: number
  readonly round: number
  readonly fields: readonly RlpItem[]
  readonly bytes: Uint8Array
}

/** A message whose author is a validator; its attachments are not read yet. */
export interface Authenticated extends Envelope, SignedVote {
  /** The block spoken for; undefined for a round change without a preparation. */
  readonly digest: Hash | undefined
  readonly statement: Statement
}

/** What a reader must know of the height. */
export interface Reader extends Electorate {
  /** Proposers of rounds 0, 1, 2 … */
  readonly proposers: readonly Address[]
  decodeBlock(bytes: Uint8Array): Block
}

const FIELD_COUNTS: Record<MessageKind, number> = { proposal: 8, prepare: 6, commit: 7, roundChange: 6 }
const KINDS = new Map(Object.entries(KIND_CODES).map(([kind, code]) => [code, kind as MessageKind]))

function malformed(message: string, cause?: unknown): never {
  throw consensusError('CONSENSUS_MESSAGE_MALFORMED', message, { cause })
}

/** Errors of the decoders below become ours, so that every refusal of a message has a code of consensus. */
export function reading<T>(what: string, code: ConsensusErrorCode, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (isCodedError(cause) && cause.code.startsWith('CONSENSUS_')) throw cause
    throw consensusError(code, `${what}: ${messageOf(cause)}`, { cause })
  }
}

/** @throws CONSENSUS_MESSAGE_TOO_LARGE, CONSENSUS_MESSAGE_MALFORMED, CONSENSUS_WIRE_VERSION */
export function readEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.length > MAX_CONSENSUS_MESSAGE_BYTES) {
    const message = `A consensus message of ${bytes.length} bytes; at most ${MAX_CONSENSUS_MESSAGE_BYTES}`
    throw consensusError('CONSENSUS_MESSAGE_TOO_LARGE', message)
  }
  return reading('message', 'CONSENSUS_MESSAGE_MALFORMED', () => {
    const fields = readList(decodeRlp(bytes, { maxDepth: MAX_MESSAGE_DEPTH, maxItems: MAX_MESSAGE_ITEMS }), 'message')
    const version = readNumber(fields[0], 'message.version')
    if (version !== WIRE_VERSION) {
      const message = `The message has wire version ${version}; this node speaks ${WIRE_VERSION}`
      throw consensusError('CONSENSUS_WIRE_VERSION', message)
    }
    const kind = KINDS.get(readNumber(fields[1], 'message.kind')) ?? malformed('message.kind is unknown')
    readList(fields, kind, FIELD_COUNTS[kind])
    const height = readNumber(fields[2], 'message.height')
    const round = readNumber(fields[3], 'message.round')
    if (round > MAX_ROUND) malformed(`message.round is ${round}; at most ${MAX_ROUND}`)
    if (kind === 'roundChange' && round === 0) malformed('a round change goes to round 1 or later')
    return { kind, height, round, fields, bytes }
  })
}

function headerOfBlock(bytes: Uint8Array): Header {
  const [header] = splitRlpList(bytes, 'block', 4)
  return header ? decodeHeader(header) : malformed('block is an empty list')
}

export function readBlockBytes(item: RlpItem | undefined): Uint8Array {
  const bytes = readBytes(item, 'block')
  if (bytes.length > MAX_BLOCK_BYTES) {
    throw consensusError('CONSENSUS_MESSAGE_TOO_LARGE', `A block of ${bytes.length} bytes; at most ${MAX_BLOCK_BYTES}`)
  }
  return bytes
}

/** The pair that a round change signs; its block's digest is computed, not read. */
function readOwnPrepared(item: RlpItem | undefined): PreparedPair | undefined {
  const fields = readList(item, 'prepared')
  if (fields.length === 0) return undefined
  readList(fields, 'prepared', 3)
  return { round: readNumber(fields[0], 'prepared.round'), digest: blockHash(headerOfBlock(readBlockBytes(fields[1]))) }
}

function readStatement({ kind, height, round, fields }: Envelope): Statement {
  switch (kind) {
    case 'proposal':
      return { kind, height, round, digest: blockHash(headerOfBlock(readBlockBytes(fields[4]))) }
    case 'prepare':
      return { kind, height, round, digest: readHash(fields[4], 'digest') }
    case 'commit': {
      const seal = ownBytes(readBytes(fields[5], 'seal', SIGNATURE_BYTES))
      return { kind, height, round, digest: readHash(fields[4], 'digest'), seal }
    }
    case 'roundChange':
      return { kind, height, round, prepared: readOwnPrepared(fields[4]) }
  }
}

/** @throws CONSENSUS_SIGNATURE, CONSENSUS_UNKNOWN_VALIDATOR, CONSENSUS_NOT_PROPOSER, CONSENSUS_MESSAGE_MALFORMED */
export function authenticate(envelope: Envelope, reader: Reader): Authenticated {
  const { kind, round, fields } = envelope
  const statement = reading(kind, 'CONSENSUS_MESSAGE_MALFORMED', () => readStatement(envelope))
  const signature = reading(kind, 'CONSENSUS_MESSAGE_MALFORMED', () =>
    ownBytes(readBytes(fields.at(-1), 'signature', SIGNATURE_BYTES)),
  )
  const author = recoverAuthor(reader.domain, statement, signature)
  checkValidator(author, reader, `a ${kind}`)
  if (kind === 'proposal' && author !== proposerOf(reader.proposers, round)) {
    const message = `${author} proposes in round ${round}, which is the turn of ${proposerOf(reader.proposers, round)}`
    throw consensusError('CONSENSUS_NOT_PROPOSER', message, { details: { author, round } })
  }
  const digest = statement.kind === 'roundChange' ? statement.prepared?.digest : statement.digest
  return { ...envelope, author, signature, statement, digest }
}

