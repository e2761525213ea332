import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { utf8ToBytes } from '@songhua/sdk/protocol/bytes'
import { verifyEvidence } from '@songhua/sdk/protocol/evidence'
import { signTransaction } from '@songhua/sdk/protocol/transaction'
import type { SubmittedRecord } from '@songhua/node/gateway/model'
import type { ChainWriter } from '@songhua/node/gateway/ports'
import { createTempFolders } from '../storage/temp-folder.js'
import { type AnchorChain, CHAIN_ID, createAnchorChain } from './anchor-chain.js'
import {
  ACCOUNT_KEY,
  type Death,
  type Gateway,
  acceptAll,
  anchorAll,
  event,
  licence,
  licences,
  openGateway,
  submission,
} from './engine-fixture.js'

const tempFolder = createTempFolders()
let chain: AnchorChain
beforeAll(async () => {
  chain = await createAnchorChain()
})
afterAll(() => chain.stop())

const RECORDS: SubmittedRecord[] = [...licences(3), event(1), event(2)]
const REQUEST = { idempotency: { key: 'k', request: utf8ToBytes('the request') } }
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Records in the batches that the chain has got since. */
const anchoredSince = (before: number): number =>
  chain
    .anchored()
    .slice(before)
    .reduce((sum, { size }) => sum + Number(size), 0)

async function allRecords({ engine }: Gateway): Promise<string[]> {
  return (await engine.shelf.find({ limit: 100 })).records.map(({ id }) => id)
}

async function expectBundles({ engine }: Gateway, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const content = (await engine.shelf.payload(id))!
    const bundle = JSON.stringify(await engine.shelf.evidence(id))
    expect(verifyEvidence(bundle, { ...content, trustAnchor: chain.trustAnchor() }).valid).toBe(true)
  }
}

/** Accepts, proposes and anchors until it dies. */
async function liveUntil(death: Death | undefined, folder: string): Promise<number> {
  const gateway = await openGateway(folder, chain, death === undefined ? {} : { death })
  const stopMining = chain.keepMining()
  const work = gateway.engine.intake.accept(submission(RECORDS, REQUEST)).then(async ({ outcomes }) => {
    await gateway.engine.intake.anchored(
      outcomes.flatMap((one) => ('id' in one ? [one.id] : [])),
      20_000,
    )
  })
  await Promise.race([gateway.died, work])
  await stopMining()
  const steps = gateway.steps()
  await gateway.kill()
  return steps
}

describe('killed at any step', () => {
  it('has each record once, with one bundle, when the request is sent again', async () => {
    const steps = await liveUntil(undefined, await tempFolder())
    // Claim, keys, records, two batches, two submissions, two anchorings.
    expect(steps).toBeGreaterThanOrEqual(9)
    for (let step = 0; step < steps; step++) {
      for (const when of ['before', 'after'] as const) {
        const folder = await tempFolder()
        const before = chain.anchored().length
        if (step > 0) await liveUntil({ step, when }, folder)
        const gateway = await openGateway(folder, chain)
        const ids = await acceptAll(gateway, RECORDS, REQUEST)
        await anchorAll(gateway, chain, ids)
        expect((await allRecords(gateway)).sort(), `${when} step ${step}`).toEqual([...ids].sort())
        expect(anchoredSince(before), `${when} step ${step}`).toBe(RECORDS.length)
        await expectBundles(gateway, ids)
        const events = await gateway.engine.feed.read(undefined, 100)
        expect(events.map(({ recordId }) => recordId).sort()).toEqual([...ids].sort())
        const kept = Array.from({ length: gateway.ring.size }, (_, slot) => gateway.ring.get(slot)).filter(
          (key) => key !== undefined,
        )
        // Keys of records that a crash cut off open nothing; they are passed over.
        expect(kept.length).toBeGreaterThanOrEqual(RECORDS.length)
        await gateway.stop()
      }
    }
  }, 120_000)

  it('has all that it acknowledged while many wrote at once', async () => {
    const folder = await tempFolder()
    const acknowledged: string[] = []
    for (let life = 0; life < 5; life++) {
      const gateway = await openGateway(folder, chain, {
        death: { step: 20 + life * 7, when: life % 2 === 0 ? 'before' : 'after' },
      })
      let number = life * 1_000
      const writers = Array.from({ length: 8 }, async () => {
        for (;;) acknowledged.push(...(await acceptAll(gateway, [licence(number++)])))
      })
      void Promise.allSettled(writers)
      const stopMining = chain.keepMining()
      await gateway.died
      await stopMining()
      await gateway.kill()
    }
    expect(acknowledged.length).toBeGreaterThan(40)
    const gateway = await openGateway(folder, chain)
    await anchorAll(gateway, chain, acknowledged)
    await expectBundles(gateway, acknowledged)
    await gateway.stop()
  }, 60_000)
})

