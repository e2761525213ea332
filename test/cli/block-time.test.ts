import { describe, expect, it } from 'vitest'
import { bytesToHex } from '@songhua/sdk/protocol/bytes'
import { encodeExtraData, vanityOf } from '@songhua/sdk/protocol/extra-data'
import { blockTimeOf } from '@songhua/node/cli/block-time'

const vanity = vanityOf(`0x${'ab'.repeat(32)}`, 1_760_000_000_123)
const extraData = bytesToHex(encodeExtraData({ vanity, validators: [], round: 0, seals: [] }))

describe('the time of a block', () => {
  it('has the milliseconds that its vanity holds', () => {
    expect(blockTimeOf({ number: '0x1', timestamp: '0x68e77800', extraData })).toBe('2025-10-09T08:53:20.123Z')
  })

  it('is the timestamp alone at the genesis, whose vanity is a hash', () => {
    expect(blockTimeOf({ number: '0x0', timestamp: '0x68e77800', extraData })).toBe('2025-10-09T08:53:20.000Z')
  })
})
