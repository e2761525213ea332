import { blockHash } from '@songhua/sdk/protocol/block-hash'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import type { Header } from '@songhua/sdk/protocol/header'
import type { Transaction } from '@songhua/sdk/protocol/transaction'
import { councilOfSize } from '../consensus/fixture.js'
import { type Council, genesisOf } from '../sync/chain.js'
import { BrokenInvariant, type Invariant, Monitor } from './monitor.js'
import { HEALTHY_LINKS, type LinkRules, SimulatedNetwork, type Station } from './network.js'
import { SimulatedNode } from './node.js'
import { type Random, seededRandom } from './random.js'
import { shortHash } from './speech.js'
import { VirtualClock, settled } from './virtual-clock.js'

export interface WorldOptions {
  /** Validators of the genesis. */
  readonly n: number
  readonly seed?: number
  readonly links?: Partial<LinkRules>
  /** How long a sync of the disk takes. */
  readonly diskMs?: number
  /** Nodes behind fetch blocks after this grace, as the node's own sync does; undefined: never. */
  readonly syncGraceMs?: number | undefined
  /** Nodes that do not vote, after the validators. */
  readonly followers?: number
  /** Keys beside those of the genesis's validators; `members` then says which of all keys these are. */
  readonly spares?: number
  readonly members?: readonly number[]
  /** Validators of which two copies run with one key and two disks (Twins, arXiv 2004.10617); the copies come last. */
  readonly twins?: readonly number[]
  readonly trace?: ((line: string) => void) | undefined
}

/** When every run begins, ms since 1970; the genesis is 50 s older. */
export const START_MS = 1_700_000_050_000

/** Boots every node. */
export async function createWorld(options: WorldOptions): Promise<World> {
  const world = new World(options)
  await Promise.all(world.nodes.map((node) => node.boot()))
  const { diskMs = 0 } = options
  // The first log was made by `songhua init`, before time began.
  for (const { disk } of world.nodes) disk.latencyMs = { min: diskMs, max: diskMs }
  return world
}

/**
 * A whole backbone in one process: the node's own driver, signer, consensus log and chain, over a virtual clock, links
 * that lose and delay, and disks that forget what was not synced. A run is its seed. Everything that is said and imported
 * goes past one monitor, so that no test can miss a fork.
 */
export class World {
  readonly clock = new VirtualClock(START_MS)
  readonly random: Random
  /** Keys of validators and spares. */
  readonly council: Council
  readonly genesis: Header
  readonly network: SimulatedNetwork
  readonly monitor: Monitor
  readonly nodes: SimulatedNode[]
  /** How often each fault has happened. */
  readonly faults: Record<string, number> = {}
  /** Depends on all that has happened, in order. */
  digest = 0x811c9dc5
  readonly #active = new Set<SimulatedNode>()
  readonly #trace: ((line: string) => void) | undefined

  constructor(options: WorldOptions) {
    const { n, spares = 0, followers = 0, twins = [], seed = 1, links, syncGraceMs, trace } = options
    this.#trace = trace
    this.random = seededRandom(seed)
    this.council = councilOfSize(n + spares)
    const members = (options.members ?? this.council.addresses.map((_, at) => at)).map((at) => this.council.addresses[at]!).sort()
    this.genesis = genesisOf({ ...this.council, addresses: members })
    const { clock, random, genesis } = this
    this.network = new SimulatedNetwork({ clock, random, onFault: (fault) => this.noteFault(fault) })
    this.network.links = { ...HEALTHY_LINKS, ...links }
    const hash = blockHash(genesis)
    this.monitor = new Monitor({ genesis: { hash, validators: members }, isHonest: (address) => this.isHonest(address) })
    const singles = Array.from({ length: n + spares + followers }, (_, at) => ({ key: at, name: `v${at}` }))
    const copies = twins.map((key) => ({ key, name: `v${key}'` }))
    this.nodes = [...singles, ...copies].map(({ key, name }, at) => this.#createNode({ key, name, at }, syncGraceMs))
    for (const twin of this.nodes) if (twins.some((key) => this.nodes[key]!.address === twin.address)) twin.isHonest = false
    this.network.stations.push(...this.nodes)
  }

  #createNode({ key, name, at }: { key: number; name: string; at: number }, syncGraceMs: number | undefined): SimulatedNode {
    const { clock, random, network, monitor, genesis, council } = this
    const validator = council.addresses[key]
    const address = validator ?? (`0x${(0xf000 + at).toString(16).padStart(40, '0')}`)
    const privateKey = validator && council.keys.get(validator)
    const tell = (words: string): void => this.tell(`${name} ${words}`)
    const onActive = (node: SimulatedNode): void => void this.#active.add(node)
    const parts = { clock, random, network, monitor, genesis, syncGraceMs, onActive, tell }
    return new SimulatedNode({ at, name, address, privateKey }, parts)
  }

