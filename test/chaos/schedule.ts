import { type Seeded, createSeeded } from '../support/seeded.js'

/** What is done to the nodes and to the network between them; nodes by number, validators first. */
export type Action =
  | { kind: 'kill'; nodes: number[]; forS: number }
  | { kind: 'freeze'; node: number; forS: number }
  | { kind: 'restart'; node: number; forS: number }
  | { kind: 'cut'; a: number; b: number; forS: number }
  | { kind: 'partition'; group: number[]; forS: number }
  | { kind: 'oneWay'; from: number[]; to: number[]; forS: number }
  | { kind: 'delay'; from: number; to: number; delayMs: number; forS: number }
  | { kind: 'reset'; a: number; b: number; forS: number }
  | { kind: 'halfOpen'; a: number; b: number; forS: number }

export interface Planned {
  /** Seconds since the storm began. */
  atS: number
  action: Action
}

/** Faults on top of each other, all over after `lengthS`. */
export interface Storm {
  number: number
  lengthS: number
  events: Planned[]
}

export interface Shape {
  validators: number
  followers: number
  /** Shortest and longest storm, seconds. */
  stormS: readonly [number, number]
}

type Kind = Action['kind'] | 'killAll' | 'mute' | 'deafen'

/** How often each is drawn; kills lead, for they are what a ledger must survive. */
const WEIGHTS: Record<Kind, number> = {
  kill: 5, killAll: 1, freeze: 3, restart: 2, cut: 2, partition: 3, oneWay: 2, mute: 1, deafen: 1, delay: 2, reset: 2, halfOpen: 2,
}
/** One event in so many seconds, about. */
const EVENT_EVERY_S = 2.5
/** A node needs so long to come up before it can be hit again, seconds. */
const REST_S = 4

/** Storm `number` of a seed: always the same. */
export function stormOf(seed: number, number: number, shape: Shape): Storm {
  const random = createSeeded(seed, `storm ${number}`)
  const lengthS = random.integer(...shape.stormS)
  const moments = Array.from({ length: Math.round(lengthS / EVENT_EVERY_S) }, () => round(random.next() * lengthS * 0.8)).sort((a, b) => a - b)
  const busyUntilS = new Map<number, number>()
  const events = moments.flatMap((atS) => {
    const action = draw(random, shape, { atS, lengthS, busyUntilS })
    return action === undefined ? [] : [{ atS, action }]
  })
  return { number, lengthS, events }
}

const round = (seconds: number): number => Math.round(seconds * 10) / 10

interface Moment {
  atS: number
  lengthS: number
  /** A process is killed, stopped or restarted by one event at a time. */
  busyUntilS: Map<number, number>
}

function draw(random: Seeded, shape: Shape, moment: Moment): Action | undefined {
  const kind = drawKind(random)
  const forS = round(Math.min(moment.lengthS - moment.atS, 0.5 + random.exponential(moment.lengthS / 4)))
  const node = random.integer(0, shape.validators + shape.followers - 1)
  const [a, b] = drawPair(random, shape)
  const all = range(shape.validators + shape.followers)
  switch (kind) {
    case 'kill':
      return ifIdle(moment, [node], { kind, nodes: [node], forS })
    case 'killAll':
      return ifIdle(moment, range(shape.validators), { kind: 'kill', nodes: range(shape.validators), forS })
    case 'freeze':
    case 'restart':
      return ifIdle(moment, [node], { kind, node, forS })
    case 'partition':
      return { kind, group: all.filter(() => random.next() < 0.5), forS }
    case 'oneWay':
      return { kind, from: [a], to: [b], forS }
    case 'mute':
      return { kind: 'oneWay', from: [node], to: all.filter((one) => one !== node), forS }
    case 'deafen':
      return { kind: 'oneWay', from: all.filter((one) => one !== node), to: [node], forS }
    case 'delay':
      return { kind, from: a, to: b, delayMs: random.integer(20, 800), forS }
    case 'cut':
    case 'reset':
    case 'halfOpen':
      return { kind, a, b, forS }
    default:
      return kind satisfies never
  }
}

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

function drawKind(random: Seeded): Kind {
  const entries = Object.entries(WEIGHTS) as [Kind, number][]
  let left = random.next() * entries.reduce((total, [, weight]) => total + weight, 0)
  for (const [kind, weight] of entries) {
    left -= weight
    if (left < 0) return kind
  }
  return 'kill'
}

/** Two nodes between which there is a link: followers have none among themselves. */
function drawPair(random: Seeded, { validators, followers }: Shape): [number, number] {
  const a = random.integer(0, validators - 1)
  const other = random.integer(0, validators + followers - 2)
  const b = other >= a ? other + 1 : other
  return random.next() < 0.5 ? [a, b] : [b, a]
}

function ifIdle(moment: Moment, nodes: readonly number[], action: Action): Action | undefined {
  const { atS, busyUntilS } = moment
  if (nodes.some((node) => (busyUntilS.get(node) ?? 0) > atS)) return undefined
  for (const node of nodes) busyUntilS.set(node, atS + action.forS + REST_S)
  return action
}
