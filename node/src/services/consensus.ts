import { type Block, decodeBlock, encodeBlock } from '@songhua/sdk/protocol/block'
import { blockHash, headerWithRound } from '@songhua/sdk/protocol/block-hash'
import type { Address } from '@songhua/sdk/protocol/bytes'
import { isCodedError, messageOf } from '@songhua/sdk/protocol/errors'
import { proposerOrder } from '@songhua/sdk/protocol/proposer'
import { assert, unreachable } from '../base/assert.js'
import { createKeyedRates } from '../base/keyed-rates.js'
import { crashPoint, crashPointOnceSent } from '../base/crash-points.js'
import { type Reader, authenticate, readEnvelope } from '../consensus/envelope.js'
import { consensusError } from '../consensus/errors.js'
import { isTimely, isWanted } from '../consensus/known.js'
import { type Message, type ProposedBlock, subjectOf } from '../consensus/messages.js'
import { openMessage } from '../consensus/open-message.js'
import { KIND_CODES } from '../consensus/signing.js'
import type { ConsensusState, Effect, Event, HeightFacts, TimerName } from '../consensus/state.js'
import { step } from '../consensus/step.js'
import { isVoter } from '../consensus/turn.js'
import {
  FUTURE_HEIGHTS,
  INBOX_PEER_BYTES_MAX,
  INBOX_PEER_MESSAGES_MAX,
  INBOX_RATE_PER_VALIDATOR,
  type RawMessage,
  createFutureMessages,
  createMessageQueue,
} from './consensus-inbox.js'
import type {
  ConsensusDriver, ConsensusGauges, ConsensusMetrics, ConsensusOptions, ConsensusPorts, ConsensusStatus, Contradiction,
} from './consensus-ports.js'
import { createSilence } from './consensus-silence.js'

/** An event without its time, which it gets when its turn comes. */
type Untimed<E extends Event = Event> = E extends Event ? Omit<E, 'nowMs'> : never

/** A peer that is stuck is sent the sealed block at most this often. */
const ANSWER_INTERVAL_MS = 250
const ANSWERED_PEERS_MAX = 512
/** Codes of this node's own store and state: whoever proposed the block is not to blame for them. */
const OWN_FAULTS = /^(STORE|STATE|TRIE|CALL)_/
const EVENTS_AT_ONCE_MAX = 64
/** The same peer is called a flooder in the log once in so long. */
const RATE_WARNING_S = 60

/**
 * Runs the pure machine: one event at a time, its effects in order. Own messages and what the machine waits for (timers,
 * checks, heads) go before the messages of peers and are never dropped.
 */
export function createConsensusDriver(options: ConsensusOptions, ports: ConsensusPorts): ConsensusDriver {
  return new Driver(options, ports)
}

