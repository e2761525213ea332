import type { Hash } from '@songhua/sdk/protocol/bytes'
import type { Clock } from '../base/clock.js'

export interface SyncPeer {
  readonly id: string
  /** A claim, until sealed blocks prove it. */
  readonly head: { readonly number: number; readonly hash: Hash }
}

/** Requests open with one peer at once. */
const REQUESTS_PER_PEER_MAX = 2
const STAND_DOWN_MIN_MS = 2_000
const STAND_DOWN_MAX_MS = 60_000
/** Whoever sends blocks that are not sealed is not asked again so soon. */
const LIAR_STAND_DOWN_MS = 600_000
const REMEMBERED_MAX = 512

/** Who can be asked for what: peers that stalled or lied stand aside for a while. */
export interface SyncPeers {
  /** The highest head that somebody trustworthy claims. */
  bestHead(): number
  /** The highest head claimed by a peer that failed at nothing since it last delivered, or by any when there is none. */
  credibleHead(): number
  /** The highest head that anybody claims. */
  claimedHead(): number
  /** The least busy peer that claims block `number`. */
  pick(number: number, except: ReadonlySet<string>): SyncPeer | undefined
  began(peerId: string): void
  ended(peerId: string, outcome: 'good' | 'bad'): void
  lied(peerId: string): void
}

export function createSyncPeers({ peers, clock }: { peers: () => readonly SyncPeer[]; clock: Clock }): SyncPeers {
  const open = new Map<string, number>()
  const records = new Map<string, { failures: number; untilMs: number }>()

  const record = (id: string, change: { failures: number; untilMs: number }): void => {
    const [oldest] = records.keys()
    if (records.size >= REMEMBERED_MAX && oldest !== undefined) records.delete(oldest)
    records.delete(id)
    records.set(id, change)
  }
  const usable = (): SyncPeer[] => {
    const now = clock.now()
    return peers().filter(({ id }) => (records.get(id)?.untilMs ?? 0) <= now)
  }

  const highest = (of: readonly SyncPeer[]): number => of.reduce((best, { head }) => Math.max(best, head.number), 0)

  return {
    bestHead: () => highest(usable()),
    credibleHead() {
      const all = usable()
      const credible = all.filter(({ id }) => !records.has(id))
      return highest(credible.length > 0 ? credible : all)
    },
    claimedHead: () => highest(peers()),
    pick(number, except) {
      const able = usable().filter(({ id, head }) => head.number >= number && !except.has(id))
      const free = able.filter(({ id }) => (open.get(id) ?? 0) < REQUESTS_PER_PEER_MAX)
      return free.sort((a, b) => (open.get(a.id) ?? 0) - (open.get(b.id) ?? 0))[0]
    },
    began: (id) => void open.set(id, (open.get(id) ?? 0) + 1),
    ended(id, outcome) {
      const left = (open.get(id) ?? 1) - 1
      if (left > 0) open.set(id, left)
      else open.delete(id)
      if (outcome === 'good') return void records.delete(id)
      const failures = records.get(id)?.failures ?? 0
      const standDownMs = Math.min(STAND_DOWN_MAX_MS, STAND_DOWN_MIN_MS * 2 ** Math.min(failures, 10))
      record(id, { failures: failures + 1, untilMs: clock.now() + standDownMs })
    },
    lied: (id) => record(id, { failures: 10, untilMs: clock.now() + LIAR_STAND_DOWN_MS }),
  }
}
