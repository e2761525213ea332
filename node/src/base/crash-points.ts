import { writeSync } from 'node:fs'

/**
 * Places at which a test may kill a node: on either side of each step after which something is durable, or has been said.
 * `process` is the one that dies there: the node itself, or its gateway, which the node then starts again.
 */
export const CRASH_POINTS = {
  'signing.before-persist': { process: 'node', at: 'a vote is decided, and nothing of it is in the consensus log' },
  'signing.persisted': { process: 'node', at: 'the record of a vote is durable, and the vote is not signed' },
  'signing.signed': { process: 'node', at: 'a vote is signed, and nobody has it' },
  'signing.sent': { process: 'node', at: 'a vote has left for the peers, and is not counted here' },
  'log.before-epoch': { process: 'node', at: 'a block is durable, and the log still is of the height below' },
  'log.epoch-written': { process: 'node', at: 'the new epoch of the log is written, and not synced' },
  'log.epoch-synced': { process: 'node', at: 'the new epoch of the log is durable' },
  'block.decided': { process: 'node', at: 'a block is decided, and its import has not begun' },
  'block.before-batch': { process: 'node', at: 'a sealed block has been executed, and nothing of it is written' },
  'block.after-batch': { process: 'node', at: 'the batch of a block is durable, and the node knows nothing of it' },
  'block.imported': { process: 'node', at: 'all parts of the node have heard of a block' },
  'pool.before-append': { process: 'node', at: 'transactions have come, and are not in the journal' },
  'pool.appended': { process: 'node', at: 'transactions are durable in the journal, and not acknowledged' },
  'pool.before-compaction': { process: 'node', at: 'the journal is about to be written anew' },
  'file.before-rename': { process: 'node', at: 'a new journal is durable beside the old one, and not in its place' },
  'file.renamed': { process: 'node', at: 'a new journal stands in the place of the old one, and the folder is not synced' },
  'sync.range-received': { process: 'node', at: 'a range of blocks has come from a peer, and none is imported' },
  'sync.block-imported': { process: 'node', at: 'a block in the middle of a fetched range is durable' },
  'gateway.before-claim': { process: 'gateway', at: 'secret and key ring are there, and the store is empty' },
  'gateway.claimed': { process: 'gateway', at: 'the store belongs to the chain, and holds no record' },
  'gateway.before-keys': { process: 'gateway', at: 'records are judged, and nothing of them is written' },
  'gateway.keys-written': { process: 'gateway', at: 'the keys of payloads are durable, and their records are not' },
  'gateway.records-written': { process: 'gateway', at: 'records are durable, and not acknowledged' },
  'gateway.before-batch': { process: 'gateway', at: 'a batch is signed, and not written' },
  'gateway.batch-written': { process: 'gateway', at: 'a batch is durable, and not proposed' },
  'gateway.batch-proposed': { process: 'gateway', at: 'the node has a batch in its journal, and the gateway does not know' },
  'gateway.before-anchored': { process: 'gateway', at: 'a batch is final, and its chain part is not written' },
  'gateway.anchored': { process: 'gateway', at: 'the chain part of a batch is durable, and nobody is told' },
  'gateway.before-erasure': { process: 'gateway', at: 'an erasure is allowed, and not decided' },
  'gateway.erasure-decided': { process: 'gateway', at: 'an erasure is durably decided, and the key is still there' },
  'gateway.key-erased': { process: 'gateway', at: 'a key is overwritten, and its erasure is not recorded as done' },
} as const satisfies Record<string, { process: 'node' | 'gateway'; at: string }>

export type CrashPoint = keyof typeof CRASH_POINTS

/** Where to die: at the `nth` time that the point is reached, counted from 1. */
export interface CrashOrder {
  readonly point: CrashPoint
  readonly nth: number
}

/** What a dying process writes to standard error, with the name behind it. */
export const CRASH_NOTE = 'songhua: killed at crash point '

/** For bytes that were handed to a socket to leave the process, ms. */
const LEAVE_MS = 20

let armed: { readonly point: CrashPoint; left: number } | undefined

/** Of this process, once, by who composes it; never outside a test. */
export function armCrashPoint({ point, nth }: CrashOrder): void {
  armed = { point, left: nth }
}

/**
 * The process dies of SIGKILL here when that was ordered: no handler, no `finally`, no buffer that is flushed, as when the
 * power goes for it alone. Without an order it is one comparison.
 */
export function crashPoint(point: CrashPoint): void {
  if (armed !== undefined && isDue(point, armed)) die(point)
}

/** As `crashPoint`, a moment later, when what was just sent has left the process; meanwhile the process goes on. */
export function crashPointOnceSent(point: CrashPoint): void {
  if (armed !== undefined && isDue(point, armed)) setTimeout(() => die(point), LEAVE_MS)
}

function isDue(point: CrashPoint, order: NonNullable<typeof armed>): boolean {
  return order.point === point && --order.left === 0
}

function die(point: CrashPoint): never {
  writeSync(2, `${CRASH_NOTE}${point}\n`)
  process.kill(process.pid, 'SIGKILL')
  // The signal is taken at some moment after the call: not one more instruction of the node may run until then.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}
