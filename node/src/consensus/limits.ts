import { MAX_BLOCK_BYTES } from '@songhua/sdk/protocol/block'

/** The version byte of every consensus message; a change of the wire format takes the next number. */
export const WIRE_VERSION = 1
/** 64 round changes of 107 bytes and 64 signatures of 67 bytes come to 11.2 kB, the frame included. */
export const MAX_JUSTIFICATION_BYTES = 16 * 1024
/** A full block with its justification. */
export const MAX_CONSENSUS_MESSAGE_BYTES = MAX_BLOCK_BYTES + MAX_JUSTIFICATION_BYTES
/** RLP items of a message, its block being one: 64 round changes of 5 items, 64 signatures and the frame come to 394. */
export const MAX_MESSAGE_ITEMS = 512
/** Lists in lists: message, round changes, round change, prepared pair. */
export const MAX_MESSAGE_DEPTH = 4
/** A fresh proposal may be this far ahead of our clock. */
export const CLOCK_SKEW_MS = 2_000
/** The proposer stops packing at this share of the round's timeout, so that validators can execute within the rest. */
export const PACKING_SHARE = 0.3
/** Own messages are sent again this many times within one timeout of a round. */
export const RESENDS_PER_ROUND = 4
/**
 * A message of another validator is passed on only when its height has not ended after this time: where all links work,
 * relaying then costs nothing, and where one is down it delays a vote by no more than this.
 */
export const RELAY_DELAY_MS = 25
/** Messages above this are passed on only when their author would have sent them again. */
export const RELAY_SOON_BYTES_MAX = 64 * 1024
