import { execFile } from 'node:child_process'
import { mkdtemp, open, rm, rmdir, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const MB = 1024 * 1024
const PAGE_BYTES = 4096

/** A file system of its own, so small that a test can fill it. */
export interface SmallDisk {
  readonly path: string
  freeBytes(): Promise<number>
  /** Takes room, or gives some back, until `leaveBytes` are free, to a page; 0: until a write fails. */
  fill(leaveBytes: number): Promise<void>
  /** Gives back all that `fill` took. */
  empty(): Promise<void>
  remove(): Promise<void>
}

/** @throws when this user may not mount: the test cannot show what it is for, and must not pass */
export async function createSmallDisk(megabytes: number): Promise<SmallDisk> {
  const path = await mkdtemp(join(tmpdir(), 'songhua-disk-'))
  const filler = join(path, 'filler')
  await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'songhua-test', path]).catch((cause: unknown) => {
    throw new Error(
      `A disk of ${megabytes} MB cannot be made, and without one nothing is known about full disks. ` +
      'Run this test as root (or as a user who may "mount -t tmpfs") on Linux.',
      { cause },
    )
  })
  const freeBytes = async (): Promise<number> => {
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize
  }
  return {
    path,
    freeBytes,
    fill: (leaveBytes) => fill(filler, leaveBytes, freeBytes),
    empty: () => rm(filler, { force: true }),
    async remove() {
      // Lazily, for whatever a failed test has left open.
      await run('umount', ['-l', path])
      await rmdir(path)
    },
  }
}

async function fill(path: string, leaveBytes: number, freeBytes: () => Promise<number>): Promise<void> {
  const file = await open(path, 'a')
  try {
    const { size } = await file.stat()
    await file.truncate(Math.max(0, size - Math.max(0, leaveBytes - (await freeBytes()))))
    for (let free = await freeBytes(); free > leaveBytes; free = await freeBytes()) {
      await file.write(Buffer.alloc(Math.max(PAGE_BYTES, Math.min(MB, free - leaveBytes))))
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  } finally {
    await file.close()
  }
}
