import { type Address, type Hash, type Hex, equalBytes, hexToBytes } from './bytes.js'
import { blockHash, blockTimeMs } from './block-hash.js'
import { isCodedError, messageOf } from './errors.js'
import { type EvidenceCode, failEvidence } from './evidence-codes.js'
import { type ExtraData, GENESIS_PREFIX_BYTES, decodeExtraData } from './extra-data.js'
import { type Header, decodeHeader } from './header.js'
import { verifySeals } from './seals.js'

/** A header as a bundle carries it, read once. */
export interface ReadHeader {
  readonly header: Header
  readonly hash: Hash
  readonly extraData: ExtraData
  readonly blockTimeMs: number
}

/**
 * Reads headers and checks seals, and remembers both by the header's text: a thousand bundles of one block cost its
 * seals once. Both are functions of their arguments alone, so remembering never changes a verdict.
 */
export interface HeaderReader {
  /** @throws CodedError when it cannot be read, `RLP_`, `EXTRA_DATA_` and other codes; or is a genesis */
  read(encoded: Hex): ReadHeader
  /**
   * @param budget spent for seals that were not checked before
   * @throws CodedError with a `SEALS_` code when no quorum of `validators` sealed it; `STEP_LIMIT`
   */
  checkSeals(encoded: Hex, validators: readonly Address[], budget: SealBudget): void
}

/** How many seals may yet be checked; one takes as long as a thousand hashes. */
export interface SealBudget {
  readonly max: number
  left: number
}

interface Remembered extends ReadHeader {
  /** The set last shown to have sealed it. */
  sealedBy: string | undefined
}

const SEAL_CODES: Record<string, EvidenceCode> = {
  SEALS_BELOW_QUORUM: 'SEALS_BELOW_QUORUM',
  SEALS_TOO_MANY: 'SEALS_TOO_MANY',
  SEAL_DUPLICATE_SIGNER: 'SEALS_DUPLICATE_SIGNER',
  SEAL_UNKNOWN_SIGNER: 'SEALS_UNKNOWN_SIGNER',
  SIGNATURE_HIGH_S: 'SEALS_HIGH_S',
}

/** @param maxHeaders how many are remembered; the one longest unused goes first */
export function createHeaderReader(maxHeaders: number): HeaderReader {
  const remembered = new Map<Hex, Remembered>()
  const recall = (encoded: Hex): Remembered => {
    const known = remembered.get(encoded)
    const entry = known ?? { ...decodeSealed(encoded), sealedBy: undefined }
    if (known !== undefined) remembered.delete(encoded)
    remembered.set(encoded, entry)
    if (remembered.size > maxHeaders) remembered.delete(remembered.keys().next().value!)
    return entry
  }
  return {
    read: recall,
    checkSeals: (encoded, validators, budget) => {
      const entry = recall(encoded)
      const set = validators.join()
      if (entry.sealedBy === set) return
      spend(budget, entry.extraData.seals.length)
      checkSealsOf(entry.header, validators)
      entry.sealedBy = set
    },
  }
}

function spend(budget: SealBudget, seals: number): void {
  budget.left -= seals
  if (budget.left < 0) failEvidence('STEP_LIMIT', `The bundle has more than ${budget.max} seals to check`)
}

function decodeSealed(encoded: Hex): ReadHeader {
  const header = decodeHeader(hexToBytes(encoded, 'header'))
  if (header.number === 0) failEvidence('HEADER_ENCODING', 'A genesis is sealed by nobody and anchors nothing')
  const extraData = decodeExtraData(header.extraData)
  return { header, hash: blockHash(header), extraData, blockTimeMs: blockTimeMs(header) }
}

function checkSealsOf(header: Header, validators: readonly Address[]): void {
  try {
    verifySeals(header, validators)
  } catch (error) {
    const code = isCodedError(error) ? SEAL_CODES[error.code] : undefined
    failEvidence(code ?? 'SEALS_MALFORMED', messageOf(error), error)
  }
}

/** The header's vanity names this genesis: it was made, and sealed, on this chain. */
export function isOfChain(header: ReadHeader, genesisHash: Hash): boolean {
  const prefix = hexToBytes(genesisHash).subarray(0, GENESIS_PREFIX_BYTES)
  return equalBytes(header.extraData.vanity.subarray(0, GENESIS_PREFIX_BYTES), prefix)
}
