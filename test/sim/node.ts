import { type Block, decodeBlock, encodeBlock } from '@songhua/sdk/protocol/block'
import { blockHash } from '@songhua/sdk/protocol/block-hash'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { type CodedError, isCodedError } from '@songhua/sdk/protocol/errors'
import { decodeExtraData } from '@songhua/sdk/protocol/extra-data'
import type { Header } from '@songhua/sdk/protocol/header'
import type { Transaction } from '@songhua/sdk/protocol/transaction'
import { boundAnew } from '@songhua/node/app/end-silence'
import type { Clock } from '@songhua/node/base/clock'
import type { Logger } from '@songhua/node/base/logger'
import type { MessageKind } from '@songhua/node/consensus/messages'
import type { ChainHead } from '@songhua/node/services/block-work'
import type { Chain } from '@songhua/node/services/chain'
import { createConsensusDriver } from '@songhua/node/services/consensus'
import type { ConsensusDriver, ConsensusListener, ConsensusPorts } from '@songhua/node/services/consensus-ports'
import { recoverSafety } from '@songhua/node/signer/recovery'
import { createValidatorSigner } from '@songhua/node/signer/signer'
import { type ConsensusLog, openConsensusLog } from '@songhua/node/storage/consensus-log'
import { TIMING } from '../consensus/fixture.js'
import { Attention, type Standing } from './attention.js'
import { findOverflow } from './buffers.js'
import { type Crash, SimulatedDisk } from './disk.js'
import { type Stored, createLedger, genesisStored } from './ledger.js'
import type { Monitor } from './monitor.js'
import type { SimulatedNetwork, Station } from './network.js'
import { SimulatedPool } from './pool.js'
import type { Random } from './random.js'
import { type Speech, shortHash, speechOf, wordsOf } from './speech.js'

const LOG_PATH = 'consensus.log'
const quietLogger: Logger = {
  debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, child: () => quietLogger,
}

export interface NodeParts {
  readonly clock: Clock
  readonly random: Random
  readonly network: SimulatedNetwork
  readonly monitor: Monitor
  readonly genesis: Header
  /** Nodes behind fetch blocks after this grace, as the node's own sync does; undefined: never. */
  readonly syncGraceMs: number | undefined
  /** Something has happened in this node: what it holds is to be measured. */
  readonly onActive: (node: SimulatedNode) => void
  readonly tell: (words: string) => void
}

export interface NodeIdentity {
  readonly at: number
  readonly name: string
  readonly address: Address
  /** Undefined for a follower. */
  readonly privateKey: Uint8Array | undefined
}

/** One node: the real driver, signer, consensus log and chain; what is on its disk outlives its lives. */
export class SimulatedNode implements Station {
  readonly at: number
  readonly name: string
  readonly address: Address
  readonly disk: SimulatedDisk
  readonly penalties: CodedError[] = []
  /** Whom it has penalised. */
  readonly blamed = new Set<Address>()
  driver!: ConsensusDriver
  chain!: Chain
  log!: ConsensusLog
  life = 0
  /** Its clock against the world's. */
  skewMs = 0
  /** What it says and imports is held against the promises; false for one whose key is Byzantine. */
  isHonest = true
  /** Dies when it has sent its next message of this kind to so many. */
  doom: { kind: MessageKind; after: number; onDeath: () => void } | undefined
  /** How long a block takes to execute. */
  executionMs = { min: 0, max: 0 }
  onImported: () => void = () => undefined
  isLogScratched = false
  /** Where the chain goes over to version 2 of the protocol, and up to which version its program knows. */
  protocol = { changesAt: Infinity, max: 1 }
  /** A slow disk under the chain. */
  beforeCommit: () => Promise<void> = () => Promise.resolve()
  readonly #parts: NodeParts
  readonly #privateKey: Uint8Array | undefined
  #state: 'down' | 'booting' | 'up' = 'down'
  #isNew = true
  /** Something befell the log since it was last open. */
  #isLogHarmed = false
  #stored: Stored
  /** Acknowledged transactions. */
  #journal: Transaction[] = []
  #pool = new SimulatedPool()
  /** Transactions of its chain. */
  #included = new Set<Hash>()
  #listener: ConsensusListener | undefined
  #busyUntilMs = 0
  readonly #attention: Attention

  constructor({ at, name, address, privateKey }: NodeIdentity, parts: NodeParts) {
    this.at = at
    this.name = name
    this.address = address
    this.#privateKey = privateKey
    this.#parts = parts
    this.disk = new SimulatedDisk(parts)
    this.#stored = genesisStored(parts.genesis)
    this.#attention = new Attention(this, parts.clock, (words) => parts.monitor.report('heeds-what-it-hears', `${name} ${words}`))
  }

