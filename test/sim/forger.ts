import { decodeBlock, encodeBlock } from '@songhua/sdk/protocol/block'
import { blockHash, commitSealDigest, headerWithRound, headerWithSeals } from '@songhua/sdk/protocol/block-hash'
import type { Address } from '@songhua/sdk/protocol/bytes'
import { signDigest } from '@songhua/sdk/protocol/crypto'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import { proposerOf, proposerOrder } from '@songhua/sdk/protocol/proposer'
import { encodeMessage } from '@songhua/node/consensus/encode'
import { type Reader, authenticate, readEnvelope } from '@songhua/node/consensus/envelope'
import { NO_JUSTIFICATION, mandateOf } from '@songhua/node/consensus/justification'
import type {
  Justification, Message, MessageKind, PreparedCertificate, Proposal, ProposedBlock, RoundChange, RoundChangeClaim, SignedVote, Unsigned,
} from '@songhua/node/consensus/messages'
import { openMessage } from '@songhua/node/consensus/open-message'
import { signingDigest, statementOf } from '@songhua/node/consensus/signing'
import type { ChainHead } from '@songhua/node/services/block-work'
import { highSTwin } from '../consensus/fixture.js'
import { type BlockPlan, SPOILS, forgeBlock, isSpoilt } from './forged-block.js'
import { Hearsay } from './hearsay.js'
import type { Station } from './network.js'
import type { SimulatedNode } from './node.js'
import { quorumOf } from './seals.js'
import { speechOf, wordsOf } from './speech.js'
import type { World } from './world.js'

const TICK_MS = 150
/** Where nothing goes on it acts ever more seldom, up to this: minutes of idleness are not to be minutes of floods. */
const IDLE_TICK_MS_MAX = 4_800
const REPLAYS_MAX = 100
/** So much of what it hears at one height it answers; of the rest, the answers to which show little that is new, this share. */
const ANSWERED_FULLY = 150
const ANSWERED_LATER = 0.05
const FLOOD_MESSAGES = 1_200
const FAR_ROUND = 2 ** 31

/** What a Byzantine validator may be given to. What it cannot do is forge the signatures of others. */
export const TRICKS = [
  'equivocation', 'invalidBlock', 'outOfTurn', 'forgedCertificate', 'forgedJustification', 'badSeal', 'highS', 'fakeSealedBlock',
  'replay', 'garbage', 'flood', 'farRound', 'falseHead', 'otherBody', 'outsider',
] as const
export type Trick = (typeof TRICKS)[number]

interface Offer {
  readonly block: ProposedBlock
  /** Nobody may take it from this proposer in this round. */
  readonly isForbidden?: boolean
}

/**
 * A validator that tries everything its key allows: two blocks for two halves, votes for whatever it hears, round
 * changes that hide a certificate or carry a stale or made-up one, justifications picked to its liking, and whatever
 * else is among its tricks.
 */
export class Forger implements Station {
  readonly at: number
  readonly address: Address
  readonly isUp = true
  readonly isHonest = false
  readonly life = 0
  readonly #world: World
  readonly #key: Uint8Array
  readonly #tricks: ReadonlySet<Trick>
  #heard: Hearsay | undefined
  /** Messages of its height. */
  #heardCount = 0
  #replays: Uint8Array[] = []
  #tickMs = TICK_MS
  #read: { head: ChainHead; reader: Reader } | undefined

  /** Takes the place of a node, which must not run. */
  constructor(world: World, { at, address }: SimulatedNode, tricks: readonly Trick[]) {
    this.at = at
    this.address = address
    this.#world = world
    this.#key = world.council.keys.get(address)!
    this.#tricks = new Set(tricks)
    world.network.stations.push(this)
    this.#tick()
  }

