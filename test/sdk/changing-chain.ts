import type { ChainReader } from '@songhua/sdk/chain/chain-reader'
import { type Hash, bytesToHex, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { encodeReceipt } from '@songhua/sdk/protocol/receipt'
import { orderedTrieRoot } from '@songhua/sdk/protocol/ordered-trie'
import type { Header } from '@songhua/sdk/protocol/header'
import { createNodeReader, inclusionProof } from '@songhua/sdk/protocol/merkle-tree'
import { checkpointOf, trustAnchorToJson } from '@songhua/sdk/protocol/trust-anchor'
import { blockReceipts, records } from '../protocol/evidence-support.js'
import { MEMBERS, type Member, createTestChain, member, sealedBy } from '../protocol/support.js'

export const batch = records(3)
export const receipts = blockReceipts(batch)
const receiptsRoot = orderedTrieRoot(receipts.map(encodeReceipt))
const ordered = (members: Member[]): Member[] => [...members].sort((a, b) => (a.address < b.address ? -1 : 1))
export const set = (...names: string[]): Member[] => ordered(names.map(member))
export const FIRST = MEMBERS
export const SECOND = set('b', 'c', 'd', 'e')
export const THIRD = set('c', 'd', 'e', 'f')

export interface ChangingChain {
  headers: Header[]
  hashes: Hash[]
  /** Which headers were read. */
  reads: number[]
  read: (number: number) => Promise<Header>
}

/** A sealed chain; at each height of `changes` that set becomes the one that seals the next block. */
export function chainOf(height: number, changes: Record<number, Member[]>): ChangingChain {
  const chain = createTestChain()
  let current: Member[] = FIRST
  for (let number = 1; number <= height; number++) {
    const next = changes[number] ?? current
    const header = chain.next({ nextValidators: next.map(({ address }) => address), round: number % 2, receiptsRoot })
    chain.append(sealedBy(header, current.slice(0, 3)))
    current = next
  }
  const reads: number[] = []
  const read = (number: number): Promise<Header> => {
    reads.push(number)
    return Promise.resolve(chain.headers[number]!)
  }
  return { headers: chain.headers, hashes: chain.hashes, reads, read }
}

/** What an honest endpoint tells of it. */
export function readerOf({ headers, hashes, read }: ChangingChain): ChainReader {
  const readNode = createNodeReader(hashes.map((hash) => hexToBytes(hash)))
  return {
    head: () => Promise.resolve(headers.length - 1),
    header: read,
    receipts: () => Promise.resolve(receipts),
    historyPath: ({ number, size }) => Promise.resolve(inclusionProof(readNode, { index: number, size }).map(bytesToHex)),
  }
}

export function trustIn({ headers }: Pick<ChangingChain, 'headers'>, ...checkpoints: number[]) {
  return trustAnchorToJson({
    chainId: 230099, genesisHeader: headers[0]!, checkpoints: checkpoints.map((at) => checkpointOf(headers[at]!)),
  })
}
