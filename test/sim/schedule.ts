import { CLOCK_SKEW_MS } from '@songhua/node/consensus/limits'
import type { MessageKind } from '@songhua/node/consensus/messages'
import { transaction } from '../consensus/fixture.js'
import type { Cast } from './cast.js'
import { Ambush, type Death, type DeathWhileWriting } from './ambush.js'
import { Council } from './council.js'
import type { Stored } from './ledger.js'
import type { LinkRules, Traffic } from './network.js'
import type { SimulatedNode } from './node.js'
import type { World } from './world.js'

const KINDS: readonly MessageKind[] = ['proposal', 'prepare', 'commit', 'roundChange']
const DELAYS_MS = [5, 40, 40, 300, 1_500] as const
const LOSSES = [0, 0.02, 0.3, 0.5] as const
const DUPLICATES = [0, 0, 0.1, 0.5] as const
const LATE = [0, 0, 0.02, 0.2] as const
const PHASE_MS = { min: 500, max: 5_500 }
/** Three rounds and more. */
const LONG_PHASE_MS = { min: 4_000, max: 12_000 }
/** Four rounds and more. */
const LONGER_PHASE_MS = { min: 10_000, max: 16_000 }
/** A round and more, in which the others may prepare another block. */
const ABSENCE_MS = { min: 3_000, max: 7_000 }
/** Within round 0, whose timer takes 2 s. */
const HIDING_MS_MAX = 2_500
const QUICK_EXECUTION_MS = { min: 0, max: 20 }
/** More than a round at the longest. */
const SLOW_EXECUTIONS_MS = [500, 1_500, 4_000] as const
const BACKUPS_KEPT = 8
const EPOCH_BEGUN_MS = 10
/** Any two clocks are at most this far apart. */
const SKEW_MS_MAX = CLOCK_SKEW_MS / 2

interface Backup {
  readonly height: number
  readonly stored: Stored
  readonly log: Buffer | undefined
}

/** What befalls a world, phase after phase; every choice is the seed's. */
export class Schedule {
  readonly #world: World
  readonly #cast: Cast
  readonly #victims: readonly SimulatedNode[]
  readonly #backups = new Map<SimulatedNode, Backup[]>()
  readonly #council: Council
  readonly #ambush: Ambush
  #nonce = 0
  #phaseMs = PHASE_MS