  node(at: number): SimulatedNode {
    return this.nodes[at]!
  }

  get alive(): SimulatedNode[] {
    return this.nodes.filter((node) => node.isUp)
  }

  get messages(): number {
    return this.network.messages
  }

  set messages(count: number) {
    this.network.messages = count
  }

  get links(): LinkRules {
    return this.network.links
  }

  set links(links: LinkRules) {
    this.network.links = links
  }

  get decidedHashes(): Map<number, Hash> {
    return new Map([...this.monitor.decided].map(([height, { hash }]) => [height, hash]))
  }

  isHonest(address: Address): boolean {
    return this.nodes.every((node) => node.address !== address || node.isHonest)
  }

  noteFault(fault: string): void {
    this.faults[fault] = (this.faults[fault] ?? 0) + 1
  }

  /** A line of the trace; whether anybody reads it or not, it goes into the digest of the run. */
  tell(words: string): void {
    const line = `t+${this.clock.now() - START_MS}ms ${words}`
    let { digest } = this
    for (let at = 0; at < line.length; at++) digest = Math.imul(digest ^ line.charCodeAt(at), 0x01000193)
    this.digest = digest >>> 0
    this.#trace?.(line)
  }

  /** Hands a transaction to these nodes (to all, unless told). */
  submit(transaction: Transaction, to: readonly SimulatedNode[] = this.alive): void {
    for (const node of to) if (node.isUp) node.submit(transaction)
  }

  /** Runs until `isDone`; fails after `limitMs` of virtual time, and when a promise is broken. */
  async until(isDone: () => boolean, limitMs: number, promise: Invariant = 'progress-after-healing'): Promise<void> {
    const endMs = this.clock.now() + limitMs
    await settled()
    while (!isDone()) {
      if (this.clock.now() > endMs) throw new BrokenInvariant(promise, `not done after ${limitMs} ms: ${this.describe()}`)
      if (!(await this.clock.next())) throw new BrokenInvariant(promise, `nothing will ever happen: ${this.describe()}`)
      this.#measure()
      if (this.monitor.broken !== undefined) throw this.monitor.broken
    }
  }

  async untilHeight(height: number, limitMs: number, nodes: readonly SimulatedNode[] = this.alive): Promise<void> {
    await this.until(() => nodes.every((node) => node.height >= height), limitMs)
  }

  async run(ms: number): Promise<void> {
    const endMs = this.clock.now() + ms
    let isOver = false
    this.clock.after(ms, () => (isOver = true))
    await this.until(() => isOver || this.clock.now() > endMs, ms + 1)
  }

  say(from: Station, to: Station, bytes: Uint8Array, kind: Parameters<LinkRules['passes']>[2]): void {
    this.network.deliver(from, to, { kind, arrive: () => to.hear(from.address, bytes) })
  }

  #measure(): void {
    for (const node of this.#active) {
      const overflow = node.findOverflow()
      if (overflow !== undefined) this.monitor.report('bounded-memory', `${node.name}: ${overflow}`)
    }
    this.#active.clear()
  }

  describe(): string {
    const owed = this.monitor.owed.map(shortHash).join(' ')
    return `acknowledged and not final: ${owed || 'nothing'}\n` + this.nodes
      .map((node) => `${node.name}: ${node.isUp ? `height ${node.height}, ${JSON.stringify(node.driver.status())}` : 'down'}`)
      .join('\n')
  }
}
