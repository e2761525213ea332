import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Hash } from '@songhua/sdk/protocol/bytes'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import { encodeRlpList, splitRlpList } from '@songhua/sdk/protocol/rlp'
import { ioError } from '../storage/backup-file.js'
import { replaceDurably, writeDurably } from '../storage/durable-file.js'
import { MANIFEST_FILE, readManifestFile, refuseBackup } from './manifest-file.js'

/*
 * A backup of the chain is its sealed blocks: a final block never changes, so a node may be copied while it goes on,
 * and everything else (receipts, state, indexes) follows from the blocks and is made again, and so checked, when they
 * come back. A later backup into the same folder adds the new blocks only.
 *
 *   backup.json             the manifest
 *   genesis.json            the chain's genesis file
 *   blocks-000000000001.rlp a segment: RLP list of blocks as they travel, named by the first
 */
export const GENESIS_COPY = 'genesis.json'
/** A segment ends with the block that reaches one of these; it is held in memory. */
export const SEGMENT_BYTES_MAX = 4 * 1024 * 1024
export const SEGMENT_BLOCKS_MAX = 20_000

const hash32 = z.string().regex(/^0x[0-9a-f]{64}$/).transform((text) => text as Hash)
const SEGMENT = z.object({ first: z.int().positive(), last: z.int().positive(), bytes: z.int().positive(), sha256: hash32 })
const MANIFEST = z.object({
  format: z.literal('songhua.chain-backup'),
  version: z.literal(1),
  /** ISO 8601, UTC. */
  created: z.iso.datetime(),
  chainId: z.int().nonnegative(),
  genesisHash: hash32,
  /** The last block that is in the backup. */
  head: z.object({ number: z.int().nonnegative(), hash: hash32 }),
  segments: z.array(SEGMENT),
})

export type ChainManifest = z.infer<typeof MANIFEST>
export type Segment = ChainManifest['segments'][number]

/** @throws CodedError of `readManifestFile`; `BACKUP_DAMAGED` when the segments leave a gap */
export async function readChainManifest(folder: string): Promise<ChainManifest> {
  const manifest = await readManifestFile(folder, { format: 'songhua.chain-backup', version: 1, content: MANIFEST })
  let next = 1
  for (const { first, last } of manifest.segments) {
    if (first !== next || last < first) {
      refuseBackup('BACKUP_DAMAGED', `${join(folder, MANIFEST_FILE)}: names no blocks from ${next} on; take another copy of it`)
    }
    next = last + 1
  }
  if (manifest.head.number !== next - 1) {
    refuseBackup('BACKUP_DAMAGED', `${join(folder, MANIFEST_FILE)}: its head is not its last block; take another copy of it`)
  }
  return manifest
}

export async function writeChainManifest(folder: string, manifest: ChainManifest): Promise<void> {
  await writeDurably(join(folder, MANIFEST_FILE), `${JSON.stringify(manifest, undefined, 2)}\n`)
}

/** On disk when it resolves; until a manifest names it, it counts for nothing. */
export async function writeSegment(folder: string, first: number, blocks: Uint8Array[]): Promise<Segment> {
  const bytes = encodeRlpList(blocks)
  const file = await replaceDurably(segmentPath(folder, first), [bytes])
  await file.close()
  return { first, last: first + blocks.length - 1, bytes: bytes.length, sha256: sha256Of(bytes) }
}

/**
 * That every segment is there and has its length: a run that adds to a backup answers for all of it. What its bytes are,
 * only `restore --check` says, which reads them.
 * @throws CodedError `BACKUP_INCOMPLETE`, `BACKUP_DAMAGED`, `BACKUP_IO`
 */
export async function checkSegments(folder: string, { segments }: ChainManifest): Promise<void> {
  for (const segment of segments) {
    const path = segmentPath(folder, segment.first)
    const { size } = await stat(path).catch((error: NodeJS.ErrnoException) => refuseUnread(path, error))
    if (size !== segment.bytes) refuseBackup('BACKUP_DAMAGED', `${path}: has ${size} bytes, not ${segment.bytes}; ${BEGIN_ANEW}`)
  }
}

/** A later run never mends an earlier segment. */
const BEGIN_ANEW = 'begin a new backup in another folder, keep this one until that is whole, and check its disk'

function refuseUnread(path: string, error: NodeJS.ErrnoException): never {
  if (error.code !== 'ENOENT') throw ioError(path, error)
  return refuseBackup('BACKUP_INCOMPLETE', `${path}: is missing, so the backup is not whole; take another copy of it, or ${BEGIN_ANEW}`)
}

/** @throws CodedError `BACKUP_INCOMPLETE`, `BACKUP_DAMAGED`, `BACKUP_IO` */
export async function readSegment(folder: string, segment: Segment): Promise<Uint8Array[]> {
  const path = segmentPath(folder, segment.first)
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => refuseUnread(path, error))
  const what = whatIsWrong(bytes, segment)
  if (what !== undefined) refuseBackup('BACKUP_DAMAGED', `${path}: ${what}; take another copy of it`)
  return splitBlocks(path, bytes, segment)
}

function whatIsWrong(bytes: Uint8Array, segment: Segment): string | undefined {
  if (bytes.length !== segment.bytes) return `has ${bytes.length} bytes, not ${segment.bytes}`
  const sha256 = sha256Of(bytes)
  return sha256 === segment.sha256 ? undefined : `has SHA-256 ${sha256}, not ${segment.sha256}`
}

function splitBlocks(path: string, bytes: Uint8Array, { first, last }: Segment): Uint8Array[] {
  try {
    const blocks = splitRlpList(bytes, 'segment')
    if (blocks.length === last - first + 1) return blocks
    return refuseBackup('BACKUP_DAMAGED', `${path}: has ${blocks.length} blocks, not ${last - first + 1}`)
  } catch (error) {
    if (!isCodedError(error) || error.code === 'BACKUP_DAMAGED') throw error
    return refuseBackup('BACKUP_DAMAGED', `${path}: is no list of blocks (${error.message})`)
  }
}

const segmentPath = (folder: string, first: number): string => join(folder, `blocks-${String(first).padStart(12, '0')}.rlp`)

const sha256Of = (bytes: Uint8Array): Hash => `0x${createHash('sha256').update(bytes).digest('hex')}`
