import type { Block } from '@songhua/sdk/protocol/block'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { decodeExtraData } from '@songhua/sdk/protocol/extra-data'
import { INITIAL_ROTATION, proposerOrder } from '@songhua/sdk/protocol/proposer'
import type { ChainHead } from '@songhua/node/services/block-work'
import { Conduct } from './conduct.js'
import { type Register, runMotions, sealersAt } from './register.js'
import { findSealFault, quorumOf } from './seals.js'
import { type Speech, shortHash, wordsOf } from './speech.js'

/** The promises of the chain, by the names under which a broken one is reported. */
export const INVARIANTS = [
  'one-block-per-height',
  'sealed-by-a-quorum',
  'set-of-its-height',
  'valid-blocks-only',
  'no-double-signing',
  'votes-by-the-rules',
  'heeds-what-it-hears',
  'silent-after-amnesia',
  'no-needless-silence',
  'decided-is-kept',
  'acknowledged-becomes-final',
  'no-transaction-twice',
  'no-honest-penalty',
  'bounded-memory',
  'progress-after-healing',
  'no-fatal-error',
] as const

export type Invariant = (typeof INVARIANTS)[number]

/** The first promise that was seen broken. */
export class BrokenInvariant extends Error {
  readonly invariant: Invariant

  constructor(invariant: Invariant, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'BrokenInvariant'
    this.invariant = invariant
  }
}

interface Decided {
  readonly hash: Hash
  /** The set that seals the next height. */
  readonly validators: readonly Address[]
}

/** What honest validators have said at one height. */
interface HeightBook {
  /** By round, then digest. */
  readonly commits: Map<number, Map<Hash, Set<Address>>>
  /** Digests that an honest validator prepared or committed to, by round. */
  readonly backed: Map<number, Set<Hash>>
}

export interface MonitorOptions {
  readonly genesis: { readonly hash: Hash; readonly validators: readonly Address[] }
  readonly isHonest: (address: Address) => boolean
}

/**
 * Sees everything that any node says and imports, and compares it with everything that all of them have ever said and
 * imported, restarts included. It takes no node's word: quorums, seals and their digests are computed here.
 */
export class Monitor {
  readonly decided = new Map<number, Decided>()
  readonly acknowledged = new Set<Hash>()
  /** Height of each final transaction. */
  readonly final = new Map<Hash, number>()
  /** Blocks that break a rule on purpose. */
  readonly spoiled = new Set<Hash>()
  broken: BrokenInvariant | undefined
  readonly #options: MonitorOptions
  readonly #said = new Map<string, string>()
  readonly #highestSigned = new Map<Address, number>()
  /** Heights up to which a validator does not know what it has signed. */
  readonly #forgotten = new Map<Address, number>()
  readonly #books = new Map<number, HeightBook>()
  readonly #sealed = new Set<string>()
  readonly #conduct = new Conduct()
  #register: Register
  /** A height has its block; `round`: in which it was decided. */
  onDecided: (at: { height: number; round: number }) => void = () => undefined

  constructor(options: MonitorOptions) {
    this.#options = options
    this.#register = { current: options.genesis.validators, pending: [] }
    this.decided.set(0, options.genesis)
    this.#startHeight({ validators: options.genesis.validators, rotation: INITIAL_ROTATION, height: 1 })
  }

  report(invariant: Invariant, message: string, cause?: unknown): void {
    this.broken ??= new BrokenInvariant(invariant, message, cause)
  }

  /** Of the newest block. */
  get height(): number {
    return this.decided.size - 1
  }

  /** What the council has decided up to the newest block. */
  get register(): Register {
    return this.#register
  }

  /** Who seals the next block. */
  get validators(): readonly Address[] {
    return this.decided.get(this.height)!.validators
  }

  /** A message that left an honest validator. */
  noteSaid(author: Address, speech: Speech): void {
    const { kind, height, round, digest, preparedRound } = speech
    const place = placeOf(author, { kind, height, round })
    const subject = `${digest} ${preparedRound}`
    const before = this.#said.get(place)
    if (before === undefined) this.#said.set(place, subject)
    else if (before !== subject) this.report('no-double-signing', `${place}: first ${before}, then ${subject}`)
    const forgotten = this.#forgotten.get(author) ?? -1
    if (height <= forgotten) {
      this.report('silent-after-amnesia', `${author} says ${wordsOf(speech)}, but has forgotten what it said up to h${forgotten}`)
    }
    const breach = this.#conduct.findBreach(author, speech)
    if (breach !== undefined) this.report('votes-by-the-rules', `${author} says ${breach}`)
    if (kind === 'prepare' && this.spoiled.has(digest!)) {
      this.report('valid-blocks-only', `${author} votes for the invalid block ${shortHash(digest)} at h${height}`)
    }
    this.#highestSigned.set(author, Math.max(height, this.#highestSigned.get(author) ?? 0))
    if (digest !== undefined && (kind === 'prepare' || kind === 'commit')) this.#noteVote(author, speech, digest)
  }

  hasSaid(author: Address, what: Pick<Speech, 'kind' | 'height' | 'round'>): boolean {
    return this.#said.has(placeOf(author, what))
  }

