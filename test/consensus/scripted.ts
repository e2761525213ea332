import { decodeBlock } from '@songhua/sdk/protocol/block'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import { headerWithRound, commitSealDigest } from '@songhua/sdk/protocol/block-hash'
import { signDigest } from '@songhua/sdk/protocol/crypto'
import { quorumSize } from '@songhua/sdk/protocol/validator-set'
import { type Reader, authenticate, readEnvelope } from '@songhua/node/consensus/envelope'
import { consensusError } from '@songhua/node/consensus/errors'
import { isTimely, isWanted } from '@songhua/node/consensus/known'
import type { Intent, Message, MessageKind, ProposedBlock } from '@songhua/node/consensus/messages'
import { openMessage } from '@songhua/node/consensus/open-message'
import type { SafetyRecord } from '@songhua/node/consensus/safety-record'
import type { ConsensusState, Effect, Event, HeightFacts, TimerName } from '@songhua/node/consensus/state'
import { step } from '@songhua/node/consensus/step'
import { Cast, PARENT_MS, TIMING } from './fixture.js'

export interface ScriptOptions {
  readonly n?: number
  /** Our place among the validators, and so the round in which we propose first. */
  readonly self?: number
  readonly height?: number
  /** Verdicts come at once and are good. */
  readonly autoCheck?: boolean
  readonly isSilent?: boolean
  /** Not a validator. */
  readonly isOutsider?: boolean
  readonly record?: SafetyRecord
  readonly workSinceMs?: number
  readonly startMs?: number
}

type Untimed<E extends Event = Event> = E extends Event ? Omit<E, 'nowMs'> : never
type EffectOf<T extends Effect['type']> = Extract<Effect, { type: T }>

const OUTSIDER: Address = `0x${'99'.repeat(20)}`

/** One machine among scripted peers: they say what the script says, over the real wire format. */
export class Script {
  readonly cast: Cast
  readonly self: number
  readonly address: Address
  readonly facts: HeightFacts
  readonly reader: Reader
  readonly effects: Effect[] = []
  /** What we signed, in order. */
  readonly said: Message[] = []
  readonly records: SafetyRecord[] = []
  nowMs: number
  state: ConsensusState
  readonly #autoCheck: boolean
  readonly #unchecked: ProposedBlock[] = []
  #decided: EffectOf<'decide'> | undefined

  constructor(options: ScriptOptions = {}) {
    const { n = 4, self = n - 1, autoCheck = true, isSilent = false, isOutsider = false, record, height } = options
    this.cast = new Cast(n, height)
    this.self = self
    this.address = isOutsider ? OUTSIDER : this.cast.validators[self]!
    this.#autoCheck = autoCheck
    this.nowMs = options.startMs ?? PARENT_MS + 1_000
    const { validators, domain } = this.cast
    const base = { height: this.cast.height, domain, validators, proposers: validators, self: this.address, isSilent }
    this.facts = { ...base, parentMs: PARENT_MS, timing: TIMING }
    this.reader = { ...this.facts, decodeBlock: (bytes) => decodeBlock(bytes) }
    if (record) this.records.push(record)
    const start = { type: 'heightStarted', facts: this.facts, record, workSinceMs: options.workSinceMs } as const
    const { state, effects } = step(undefined, { ...start, nowMs: this.nowMs })
    this.state = state
    this.#perform(effects)
  }

  // ------------------------------------------------------------------------------------------------ what happens

  event(event: Untimed): void {
    const { state, effects } = step(this.state, { ...event, nowMs: this.nowMs })
    this.state = state
    this.#perform(effects)
  }

  /** Over the wire. The answer is `taken`, `unwanted`, or the code with which the message was refused. */
  hear(message: Message, from: Address = message.author): string {
    try {
      const envelope = readEnvelope(message.bytes)
      if (!isTimely(this.state, envelope)) return 'unwanted'
      const authenticated = authenticate(envelope, this.reader)
      if (!isWanted(this.state, authenticated)) return 'unwanted'
      this.event({ type: 'message', message: openMessage(authenticated, this.reader), from })
      return 'taken'
    } catch (error) {
      if (isCodedError(error) && error.code.startsWith('CONSENSUS_')) return error.code
      throw error
    }
  }

