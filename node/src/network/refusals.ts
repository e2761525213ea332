import type { Clock } from '../base/clock.js'

/** Of strangers, who have as many keys as they like, the oldest goes first. */
const REFUSALS_MAX = 256

/** A peer that this node refuses, or that refuses this node, and why: until it is connected, or forgotten. */
export interface Refusal {
  readonly id: string
  readonly code: string
  readonly message: string
  /** It was the peer that refused. */
  readonly byPeer: boolean
  /** Of the last time. */
  readonly atMs: number
  readonly times: number
}

/** The last refusal of each peer. */
export interface Refusals {
  note(refusal: Pick<Refusal, 'id' | 'code' | 'message' | 'byPeer'>): void
  forget(id: string): void
  list(): Refusal[]
}

export function createRefusals(clock: Clock): Refusals {
  const byId = new Map<string, Refusal>()
  return {
    note(refusal) {
      const before = byId.get(refusal.id)
      byId.delete(refusal.id)
      const [oldest] = byId.keys()
      if (byId.size >= REFUSALS_MAX && oldest !== undefined) byId.delete(oldest)
      const times = before?.code === refusal.code ? before.times + 1 : 1
      byId.set(refusal.id, { ...refusal, atMs: clock.now(), times })
    },
    forget: (id) => void byId.delete(id),
    list: () => [...byId.values()],
  }
}
