import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { createTokenBucket } from '../base/token-bucket.js'
import { GOODBYE_CODES } from './errors.js'
import type { PeerIdentity } from './peer-id.js'
import { PENALTY_POINTS } from './penalties.js'
import { type Refusal, createRefusals } from './refusals.js'
import type { Session } from './session.js'

export interface Ending {
  readonly code: string
  readonly message: string
  readonly byPeer: boolean
}

/** Why the gate refused a peer that has proved who it is. */
const GATE_WORDS = {
  NOT_ADMITTED: 'it is not on the list of admitted nodes',
  PENALISED: 'it is banned for a while',
  TOO_MANY_CONNECTIONS: 'it has too many connections, or makes them too often',
} as const
export type GateCode = keyof typeof GATE_WORDS

/** Refusals that trying again soon does not cure. */
const LASTING: ReadonlySet<string> = new Set([
  'GENESIS_MISMATCH',
  'CHAIN_ID_MISMATCH',
  'PROTOCOL_VERSION_MISMATCH',
  'NOT_ADMITTED',
  'PENALISED',
])
const OWN_CODES: ReadonlySet<string> = new Set([...GOODBYE_CODES, 'CLOSED_BEFORE_HANDSHAKE', 'CONNECTION_LOST'])

/** The same words about the same peer are written again only after so long. */
const REPEAT_MS = 600_000
const REMEMBERED_MAX = 1024
/** Strangers have as many keys as they like: their refusals may not fill the log. */
const GATE_WARNINGS = { perSecond: 0.2, burst: 20 }

/** What the end of a connection means: for the log, the counters, the score and the back-off. */
export interface Endings {
  log(session: Session, end: Ending, wasUp: boolean): void
  logGate(peerId: string, code: GateCode): void
  /** Whom this node refuses, and who refuses it. */
  refusals(): Refusal[]
  /** The peer is connected. */
  forget(peerId: string): void
  /** The counter; codes of a stranger's making are one. */
  nameOf(end: Ending): string
  pointsOf(code: string): number
  isLasting(code: string): boolean
}

export function createEndings({ clock, logger, self }: { clock: Clock; logger: Logger; self: PeerIdentity }): Endings {
  const written = new Map<string, number>()
  const refusals = createRefusals(clock)
  const gateWarnings = createTokenBucket(GATE_WARNINGS, clock.now())

  const isNews = (key: string): boolean => {
    const last = written.get(key)
    if (last !== undefined && clock.now() - last < REPEAT_MS) return false
    if (written.size >= REMEMBERED_MAX) written.clear()
    written.set(key, clock.now())
    return true
  }

  const wordsOf = ({ code, byPeer }: Ending, isDialler: boolean): string => {
    if (code === 'CLOSED_BEFORE_HANDSHAKE' && isDialler) {
      return 'the peer closed the connection before the handshake: this node is probably not on its list of nodes'
    }
    return byPeer ? 'the peer ended the connection' : 'a connection was ended'
  }

  return {
    log(session, end, wasUp) {
      const isDialler = session.link.direction === 'outbound'
      const { id, address } = session.peer
      const ids = { peer: id, address, remote: session.link.remoteAddress, self: self.id }
      const fields = { ...ids, code: end.code, reason: end.message }
      const words = wordsOf(end, isDialler)
      const isRefusal = LASTING.has(end.code) || (end.code === 'CLOSED_BEFORE_HANDSHAKE' && isDialler)
      if (isRefusal) refusals.note({ id, code: end.code, message: end.message, byPeer: end.byPeer })
      if (end.code === 'DUPLICATE_CONNECTION' || (end.code === 'CONNECTION_LOST' && !wasUp)) logger.debug(words, fields)
      else if (end.code === 'STOPPING' || end.code === 'CONNECTION_LOST') logger.info(words, fields)
      else if (isNews(`${id} ${end.code}`)) logger.warn(words, fields)
      else logger.debug(words, fields)
    },
    logGate(peerId, code) {
      const fields = { peer: peerId, code }
      refusals.note({ id: peerId, code, message: GATE_WORDS[code], byPeer: false })
      const isWorthAWarning = isNews(`${peerId} gate ${code}`) && gateWarnings.take(clock.now())
      logger[isWorthAWarning ? 'warn' : 'debug'](`an inbound connection was refused: ${GATE_WORDS[code]}`, fields)
    },
    refusals: () => refusals.list(),
    forget: (peerId) => refusals.forget(peerId),
    nameOf: ({ code, byPeer }) =>
      `ended_${byPeer ? 'by_peer_' : ''}${OWN_CODES.has(code) ? code.toLowerCase() : 'other'}`,
    pointsOf: (code) => PENALTY_POINTS[code] ?? 0,
    isLasting: (code) => LASTING.has(code),
  }
}
