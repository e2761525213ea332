import type { Address } from '../protocol/bytes.js'
import { CodedError } from '../protocol/errors.js'
import { MAX_VALIDATOR_HISTORY } from '../protocol/evidence-format.js'
import { decodeExtraData } from '../protocol/extra-data.js'
import type { Header } from '../protocol/header.js'

export type ValidatorHistoryErrorCode = 'VALIDATOR_HISTORY_HEADER' | 'VALIDATOR_HISTORY_LENGTH'

/** A sealed header of the chain by its number. */
export type ReadHeader = (number: number) => Promise<Header>

export interface ValidatorHistoryOptions {
  /** An earlier answer for the same chain: the search goes on from its end. */
  readonly known?: readonly Header[]
  /**
   * Heights of checkpoints under which the bundle shall stand: the history then leads through their sets. Without them
   * a set that changed and changed back between two reads may be missing, which only a trust anchor with a checkpoint
   * in between would notice.
   */
  readonly through?: readonly number[]
}

/**
 * The headers that lead from the genesis's validators to those that sealed block `before`, as a bundle carries them:
 * oldest first, each sealed by the set that the one before it lists. Found by bisection, so a history of n changes in
 * h blocks reads n × log₂ h headers, and none changed reads two.
 * @throws CodedError `VALIDATOR_HISTORY_HEADER` when another header comes than was asked for,
 *   `VALIDATOR_HISTORY_LENGTH` when there are more changes than a bundle takes
 */
export async function findValidatorHistory(
  readHeader: ReadHeader,
  before: number,
  options: ValidatorHistoryOptions = {},
): Promise<Header[]> {
  const read = checkedReader(readHeader)
  const history = (options.known ?? []).filter(({ number }) => number < before)
  let at = history.at(-1) ?? (await read(0))
  for (const target of targetsOf(at.number, before, options.through ?? [])) {
    const wanted = await read(target)
    while (setOf(at) !== setOf(wanted)) {
      at = await findChange(read, at, wanted)
      history.push(at)
      checkLength(history, before)
    }
    // Of the same set: what changes after a checkpoint is looked for after it, not in an earlier reign of that set.
    at = wanted
  }
  return history
}

/** The heights whose sets the history must reach: the checkpoints on the way, then the parent of `before`. */
function targetsOf(from: number, before: number, through: readonly number[]): number[] {
  const passed = through.filter((height) => height > from && height < before - 1).sort((a, b) => a - b)
  return before - 1 > from ? [...passed, before - 1] : []
}

/**
 * A block after `low`, at or below `high`, that changed the set of `low` for another. Its parent lists the set of `low`,
 * which therefore sealed it; that there may be other changes below it does not matter.
 */
async function findChange(read: ReadHeader, low: Header, high: Header): Promise<Header> {
  const set = setOf(low)
  let same = low.number
  let changed = high
  while (changed.number - same > 1) {
    const middle = await read(same + Math.floor((changed.number - same) / 2))
    if (setOf(middle) === set) same = middle.number
    else changed = middle
  }
  return changed
}

/** The set that seals the next block, as text. */
function setOf(header: Header): string {
  const validators: readonly Address[] = decodeExtraData(header.extraData).validators
  return validators.join()
}

function checkedReader(readHeader: ReadHeader): ReadHeader {
  return async (number) => {
    const header = await readHeader(number)
    if (header.number === number) return header
    return fail('VALIDATOR_HISTORY_HEADER', `Asked for header ${number}, got ${header.number}; ask another node`)
  }
}

function checkLength(history: readonly Header[], before: number): void {
  if (history.length <= MAX_VALIDATOR_HISTORY) return
  const message = `More than ${MAX_VALIDATOR_HISTORY} changes of validators below block ${before}: a bundle takes no more`
  fail('VALIDATOR_HISTORY_LENGTH', message)
}

function fail(code: ValidatorHistoryErrorCode, message: string): never {
  throw new CodedError(code, message)
}
