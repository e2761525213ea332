import { cp, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '@songhua/node/base/clock'
import { openKeyRing } from '@songhua/node/storage/key-ring-file'
import { createTempFolders } from '../storage/temp-folder.js'
import { type AnchorChain, createAnchorChain } from './anchor-chain.js'
import { CALLER, type Gateway, ISSUER, acceptAll, anchorAll, callerOf, entry, event, licence, licences, openGateway } from './engine-fixture.js'

const tempFolder = createTempFolders()
let chain: AnchorChain
let folder: string
let gateway: Gateway

beforeAll(async () => {
  chain = await createAnchorChain()
})
afterAll(() => chain.stop())
beforeEach(async () => {
  folder = await tempFolder()
  gateway = await openGateway(folder, chain)
})
afterEach(() => gateway.stop())

async function keysOnDisk(): Promise<number> {
  const ring = await openKeyRing(join(folder, 'keys', 'ring'))
  const kept = Array.from({ length: ring.size }, (_, slot) => ring.get(slot)).filter((key) => key !== undefined)
  await ring.close()
  return kept.length
}

describe('a store that is not the one of the keys', () => {
  it('is refused when it is empty, and the keys are left as they are', async () => {
    const ids = await acceptAll(gateway, licences(5))
    await gateway.stop()
    await rename(join(folder, 'store'), join(folder, 'elsewhere'))
    await expect(openGateway(folder, chain)).rejects.toMatchObject({
      code: 'GATEWAY_STORE_MISSING',
      message: expect.stringContaining('the key folder has 5 keys, and this store is empty') as string,
    })
    expect(await keysOnDisk()).toBe(5)
    await rename(join(folder, 'store'), join(folder, 'empty'))
    await rename(join(folder, 'elsewhere'), join(folder, 'store'))
    gateway = await openGateway(folder, chain)
    for (const id of ids) expect((await gateway.engine.shelf.payload(id))!.salt).toHaveLength(32)
  })

  it('costs no key when it is an older one', async () => {
    await acceptAll(gateway, licences(2))
    await gateway.stop()
    await cp(join(folder, 'store'), join(folder, 'older'), { recursive: true })
    gateway = await openGateway(folder, chain)
    const [newer] = await acceptAll(gateway, [licence(10)])
    await gateway.stop()
    await rename(join(folder, 'store'), join(folder, 'newer'))
    await rename(join(folder, 'older'), join(folder, 'store'))
    gateway = await openGateway(folder, chain)
    // It goes on behind the keys of the newer one.
    await acceptAll(gateway, [licence(11)])
    await gateway.stop()
    await rename(join(folder, 'store'), join(folder, 'older'))
    await rename(join(folder, 'newer'), join(folder, 'store'))
    gateway = await openGateway(folder, chain)
    expect((await gateway.engine.shelf.payload(newer!))!.salt).toHaveLength(32)
  })
})

describe('a clock that is set back', () => {
  it('holds up no record that was accepted before', async () => {
    await gateway.stop()
    let offsetMs = 0
    const clock = { ...systemClock, now: () => systemClock.now() + offsetMs }
    gateway = await openGateway(folder, chain, { clock })
    const [before] = await acceptAll(gateway, [licence(1)])
    offsetMs = -3_600_000
    const [after] = await acceptAll(gateway, [licence(2)])
    await anchorAll(gateway, chain, [before!, after!])
  })
})

describe('families', () => {
  it('take turns by who has waited longest', async () => {
    await gateway.stop()
    const batch = { delayMsMax: 20, recordsMax: 5, bytesMax: 1e9, inFlightMax: 1 }
    gateway = await openGateway(folder, chain, { options: { batch } })
    await acceptAll(gateway, licences(40))
    const [late] = await acceptAll(gateway, [event(1)])
    const more = await acceptAll(gateway, licences(40, 100))
    await anchorAll(gateway, chain, [late!])
    expect((await gateway.engine.shelf.get(more.at(-1)!))!.status).not.toBe('anchored')
  })
})

describe('an erasure that the disk of the keys refused', () => {
  it('is not said to be done until it is', async () => {
    await gateway.stop()
    let fails = true
    gateway = await openGateway(folder, chain, {
      ports: ({ keyRing }) => ({
        keyRing: {
          get size() {
            return keyRing.size
          },
          get: (slot) => keyRing.get(slot),
          add: (keys) => keyRing.add(keys),
          erase: (slots) => (fails ? Promise.reject(new Error('EIO')) : keyRing.erase(slots)),
        },
      }),
    })
    const [id] = await acceptAll(gateway, [entry('x')])
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await expect(gateway.engine.custody.erase(id!, CALLER)).rejects.toThrow('EIO')
      expect(gateway.ring.get(0)).toBeDefined()
    }
    fails = false
    expect(await gateway.engine.custody.erase(id!, CALLER)).toMatchObject({ payload: 'erased' })
    expect(gateway.ring.get(0)).toBeUndefined()
    expect((await gateway.engine.feed.read(undefined, 10)).filter(({ type }) => type === 'record.erased')).toHaveLength(1)
  })
})

describe('a legal hold', () => {
  const COURT = callerOf('key-court', 'uscc:11230000414005018N', 'records:read-all', 'records:hold')

  it('is lifted by nobody but who placed it', async () => {
    const [id] = await acceptAll(gateway, [entry('x')])
    await gateway.engine.custody.hold(id!, '(2026)黑01民初1号', COURT)
    await expect(gateway.engine.custody.release(id!, CALLER)).rejects.toMatchObject({ code: 'HOLD_OF_ANOTHER' })
    await expect(gateway.engine.custody.erase(id!, CALLER)).rejects.toMatchObject({ code: 'LEGAL_HOLD' })
    expect(await gateway.engine.custody.release(id!, COURT)).not.toHaveProperty('hold')
  })

  it('gives the court no right to erase', async () => {
    const [id] = await acceptAll(gateway, [entry('x')])
    const eraser = callerOf('key-court-2', COURT.issuer, 'records:read-all', 'payload:erase')
    await expect(gateway.engine.custody.erase(id!, eraser)).rejects.toMatchObject({ code: 'ISSUER_NOT_ALLOWED' })
    expect(ISSUER).not.toBe(COURT.issuer)
  })

  it('has no reason that names a person, for a reason cannot be erased', async () => {
    const [id] = await acceptAll(gateway, [entry('x')])
    const hold = gateway.engine.custody.hold(id!, '被执行人 11010519491231002X', COURT)
    await expect(hold).rejects.toMatchObject({ code: 'HOLD_PERSONAL' })
  })
})
