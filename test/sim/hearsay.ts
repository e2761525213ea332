import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import type {
  Commit, Message, Prepare, PreparedCertificate, ProposedBlock, RoundChange, SignedVote,
} from '@songhua/node/consensus/messages'

/** All that a Byzantine validator has heard of one height. */
export class Hearsay {
  readonly height: number
  readonly blocks = new Map<Hash, ProposedBlock>()
  readonly certificates: PreparedCertificate[] = []
  readonly changes = new Map<number, Map<Address, RoundChange>>()
  /** Of all rounds and blocks. */
  readonly prepares: Prepare[] = []
  readonly commits: Commit[] = []
  readonly proposedRounds = new Set<number>()
  readonly #quorum: number
  readonly #votes = new Map<string, Map<Address, SignedVote>>()

  constructor(height: number, quorum: number) {
    this.height = height
    this.#quorum = quorum
  }

  note(message: Message): void {
    switch (message.kind) {
      case 'proposal':
        this.blocks.set(message.block.digest, message.block)
        return
      case 'prepare':
        return this.#notePrepare(message)
      case 'commit':
        this.commits.push(message)
        return
      case 'roundChange':
        return this.#noteChange(message)
    }
  }

  get highestRound(): number {
    return Math.max(0, ...this.changes.keys())
  }

  changesTo(round: number): RoundChange[] {
    return [...(this.changes.get(round)?.values() ?? [])]
  }

  #notePrepare(prepare: Prepare): void {
    const { round, digest, author, signature } = prepare
    this.prepares.push(prepare)
    const key = `${round} ${digest}`
    const votes = (this.#votes.get(key) ?? new Map<Address, SignedVote>()).set(author, { author, signature })
    this.#votes.set(key, votes)
    const block = this.blocks.get(digest)
    if (block && votes.size >= this.#quorum) this.certificates.push({ round, digest, block, prepares: [...votes.values()] })
  }

  #noteChange(change: RoundChange): void {
    const { round, author, prepared } = change
    if (prepared) this.certificates.push(prepared)
    this.changes.set(round, (this.changes.get(round) ?? new Map<Address, RoundChange>()).set(author, change))
  }
}
