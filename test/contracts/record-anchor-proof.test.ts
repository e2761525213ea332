import fc from 'fast-check'
import { RECORD_ANCHOR_ADDRESS, genesisContracts } from '@songhua/contracts/addresses'
import { recordAnchor } from '@songhua/contracts/generated/RecordAnchor'
import { utf8ToBytes } from '@songhua/sdk/protocol/bytes'
import {
  createNodeReader, inclusionProof, leafHash, nodeHash, rootFromInclusion, treeRoot,
} from '@songhua/sdk/protocol/merkle-tree'
import { type Address, type Hex, bytesToHex, getAddress, numberToHex, pad } from 'viem'
import { beforeAll, describe, expect, it } from 'vitest'
import { anyGovernance } from '../support/governance.js'
import { type CallResult, callsOf, createContractChain } from './chain.js'

const SENDER: Address = getAddress(`0x${'a1'.repeat(20)}`)
const STRANGER: Address = getAddress(`0x${'b0'.repeat(20)}`)
const FAMILY = 2
const { abi } = recordAnchor
const callOf = callsOf(abi, RECORD_ANCHOR_ADDRESS)

interface Claim {
  sender: Address
  batchId: Hex
  root: Uint8Array
  size: bigint
  family: number
  index: bigint
  leaf: Uint8Array
  path: Uint8Array[]
}

const hexes = (list: Uint8Array[]): Hex[] => list.map((one) => bytesToHex(one))
const isTrue = ({ ok, data }: CallResult): boolean => {
  expect(ok).toBe(true)
  return BigInt(data) === 1n
}

let chain: Awaited<ReturnType<typeof createContractChain>>
let batches = 0
beforeAll(async () => {
  chain = await createContractChain(genesisContracts({ governance: anyGovernance() }))
})

const verifyRecord = (claim: Claim): Promise<CallResult> => {
  const { sender, batchId, root, size, family, index, leaf, path } = claim
  const terms = [sender, batchId, bytesToHex(root), size, family]
  return chain.call(callOf(STRANGER, 'verifyRecord', [...terms, index, bytesToHex(leaf), hexes(path)]))
}
const verifyEnvelope = (claim: Claim, envelope: Uint8Array): Promise<CallResult> => {
  const { sender, batchId, root, size, family, index, path } = claim
  const terms = [sender, batchId, bytesToHex(root), size, family]
  return chain.call(callOf(STRANGER, 'verifyEnvelope', [...terms, index, bytesToHex(envelope), hexes(path)]))
}

/** Anchors the root, whatever it is the root of, under an id of its own. */
async function anchored(claim: Omit<Claim, 'sender' | 'batchId' | 'family'>): Promise<Claim> {
  const batchId = pad(numberToHex(++batches), { size: 32 })
  const { ok } = await chain.call(callOf(SENDER, 'anchor', [batchId, bytesToHex(claim.root), claim.size, FAMILY]))
  expect(ok).toBe(true)
  return { ...claim, sender: SENDER, batchId, family: FAMILY }
}

const envelopeAt = (index: number): Uint8Array => utf8ToBytes(`{"record":${index}}`)

/** A batch of `size` records, with the proof of one. */
function recordOf({ size, index }: { size: number; index: number }): Promise<Claim> {
  const reader = createNodeReader(Array.from({ length: size }, (_, at) => envelopeAt(at)))
  return anchored({
    root: treeRoot(reader, size),
    size: BigInt(size),
    index: BigInt(index),
    leaf: leafHash(envelopeAt(index)),
    path: inclusionProof(reader, { index, size }),
  })
}

const leafOfTree = (sizeMax: number) =>
  fc.integer({ min: 1, max: sizeMax }).chain((size) => fc.record({
    size: fc.constant(size), index: fc.integer({ min: 0, max: size - 1 }),
  }))

const flipped = (bytes: Uint8Array, bit: number): Uint8Array =>
  bytes.map((byte, at) => (at === (bit >> 3) % bytes.length ? byte ^ (1 << (bit & 7)) : byte))
