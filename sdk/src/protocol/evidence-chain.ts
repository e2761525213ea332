import type { Address, Hex } from './bytes.js'
import { isCodedError, messageOf } from './errors.js'
import { failEvidence, isEvidenceError, orFailEvidence } from './evidence-codes.js'
import type { EvidenceBundle, VouchingHeader } from './evidence-format.js'
import { type HeaderReader, type ReadHeader, type SealBudget, isOfChain } from './evidence-header.js'
import { verifyAncestor } from './history-tree.js'
import type { Checkpoint, TrustAnchor } from './trust-anchor.js'
import { checkValidatorSet } from './validator-set.js'

/**
 * Why a bundle's header is believed. One header vouches: the bundle's own, or the later one of `checkpointPath`, in
 * whose history root the bundle's header then has a path.
 *
 * - A vouching header that is a checkpoint of the trust anchor needs nothing more. Any of the checkpoints will do: the
 *   trust anchor vouches for each.
 * - At or below the newest checkpoint nothing else is taken: the keys of those days may since have been retired and
 *   lost, and whoever holds them can seal any past.
 * - Above it, a quorum decides of the set that follows from the newest checkpoint (or the genesis) through
 *   `validatorHistory`: each header of it is sealed by the set known so far and lists the set after it, since header N
 *   lists who seals N + 1. Headers up to the checkpoint are passed over, so that one bundle serves many trust anchors.
 */
export type Vouching =
  | { readonly proof: 'checkpoint'; readonly header: ReadHeader; readonly checkpoint: Checkpoint }
  | {
      readonly proof: 'validators'
      readonly header: ReadHeader
      readonly encoded: Hex
      /** The set that had to seal the vouching header. */
      readonly validators: readonly Address[]
      /** Members of earlier sets that are in it no more. */
      readonly retired: ReadonlySet<Address>
      /** The height from which on validators, not the trust anchor, vouch. */
      readonly fromHeight: number
    }

export interface ChainContext {
  readonly trustAnchor: TrustAnchor
  readonly reader: HeaderReader
  readonly seals: SealBudget
}

/** @throws CodedError with a `VALIDATORS_` or `CHECKPOINT_` code, or `STEP_LIMIT` */
export function findVouching(bundle: EvidenceBundle, own: ReadHeader, context: ChainContext): Vouching {
  const { checkpoints } = context.trustAnchor
  const header = bundle.checkpointPath === undefined ? own : readVouching(bundle.checkpointPath, context)
  const checkpoint = checkpoints.find(({ height }) => height === header.header.number)
  if (checkpoint !== undefined) return vouchByCheckpoint(header, checkpoint)
  const newest = checkpoints.at(-1)?.height ?? 0
  const { number } = own.header
  if (number <= newest) {
    const code = bundle.checkpointPath === undefined ? 'CHECKPOINT_PATH_MISSING' : 'CHECKPOINT_UNKNOWN'
    failEvidence(code, `Block ${number} needs a path into a checkpoint: the newest is at ${newest}`)
  }
  const encoded = bundle.checkpointPath?.header ?? bundle.header
  return { proof: 'validators', header, encoded, ...followValidators(bundle, header, context) }
}

function readVouching({ header }: VouchingHeader, { reader, trustAnchor }: ChainContext): ReadHeader {
  const vouching = readAs('CHECKPOINT_HEADER', header, reader)
  if (isOfChain(vouching, trustAnchor.genesisHash)) return vouching
  return failEvidence('CHECKPOINT_CHAIN', 'The vanity of the vouching header names another genesis')
}

function readAs(code: 'CHECKPOINT_HEADER' | 'VALIDATORS_ENCODING', encoded: Hex, reader: HeaderReader): ReadHeader {
  try {
    return reader.read(encoded)
  } catch (error) {
    return failEvidence(code, messageOf(error), error)
  }
}

function vouchByCheckpoint(header: ReadHeader, checkpoint: Checkpoint): Vouching {
  if (header.hash !== checkpoint.hash) {
    const what = `Block ${checkpoint.height} is ${checkpoint.hash} by the trust anchor, ${header.hash} in the bundle`
    failEvidence('CHECKPOINT_CONFLICT', what)
  }
  if (header.extraData.validators.join() !== checkpoint.validators.join()) {
    failEvidence('CHECKPOINT_VALIDATORS', `The checkpoint at ${checkpoint.height} lists others than its block`)
  }
  return { proof: 'checkpoint', header, checkpoint }
}

