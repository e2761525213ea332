import { decodeBlock, encodeBlock } from '@songhua/sdk/protocol/block'
import { blockHash, commitSealDigest, headerWithRound } from '@songhua/sdk/protocol/block-hash'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { signDigest } from '@songhua/sdk/protocol/crypto'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import { proposerOf, proposerOrder } from '@songhua/sdk/protocol/proposer'
import { quorumSize } from '@songhua/sdk/protocol/validator-set'
import { encodeMessage } from '@songhua/node/consensus/encode'
import { type Reader, authenticate, readEnvelope } from '@songhua/node/consensus/envelope'
import { NO_JUSTIFICATION, mandateOf } from '@songhua/node/consensus/justification'
import type {
  Justification, Message, PreparedCertificate, Proposal, ProposedBlock, RoundChange, SignedVote, Unsigned,
} from '@songhua/node/consensus/messages'
import { openMessage } from '@songhua/node/consensus/open-message'
import { signingDigest, statementOf } from '@songhua/node/consensus/signing'
import type { SimulatedNode, Station, World } from './world.js'

const TICK_MS = 150
const REPLAYS_MAX = 100

/** All that was heard of one height. */
interface Heard {
  readonly height: number
  readonly blocks: Map<Hash, ProposedBlock>
  readonly prepares: Map<string, Map<Address, SignedVote>>
  readonly changes: Map<number, Map<Address, RoundChange>>
  readonly certificates: PreparedCertificate[]
  readonly proposed: Set<number>
}

/**
 * A validator that tries everything its key allows: two blocks for two halves, votes for whatever it hears, round
 * changes that hide a certificate or carry a stale one, justifications picked to its liking, replays, far rounds. What
 * it cannot do is forge the signatures of others.
 */
export class Forger implements Station {
  readonly at: number
  readonly address: Address
  readonly isUp = true
  readonly life = 0
  readonly #world: World
  readonly #key: Uint8Array
  #heard: Heard | undefined
  #replays: Uint8Array[] = []

  constructor(world: World, at: number) {
    this.at = at
    this.address = world.council.addresses[at]!
    this.#world = world
    this.#key = world.council.keys.get(this.address)!
    world.strangers.push(this)
    this.#tick()
  }

  hear(_from: Address, bytes: Uint8Array): void {
    const heard = this.#currentHeight()
    const reader = this.#reader()
    if (heard === undefined || reader === undefined) return
    this.#replays.push(bytes)
    if (this.#replays.length > REPLAYS_MAX) this.#replays.shift()
    try {
      const envelope = readEnvelope(bytes)
      if (envelope.height !== heard.height) return
      this.#answer(heard, openMessage(authenticate(envelope, reader), reader))
    } catch (error) {
      if (!isCodedError(error)) throw error
    }
  }

  get #source(): SimulatedNode | undefined {
    const best = this.#world.alive.sort((a, b) => b.height - a.height)
    return best[0]
  }

