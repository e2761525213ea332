import type { Logger } from '@songhua/node/base/logger'
import type { BlockExecutor, Packing } from '@songhua/node/execution/block-executor'
import { createBlockRunner } from '@songhua/node/services/block-runner'
import type { StateReader } from '@songhua/node/trie/state'
import type { Hash } from '@songhua/sdk/protocol/bytes'
import { expect, it } from 'vitest'
import { BLOCK_GAS_LIMIT, sender, transactionOf } from './transactions.js'

const quiet: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, child: () => quiet }

it('what a quota keeps out of a block is not set aside, and so not due before all others; what its nonce or funds do is', async () => {
  const [dear, poor] = [transactionOf(sender(1), 0), transactionOf(sender(2), 0)]
  const refused = [
    { transaction: dear, reason: { code: 'QUOTA_ORGANISATION_GAS', message: 'used up', details: {} } },
    { transaction: poor, reason: { code: 'NONCE_TOO_HIGH', message: 'a nonce is missing' } },
  ]
  const packing = { refused, overran: undefined, validatorsKept: undefined } as unknown as Packing
  const executor = { packBlock: () => Promise.resolve(packing) } as unknown as BlockExecutor
  const aside: [Hash, number][] = []
  const runner = createBlockRunner({ gasLimit: BLOCK_GAS_LIMIT, validators: () => [], blockHash: () => undefined }, {
    executor, state: {} as StateReader, clock: { now: () => 0, after: () => () => undefined }, logger: quiet,
    pool: { executable: () => [], setAside: (hash, untilHeight) => void aside.push([hash, untilHeight]) },
  })
  await runner.pack({ number: 7, timestamp: 1, coinbase: sender(9) }, 1_000)
  expect(aside).toEqual([[poor.hash, 15]])
})
