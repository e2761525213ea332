import { bytesToHex } from '../protocol/bytes.js'
import { verifySeals } from '../protocol/seals.js'
import { type EvidenceVerifier, createEvidenceVerifier } from '../protocol/evidence.js'
import { type CutBundle, createEvidenceAssembler, refreshEvidence } from '../protocol/evidence-assembly.js'
import type { EvidenceBundle } from '../protocol/evidence-format.js'
import { decisiveStep, reasonOf } from '../protocol/evidence-verdict.js'
import { isOfChain } from '../protocol/evidence-header.js'
import { blockHash, blockTimeMs } from '../protocol/block-hash.js'
import { decodeExtraData } from '../protocol/extra-data.js'
import { type Header, encodeHeader } from '../protocol/header.js'
import type { Receipt } from '../protocol/receipt.js'
import { type Checkpoint, type TrustAnchor, checkpointOf } from '../protocol/trust-anchor.js'
import type { ProofTarget } from '../connection/proved-under.js'
import { SonghuaError, toSonghuaError } from '../connection/songhua-error.js'
import type { TransactionPlace } from './block-json.js'
import type { ChainReader } from './chain-reader.js'
import { findValidatorHistory } from './validator-history.js'

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
  /** A block that a quorum of the trust anchor's chain has sealed. @throws SonghuaError `EVIDENCE_INVALID` */
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
      const validatorHistory = await history.below(header.number, signal)
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
        typeof target === 'object' ? target : { height: target ?? (await usualHeight(bundle, signal)), check }
      const sources = { reader, history, signal }
      const isLater = wanted.height !== undefined && wanted.height > bundle.anchor.blockNumber
      const proved = isLater ? await leadInto(wanted.height, bundle, sources) : await toPlain(bundle, sources)
      return orSonghuaError(() => wanted.check(proved))
    },
    checkpoint: async (height, signal) => {
      const header = await reader.header(height, signal)
      const changes = await history.below(height, signal)
      return orSonghuaError(() => {
        checkSealed([...changes, header], trustAnchor)
        return checkpointOf(header)
      })
    },
  }
}

interface Sources {
  readonly history: HistorySource
  readonly signal: AbortSignal | undefined
}

/** With a path of its block into a later one. */
async function leadInto(
  height: number,
  bundle: EvidenceBundle,
  { reader, history, signal }: Sources & { readonly reader: ChainReader },
): Promise<EvidenceBundle> {
  const header = await reader.header(height, signal)
  const path = await reader.historyPath({ number: bundle.anchor.blockNumber, size: height }, signal)
  const changes = await history.below(height, signal)
  const proofs = { header: () => header, historyPath: () => path, validatorHistory: () => changes }
  return orSonghuaError(() => refreshEvidence(bundle, { height, proofs }))
}

/** Without the path that an earlier refresh gave it, and with the history that ends at its own block. */
async function toPlain(bundle: EvidenceBundle, { history, signal }: Sources): Promise<EvidenceBundle> {
  const { checkpointPath, ...plain } = bundle
  if (checkpointPath === undefined) return bundle
  const changes = await history.below(bundle.anchor.blockNumber, signal)
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

/** Each sealed by the set that the one before it lists, beginning with the genesis's. */
function checkSealed(headers: readonly Header[], trustAnchor: TrustAnchor): void {
  let { validators } = trustAnchor
  for (const header of headers) {
    const extraData = decodeExtraData(header.extraData)
    const read = { header, hash: blockHash(header), extraData, blockTimeMs: blockTimeMs(header) }
    if (!isOfChain(read, trustAnchor.genesisHash)) {
      throw new SonghuaError('EVIDENCE_INVALID', `Block ${header.number} names another genesis in its vanity`)
    }
    verifySeals(header, validators)
    validators = extraData.validators
  }
}

// ------------------------------------------------------------------------------------------------------ sources

interface HistorySource {
  below(height: number, signal?: AbortSignal): Promise<readonly Header[]>
  /** Has been verified: the next search begins at its end. */
  remember(history: readonly Header[]): void
}

function createHistorySource(reader: ChainReader, trustAnchor: TrustAnchor): HistorySource {
  const through = trustAnchor.checkpoints.map(({ height }) => height)
  let known: readonly Header[] = []
  return {
    below: (height, signal) => {
      const read = (number: number): Promise<Header> =>
        number === 0 ? Promise.resolve(trustAnchor.genesisHeader) : reader.header(number, signal)
      return findValidatorHistory(read, height, { known, through }).catch((error: unknown) => {
        throw toSonghuaError(error, 'EVIDENCE_INVALID')
      })
    },
    remember: (history) => {
      if ((history.at(-1)?.number ?? 0) > (known.at(-1)?.number ?? 0)) known = history
    },
  }
}

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
