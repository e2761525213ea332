import { isCodedError, messageOf } from '@songhua/sdk/protocol/errors'
import { roundBeyond } from '@songhua/node/app/end-silence'
import { TIMING } from '../consensus/fixture.js'
import { installCachedCrypto } from './cached-crypto.js'
import { type Cast, planCast } from './cast.js'
import { SimFailure } from './failure.js'
import { Forger, TRICKS } from './forger.js'
import { BrokenInvariant } from './monitor.js'
import type { SimulatedNode } from './node.js'
import { Progress } from './progress.js'
import { seededRandom } from './random.js'
import { Schedule } from './schedule.js'
import { START_MS, type World, createWorld } from './world.js'

const PHASES_MIN = 3
const PHASES_MAX = 7
/** From here on a phase costs seconds, because everybody relays to everybody; more seeds show more than longer ones. */
const LARGE = 10
const LARGE_PHASES_MAX = 4
/** Blocks that must follow when everything has healed. */
const HEIGHTS_AFTER = 3
/** What was on its way when everything healed. */
const SETTLING_MS = 5_000
/** Time for safety alone, where the chain may stand still. */
const BEYOND_BUDGET_MS = 60_000
/** Keeps the seeds of the cast and of the world apart. */
const CAST_SALT = 0x5eed0000

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
  /** The most rounds that one height took after everything had healed. */
  readonly roundsAfterHealing: number
  /** Transactions acknowledged, all of them final; beyond the budget some may wait. */
  readonly acknowledged: number
  /** How often each fault has happened. */
  readonly faults: Readonly<Record<string, number>>
  /** Of the whole trace: equal for equal runs. */
  readonly digest: string
}

/**
 * One run, all of it decided by the seed: who is Byzantine, what links, clocks and disks do and when, who dies and comes
 * back, how the validator set changes.
 * @throws SimFailure when a promise of the chain is broken
 */
export async function simulate({ seed, validators, trace }: SimOptions): Promise<SimReport> {
  await installCachedCrypto()
  try {
    return await run({ seed, validators, ...(trace && { trace }) })
  } catch (cause) {
    const invariant = cause instanceof BrokenInvariant ? cause.invariant : undefined
    // A bug of the simulator is no finding about the node; an assertion that fails in the node is one.
    if (invariant === undefined && !isCodedError(cause)) throw cause
    throw new SimFailure(messageOf(cause), { invariant: invariant ?? 'no-fatal-error', seed, validators, cause })
  }
}

async function run({ seed, validators, trace }: SimOptions): Promise<SimReport> {
  const cast = planCast(validators, seededRandom((seed ^ CAST_SALT) + validators))
  const world = await createWorld({
    n: validators,
    seed: Math.imul(seed, 64) + validators,
    spares: cast.spares,
    members: cast.sets[0]!,
    twins: cast.byzantine.filter(({ kind }) => kind === 'twin').map(({ at }) => at),
    syncGraceMs: seed % 2 === 0 ? 300 : 8_000,
    trace,
  })
  const running = stage(world, cast)
  const schedule = new Schedule(world, cast, running)
  const phasesMax = validators < LARGE ? PHASES_MAX : LARGE_PHASES_MAX
  for (let phase = world.random.integer(PHASES_MIN, phasesMax); phase > 0; phase--) await schedule.phase()
  const honest = running.filter(({ isHonest }) => isHonest)
  const roundsAfterHealing = await settle({ world, schedule, honest, cast })
  return {
    seed,
    validators,
    heights: world.monitor.height,
    messages: world.messages,
    virtualMs: world.clock.now() - START_MS,
    roundsAfterHealing,
    acknowledged: world.monitor.acknowledged.size,
    faults: world.faults,
    digest: world.digest.toString(16).padStart(8, '0'),
  }
}

/** Gives everybody a part; the answer is who runs. */
function stage(world: World, { byzantine, forgetful, isBeyondBudget }: Cast): SimulatedNode[] {
  const { random } = world
  for (const { at, kind } of byzantine) {
    const node = world.node(at)
    world.noteFault(kind)
    world.tell(`${node.name} is Byzantine: ${kind}`)
    node.isHonest = false
    if (kind === 'forger' || kind === 'silent') node.kill()
    if (kind === 'forger') new Forger(world, node, TRICKS.filter(() => random.chance(0.5)))
  }
  if (forgetful.length > 0) world.tell(`may forget: ${forgetful.map((at) => `v${at}`).join(' ')}`)
  if (isBeyondBudget) world.noteFault('beyondBudget')
  const twins = world.nodes.slice(world.council.addresses.length)
  return [...world.nodes.slice(0, world.council.addresses.length).filter(({ isUp }) => isUp), ...twins]
}

interface Ending {
  readonly world: World
  readonly schedule: Schedule
  readonly honest: readonly SimulatedNode[]
  readonly cast: Cast
}

/** No more than f are faulty now, and messages arrive: the chain must go on, and keep what it has acknowledged. */
async function settle({ world, schedule, honest, cast }: Ending): Promise<number> {
  schedule.calm()
  await world.run(SETTLING_MS)
  schedule.heal()
  if (cast.isBeyondBudget) {
    await world.run(BEYOND_BUDGET_MS)
    if (!(await endSilence(world, honest, cast))) return 0
  }
  await world.run(SETTLING_MS)
  const progress = new Progress(world, honest)
  const first = progress.height
  const voters = honest.filter((node) => node.driver.status().isVoter)
  passOn(honest)
  // Nobody else hears of this one, unless the voter that holds it says so.
  if (voters.length > 0) schedule.submitTo([world.random.pick(voters)])
  for (let step = 1; step <= HEIGHTS_AFTER; step++) {
    schedule.submitAndRelay(world.random.pick(honest))
    await progress.until('progress-after-healing', () => honest.every(({ height }) => height >= first + step))
    passOn(honest)
  }
  let { validators } = world.monitor
  await progress.until('acknowledged-becomes-final', () => {
    // Who has just left the set has no more rounds either.
    if (world.monitor.validators !== validators) passOn(honest)
    validators = world.monitor.validators
    return world.monitor.owed.length === 0
  })
  const last = world.monitor.height
  await progress.until('progress-after-healing', () => honest.every(({ height }) => height >= last))
  return progress.roundsMax
}

/**
 * What the operators of a chain do whose silent validators are too many: with all of them at one head, by the same rules
 * as the command. They take each other's word for it, so that nobody here may be hostile.
 * @returns whether it was the case
 */
async function endSilence(world: World, honest: readonly SimulatedNode[], cast: Cast): Promise<boolean> {
  // Who is to become a validator may be of too many silent ones then.
  const silent = honest.filter(({ driver }) => driver.status().isSilent)
  const heads = new Set(honest.map(({ height }) => height))
  if (cast.byzantine.length > 0 || silent.length === 0 || heads.size > 1 || honest.some(({ isUp }) => !isUp)) return false
  world.noteFault('endedSilence')
  for (const node of silent) {
    const round = roundBeyond(world.clock.now() - node.chain.head().blockTimeMs, TIMING.roundTimeoutMs)
    node.kill()
    world.tell(`${node.name} votes again from round ${round} on, by the word of its operator`)
    world.monitor.noteWord(node.address, { height: node.height + 1, round })
    const done = node.endSilence(round)
    await world.run(SETTLING_MS)
    await done
  }
  for (const node of silent) void node.boot()
  return true
}

/** Whoever does not vote has no round to run out: it has passed on what it holds when it got it, as a node's relay does. */
function passOn(nodes: readonly SimulatedNode[]): void {
  for (const node of nodes) if (!node.driver.status().isVoter) node.relayPending()
}
