import { messageOf } from '@songhua/sdk/protocol/errors'
import { faultTolerance } from '@songhua/sdk/protocol/validator-set'
import { transaction } from '../consensus/fixture.js'
import { installCachedCrypto } from './cached-crypto.js'
import { SimFailure } from './failure.js'
import { Forger } from './forger.js'
import { START_MS, type SimulatedNode, World } from './world.js'

const PHASES = 8
/** Time for the longest rounds at the cap, after everything has healed. */
const HEALED_MS = 240_000
const HEIGHTS_AFTER = 3

const HEALTHY = { delayMs: { min: 1, max: 40 }, loss: 0, passes: () => true }
const LOSSES = [0.02, 0.3, 0.5]
const FAULTS = ['forger', 'twin', 'dead'] as const

export interface SimOptions {
  readonly seed: number
  /** Size of the first validator set. */
  readonly validators: number
  /** Told what happens, a line at a time, in the words of the protocol. */
  readonly trace?: (line: string) => void
}

/** What a clean run was made of. */
export interface SimReport {
  readonly seed: number
  readonly validators: number
  readonly heights: number
  readonly messages: number
  readonly virtualMs: number
}

/**
 * One run, all of it decided by the seed: who is Byzantine, what links and disks do and when, who dies and comes back.
 * @throws SimFailure when a promise of the chain is broken
 */
export async function simulate({ seed, validators }: SimOptions): Promise<SimReport> {
  await installCachedCrypto()
  try {
    const world = await runChaos(validators, seed)
    const virtualMs = world.clock.now() - START_MS
    return { seed, validators, heights: world.decidedHashes.size, messages: world.messages, virtualMs }
  } catch (cause) {
    throw new SimFailure(messageOf(cause), { invariant: 'unsorted', seed, validators, cause })
  }
}

async function runChaos(n: number, seed: number): Promise<World> {
  const faulty = Array.from({ length: faultTolerance(n) }, (_, index) => ({
    at: (seed + index * 2) % n,
    fault: FAULTS[(seed + index) % FAULTS.length]!,
  }))
  const twins = faulty.filter(({ fault }) => fault === 'twin').map(({ at }) => at)
  const world = new World({ n, seed, twins, diskMs: 2, links: HEALTHY, syncGraceMs: seed % 2 === 0 ? 300 : 8_000 })
  for (const { at, fault } of faulty) {
    if (fault === 'twin') continue
    world.node(at).kill()
    if (fault === 'forger') new Forger(world, at)
  }
  const honest = world.nodes.filter(({ at }) => at < n && !faulty.some((one) => one.at === at))
  for (let phase = 0; phase < PHASES; phase++) await runPhase(world, { phase, honest })
  await heal(world, honest)
  for (const node of honest) {
    const wronged = honest.find(({ address }) => node.blamed.has(address))
    if (wronged) throw new Error(`${node.at} penalised ${wronged.at}, which is honest: ${String(node.penalties[0])}`)
  }
  return world
}

async function runPhase(world: World, { phase, honest }: { phase: number; honest: SimulatedNode[] }): Promise<void> {
  const chance = (share: number): boolean => world.prng.next() < share
  const sides = world.stations.map(() => chance(0.5))
  const isCut = chance(0.5)
  const links = world.stations.flatMap((from) => world.stations.map((to) => `${from.at} ${to.at}`))
  const cutLinks = new Set(links.filter(() => chance(0.15)))
  const loner = chance(0.4) ? honest[Math.floor(world.prng.next() * honest.length)]!.at : undefined
  world.links = {
    delayMs: { min: 1, max: chance(0.2) ? 1_500 : 40 },
    loss: LOSSES[Math.floor(world.prng.next() * LOSSES.length)]!,
    passes: (from, to, kind) => {
      // One alone hears commits, decides, and cannot tell anybody.
      if (loner !== undefined && (kind === 'commit' ? to !== loner : kind === 'block' && from === loner)) return false
      return loner !== undefined || ((!isCut || sides[from] === sides[to]) && !cutLinks.has(`${from} ${to}`))
    },
  }
  for (let nonce = 3 * phase; nonce < 3 * phase + 3; nonce++) {
    world.submit(transaction(nonce), world.alive.filter(() => chance(0.6)))
  }
  const victims = honest.filter(() => chance(0.25))
  for (const node of victims) {
    world.clock.after(Math.floor(world.prng.next() * 2_000), () => node.isUp && node.kill())
    world.clock.after(2_000 + Math.floor(world.prng.next() * 3_000), () => !node.isUp && node.boot())
  }
  await world.run(Math.floor(world.prng.next() * 5_000) + 500)
}

/** No more than f are faulty now, and messages arrive: the chain must go on. */
async function heal(world: World, honest: SimulatedNode[]): Promise<void> {
  await world.run(5_000)
  for (const node of honest) if (!node.isUp) node.boot()
  world.links = HEALTHY
  const start = Math.max(...honest.map(({ height }) => height))
  for (let step = 1; step <= HEIGHTS_AFTER; step++) {
    world.submit(transaction(100 + step))
    await world.untilHeight(start + step, HEALED_MS, honest)
  }
}
