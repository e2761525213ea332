import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeReceipt, type Receipt } from '@songhua/sdk/protocol/receipt'
import { verifyEvidence } from '@songhua/sdk/protocol/evidence'
import { ANCHOR_CONTRACT, ANCHOR_EVENT } from '@songhua/sdk/protocol/evidence-receipt'
import { bloomOf } from '@songhua/sdk/protocol/bloom'
import { type Address, type Hash, bytesToHex, concatBytes, hexToBytes, padLeft } from '@songhua/sdk/protocol/bytes'
import { orderedTrieRoot } from '@songhua/sdk/protocol/ordered-trie'
import { decodeTransaction } from '@songhua/sdk/protocol/transaction'
import { checkpointOf, trustAnchorToJson } from '@songhua/sdk/protocol/trust-anchor'
import { inclusionProof, createNodeReader } from '@songhua/sdk/protocol/merkle-tree'
import type { ChainProofs, ChainWriter, LocatedTransaction } from '@songhua/node/gateway/ports'
import { FIRST_CHANGE, SECOND_CHANGE, setOf } from '../protocol/evidence-support.js'
import { createTestChain, sealedBy } from '../protocol/support.js'
import { createTempFolders } from '../storage/temp-folder.js'
import { type AnchorChain, createAnchorChain } from './anchor-chain.js'
import { acceptAll, anchorAll, event, licence, licences, openGateway } from './engine-fixture.js'

const tempFolder = createTempFolders()
let chain: AnchorChain
beforeAll(async () => {
  chain = await createAnchorChain()
})
afterAll(() => chain.stop())

const sizesSince = (before: number): number[] =>
  chain
    .anchored()
    .slice(before)
    .map(({ size }) => Number(size))

describe('a batch is closed', () => {
  it('by count', async () => {
    const gateway = await openGateway(await tempFolder(), chain, {
      options: { batch: { recordsMax: 4, delayMsMax: 60_000 } },
    })
    const before = chain.anchored().length
    const ids = await acceptAll(gateway, licences(11))
    await anchorAll(gateway, chain, ids.slice(0, 8))
    expect(sizesSince(before)).toEqual([4, 4])
    expect((await gateway.engine.shelf.get(ids[8]!))!.status).toBe('accepted')
    await gateway.stop()
  })

  it('by the bytes of its envelopes', async () => {
    const gateway = await openGateway(await tempFolder(), chain, {
      options: { batch: { bytesMax: 2_000, delayMsMax: 200 } },
    })
    const before = chain.anchored().length
    const ids = await acceptAll(gateway, licences(10))
    const { envelope } = (await gateway.engine.shelf.get(ids[0]!))!
    const fit = Math.floor(2_000 / JSON.stringify(envelope).length)
    await anchorAll(gateway, chain, ids)
    const sizes = sizesSince(before)
    expect(sizes.every((size) => size <= fit)).toBe(true)
    expect(sizes.reduce((sum, size) => sum + size)).toBe(10)
    await gateway.stop()
  })

  it('by time, and for each family its own', async () => {
    const gateway = await openGateway(await tempFolder(), chain, { options: { batch: { delayMsMax: 30 } } })
    const before = chain.anchored().length
    const ids = await acceptAll(gateway, [licence(1), event(1), licence(2)])
    await anchorAll(gateway, chain, ids)
    expect(
      chain
        .anchored()
        .slice(before)
        .map(({ family, size }) => [Number(family), Number(size)])
        .sort(),
    ).toEqual([
      [1, 2],
      [2, 1],
    ])
    await gateway.stop()
  })

  it('with ten thousand records at once, while others are served', async () => {
    const gateway = await openGateway(await tempFolder(), chain)
    const before = chain.anchored().length
    let turns = 0
    const turning = setInterval(() => turns++, 1)
    const ids = await acceptAll(gateway, licences(10_000))
    clearInterval(turning)
    // A thread that is kept from start to end gives none.
    expect(turns).toBeGreaterThan(20)
    await anchorAll(gateway, chain, ids)
    expect(sizesSince(before)).toEqual([10_000])
    for (const id of [ids[0]!, ids[5_000]!, ids[9_999]!]) {
      const evidence = JSON.stringify(await gateway.engine.shelf.evidence(id))
      expect(verifyEvidence(evidence, { trustAnchor: chain.trustAnchor() }).valid).toBe(true)
    }
    await gateway.stop()
  }, 60_000)
})

