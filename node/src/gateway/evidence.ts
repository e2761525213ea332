import { bytesToHex } from '@songhua/sdk/protocol/bytes'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import { refreshEvidence } from '@songhua/sdk/protocol/evidence-assembly'
import { EVIDENCE_VERSION, type EvidenceBundle } from '@songhua/sdk/protocol/evidence-format'
import { encodeHeader } from '@songhua/sdk/protocol/header'
import type { JsonObject } from '@songhua/sdk/protocol/json-fields'
import { findValidatorHistory } from '@songhua/sdk/chain/validator-history'
import { gatewayError } from './errors.js'
import type { AnchoredRecord } from './model.js'
import type { ChainProofs } from './ports.js'

/** From stored leaf hashes and the chain part that was proved when the batch was anchored. */
export function cutEvidence({ batch, leafIndex, content }: AnchoredRecord): EvidenceBundle {
  const { chain, anchor, header, validatorHistory } = batch.shared()
  return {
    version: EVIDENCE_VERSION,
    chain,
    envelope: JSON.parse(Buffer.from(content().envelope).toString('utf8')) as JsonObject,
    inclusion: { treeSize: batch.size, leafIndex, path: batch.path(leafIndex) },
    anchor,
    header,
    validatorHistory,
  }
}

/**
 * The same record, proved under a later block; under its own or an earlier one as it is, but with a history of validators
 * that leads through the set of that block, since a set that changed and changed back may have been passed over.
 * @throws GatewayError `REFRESH_HEIGHT` for what is no height, or above the head
 */
export async function underBlock(
  bundle: EvidenceBundle,
  height: number,
  proofs: ChainProofs,
): Promise<EvidenceBundle> {
  const number = bundle.anchor.blockNumber
  if (!Number.isSafeInteger(height) || height < 0) throw gatewayError('REFRESH_HEIGHT', { height, blockNumber: number })
  if (height <= number) return throughBlock(bundle, height, proofs)
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

async function throughBlock(
  bundle: EvidenceBundle,
  height: number,
  proofs: Pick<ChainProofs, 'header'>,
): Promise<EvidenceBundle> {
  const options = { through: [height] }
  const history = await findValidatorHistory((block) => proofs.header(block), bundle.anchor.blockNumber, options)
  return { ...bundle, validatorHistory: history.map((header) => bytesToHex(encodeHeader(header))) }
}
