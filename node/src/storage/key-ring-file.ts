import { fstatSync, readSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { CodedError, isCodedError, messageOf } from '@songhua/sdk/protocol/errors'
import { assert } from '../base/assert.js'
import { createGroupSync } from '../base/group-sync.js'
import { replaceDurably, writeAt } from './durable-file.js'
import { ioAdvice } from './io-advice.js'

/**
 * File: a head of one slot (magic, version, CRC-32 of both), then slots of 64 bytes: key (32), state (1), zeros, CRC-32
 * of slot number and all that (4). A slot that was never used is all zeros. States: kept, erased, and lost: damaged in the
 * ring of which this one is a copy.
 *
 * Erasing overwrites the slot where it stands, so that the key is nowhere in the file any more. That holds for plain
 * files on ext4, XFS or NTFS; not where the file system or the disk keeps old blocks: copy-on-write (btrfs, ZFS),
 * snapshots, wear levelling. There the folder belongs on an encrypted volume.
 */
const SLOT_BYTES = 64
const KEY_BYTES = 32
const STATE_AT = KEY_BYTES
const CHECK_AT = SLOT_BYTES - 4
const MAGIC = Buffer.from('songhua-key-ring\n', 'latin1')
const VERSION = 1
const STATE = { kept: 1, erased: 2, lost: 3 } as const

/** Slots by which the file grows: with zeros, so that a sync of a slot need not change the file's size. */
const GROWTH_SLOTS = 4_096
export const KEY_RING_SLOTS_MAX = 2 ** 31

export type KeyRingErrorCode =
  'KEY_RING_FOREIGN' | 'KEY_RING_NEWER' | 'KEY_RING_DAMAGED' | 'KEY_RING_SLOT' | 'KEY_RING_FULL' | 'KEY_RING_IO'

/** What a slot holds: its key; nothing any more; or what a damaged disk has taken, and nobody can read. */
export type RingSlot = Uint8Array | 'erased' | 'lost'

/** The keys of payloads, one in each slot. See `KeyRing` of the gateway, whose conformance suite it passes. */
export interface KeyRingFile {
  /** Slots ever taken. */
  readonly size: number
  /** On disk when it resolves; calls made together share one sync. @returns the slot of the first key */
  add(keys: readonly Uint8Array[]): Promise<number>
  /** As `add`, of slots of another ring as they were there. */
  append(slots: readonly RingSlot[]): Promise<number>
  /** Undefined when erased. @throws CodedError `KEY_RING_SLOT` for a slot never taken, `KEY_RING_DAMAGED` */
  get(slot: number): Uint8Array | undefined
  /** Overwritten on disk when it resolves, whatever was in it. */
  erase(slots: readonly number[]): Promise<void>
  /** Waits for what was begun. */
  close(): Promise<void>
}

type Operation =
  | { readonly kind: 'add'; readonly slots: readonly RingSlot[]; readonly onPlaced: (slot: number) => void }
  | { readonly kind: 'erase'; readonly slots: readonly number[] }

/** Opens the ring at `path`, or makes an empty one. @throws CodedError with a `KeyRingErrorCode` */
export async function openKeyRing(path: string): Promise<KeyRingFile> {
  const file = await coded(path, () => openOrCreate(path))
  const ring: Ring = { path, file, size: 0, room: 0 }
  try {
    await coded(path, () => checkHead(ring))
    ring.room = Math.floor(fstatSync(file.fd).size / SLOT_BYTES) - 1
    ring.size = findSize(ring)
  } catch (error) {
    await file.close()
    throw error
  }
  const sync = createGroupSync<Operation>((operations) => coded(path, () => perform(ring, operations)))
  const append = async (slots: readonly RingSlot[]): Promise<number> => {
    assert(
      slots.every((slot) => typeof slot === 'string' || slot.length === KEY_BYTES),
      `a key has ${KEY_BYTES} bytes`,
    )
    let first = 0
    await sync.add({ kind: 'add', slots, onPlaced: (slot) => (first = slot) })
    return first
  }
  return {
    get size() {
      return ring.size
    },
    add: append,
    append,
    get(slot) {
      checkSlot(ring, slot)
      return readKey(ring, slot)
    },
    async erase(slots) {
      for (const slot of slots) checkSlot(ring, slot)
      await sync.add({ kind: 'erase', slots })
    },
    async close() {
      await sync.idle()
      await file.close()
    },
  }
}

interface Ring {
  readonly path: string
  readonly file: FileHandle
  /** Slots taken. */
  size: number
  /** Slots in the file. */
  room: number
}

const offsetOf = (slot: number): number => (slot + 1) * SLOT_BYTES

// ------------------------------------------------------------------------------------------------------ opening

async function openOrCreate(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return replaceDurably(path, [head()])
  }
}

function head(): Buffer {
  const bytes = Buffer.alloc(SLOT_BYTES)
  MAGIC.copy(bytes)
  bytes.writeUInt32BE(VERSION, KEY_BYTES)
  bytes.writeUInt32BE(crc32(bytes.subarray(0, CHECK_AT)), CHECK_AT)
  return bytes
}