  #chance(share: number): boolean {
    return this.#world.prng.next() < share
  }

  #currentHeight(): Heard | undefined {
    const height = (this.#source?.height ?? 0) + 1
    if (this.#heard?.height === height) return this.#heard
    this.#heard = {
      height, blocks: new Map(), prepares: new Map(), changes: new Map(), certificates: [], proposed: new Set(),
    }
    return this.#heard
  }

  #reader(): Reader | undefined {
    const head = this.#source?.chain.head()
    if (head === undefined) return undefined
    const { validators, rotation, header } = head
    const proposers = proposerOrder({ validators, rotation, height: header.number + 1 })
    const domain = { genesisHash: blockHash(this.#world.genesis), protocolVersion: 1 }
    return { domain, validators, proposers, decodeBlock: (bytes) => decodeBlock(bytes) }
  }

  #tick(): void {
    const { clock, prng } = this.#world
    clock.after(TICK_MS, () => this.#tick())
    const heard = this.#currentHeight()
    const reader = this.#reader()
    if (heard === undefined || reader === undefined) return
    if (proposerOf(reader.proposers, 0) === this.address && this.#chance(0.5)) this.#propose(heard, 0, NO_JUSTIFICATION)
    const old = this.#replays[Math.floor(prng.next() * this.#replays.length)]
    if (old !== undefined && this.#chance(0.3)) this.#send(old, 0.5)
    const rounds = [...heard.changes.keys()]
    const round = this.#chance(0.1) ? 2 ** 31 : Math.max(0, ...rounds) + Math.floor(prng.next() * 2)
    if (round > 0 && this.#chance(0.2)) this.#changeRound(heard, round)
  }

  #answer(heard: Heard, message: Message): void {
    const { height, round } = message
    switch (message.kind) {
      case 'proposal':
        heard.blocks.set(message.block.digest, message.block)
        return this.#vote(height, round, message.block)
      case 'prepare': {
        this.#note(heard, message)
        const block = heard.blocks.get(message.digest)
        if (block && this.#chance(0.3)) this.#vote(height, round, block)
        return
      }
      case 'commit': {
        const block = heard.blocks.get(message.digest)
        if (block && this.#chance(0.3)) this.#vote(height, round, block)
        return
      }
      case 'roundChange':
        return this.#noteChange(heard, message)
    }
  }

  #note(heard: Heard, { round, digest, author, signature }: Extract<Message, { kind: 'prepare' }>): void {
    const key = `${round} ${digest}`
    const votes = (heard.prepares.get(key) ?? new Map<Address, SignedVote>()).set(author, { author, signature })
    heard.prepares.set(key, votes)
    const block = heard.blocks.get(digest)
    if (!block || votes.size < quorumSize(this.#world.options.n)) return
    heard.certificates.push({ round, digest, block, prepares: [...votes.values()] })
  }

  #noteChange(heard: Heard, message: RoundChange): void {
    const { round, author, prepared } = message
    if (prepared) heard.certificates.push(prepared)
    const changes = (heard.changes.get(round) ?? new Map<Address, RoundChange>()).set(author, message)
    heard.changes.set(round, changes)
    if (this.#chance(0.7)) this.#changeRound(heard, round)
    const reader = this.#reader()
    if (reader && proposerOf(reader.proposers, round) === this.address) this.#proposeLater(heard, round)
  }

  #changeRound(heard: Heard, round: number): void {
    const message = this.#roundChange(heard, round)
    this.#send(message.bytes, 0.6)
  }

  /** With no certificate, though there may be one, or with any of the old ones. */
  #roundChange({ height, certificates }: Heard, round: number): RoundChange {
    const older = certificates.filter((certificate) => certificate.round < round)
    const prepared = this.#chance(0.5) ? undefined : older[Math.floor(this.#world.prng.next() * older.length)]
    return this.#sign({ kind: 'roundChange', height, round, prepared })
  }

  #proposeLater(heard: Heard, round: number): void {
    const others = [...heard.changes.get(round)!.values()].filter(({ author }) => author !== this.address)
    const quorum = quorumSize(this.#world.options.n)
    for (let variant = 0; variant < 2; variant++) {
      const picked = this.#shuffled([this.#roundChange(heard, round), ...others]).slice(0, quorum)
      if (picked.length < quorum) return
      const { justification, prepared } = mandateOf(picked)
      this.#propose(heard, round, justification, prepared?.block)
    }
  }

  /** Fresh blocks, each another one, each to some. */
  #propose(heard: Heard, round: number, justification: Justification, prepared?: ProposedBlock): void {
    if (prepared) return this.#sendProposal(heard, round, { justification, block: prepared })
    const source = this.#source!
    const head = source.chain.head()
    const { clock, prng } = this.#world
    const blockTimeMs = Math.max(clock.now(), head.blockTimeMs + 50) + Math.floor(prng.next() * 50)
    void source.chain.build({ coinbase: this.address, round: 0, blockTimeMs, deadlineMs: blockTimeMs }).then((block) => {
      const proposed = { digest: blockHash(block.header), bytes: encodeBlock(block), block }
      if (block.header.number === heard.height) this.#sendProposal(heard, round, { justification, block: proposed })
    })
  }

  #sendProposal(heard: Heard, round: number, { justification, block }: Pick<Proposal, 'justification' | 'block'>): void {
    heard.blocks.set(block.digest, block)
    this.#send(this.#sign({ kind: 'proposal', height: heard.height, round, block, justification }).bytes, 0.5)
    this.#vote(heard.height, round, block)
  }

  #vote(height: number, round: number, block: ProposedBlock): void {
    const { digest } = block
    const prepare = this.#sign({ kind: 'prepare', height, round, digest })
    if (this.#heard?.height === height) this.#note(this.#heard, prepare)
    this.#send(prepare.bytes, 0.6)
    const sealRound = this.#chance(0.9) ? round : round + 1
    const seal = signDigest(commitSealDigest(headerWithRound(block.block.header, sealRound)), this.#key)
    this.#send(this.#sign({ kind: 'commit', height, round, digest, seal }).bytes, 0.6)
  }

  #sign<M extends Unsigned>(message: M) {
    const domain = { genesisHash: blockHash(this.#world.genesis), protocolVersion: 1 }
    const signature = signDigest(signingDigest(domain, statementOf(message)), this.#key)
    const signed = { ...message, author: this.address, signature }
    return { ...signed, bytes: encodeMessage(signed) }
  }

  #send(bytes: Uint8Array, share: number): void {
    for (const node of this.#world.nodes) {
      if (node.isUp && this.#chance(share)) this.#world.say(this, node, bytes)
    }
  }

  #shuffled<T>(items: T[]): T[] {
    return items
      .map((item) => ({ item, order: this.#world.prng.next() }))
      .sort((a, b) => a.order - b.order)
      .map(({ item }) => item)
  }
}
