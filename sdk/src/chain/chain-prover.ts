import { bytesToHex } from '../protocol/bytes.js'
import { type EvidenceVerifier, createEvidenceVerifier } from '../protocol/evidence.js'
import { type CutBundle, createEvidenceAssembler, refreshEvidence } from '../protocol/evidence-assembly.js'
import type { EvidenceBundle } from '../protocol/evidence-format.js'
import { decisiveStep, reasonOf } from '../protocol/evidence-verdict.js'
import { type Header, encodeHeader } from '../protocol/header.js'
import type { Receipt } from '../protocol/receipt.js'
import type { Checkpoint, TrustAnchor } from '../protocol/trust-anchor.js'
import type { ProofTarget } from '../connection/proved-under.js'
import { SonghuaError, isSonghuaError, toSonghuaError } from '../connection/songhua-error.js'
import type { TransactionPlace } from './block-json.js'
import type { ChainReader } from './chain-reader.js'
import { proveCheckpoint } from './checkpoint-proof.js'
import { type HistoryAsking, type HistorySource, createHistorySource } from './history-source.js'

/** An anchored batch to be proved: leaves in order, and its first envelope, on which the whole is tried. */
export interface BatchToProve {
  readonly leaves: readonly Uint8Array[]
  readonly firstEnvelope: object
  readonly place: TransactionPlace
}

/**
 * Makes evidence of what an endpoint tells of its chain, and believes none of it: whatever leaves here has been verified
 * against the trust anchor.
 */
export interface ChainProver {
  /** @throws SonghuaError `EVIDENCE_INVALID`, an `ASSEMBLY_` code, `RPC_…` */
  prove(batch: BatchToProve, signal?: AbortSignal): Promise<CutBundle>
  /**
   * Evidence that holds under the target: the plain bundle where that does, else one with a path into the checkpoint.
   * @param target a height: under the prover's own trust anchor; left out, its newest checkpoint, or for a block above
   *   that the head
   * @throws as `prove`, `REFRESH_…`
   */
  refresh(bundle: EvidenceBundle, target: ProofTarget | number | undefined, signal?: AbortSignal): Promise<EvidenceBundle>
  /** A block of the trust anchor's chain. @throws as `proveCheckpoint` */
  checkpoint(height: number, signal?: AbortSignal): Promise<Checkpoint>
}

/** Blocks kept: several batches of one block cost its receipts once. */
const KEPT_BLOCKS_MAX = 16

export function createChainProver(reader: ChainReader, trustAnchor: TrustAnchor): ChainProver {
  const verifier = createEvidenceVerifier(trustAnchor)
  const history = createHistorySource(reader, trustAnchor)
  const blocks = createBlockSource(reader)
  const chain = { chainId: trustAnchor.chainId, genesisHash: trustAnchor.genesisHash }
  const check = (bundle: EvidenceBundle): EvidenceBundle => mustBeValid(bundle, verifier)
  const newest = trustAnchor.checkpoints.at(-1)?.height ?? 0
  const usualHeight = async ({ anchor }: EvidenceBundle, signal?: AbortSignal): Promise<number> =>
    anchor.blockNumber <= newest ? newest : reader.head(signal)
  return {
    prove: async ({ leaves, firstEnvelope, place }, signal) => {
      const { header, receipts } = await blocks(place.blockNumber)
      const validatorHistory = await history.below(header.number, { signal })
      const block = { header, receipts, transactionIndex: place.transactionIndex }
      return orSonghuaError(() => {
        const cut = createEvidenceAssembler({ chain, leaves, block, validatorHistory })
        mustBeValid(cut(firstEnvelope, 0), verifier)
        history.remember(validatorHistory)
        return cut
      })
    },
    refresh: async (bundle, target, signal) => {
      const wanted =
        typeof target === 'object'
          ? target
          : { height: target ?? (await usualHeight(bundle, signal)), through: [], check }
      const { height, through } = wanted
      const isLater = height !== undefined && height > bundle.anchor.blockNumber
      if (!isLater && bundle.checkpointPath === undefined && standsUnder(bundle, wanted)) return bundle
      const sources = { reader, history, asking: { through, signal } }
      const proved = isLater ? await leadInto(height, bundle, sources) : await toPlain(bundle, sources)
      return orSonghuaError(() => wanted.check(proved))
    },
    checkpoint: (height, signal) => proveCheckpoint(height, { reader, history, trustAnchor }, signal),
  }
}

