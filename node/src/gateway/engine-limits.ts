/** Limits of the gateway's engine, each with its unit. Those of its HTTP door are in `limits.ts`. */

/** Records that one write to ring and table takes at most, so that a burst of bulk requests needs no burst of memory. */
export const GROUP_RECORDS_MAX = 10_000
/** Bytes of sealed payloads that one write takes at most, unless a single submission has more. */
export const GROUP_BYTES_MAX = 32 * 1024 * 1024

/** A record that comes with its envelope may be dated this far ahead (clocks differ) or back (it waited offline), ms. */
export const CREATED_AHEAD_MS_MAX = 5 * 60 * 1000
export const CREATED_BACK_MS_MAX = 366 * 24 * 60 * 60 * 1000

/** Index entries that one page of a search looks at; a page that ends here has a cursor, however few it found. */
export const FIND_SCAN_MAX = 10_000

/** Between looks for proposals whose notice was lost, or that fell out of the pool, ms. */
export const CHECK_INTERVAL_MS = 2_000
/** Pauses after a transaction that failed on the chain, or a chain that does not answer, ms: doubled each time. */
export const RETRY_MS_MIN = 500
export const RETRY_MS_MAX = 60_000

/** Anchored batches whose tree and chain part stay in memory: some 1.5 MB each at 10,000 records. */
export const BATCHES_CACHED_MAX = 16
/** Computed search tags of issuers and schemas that stay in memory. */
export const TAGS_CACHED_MAX = 10_000

/** Between sweeps of idempotency keys that have expired, ms; and how many go in one. */
export const SWEEP_INTERVAL_MS = 60 * 60 * 1000
export const SWEEP_ROWS_MAX = 50_000

/** Bytes of rows in one frame of a backup. */
export const BACKUP_FRAME_BYTES = 256 * 1024
/** Slots of the key ring in one frame of a backup. */
export const BACKUP_FRAME_SLOTS = 4_096
/** Of one frame when it is read: a row holds a payload of 1 MiB at most. */
export const BACKUP_FRAME_BYTES_MAX = 64 * 1024 * 1024
/** Damaged slots that a backup names one by one; all are counted. */
export const BACKUP_DAMAGED_SLOTS_MAX = 1_000
