import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { utf8ToBytes } from '@songhua/sdk/protocol/bytes'
import { verifyEvidence } from '@songhua/sdk/protocol/evidence'
import { systemClock } from '@songhua/node/base/clock'
import { type Restored, restoreGateway } from '@songhua/node/gateway/restore'
import { backupSink, backupSource } from '@songhua/node/storage/backup-file'
import { openKeyRing } from '@songhua/node/storage/key-ring-file'
import { openLevelTable } from '@songhua/node/storage/level-table'
import { createTempFolders } from '../storage/temp-folder.js'
import { until } from '../support/devnet.js'
import { type AnchorChain, createAnchorChain, quiet } from './anchor-chain.js'
import {
  CALLER,
  type Gateway,
  SECRET,
  acceptAll,
  anchorAll,
  entry,
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

interface Files {
  readonly state: string
  readonly keys: string
}

async function backUp({ engine }: Gateway): Promise<Files> {
  const folder = await tempFolder()
  const files = { state: join(folder, 'state'), keys: join(folder, 'keys') }
  await engine.backup({ state: backupSink(files.state), keys: backupSink(files.keys) })
  return files
}

/** Into the folder of a gateway to be. */
async function restore(files: Files, folder: string): Promise<Restored> {
  await mkdir(join(folder, 'keys'), { recursive: true })
  const table = await openLevelTable(join(folder, 'store'))
  const keyRing = await openKeyRing(join(folder, 'keys', 'ring'))
  try {
    return await restoreGateway(
      { state: backupSource(files.state), keys: backupSource(files.keys) },
      { table, keyRing, clock: systemClock, logger: quiet },
    )
  } finally {
    await table.close()
    await keyRing.close()
  }
}

async function restored(files: Files): Promise<{ gateway: Gateway; result: Restored }> {
  const folder = await tempFolder()
  const result = await restore(files, folder)
  return { result, gateway: await openGateway(folder, chain) }
}

async function expectProved({ engine }: Gateway, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const content = (await engine.shelf.payload(id))!
    const evidence = JSON.stringify(await engine.shelf.evidence(id))
    expect(verifyEvidence(evidence, { ...content, trustAnchor: chain.trustAnchor() }).valid).toBe(true)
  }
}