  /** @param victims the nodes that run, and may be killed */
  constructor(world: World, cast: Cast, victims: readonly SimulatedNode[]) {
    this.#world = world
    this.#cast = cast
    this.#victims = victims
    this.#council = new Council(world, cast, () => this.#nonce++)
    this.#ambush = new Ambush(world, victims, {
      bringWork: () => this.submitTo(world.alive),
      killAt: (node, death) => this.#killAt(node, death),
      failPowerIn: (node, death) => this.#failPowerIn(node, death),
    })
    for (const node of victims) if (this.#mayForget(node)) node.onImported = () => this.#takeBackupSoon(node)
    for (const node of victims) node.skewMs = world.random.integer(-SKEW_MS_MAX, SKEW_MS_MAX)
    world.noteFault('clockSkew')
  }

  async phase(): Promise<void> {
    const { random } = this.#world
    this.#takeBackups()
    this.#phaseMs = PHASE_MS
    if (random.chance(0.1)) return random.chance(0.3) ? this.#isolate() : this.#idle()
    this.#setLinks()
    this.#setDisks()
    if (random.chance(0.15)) this.#moveClock()
    this.#submit()
    this.#council.meet()
    if (random.chance(0.07)) this.#blackOut()
    else for (const node of this.#victims) if (random.chance(0.25)) this.#plotAgainst(node)
    await this.#world.run(random.integer(this.#phaseMs.min, this.#phaseMs.max))
  }

  /** What is under way still happens, and nothing more is planned. */
  calm(): void {
    this.#ambush.stop()
  }

  /** Everybody is back, and everything works; at most f do not keep to the rules. */
  heal(): void {
    const { random } = this.#world
    for (const node of this.#victims) {
      node.doom = undefined
      node.disk.doom = undefined
      node.disk.latencyMs = { min: 0, max: random.integer(0, 3) }
      node.executionMs = QUICK_EXECUTION_MS
      if (node.isDown) void node.boot()
    }
    this.#world.links = healthy({ min: 1, max: 40 })
    this.#world.tell('everything heals')
  }

  submitTo(nodes: readonly SimulatedNode[]): void {
    this.#world.submit(transaction(this.#nonce++), nodes)
  }

  /** As a node does whose links work. */
  submitAndRelay(node: SimulatedNode): void {
    this.submitTo([node])
    node.relayPending()
  }

  // ------------------------------------------------------------------------------------------- time and work

  async #idle(): Promise<void> {
    const { random } = this.#world
    this.#fault('idleness', 'nobody has anything to do')
    this.#world.links = healthy({ min: 1, max: 40 })
    await this.#world.run(random.integer(60_000, 300_000))
  }

  /** For minutes one is alone with its work, and the others have theirs. */
  async #isolate(): Promise<void> {
    const { random, alive } = this.#world
    const { at, name } = random.pick(this.#victims)
    this.#fault('isolation', `${name} is alone with its work`)
    this.#world.links = { ...healthy({ min: 1, max: 40 }), passes: (from, to) => from !== at && to !== at }
    this.submitTo(alive)
    await this.#world.run(random.integer(60_000, 300_000))
  }

  #submit(): void {
    const { random, alive } = this.#world
    for (let count = random.integer(0, 3); count > 0 && alive.length > 0; count--) {
      const isLone = random.chance(0.4)
      if (isLone) this.#world.noteFault('loneTransaction')
      this.submitTo(isLone ? [random.pick(alive)] : alive.filter(() => random.chance(0.6)))
    }
  }

  #moveClock(): void {
    const { random } = this.#world
    const node = random.pick(this.#victims)
    node.skewMs = random.integer(-SKEW_MS_MAX, SKEW_MS_MAX)
    this.#fault('clockJump', `${node.name}'s clock is set ${node.skewMs} ms off`)
  }

  // ------------------------------------------------------------------------------------------- links

  #setLinks(): void {
    const { random } = this.#world
    const links = {
      delayMs: { min: 1, max: random.pick(DELAYS_MS) },
      loss: random.pick(LOSSES),
      duplicates: random.pick(DUPLICATES),
      late: random.pick(LATE),
      passes: this.#ambush.over(this.#pickCut()),
    }
    if (links.delayMs.max > 40) this.#world.noteFault('delay')
    this.#world.links = links
  }

  #pickCut(): LinkRules['passes'] {
    const { random, network } = this.#world
    const stations = network.stations.map(({ at }) => at)
    const choice = random.next()
    if (choice < 0.33) return () => true
    if (choice < 0.56) return this.#partition(new Map(stations.map((at) => [at, random.integer(0, choice < 0.47 ? 1 : 2)])))
    if (choice < 0.67) {
      const share = random.pick([0.1, 0.4])
      const cut = new Set(stations.flatMap((from) => stations.filter(() => random.chance(share)).map((to) => `${from} ${to}`)))
      this.#fault('oneWayCut', `${cut.size} links are cut in one direction`)
      return (from, to) => !cut.has(`${from} ${to}`)
    }
    if (choice < 0.87) return this.#hideCertificates(stations)
    // One alone hears commits, decides, and cannot tell anybody.
    const loner = random.pick(this.#victims).at
    this.#fault('loneDecision', `only v${loner} hears commits`)
    return (from, to, kind) => (kind === 'commit' ? to === loner : kind !== 'block' || from !== loner)
  }

  /**
   * Commits reach nobody, and Prepares at first everybody, or one alone: there are certificates, and no decision. Then
   * that one is cut off, the others go on without it, and it comes back with its certificate beside theirs; or some hear
   * neither round changes nor Prepares any more, and come into later rounds by proposals alone. It lasts long enough for
   * some rounds.
   */
  #hideCertificates(stations: readonly number[]): LinkRules['passes'] {
    const { random, clock } = this.#world
    this.#phaseMs = LONG_PHASE_MS
    const fromMs = clock.now() + random.integer(0, HIDING_MS_MAX)
    if (random.chance(0.6)) {
      this.#phaseMs = LONGER_PHASE_MS
      this.submitTo(this.#world.alive)
      const holder = random.pick(this.#victims).at
      const untilMs = fromMs + random.integer(ABSENCE_MS.min, ABSENCE_MS.max)
      this.#fault('loneCertificate', `nobody hears commits, only v${holder} hears Prepares, and soon it is cut off for a while`)
      const isHeard = (to: number, kind: Traffic): boolean => kind !== 'prepare' || to === holder
      const isCut = (from: number, to: number): boolean => clock.now() < untilMs && (from === holder || to === holder)
      return (from, to, kind) => kind !== 'commit' && (clock.now() < fromMs ? isHeard(to, kind) : !isCut(from, to))
    }
    const deaf = new Set(stations.filter(() => random.chance(0.3)))
    const names = [...deaf].map((at) => `v${at}`).join(' ')
    this.#fault('deafness', `nobody hears commits, and soon ${names} hear no round changes and no Prepares`)
    const isUnheard = (kind: Traffic): boolean => kind === 'roundChange' || kind === 'prepare'
    return (_from, to, kind) => kind !== 'commit' && !(clock.now() >= fromMs && deaf.has(to) && isUnheard(kind))
  }

  #partition(sides: ReadonlyMap<number, number>): LinkRules['passes'] {
    const names = [0, 1, 2].map((side) => [...sides].filter(([, own]) => own === side).map(([at]) => at).join(','))
    this.#fault('partition', `partition ${names.map((name) => `{${name}}`).join('|')}`)
    return (from, to) => sides.get(from) === sides.get(to)
  }

  // ------------------------------------------------------------------------------------------- disks and lives

  #setDisks(): void {
    const { random } = this.#world
    const share = random.chance(0.15) ? 0.9 : 0.1
    for (const node of this.#victims) {
      const isSlow = random.chance(share)
      if (isSlow) this.#fault('slowDisk', `${node.name}'s disk is slow`)
      node.disk.latencyMs = isSlow ? { min: 100, max: 2_000 } : { min: 0, max: random.integer(0, 5) }
      const isBusy = random.chance(0.15)
      if (isBusy) this.#fault('slowExecution', `${node.name} executes slowly`)
      node.executionMs = isBusy ? { min: 100, max: random.pick(SLOW_EXECUTIONS_MS) } : QUICK_EXECUTION_MS
    }
  }

  /** The power of the whole province fails. */
  #blackOut(): void {
    const { clock, random } = this.#world
    this.#fault('blackout', 'the power fails everywhere')
    const atMs = random.integer(0, 500)
    for (const node of this.#victims) this.#killAt(node, { afterMs: atMs, crash: 'power', downMs: clock.now() % 50 })
  }

  /** Dies at some moment, or in the middle of telling the others something. */
  #plotAgainst(node: SimulatedNode): void {
    const { random } = this.#world
    const downMs = random.chance(0.5) ? random.integer(0, 50) : random.integer(0, 4_000)
    if (random.chance(0.3)) return this.#failPowerIn(node, { operation: random.integer(1, 8), downMs })
    if (random.chance(0.5)) {
      const crash = random.pick(['kill', 'power'] as const)
      return this.#killAt(node, { afterMs: random.integer(0, 2_000), crash, downMs })
    }
    const others = this.#world.network.stations.length
    node.doom = {
      kind: random.pick(KINDS),
      after: random.integer(0, others),
      onDeath: () => {
        this.#world.noteFault('crashWhileSpeaking')
        this.#comeBack(node, downMs)
      },
    }
  }

  /** In the middle of a write. */
  #failPowerIn(node: SimulatedNode, { operation, downMs }: DeathWhileWriting): void {
    node.disk.doom = {
      operation,
      onDoom: () => {
        this.#world.noteFault('powerLossWhileWriting')
        node.kill('power')
        this.#comeBack(node, downMs)
      },
    }
  }

  #killAt(node: SimulatedNode, { afterMs, crash, downMs }: Death): void {
    this.#world.clock.after(afterMs, () => {
      if (node.isDown) return
      this.#world.noteFault(crash === 'kill' ? 'crash' : 'powerLoss')
      node.kill(crash)
      this.#comeBack(node, downMs)
    })
  }

  #comeBack(node: SimulatedNode, downMs: number): void {
    const hasForgotten = this.#harmDisk(node)
    this.#boot(node, downMs)
    if (!hasForgotten) return
    this.#tempt(node, downMs)
    if (this.#world.random.chance(0.3)) this.#relapse(node, downMs)
  }

  /** Who has forgotten something has work at once, and so a reason to speak. */
  #tempt(node: SimulatedNode, downMs: number): void {
    this.#world.clock.after(downMs + EPOCH_BEGUN_MS, () => {
      if (node.isUp) this.submitTo([node])
    })
  }

  #boot(node: SimulatedNode, afterMs: number): void {
    this.#world.clock.after(afterMs, () => {
      if (!node.isDown) return
      this.#world.noteFault('restart')
      void node.boot()
    })
  }

  /** Dies again while it keeps silent, and comes back at once. */
  #relapse(node: SimulatedNode, downMs: number): void {
    const { clock, random } = this.#world
    clock.after(downMs + random.integer(5, 500), () => {
      if (node.isDown) return
      this.#fault('relapse', `${node.name} dies again`)
      node.kill('kill')
      this.#boot(node, 0)
    })
  }

  // ------------------------------------------------------------------------------------------- what disks lose

  #takeBackups(): void {
    const { random } = this.#world
    for (const node of this.#victims) {
      if (!this.#mayForget(node) || !random.chance(0.6)) continue
      this.#takeBackup(node)
    }
  }

  /** When its log has come to the next height. */
  #takeBackupSoon(node: SimulatedNode): void {
    const { life } = node
    this.#world.clock.after(EPOCH_BEGUN_MS, () => {
      if (node.life === life) this.#takeBackup(node)
    })
  }

  #takeBackup(node: SimulatedNode): void {
    const backup = { height: node.height, stored: node.stored, log: node.disk.copyLog() }
    this.#backups.set(node, [...(this.#backups.get(node) ?? []), backup].slice(-BACKUPS_KEPT))
  }

  #mayForget(node: SimulatedNode): boolean {
    return this.#isRollback(node) || this.#cast.forgetful.includes(node.at)
  }

  #isRollback(node: SimulatedNode): boolean {
    return this.#cast.byzantine.some(({ at, kind }) => kind === 'rollback' && this.#world.node(at) === node)
  }

  /** True when it does not know any more what it has signed. */
  #harmDisk(node: SimulatedNode): boolean {
    const { random } = this.#world
    if (this.#isRollback(node)) this.#rollBack(node)
    else if (this.#cast.forgetful.includes(node.at) && random.chance(0.6)) {
      this.#makeForget(node)
      return true
    } else if (!node.isLogScratched && random.chance(0.2)) {
      this.#fault('scratchedLog', `a spot of ${node.name}'s log goes bad`)
      node.scratchLog()
    }
    return false
  }

  #rollBack(node: SimulatedNode): void {
    const backups = this.#backups.get(node)
    if (backups === undefined || !this.#world.random.chance(0.7)) return
    const { height, stored, log } = this.#world.random.pick(backups)
    this.#fault('rolledBackDisk', `${node.name}'s whole disk is that of h${height}`)
    node.restoreStore(stored)
    node.loseLog({ copy: log ?? Buffer.alloc(0) })
  }

  #makeForget(node: SimulatedNode): void {
    const { random } = this.#world
    // What is just too old shows more than what is far too old.
    const all = this.#backups.get(node) ?? []
    const backups = random.chance(0.7) ? [...all].reverse() : all
    const choice = random.integer(0, 3)
    // A copy that is one height old cannot be told from a log that a crash has left behind.
    const oldLog = backups.find(({ height }) => height <= node.height - 2)
    const oldStore = backups.find(({ height }) => height < node.height)
    if (choice === 0 && oldLog?.log !== undefined) {
      this.#fault('olderLog', `${node.name}'s log is that of h${oldLog.height}`)
      return node.loseLog({ copy: oldLog.log })
    }
    if (choice === 1 && oldStore !== undefined) {
      this.#fault('olderStore', `${node.name}'s store is that of h${oldStore.height}`)
      if (random.chance(0.4)) {
        this.#fault('missingLog', `${node.name}'s log is gone with it`)
        node.loseLog('missing')
      }
      return node.restoreStore(oldStore.stored)
    }
    const how = choice === 2 ? 'damaged' : 'missing'
    this.#fault(`${how}Log`, `${node.name}'s log is ${how}`)
    node.loseLog(how)
  }

  #fault(name: string, words: string): void {
    this.#world.noteFault(name)
    this.#world.tell(words)
  }
}

const healthy = (delayMs: LinkRules['delayMs']): LinkRules => ({
  delayMs, loss: 0, duplicates: 0, late: 0, passes: () => true,
})
