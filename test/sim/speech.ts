import { blockHash } from '@songhua/sdk/protocol/block-hash'
import { type Address, type Hash, bytesToHex } from '@songhua/sdk/protocol/bytes'
import { decodeHeader } from '@songhua/sdk/protocol/header'
import { type RlpItem, decodeRlp, readBytes, readList, readNumber, splitRlpList } from '@songhua/sdk/protocol/rlp'
import type { MessageKind } from '@songhua/node/consensus/messages'

/** What a consensus message says, read without any check of who says it. */
export interface Speech {
  readonly kind: MessageKind
  readonly height: number
  readonly round: number
  /** The block spoken for; of a round change the prepared one. */
  readonly digest: Hash | undefined
  /** Of a round change, and the highest among a proposal's round changes. */
  readonly preparedRound: number | undefined
  /** Of the block, where the message carries it. */
  readonly coinbase: Address | undefined
}

const KINDS: Record<number, MessageKind> = { 0x12: 'proposal', 0x13: 'prepare', 0x14: 'commit', 0x15: 'roundChange' }

const known = new WeakMap<Uint8Array, Speech>()

/**
 * @param bytes a message that a node has encoded
 * @throws CodedError when it is none
 */
export function speechOf(bytes: Uint8Array): Speech {
  const found = known.get(bytes) ?? readSpeech(bytes)
  known.set(bytes, found)
  return found
}

function readSpeech(bytes: Uint8Array): Speech {
  const fields = readList(decodeRlp(bytes), 'message')
  const kind = KINDS[readNumber(fields[1], 'kind')]
  if (kind === undefined) throw new RangeError('a message of no known kind')
  const view = { kind, height: readNumber(fields[2], 'height'), round: readNumber(fields[3], 'round') }
  const nothing = { digest: undefined, preparedRound: undefined, coinbase: undefined }
  switch (kind) {
    case 'proposal':
      return { ...view, ...readBlock(fields[4]), preparedRound: highestClaim(fields[5]) }
    case 'prepare':
    case 'commit':
      return { ...view, ...nothing, digest: bytesToHex(readBytes(fields[4], 'digest')) }
    case 'roundChange': {
      const [round, block] = readList(fields[4], 'prepared')
      if (round === undefined) return { ...view, ...nothing }
      return { ...view, preparedRound: readNumber(round, 'prepared.round'), ...readBlock(block) }
    }
  }
}

function highestClaim(item: RlpItem | undefined): number | undefined {
  const claims = readList(item, 'roundChanges').map((claim) => readList(readList(claim, 'roundChange')[0], 'prepared'))
  const rounds = claims.filter((prepared) => prepared.length > 0).map(([round]) => readNumber(round, 'prepared.round'))
  return rounds.length === 0 ? undefined : Math.max(...rounds)
}

function readBlock(item: RlpItem | undefined): { digest: Hash; coinbase: Address } {
  const header = decodeHeader(splitRlpList(readBytes(item, 'block'), 'block', 4)[0]!)
  return { digest: blockHash(header), coinbase: header.coinbase }
}

export const shortHash = (hash: Hash | undefined): string => (hash === undefined ? '-' : hash.slice(0, 10))

/** In protocol words: `prepare h5 r1 0x1234abcd`. */
export function wordsOf({ kind, height, round, digest, preparedRound }: Speech): string {
  const prepared = kind === 'roundChange' ? `prepared ${preparedRound === undefined ? 'nothing' : `r${preparedRound} `}` : ''
  return `${kind} h${height} r${round} ${prepared}${digest === undefined ? '' : shortHash(digest)}`.trimEnd()
}