  get namedHead(): number {
    const height = this.#source?.height ?? 0
    if (!this.#plays('falseHead', 0.7)) return height
    return this.#world.random.pick([0, height + 5, 2 ** 40])
  }

  hearBlock(): void {
    // It knows all chains anyway.
  }

  hearTransaction(): void {
    // It takes them from where it takes its head.
  }

  hearPeer(): void {
    // It speaks when it likes.
  }

  hear(_from: Address, bytes: Uint8Array): void {
    const heard = this.#currentHeight()
    const reader = this.#reader()
    if (heard === undefined || reader === undefined) return
    this.#tickMs = TICK_MS
    this.#replays.push(bytes)
    if (this.#replays.length > REPLAYS_MAX) this.#replays.shift()
    try {
      const envelope = readEnvelope(bytes)
      if (envelope.height !== heard.height) return
      const message = openMessage(authenticate(envelope, reader), reader)
      heard.note(message)
      this.#heardCount++
      if (this.#heardCount <= ANSWERED_FULLY || this.#chance(ANSWERED_LATER)) this.#answer(heard, message)
    } catch (error) {
      if (!isCodedError(error)) throw error
    }
  }

  // ------------------------------------------------------------------------------------------- what it knows

  get #source(): SimulatedNode | undefined {
    let best: SimulatedNode | undefined
    for (const node of this.#world.nodes) if (node.isUp && node.height > (best?.height ?? -1)) best = node
    return best
  }

  get #head(): ChainHead | undefined {
    return this.#source?.stored.head
  }

  #plays(trick: Trick, share: number): boolean {
    if (!this.#tricks.has(trick) || !this.#world.random.chance(share)) return false
    this.#world.noteFault(trick)
    return true
  }

  #chance(share: number): boolean {
    return this.#world.random.chance(share)
  }

  #currentHeight(): Hearsay | undefined {
    const head = this.#head
    if (head === undefined) return undefined
    const height = head.header.number + 1
    if (this.#heard?.height !== height) {
      this.#heard = new Hearsay(height, quorumOf(head.validators.length))
      this.#heardCount = 0
    }
    return this.#heard
  }

