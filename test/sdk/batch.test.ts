import { Interface, solidityPackedKeccak256, toUtf8Bytes } from 'ethers'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { recordAnchor } from '@songhua/contracts/generated/RecordAnchor'
import { anchorCall, batchIdOf, type BatchTree } from '@songhua/sdk/chain/batch'
import { bytesToHex } from '@songhua/sdk/protocol/bytes'
import { RECORD_FAMILIES, type RecordFamily } from '@songhua/sdk/protocol/evidence-envelope'

const abi = new Interface(recordAnchor.abi)
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytesToHex)
const tree: fc.Arbitrary<BatchTree> = fc.record({
  root: hash,
  size: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  family: fc.constantFrom<RecordFamily>('government', 'trace', 'credit'),
})

describe('a batch', () => {
  it('is called for as the contract’s ABI has it', () => {
    fc.assert(
      fc.property(tree, hash, (batch, batchId) => {
        const expected = abi.encodeFunctionData('anchor', [batchId, batch.root, batch.size, RECORD_FAMILIES[batch.family]])
        expect(bytesToHex(anchorCall({ ...batch, batchId }))).toBe(expected)
      }),
    )
  })

  it('has the id that Solidity’s packed encoding gives', () => {
    fc.assert(
      fc.property(tree, (batch) => {
        const values = [toUtf8Bytes('songhua.batch/1'), batch.root, batch.size, RECORD_FAMILIES[batch.family]]
        const expected = solidityPackedKeccak256(['bytes', 'bytes32', 'uint64', 'uint8'], values)
        expect(batchIdOf(batch)).toBe(expected)
      }),
    )
  })

  it('has another id for another root, size or family', () => {
    const batch: BatchTree = { root: `0x${'11'.repeat(32)}`, size: 7, family: 'trace' }
    const others: BatchTree[] = [
      { ...batch, root: `0x${'11'.repeat(31)}12` }, { ...batch, size: 8 }, { ...batch, family: 'credit' },
    ]
    expect(new Set([batch, ...others].map(batchIdOf)).size).toBe(4)
  })

  it('refuses a root that is none and a size that no contract takes', () => {
    const batch: BatchTree = { root: `0x${'11'.repeat(32)}`, size: 7, family: 'trace' }
    expect(() => batchIdOf({ ...batch, root: '0xzz' })).toThrow(/root/)
    expect(() => batchIdOf({ ...batch, size: -1 })).toThrow(/-1/)
    expect(() => batchIdOf({ ...batch, size: 1.5 })).toThrow(/1.5/)
  })
})