  get isUp(): boolean {
    return this.#state === 'up'
  }

  get isDown(): boolean {
    return this.#state === 'down'
  }

  get height(): number {
    return this.#stored.head.header.number
  }

  get namedHead(): number {
    return this.height
  }

  /** Sealed, by number. */
  get blocks(): readonly Block[] {
    return this.#stored.blocks
  }

  // -------------------------------------------------------------------------------------------- lives

  async boot(): Promise<void> {
    if (this.#state !== 'down') return
    this.#state = 'booting'
    const life = ++this.life
    try {
      const log = await openConsensusLog(LOG_PATH, { create: this.#isNew, disk: this.disk })
      if (this.life === life) this.#start(log)
    } catch (error) {
      this.#parts.monitor.report('no-fatal-error', `${this.name} does not start: ${String(error)}`, error)
    }
  }

  #start(log: ConsensusLog): void {
    const { monitor, network, genesis, tell } = this.#parts
    this.log = log
    this.isLogScratched = false
    this.#isNew = false
    this.#pool = new SimulatedPool()
    this.chain = this.#createChain()
    // It may have died with a block on its disk that it has never told of.
    if (this.isHonest && this.height > 0) monitor.noteImport(this.name, this.#stored.head, this.blocks[this.height]!)
    this.#included = new Set(this.blocks.flatMap((block) => block.transactions.map(({ hash }) => hash)))
    for (const transaction of this.#journal) {
      if (!this.#included.has(transaction.hash)) this.#pool.add(transaction, this.#nowMs)
    }
    const signer = this.#signer(log)
    if (signer) this.chain.holdImports((number) => signer.reached(number))
    this.driver = createConsensusDriver(
      {
        genesisHash: blockHash(genesis),
        timing: TIMING,
        protocolVersionAt: (height) => (height < this.protocol.changesAt ? 1 : 2),
        protocolVersionMax: this.protocol.max,
        logger: quietLogger,
        onFatal: (error) => monitor.report('no-fatal-error', `${this.name} has stopped: ${String(error)}`, error),
      },
      { chain: this.chain, work: this.#work(), transport: this.#transport(), signer, clock: this.#clock() },
    )
    this.#state = 'up'
    const silence = signer?.recovery.silence
    tell(`boots at h${this.height}${silence === undefined ? '' : `, silent: ${silence}`}`)
    if (silence !== undefined && this.isHonest) monitor.noteAmnesia(this.address)
    if (silence !== undefined && !this.#isLogHarmed) monitor.report('no-needless-silence', `${this.name}: ${silence}`)
    this.driver.start()
    network.connect(this)
  }

  /** What is not on disk is gone. */
  kill(crash: Crash = 'kill'): void {
    if (this.#state === 'down') return
    const wasUp = this.isUp
    this.#state = 'down'
    this.life++
    this.#listener = undefined
    this.doom = undefined
    this.disk.crash(crash)
    if (wasUp) void this.driver.stop()
    this.#parts.tell(`crashes at h${this.height} (${crash})`)
  }

  // -------------------------------------------------------------------------------------------- its disk

  /** As `songhua end-silence` does with the files of a node that is down. */
  async endSilence(round: number): Promise<void> {
    const height = this.height + 1
    this.disk.restoreLog(undefined)
    const log = await openConsensusLog(LOG_PATH, { create: false, disk: this.disk })
    await log.startEpoch(height, boundAnew({ height, round }))
    await log.close()
  }

  /** The log is gone, damaged, or one from before: what was signed since is not known any more. */
  loseLog(how: 'missing' | 'damaged' | { copy: Buffer }): void {
    this.harmLog()
    if (how === 'damaged') this.disk.damageLog()
    else this.disk.restoreLog(how === 'missing' ? undefined : how.copy)
    if (this.isHonest) this.#parts.monitor.noteAmnesia(this.address)
  }

  /** One spot goes bad; before it is mended another one may be the second copy's. */
  scratchLog(): void {
    this.isLogScratched = true
    this.disk.scratchLog()
  }

  /** From now on the log may rightly be distrusted: it was lost, or does not belong to the store. */
  harmLog(): void {
    this.#isLogHarmed = true
  }

  get pending(): readonly Transaction[] {
    return this.#pool.transactions
  }

  get stored(): Stored {
    return this.#stored
  }

  /** A backup of the chain's data comes back. */
  restoreStore(backup: Stored): void {
    this.harmLog()
    this.#stored = backup
    if (this.isHonest) this.#parts.monitor.noteOlderStore(this.address, this.height)
  }

  // -------------------------------------------------------------------------------------------- what it hears

  hear(from: Address, bytes: Uint8Array): void {
    this.#parts.onActive(this)
    this.#listener?.onMessage(from, bytes)
  }

  /** What has just arrived comes from its author, which is honest. */
  heed(author: Address, speech: Speech): void {
    if (this.isHonest) this.#attention.note(author, speech)
  }

  get slowUntilMs(): number {
    return Math.max(this.disk.slowUntilMs, this.#busyUntilMs)
  }

  standing(): Standing | undefined {
    return this.isUp ? this.driver.status() : undefined
  }

  get validatorCount(): number {
    return this.chain.head().validators.length
  }

  hasPrepared(height: number, round: number): boolean {
    return this.#parts.monitor.hasSaid(this.address, { kind: 'prepare', height, round })
  }

  hearPeer(peer: Station): void {
    this.#parts.onActive(this)
    this.#listener?.onPeerUp(peer.address, peer.namedHead)
    this.relayPending([peer])
    if (peer instanceof SimulatedNode && peer.height > this.height) this.#fetchSoon(peer)
  }

  hearBlock(from: Station, encoded: Uint8Array): void {
    const block = decodeBlock(encoded)
    if (block.header.number === this.height + 1) void this.#importFrom(from, [block])
  }

  hearTransaction(transaction: Transaction): void {
    if (this.isUp && !this.#included.has(transaction.hash)) this.#pool.add(transaction, this.#nowMs)
  }

  /** A user hands it over; it is acknowledged when it is in the journal. */
  submit(transaction: Transaction): void {
    const { life } = this
    this.hearTransaction(transaction)
    void this.disk.write(() => this.#journal.push(transaction)).then(() => {
      if (this.life !== life) return
      this.#parts.tell(`acknowledges ${shortHash(transaction.hash)}`)
      if (this.isHonest) this.#parts.monitor.noteAcknowledged(transaction.hash)
    })
  }


  /** Sync in miniature: everything that the other has and we do not. */
  fetchFrom(other: SimulatedNode): Promise<void> {
    const { links } = this.#parts.network
    if (!this.isUp || !links.passes(other.at, this.at, 'block')) return Promise.resolve()
    return this.#importFrom(other, other.blocks.slice(this.height + 1))
  }

  #fetchSoon(other: SimulatedNode): void {
    const { clock, syncGraceMs } = this.#parts
    if (syncGraceMs === undefined) return
    const { life } = this
    clock.after(syncGraceMs, () => void (this.life === life && this.fetchFrom(other)))
  }

  async #importFrom(from: Station, blocks: readonly Block[]): Promise<void> {
    const { life, chain } = this
    try {
      for (const block of blocks) {
        if (this.life !== life) return
        await chain.importSealed(decodeBlock(encodeBlock(block)))
      }
    } catch (error) {
      // What a liar sends may be refused, with a code.
      if (!from.isHonest && isCodedError(error)) return
      this.#parts.monitor.report('no-fatal-error', `${this.name} cannot import what another has: ${String(error)}`, error)
    }
  }

  findOverflow(): string | undefined {
    if (!this.isUp) return undefined
    const { stations } = this.#parts.network
    // Consensus may stand at the height below yet, whose set is another one.
    const { validators: before } = this.#stored.parent ?? this.#stored.head
    const validators = Math.max(before.length, this.chain.head().validators.length)
    return findOverflow(this.driver.gauges(), { peers: stations.length, validators })
  }

  /** All that waits for a block, to all, or to one that has just connected. */
  relayPending(to: readonly Station[] = this.#parts.network.stations): void {
    for (const other of to) {
      for (const transaction of other === this ? [] : this.pending) {
        const arrive = (): void => other.hearTransaction(transaction)
        this.#parts.network.deliver(this, other, { kind: 'transaction', arrive })
      }
    }
  }

  // -------------------------------------------------------------------------------------------- its ports

  get #nowMs(): number {
    return this.#parts.clock.now() + this.skewMs
  }

  #clock(): Clock {
    const { clock, onActive } = this.#parts
    return {
      now: () => this.#nowMs,
      after: (delayMs, run) =>
        clock.after(delayMs, () => {
          onActive(this)
          run()
        }),
    }
  }

  #signer(log: ConsensusLog) {
    if (this.#privateKey === undefined) return undefined
    const recovery = recoverSafety({ log, headNumber: this.height, decodeBlock: (bytes) => decodeBlock(bytes) })
    return createValidatorSigner({ privateKey: this.#privateKey, recovery }, log)
  }

  #createChain(): Chain {
    const { life } = this
    const { genesis, monitor } = this.#parts
    const chain = createLedger({
      genesisHash: blockHash(genesis),
      stored: this.#stored,
      pending: () => this.#pool.transactions,
      execute: () => this.#execute(life),
      commit: async (stored) => {
        await this.beforeCommit()
        // Who died meanwhile has written nothing, and never hears of it.
        if (this.life !== life) return new Promise<never>(() => undefined)
        await this.disk.write(() => (this.#stored = stored))
      },
      onListenerError: (error) => monitor.report('no-fatal-error', `${this.name}: ${String(error)}`, error),
    })
    chain.onBlock(({ head, block }) => {
      if (this.life === life) this.#afterImport(head, block)
    })
    return chain
  }

  async #execute(life: number): Promise<void> {
    const { clock, random } = this.#parts
    const delayMs = random.integer(this.executionMs.min, this.executionMs.max)
    if (delayMs === 0) return
    this.#busyUntilMs = Math.max(this.#busyUntilMs, clock.now() + delayMs)
    await new Promise<void>((resume) => clock.after(delayMs, () => this.life === life && resume()))
  }

  #afterImport(head: ChainHead, block: Block): void {
    const { monitor, network, clock, syncGraceMs, tell } = this.#parts
    const { round } = decodeExtraData(block.header.extraData)
    tell(`imports h${head.header.number} r${round} ${shortHash(head.hash)} with ${block.transactions.length} transactions`)
    if (this.isHonest) monitor.noteImport(this.name, head, block)
    for (const { hash } of block.transactions) this.#included.add(hash)
    this.#pool.remove(block.transactions.map(({ hash }) => hash))
    this.onImported()
    if (syncGraceMs === undefined) return
    const { life } = this
    clock.after(syncGraceMs, () => {
      if (this.life !== life) return
      for (const other of network.stations) {
        if (other instanceof SimulatedNode && other.height < this.height) void other.fetchFrom(this)
      }
    })
  }

  #work(): ConsensusPorts['work'] {
    const pool = this.#pool
    return {
      executableSince: () => pool.executableSince(),
      onAdded: (listener) => pool.onAdded(listener),
      resendPending: () => this.relayPending(),
      get: (hash) => pool.get(hash),
    }
  }

  #transport(): ConsensusPorts['transport'] {
    const { life } = this
    const { network } = this.#parts
    return {
      subscribe: (listener) => {
        this.#listener = listener
        return () => {
          if (this.#listener === listener) this.#listener = undefined
        }
      },
      broadcast: (bytes, { except }) => {
        if (this.life !== life) return
        const isOwn = except.length === 0
        const others = network.stations.filter((other) => other !== this && !except.includes(other.address))
        this.#say(bytes, others, isOwn)
      },
      send: (to, bytes) => {
        if (this.life === life) this.#say(bytes, network.stations.filter(({ address }) => address === to), true)
      },
      sendBlock: (to, height) => {
        const block = this.life === life ? this.blocks[height] : undefined
        if (block === undefined) return
        const encoded = encodeBlock(block)
        for (const other of network.stations.filter(({ address }) => address === to)) {
          network.deliver(this, other, { kind: 'block', arrive: () => other.hearBlock(this, encoded) })
        }
      },
      penalise: (peer, error) => {
        this.blamed.add(peer)
        this.penalties.push(error)
        if (this.life === life) this.#noteBlame(peer, error)
      },
    }
  }

  #say(bytes: Uint8Array, others: readonly Station[], isOwn: boolean): void {
    const { network, monitor, tell } = this.#parts
    const speech = speechOf(bytes)
    if (isOwn) {
      tell(wordsOf(speech))
      if (this.isHonest) this.#attention.noteOwn(speech)
      if (this.isHonest) monitor.noteSaid(this.address, speech)
      else monitor.noteByzantine(this.address, speech)
    }
    const doom = isOwn && this.doom?.kind === speech.kind ? this.doom : undefined
    const heard = doom === undefined ? others : others.slice(0, doom.after)
    const isAuthentic = isOwn && this.isHonest
    for (const other of heard) {
      const arrive = (): void => {
        other.hear(this.address, bytes)
        if (isAuthentic && other instanceof SimulatedNode) other.heed(this.address, speech)
      }
      network.deliver(this, other, { kind: speech.kind, arrive })
    }
    if (doom === undefined) return
    this.kill('power')
    doom.onDeath()
  }

  #noteBlame(peer: Address, error: CodedError): void {
    const { network, monitor, tell } = this.#parts
    tell(`blames ${peer}: ${error.code}`)
    if (!isCodedError(error)) monitor.report('no-fatal-error', `${this.name} blames without a code`, error)
    const isWrong = network.stations.some((one) => one.address === peer && one.isHonest)
    if (this.isHonest && isWrong) {
      monitor.report('no-honest-penalty', `${this.name} blames ${peer}, which is honest: ${error.code} ${error.message}`, error)
    }
  }
}
