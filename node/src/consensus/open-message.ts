import { checkTransactionsRoot } from '@songhua/sdk/protocol/block'
import { type Hash, ownBytes } from '@songhua/sdk/protocol/bytes'
import { SIGNATURE_BYTES } from '@songhua/sdk/protocol/crypto'
import { decodeExtraData } from '@songhua/sdk/protocol/extra-data'
import { type RlpItem, readBytes, readHash, readList, readNumber } from '@songhua/sdk/protocol/rlp'
import { type Authenticated, type Envelope, type Reader, readBlockBytes, reading } from './envelope.js'
import { consensusError } from './errors.js'
import { checkProposedDigest, highestPrepared } from './justification.js'
import type { Message, PreparedPair, ProposedBlock, RoundChangeClaim } from './messages.js'
import { checkDistinctValidators, checkQuorumCount, openPrepares } from './quorum.js'
import { recoverAuthor } from './signing.js'

/** The body is the one that the (signed) header names, so that nobody on the way can spoil a good block. */
function openBlock(bytes: Uint8Array, expected: { digest: Hash; height: number }, reader: Reader): ProposedBlock {
  const block = reading('block', 'CONSENSUS_BLOCK_FORM', () => reader.decodeBlock(bytes))
  const { round, seals } = reading('extraData', 'CONSENSUS_BLOCK_FORM', () => decodeExtraData(block.header.extraData))
  if (round !== 0 || seals.length > 0) {
    throw consensusError('CONSENSUS_BLOCK_FORM', 'A proposed block has round 0 and no seals in its extraData')
  }
  if (block.header.number !== expected.height) {
    const message = `Block ${block.header.number} is proposed at height ${expected.height}`
    throw consensusError('CONSENSUS_BLOCK_HEIGHT', message)
  }
  reading('block', 'CONSENSUS_BLOCK_BODY', () => checkTransactionsRoot(block))
  // Own memory: the message it came in may be a view into a larger frame.
  return { digest: expected.digest, bytes: ownBytes(bytes), block }
}

function readSignatures(item: RlpItem | undefined, field: string): Uint8Array[] {
  return readList(item, field).map((signature) => ownBytes(readBytes(signature, field, SIGNATURE_BYTES)))
}

interface BareClaim {
  readonly prepared: PreparedPair | undefined
  readonly signature: Uint8Array
}

function readClaim(item: RlpItem): BareClaim {
  const [prepared, signature] = readList(item, 'roundChange', 2)
  const pair = readList(prepared, 'roundChange.prepared')
  if (pair.length > 0) readList(pair, 'roundChange.prepared', 2)
  return {
    prepared:
      pair.length === 0
        ? undefined
        : { round: readNumber(pair[0], 'prepared.round'), digest: readHash(pair[1], 'prepared.digest') },
    signature: ownBytes(readBytes(signature, 'roundChange.signature', SIGNATURE_BYTES)),
  }
}

function openClaims(bare: readonly BareClaim[], view: Envelope, reader: Reader): RoundChangeClaim[] {
  const { height, round } = view
  checkQuorumCount(bare.length, reader, 'round changes')
  const claims = bare.map(({ prepared, signature }) => {
    if (prepared !== undefined && prepared.round >= round) {
      const message = `A round change to round ${round} claims a preparation in round ${prepared.round}`
      throw consensusError('CONSENSUS_JUSTIFICATION', message)
    }
    const statement = { kind: 'roundChange', height, round, prepared } as const
    return { author: recoverAuthor(reader.domain, statement, signature), signature, prepared }
  })
  checkDistinctValidators(claims.map(({ author }) => author), reader, 'round changes')
  return claims
}

function openProposal(authenticated: Authenticated, digest: Hash, reader: Reader): Message {
  const { height, round, author, signature, bytes, fields } = authenticated
  const bare = reading('proposal', 'CONSENSUS_MESSAGE_MALFORMED', () => ({
    claims: readList(fields[5], 'roundChanges').map(readClaim),
    prepares: readSignatures(fields[6], 'prepares'),
  }))
  if (round === 0 && bare.claims.length > 0) {
    throw consensusError('CONSENSUS_JUSTIFICATION', 'A proposal of round 0 carries no round changes')
  }
  const roundChanges = round === 0 ? [] : openClaims(bare.claims, authenticated, reader)
  const prepared = highestPrepared(roundChanges)
  if (prepared === undefined && bare.prepares.length > 0) {
    throw consensusError('CONSENSUS_JUSTIFICATION', 'The proposal carries prepares, but no round change claims any')
  }
  checkProposedDigest(roundChanges, digest)
  const prepares = prepared === undefined ? [] : openPrepares(bare.prepares, { height, ...prepared }, reader)
  const block = openBlock(readBlockBytes(fields[4]), { digest, height }, reader)
  // A block proposed again keeps the coinbase of who built it (the rotation of the next height rests on it).
  if (prepared === undefined && block.block.header.coinbase !== author) {
    const message = `${author} proposes a fresh block with the coinbase ${block.block.header.coinbase}`
    throw consensusError('CONSENSUS_COINBASE', message)
  }
  return { kind: 'proposal', height, round, author, signature, bytes, block, justification: { roundChanges, prepares } }
}

function openRoundChange(authenticated: Authenticated, pair: PreparedPair | undefined, reader: Reader): Message {
  const { height, round, author, signature, bytes, fields } = authenticated
  const message = { kind: 'roundChange', height, round, author, signature, bytes } as const
  if (pair === undefined) return { ...message, prepared: undefined }
  if (pair.round >= round) {
    const text = `A round change to round ${round} claims a preparation in round ${pair.round}`
    throw consensusError('CONSENSUS_CERTIFICATE', text)
  }
  const prepared = readList(fields[4], 'prepared', 3)
  const bare = reading('prepared', 'CONSENSUS_MESSAGE_MALFORMED', () => readSignatures(prepared[2], 'prepares'))
  const prepares = openPrepares(bare, { height, ...pair }, reader)
  const block = openBlock(readBlockBytes(prepared[1]), { digest: pair.digest, height }, reader)
  return { ...message, prepared: { ...pair, prepares, block } }
}

/**
 * Everything that is nested: round changes, certificates, the block. What comes out is justified by QBFT 1.5; the rules
 * left to the state machine are those of time.
 * @throws CodedError with a `CONSENSUS_` code
 */
export function openMessage(authenticated: Authenticated, reader: Reader): Message {
  const { height, round, author, signature, bytes, statement } = authenticated
  const base = { height, round, author, signature, bytes: ownBytes(bytes) }
  switch (statement.kind) {
    case 'proposal':
      return openProposal(authenticated, statement.digest, reader)
    case 'prepare':
      return { ...base, kind: 'prepare', digest: statement.digest }
    case 'commit':
      return { ...base, kind: 'commit', digest: statement.digest, seal: statement.seal }
    case 'roundChange':
      return openRoundChange(authenticated, statement.prepared, reader)
  }
}
