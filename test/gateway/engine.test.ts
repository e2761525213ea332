import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { verifyEvidence } from '@songhua/sdk/protocol/evidence'
import { createTempFolders } from '../storage/temp-folder.js'
import { type AnchorChain, createAnchorChain } from './anchor-chain.js'
import { type Gateway, ISSUER, acceptAll, anchorAll, event, licence, licences, openGateway } from './engine-fixture.js'

const tempFolder = createTempFolders()

describe('the gateway engine on a real chain', () => {
  let chain: AnchorChain
  let gateway: Gateway
  beforeAll(async () => {
    chain = await createAnchorChain()
  })
  afterAll(() => chain.stop())
  beforeEach(async () => {
    gateway = await openGateway(await tempFolder(), chain)
  })
  afterEach(() => gateway.stop())

  it('accepts, anchors, and gives a bundle that verifies with its payload', async () => {
    const ids = await acceptAll(gateway, [...licences(5), event(1)])
    expect((await gateway.engine.shelf.get(ids[0]!))!.status).toBe('accepted')
    await anchorAll(gateway, chain, ids)
    for (const id of ids) {
      const evidence = (await gateway.engine.shelf.evidence(id))!
      const content = (await gateway.engine.shelf.payload(id))!
      const verdict = verifyEvidence(JSON.stringify(evidence), { ...content, trustAnchor: chain.trustAnchor() })
      expect(verdict.steps.filter(({ ok }) => !ok)).toEqual([])
      expect(verdict.facts).toMatchObject({ recordId: id, issuer: { name: ISSUER } })
      expect(await gateway.engine.shelf.get(id)).toMatchObject({
        id,
        status: 'anchored',
        payload: 'kept',
        acceptedBy: 'key-1',
      })
    }
    expect((await gateway.engine.shelf.get(ids[3]!))!.batch).toMatchObject({ size: 5, leafIndex: 3 })
    expect((await gateway.engine.shelf.get(ids[5]!))!.batch).toMatchObject({ size: 1, leafIndex: 0 })
  })

  it('proves a record under a later block', async () => {
    const [id] = await acceptAll(gateway, [licence(1)])
    await anchorAll(gateway, chain, [id!])
    await chain.mine()
    const head = await chain.proofs.head()
    const evidence = (await gateway.engine.shelf.evidence(id!, head))!
    const verdict = verifyEvidence(JSON.stringify(evidence), { trustAnchor: chain.trustAnchor() })
    expect(verdict.valid).toBe(true)
    expect(verdict.facts!.horizon).toMatchObject({ sealedHeight: head })
    const plain = (await gateway.engine.shelf.evidence(id!))!
    expect(plain).not.toHaveProperty('checkpointPath')
    for (const height of [plain.anchor.blockNumber, plain.anchor.blockNumber - 1, 0]) {
      expect(await gateway.engine.shelf.evidence(id!, height)).toEqual(plain)
    }
    for (const height of [head + 1, 1.5, -1]) {
      await expect(gateway.engine.shelf.evidence(id!, height)).rejects.toMatchObject({ code: 'REFRESH_HEIGHT' })
    }
  })
})