const replaced = <T>(list: T[], at: number, value: T): T[] => list.map((one, index) => (index === at ? value : one))

/** Every way to be wrong by one thing. `pick` chooses where; those that change nothing are left out. */
const MUTATIONS: Record<string, (claim: Claim, pick: number) => Claim | undefined> = {
  'a bit of the leaf': (claim, pick) => ({ ...claim, leaf: flipped(claim.leaf, pick) }),
  'a bit of the root': (claim, pick) => ({ ...claim, root: flipped(claim.root, pick) }),
  'a bit of a sibling': (claim, pick) => {
    const { path } = claim
    if (path.length === 0) return undefined
    return { ...claim, path: replaced(path, pick % path.length, flipped(path[pick % path.length]!, pick)) }
  },
  'the first sibling missing': (claim) => (claim.path.length === 0 ? undefined : { ...claim, path: claim.path.slice(1) }),
  'the last sibling missing': (claim) => (claim.path.length === 0 ? undefined : { ...claim, path: claim.path.slice(0, -1) }),
  'a sibling more': (claim) => ({ ...claim, path: [...claim.path, claim.root] }),
  'a sibling twice': (claim) => (claim.path.length === 0 ? undefined : { ...claim, path: [...claim.path, claim.path.at(-1)!] }),
  'siblings in reverse': (claim) => (claim.path.length < 2 ? undefined : { ...claim, path: [...claim.path].reverse() }),
  'the leaf and its sibling exchanged': (claim) =>
    claim.path.length === 0 ? undefined : { ...claim, leaf: claim.path[0]!, path: replaced(claim.path, 0, claim.leaf) },
  'an inner node as a leaf': (claim) =>
    claim.path.length === 0
      ? undefined
      : {
          ...claim,
          index: claim.index / 2n,
          leaf: claim.index % 2n === 1n ? nodeHash(claim.path[0]!, claim.leaf) : nodeHash(claim.leaf, claim.path[0]!),
          path: claim.path.slice(1),
        },
  'another index inside the tree': (claim, pick) =>
    claim.size === 1n ? undefined : { ...claim, index: (claim.index + 1n + (BigInt(pick) % (claim.size - 1n))) % claim.size },
  'an index outside the tree': (claim, pick) => ({ ...claim, index: claim.size + BigInt(pick) }),
  'the largest index': (claim) => ({ ...claim, index: 2n ** 64n - 1n }),
  'a larger size': (claim, pick) => ({ ...claim, size: claim.size + 1n + BigInt(pick) }),
  'a smaller size': (claim) => ({ ...claim, size: claim.size - 1n }),
  'another family': (claim) => ({ ...claim, family: 3 }),
  'another sender': (claim) => ({ ...claim, sender: STRANGER }),
  'another batch': (claim) => ({ ...claim, batchId: pad('0xbad', { size: 32 }) }),
}

describe('RecordAnchor.verifyRecord', () => {
  it('is true for every record of a batch of any size', async () => {
    await fc.assert(fc.asyncProperty(leafOfTree(2000), async (leaf) => {
      const claim = await recordOf(leaf)
      expect(isTrue(await verifyRecord(claim))).toBe(true)
      expect(isTrue(await verifyEnvelope(claim, envelopeAt(leaf.index)))).toBe(true)
      expect(isTrue(await verifyEnvelope(claim, envelopeAt(leaf.index + 1)))).toBe(false)
    }), { numRuns: 60 })
  })

  it('is true for each leaf of each tree up to 33', async () => {
    for (let size = 1; size <= 33; size++) {
      for (let index = 0; index < size; index++) {
        expect(isTrue(await verifyRecord(await recordOf({ size, index }))), `${index} of ${size}`).toBe(true)
      }
    }
  })

  it.each(Object.entries(MUTATIONS))('is false with %s', async (_what, mutate) => {
    let tried = 0
    await fc.assert(fc.asyncProperty(leafOfTree(300), fc.nat(0xffff), async (leaf, pick) => {
      const wrong = mutate(await recordOf(leaf), pick)
      if (wrong === undefined) return
      tried++
      expect(isTrue(await verifyRecord(wrong))).toBe(false)
    }), { numRuns: 30, examples: [[{ size: 8, index: 5 }, 3], [{ size: 7, index: 6 }, 0]] })
    expect(tried).toBeGreaterThan(5)
  })
})