describe('when the chain fails', () => {
  it('accepts and says pending while it stands still, and batches grow instead of piling up', async () => {
    const gateway = await openGateway(await tempFolder(), chain, {
      options: { batch: { inFlightMax: 2, delayMsMax: 5 } },
    })
    const ids: string[] = []
    for (let number = 0; number < 30; number++) {
      ids.push(...(await acceptAll(gateway, [licence(number)])))
      await sleep(4)
    }
    expect(gateway.engine.stats()).toMatchObject({ batchesInFlight: 2, recordsPending: 30 })
    expect((await gateway.engine.shelf.get(ids[0]!))!.status).toBe('proposed')
    expect((await gateway.engine.shelf.get(ids[29]!))!.status).toBe('accepted')
    await expect(gateway.engine.shelf.evidence(ids[0]!)).rejects.toMatchObject({ code: 'RECORD_PENDING' })
    await anchorAll(gateway, chain, ids)
    expect(gateway.engine.stats().batchesAnchoredTotal).toBeLessThanOrEqual(4)
    await gateway.stop()
  })

  it('signs again when another transaction took its nonce', async () => {
    const gateway = await openGateway(await tempFolder(), chain)
    const [id] = await acceptAll(gateway, [licence(1)])
    await sleep(60)
    expect((await gateway.engine.shelf.get(id!))!.status).toBe('proposed')
    // The pool loses the batch, and somebody with the same key is faster.
    chain.dropPool()
    const nonce = chain.pool.pendingNonce(senderOf())
    await chain.pool.submit(
      signTransaction({ chainId: CHAIN_ID, nonce, gasLimit: 21_000, to: senderOf() }, ACCOUNT_KEY).raw,
    )
    await chain.mine()
    const before = chain.anchored().length
    await anchorAll(gateway, chain, [id!])
    expect(gateway.engine.stats().noncesTakenTotal).toBe(1)
    expect(anchoredSince(before)).toBe(1)
    await expectBundles(gateway, [id!])
    await gateway.stop()
  })

  it('finds a batch that the pool dropped, without being told', async () => {
    const gateway = await openGateway(await tempFolder(), chain)
    const [id] = await acceptAll(gateway, [licence(1)])
    await sleep(60)
    chain.dropPool()
    await anchorAll(gateway, chain, [id!])
    await gateway.stop()
  })

  it('finds an anchored batch when the news of its block was lost', async () => {
    const deaf = (writer: ChainWriter): ChainWriter => ({ ...writer, onBlock: () => () => undefined })
    const gateway = await openGateway(await tempFolder(), chain, { ports: () => ({ writer: deaf(chain.writer) }) })
    const ids = await acceptAll(gateway, licences(2))
    await anchorAll(gateway, chain, ids)
    await gateway.stop()
  })

  it('goes on when the pool refuses for a while', async () => {
    let refusals = 3
    const moody: ChainWriter = {
      ...chain.writer,
      submit: (raw) => (refusals-- > 0 ? Promise.reject(new Error('no answer')) : chain.writer.submit(raw)),
    }
    const gateway = await openGateway(await tempFolder(), chain, { ports: () => ({ writer: moody }) })
    const [id] = await acceptAll(gateway, [licence(1)])
    expect((await gateway.engine.shelf.get(id!))!.status).toBe('accepted')
    await anchorAll(gateway, chain, [id!])
    expect(gateway.engine.stats().submitsFailedTotal).toBe(3)
    await gateway.stop()
  })

  it('anchors under a new id when the contract refuses the old one, as after a restored backup', async () => {
    const folder = await tempFolder()
    const first = await openGateway(folder, chain, { options: { batch: { delayMsMax: 60_000 } } })
    const [id] = await acceptAll(first, [licence(1)])
    const snapshot: [Uint8Array, Uint8Array][] = []
    for await (const row of first.table.entries({ from: new Uint8Array(0), below: new Uint8Array(64).fill(255) }))
      snapshot.push(row)
    await first.stop()
    const second = await openGateway(folder, chain)
    await anchorAll(second, chain, [id!])
    await second.stop()
    // The store of before the batch was closed, over a chain that has the batch.
    const third = await openGateway(folder, chain, { options: { batch: { delayMsMax: 60_000 } } })
    const now: Uint8Array[] = []
    for await (const [key] of third.table.entries({ from: new Uint8Array(0), below: new Uint8Array(64).fill(255) }))
      now.push(key)
    await third.table.write([...now.map((key): [Uint8Array, undefined] => [key, undefined]), ...snapshot])
    await third.kill()
    const fourth = await openGateway(folder, chain)
    await anchorAll(fourth, chain, [id!])
    expect(fourth.engine.stats().attemptsFailedTotal).toBe(1)
    await expectBundles(fourth, [id!])
    await fourth.stop()
  })
})

function senderOf() {
  return signTransaction({ chainId: CHAIN_ID, nonce: 0, gasLimit: 21_000 }, ACCOUNT_KEY).sender
}
