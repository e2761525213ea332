import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Hash } from '@songhua/sdk/protocol/bytes'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { createSerialQueue } from '../base/serial-queue.js'
import { ioError } from '../storage/backup-file.js'
import { syncFolder, writeDurably } from '../storage/durable-file.js'
import {
  type ChainManifest, GENESIS_COPY, SEGMENT_BLOCKS_MAX, SEGMENT_BYTES_MAX, checkSegments, readChainManifest, writeChainManifest, writeSegment,
} from './chain-backup-files.js'
import { MANIFEST_FILE } from './manifest-file.js'
import { contentsOf } from './new-folders.js'

/** The chain of a node, which may go on meanwhile. */
export interface ChainSource {
  readonly chainId: number
  readonly genesisHash: Hash
  genesisText(): Promise<string>
  head(): { readonly number: number; readonly hash: Hash }
  hashAt(number: number): Hash | undefined
  /** As it travels, seals included. */
  encodedBlock(number: number): Uint8Array | undefined
}

/** To be awaited between two blocks: it lets other work run. */
export type TakeTurn = () => Promise<void> | undefined

export type ChainBackupErrorCode = 'BACKUP_FOLDER_NOT_EMPTY' | 'BACKUP_OTHER_CHAIN' | 'BACKUP_AHEAD'

/** `added` of them by this run. */
export interface ChainBackupFigures {
  readonly head: number
  readonly added: number
  readonly bytes: number
}

/** Two backups into one folder would write the same files. */
const backups = createSerialQueue()

/**
 * Copies the blocks up to the head of this moment into a new folder, or what is new into that of an earlier backup.
 * Whatever interrupts it, the folder holds a whole backup up to some block, and the next run goes on from there.
 * Neither the node's key nor the consensus log is in it, nor what waits in the pool: peers have that too.
 * @throws CodedError with a `ChainBackupErrorCode`, of `readChainManifest` and `checkSegments`, `BACKUP_IO`
 */
export function backUpChain(source: ChainSource, folder: string, takeTurn: TakeTurn): Promise<ChainBackupFigures> {
  return backups.run(async () => {
    try {
      const manifest = await openBackup(source, folder)
      return await addBlocks(source, { folder, manifest, takeTurn })
    } catch (error) {
      throw ioError(folder, error)
    }
  })
}

async function openBackup(source: ChainSource, folder: string): Promise<ChainManifest> {
  const made = await mkdir(folder, { recursive: true, mode: 0o700 })
  if (made !== undefined) await syncFolder(dirname(made))
  const contents = (await contentsOf(folder)).filter((name) => name !== `${MANIFEST_FILE}.new`)
  if (!contents.includes(MANIFEST_FILE)) return beginBackup(source, folder, contents)
  const manifest = await readChainManifest(folder)
  checkSameChain(source, folder, manifest)
  await checkSegments(folder, manifest)
  return manifest
}

/** The copy of the genesis file comes first: a folder with nothing else is one that an interrupted run has left. */
async function beginBackup(source: ChainSource, folder: string, contents: readonly string[]): Promise<ChainManifest> {
  const { chainId, genesisHash } = source
  if (contents.some((name) => !name.startsWith(GENESIS_COPY))) {
    const message = `${folder}: is not empty and no backup of a chain; name another folder, or move this one away`
    throw new CodedError<ChainBackupErrorCode>('BACKUP_FOLDER_NOT_EMPTY', message, { details: { folder } })
  }
  await writeDurably(join(folder, GENESIS_COPY), await source.genesisText())
  const manifest: ChainManifest = {
    format: 'songhua.chain-backup',
    version: 1,
    created: new Date().toISOString(),
    chainId,
    genesisHash,
    head: { number: 0, hash: genesisHash },
    segments: [],
  }
  await writeChainManifest(folder, manifest)
  return manifest
}

function checkSameChain(source: ChainSource, folder: string, manifest: ChainManifest): void {
  const { number, hash } = manifest.head
  const { genesisHash } = source
  const reached = source.head().number
  if (manifest.genesisHash !== genesisHash) {
    const message = `${folder}: has the chain of genesis ${manifest.genesisHash}, the node that of ${genesisHash}; name another folder`
    throw new CodedError<ChainBackupErrorCode>('BACKUP_OTHER_CHAIN', message, { details: { folder } })
  }
  if (number > reached) {
    const message = `${folder}: reaches block ${number}, the node ${reached}; wait until the node has caught up`
    throw new CodedError<ChainBackupErrorCode>('BACKUP_AHEAD', message, { details: { folder, number } })
  }
  if (source.hashAt(number) === hash) return
  const message = `${folder}: its block ${number} is ${hash}, the node's is another; name another folder, and keep both`
  throw new CodedError<ChainBackupErrorCode>('BACKUP_OTHER_CHAIN', message, { details: { folder, number, hash } })
}

interface Run {
  readonly folder: string
  readonly manifest: ChainManifest
  readonly takeTurn: TakeTurn
}

/** The manifest follows each segment, so that hours of copying are not lost. */
async function addBlocks(source: ChainSource, { folder, manifest: found, takeTurn }: Run): Promise<ChainBackupFigures> {
  const { number: until } = source.head()
  let manifest = found
  while (manifest.head.number < until) {
    const first = manifest.head.number + 1
    const blocks = await takeBlocks(source, { first, until }, takeTurn)
    const segment = await writeSegment(folder, first, blocks)
    const head = { number: segment.last, hash: source.hashAt(segment.last)! }
    manifest = { ...manifest, created: new Date().toISOString(), head, segments: [...manifest.segments, segment] }
    await writeChainManifest(folder, manifest)
  }
  const bytes = manifest.segments.reduce((sum, segment) => sum + segment.bytes, 0)
  return { head: manifest.head.number, added: manifest.head.number - found.head.number, bytes }
}

async function takeBlocks(
  source: ChainSource,
  { first, until }: { first: number; until: number },
  takeTurn: TakeTurn,
): Promise<Uint8Array[]> {
  const blocks: Uint8Array[] = []
  let bytes = 0
  for (let number = first; number <= until && bytes < SEGMENT_BYTES_MAX && blocks.length < SEGMENT_BLOCKS_MAX; number++) {
    const block = source.encodedBlock(number)
    if (block === undefined) throw new CodedError('STORE_INCONSISTENT', `block ${number} is not in the store`, { details: { number } })
    blocks.push(block)
    bytes += block.length
    await takeTurn()
  }
  return blocks
}