/** Where a better history of the validators would prove it. */
const HISTORY_CODES = /^(SEALS|VALIDATORS)_/

/**
 * False where its history does not lead through the target's checkpoints: of a set that changed and changed back, what
 * stands under the genesis needs no more. Whatever else is wrong with it, a new history does not mend.
 */
function standsUnder(bundle: EvidenceBundle, target: ProofTarget): boolean {
  try {
    target.check(bundle)
    return true
  } catch (error) {
    if (!isSonghuaError(error, 'EVIDENCE_INVALID')) throw error
    const [code] = error.details.codes as readonly unknown[]
    if (HISTORY_CODES.test(String(code))) return false
    throw error
  }
}

interface Sources {
  readonly reader: ChainReader
  readonly history: HistorySource
  readonly asking: HistoryAsking
}

/** With a path of its block into a later one. */
async function leadInto(
  height: number,
  bundle: EvidenceBundle,
  { reader, history, asking }: Sources,
): Promise<EvidenceBundle> {
  const header = await reader.header(height, asking.signal)
  const path = await reader.historyPath({ number: bundle.anchor.blockNumber, size: height }, asking.signal)
  const changes = await history.below(height, asking)
  const proofs = { header: () => header, historyPath: () => path, validatorHistory: () => changes }
  return orSonghuaError(() => refreshEvidence(bundle, { height, proofs }))
}

/** Without the path that an earlier refresh gave it, and with a history that ends at its own block. */
async function toPlain(bundle: EvidenceBundle, { history, asking }: Sources): Promise<EvidenceBundle> {
  const { checkpointPath: _, ...plain } = bundle
  const changes = await history.below(bundle.anchor.blockNumber, asking)
  return { ...plain, validatorHistory: changes.map((change) => bytesToHex(encodeHeader(change))) }
}

function orSonghuaError<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw toSonghuaError(error, 'EVIDENCE_INVALID')
  }
}

/** @throws SonghuaError `EVIDENCE_INVALID`, naming the step that failed */
export function mustBeValid(bundle: EvidenceBundle, verifier: EvidenceVerifier): EvidenceBundle {
  const verdict = verifier.verify(bundle)
  if (verdict.valid) return bundle
  const message = `The endpoint's block does not verify under the trust anchor: ${reasonOf(verdict)}`
  throw new SonghuaError('EVIDENCE_INVALID', message, { details: { codes: [decisiveStep(verdict)?.code] } })
}

// ------------------------------------------------------------------------------------------------------- blocks

interface SealedBlock {
  readonly header: Header
  readonly receipts: readonly Receipt[]
}

/** Without a caller's signal: what one fetches serves others too. */
function createBlockSource(reader: ChainReader): (number: number) => Promise<SealedBlock> {
  const kept = new Map<number, Promise<SealedBlock>>()
  const fetchBlock = async (number: number): Promise<SealedBlock> => {
    const [header, receipts] = await Promise.all([reader.header(number), reader.receipts(number)])
    return { header, receipts }
  }
  return (number) => {
    const known = kept.get(number)
    if (known !== undefined) return known
    const block = fetchBlock(number)
    kept.set(number, block)
    if (kept.size > KEPT_BLOCKS_MAX) kept.delete(kept.keys().next().value!)
    block.catch(() => kept.delete(number))
    return block
  }
}