describe('a backup of a running gateway', () => {
  it('restores what was anchored, what waits, what was asked, and the secret', async () => {
    const first = await openGateway(await tempFolder(), chain)
    const request = { idempotency: { key: 'k', request: utf8ToBytes('request') } }
    const anchored = await acceptAll(first, licences(5), request)
    await anchorAll(first, chain, anchored)
    const waiting = await acceptAll(first, [licence(10), entry('x')])
    const files = await backUp(first)
    await first.stop()
    const { gateway, result } = await restored(files)
    expect(result).toMatchObject({ secret: SECRET, records: 7, erasedAgain: 0, foundErased: 0 })
    await expectProved(gateway, anchored)
    await anchorAll(gateway, chain, waiting)
    await expectProved(gateway, waiting)
    expect((await gateway.engine.intake.accept(submission(licences(5), request))).replayed).toBe(true)
    expect(await gateway.engine.feed.read(undefined, 100)).toHaveLength(7)
    await gateway.stop()
  })

  it('is of one moment while many write', async () => {
    const first = await openGateway(await tempFolder(), chain)
    let isOver = false
    const acknowledged: string[] = []
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      for (let number = 0; !isOver; number++)
        acknowledged.push(...(await acceptAll(first, [licence(writer * 1e6 + number)])))
    })
    const stopMining = chain.keepMining()
    await until('some to be acknowledged', () => acknowledged.length > 20)
    const certain = [...acknowledged]
    const files = await backUp(first)
    isOver = true
    await Promise.all(writers)
    await stopMining()
    await first.stop()
    const { gateway, result } = await restored(files)
    expect(result.records).toBeGreaterThanOrEqual(certain.length)
    const { records } = await gateway.engine.shelf.find({ limit: 100_000 })
    expect(records).toHaveLength(result.records)
    const ids = records.map(({ id }) => id)
    expect(certain.filter((id) => !ids.includes(id))).toEqual([])
    await anchorAll(gateway, chain, ids)
    await expectProved(gateway, ids.slice(-20))
    await gateway.stop()
  }, 60_000)

  it('is followed by no event under a number that was given out before', async () => {
    const first = await openGateway(await tempFolder(), chain)
    await anchorAll(first, chain, await acceptAll(first, [licence(30)]))
    const files = await backUp(first)
    await anchorAll(first, chain, await acceptAll(first, [licence(31)]))
    const seen = first.engine.feed.last()
    await first.stop()
    const { gateway } = await restored(files)
    const [later] = await acceptAll(gateway, [licence(32)])
    await anchorAll(gateway, chain, [later!])
    const news = await gateway.engine.feed.read(seen, 10)
    expect(news.map(({ recordId }) => recordId)).toEqual([later])
    await gateway.stop()
  })

  it('does an erasure again when the keys are older than the state', async () => {
    const first = await openGateway(await tempFolder(), chain)
    const [gone, kept] = await acceptAll(first, [entry('gone'), entry('kept')])
    const older = await backUp(first)
    await first.engine.custody.erase(gone!, CALLER)
    const newer = await backUp(first)
    await first.stop()
    const { gateway, result } = await restored({ state: newer.state, keys: older.keys })
    expect(result).toMatchObject({ erasedAgain: 1, foundErased: 0 })
    expect(gateway.ring.get(0)).toBeUndefined()
    await expect(gateway.engine.shelf.payload(gone!)).rejects.toMatchObject({ code: 'PAYLOAD_ERASED' })
    expect(await gateway.engine.shelf.payload(kept!)).toBeDefined()
    await gateway.stop()
  })

  it('says erased of what the newer keys have lost', async () => {
    const first = await openGateway(await tempFolder(), chain)
    const [gone] = await acceptAll(first, [entry('gone'), entry('kept')])
    const older = await backUp(first)
    await first.engine.custody.erase(gone!, CALLER)
    await acceptAll(first, [entry('later')])
    const newer = await backUp(first)
    await first.stop()
    const { gateway, result } = await restored({ state: older.state, keys: newer.keys })
    expect(result).toMatchObject({ records: 2, foundErased: 1 })
    expect(await gateway.engine.shelf.get(gone!)).toMatchObject({ payload: 'erased', erased: { by: 'restore' } })
    expect(await gateway.engine.feed.read(undefined, 10)).toMatchObject([{ type: 'record.erased', recordId: gone }])
    // The key of a record that the older state does not have is left alone.
    expect(gateway.ring.get(2)).toBeDefined()
    await gateway.stop()
  })
})