// ---------------------------------------------------------------------------------------- changes of validators

const word = (value: bigint): Uint8Array => padLeft(hexToBytes(`0x${value.toString(16).padStart(2, '0')}`), 32)

/** What `RecordAnchor` says when that transaction is executed. */
function receiptOf(raw: Uint8Array): Receipt {
  const { data, sender } = decodeTransaction(raw)
  const [batchId, root, size, family] = [0, 1, 2, 3].map((at) => data.subarray(4 + at * 32, 36 + at * 32)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ]
  const topics = [ANCHOR_EVENT, bytesToHex(padLeft(hexToBytes(sender), 32)), bytesToHex(batchId), bytesToHex(root)]
  const logs = [{ address: ANCHOR_CONTRACT, topics, data: concatBytes(size, family) }]
  return { type: 2, status: 1, cumulativeGasUsed: 50_000n, logsBloom: bloomOf(logs), logs }
}

/** Four validators, of whom some change at two blocks; no EVM, but real headers, seals, receipts and history. */
function createChangingChain(setAt = setOf) {
  const chain = createTestChain()
  const pool: { raw: Uint8Array; hash: Hash; sender: Address }[] = []
  const located = new Map<Hash, LocatedTransaction>()
  const listeners = new Set<() => void>()
  const writer: ChainWriter = {
    pendingNonce: () => Promise.resolve(BigInt(located.size + pool.length)),
    submit(raw) {
      const { hash, sender } = decodeTransaction(raw)
      if (!located.has(hash) && !pool.some((one) => one.hash === hash)) pool.push({ raw, hash, sender })
      return Promise.resolve()
    },
    locate: (hash) => Promise.resolve(located.get(hash)),
    onBlock(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const proofs: ChainProofs = {
    head: () => Promise.resolve(chain.headers.length - 1),
    header: (number) => Promise.resolve(chain.headers[number]!),
    historyPath: ({ number, size }) =>
      Promise.resolve(
        inclusionProof(createNodeReader(chain.hashes.map((hash) => hexToBytes(hash))), { index: number, size }).map(
          bytesToHex,
        ),
      ),
  }
  const mine = (): void => {
    const number = chain.headers.length
    const transactions = pool.splice(0)
    const receipts = transactions.map(({ raw }) => receiptOf(raw))
    const header = chain.next({
      nextValidators: setAt(number + 1).map(({ address }) => address),
      round: 0,
      ...(receipts.length === 0 ? {} : { receiptsRoot: orderedTrieRoot(receipts.map(encodeReceipt)) }),
    })
    chain.append(sealedBy(header, setAt(number).slice(0, 3)))
    transactions.forEach(({ hash }, transactionIndex) =>
      located.set(hash, { header: chain.headers[number]!, receipts, transactionIndex }),
    )
    for (const listener of listeners) listener()
  }
  const trustAnchor = (...heights: number[]) =>
    trustAnchorToJson({
      chainId: 230099,
      genesisHeader: chain.headers[0]!,
      checkpoints: heights.map((height) => checkpointOf(chain.headers[height]!)),
    })
  return { writer, proofs, mine, trustAnchor, genesisHash: chain.hashes[0]!, height: () => chain.headers.length - 1 }
}

describe('bundles across changes of the validators', () => {
  it('name the changes before them, and keep each header once', async () => {
    const changing = createChangingChain()
    const like = { ...chain, ...changing, keepMining: () => () => Promise.resolve() } as unknown as AnchorChain
    const folder = await tempFolder()
    let gateway = await openGateway(folder, like, { options: { batch: { delayMsMax: 1 } } })
    const anchored: { id: string; changes: number }[] = []
    for (const [upTo, changes] of [
      [3, 0],
      [FIRST_CHANGE + 3, 1],
      [SECOND_CHANGE + 3, 2],
      [SECOND_CHANGE + 6, 2],
    ] as const) {
      while (changing.height() < upTo) changing.mine()
      const [id] = await acceptAll(gateway, [licence(upTo)])
      while (!(await gateway.engine.intake.anchored([id!], 30))) changing.mine()
      anchored.push({ id: id!, changes })
      await gateway.stop()
      gateway = await openGateway(folder, like, { options: { batch: { delayMsMax: 1 } } })
    }
    changing.mine()
    const headers: number[] = []
    for await (const [key] of gateway.table.entries({ from: Uint8Array.of(0x44), below: Uint8Array.of(0x45) }))
      headers.push(key[8]!)
    expect(headers).toEqual([FIRST_CHANGE, SECOND_CHANGE])
    for (const { id, changes } of anchored) {
      const evidence = (await gateway.engine.shelf.evidence(id))!
      expect(evidence.validatorHistory).toHaveLength(changes)
      expect(verifyEvidence(JSON.stringify(evidence), { trustAnchor: changing.trustAnchor() }).valid).toBe(true)
      const refreshed = await gateway.engine.shelf.evidence(id, evidence.anchor.blockNumber + 1)
      expect(verifyEvidence(JSON.stringify(refreshed), { trustAnchor: changing.trustAnchor() }).valid).toBe(true)
    }
    await gateway.stop()
  })

  it('lead through the set of a checkpoint, when that is asked, though the set changed and changed back', async () => {
    const changing = createChangingChain((number) => setOf(number >= 5 && number < 9 ? FIRST_CHANGE + 1 : 1))
    const like = { ...chain, ...changing, keepMining: () => () => Promise.resolve() } as unknown as AnchorChain
    const gateway = await openGateway(await tempFolder(), like, { options: { batch: { delayMsMax: 1 } } })
    while (changing.height() < 12) changing.mine()
    const [id] = await acceptAll(gateway, [licence(1)])
    while (!(await gateway.engine.intake.anchored([id!], 30))) changing.mine()
    const holds = async (under: number | undefined, trustAnchor: unknown): Promise<boolean> =>
      verifyEvidence(JSON.stringify(await gateway.engine.shelf.evidence(id!, under)), { trustAnchor }).valid
    expect(await holds(undefined, changing.trustAnchor())).toBe(true)
    expect(await holds(undefined, changing.trustAnchor(6))).toBe(false)
    expect(await holds(6, changing.trustAnchor(6))).toBe(true)
    expect(await holds(6, changing.trustAnchor())).toBe(true)
    await gateway.stop()
  })

  it('does not take an event of another sender, size or root for its own', async () => {
    const changing = createChangingChain()
    const mangled: ChainWriter = {
      ...changing.writer,
      locate: async (hash) => {
        const found = await changing.writer.locate(hash)
        const [receipt] = found?.receipts ?? []
        if (found === undefined || receipt === undefined) return found
        const [log] = receipt.logs
        const topics = [log!.topics[0]!, bytesToHex(word(7n)), ...log!.topics.slice(2)]
        return { ...found, receipts: [{ ...receipt, logs: [{ ...log!, topics }] }] }
      },
    }
    const like = { ...chain, ...changing, writer: mangled } as unknown as AnchorChain
    const gateway = await openGateway(await tempFolder(), like)
    const [id] = await acceptAll(gateway, [licence(1)])
    for (let block = 0; block < 5; block++) {
      await new Promise((resolve) => setTimeout(resolve, 30))
      changing.mine()
    }
    expect((await gateway.engine.shelf.get(id!))!.status).not.toBe('anchored')
    expect(gateway.engine.stats().attemptsFailedTotal).toBeGreaterThan(0)
    await gateway.stop()
  })
})
