import { EMPTY_TRIE_ROOT } from '@songhua/sdk/protocol/account'
import { type Block, encodeBlock, transactionsRootOf } from '@songhua/sdk/protocol/block'
import { blockHash, commitSealDigest, headerWithRound } from '@songhua/sdk/protocol/block-hash'
import { BLOOM_BYTES } from '@songhua/sdk/protocol/bloom'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { signDigest } from '@songhua/sdk/protocol/crypto'
import { createHeader } from '@songhua/sdk/protocol/header-rules'
import { EMPTY_FRONTIER, appendHash } from '@songhua/sdk/protocol/history-tree'
import { type Transaction, signTransaction } from '@songhua/sdk/protocol/transaction'
import { encodeMessage } from '@songhua/node/consensus/encode'
import { NO_JUSTIFICATION, mandateOf } from '@songhua/node/consensus/justification'
import type {
  Commit,
  Domain,
  Justification,
  Message,
  Prepare,
  PreparedCertificate,
  Proposal,
  ProposedBlock,
  RoundChange,
  Unsigned,
} from '@songhua/node/consensus/messages'
import type { Timing } from '@songhua/node/consensus/rounds'
import { signingDigest, statementOf } from '@songhua/node/consensus/signing'
import { type Council, councilOf, genesisOf } from '../sync/chain.js'

export const HEIGHT = 2
export const PARENT_MS = 1_700_000_100_000
export const TIMING: Timing = {
  roundTimeoutMs: 2_000,
  roundTimeoutStepMs: 1_000,
  roundTimeoutCapMs: 20_000,
  minBlockPeriodMs: 50,
  emptyBlockPeriodS: 30,
}

export const councilOfSize = (n: number): Council => councilOf(Array.from({ length: n }, (_, at) => at + 1))

export const transaction = (nonce: number): Transaction =>
  signTransaction({ chainId: 230099n, nonce, gasLimit: 21_000n, to: `0x${'ab'.repeat(20)}` }, new Uint8Array(32).fill(99))

/** A signature of the same key over the same digest, in the form that low-s forbids. */
export function highSTwin(signature: Uint8Array): Uint8Array {
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
  const twin = new Uint8Array(signature)
  const s = BigInt(`0x${Buffer.from(signature.subarray(32, 64)).toString('hex')}`)
  twin.set(Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex'), 32)
  twin[64] = signature[64]! ^ 1
  return twin
}

export interface BlockSpec {
  readonly coinbase: Address
  readonly timeMs?: number
  readonly transactions?: Transaction[]
  readonly round?: number
  readonly height?: number
}

/** Validators with keys, and whatever any of them may sign, true or not. */
export class Cast {
  readonly council: Council
  readonly validators: Address[]
  readonly domain: Domain
  readonly height: number

  constructor(n: number, height = HEIGHT) {
    this.council = councilOfSize(n)
    this.validators = this.council.addresses
    this.domain = { genesisHash: blockHash(genesisOf(this.council)), protocolVersion: 1 }
    this.height = height
  }

  keyOf(who: number): Uint8Array {
    return this.council.keys.get(this.validators[who]!)!
  }

  block(who: number, spec: Partial<BlockSpec> = {}): ProposedBlock {
    const { coinbase = this.validators[who]!, timeMs = PARENT_MS + 1_000, round = 0, height = this.height } = spec
    const transactions = spec.transactions ?? [transaction(0)]
    const genesis = genesisOf(this.council)
    const hash = this.domain.genesisHash
    const { frontier } = appendHash(EMPTY_FRONTIER, hash)
    const parent = { header: { ...genesis, number: height - 1 }, hash, validators: this.validators, frontier }
    const header = createHeader(
      {
        coinbase,
        blockTimeMs: timeMs,
        round,
        nextValidators: this.validators,
        stateRoot: EMPTY_TRIE_ROOT,
        receiptsRoot: EMPTY_TRIE_ROOT,
        transactionsRoot: transactionsRootOf(transactions),
        logsBloom: new Uint8Array(BLOOM_BYTES),
        gasUsed: 0n,
      },
      parent,
      { genesisHash: hash, gasLimit: 30_000_000n, minBlockPeriodMs: 50 },
    )
    const block: Block = { header, transactions }
    return { digest: blockHash(header), bytes: encodeBlock(block), block }
  }

  signed<M extends Unsigned>(who: number, message: M, domain = this.domain): M & Signed {
    const signature = signDigest(signingDigest(domain, statementOf(message)), this.keyOf(who))
    return withSignature({ ...message, author: this.validators[who]! } as M & { author: Address } & Unsigned, signature)
  }

  proposal(who: number, round: number, block: ProposedBlock, justification: Justification = NO_JUSTIFICATION): Proposal {
    return this.signed(who, { kind: 'proposal', height: this.height, round, block, justification })
  }

  /** As an honest leader would: what the round changes oblige it to, or else `fresh`. */
  justified(who: number, round: number, changes: RoundChange[], fresh?: ProposedBlock): Proposal {
    const { justification, prepared } = mandateOf(changes)
    return this.proposal(who, round, prepared?.block ?? fresh!, justification)
  }

  prepare(who: number, round: number, { digest }: { digest: Hash }, height = this.height): Prepare {
    return this.signed(who, { kind: 'prepare', height, round, digest })
  }

  /** @param sealRound the round of the seal, where it is to differ from the message's */
  commit(who: number, round: number, { digest, block }: ProposedBlock, sealRound = round): Commit {
    const seal = signDigest(commitSealDigest(headerWithRound(block.header, sealRound)), this.keyOf(who))
    return this.signed(who, { kind: 'commit', height: this.height, round, digest, seal })
  }

  roundChange(who: number, round: number, prepared?: PreparedCertificate): RoundChange {
    return this.signed(who, { kind: 'roundChange', height: this.height, round, prepared })
  }

  certificate(round: number, block: ProposedBlock, who: number[]): PreparedCertificate {
    const prepares = who.map((at) => this.prepare(at, round, block))
    return { round, digest: block.digest, block, prepares: prepares.map(({ author, signature }) => ({ author, signature })) }
  }
}

type Signed = Pick<Message, 'author' | 'signature' | 'bytes'>

/** Puts another signature under a message, bytes and all. */
export function withSignature<M extends Unsigned & { author: Address }>(message: M, signature: Uint8Array): M & Signed {
  const signed = { ...message, signature }
  return { ...signed, bytes: encodeMessage(signed) } as M & Signed
}