describe('a restore refuses', () => {
  async function someBackup(): Promise<Files & { ids: string[] }> {
    const gateway = await openGateway(await tempFolder(), chain)
    const ids = await acceptAll(gateway, licences(3))
    const files = await backUp(gateway)
    await gateway.stop()
    return { ...files, ids }
  }

  it('a folder that is not empty, and leaves it as it is', async () => {
    const files = await someBackup()
    const folder = await tempFolder()
    const other = await openGateway(folder, chain)
    const [id] = await acceptAll(other, [licence(77)])
    await other.stop()
    await expect(restore(files, folder)).rejects.toMatchObject({ code: 'RESTORE_TARGET_NOT_EMPTY' })
    const again = await openGateway(folder, chain)
    expect((await again.engine.shelf.find({ limit: 10 })).records.map((record) => record.id)).toEqual([id])
    await again.stop()
  })

  it.each(['state', 'keys'] as const)(
    'a damaged, cut, lengthened or foreign file of %s, before it writes',
    async (which) => {
      const files = await someBackup()
      const good = await readFile(files[which])
      const other = await readFile(files[which === 'state' ? 'keys' : 'state'])
      const flipped = (at: number): Buffer => {
        const bytes = Buffer.from(good)
        bytes[at]! ^= 1
        return bytes
      }
      const newer = Buffer.from(good)
      newer.write('2', good.indexOf('/') + 1)
      const cases: [Buffer, string][] = [
        [flipped(Math.floor(good.length / 2)), 'BACKUP_DAMAGED'],
        [flipped(good.length - 1), 'BACKUP_DAMAGED'],
        [flipped(33), 'BACKUP_DAMAGED'],
        [good.subarray(0, -1), 'BACKUP_DAMAGED'],
        [good.subarray(0, 40), 'BACKUP_DAMAGED'],
        [Buffer.concat([good, Buffer.of(0)]), 'BACKUP_DAMAGED'],
        [Buffer.alloc(0), 'BACKUP_DAMAGED'],
        [other, 'BACKUP_FOREIGN'],
        [newer, 'BACKUP_NEWER'],
      ]
      const folder = await tempFolder()
      for (const [bytes, code] of cases) {
        await writeFile(files[which], bytes)
        await expect(restore(files, folder)).rejects.toMatchObject({ code })
      }
      await writeFile(files[which], good)
      expect(await restore(files, folder)).toMatchObject({ records: 3 })
    },
  )

  it('keys that are older than records of the state, or of another gateway', async () => {
    const first = await openGateway(await tempFolder(), chain)
    await acceptAll(first, licences(2))
    const older = await backUp(first)
    await acceptAll(first, [licence(5)])
    const newer = await backUp(first)
    await first.stop()
    await expect(restore({ state: newer.state, keys: older.keys }, await tempFolder())).rejects.toMatchObject({
      code: 'RESTORE_KEYS_OLDER',
    })
    const stranger = await openGateway(await tempFolder(), chain, { options: { secret: new Uint8Array(32).fill(7) } })
    await acceptAll(stranger, licences(9))
    const others = await backUp(stranger)
    await stranger.stop()
    await expect(restore({ state: newer.state, keys: others.keys }, await tempFolder())).rejects.toMatchObject({
      code: 'RESTORE_OTHER_KEYS',
    })
  })

  it('a file that is not there', async () => {
    const files = await someBackup()
    await expect(restore({ ...files, keys: `${files.keys}-no` }, await tempFolder())).rejects.toMatchObject({
      code: 'BACKUP_IO',
    })
  })
})

describe('a gateway does not start', () => {
  it('on half a restore, on the store of another chain, with another secret, or without its keys', async () => {
    const folder = await tempFolder()
    const first = await openGateway(folder, chain)
    await acceptAll(first, licences(2))
    await first.stop()
    const other = { ...chain, genesisHash: `0x${'11'.repeat(32)}` } as AnchorChain
    const refusal = async (open: Promise<Gateway>): Promise<unknown> =>
      open.then(
        () => 'started',
        (error: { code: string }) => error.code,
      )
    expect(await refusal(openGateway(folder, other))).toBe('GATEWAY_STORE_OTHER_CHAIN')
    expect(await refusal(openGateway(folder, chain, { options: { secret: new Uint8Array(32).fill(7) } }))).toBe(
      'GATEWAY_SECRET_MISMATCH',
    )
    await copyFile(join(folder, 'keys', 'ring'), join(folder, 'ring'))
    await writeFile(join(folder, 'keys', 'ring'), (await readFile(join(folder, 'ring'))).subarray(0, 128))
    expect(await refusal(openGateway(folder, chain))).toBe('KEY_RING_INCOMPLETE')
    const half = await tempFolder()
    const table = await openLevelTable(join(half, 'store'))
    await table.write([[Uint8Array.of(0x10), Uint8Array.of(1)]])
    await table.close()
    expect(await refusal(openGateway(half, chain))).toBe('GATEWAY_STORE_FOREIGN')
    const newer = await tempFolder()
    const later = await openLevelTable(join(newer, 'store'))
    await later.write([[Uint8Array.of(0), Uint8Array.of(9)]])
    await later.close()
    expect(await refusal(openGateway(newer, chain))).toBe('GATEWAY_STORE_NEWER')
  })
})
