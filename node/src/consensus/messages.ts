import type { Block } from '@songhua/sdk/protocol/block'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import type { Header } from '@songhua/sdk/protocol/header'

export type MessageKind = 'proposal' | 'prepare' | 'commit' | 'roundChange'

/** What every signature of consensus is bound to, beside its height and round. */
export interface Domain {
  readonly genesisHash: Hash
  /** Protocol version of the message's height. */
  readonly protocolVersion: number
}

/** A block as it is proposed: its header has round 0 and no seals, so that one digest has one encoding. */
export interface ProposedBlock {
  /** The block hash: the same in every round. */
  readonly digest: Hash
  /** `encodeBlock(block)` */
  readonly bytes: Uint8Array
  readonly block: Block
}

/** A signature (65 bytes) and the address that it recovers to. */
export interface SignedVote {
  readonly author: Address
  readonly signature: Uint8Array
}

export interface PreparedPair {
  readonly round: number
  readonly digest: Hash
}

/** A quorum of Prepares of one round for one block: proof that no other block can have been decided before it. */
export interface PreparedCertificate extends PreparedPair {
  readonly prepares: readonly SignedVote[]
  readonly block: ProposedBlock
}

/** A RoundChange without its attachments, as it stands in a justification. */
export interface RoundChangeClaim extends SignedVote {
  readonly prepared: PreparedPair | undefined
}

/** Why a Proposal of a later round is allowed (QBFT 1.5); both lists are empty in round 0. */
export interface Justification {
  readonly roundChanges: readonly RoundChangeClaim[]
  /** Prepares of the highest round prepared among `roundChanges`. */
  readonly prepares: readonly SignedVote[]
}

interface View {
  readonly height: number
  readonly round: number
}

/** What a validator means to say, before it is signed. */
export type Intent =
  | (View & { readonly kind: 'proposal'; readonly block: ProposedBlock; readonly justification: Justification })
  | (View & { readonly kind: 'prepare'; readonly digest: Hash })
  | (View & { readonly kind: 'commit'; readonly digest: Hash; /** of the block, round 0 */ readonly header: Header })
  | (View & { readonly kind: 'roundChange'; readonly prepared: PreparedCertificate | undefined })

interface Signed extends View, SignedVote {
  /** The whole message as it went over the wire. */
  readonly bytes: Uint8Array
}

export interface Proposal extends Signed {
  readonly kind: 'proposal'
  readonly block: ProposedBlock
  readonly justification: Justification
}

export interface Prepare extends Signed {
  readonly kind: 'prepare'
  readonly digest: Hash
}

export interface Commit extends Signed {
  readonly kind: 'commit'
  readonly digest: Hash
  /** Over the header with this round; covered by the message's signature. */
  readonly seal: Uint8Array
}

export interface RoundChange extends Signed {
  readonly kind: 'roundChange'
  readonly prepared: PreparedCertificate | undefined
}

export type Message = Proposal | Prepare | Commit | RoundChange

/** A signed message that has no bytes yet. */
export type Unencoded<M extends Message = Message> = M extends Message ? Omit<M, 'bytes'> : never
/** A message before its signature; a commit has its seal already. */
export type Unsigned<M extends Message = Message> = M extends Message ? Omit<M, 'bytes' | 'signature' | 'author'> : never

/** What a message speaks for: the block, or for a round change the block that its author has prepared. */
export function subjectOf(message: Message): Hash | undefined {
  switch (message.kind) {
    case 'proposal':
      return message.block.digest
    case 'prepare':
    case 'commit':
      return message.digest
    case 'roundChange':
      return message.prepared?.digest
  }
}