// ------------------------------------------------------------------------------------------- validator history

type FollowedSet = Pick<Extract<Vouching, { proof: 'validators' }>, 'validators' | 'retired' | 'fromHeight'>

function followValidators(bundle: EvidenceBundle, vouching: ReadHeader, context: ChainContext): FollowedSet {
  const { trustAnchor, reader } = context
  const start = trustAnchor.checkpoints.at(-1) ?? { height: 0, validators: trustAnchor.validators }
  const former = new Set([trustAnchor, ...trustAnchor.checkpoints].flatMap(({ validators }) => validators))
  let { validators } = start
  for (const change of readHistory(bundle, vouching, reader)) {
    change.read.extraData.validators.forEach((validator) => former.add(validator))
    if (change.read.header.number > start.height) validators = nextSet(change, validators, context)
  }
  validators.forEach((validator) => former.delete(validator))
  return { validators, retired: former, fromHeight: start.height }
}

interface Change {
  readonly encoded: Hex
  readonly read: ReadHeader
}

/** Read and in order; seals, the dear part, come after that. */
function readHistory(bundle: EvidenceBundle, vouching: ReadHeader, reader: HeaderReader): Change[] {
  const end = vouching.header.number
  let previous = 0
  return bundle.validatorHistory.map((encoded) => {
    const read = readAs('VALIDATORS_ENCODING', encoded, reader)
    const { number } = read.header
    if (number <= previous || number >= end) {
      failEvidence('VALIDATORS_ORDER', `Block ${number} stands after ${previous} in the history of block ${end}`)
    }
    previous = number
    return { encoded, read }
  })
}

/** @param validators the set known so far: it seals the header that changes it */
function nextSet(change: Change, validators: readonly Address[], context: ChainContext): readonly Address[] {
  const { trustAnchor, reader, seals } = context
  const { encoded, read } = change
  const listed = read.extraData.validators
  const block = `Block ${read.header.number} of the validator history`
  if (!isOfChain(read, trustAnchor.genesisHash)) failEvidence('VALIDATORS_CHAIN', `${block} names another genesis`)
  orFailEvidence('VALIDATORS_SET', () => checkValidatorSet(listed))
  if (listed.join() === validators.join()) failEvidence('VALIDATORS_UNCHANGED', `${block} lists the set before it`)
  try {
    reader.checkSeals(encoded, validators, seals)
  } catch (error) {
    if (isCodedError(error, 'STEP_LIMIT')) throw error
    failEvidence('VALIDATORS_SEALS', `${block}: ${messageOf(error)}`, error)
  }
  return listed
}

// ------------------------------------------------------------------------------------------------------- seals

/**
 * The vouching header is sealed, or is a checkpoint; and the bundle's header is in its history.
 * @throws CodedError with a `SEALS_` code, `CHECKPOINT_PATH` or `STEP_LIMIT`
 */
export function checkVouching(
  bundle: EvidenceBundle,
  own: ReadHeader,
  proof: { by: Vouching; context: ChainContext },
): void {
  const { by, context } = proof
  if (by.proof === 'validators') checkQuorum(by, context)
  const path = bundle.checkpointPath?.path
  if (path === undefined) return
  orFailEvidence('CHECKPOINT_PATH', () =>
    verifyAncestor(by.header.header, { number: own.header.number, hash: own.hash, path }),
  )
}

function checkQuorum(by: Extract<Vouching, { proof: 'validators' }>, { reader, seals }: ChainContext): void {
  try {
    reader.checkSeals(by.encoded, by.validators, seals)
  } catch (error) {
    const signer = signerOf(error)
    if (signer === undefined || !by.retired.has(signer)) throw error
    const block = by.header.header.number
    failEvidence('SEALS_RETIRED_SIGNER', `${signer} sealed block ${block}, but had been a validator only before`, error)
  }
}

function signerOf(error: unknown): Address | undefined {
  if (!isEvidenceError(error) || error.code !== 'SEALS_UNKNOWN_SIGNER') return undefined
  const { cause } = error
  return isCodedError(cause) ? (cause.details.signer as Address) : undefined
}
