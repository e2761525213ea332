/**
 * Every bound of the peer-to-peer door, in one place. A frame is a length-prefixed message on one kept-open stream.
 */

/** What peers say to each other; each channel is a stream, so that a large block never stands before a vote. */
export type Channel = 'consensus' | 'transactions' | 'blocks'
export const CHANNELS: readonly Channel[] = ['consensus', 'transactions', 'blocks']

const KIB = 1024
const MIB = 1024 * KIB

export interface StreamLimits {
  /** Longest payload of one frame, both ways. */
  readonly frameBytesMax: number
  /** Outgoing frames that wait for a slow reader. */
  readonly queueCountMax: number
  readonly queueBytesMax: number
  /** Incoming frames a second; what exceeds it waits in the sender, whose stream is paused. */
  readonly framesPerSecond: number
  readonly framesBurst: number
  /** Incoming payload bytes a second and at once; what exceeds them waits in the sender too. */
  readonly bytesPerSecond: number
  readonly bytesBurst: number
  /** A full queue either refuses the new frame or lets go of the oldest one of the same kind. */
  readonly whenFull: 'refuse' | 'drop-oldest'
}

export interface NetworkLimits {
  readonly control: StreamLimits
  readonly channels: Readonly<Record<Channel, StreamLimits>>
  /** Open connections in all, and from one address (a provincial office may stand behind one). */
  readonly connectionsMax: number
  readonly connectionsPerHostMax: number
  /** Inbound connections a second from one address and from all; the noise handshake costs milliseconds of CPU. */
  readonly connectionsPerHostPerSecond: number
  readonly connectionsPerSecond: number
  /** Inbound connections whose peer has not yet proved who it is. */
  readonly pendingConnectionsMax: number
  /** Connections of one peer: two at once when both sides dial, and those that are just ending. */
  readonly connectionsPerPeerMax: number
  /** Inbound connections of one admitted peer: each brings it all pending transactions, so that their number counts. */
  readonly connectsPerPeerPerSecond: number
  readonly connectsPerPeerBurst: number
  /** yamux, on one connection: bytes of one frame, frames a second of any kind, streams and pings in its whole life. */
  readonly muxFrameBytesMax: number
  readonly muxFramesPerSecond: number
  readonly muxFramesBurst: number
  readonly muxStreamsMax: number
  readonly muxPingsMax: number
  /** From the open connection to the finished handshake. */
  readonly handshakeMs: number
  readonly dialMs: number
  /** From a frame's first byte to its last. */
  readonly frameMs: number
  /** A reader that takes less than `stallBytesMin` in so long, while frames wait, is cut. */
  readonly stallMs: number
  readonly stallBytesMin: number
  readonly pingEveryMs: number
  /** Nothing heard, not even the answer to a ping. */
  readonly silenceMs: number
  readonly requestsInFlightMax: number
  readonly penaltyBanPoints: number
  readonly penaltyDecayPerSecond: number
  readonly banMs: number
  readonly redialMinMs: number
  readonly redialMaxMs: number
  /** Back-off after a refusal that waiting does not cure: another chain, another protocol, not admitted. */
  readonly refusedMinMs: number
  readonly refusedMaxMs: number
  readonly dialsAtOnceMax: number
}

/** One status, ping or handshake message. */
const CONTROL: StreamLimits = {
  frameBytesMax: 64 * KIB,
  queueCountMax: 256,
  queueBytesMax: 1 * MIB,
  framesPerSecond: 100,
  framesBurst: 200,
  bytesPerSecond: 256 * KIB,
  bytesBurst: 1 * MIB,
  whenFull: 'drop-oldest',
}

/**
 * A proposal carries its block of up to 8 MiB and certificates; votes are some 200 bytes. 64 validators, three votes
 * each, 20 blocks a second and all of it relayed by one peer would be 3,840 frames a second.
 */
const CONSENSUS: StreamLimits = {
  frameBytesMax: 12 * MIB,
  queueCountMax: 2048,
  queueBytesMax: 32 * MIB,
  framesPerSecond: 5000,
  framesBurst: 10_000,
  bytesPerSecond: 32 * MIB,
  bytesBurst: 64 * MIB,
  whenFull: 'drop-oldest',
}

/** A frame is a batch. */
const TRANSACTIONS: StreamLimits = {
  frameBytesMax: 1 * MIB,
  queueCountMax: 1024,
  queueBytesMax: 16 * MIB,
  framesPerSecond: 500,
  framesBurst: 1000,
  bytesPerSecond: 8 * MIB,
  bytesBurst: 16 * MIB,
  whenFull: 'refuse',
}

/** Ranges of sealed blocks; one block may exceed a range's usual 4 MiB. */
const BLOCKS: StreamLimits = {
  frameBytesMax: 16 * MIB,
  queueCountMax: 128,
  queueBytesMax: 48 * MIB,
  framesPerSecond: 200,
  framesBurst: 400,
  bytesPerSecond: 32 * MIB,
  bytesBurst: 64 * MIB,
  whenFull: 'refuse',
}

/** What is written to a stream at once: between two such pieces of a block, votes go first. */
export const WRITE_CHUNK_BYTES = 64 * KIB
/** yamux window of a stream: what a paused peer can make this node hold. */
export const STREAM_WINDOW_BYTES = 256 * KIB
export const STREAM_WINDOW_BYTES_MAX = 2 * MIB

export const NETWORK_LIMITS: NetworkLimits = {
  control: CONTROL,
  channels: { consensus: CONSENSUS, transactions: TRANSACTIONS, blocks: BLOCKS },
  connectionsMax: 256,
  connectionsPerHostMax: 64,
  connectionsPerHostPerSecond: 32,
  connectionsPerSecond: 128,
  pendingConnectionsMax: 256,
  connectionsPerPeerMax: 4,
  connectsPerPeerPerSecond: 0.5,
  connectsPerPeerBurst: 20,
  muxFrameBytesMax: STREAM_WINDOW_BYTES_MAX,
  // All frame rates above come to 5,800; each frame may be answered with a window update.
  muxFramesPerSecond: 12_000,
  muxFramesBurst: 60_000,
  // Four are used.
  muxStreamsMax: 16,
  muxPingsMax: 64,
  handshakeMs: 10_000,
  dialMs: 8_000,
  frameMs: 60_000,
  stallMs: 20_000,
  stallBytesMin: 64 * KIB,
  pingEveryMs: 15_000,
  silenceMs: 50_000,
  requestsInFlightMax: 16,
  penaltyBanPoints: 100,
  penaltyDecayPerSecond: 0.5,
  banMs: 60_000,
  redialMinMs: 250,
  redialMaxMs: 15_000,
  refusedMinMs: 30_000,
  refusedMaxMs: 300_000,
  dialsAtOnceMax: 8,
}

/** Addresses taken from one handshake, and kept for one peer. */
export const ADDRESSES_PER_PEER_MAX = 8
/** Other peers named in one handshake. */
export const KNOWN_PEERS_PER_HELLO_MAX = 64
export const ADDRESS_BOOK_PEERS_MAX = 512
export const ADDRESS_LENGTH_MAX = 256
export const SOFTWARE_LENGTH_MAX = 128
/** RLP items of a control message: 64 known peers of 8 addresses come to 720. */
export const CONTROL_ITEMS_MAX = 2_048
/** Attempts in a row after which a learnt (not configured) peer is forgotten. */
export const LEARNT_PEER_ATTEMPTS_MAX = 40
