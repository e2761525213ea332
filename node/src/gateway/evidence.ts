import { type Hash, bytesToHex, equalBytes } from '@songhua/sdk/protocol/bytes'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import { refreshEvidence } from '@songhua/sdk/protocol/evidence-assembly'
import { envelopeLeaf } from '@songhua/sdk/protocol/evidence-envelope'
import { EVIDENCE_VERSION, type EvidenceBundle } from '@songhua/sdk/protocol/evidence-format'
import type { JsonObject } from '@songhua/sdk/protocol/json-fields'
import { inclusionProof } from '@songhua/sdk/protocol/merkle-tree'
import type { RecordEnvelope } from '@songhua/sdk/records/envelope'
import { findValidatorHistory } from '@songhua/sdk/chain/validator-history'
import type { ShelvedBatch } from './batch-shelf.js'
import { gatewayError } from './errors.js'
import type { Place } from './keys.js'
import type { ChainProofs } from './ports.js'
import { sizeOf } from './progress.js'
import type { AnchorRow } from './rows.js'
import { damaged } from './store.js'

export interface EvidenceParts {
  readonly chain: { readonly chainId: number; readonly genesisHash: Hash }
}

interface AnchoredRecord {
  readonly place: Place
  readonly leaf: Uint8Array
  readonly batch: ShelvedBatch & { readonly anchor: AnchorRow }
}

/** From stored leaf hashes and the chain part that was proved when the batch was anchored. */
export function cutEvidence(
  envelope: RecordEnvelope,
  { place, leaf, batch }: AnchoredRecord,
  chain: EvidenceParts['chain'],
): EvidenceBundle {
  const { row, anchor } = batch
  const json = envelope as unknown as JsonObject
  if (!equalBytes(envelopeLeaf(json), leaf)) damaged(`the envelope of ${envelope.id} does not give its leaf`)
  const at = { index: place.seq - row.first, size: sizeOf(row) }
  const { blockNumber, transactionIndex, logIndex, receiptProof } = anchor
  return {
    version: EVIDENCE_VERSION,
    chain,
    envelope: json,
    inclusion: { treeSize: at.size, leafIndex: at.index, path: inclusionProof(batch.tree(), at).map(bytesToHex) },
    anchor: { blockNumber, transactionIndex, logIndex, receiptProof },
    header: batch.header(),
    validatorHistory: batch.validatorHistory(),
  }
}

/** The same record, proved under a later block. @throws GatewayError `REFRESH_HEIGHT` */
export async function underLaterBlock(
  bundle: EvidenceBundle,
  height: number,
  proofs: ChainProofs,
): Promise<EvidenceBundle> {
  const number = bundle.anchor.blockNumber
  if (!Number.isSafeInteger(height) || height <= number)
    throw gatewayError('REFRESH_HEIGHT', { height, blockNumber: number })
  const header = await proofs.header(height).catch((error: unknown) => {
    throw isCodedError(error, 'HEADER_UNKNOWN')
      ? gatewayError('REFRESH_HEIGHT', { height, blockNumber: number }, error)
      : error
  })
  const [path, history] = await Promise.all([
    proofs.historyPath({ number, size: height }),
    findValidatorHistory((block) => proofs.header(block), height),
  ])
  return refreshEvidence(bundle, {
    height,
    proofs: { header: () => header, historyPath: () => path, validatorHistory: () => history },
  })
}