/** Climbs as the algorithm does, but stops for nothing: what a verifier reaches that forgets to check lengths. */
function climbBlindly(claim: { index: number; size: number; leaf: Uint8Array; path: Uint8Array[] }): Uint8Array {
  let [position, last, hash] = [claim.index, claim.size - 1, claim.leaf]
  for (const sibling of claim.path) {
    if (position % 2 === 1 || position === last) {
      hash = nodeHash(sibling, hash)
      while (position % 2 === 0 && position !== 0) [position, last] = [position / 2, Math.floor(last / 2)]
    } else {
      hash = nodeHash(hash, sibling)
    }
    position = Math.floor(position / 2)
    last = Math.floor(last / 2)
  }
  return hash
}

const node = fc.uint8Array({ minLength: 32, maxLength: 32 })
const anyPath = fc.record({
  size: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })),
  part: fc.double({ min: 0, max: 1.2, noNaN: true }),
  leaf: node,
  path: fc.array(node, { maxLength: 60 }),
}).map(({ part, ...rest }) => ({ ...rest, index: Math.min(Math.floor(rest.size * part), Number.MAX_SAFE_INTEGER) }))

describe('RecordAnchor.verifyRecord beside the SDK', () => {
  it('takes a path of exactly the right length, in trees beyond all memory', async () => {
    await fc.assert(fc.asyncProperty(anyPath, async (given) => {
      const { index, size, leaf } = given
      // Whatever is reached is anchored, so that only the shape of the path decides.
      const claim = await anchored({ root: climbBlindly(given), size: BigInt(size), index: BigInt(index), leaf, path: given.path })
      let fits = true
      try {
        rootFromInclusion({ index, size, hash: leaf }, given.path)
      } catch {
        fits = false
      }
      expect(isTrue(await verifyRecord(claim))).toBe(fits)
    }), { numRuns: 300 })
  })

  it.each([1, 2, 3, 1000, 1_000_000, 2 ** 40 + 1])('takes no shorter or longer path in a tree of %i', async (size) => {
    for (const index of new Set([0, size >> 1, size - 1])) {
      const full = Array.from({ length: 45 }, (_, at) => leafHash(utf8ToBytes(`sibling ${at}`)))
      const fitting = full.map((_, length) => full.slice(0, length)).filter((path) => {
        try {
          return rootFromInclusion({ index, size, hash: full[0]! }, path).length === 32
        } catch {
          return false
        }
      })
      expect(fitting).toHaveLength(1)
      for (const length of [fitting[0]!.length - 1, fitting[0]!.length, fitting[0]!.length + 1].filter((one) => one >= 0)) {
        const path = full.slice(0, length)
        const root = climbBlindly({ index, size, leaf: full[0]!, path })
        const claim = await anchored({ root, size: BigInt(size), index: BigInt(index), leaf: full[0]!, path })
        expect(isTrue(await verifyRecord(claim)), `${length} for ${index} of ${size}`).toBe(length === fitting[0]!.length)
      }
    }
  })

  it.each([[1000, 10, 41_000n], [1_000_000, 20, 52_000n]])('costs little at size %i, as a transaction', async (size, depth, gasMax) => {
    const path = Array.from({ length: depth }, (_, at) => leafHash(utf8ToBytes(`sibling ${at}`)))
    const leaf = leafHash(envelopeAt(0))
    const root = rootFromInclusion({ index: 1, size, hash: leaf }, path)
    const result = await verifyRecord(await anchored({ root, size: BigInt(size), index: 1n, leaf, path }))
    expect(isTrue(result)).toBe(true)
    expect(result.gas).toBeLessThan(gasMax)
  })
})