async function checkHead({ path, file }: Ring): Promise<void> {
  const bytes = Buffer.alloc(SLOT_BYTES)
  const { bytesRead } = await file.read(bytes, 0, SLOT_BYTES, 0)
  if (bytesRead < SLOT_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    fail('KEY_RING_FOREIGN', `${path} does not begin as a key ring: it is damaged, or another file lies there; restore the key folder from its backup`)
  }
  const version = bytes.readUInt32BE(KEY_BYTES)
  if (version > VERSION)
    fail(
      'KEY_RING_NEWER',
      `the key ring ${path} has version ${version}; this songhua reads ${VERSION}: run the newer one`,
    )
  if (version < 1 || bytes.readUInt32BE(CHECK_AT) !== crc32(bytes.subarray(0, CHECK_AT))) {
    fail('KEY_RING_DAMAGED', `the head of the key ring ${path} is damaged; restore the key folder from its backup`)
  }
}

/** Up to the last slot that is not all zeros; those behind it were never taken. Read from the end: that part is short. */
function findSize({ file, room }: Ring): number {
  for (let end = room; end > 0; end -= GROWTH_SLOTS) {
    const start = Math.max(0, end - GROWTH_SLOTS)
    const bytes = Buffer.alloc((end - start) * SLOT_BYTES)
    readSync(file.fd, bytes, 0, bytes.length, offsetOf(start))
    const last = bytes.findLastIndex((byte) => byte !== 0)
    if (last !== -1) return start + Math.floor(last / SLOT_BYTES) + 1
  }
  return 0
}

// ------------------------------------------------------------------------------------------------------ reading

function readKey({ path, file }: Ring, slot: number): Uint8Array | undefined {
  const bytes = Buffer.alloc(SLOT_BYTES)
  const bytesRead = readSync(file.fd, bytes, 0, SLOT_BYTES, offsetOf(slot))
  const isWhole = bytesRead === SLOT_BYTES && bytes.readUInt32BE(CHECK_AT) === checkOf(slot, bytes)
  if (isWhole && bytes[STATE_AT] === STATE.erased) return undefined
  if (isWhole && bytes[STATE_AT] === STATE.kept) return new Uint8Array(bytes.subarray(0, KEY_BYTES))
  const isLost = isWhole && bytes[STATE_AT] === STATE.lost
  return fail(
    'KEY_RING_DAMAGED',
    `slot ${slot} of the key ring ${path} ${isLost ? 'was damaged when it was backed up' : 'is damaged'}; restore the key folder from a backup in which it is whole`,
    { slot },
  )
}

/** With the slot's number: a slot that was written in another's place is none. */
function checkOf(slot: number, bytes: Buffer): number {
  const number = Buffer.alloc(4)
  number.writeUInt32BE(slot)
  return crc32(bytes.subarray(0, CHECK_AT), crc32(number))
}

function checkSlot({ path, size }: Ring, slot: number): void {
  const isTaken = Number.isSafeInteger(slot) && slot >= 0 && slot < size
  if (!isTaken)
    fail('KEY_RING_SLOT', `the key ring ${path} has ${size} slots; slot ${slot} was asked for`, { slot, size })
}

// ------------------------------------------------------------------------------------------------------ writing

/** In order; one sync for all. */
async function perform(ring: Ring, operations: readonly Operation[]): Promise<void> {
  let size = ring.size
  for (const operation of operations) {
    if (operation.kind === 'erase') {
      for (const slot of operation.slots)
        await writeAt(ring.file, slotBytes(slot, 'erased'), offsetOf(slot))
      continue
    }
    const first = size
    size += operation.slots.length
    await makeRoom(ring, size)
    await writeAt(
      ring.file,
      Buffer.concat(operation.slots.map((content, i) => slotBytes(first + i, content))),
      offsetOf(first),
    )
    operation.onPlaced(first)
  }
  await ring.file.datasync()
  ring.size = size
}

function slotBytes(slot: number, content: RingSlot): Buffer {
  const bytes = Buffer.alloc(SLOT_BYTES)
  if (typeof content !== 'string') bytes.set(content)
  bytes[STATE_AT] = typeof content === 'string' ? STATE[content] : STATE.kept
  bytes.writeUInt32BE(checkOf(slot, bytes), CHECK_AT)
  return bytes
}

async function makeRoom(ring: Ring, size: number): Promise<void> {
  if (size > KEY_RING_SLOTS_MAX)
    fail('KEY_RING_FULL', `the key ring ${ring.path} has ${KEY_RING_SLOTS_MAX} slots and takes no more`)
  if (size <= ring.room) return
  const room = Math.ceil(size / GROWTH_SLOTS) * GROWTH_SLOTS
  await writeAt(ring.file, Buffer.alloc((room - ring.room) * SLOT_BYTES), offsetOf(ring.room))
  await ring.file.sync()
  ring.room = room
}

// ------------------------------------------------------------------------------------------------------- errors

function fail(code: KeyRingErrorCode, message: string, details: Record<string, unknown> = {}): never {
  throw new CodedError(code, message, { details })
}

async function coded<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (isCodedError(error)) throw error
    const what = `the key ring ${path} cannot be read or written: ${messageOf(error)}`
    throw new CodedError<KeyRingErrorCode>('KEY_RING_IO', `${what}; ${ioAdvice(error)}`, { details: { path }, cause: error })
  }
}
