import { type Address, type Hash, type Hex, bytesToHex, toAddress } from './bytes.js'
import { blockHash } from './block-hash.js'
import { CodedError, isCodedError, messageOf } from './errors.js'
import { readEvidenceJson } from './evidence-json.js'
import { MAX_HEADER_BYTES } from './evidence-format.js'
import { decodeExtraData } from './extra-data.js'
import { type Header, decodeHeader, encodeHeader } from './header.js'
import {
  failField,
  readHashField,
  readHexBytes,
  readInteger,
  readShape,
} from './json-fields.js'
import { checkValidatorSet } from './validator-set.js'

/** All that a verifier takes on trust: which chain it is, and blocks of which it has been assured by other means. */
export interface TrustAnchor {
  readonly chainId: number
  readonly genesisHeader: Header
  readonly genesisHash: Hash
  /** The set that seals block 1, ascending. */
  readonly validators: readonly Address[]
  /** By height, ascending. */
  readonly checkpoints: readonly Checkpoint[]
}

export interface Checkpoint {
  readonly height: number
  readonly hash: Hash
  /** The set that this block lists: it seals the next one. Ascending. */
  readonly validators: readonly Address[]
}

/** A trust anchor as its file has it, and as `trustAnchor()` of a connection gives it: plain JSON. */
export interface TrustAnchorFile {
  readonly version: typeof TRUST_ANCHOR_VERSION
  readonly chainId: number
  /** RLP. */
  readonly genesisHeader: Hex
  /** By height, ascending. */
  readonly checkpoints: readonly Checkpoint[]
}

export type TrustAnchorErrorCode =
  | 'TRUST_ANCHOR_FORMAT'
  | 'TRUST_ANCHOR_VERSION'
  | 'TRUST_ANCHOR_GENESIS'
  | 'TRUST_ANCHOR_CHECKPOINT'

export const TRUST_ANCHOR_VERSION = 'songhua.trust-anchor/1'
export const MAX_CHECKPOINTS = 1024

function fail(code: TrustAnchorErrorCode, message: string, cause?: unknown): never {
  throw new CodedError(code, message, { cause })
}

function orFail<T>(code: TrustAnchorErrorCode, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (isCodedError(error) && error.code.startsWith('TRUST_ANCHOR_')) throw error
    return fail(code, messageOf(error), error)
  }
}

/**
 * @param source the text of the file, or what `JSON.parse` made of it
 * @throws CodedError with a `TRUST_ANCHOR_` code
 */
export function parseTrustAnchor(source: unknown): TrustAnchor {
  return orFail('TRUST_ANCHOR_FORMAT', () => {
    const json = readShape(readEvidenceJson(source), 'trustAnchor', {
      required: ['version', 'chainId', 'genesisHeader', 'checkpoints'],
    })
    if (json.version !== TRUST_ANCHOR_VERSION) {
      fail('TRUST_ANCHOR_VERSION', `The trust anchor's version is not "${TRUST_ANCHOR_VERSION}"`)
    }
    return {
      chainId: readInteger(json.chainId, 'chainId', { min: 1, max: Number.MAX_SAFE_INTEGER }),
      ...readGenesis(readHexBytes(json.genesisHeader, 'genesisHeader', MAX_HEADER_BYTES)),
      checkpoints: readCheckpoints(json.checkpoints),
    }
  })
}

function readGenesis(encoded: Uint8Array): Pick<TrustAnchor, 'genesisHeader' | 'genesisHash' | 'validators'> {
  return orFail('TRUST_ANCHOR_GENESIS', () => {
    const genesisHeader = decodeHeader(encoded)
    if (genesisHeader.number !== 0) fail('TRUST_ANCHOR_GENESIS', `Block ${genesisHeader.number} is no genesis`)
    const { validators } = decodeExtraData(genesisHeader.extraData)
    checkValidatorSet(validators)
    return { genesisHeader, genesisHash: blockHash(genesisHeader), validators }
  })
}

function readCheckpoints(value: unknown): Checkpoint[] {
  if (!Array.isArray(value) || value.length > MAX_CHECKPOINTS) {
    return failField('JSON_TYPE', 'checkpoints', `must be a list of at most ${MAX_CHECKPOINTS}`)
  }
  const checkpoints = value.map((item, at) => readCheckpoint(item, `checkpoints[${at}]`))
  checkpoints.forEach(({ height }, at) => {
    const previous = checkpoints[at - 1]?.height ?? 0
    if (height > previous) return
    fail('TRUST_ANCHOR_CHECKPOINT', `checkpoints[${at}] of height ${height} stands after height ${previous}`)
  })
  return checkpoints
}

function readCheckpoint(value: unknown, path: string): Checkpoint {
  const json = readShape(value, path, { required: ['height', 'hash', 'validators'] })
  return {
    height: readInteger(json.height, `${path}.height`, { min: 1, max: Number.MAX_SAFE_INTEGER }),
    hash: readHashField(json.hash, `${path}.hash`),
    validators: orFail('TRUST_ANCHOR_CHECKPOINT', () => readValidators(json.validators, `${path}.validators`)),
  }
}

function readValidators(value: unknown, path: string): Address[] {
  if (!Array.isArray(value)) return failField('JSON_TYPE', path, 'must be a list')
  const validators = value.map((item: string, at) => toAddress(item, `${path}[${at}]`))
  checkValidatorSet(validators)
  return validators
}

/** A checkpoint at this block. Whoever calls it vouches for the block. */
export function checkpointOf(header: Header): Checkpoint {
  const { validators } = decodeExtraData(header.extraData)
  return { height: header.number, hash: blockHash(header), validators }
}

/** The file form, which `parseTrustAnchor` reads. */
export function trustAnchorToJson(
  anchor: Pick<TrustAnchor, 'chainId' | 'genesisHeader' | 'checkpoints'>,
): TrustAnchorFile {
  return {
    version: TRUST_ANCHOR_VERSION,
    chainId: anchor.chainId,
    genesisHeader: bytesToHex(encodeHeader(anchor.genesisHeader)),
    checkpoints: anchor.checkpoints.map(({ height, hash, validators }) => ({ height, hash, validators })),
  }
}
