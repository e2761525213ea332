import { decodeBlock } from '@songhua/sdk/protocol/block'
import { blockHash } from '@songhua/sdk/protocol/block-hash'
import type { Hash } from '@songhua/sdk/protocol/bytes'
import { CodedError, isCodedError } from '@songhua/sdk/protocol/errors'
import { decodeExtraData } from '@songhua/sdk/protocol/extra-data'
import type { Genesis } from '@songhua/sdk/protocol/genesis'
import { systemClock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { installNativeCrypto } from '../execution/native-crypto.js'
import { type SealedTip, followTip, headerOfBlock } from '../services/sync-verify.js'
import { type ChainManifest, readChainManifest, readSegment } from './chain-backup-files.js'
import { type Ledger, openLedger } from './ledger.js'
import { refuseBackup } from './manifest-file.js'
import { genesisHeaderOf } from './open-chain.js'
import { createStopStack } from './stop-stack.js'

export interface ChainRestoreTarget {
  readonly dataDir: string
  /** Of the chain that the node follows. */
  readonly genesis: Genesis
  readonly logger: Logger
  readonly onProgress: (block: number, of: number) => void
}

export interface ChainBackupFacts {
  readonly created: string
  readonly chainId: number
  readonly genesisHash: Hash
  readonly head: number
  readonly headHash: Hash
}

/** `imported` by this run; blocks that were there already have been compared. */
export interface RestoredChain {
  readonly head: number
  readonly imported: number
}

/**
 * Reads a backup to its last byte: digests, and that every block follows the one before and is sealed by a quorum of
 * the set that it names, from the genesis on. Changes nothing.
 * @throws CodedError of `readChainManifest` and `readSegment`, `RESTORE_OTHER_CHAIN`, `BACKUP_DAMAGED`
 */
export async function checkChainBackup(folder: string, genesis: Genesis): Promise<ChainBackupFacts> {
  await installNativeCrypto()
  const manifest = await readChainManifest(folder)
  let tip = genesisTip(genesis)
  checkGenesis(manifest, tip.hash)
  for await (const block of blocksOf(folder, manifest)) tip = follow(folder, tip, block)
  if (tip.hash !== manifest.head.hash) refuseBackup('BACKUP_DAMAGED', `${folder}: its head is not its last block; take another copy of it`)
  const { created, chainId, genesisHash } = manifest
  return { created, chainId, genesisHash, head: tip.number, headHash: tip.hash }
}

/**
 * Brings a backup into a data folder in which no node runs: each block is checked and executed as one from a peer is.
 * The store is the chain up to some block at every moment, so an interrupted restore goes on when it is begun again,
 * and a node that is started before simply fetches the rest. The consensus log is not touched: the validator finds it
 * behind its store, or fresh, and keeps silent until it may vote.
 * @throws CodedError of `checkChainBackup` and `openLedger`; `RESTORE_OTHER_CHAIN` when the folder holds other blocks
 */
export async function restoreChain(folder: string, target: ChainRestoreTarget): Promise<RestoredChain> {
  const { genesis, logger } = target
  const { head } = await checkChainBackup(folder, genesis)
  const stops = createStopStack(logger)
  try {
    const ledger = await openLedger(target.dataDir, genesis, { clock: systemClock, logger, stops, onBroken: ignoreLater })
    const before = ledger.chain.head().header.number
    await bringBlocks(folder, ledger, { ...target, head })
    return { head: ledger.chain.head().header.number, imported: Math.max(0, head - before) }
  } finally {
    await stops.run()
  }
}

/** The write that fails throws as well, and ends the restore. */
function ignoreLater(): void {}

type Bringing = ChainRestoreTarget & { readonly head: number }

async function bringBlocks(folder: string, { chain, store }: Ledger, { head, onProgress }: Bringing): Promise<void> {
  for await (const bytes of blocksOf(folder, await readChainManifest(folder))) {
    const header = headerOfBlock(bytes)
    if (header.number <= chain.head().header.number) checkKnown(folder, store.hashAt(header.number), { number: header.number, hash: blockHash(header) })
    else {
      await chain.importSealed(decodeBlock(bytes))
      onProgress(header.number, head)
    }
  }
}

function checkKnown(folder: string, ours: Hash | undefined, { number, hash }: { number: number; hash: Hash }): void {
  if (ours === hash) return
  const message = `${folder}: its block ${number} is ${hash}, that of the data folder ${ours}; keep both, and ask the operators of other nodes`
  throw new CodedError('RESTORE_OTHER_CHAIN', message, { details: { number, hash, ours } })
}

async function* blocksOf(folder: string, { segments }: ChainManifest): AsyncIterable<Uint8Array> {
  for (const segment of segments) yield* await readSegment(folder, segment)
}

function follow(folder: string, tip: SealedTip, block: Uint8Array): SealedTip {
  try {
    return followTip(tip, headerOfBlock(block))
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    const message = `${folder}: block ${tip.number + 1} does not stand the check (${cause.message}); take another copy of it`
    throw new CodedError('BACKUP_DAMAGED', message, { details: { number: tip.number + 1, reason: cause.code }, cause })
  }
}

function genesisTip(genesis: Genesis): SealedTip {
  const header = genesisHeaderOf(genesis)
  return { number: 0, hash: blockHash(header), validators: decodeExtraData(header.extraData).validators }
}

function checkGenesis({ chainId, genesisHash: found }: ChainManifest, genesisHash: Hash): void {
  if (found === genesisHash) return
  const is = `the backup is of the chain ${chainId} with genesis ${found}`
  throw new CodedError('RESTORE_OTHER_CHAIN', `${is}, not of the one with ${genesisHash}; name a backup or a data folder of the same`)
}
