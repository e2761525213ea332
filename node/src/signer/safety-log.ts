import type { Block } from '@songhua/sdk/protocol/block'
import { blockHash } from '@songhua/sdk/protocol/block-hash'
import { type Hash, hexToBytes, numberToBytes, ownBytes } from '@songhua/sdk/protocol/bytes'
import { SIGNATURE_BYTES } from '@songhua/sdk/protocol/crypto'
import {
  type RlpItem,
  decodeRlp,
  encodeRlp,
  readAddress,
  readBytes,
  readHash,
  readList,
  readNumber,
} from '@songhua/sdk/protocol/rlp'
import type { PreparedCertificate, ProposedBlock } from '../consensus/messages.js'
import { STEPS, type SafetyRecord } from '../consensus/safety-record.js'
import { signerError } from './errors.js'

/*
 * The entries of the consensus log, RLP, their kind in front:
 *   0 mark    height, silent (0 or 1)                        first entry of a height, of every node that follows the chain
 *   1 block   RLP of a proposed block
 *   2 record  height, round, step, [] or [digest], [] or [round, digest, [[author, signature]…]]
 * A record names blocks by their digest; their entries stand before it.
 */
const ENTRY = { mark: 0, block: 1, record: 2 } as const

/** The height that a node was at when it last wrote, and whether it was to keep silent there. */
export interface HeightMark {
  readonly height: number
  readonly isSilent: boolean
}

export function encodeMark({ height, isSilent }: HeightMark): Uint8Array {
  return encodeRlp([numberToBytes(ENTRY.mark), numberToBytes(height), numberToBytes(isSilent ? 1 : 0)])
}

export function encodeBlockEntry(block: ProposedBlock): Uint8Array {
  return encodeRlp([numberToBytes(ENTRY.block), block.bytes])
}

export function encodeRecord({ height, round, step, block, certificate }: SafetyRecord): Uint8Array {
  return encodeRlp([
    numberToBytes(ENTRY.record),
    numberToBytes(height),
    numberToBytes(round),
    numberToBytes(STEPS.indexOf(step)),
    block === undefined ? [] : [hexToBytes(block.digest)],
    certificate === undefined ? [] : certificateToRlp(certificate),
  ])
}

function certificateToRlp({ round, digest, prepares }: PreparedCertificate): RlpItem[] {
  const votes = prepares.map(({ author, signature }) => [hexToBytes(author), signature])
  return [numberToBytes(round), hexToBytes(digest), votes]
}

/** What a log holds, its last word on each. */
export interface LogContent {
  readonly mark: HeightMark | undefined
  /** Of the mark's height. */
  readonly record: SafetyRecord | undefined
}

type DecodeBlock = (bytes: Uint8Array) => Block

/**
 * @param payloads entries whose checksums were right, oldest first
 * @throws CodedError `SIGNER_LOG_UNREADABLE` when they make no sense together: the log then counts as lost
 */
export function readSafetyLog(payloads: readonly Uint8Array[], decodeBlock: DecodeBlock): LogContent {
  const blocks = new Map<Hash, ProposedBlock>()
  let mark: HeightMark | undefined
  let record: SafetyRecord | undefined
  for (const payload of payloads) {
    const fields = readList(decodeRlp(payload), 'entry')
    const kind = readNumber(fields[0], 'entry.kind')
    if (kind === ENTRY.mark) {
      mark = { height: readNumber(fields[1], 'mark.height'), isSilent: readNumber(fields[2], 'mark.silent') === 1 }
      record = undefined
    } else if (kind === ENTRY.block) {
      const bytes = ownBytes(readBytes(fields[1], 'block'))
      const block = decodeBlock(bytes)
      const digest = blockHash(block.header)
      blocks.set(digest, { digest, bytes, block })
    } else if (kind === ENTRY.record) {
      record = readRecord(fields, blocks)
    } else {
      throw signerError('SIGNER_LOG_UNREADABLE', `The consensus log has an entry of the unknown kind ${kind}`, { kind })
    }
  }
  if (record !== undefined && record.height !== mark?.height) {
    const message = `The consensus log has a record of height ${record.height} under the mark of height ${mark?.height ?? 'none'}`
    throw signerError('SIGNER_LOG_UNREADABLE', message)
  }
  return { mark, record }
}

type Blocks = ReadonlyMap<Hash, ProposedBlock>

function blockOf(blocks: Blocks, digest: Hash): ProposedBlock {
  const block = blocks.get(digest)
  if (block) return block
  throw signerError('SIGNER_LOG_UNREADABLE', `The consensus log names block ${digest} and does not hold it`, { digest })
}

function readRecord(fields: readonly RlpItem[], blocks: Blocks): SafetyRecord {
  const [, height, round, step, digest, certificate] = fields
  const named = readList(digest, 'record.digest')
  const proof = readList(certificate, 'record.certificate')
  return {
    height: readNumber(height, 'record.height'),
    round: readNumber(round, 'record.round'),
    step: STEPS[readNumber(step, 'record.step')] ?? unknownStep(),
    block: named.length === 0 ? undefined : blockOf(blocks, readHash(named[0], 'record.digest')),
    certificate: proof.length === 0 ? undefined : readCertificate(proof, blocks),
  }
}

function unknownStep(): never {
  throw signerError('SIGNER_LOG_UNREADABLE', 'The consensus log has a record of an unknown step')
}

function readCertificate(fields: readonly RlpItem[], blocks: Blocks): PreparedCertificate {
  const digest = readHash(fields[1], 'certificate.digest')
  const prepares = readList(fields[2], 'certificate.prepares').map((item) => {
    const [author, signature] = readList(item, 'prepare', 2)
    return {
      author: readAddress(author, 'prepare.author'),
      signature: ownBytes(readBytes(signature, 'prepare.signature', SIGNATURE_BYTES)),
    }
  })
  return { round: readNumber(fields[0], 'certificate.round'), digest, prepares, block: blockOf(blocks, digest) }
}
