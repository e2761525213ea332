import { CodedError, messageOf } from '@songhua/sdk/protocol/errors'
import { encodeRlp, encodeRlpList, splitRlpList } from '@songhua/sdk/protocol/rlp'

/**
 * The three kinds of node of a Merkle Patricia trie (Yellow Paper, appendix D) and their RLP. Paths are strings of
 * lower-case hex digits, one for each nibble: slicing and comparing them is what the engine does best. Nothing below
 * a node is decoded until it is descended into: an untouched child stays the bytes its parent holds.
 */
export type TrieNode = LeafNode | ExtensionNode | BranchNode

export interface LeafNode {
  kind: 'leaf'
  path: string
  value: Uint8Array
}

export interface ExtensionNode {
  kind: 'extension'
  /** Never empty. */
  path: string
  child: Child
}

export interface BranchNode {
  kind: 'branch'
  /** 16 of them. */
  children: (Child | undefined)[]
  value: Uint8Array | undefined
}

/** How a parent names a child: 0xa0 and the 32-byte hash, or the child's whole encoding when that is below 32 bytes. */
export type NodeReference = Uint8Array

export type Child = NodeReference | TrieNode

export const BRANCH_WIDTH = 16
const REFERENCE_PREFIX = 0xa0
const HASH_BYTES = 32
const EMPTY_STRING = Uint8Array.of(0x80)

export function referenceTo(hash: Uint8Array): NodeReference {
  const reference = new Uint8Array(1 + HASH_BYTES)
  reference[0] = REFERENCE_PREFIX
  reference.set(hash, 1)
  return reference
}

/** The hash that a reference names, undefined when the node itself is embedded. */
export function hashOfReference(reference: NodeReference): Uint8Array | undefined {
  return reference[0] === REFERENCE_PREFIX ? reference.subarray(1) : undefined
}

/** @throws CodedError `TRIE_NODE_INVALID` */
export function decodeNode(raw: Uint8Array): TrieNode {
  const items = splitNode(raw)
  if (items.length === 2) return decodeShortNode(items[0]!, items[1]!)
  if (items.length !== BRANCH_WIDTH + 1) throw invalidNode(`it has ${items.length} items, not 2 or 17`)
  const value = stringOf(items.pop()!)
  const children = items.map((item) => (item[0] === EMPTY_STRING[0] ? undefined : item))
  return { kind: 'branch', children, value: value.length === 0 ? undefined : value }
}

function splitNode(raw: Uint8Array): Uint8Array[] {
  try {
    return splitRlpList(raw, 'node', BRANCH_WIDTH + 1)
  } catch (error) {
    throw invalidNode(messageOf(error))
  }
}

function decodeShortNode(first: Uint8Array, second: Uint8Array): TrieNode {
  const { path, isLeaf } = decodePath(stringOf(first))
  if (isLeaf) return { kind: 'leaf', path, value: stringOf(second) }
  if (path === '') throw invalidNode('an extension has an empty path')
  return { kind: 'extension', path, child: second }
}

export function encodeLeaf(node: LeafNode): Uint8Array {
  return encodeRlp([encodePath(node.path, true), node.value])
}

export function encodeExtension(path: string, child: NodeReference): Uint8Array {
  return encodeRlpList([encodeRlp(encodePath(path, false)), child])
}

export function encodeBranch(children: (NodeReference | undefined)[], value: Uint8Array | undefined): Uint8Array {
  const parts = new Array<Uint8Array>(BRANCH_WIDTH + 1)
  for (let index = 0; index < BRANCH_WIDTH; index++) parts[index] = children[index] ?? EMPTY_STRING
  parts[BRANCH_WIDTH] = value === undefined ? EMPTY_STRING : encodeRlp(value)
  return encodeRlpList(parts)
}

/** Hex-prefix encoding: the first digit is 2 for a leaf plus 1 for an odd length. */
function encodePath(path: string, isLeaf: boolean): Uint8Array {
  const flag = (isLeaf ? 2 : 0) + (path.length % 2)
  return Buffer.from(path.length % 2 === 1 ? `${flag}${path}` : `${flag}0${path}`, 'hex')
}

function decodePath(encoded: Uint8Array): { path: string; isLeaf: boolean } {
  const digits = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length).toString('hex')
  const flag = digits.charCodeAt(0) - 0x30
  if (!(flag >= 0 && flag <= 3)) throw invalidNode('its path has an unknown flag')
  return { path: digits.slice(flag % 2 === 1 ? 1 : 2), isLeaf: flag >= 2 }
}

/** The bytes of an encoded string that is an item of a node. */
function stringOf(item: Uint8Array): Uint8Array {
  const first = item[0]!
  if (first < 0x80) return item
  if (first >= 0xc0) throw invalidNode('a list stands where a string belongs')
  return item.subarray(first < 0xb8 ? 1 : first - 0xb6)
}

function invalidNode(what: string): CodedError {
  return new CodedError('TRIE_NODE_INVALID', `a trie node cannot be decoded: ${what}; the state database is damaged`)
}
