import { type Address, type Hex, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { headerWithSeals } from '@songhua/sdk/protocol/block-hash'
import { refreshEvidence } from '@songhua/sdk/protocol/evidence-assembly'
import type { EvidenceBundle } from '@songhua/sdk/protocol/evidence-format'
import { type ExtraData, decodeExtraData, encodeExtraData, vanityOf } from '@songhua/sdk/protocol/extra-data'
import { decodeHeader } from '@songhua/sdk/protocol/header'
import { OTHER_GENESIS } from './evidence-cases-block.js'
import { type NegativeCase, chain, good, goodWith, negativeCases } from './evidence-cases-support.js'
import { THIRD_SET, blockReceipts, bundleOfReceipts, flipped, headerHex, setOf } from './evidence-support.js'
import { MEMBERS, type Member, member, sealedBy } from './support.js'

/** What is wrong between the trust anchor and the block: the validator history, the checkpoints. */
export function trustCases(): NegativeCase[] {
  return [...historyCases(), ...checkpointCases(), ...checkpointPathCases()]
}

const addressesOf = (members: readonly Member[]): Address[] => members.map(({ address }) => address)

/** Block `number` with another extraData, sealed by these members. */
function resealed(number: number, members: readonly Member[], edit: Partial<ExtraData> = {}): Hex {
  const header = chain.headers[number]!
  const extraData = encodeExtraData({ ...decodeExtraData(header.extraData), ...edit, seals: [] })
  return headerHex(sealedBy({ ...header, extraData }, members.slice(0, 3)))
}

/** Another set under the seals of the old header. */
function withForgedSet(encoded: Hex, validators: Address[]): Hex {
  const header = decodeHeader(hexToBytes(encoded))
  return headerHex({ ...header, extraData: encodeExtraData({ ...decodeExtraData(header.extraData), validators }) })
}

function historyCases(): NegativeCase[] {
  const [first, second] = good.validatorHistory as [Hex, Hex]
  const withHistory = (...validatorHistory: Hex[]): EvidenceBundle => goodWith({ validatorHistory })
  const vanity = vanityOf(OTHER_GENESIS, 1_800_000_005_000)
  const forged = addressesOf([...THIRD_SET.slice(0, 3), member('forger')]).sort()
  const newcomers = setOf(6).filter(({ address }) => address !== MEMBERS[1]!.address)
  const unsorted = addressesOf(setOf(6)).reverse()
  const twice = [MEMBERS[0]!.address, MEMBERS[0]!.address]
  const [unchanged, genesis] = [headerHex(chain.headers[2]!), headerHex(chain.headers[0]!)]
  return negativeCases('validator history', [
    ['no history', 'SEALS_UNKNOWN_SIGNER', withHistory()],
    ['a missing change', 'SEALS_UNKNOWN_SIGNER', withHistory(first)],
    ['a missing change in the middle', 'VALIDATORS_SEALS', withHistory(second)],
    ['changes in the wrong order', 'VALIDATORS_ORDER', withHistory(second, first)],
    ['a change twice', 'VALIDATORS_ORDER', withHistory(first, first, second)],
    ['the block itself', 'VALIDATORS_ORDER', withHistory(first, second, good.header)],
    ['a later block', 'VALIDATORS_ORDER', withHistory(first, second, headerHex(chain.headers[17]!))],
    ['a block that changes nothing', 'VALIDATORS_UNCHANGED', withHistory(unchanged, first, second)],
    ['noise', 'VALIDATORS_ENCODING', withHistory(first, '0xc0')],
    ['noise below the checkpoint', 'VALIDATORS_ENCODING', withHistory('0xc0', second),
      { trustAnchor: chain.trustAnchor(6) }],
    ['the genesis', 'VALIDATORS_ENCODING', withHistory(genesis, first, second)],
    ['a change sealed by the set that it brings', 'VALIDATORS_SEALS', withHistory(resealed(5, newcomers), second)],
    ['a change to forged validators', 'VALIDATORS_SEALS', withHistory(first, withForgedSet(second, forged))],
    ['a change without seals', 'VALIDATORS_SEALS',
      withHistory(headerHex(headerWithSeals(chain.headers[5]!, [])), second)],
    ['a change of another chain', 'VALIDATORS_CHAIN', withHistory(resealed(5, MEMBERS, { vanity }), second)],
    ['a set out of order', 'VALIDATORS_SET', withHistory(resealed(5, MEMBERS, { validators: unsorted }), second)],
    ['a member twice', 'VALIDATORS_SET', withHistory(resealed(5, MEMBERS, { validators: twice }), second)],
    ['an empty set', 'VALIDATORS_SET', withHistory(resealed(5, MEMBERS, { validators: [] }), second)],
  ])
}

/** Block 3 under block 10. */
const refreshed = refreshEvidence(chain.bundle(3), { height: 10, proofs: chain.proofs })
const checkpointPath = refreshed.checkpointPath!

function checkpointCases(): NegativeCase[] {
  // Blocks of block 1 and 8 that retired keys could seal at any time.
  const forged = bundleOfReceipts(chain.batch, blockReceipts(chain.batch))
  const eighth = chain.bundle(8)
  const double = headerHex(sealedBy({ ...chain.headers[8]!, gasUsed: 1n }, setOf(8).slice(0, 3)))
  const lying = chain.trustAnchor(10) as { checkpoints: { validators: unknown }[] }
  lying.checkpoints[0]!.validators = [MEMBERS[0]!.address]
  return negativeCases('checkpoint', [
    ['a block of retired validators below it, sealed by a quorum', 'CHECKPOINT_PATH_MISSING', forged,
      { trustAnchor: chain.trustAnchor(10) }],
    ['that block with the path of another', 'CHECKPOINT_PATH', { ...forged, checkpointPath },
      { trustAnchor: chain.trustAnchor(10) }],
    ['the chain’s own block below it without a path', 'CHECKPOINT_PATH_MISSING', eighth,
      { trustAnchor: chain.trustAnchor(10) }],
    ['another block at its height', 'CHECKPOINT_CONFLICT', { ...eighth, header: double },
      { trustAnchor: chain.trustAnchor(8) }],
    ['other validators than its block lists', 'CHECKPOINT_VALIDATORS', refreshed, { trustAnchor: lying }],
  ])
}

function checkpointPathCases(): NegativeCase[] {
  const { path } = checkpointPath
  const withPath = (changes: object): EvidenceBundle => ({
    ...refreshed,
    checkpointPath: { ...checkpointPath, ...changes },
  })
  const under = (...heights: number[]): { trustAnchor: unknown } => ({ trustAnchor: chain.trustAnchor(...heights) })
  const double = headerHex(sealedBy({ ...chain.headers[10]!, gasUsed: 1n }, setOf(10).slice(0, 3)))
  const extraData = decodeExtraData(chain.headers[10]!.extraData)
  const vanity = vanityOf(OTHER_GENESIS, 1_800_000_010_000)
  const foreign = headerHex({ ...chain.headers[10]!, extraData: encodeExtraData({ ...extraData, vanity }) })
  const unsealed = headerHex(headerWithSeals(chain.headers[10]!, []))
  return negativeCases('checkpoint path', [
    ['a truncated path', 'CHECKPOINT_PATH', withPath({ path: path.slice(1) }), under(10)],
    ['a lengthened path', 'CHECKPOINT_PATH', withPath({ path: [...path, path[0]] }), under(10)],
    ['a reordered path', 'CHECKPOINT_PATH', withPath({ path: [...path].reverse() }), under(10)],
    ['a path off by a bit', 'CHECKPOINT_PATH', withPath({ path: [flipped(path[0]!, 0), ...path.slice(1)] }), under(10)],
    ['a path off by a bit above the checkpoint', 'CHECKPOINT_PATH',
      withPath({ path: [flipped(path[0]!, 0), ...path.slice(1)] }), under()],
    ['a path into an earlier block', 'CHECKPOINT_PATH', withPath({ header: headerHex(chain.headers[2]!) }), under(2)],
    ['a path into the block itself', 'CHECKPOINT_PATH',
      { ...chain.bundle(3), checkpointPath: { header: refreshed.header, path: [] } }, under()],
    ['a checkpoint’s double', 'CHECKPOINT_CONFLICT', withPath({ header: double }), under(10)],
    ['a path into no checkpoint', 'CHECKPOINT_UNKNOWN', refreshed, under(12)],
    ['a path into a block after the newest', 'CHECKPOINT_UNKNOWN', refreshed, under(7)],
    ['noise for the vouching header', 'CHECKPOINT_HEADER', withPath({ header: '0xc0' }), under(10)],
    ['the genesis for the vouching header', 'CHECKPOINT_HEADER',
      withPath({ header: headerHex(chain.headers[0]!) }), under(10)],
    ['a vouching header of another chain', 'CHECKPOINT_CHAIN', withPath({ header: foreign }), under(10)],
    ['a vouching header without seals', 'SEALS_BELOW_QUORUM', withPath({ header: unsealed }), under()],
  ])
}
