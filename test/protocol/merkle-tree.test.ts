import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { type Hash, bytesToHex, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { sha256 } from '@songhua/sdk/protocol/crypto'
import {
  EMPTY_FRONTIER,
  type HistoryFrontier,
  appendHash,
  frontierRoot,
  proveBlock,
  proveHistoryExtends,
  verifyAncestor,
  verifyBlockInclusion,
  verifyHistoryExtends,
} from '@songhua/sdk/protocol/history-tree'
import {
  type ConsistencyClaim,
  consistencyProof,
  createMerkleTree,
  createNodeReader,
  inclusionProof,
  leafHash,
  merkleRoot,
  nodeHash,
  verifyConsistency,
  verifyInclusion,
} from '@songhua/sdk/protocol/merkle-tree'
import { codeOf, createTestChain } from './support.js'

/** The reference tree of Certificate Transparency: eight leaves, the roots of its first n, and proofs. */
const LEAVES = [
  '0x', '0x00', '0x10', '0x2021', '0x3031', '0x40414243', '0x5051525354555657', '0x606162636465666768696a6b6c6d6e6f',
].map((leaf) => hexToBytes(leaf))
const ROOTS = [
  '0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '0x6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  '0xfac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  '0xaeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  '0xd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '0x4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '0x76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  '0xddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '0x5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]
const hexes = (path: readonly Uint8Array[]): string[] => path.map((node) => bytesToHex(node))

describe('the reference tree of Certificate Transparency', () => {
  it('has its roots', () => {
    expect(ROOTS.map((_, size) => bytesToHex(merkleRoot(LEAVES.slice(0, size))))).toEqual(ROOTS)
  })

  it('has its proofs', () => {
    const reader = createNodeReader(LEAVES)
    const first = [
      '0x96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '0x5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '0x6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ]
    expect(hexes(inclusionProof(reader, { index: 0, size: 8 }))).toEqual(first)
    expect(hexes(consistencyProof(reader, { oldSize: 1, newSize: 8 }))).toEqual(first)
    expect(hexes(consistencyProof(reader, { oldSize: 6, newSize: 8 }))).toEqual([
      '0x0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      '0xca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      ROOTS[4],
    ])
  })
})

/** RFC 9162 §2.1.1 word for word. */
function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return sha256(new Uint8Array(0))
  if (leaves.length === 1) return leafHash(leaves[0]!)
  let k = 1
  while (k * 2 < leaves.length) k *= 2
  return nodeHash(naiveRoot(leaves.slice(0, k)), naiveRoot(leaves.slice(k)))
}

const many = Array.from({ length: 40 }, (_, at) => Uint8Array.of(at))
const reader = createNodeReader(many)
const roots = Array.from({ length: many.length + 1 }, (_, size) => naiveRoot(many.slice(0, size)))

describe('every tree of up to 40 leaves', () => {
  it('has the root of the definition', () => {
    roots.forEach((root, size) => expect(merkleRoot(many.slice(0, size))).toEqual(root))
  })

  it('proves each of its leaves, and no leaf in another place', () => {
    for (let size = 1; size <= many.length; size++) {
      const tree = createMerkleTree(many.slice(0, size).map(leafHash))
      expect(tree.root).toEqual(roots[size])
      expect(() => tree.path(size)).toThrow(expect.objectContaining({ code: 'TREE_INDEX' }))
      for (let index = 0; index < size; index++) {
        const path = inclusionProof(reader, { index, size })
        expect(tree.path(index)).toEqual(path)
        const proof = { leaf: leafHash(many[index]!), index, size, path, root: roots[size]! }
        expect(() => verifyInclusion(proof)).not.toThrow()
        expect(() => verifyInclusion({ ...proof, leaf: leafHash(many[(index + 1) % 40]!) })).toThrow()
        if (size > 1) expect(() => verifyInclusion({ ...proof, index: (index + 1) % size })).toThrow()
      }
    }
  })

  it('proves that it extends each smaller one, and no other', () => {
    for (let newSize = 0; newSize <= many.length; newSize++) {
      for (let oldSize = 0; oldSize <= newSize; oldSize++) {
        const proof = consistencyProof(reader, { oldSize, newSize })
        const claim = { oldSize, newSize, oldRoot: roots[oldSize]!, newRoot: roots[newSize]!, proof }
        expect(() => verifyConsistency(claim)).not.toThrow()
        const other = sha256(Uint8Array.of(1))
        expect(() => verifyConsistency({ ...claim, oldRoot: other })).toThrow()
        if (oldSize > 0) expect(() => verifyConsistency({ ...claim, newRoot: other })).toThrow()
      }
    }
  })
})

describe('a bad inclusion proof', () => {
  const size = 11
  const index = 6
  const path = inclusionProof(reader, { index, size })
  const good = { leaf: leafHash(many[index]!), index, size, path, root: roots[size]! }
  const swapped = [good.path[1]!, good.path[0]!, ...good.path.slice(2)]
  it.each<[string, string, Partial<typeof good>]>([
    ['cut short', 'TREE_PROOF_LENGTH', { path: good.path.slice(0, -1) }],
    ['made longer', 'TREE_PROOF_LENGTH', { path: [...good.path, roots[3]!] }],
    ['siblings swapped', 'TREE_ROOT_MISMATCH', { path: swapped }],
    ['a sibling changed', 'TREE_ROOT_MISMATCH', { path: [roots[3]!, ...good.path.slice(1)] }],
    ['wrong index', 'TREE_ROOT_MISMATCH', { index: 7 }],
    ['larger tree', 'TREE_PROOF_LENGTH', { size: 17 }],
    ['smaller tree', 'TREE_PROOF_LENGTH', { size: 7 }],
    ['index outside', 'TREE_INDEX', { index: 11 }],
    ['negative index', 'TREE_INDEX', { index: -1 }],
    ['fractional index', 'TREE_INDEX', { index: 1.5 }],
    ['empty tree', 'TREE_INDEX', { size: 0 }],
    ['size not a number', 'TREE_SIZE', { size: NaN }],
    ['an inner node as leaf', 'TREE_ROOT_MISMATCH', { leaf: nodeHash(leafHash(many[6]!), leafHash(many[7]!)) }],
    ['root of another tree', 'TREE_ROOT_MISMATCH', { root: roots[12]! }],
  ])('is refused: %s', (_, code, change) => {
    expect(codeOf(() => verifyInclusion({ ...good, ...change }))).toBe(code)
  })
})

describe('a bad consistency proof', () => {
  const good: ConsistencyClaim = {
    oldSize: 6,
    newSize: 11,
    oldRoot: roots[6]!,
    newRoot: roots[11]!,
    proof: consistencyProof(reader, { oldSize: 6, newSize: 11 }),
  }
  it.each<[string, string, Partial<ConsistencyClaim>]>([
    ['empty', 'TREE_PROOF_LENGTH', { proof: [] }],
    ['cut short', 'TREE_PROOF_LENGTH', { proof: good.proof.slice(0, -1) }],
    ['made longer', 'TREE_PROOF_LENGTH', { proof: [...good.proof, roots[1]!] }],
    ['another old root', 'TREE_ROOT_MISMATCH', { oldRoot: roots[5]! }],
    ['another new root', 'TREE_ROOT_MISMATCH', { newRoot: roots[10]! }],
    ['sizes swapped', 'TREE_SIZE', { oldSize: 11, newSize: 6 }],
    ['a proof for equal sizes', 'TREE_PROOF_LENGTH', { newSize: 6 }],
    ['equal sizes, other roots', 'TREE_ROOT_MISMATCH', { newSize: 6, proof: [] }],
    ['an empty tree with a root', 'TREE_ROOT_MISMATCH', { oldSize: 0, proof: [] }],
  ])('is refused: %s', (_, code, change) => {
    expect(codeOf(() => verifyConsistency({ ...good, ...change }))).toBe(code)
  })
})

describe('the history tree', () => {
  const nodes = new Map<string, Hash>()
  const readNode = (level: number, index: number): Hash | undefined => nodes.get(`${level}/${index}`)
  const hashes = Array.from({ length: 70 }, (_, at) => bytesToHex(sha256(Uint8Array.of(at))))
  const frontiers: HistoryFrontier[] = [EMPTY_FRONTIER]
  for (const hash of hashes) {
    const appended = appendHash(frontiers.at(-1)!, hash)
    frontiers.push(appended.frontier)
    for (const node of appended.nodes) {
      // Complete subtrees appear once and never change.
      expect(nodes.has(`${node.level}/${node.index}`)).toBe(false)
      nodes.set(`${node.level}/${node.index}`, node.hash)
    }
  }

  it('has at every size the root of the tree over the hashes', () => {
    frontiers.forEach((frontier, size) => {
      expect(frontierRoot(frontier)).toBe(bytesToHex(merkleRoot(hashes.slice(0, size).map((hash) => hexToBytes(hash)))))
      expect(frontier.peaks).toHaveLength([...size.toString(2)].filter((bit) => bit === '1').length)
    })
  })

  it('proves any block under any later root, from the nodes that appending gave', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.nat(69), (size, at) => {
        const number = at % size
        const path = proveBlock(readNode, { number, size })
        const proof = { number, blockHash: hashes[number]!, size, root: frontierRoot(frontiers[size]!), path }
        expect(() => verifyBlockInclusion(proof)).not.toThrow()
        expect(() => verifyBlockInclusion({ ...proof, blockHash: hashes[(number + 1) % 70]! })).toThrow()
      }),
    )
  })

  it('says which node a store has lost', () => {
    expect(codeOf(() => proveBlock(() => undefined, { number: 0, size: 2 }))).toBe('TREE_NODE_MISSING')
    expect(codeOf(() => proveBlock(readNode, { number: 70, size: 70 }))).toBe('TREE_INDEX')
  })

  it('counts beyond 32 bits', () => {
    const size = 2 ** 40 + 5
    const peaks = [2 ** 40, 4, 1].map((_, at) => hashes[at]!)
    const { frontier, nodes: completed } = appendHash({ size, peaks }, hashes[9]!)
    expect(frontier.size).toBe(size + 1)
    expect(completed.map(({ level, index }) => [level, index])).toEqual([[0, size], [1, (size - 1) / 2]])
    const node = (): Hash => hashes[3]!
    const path = proveBlock(node, { number: 2 ** 39 + 1, size })
    expect(path).toHaveLength(41)
  })
})