  hearAll(messages: readonly Message[]): string[] {
    return messages.map((message) => this.hear(message))
  }

  verdict({ digest }: { digest: Hash }, isGood = true): void {
    const error = isGood ? undefined : consensusError('CONSENSUS_BLOCK_INVALID', 'the script says so')
    this.event({ type: 'checked', digest, error })
  }

  built(block: ProposedBlock | undefined): void {
    this.event({ type: 'built', height: this.facts.height, round: this.state.round, block })
  }

  /** Time goes by; timers fire when they are due. */
  advance(ms: number): void {
    const end = this.nowMs + ms
    for (;;) {
      const due = (Object.entries(this.state.timers) as [TimerName, number][])
        .filter(([, atMs]) => atMs <= end)
        .sort(([, a], [, b]) => a - b)[0]
      if (due === undefined) break
      this.nowMs = Math.max(this.nowMs, due[1])
      this.event({ type: 'timer', name: due[0], atMs: due[1] })
    }
    this.nowMs = end
  }

  /** Until our own timer ends the round, in which a quorum has arrived. */
  timeOut(): void {
    const { round, isRoundReached, roundChanges } = this.state
    const missing = this.others.filter((at) => !roundChanges.has(this.cast.validators[at]!))
    const needed = isRoundReached ? 0 : quorumSize(this.cast.validators.length) - roundChanges.size
    this.hearAll(missing.slice(0, needed).map((at) => this.cast.roundChange(at, round)))
    this.advance(this.state.timers.round! - this.nowMs)
    if (this.state.round === round) throw new Error('the round did not end')
  }

  /** Until round 0 is over: there is work, so that its timer runs. */
  timeOutWithWork(): void {
    this.event({ type: 'work', sinceMs: this.nowMs })
    this.advance(TIMING.minBlockPeriodMs)
    this.timeOut()
  }

  // ------------------------------------------------------------------------------------------------ what came of it

  effectsOf<T extends Effect['type']>(type: T): EffectOf<T>[] {
    return this.effects.filter((effect): effect is EffectOf<T> => effect.type === type)
  }

  saidOf<K extends MessageKind>(kind: K, round?: number): Extract<Message, { kind: K }>[] {
    return this.said.filter(
      (message): message is Extract<Message, { kind: K }> =>
        message.kind === kind && (round === undefined || message.round === round),
    )
  }

  get decided(): EffectOf<'decide'> | undefined {
    return this.#decided
  }

  /** The others, by their place. */
  get others(): number[] {
    return this.cast.validators.map((_, at) => at).filter((at) => at !== this.self)
  }

  #perform(effects: readonly Effect[]): void {
    const own: Message[] = []
    for (const effect of effects) {
      this.effects.push(effect)
      if (effect.type === 'persist') this.records.push(effect.record)
      if (effect.type === 'sign') own.push(this.#sign(effect.intent))
      if (effect.type === 'decide') this.#decided = effect
      if (effect.type === 'check' && this.#autoCheck) this.#unchecked.push(effect.block)
    }
    for (const message of own) this.event({ type: 'message', message, from: this.address })
    this.#giveVerdicts()
  }

  #giveVerdicts(): void {
    for (let block = this.#unchecked.shift(); block; block = this.#unchecked.shift()) this.verdict(block)
  }

  /** Persist before you speak: nothing may be signed that the last record does not cover. */
  #sign(intent: Intent): Message {
    const record = this.records.at(-1)
    const digest = intent.kind === 'proposal' ? intent.block.digest : intent.kind === 'roundChange' ? undefined : intent.digest
    const isCovered = record?.round === intent.round && record.height === intent.height && record.block?.digest === digest
    if (!isCovered) throw new Error(`${intent.kind} of round ${intent.round} is signed before it is persisted`)
    const { cast, self } = this
    const message = cast.signed(self, withSeal(intent, cast.keyOf(self)))
    this.said.push(message)
    return message
  }
}

function withSeal(intent: Intent, key: Uint8Array) {
  if (intent.kind !== 'commit') return intent
  const { header, ...rest } = intent
  return { ...rest, seal: signDigest(commitSealDigest(headerWithRound(header, intent.round)), key) }
}
