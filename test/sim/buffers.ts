import {
  FUTURE_PEER_BYTES_MAX, FUTURE_PEER_MESSAGES_MAX, INBOX_PEER_BYTES_MAX, INBOX_PEER_MESSAGES_MAX,
} from '@songhua/node/services/consensus-inbox'
import { CONSENSUS_GAUGES, type ConsensusGauges } from '@songhua/node/services/consensus-ports'
import { TIMERS } from '@songhua/node/consensus/state'

export interface Surroundings {
  readonly peers: number
  readonly validators: number
}

const KINDS = 4
/** Timers, verdicts and blocks that were asked for, and own messages, all at once. */
const URGENT_BESIDES_PEERS = 32

/** What each buffer of consensus may hold. */
export function bufferLimits({ peers, validators }: Surroundings): ConsensusGauges {
  return {
    waiting: peers * INBOX_PEER_MESSAGES_MAX,
    waitingBytes: peers * INBOX_PEER_BYTES_MAX,
    waitingOfOnePeer: INBOX_PEER_MESSAGES_MAX,
    future: peers * FUTURE_PEER_MESSAGES_MAX,
    futureBytes: peers * FUTURE_PEER_BYTES_MAX,
    futureOfOnePeer: FUTURE_PEER_MESSAGES_MAX,
    urgent: peers + URGENT_BESIDES_PEERS,
    heldVotes: 2 * validators,
    heldLaterVotes: validators,
    heldRoundChanges: validators,
    heldRelays: KINDS * validators,
    heldOwn: KINDS,
    heldEquivocators: KINDS * validators,
    answeredPeers: peers,
    timers: TIMERS.length,
  }
}

/** Names the first buffer that holds more than it may. */
export function findOverflow(gauges: ConsensusGauges, surroundings: Surroundings): string | undefined {
  const limits = bufferLimits(surroundings)
  const over = CONSENSUS_GAUGES.find((gauge) => !(gauges[gauge] <= limits[gauge]))
  return over && `${over} is ${gauges[over]}, at most ${limits[over]}`
}
