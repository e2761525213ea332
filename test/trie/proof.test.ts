import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EMPTY_CODE_HASH, EMPTY_TRIE_ROOT, decodeAccount, encodeAccount } from '@songhua/sdk/protocol/account'
import { type Address, type Hash, type Hex, bytesToHex, hexToBytes, padLeft } from '@songhua/sdk/protocol/bytes'
import { keccak256, keccak256Hex } from '@songhua/sdk/protocol/crypto'
import { verifyMptProof } from '@songhua/sdk/protocol/mpt-proof'
import { trieProof } from '@songhua/node/trie/lookup'
import { type StateDiff, emptyStateDiff } from '@songhua/node/trie/state'
import { accountProof, storageProof, updateStateTrie } from '@songhua/node/trie/state-trie'
import { createTestTrie } from './map-store.js'

const code = (value: string): Error => expect.objectContaining({ code: value }) as Error

describe('trieProof', () => {
  const keyOf = (index: number): Hex => keccak256Hex(Uint8Array.of(index))

  it('proves every value and every absence, and nothing once a byte is changed', () => {
    const sizes = fc.array(fc.tuple(fc.nat(80), fc.uint8Array({ minLength: 1, maxLength: 60 })), { maxLength: 60 })
    fc.assert(
      fc.property(sizes, fc.nat(80), fc.nat(), (entries, asked, position) => {
        const trie = createTestTrie()
        trie.update(entries.map(([index, value]) => [keyOf(index), value]))
        const proof = trieProof(trie, trie.root, keyOf(asked))
        const claim = { root: trie.root, key: hexToBytes(keyOf(asked)), proof }
        const expected = entries.findLast(([index]) => index === asked)?.[1]
        expect(verifyMptProof(claim)).toEqual(expected)

        const node = proof[position % Math.max(1, proof.length)]
        if (node === undefined) return
        const forged = node.with(position % node.length, node[position % node.length]! ^ 1)
        const broken = proof.map((raw) => (raw === node ? forged : raw))
        expect(() => verifyMptProof({ ...claim, proof: broken })).toThrow(code('MPT_PROOF_HASH'))
      }),
      { numRuns: 200 },
    )
  })

  it('of the empty trie is empty', () => {
    expect(trieProof(createTestTrie(), EMPTY_TRIE_ROOT, keyOf(1))).toEqual([])
  })
})

describe('eth_getProof', () => {
  const addressOf = (index: number): Address => bytesToHex(padLeft(Uint8Array.of(index + 1), 20))
  const slotOf = (index: number): Hash => bytesToHex(padLeft(Uint8Array.of(index), 32))

  /** 50 accounts; account n has n slots, slot i with the value i + 1. */
  function createState() {
    const diff: StateDiff = emptyStateDiff()
    for (let index = 0; index < 50; index++) {
      diff.accounts.set(addressOf(index), {
        nonce: BigInt(index + 1), balance: 0n, storageRoot: EMPTY_TRIE_ROOT, codeHash: EMPTY_CODE_HASH,
      })
      const slots = Array.from({ length: index }, (_, slot): [Hash, bigint] => [slotOf(slot), BigInt(slot + 1)])
      diff.storage.set(addressOf(index), new Map(slots))
    }
    const { root, nodes, accounts } = updateStateTrie({ getNode: () => undefined }, EMPTY_TRIE_ROOT, diff)
    return { root, accounts, store: { getNode: (hash: Hash) => nodes.get(hash) } }
  }

  it('proves accounts, their slots, and the absence of either', () => {
    const { root, accounts, store } = createState()
    for (let index = 0; index < 55; index++) {
      const address = addressOf(index)
      const key = keccak256(hexToBytes(address))
      const proven = verifyMptProof({ root, key, proof: accountProof(store, root, address) })
      const account = accounts.get(address)
      expect(proven).toEqual(account ? encodeAccount(account) : undefined)
      if (proven === undefined) continue
      const { storageRoot } = decodeAccount(proven)
      for (const slot of [0, index - 1, index, index + 7].filter((number) => number >= 0)) {
        const proof = storageProof(store, storageRoot, slotOf(slot))
        const value = verifyMptProof({ root: storageRoot, key: keccak256(hexToBytes(slotOf(slot))), proof })
        expect(value).toEqual(slot < index ? Uint8Array.of(slot + 1) : undefined)
      }
    }
  })

  it('of one account does not prove another', () => {
    const { root, store } = createState()
    const key = keccak256(hexToBytes(addressOf(8)))
    const proof = accountProof(store, root, addressOf(7))
    expect(() => verifyMptProof({ root, key, proof })).toThrow(code('MPT_PROOF_HASH'))
  })

  it('names a node that is missing', () => {
    const { root } = createState()
    expect(() => accountProof({ getNode: () => undefined }, root, addressOf(0))).toThrow(code('TRIE_NODE_MISSING'))
  })
})
