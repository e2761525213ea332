import { beforeAll, describe, expect, it } from 'vitest'
import { headerWithRound } from '@songhua/sdk/protocol/block-hash'
import { installNativeCrypto } from '@songhua/node/execution/native-crypto'
import { transaction } from './fixture.js'
import { createWorld } from '../sim/world.js'

beforeAll(async () => {
  await installNativeCrypto()
})

/** Node 3 of four is at block 1; block 2, with one transaction, was sealed without it. */
async function oneBehind() {
  const world = await createWorld({ n: 4 })
  await world.untilHeight(1, 1_000)
  world.links = { ...world.links, passes: (from, to) => from !== 3 && to !== 3 }
  world.submit(transaction(0))
  await world.untilHeight(2, 10_000, world.nodes.slice(0, 3))
  return { node: world.node(3), sealed: world.node(0).blocks[2]! }
}

describe('a sealed header over another body', () => {
  it('is refused, also when the block that it names was executed before', async () => {
    const { node, sealed } = await oneBehind()
    await node.chain.check({ ...sealed, header: headerWithRound(sealed.header, 0) })
    const spoiled = { ...sealed, transactions: [transaction(7)] }
    await expect(node.chain.importSealed(spoiled)).rejects.toMatchObject({ code: 'BLOCK_TRANSACTIONS_ROOT' })
    expect(node.height).toBe(1)
    expect(await node.chain.importSealed(sealed)).toBe('imported')
    expect(node.blocks[2]!.transactions).toHaveLength(1)
  })

  it('spoils nothing for the good block that is checked at the same time', async () => {
    const { node, sealed } = await oneBehind()
    const refused = node.chain.importSealed({ ...sealed, transactions: [] })
    await Promise.all([
      expect(refused).rejects.toMatchObject({ code: 'BLOCK_TRANSACTIONS_ROOT' }),
      node.chain.check(sealed),
    ])
    expect(await node.chain.importSealed(sealed)).toBe('imported')
  })
})
