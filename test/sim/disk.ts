import type { Clock } from '@songhua/node/base/clock'
import { LOG_INITIAL_BYTES, type LogDisk, type LogHandle } from '@songhua/node/storage/consensus-log'
import { BLOCK_BYTES, DATA_START } from '@songhua/node/storage/consensus-log-format'
import type { Random } from './random.js'

const SECTOR_BYTES = 512
const SLOW_MS = 10
/** Few records are longer than this; behind them lie the zeros of their block. */
const RECORD_START_BYTES = 150
const ZEROS = Buffer.alloc(LOG_INITIAL_BYTES)
const ZERO_BLOCK = ZEROS.subarray(0, BLOCK_BYTES)

interface Write {
  readonly at: number
  readonly bytes: Buffer
}

export interface DiskOptions {
  readonly clock: Clock
  readonly random: Random
}

/**
 * `kill`: the process dies, and what it had written reaches the disk. `power`: of what was not synced each sector is
 * written or not, as it happens.
 */
export type Crash = 'kill' | 'power'

/** The disk of one node: the file of its consensus log, byte by byte, and batches that are there whole or not at all. */
export class SimulatedDisk implements LogDisk {
  /** How long a sync takes. */
  latencyMs = { min: 0, max: 0 }
  /** When the last operation ends that takes noticeable time. */
  slowUntilMs = 0
  /** The machine loses its power in the middle of the sync or batch of this number, counted from now. */
  doom: { operation: number; onDoom: () => void } | undefined
  readonly #options: DiskOptions
  #log: Buffer | undefined
  #unsynced: Write[] = []
  #underWay = new Set<() => void>()
  #power = 0

  constructor(options: DiskOptions) {
    this.#options = options
  }

  /** Does `change` in one piece and resolves when it is durable; never, when the node dies before. */
  write(change: () => void): Promise<void> {
    const { clock } = this.#options
    const delayMs = this.#pickDelay()
    if (this.#isDoomed()) {
      this.#underWay.add(change)
      return this.#die()
    }
    if (delayMs === 0) {
      change()
      return Promise.resolve()
    }
    const power = this.#power
    this.#underWay.add(change)
    return new Promise((resume) =>
      clock.after(delayMs, () => {
        if (this.#power !== power) return
        this.#underWay.delete(change)
        change()
        resume()
      }),
    )
  }

  crash(crash: Crash): void {
    const { random } = this.#options
    this.doom = undefined
    this.#power++
    for (const change of this.#underWay) if (random.chance(0.5)) change()
    this.#underWay = new Set()
    for (const write of this.#unsynced) for (const sector of sectorsOf(write)) {
      if (crash === 'kill' || random.chance(0.5)) this.#put(sector)
    }
    this.#unsynced = []
  }

  // ----------------------------------------------------------------------------------------- as the log sees it

  read(): Promise<Buffer | undefined> {
    return Promise.resolve(this.#log)
  }

  open(): Promise<LogHandle> {
    return Promise.resolve(this.#handle())
  }

  async replace(_path: string, parts: readonly Uint8Array[]): Promise<LogHandle> {
    const size = parts.reduce((sum, { length }) => sum + length, 0)
    const file = Buffer.alloc(size)
    let at = 0
    for (const part of parts) {
      // Nearly all of the file is zeros, and memory that is not touched costs nothing.
      if (Buffer.compare(part, ZEROS.subarray(0, part.length)) !== 0) file.set(part, at)
      at += part.length
    }
    await this.write(() => (this.#log = file))
    return this.#handle()
  }

  #handle(): LogHandle {
    const power = this.#power
    const isAlive = (): boolean => this.#power === power
    return {
      write: (bytes, offset, length, position) => {
        const copy = Buffer.from(bytes.subarray(offset, offset + length))
        if (isAlive()) this.#unsynced.push({ at: position, bytes: copy })
        return Promise.resolve({ bytesWritten: length })
      },
      datasync: async () => {
        const due = [...this.#unsynced]
        // What died in the middle is the crash's business: it finds the writes where they are.
        await this.#sync(due)
      },
      truncate: (bytes) => Promise.resolve(void (this.#log = this.#log?.subarray(0, bytes))),
      close: () => Promise.resolve(),
    }
  }

  /** A sync under way is no change that is there or not: its writes are torn one by one. */
  #sync(due: readonly Write[]): Promise<void> {
    const { clock } = this.#options
    const done = (): void => {
      for (const write of due) this.#put(write)
      this.#unsynced = this.#unsynced.filter((write) => !due.includes(write))
    }
    const delayMs = this.#pickDelay()
    if (this.#isDoomed()) return this.#die()
    if (delayMs === 0) return Promise.resolve(done())
    const power = this.#power
    return new Promise((resume) =>
      clock.after(delayMs, () => {
        if (this.#power !== power) return
        done()
        resume()
      }),
    )
  }

  #isDoomed(): boolean {
    return this.doom !== undefined && --this.doom.operation === 0
  }

  /** Whoever waits never hears of it. */
  #die(): Promise<void> {
    this.doom!.onDoom()
    return new Promise(() => undefined)
  }

  #pickDelay(): number {
    const { clock, random } = this.#options
    const { min, max } = this.latencyMs
    const delayMs = random.integer(min, max)
    if (delayMs >= SLOW_MS) this.slowUntilMs = Math.max(this.slowUntilMs, clock.now() + delayMs)
    return delayMs
  }

  #put({ at, bytes }: Write): void {
    const end = at + bytes.length
    if (this.#log === undefined) return
    if (end > this.#log.length) this.#log = Buffer.concat([this.#log, Buffer.alloc(end - this.#log.length)])
    this.#log.set(bytes, at)
  }

  // ----------------------------------------------------------------------------------------- what befalls it

  /** Its used part; the rest is zeros. */
  copyLog(): Buffer | undefined {
    return this.#log && Buffer.from(this.#log.subarray(0, this.#usedBytes(this.#log)))
  }

  restoreLog(copy: Buffer | undefined): void {
    this.#log = copy && Buffer.alloc(LOG_INITIAL_BYTES)
    copy?.copy(this.#log!)
  }

  /** More than the log can mend: both copies of its header, or its end. */
  damageLog(): void {
    const log = this.#log
    if (log === undefined) return
    if (this.#options.random.chance(0.5)) this.#log = log.subarray(0, log.length / 2)
    else for (const start of [0, BLOCK_BYTES]) log[start + 20]! ^= 0x40
  }

  /** One block of the used part, or one byte where a block has something in it: every record has another copy. */
  scratchLog(): void {
    const log = this.#log
    if (log === undefined) return
    const { random } = this.#options
    const start = BLOCK_BYTES * random.integer(0, this.#usedBytes(log) / BLOCK_BYTES - 1)
    if (random.chance(0.5)) log.fill(0, start, start + BLOCK_BYTES)
    else log[start + random.integer(0, RECORD_START_BYTES - 1)]! ^= 1 << random.integer(0, 7)
  }

  /** By whole blocks: the file's key is not the seed's, and any of its bytes may be zero. */
  #usedBytes(log: Buffer): number {
    let end = log.length
    while (end > DATA_START && Buffer.compare(log.subarray(end - BLOCK_BYTES, end), ZERO_BLOCK) === 0) end -= BLOCK_BYTES
    return end
  }
}

function* sectorsOf({ at, bytes }: Write): Iterable<Write> {
  for (let from = 0; from < bytes.length; from += SECTOR_BYTES) {
    yield { at: at + from, bytes: bytes.subarray(from, from + SECTOR_BYTES) }
  }
}