  #reader(): Reader | undefined {
    const head = this.#head
    if (head === undefined) return undefined
    if (this.#read?.head === head) return this.#read.reader
    const { validators, rotation, header } = head
    const proposers = proposerOrder({ validators, rotation, height: header.number + 1 })
    const reader: Reader = { domain: this.#domain, validators, proposers, decodeBlock: (bytes) => decodeBlock(bytes) }
    this.#read = { head, reader }
    return reader
  }

  get #domain() {
    return { genesisHash: blockHash(this.#world.genesis), protocolVersion: 1 }
  }

  // ------------------------------------------------------------------------------------------- when it acts

  #tick(): void {
    const { clock, random } = this.#world
    clock.after(this.#tickMs, () => this.#tick())
    this.#tickMs = Math.min(2 * this.#tickMs, IDLE_TICK_MS_MAX)
    const heard = this.#currentHeight()
    const reader = this.#reader()
    if (heard === undefined || reader === undefined) return
    // Who has left the set, or is to join it, has no say; what it says all the same must count nowhere.
    if (!reader.validators.includes(this.address) && !this.#plays('outsider', 0.5)) return
    const isLeader = proposerOf(reader.proposers, 0) === this.address
    if (isLeader && this.#chance(0.5)) this.#proposeFresh(heard, 0, NO_JUSTIFICATION)
    if (!isLeader && this.#plays('outOfTurn', 0.1)) this.#proposeFresh(heard, 0, NO_JUSTIFICATION, true)
    if (this.#replays.length > 0 && this.#plays('replay', 0.3)) this.#send(random.pick(this.#replays), 0.5)
    if (this.#plays('garbage', 0.1)) this.#sendGarbage()
    if (this.#plays('flood', 0.02)) this.#flood(heard)
    if (this.#plays('otherBody', 0.3)) this.#sendOtherBody()
    const round = this.#plays('farRound', 0.1) ? FAR_ROUND : heard.highestRound + random.integer(0, 1)
    if (round > 0 && this.#chance(0.2)) this.#changeRound(heard, round)
  }

  #answer(heard: Hearsay, message: Message): void {
    const { round } = message
    switch (message.kind) {
      case 'proposal':
        if (round > 0 && this.#plays('replay', 0.5)) this.#relabel(heard, message)
        return this.#vote(heard, round, message.block)
      case 'prepare':
      case 'commit': {
        const block = heard.blocks.get(message.digest)
        if (block && this.#chance(0.3)) this.#vote(heard, round, block)
        if (block && this.#plays('fakeSealedBlock', 0.05)) this.#sendSealed(heard, round, block)
        if (this.#plays('highS', 0.05)) this.#send(twinOf(message), 0.5)
        return
      }
      case 'roundChange': {
        if (this.#chance(0.7)) this.#changeRound(heard, round)
        const reader = this.#reader()
        if (reader && proposerOf(reader.proposers, round) === this.address) this.#proposeLater(heard, round)
        return
      }
    }
  }

  // ------------------------------------------------------------------------------------------- votes

  #vote(heard: Hearsay, round: number, block: ProposedBlock): void {
    const { height } = heard
    const { digest } = block
    const prepare = this.#sign({ kind: 'prepare', height, round, digest })
    heard.note(prepare)
    this.#send(this.#perhapsTwin(prepare), 0.6)
    const sealRound = this.#plays('badSeal', 0.1) ? round + 1 : round
    const seal = this.#perhapsBad(signDigest(commitSealDigest(headerWithRound(block.block.header, sealRound)), this.#key))
    this.#send(this.#perhapsTwin(this.#sign({ kind: 'commit', height, round, digest, seal })), 0.6)
  }

  /** Others' Prepares of earlier rounds for this block, as if they were of this one. */
  #relabel({ prepares }: Hearsay, { round, block }: Proposal): void {
    const older = prepares.filter((vote) => vote.digest === block.digest && vote.round < round)
    for (const vote of older) this.#send(encodeMessage({ ...vote, round }), 0.6)
  }

  #perhapsTwin(message: Message): Uint8Array {
    return this.#plays('highS', 0.1) ? twinOf(message) : message.bytes
  }

  #perhapsBad(seal: Uint8Array): Uint8Array {
    if (this.#plays('highS', 0.1)) return highSTwin(seal)
    if (!this.#plays('badSeal', 0.1)) return seal
    const others = this.#heard?.commits ?? []
    return others.length > 0 && this.#chance(0.5) ? this.#world.random.pick(others).seal : new Uint8Array(65).fill(1)
  }

  // ------------------------------------------------------------------------------------------- round changes

  /** What is refused leaves no trace with who refuses it: all inventions are tried, and then what may be said. */
  #changeRound(heard: Hearsay, round: number): void {
    const { height } = heard
    const invented = round > 0 && this.#plays('forgedCertificate', 0.5) ? this.#invent(heard, round) : []
    for (const prepared of invented) this.#send(this.#sign({ kind: 'roundChange', height, round, prepared }).bytes, 0.6)
    this.#send(this.#roundChange(heard, round).bytes, 0.6)
  }

  /** With no certificate, though there may be one, or with any of the old ones. */
  #roundChange(heard: Hearsay, round: number): RoundChange {
    const older = heard.certificates.filter((certificate) => certificate.round < round)
    const prepared = this.#chance(0.5) || older.length === 0 ? undefined : this.#world.random.pick(older)
    return this.#sign({ kind: 'roundChange', height: heard.height, round, prepared })
  }

  /** Certificates for a block that somebody proposed, each wrong in another way. */
  #invent({ blocks, prepares, certificates }: Hearsay, round: number): PreparedCertificate[] {
    const { random } = this.#world
    if (blocks.size === 0) return []
    const block = random.pick([...blocks.values()])
    const claimed = random.integer(0, Math.min(round, 5) - 1)
    const count = quorumOf(this.#head?.validators.length ?? 1)
    const own = this.#sign({ kind: 'prepare', height: block.block.header.number, round: claimed, digest: block.digest })
    const others = prepares.filter(({ digest }) => digest === block.digest)
    const upToClaimed = others.filter((vote) => vote.round <= claimed)
    const sources: SignedVote[][] = [
      // Signers of all rounds for one block, and of none later than that one; itself again and again; too few; whoever
      // there is, again and again.
      distinct([own, ...random.shuffled(others)]).slice(0, count),
      distinct([own, ...random.shuffled(upToClaimed)]).slice(0, count),
      Array.from({ length: count }, () => own),
      [own, ...others.filter((vote) => vote.round === claimed)].slice(0, count - 1),
      spreadTo([own, ...others.filter((vote) => vote.round === claimed)], count),
    ]
    const invented = sources.map((votes) => ({ round: claimed, digest: block.digest, block, prepares: votes }))
    // A true one, claimed for a later round than its own.
    const older = certificates.filter((certificate) => certificate.round < round - 1)
    const [stale] = random.shuffled(older)
    if (stale) invented.push({ ...stale, prepares: [...stale.prepares], round: round - 1 })
    return random.shuffled(invented)
  }

  // ------------------------------------------------------------------------------------------- proposals

  #proposeLater(heard: Hearsay, round: number): void {
    const { random } = this.#world
    const others = heard.changesTo(round).filter(({ author }) => author !== this.address)
    const quorum = quorumOf(this.#head?.validators.length ?? 1)
    for (let variant = 0; variant < 2; variant++) {
      const picked = random.shuffled([this.#roundChange(heard, round), ...others]).slice(0, quorum)
      if (this.#plays('forgedJustification', 0.7)) this.#proposeUnjustified(heard, round, picked)
      if (picked.length < quorum) return
      const { justification, prepared } = mandateOf(picked)
      if (prepared) this.#sendProposal(heard, round, justification, { block: prepared.block })
      else this.#proposeFresh(heard, round, justification)
    }
  }

  /** Claims stripped, doubled, too few, of another round, or with the prepares of somebody else. */
  #proposeUnjustified(heard: Hearsay, round: number, picked: readonly RoundChange[]): void {
    const { random } = this.#world
    const quorum = quorumOf(this.#head?.validators.length ?? 1)
    const { justification } = mandateOf(picked)
    const claims = [...justification.roundChanges]
    const stale = [...heard.changes.values()].flatMap((changes) => [...changes.values()])
    const isBound = claims.some(({ prepared }) => prepared !== undefined)
    const stripped = claims.map((claim): RoundChangeClaim => ({ ...claim, prepared: undefined }))
    const variants: Justification[] = [
      // With a block of its own: what was prepared left out of the claims, or passed over.
      ...(isBound ? [{ roundChanges: stripped, prepares: [] }, justification] : []),
      { ...justification, roundChanges: claims.slice(0, quorum - 1) },
      { ...justification, roundChanges: spreadTo(claims.slice(0, quorum - 1), quorum) },
      { ...justification, roundChanges: distinct([...claims, ...mandateOf(stale).justification.roundChanges]).slice(0, quorum) },
      { ...justification, prepares: spreadTo([...justification.prepares].slice(0, 1), quorum) },
      { ...justification, prepares: distinct(heard.prepares).slice(0, quorum) },
      NO_JUSTIFICATION,
    ]
    for (const forged of random.shuffled(variants)) {
      const isOld = heard.blocks.size > 0 && this.#chance(0.3)
      if (isOld) this.#sendProposal(heard, round, forged, { block: random.pick([...heard.blocks.values()]) })
      else this.#proposeFresh(heard, round, forged)
    }
  }

  /** A block of its own, each time another one; `isForbidden`: whatever it is, nobody may take it. */
  #proposeFresh(heard: Hearsay, round: number, justification: Justification, isForbidden = false): void {
    const { clock, random, monitor, genesis } = this.#world
    const source = this.#source
    if (source === undefined || source.height + 1 !== heard.height) return
    const { head: parent, register } = source.stored
    const transactions = [...source.pending]
    const isTwoFaced = this.#plays('equivocation', 0.7)
    for (let face = 0; face < (isTwoFaced ? 2 : 1); face++) {
      const plan: BlockPlan = {
        parent,
        register,
        genesisHash: blockHash(genesis),
        coinbase: this.address,
        blockTimeMs: Math.max(clock.now(), parent.blockTimeMs + 50) + random.integer(0, 50),
        transactions: this.#chance(0.8) ? transactions : transactions.slice(1),
        spoil: this.#plays('invalidBlock', 0.5) ? random.pick(SPOILS) : undefined,
      }
      const block = forgeBlock(plan)
      const isBad = isForbidden || isSpoilt(plan)
      // At the same moment the same block may come out, whose turn another round is: it cannot be forbidden and allowed.
      if (isForbidden ? heard.blocks.has(block.digest) : !isBad && monitor.spoiled.has(block.digest)) continue
      if (isBad) monitor.spoiled.add(block.digest)
      this.#sendProposal(heard, round, justification, { block, isForbidden })
    }
  }

  #sendProposal(
    heard: Hearsay, round: number, justification: Justification, { block, isForbidden = false }: Offer,
  ): void {
    const proposal = this.#sign({ kind: 'proposal', height: heard.height, round, block, justification })
    this.#world.tell(`v${this.at} (Byzantine) ${wordsOf(speechOf(proposal.bytes))}`)
    // What is remembered may be proposed again, when it is this validator's turn.
    if (!isForbidden) heard.note(proposal)
    this.#send(proposal.bytes, 0.5)
    this.#vote(heard, round, block)
  }

  // ------------------------------------------------------------------------------------------- everything else

  /** A block with the seals that it has got hold of: too few, doubled, or its own alone. */
  #sendSealed(heard: Hearsay, round: number, { block, digest }: ProposedBlock): void {
    const header = headerWithRound(block.header, round)
    const own = signDigest(commitSealDigest(header), this.#key)
    const quorum = quorumOf(this.#head?.validators.length ?? 1)
    const heardSeals = heard.commits.filter((commit) => commit.digest === digest && commit.round === round).map(({ seal }) => seal)
    const seals = this.#chance(0.5) ? [own, ...heardSeals].slice(0, quorum - 1) : spreadTo([own], quorum)
    const encoded = encodeBlock({ ...block, header: headerWithSeals(header, seals) })
    for (const node of this.#world.nodes) {
      this.#world.network.deliver(this, node, { kind: 'block', arrive: () => node.hearBlock(this, encoded) })
    }
  }

  /** The header that a quorum has sealed, over less than its body. */
  #sendOtherBody(): void {
    const block = this.#source?.blocks.at(-1)
    if (block === undefined) return
    const encoded = encodeBlock({ ...block, transactions: block.transactions.slice(1) })
    for (const node of this.#world.nodes) {
      this.#world.network.deliver(this, node, { kind: 'block', arrive: () => node.hearBlock(this, encoded) })
    }
  }

  #sendGarbage(): void {
    const { random } = this.#world
    const bytes = Uint8Array.from({ length: random.integer(0, 300) }, () => random.integer(0, 255))
    const [old] = this.#replays
    const bent = old === undefined ? undefined : Uint8Array.from(old)
    if (bent !== undefined && bent.length > 0) bent[random.integer(0, bent.length - 1)]! ^= 1 << random.integer(0, 7)
    this.#send(bent !== undefined && this.#chance(0.7) ? bent : bytes, 0.5)
  }

  /** More at once than a share of the inbox or of the future buffer holds: of this height, of the next, of far ones. */
  #flood({ height }: Hearsay): void {
    const { random, nodes, network } = this.#world
    const digest = `0x${'fd'.repeat(32)}` as const
    const ahead = random.pick([0, 1, 2, 1_000])
    const words = Array.from({ length: 4 }, (_, round) => this.#sign({ kind: 'prepare', height: height + ahead, round, digest }).bytes)
    const victim = random.pick(nodes)
    this.#world.tell(`v${this.at} (Byzantine) floods ${victim.name} with h${height + ahead}`)
    const arrive = (): void => {
      for (let sent = 0; sent < FLOOD_MESSAGES; sent++) victim.hear(this.address, words[sent % words.length]!)
    }
    network.deliver(this, victim, { kind: 'prepare', arrive })
  }

  #sign<M extends Unsigned>(message: M) {
    const signature = signDigest(signingDigest(this.#domain, statementOf(message)), this.#key)
    const signed = { ...message, author: this.address, signature }
    const bytes = encodeMessage(signed)
    this.#world.monitor.noteByzantine(this.address, speechOf(bytes))
    return { ...signed, bytes }
  }

  /** To a share of the honest, and to all in concert with it. */
  #send(bytes: Uint8Array, share: number): void {
    const kind = kindOf(bytes)
    for (const station of this.#world.network.stations) {
      if (station.isUp && (!station.isHonest || this.#chance(share))) this.#world.say(this, station, bytes, kind)
    }
  }
}

/** As what the links carry it; garbage may pass for anything. */
function kindOf(bytes: Uint8Array): MessageKind {
  try {
    return readEnvelope(bytes).kind
  } catch (error) {
    if (!isCodedError(error)) throw error
    return 'prepare'
  }
}

/** The message under the high-s form of its signature, which anybody can make. */
function twinOf(message: Message): Uint8Array {
  return encodeMessage({ ...message, signature: highSTwin(message.signature) })
}

/** One for each author. */
function distinct<V extends SignedVote>(votes: readonly V[]): V[] {
  return [...new Map(votes.map((vote) => [vote.author, vote])).values()]
}

/** As many as asked for, by saying the same again. */
function spreadTo<T>(items: readonly T[], count: number): T[] {
  return items.length === 0 ? [] : Array.from({ length: count }, (_, at) => items[at % items.length]!)
}

