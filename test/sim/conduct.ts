import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { proposerOf } from '@songhua/sdk/protocol/proposer'
import { faultTolerance } from '@songhua/sdk/protocol/validator-set'
import { quorumOf } from './seals.js'
import { type Speech, shortHash, wordsOf } from './speech.js'

/** Who may vote at a height, and in whose turn each round is. */
export interface Electors {
  readonly validators: readonly Address[]
  /** Proposers of rounds 0, 1, 2 … */
  readonly proposers: readonly Address[]
}

type Prepared = Pick<Speech, 'digest' | 'preparedRound'>

/** What was said at one height. */
interface HeightBook {
  readonly electors: Electors
  /** Honest voters by round and digest. */
  readonly prepares: Map<string, Set<Address>>
  /** Of each honest validator, the round it committed in last, and the block. */
  readonly commits: Map<Address, { readonly round: number; readonly digest: Hash }>
  /** Honest round changes by round. */
  readonly changes: Map<number, Map<Address, Prepared>>
}

/** Rounds that a leader's own choice has to be searched through are few; a forger's may be any. */
const NOTHING_PREPARED = -1

/**
 * The rules of QBFT 1.5 for what an honest validator may say, told by what all honest validators have said before. It
 * opens no certificate and counts no signature: who has not spoken cannot be part of a quorum, whatever the proof that
 * somebody shows. Byzantine validators may have said anything to anybody, so each that speaks at all counts in every quorum.
 */
export class Conduct {
  readonly #books = new Map<number, HeightBook>()
  readonly #coinbases = new Map<Hash, Address>()
  readonly #byzantine = new Set<Address>()
  /** Where operators have sent their validators. */
  readonly #words = new Map<Address, { readonly height: number; readonly round: number }>()

  /** A Byzantine validator that sends messages, and the block that it proposes. */
  noteByzantine(author: Address, speech: Speech): void {
    this.#byzantine.add(author)
    this.#noteBlock(speech)
  }

  startHeight(height: number, electors: Electors): void {
    this.#books.set(height, { electors, prepares: new Map(), commits: new Map(), changes: new Map() })
    this.#books.delete(height - 3)
  }

  /** By its operator's word this validator goes to that round, and forgets what it did before. */
  noteWord(author: Address, { height, round }: { height: number; round: number }): void {
    this.#words.set(author, { height, round })
    this.#books.get(height)?.commits.delete(author)
  }

  /** What is wrong with this message of an honest validator; undefined when the rules allow it. */
  findBreach(author: Address, speech: Speech): string | undefined {
    this.#noteBlock(speech)
    const book = this.#books.get(speech.height)
    if (book === undefined) return undefined
    const why = this.#whyNot(book, author, speech)
    this.#record(book, author, speech)
    return why && `${wordsOf(speech)}: ${why}`
  }

  #noteBlock({ digest, coinbase }: Speech): void {
    if (digest !== undefined && coinbase !== undefined) this.#coinbases.set(digest, coinbase)
  }

  #whyNot(book: HeightBook, author: Address, speech: Speech): string | undefined {
    const { kind, round, digest, preparedRound } = speech
    if (!book.electors.validators.includes(author)) return 'its author is no validator of this height'
    switch (kind) {
      case 'proposal':
        if (preparedRound !== undefined && !this.#isPrepared(book, preparedRound, digest!)) {
          return `its round changes claim that this block was prepared in round ${preparedRound}, and too few have`
        }
        return this.#isProposable(book, author, speech) ? undefined : 'no round changes and no turn allow this block'
      case 'prepare':
        return this.#isProposable(book, author, speech) ? undefined : 'no round changes and no turn allow this block'
      case 'commit':
        return this.#isPrepared(book, round, digest!) ? undefined : 'too few have prepared this block in this round'
      case 'roundChange': {
        const word = this.#words.get(author)
        if (word?.height === speech.height && word.round === round) return undefined
        const committed = book.commits.get(author)
        const claimed = preparedRound ?? NOTHING_PREPARED
        if (committed !== undefined && committed.round < round && claimed < committed.round) {
          return `it hides that its author committed to ${shortHash(committed.digest)} in round ${committed.round}`
        }
        if (digest !== undefined && !this.#isPrepared(book, claimed, digest)) return `too few have prepared that block in round ${claimed}`
        return this.#mayGoTo(book, round) ? undefined : 'no quorum was in the round before, and no f + 1 are there'
      }
    }
  }

  #record(book: HeightBook, author: Address, { kind, round, digest, preparedRound }: Speech): void {
    if (kind === 'prepare') entryOf(book.prepares, voteKey(round, digest!), () => new Set<Address>()).add(author)
    if (kind === 'commit' && round > (book.commits.get(author)?.round ?? -1)) book.commits.set(author, { round, digest: digest! })
    if (kind === 'roundChange') entryOf(book.changes, round, () => new Map<Address, Prepared>()).set(author, { digest, preparedRound })
  }

  /** Whether these honest validators and the Byzantine ones are a quorum. */
  #isQuorum({ electors: { validators } }: HeightBook, honest: number): boolean {
    const byzantine = validators.filter((validator) => this.#byzantine.has(validator)).length
    return honest + byzantine >= quorumOf(validators.length)
  }

  #isPrepared(book: HeightBook, round: number, digest: Hash): boolean {
    return this.#isQuorum(book, book.prepares.get(voteKey(round, digest))?.size ?? 0)
  }

  /**
   * From the round before, when a quorum has been there: its time does not run before that. Or where f + 1 have gone.
   */
  #mayGoTo(book: HeightBook, round: number): boolean {
    if (round === 1) return true
    const { validators } = book.electors
    const byzantine = validators.filter((validator) => this.#byzantine.has(validator)).length
    const thereOrLater = (from: number): number => {
      const authors = [...book.changes].flatMap(([at, changes]) => (at >= from ? [...changes.keys()] : []))
      return new Set(authors).size + byzantine
    }
    return thereOrLater(round) > faultTolerance(validators.length) || this.#isQuorum(book, thereOrLater(round - 1) - byzantine)
  }

  /**
   * A fresh block in its builder's turn, after a quorum that has prepared nothing; or the block that was prepared in a
   * round, after a quorum that has prepared nothing later.
   */
  #isProposable(book: HeightBook, author: Address, { round, digest }: Speech): boolean {
    // A leader that died with its proposal on the disk and not on the wire prepares what nobody has seen.
    const builder = this.#coinbases.get(digest!) ?? author
    const isOwnTurn = builder === proposerOf(book.electors.proposers, round)
    if (round === 0) return isOwnTurn
    const changes = [...(book.changes.get(round)?.values() ?? [])]
    const upTo = (limit: number): number => changes.filter(({ preparedRound = NOTHING_PREPARED }) => preparedRound <= limit).length
    if (isOwnTurn && this.#isQuorum(book, upTo(NOTHING_PREPARED))) return true
    const rounds = new Set([...book.prepares.keys()].filter((key) => key.endsWith(digest!)).map((key) => parseInt(key, 10)))
    return [...rounds].some((at) => at < round && this.#isPrepared(book, at, digest!) && this.#isQuorum(book, upTo(at)))
  }
}

const voteKey = (round: number, digest: Hash): string => `${round} ${digest}`

function entryOf<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  const found = map.get(key) ?? create()
  map.set(key, found)
  return found
}
