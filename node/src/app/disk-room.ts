import { statfs } from 'node:fs/promises'
import { CodedError, isCodedError, messageOf } from '@songhua/sdk/protocol/errors'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'

/** How often the free room is looked at, ms: at ten megabytes a second a tenth of the default reserve goes meanwhile. */
export const DISK_LOOK_MS = 2_000
/** Room from which on a node starts again that stopped without a reserve, bytes. */
const RESUME_BYTES_MIN = 16 * 1024 * 1024
const MB = 1024 * 1024
/** As Node and as LevelDB (by `strerror`) say it. */
const NO_ROOM_CODES: readonly unknown[] = ['ENOSPC', 'EDQUOT']
const NO_ROOM_TEXT = /No space left on device|Disk quota exceeded/
const CAUSES_MAX = 16

export interface DiskReserve {
  /** The data folder. */
  readonly path: string
  /** What must stay free, bytes; 0: the node goes on until a write fails. */
  readonly minFreeBytes: number
}

export const diskReserve = ({ dataDir, disk }: { dataDir: string; disk: { minFreeMb: number } }): DiskReserve => ({
  path: dataDir,
  minFreeBytes: disk.minFreeMb * MB,
})

/** Twice the reserve, so that a node does not start and stop at one and the same fill. */
export const resumeBytes = ({ minFreeBytes }: Pick<DiskReserve, 'minFreeBytes'>): number =>
  Math.max(2 * minFreeBytes, RESUME_BYTES_MIN)

/** Bytes that this user may still write on the disk of `path`. */
export async function freeBytesAt(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path)
  return bavail * bsize
}

/** @throws CodedError `DISK_FULL` when less than the reserve is free */
export async function checkDiskRoom(reserve: DiskReserve): Promise<void> {
  const freeBytes = await freeBytesAt(reserve.path)
  if (freeBytes < reserve.minFreeBytes) throw diskFull(reserve, freeBytes)
}

/** Whether the root of an error is a disk that has no room. */
export function isNoRoom(error: unknown): boolean {
  let cause = error
  for (let depth = 0; depth < CAUSES_MAX && cause instanceof Error; depth++) {
    if (NO_ROOM_CODES.includes((cause as NodeJS.ErrnoException).code) || NO_ROOM_TEXT.test(cause.message)) return true
    cause = cause.cause
  }
  return false
}

/** What failed for want of room as `DISK_FULL`, which whoever runs the node waits out; any other error as it is. */
export async function asDiskFull(error: unknown, reserve: DiskReserve): Promise<unknown> {
  if (!isNoRoom(error) || isCodedError(error, 'DISK_FULL')) return error
  // The error in hand matters more than why the disk does not tell its room.
  return diskFull(reserve, await freeBytesAt(reserve.path).catch(() => 0), error)
}

function diskFull(reserve: DiskReserve, freeBytes: number, cause?: unknown): CodedError<'DISK_FULL'> {
  const { path, minFreeBytes } = reserve
  const neededBytes = resumeBytes(reserve)
  const what = cause === undefined ? `below the reserve of ${minFreeBytes} (disk.minFreeMb)` : `and a write has failed: ${messageOf(cause)}`
  const message = `the disk of ${path} has ${freeBytes} bytes free, ${what}; make room there until ${neededBytes} are free`
  return new CodedError('DISK_FULL', message, { details: { path, freeBytes, neededBytes }, cause })
}

export interface DiskWatch {
  /** At the last look. */
  freeBytes(): number
  stop(): void
}

/**
 * Looks now and then, and tells once when less than the reserve is free: the node then stops by itself, before a write
 * fails.
 */
export async function watchDiskRoom(
  reserve: DiskReserve,
  { clock, logger, onFull }: { clock: Clock; logger: Logger; onFull: (error: Error) => void },
): Promise<DiskWatch> {
  let freeBytes = await freeBytesAt(reserve.path)
  let isStopped = false
  let cancel = (): void => undefined
  const look = async (): Promise<void> => {
    try {
      freeBytes = await freeBytesAt(reserve.path)
    } catch (error) {
      logger.warn('the free room of the disk cannot be read', { path: reserve.path, error: messageOf(error) })
    }
    if (isStopped) return
    if (freeBytes < reserve.minFreeBytes) onFull(diskFull(reserve, freeBytes))
    else next()
  }
  const next = (): void => {
    cancel = clock.after(DISK_LOOK_MS, () => void look())
  }
  next()
  return {
    freeBytes: () => freeBytes,
    stop() {
      isStopped = true
      cancel()
    },
  }
}