describe('headers of a chain', () => {
  const chain = createTestChain()
  const nodes = new Map<string, Hash>()
  for (let at = 0; at < 20; at++) chain.append()
  let frontier = EMPTY_FRONTIER
  for (const hash of chain.hashes) {
    const appended = appendHash(frontier, hash)
    frontier = appended.frontier
    for (const { level, index, hash: node } of appended.nodes) nodes.set(`${level}/${index}`, node)
  }
  const readNode = (level: number, index: number): Hash | undefined => nodes.get(`${level}/${index}`)

  it('each prove every block before them', () => {
    for (let size = 1; size <= 20; size++) {
      for (let number = 0; number < size; number++) {
        const path = proveBlock(readNode, { number, size })
        expect(() => verifyAncestor(chain.headers[size]!, { number, hash: chain.hashes[number]!, path })).not.toThrow()
      }
    }
    const path = proveBlock(readNode, { number: 4, size: 20 })
    const wrong = { number: 4, hash: chain.hashes[5]!, path }
    expect(codeOf(() => verifyAncestor(chain.headers[20]!, wrong))).toBe('TREE_ROOT_MISMATCH')
    expect(codeOf(() => verifyAncestor(chain.headers[4]!, { ...wrong, path: [] }))).toBe('TREE_INDEX')
  })

  it('prove that the later extends the earlier, the genesis included', () => {
    for (const [earlier, later] of [[0, 1], [0, 20], [1, 20], [7, 13], [16, 20], [20, 20]] as const) {
      const proof = proveHistoryExtends(readNode, { oldSize: earlier, newSize: later })
      expect(() => verifyHistoryExtends(chain.headers[earlier]!, chain.headers[later]!, proof)).not.toThrow()
    }
    const other = createTestChain()
    for (let at = 0; at < 13; at++) other.append(other.next({ gasUsed: 1n }))
    const proof = proveHistoryExtends(readNode, { oldSize: 7, newSize: 13 })
    expect(codeOf(() => verifyHistoryExtends(chain.headers[7]!, other.headers[13]!, proof))).toBe('TREE_ROOT_MISMATCH')
  })
})