  /** A message of a Byzantine validator, which may say what it likes. */
  noteByzantine(author: Address, speech: Speech): void {
    this.#conduct.noteByzantine(author, speech)
  }

  /** What this validator has signed so far is not on its disk any more. */
  noteAmnesia(author: Address): void {
    this.#forgotten.set(author, this.#highestSigned.get(author) ?? 0)
  }

  /** Its operator ends its silence. */
  noteWord(author: Address, place: { height: number; round: number }): void {
    // What it signed of a later height, no word covers.
    if ((this.#forgotten.get(author) ?? 0) <= place.height) this.#forgotten.delete(author)
    this.#conduct.noteWord(author, place)
  }

  /** Its store is from before: above the height that follows it, nothing that it has signed can be made sense of. */
  noteOlderStore(author: Address, head: number): void {
    if ((this.#highestSigned.get(author) ?? 0) > head + 1) this.noteAmnesia(author)
  }

  noteAcknowledged(transaction: Hash): void {
    this.acknowledged.add(transaction)
  }

  /** A block that an honest node has imported. */
  noteImport(node: string, { hash, rotation }: ChainHead, block: Block): void {
    const { number, extraData } = block.header
    const { validators: stated, round } = decodeExtraData(extraData)
    const known = this.decided.get(number)
    if (known !== undefined && known.hash !== hash) {
      this.report('one-block-per-height', `${node} has ${shortHash(hash)} at h${number}, another has ${shortHash(known.hash)}`)
    }
    if (this.spoiled.has(hash)) this.report('valid-blocks-only', `${node} imports the invalid block ${shortHash(hash)} at h${number}`)
    this.#checkSeals(node, block)
    if (known !== undefined) return
    this.#register = runMotions(block.transactions, this.#register, number).register
    // By what the council has decided: all nodes together may be wrong about who comes next.
    const validators = sealersAt(this.#register, number + 1)
    if (String(stated) !== String(validators)) {
      this.report('set-of-its-height', `h${number} names ${String(stated)} for the next height, due are ${String(validators)}`)
    }
    this.decided.set(number, { hash, validators })
    this.#startHeight({ validators, rotation, height: number + 1 })
    this.#books.delete(number - 3)
    for (const transaction of block.transactions) {
      const first = this.final.get(transaction.hash)
      if (first !== undefined) {
        this.report('no-transaction-twice', `transaction ${shortHash(transaction.hash)} stands in h${first} and h${number}`)
      }
      this.final.set(transaction.hash, number)
    }
    this.onDecided({ height: number, round })
  }

  #startHeight(turn: Parameters<typeof proposerOrder>[0]): void {
    this.#conduct.startHeight(turn.height, { validators: turn.validators, proposers: proposerOrder(turn) })
  }

  /** Acknowledged, and not final yet. */
  get owed(): Hash[] {
    return [...this.acknowledged].filter((hash) => !this.final.has(hash))
  }

  #checkSeals(node: string, { header }: Block): void {
    const { number } = header
    const name = `${number} ${Buffer.from(header.extraData).toString('latin1')}`
    const parent = this.decided.get(number - 1)
    if (parent === undefined || this.#sealed.has(name)) return
    this.#sealed.add(name)
    const fault = findSealFault(header, parent.validators)
    if (fault !== undefined) this.report('sealed-by-a-quorum', `${node} imports h${number}: ${fault}`)
  }

  /**
   * Once as many honest validators have committed in one round as make a quorum with the Byzantine ones, the block may
   * be decided: no honest validator may back another one in a later round.
   */
  #noteVote(author: Address, { kind, height, round }: Speech, digest: Hash): void {
    const book = this.#bookOf(height)
    const backed = book.backed.get(round) ?? new Set<Hash>()
    book.backed.set(round, backed.add(digest))
    if (kind === 'commit') {
      const ofRound = book.commits.get(round) ?? new Map<Hash, Set<Address>>()
      book.commits.set(round, ofRound.set(digest, (ofRound.get(digest) ?? new Set<Address>()).add(author)))
    }
    const validators = this.decided.get(height - 1)?.validators
    if (validators === undefined) return
    const byzantine = validators.filter((validator) => !this.#options.isHonest(validator)).length
    for (const [lockRound, digests] of book.commits) {
      for (const [locked, authors] of digests) {
        if (authors.size + byzantine < quorumOf(validators.length)) continue
        for (const [later, others] of book.backed) {
          const other = [...others].find((one) => one !== locked)
          if (later <= lockRound || other === undefined) continue
          const words = `${shortHash(locked)} may be decided in h${height} r${lockRound}`
          this.report('decided-is-kept', `${words}, yet ${shortHash(other)} has honest votes in r${later}`)
        }
      }
    }
  }

  #bookOf(height: number): HeightBook {
    const known = this.#books.get(height)
    if (known !== undefined) return known
    const book: HeightBook = { commits: new Map(), backed: new Map() }
    this.#books.set(height, book)
    return book
  }
}

const placeOf = (author: Address, { kind, height, round }: Pick<Speech, 'kind' | 'height' | 'round'>): string =>
  `${author} ${kind} ${height} ${round}`
