import { blockHash, blockTimeMs } from '../protocol/block-hash.js'
import { isCodedError, messageOf } from '../protocol/errors.js'
import { isOfChain } from '../protocol/evidence-header.js'
import { decodeExtraData } from '../protocol/extra-data.js'
import type { Header } from '../protocol/header.js'
import { verifyAncestor } from '../protocol/history-tree.js'
import { verifySeals } from '../protocol/seals.js'
import { type Checkpoint, type TrustAnchor, checkpointOf } from '../protocol/trust-anchor.js'
import { checkValidatorSet } from '../protocol/validator-set.js'
import { SonghuaError } from '../connection/songhua-error.js'
import type { ChainReader } from './chain-reader.js'
import type { HistorySource } from './history-source.js'

/**
 * A block as a checkpoint, believed for the reasons for which evidence is (step 8 of its verification): it is pinned; or
 * it lies below a pinned one and has a path into that, for retired keys can seal any past; or a quorum of the set sealed
 * it that follows from the newest pinned one, or from the genesis.
 * @throws SonghuaError `EVIDENCE_INVALID`, with the code of what failed in `details.codes`; `VALIDATOR_HISTORY_…`; `RPC_…`
 */
export async function proveCheckpoint(
  height: number,
  chain: { reader: ChainReader; history: HistorySource; trustAnchor: TrustAnchor },
  signal?: AbortSignal,
): Promise<Checkpoint> {
  const { reader, history, trustAnchor } = chain
  const header = await reader.header(height, signal)
  const above = trustAnchor.checkpoints.find((pinned) => pinned.height >= height)
  if (above === undefined) {
    const changes = await history.below(height, { signal })
    return orInvalid(height, () => checkSealed(header, changes, trustAnchor))
  }
  if (above.height === height) return orInvalid(height, () => mustBePinned(header, above))
  const later = await reader.header(above.height, signal)
  const path = await reader.historyPath({ number: height, size: above.height }, signal)
  return orInvalid(height, () => {
    mustBePinned(later, above)
    verifyAncestor(later, { number: height, hash: blockHash(header), path })
    return checkpointOf(header)
  })
}

function orInvalid<T>(height: number, check: () => T): T {
  try {
    return check()
  } catch (error) {
    if (error instanceof SonghuaError) throw error
    const message = `Block ${height} does not follow from the trust anchor: ${messageOf(error)}`
    const codes = isCodedError(error) ? [error.code] : []
    throw new SonghuaError('EVIDENCE_INVALID', message, { cause: error, details: { height, codes } })
  }
}

function mustBePinned(header: Header, pinned: Checkpoint): Checkpoint {
  const told = checkpointOf(header)
  if (told.hash === pinned.hash && told.validators.join() === pinned.validators.join()) return pinned
  const message = `The endpoint's block ${told.height} is ${told.hash}, not ${pinned.hash} as pinned`
  throw new SonghuaError('EVIDENCE_INVALID', message, { details: { height: told.height, codes: ['CHECKPOINT_CONFLICT'] } })
}

/** Each sealed by the set that the one before it lists, from the newest pinned one on. */
function checkSealed(header: Header, changes: readonly Header[], trustAnchor: TrustAnchor): Checkpoint {
  const start = trustAnchor.checkpoints.at(-1) ?? { height: 0, validators: trustAnchor.validators }
  let { validators } = start
  for (const next of [...changes.filter(({ number }) => number > start.height), header]) {
    const extraData = decodeExtraData(next.extraData)
    const read = { header: next, hash: blockHash(next), extraData, blockTimeMs: blockTimeMs(next) }
    if (!isOfChain(read, trustAnchor.genesisHash)) {
      throw new SonghuaError('EVIDENCE_INVALID', `Block ${next.number} names another genesis in its vanity`)
    }
    checkValidatorSet(extraData.validators)
    verifySeals(next, validators)
    validators = extraData.validators
  }
  return checkpointOf(header)
}
