import type { Clock } from '../base/clock.js'
import type { NetworkLimits } from './limits.js'

/** Points for breaking a rule of the stream; other modules name their own when they report a peer. */
export const PENALTY_POINTS: Readonly<Record<string, number>> = {
  FRAME_TOO_LARGE: 100,
  FRAME_EMPTY: 50,
  FRAME_TIMEOUT: 40,
  MESSAGE_MALFORMED: 50,
  PROTOCOL_VIOLATION: 50,
  MUX_FRAME_TOO_LARGE: 100,
  MUX_FLOOD: 100,
  STREAM_FLOOD: 100,
  HANDSHAKE_TIMEOUT: 20,
}

const REMEMBERED_PEERS_MAX = 1024

/** Scores that fade; at the limit the peer is banned for a while. */
export interface Penalties {
  /** True when these points brought the ban. */
  add(peerId: string, points: number): boolean
  isBanned(peerId: string): boolean
  bannedCount(): number
}

type PenaltyLimits = Pick<NetworkLimits, 'penaltyBanPoints' | 'penaltyDecayPerSecond' | 'banMs'>

export function createPenalties(limits: PenaltyLimits, clock: Clock): Penalties {
  const scores = new Map<string, { points: number; atMs: number; bannedUntilMs: number }>()

  const forgetOldest = (): void => {
    if (scores.size < REMEMBERED_PEERS_MAX) return
    for (const [id, score] of scores) {
      if (score.bannedUntilMs > clock.now() && scores.size <= 2 * REMEMBERED_PEERS_MAX) continue
      scores.delete(id)
      return
    }
  }

  return {
    add(peerId, points) {
      const now = clock.now()
      const old = scores.get(peerId)
      const fadedPoints = old === undefined ? 0 : ((now - old.atMs) / 1000) * limits.penaltyDecayPerSecond
      const faded = Math.max(0, (old?.points ?? 0) - fadedPoints)
      const isBan = faded + points >= limits.penaltyBanPoints
      if (old === undefined) forgetOldest()
      scores.delete(peerId)
      scores.set(peerId, {
        points: isBan ? 0 : faded + points,
        atMs: now,
        bannedUntilMs: isBan ? now + limits.banMs : (old?.bannedUntilMs ?? 0),
      })
      return isBan
    },
    isBanned: (peerId) => (scores.get(peerId)?.bannedUntilMs ?? 0) > clock.now(),
    bannedCount: () => [...scores.values()].filter((score) => score.bannedUntilMs > clock.now()).length,
  }
}