class Driver implements ConsensusDriver {
  readonly #options: ConsensusOptions
  readonly #ports: ConsensusPorts
  readonly #inbox = createMessageQueue<RawMessage>({ count: INBOX_PEER_MESSAGES_MAX, bytes: INBOX_PEER_BYTES_MAX })
  readonly #future = createFutureMessages()
  readonly #silence
  readonly #rates
  readonly #rateWarnings
  readonly #timers = new Map<TimerName, () => void>()
  readonly #answeredMs = new Map<Address, number>()
  readonly #contradictions = new Map<Address, Contradiction>()
  readonly #ends: (() => void)[] = []
  readonly #counters = {
    messages: 0, refused: 0, dropped: 0, limited: 0, repeats: 0, equivocations: 0, roundChanges: 0, decided: 0, answers: 0,
  }
  /** Own messages first, then what the machine waits for. */
  #urgent: Untimed[] = []
  #state: ConsensusState | undefined
  #reader: Reader | undefined
  #isHeadNew = false
  #isWorkNew = false
  #isStopped = true
  #running: Promise<void> | undefined

  constructor(options: ConsensusOptions, ports: ConsensusPorts) {
    this.#options = options
    this.#ports = ports
    this.#rates = createKeyedRates(INBOX_RATE_PER_VALIDATOR, ports.clock)
    this.#rateWarnings = createKeyedRates({ perSecond: 1 / RATE_WARNING_S, burst: 1 }, ports.clock)
    this.#silence = createSilence(ports.signer?.recovery.silence !== undefined)
  }

  start(): void {
    const { chain, work, transport, signer } = this.#ports
    assert(this.#isStopped && this.#state === undefined, 'a consensus driver starts once')
    this.#isStopped = false
    const { silence } = signer?.recovery ?? {}
    if (silence) this.#options.logger.warn('this validator keeps silent for now', { reason: silence })
    this.#isHeadNew = true
    this.#ends.push(
      chain.onBlock(() => this.#wake(() => (this.#isHeadNew = true))),
      work.onAdded(() => this.#wake(() => (this.#isWorkNew = true))),
      transport.subscribe({
        onMessage: (from, bytes) => this.#receive({ from, bytes }),
        onPeerUp: (peer, head) => {
          this.#silence.report(peer, head)
          // A peer that comes and goes while the disk is slow waits here once.
          const isWaiting = this.#urgent.some((event) => event.type === 'peerUp' && event.peer === peer)
          if (!isWaiting) this.#post({ type: 'peerUp', peer })
        },
      }),
    )
    this.#wake(() => undefined)
  }

  async stop(): Promise<void> {
    this.#halt()
    await this.#running
  }

  status(): ConsensusStatus {
    const state = this.#state
    return {
      height: state?.facts.height ?? this.#ports.chain.head().header.number + 1,
      round: state?.round ?? 0,
      isVoter: state !== undefined && isVoter(state),
      isSilent: state?.facts.isSilent ?? this.#ports.signer?.recovery.silence !== undefined,
      isStopped: this.#isStopped,
    }
  }

  contradictions(): ReadonlyMap<Address, Contradiction> {
    return this.#contradictions
  }

  heardRounds(): ReadonlyMap<Address, number> {
    const { prepares, commits, later, roundChanges, facts } = this.#state ?? {}
    const rounds = new Map<Address, number>()
    const hear = (author: Address, round: number | undefined): void => {
      if (round !== undefined && author !== facts?.self) rounds.set(author, Math.max(round, rounds.get(author) ?? 0))
    }
    for (const votes of [prepares, commits, roundChanges]) votes?.forEach(({ round }, author) => hear(author, round))
    later?.forEach(({ prepare, commit }, author) => [prepare, commit].forEach((vote) => hear(author, vote?.round)))
    return rounds
  }

  metrics(): ConsensusMetrics {
    return { ...this.#counters, ...this.gauges() }
  }

  gauges(): ConsensusGauges {
    const state = this.#state
    return {
      waiting: this.#inbox.size,
      waitingBytes: this.#inbox.bytes,
      waitingOfOnePeer: this.#inbox.largestShare,
      future: this.#future.size,
      futureBytes: this.#future.bytes,
      futureOfOnePeer: this.#future.largestShare,
      urgent: this.#urgent.length,
      heldVotes: (state?.prepares.size ?? 0) + (state?.commits.size ?? 0),
      heldLaterVotes: state?.later.size ?? 0,
      heldRoundChanges: state?.roundChanges.size ?? 0,
      heldRelays: state?.relays.size ?? 0,
      heldOwn: state?.own.size ?? 0,
      heldEquivocators: state?.equivocators.size ?? 0,
      answeredPeers: this.#answeredMs.size,
      timers: this.#timers.size,
    }
  }

  // -------------------------------------------------------------------------------------------------- the queue

  #post(event: Untimed): void {
    this.#wake(() => this.#urgent.push(event))
  }

  #receive(message: RawMessage): void {
    if (this.#isStopped) return
    this.#counters.messages++
    if (!this.#rates.take(message.from, 1 / this.#validatorCount())) return this.#limit(message.from)
    this.#wake(() => {
      if (!this.#inbox.push(message)) this.#counters.dropped++
    })
  }

  #validatorCount(): number {
    return this.#state?.facts.validators.length ?? this.#ports.chain.head().validators.length
  }

  /** What is dropped here, its author sends again. */
  #limit(peer: Address): void {
    this.#counters.limited++
    if (!this.#rateWarnings.take(peer)) return
    const { perSecond } = INBOX_RATE_PER_VALIDATOR
    const reason = `more than ${perSecond} messages a second for each validator`
    this.#options.logger.warn('a peer floods consensus', { peer, code: 'CONSENSUS_RATE', reason })
  }

  /** The work is done on a microtask, so that all listeners of a new head have heard of it before. */
  #wake(change: () => unknown): void {
    if (this.#isStopped) return
    change()
    this.#running ??= Promise.resolve()
      .then(() => this.#run())
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#running = undefined
        if (this.#hasNext()) this.#wake(() => undefined)
      })
  }

  #hasNext(): boolean {
    return this.#isHeadNew || this.#isWorkNew || this.#urgent.length > 0 || this.#inbox.size > 0
  }

  async #run(): Promise<void> {
    for (let handled = 1; !this.#isStopped && this.#hasNext(); handled++) {
      // Under a flood of messages sockets and timers get their turn too.
      if (handled % EVENTS_AT_ONCE_MAX === 0) await new Promise<void>((resume) => this.#ports.clock.after(0, resume))
      if (this.#isHeadNew) await this.#startHeight()
      if (this.#isStopped) return
      const event = this.#urgent.shift() ?? this.#nextWork() ?? this.#nextMessage()
      if (event !== undefined) await this.#handle(event)
    }
  }

  #nextWork(): Untimed | undefined {
    if (!this.#isWorkNew || this.#state === undefined) return undefined
    this.#isWorkNew = false
    const { workSinceMs, facts } = this.#state
    const sinceMs = this.#ports.work.executableSince(facts.height)
    return sinceMs === workSinceMs ? undefined : { type: 'work', sinceMs }
  }

  #nextMessage(): Untimed | undefined {
    const raw = this.#inbox.shift()
    if (raw === undefined) return undefined
    try {
      return this.#open(raw)
    } catch (error) {
      this.#refuseRaw(raw, error)
      return undefined
    }
  }

  /** From cheap to dear, and no further than the message is of use. */
  #open(raw: RawMessage): Untimed | undefined {
    const state = this.#state
    const reader = this.#reader
    if (state === undefined || reader === undefined) return undefined
    const { from } = raw
    const envelope = readEnvelope(raw.bytes)
    const { height, kind } = envelope
    const current = state.facts.height
    if (height < current) return { type: 'lowerHeight', height, kind, from }
    if (height > current) {
      if (height <= current + FUTURE_HEIGHTS) this.#future.push(raw, height)
      return undefined
    }
    if (!isTimely(state, envelope)) return undefined
    const authenticated = authenticate(envelope, reader)
    if (!isWanted(state, authenticated)) {
      this.#counters.repeats++
      return undefined
    }
    return { type: 'message', message: openMessage(authenticated, reader), from }
  }

  #refuseRaw({ from }: RawMessage, error: unknown): void {
    this.#counters.refused++
    const coded = isCodedError(error)
      ? error
      : consensusError('CONSENSUS_MESSAGE_MALFORMED', `The message could not be read: ${messageOf(error)}`, { cause: error })
    this.#options.logger.warn('refused a consensus message', { peer: from, code: coded.code, reason: coded.message })
    this.#ports.transport.penalise(from, coded)
  }

  // -------------------------------------------------------------------------------------------------- the machine

  async #handle(event: Untimed): Promise<void> {
    assert(this.#state !== undefined || event.type === 'heightStarted', 'an event before the first height')
    const { state, effects } = step(this.#state, { ...event, nowMs: this.#ports.clock.now() })
    this.#state = state
    const said: Untimed[] = []
    for (const effect of effects) {
      if (this.#isStopped) return
      const message = await this.#perform(effect)
      if (message) said.push({ type: 'message', message, from: message.author })
    }
    if (said.length > 0) this.#urgent = [...said, ...this.#urgent]
  }

  async #startHeight(): Promise<void> {
    this.#isHeadNew = false
    this.#isWorkNew = false
    const { chain, signer, work } = this.#ports
    const head = chain.head()
    const height = head.header.number + 1
    if (this.#state !== undefined && height <= this.#state.facts.height) return
    const protocolVersion = this.#options.protocolVersionAt(height)
    if (protocolVersion > this.#options.protocolVersionMax) return this.#standAside(height, protocolVersion)
    const facts = this.#factsOf(height, protocolVersion)
    this.#reader = { ...facts, decodeBlock: (bytes) => decodeBlock(bytes, { knownTransaction: (hash) => work.get(hash) }) }
    // Not waited for: the log keeps the order, and the height's first record is durable only after this.
    signer?.startHeight(height, { isSilent: facts.isSilent }).catch((error: unknown) => this.#fail(error))
    const recovered = signer?.recovery.record
    const record = recovered?.height === height ? recovered : undefined
    const workSinceMs = work.executableSince(height)
    await this.#handle({ type: 'heightStarted', facts, record, workSinceMs })
    for (const message of this.#future.take(height)) this.#inbox.push(message)
  }

  #factsOf(height: number, protocolVersion: number): HeightFacts {
    const { genesisHash, timing, logger } = this.#options
    const { chain, signer } = this.#ports
    const { sealers, validators, rotation, blockTimeMs, header } = chain.head()
    const self = signer?.address
    const wasSilent = this.#state?.facts.isSilent ?? signer?.recovery.silence !== undefined
    const isSilent = self !== undefined && !this.#silence.isOver({ head: header.number, sealers, self })
    if (wasSilent && !isSilent) logger.info('this validator votes again', { height })
    return {
      height,
      domain: { genesisHash, protocolVersion },
      validators,
      proposers: proposerOrder({ validators, rotation, height }),
      parentMs: blockTimeMs,
      timing,
      self,
      isSilent,
    }
  }

  /** The answer is a message of our own, to be heard by the machine before anything else. */
  async #perform(effect: Effect): Promise<Message | undefined> {
    const { transport, work } = this.#ports
    switch (effect.type) {
      case 'persist':
        await this.#signer.persist(effect.record)
        return undefined
      case 'sign':
        return this.#say(effect)
      case 'send':
        return this.#sendAgain(effect)
      case 'relay': {
        const { message, from } = effect
        transport.broadcast(message.bytes, { except: [message.author, from], kind: KIND_CODES[message.kind] })
        return undefined
      }
      case 'check':
        return void this.#check(effect.block)
      case 'build':
        return void this.#build(effect)
      case 'resendTransactions':
        work.resendPending()
        return undefined
      case 'setTimer':
        return this.#setTimer(effect.name, effect.atMs)
      case 'cancelTimer':
        return this.#cancelTimer(effect.name)
      case 'decide':
        return void this.#import(effect)
      case 'answer':
        return this.#answer(effect.to, effect.height)
      case 'refuse':
        return this.#refuse(effect)
      case 'equivocation':
        return this.#reportEquivocation(effect)
      default:
        return unreachable(effect)
    }
  }

  get #signer() {
    const { signer } = this.#ports
    assert(signer !== undefined, 'a node without a key has something to sign')
    return signer
  }

  #say({ intent }: Extract<Effect, { type: 'sign' }>): Message {
    const message = this.#signer.sign(intent, this.#state!.facts.domain)
    crashPoint('signing.signed')
    if (message.kind === 'roundChange') {
      this.#counters.roundChanges++
      const { height, round } = message
      this.#options.logger.info('round change', { height, round, preparedRound: message.prepared?.round })
    }
    this.#ports.transport.broadcast(message.bytes, { except: [], kind: KIND_CODES[message.kind] })
    crashPointOnceSent('signing.sent')
    return message
  }

  #sendAgain({ message, to }: Extract<Effect, { type: 'send' }>): undefined {
    const kind = KIND_CODES[message.kind]
    if (to === 'all') this.#ports.transport.broadcast(message.bytes, { except: [], kind })
    else this.#ports.transport.send(to, message.bytes, { kind })
  }

  // -------------------------------------------------------------------------------------------------- the effects

  async #check({ block, digest }: ProposedBlock): Promise<void> {
    try {
      await this.#ports.chain.check(block)
      this.#post({ type: 'checked', digest, error: undefined })
    } catch (cause) {
      const isOwnFault = !isCodedError(cause) || OWN_FAULTS.test(cause.code)
      const code = isOwnFault ? 'CONSENSUS_CHECK_FAILED' : 'CONSENSUS_BLOCK_INVALID'
      const details = isCodedError(cause) ? { ...cause.details, reason: cause.code } : {}
      const error = consensusError(code, `Block ${block.header.number} ${digest}: ${messageOf(cause)}`, { cause, details })
      this.#post({ type: 'checked', digest, error })
    }
  }

  async #build({ height, round, coinbase, blockTimeMs, deadlineMs }: Extract<Effect, { type: 'build' }>): Promise<void> {
    let block: ProposedBlock | undefined
    try {
      const built = await this.#ports.chain.build({ coinbase, round: 0, blockTimeMs, deadlineMs })
      block = proposedBlock(built)
    } catch (error) {
      this.#options.logger.error('could not build a block', { height, round, reason: messageOf(error) })
    }
    this.#post({ type: 'built', height, round, block })
  }

  async #import({ block, digest, round }: Extract<Effect, { type: 'decide' }>): Promise<void> {
    this.#counters.decided++
    this.#options.logger.debug('decided', { height: block.header.number, round, hash: digest })
    crashPoint('block.decided')
    try {
      await this.#ports.chain.importSealed(block)
    } catch (error) {
      this.#fail(error)
    }
  }

  #setTimer(name: TimerName, atMs: number): undefined {
    const { clock } = this.#ports
    this.#cancelTimer(name)
    const end = clock.after(Math.max(0, atMs - clock.now()), () => {
      this.#timers.delete(name)
      this.#post({ type: 'timer', name, atMs })
    })
    this.#timers.set(name, end)
  }

  #cancelTimer(name: TimerName): undefined {
    this.#timers.get(name)?.()
    this.#timers.delete(name)
  }

  #answer(to: Address, height: number): undefined {
    const now = this.#ports.clock.now()
    if (now - (this.#answeredMs.get(to) ?? -Infinity) < ANSWER_INTERVAL_MS) return
    if (this.#answeredMs.size >= ANSWERED_PEERS_MAX) this.#answeredMs.clear()
    this.#answeredMs.set(to, now)
    this.#counters.answers++
    this.#ports.transport.sendBlock(to, height)
  }

  #refuse({ author, error, isFault }: Extract<Effect, { type: 'refuse' }>): undefined {
    this.#counters.refused++
    this.#options.logger.warn('refused what a validator said', { author, code: error.code, reason: error.message })
    if (isFault) this.#ports.transport.penalise(author, error)
  }

  #reportEquivocation({ first, second }: Extract<Effect, { type: 'equivocation' }>): undefined {
    this.#counters.equivocations++
    const { author, kind, height, round } = second
    // Only validators of a set have authors that are believed: there are few.
    this.#contradictions.set(author, { kind, height, round, atMs: this.#ports.clock.now() })
    const digests = [subjectOf(first), subjectOf(second)]
    this.#options.logger.error('a validator contradicts itself', { author, kind, height, round, digests })
  }

  // -------------------------------------------------------------------------------------------------- the end

  #halt(): void {
    this.#isStopped = true
    for (const end of [...this.#ends.splice(0), ...this.#timers.values()]) end()
    this.#timers.clear()
  }

  /** Not a failure: what is decided stays readable, and a newer program goes on from here. */
  #standAside(height: number, version: number): void {
    this.#halt()
    const known = this.#options.protocolVersionMax
    const reason = `block ${height} needs protocol version ${version}; this program knows ${known}: install the newer one`
    this.#options.logger.error('consensus has stopped: the node only reads now', { code: 'CONSENSUS_PROTOCOL_VERSION', height, version, known, reason })
  }

  #fail(error: unknown): void {
    if (this.#isStopped) return
    this.#halt()
    this.#options.logger.error('consensus has stopped', { reason: messageOf(error) })
    this.#options.onFatal(error)
  }
}

/** As it is proposed: round 0 and no seals, whatever round it is proposed in. */
function proposedBlock(built: Block): ProposedBlock {
  const block = { ...built, header: headerWithRound(built.header, 0) }
  return { digest: blockHash(block.header), bytes: encodeBlock(block), block }
}
