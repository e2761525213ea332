import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '@songhua/node/base/clock'
import type { BackedUp } from '@songhua/node/gateway/backup'
import { checkBackup } from '@songhua/node/gateway/check-backup'
import { type Restored, restoreGateway, restoreOverKeys } from '@songhua/node/gateway/restore'
import { backupSink, backupSource } from '@songhua/node/storage/backup-file'
import { openKeyRing } from '@songhua/node/storage/key-ring-file'
import { openLevelTable } from '@songhua/node/storage/level-table'
import { createTempFolders } from '../storage/temp-folder.js'
import { type AnchorChain, createAnchorChain, quiet } from './anchor-chain.js'
import { CALLER, type Gateway, SECRET, acceptAll, anchorAll, entry, openGateway } from './engine-fixture.js'

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

async function backUp({ engine }: Gateway): Promise<Files & { told: BackedUp }> {
  const folder = await tempFolder()
  const files = { state: join(folder, 'state'), keys: join(folder, 'keys') }
  const told = await engine.backup({ state: backupSink(files.state), keys: backupSink(files.keys) })
  return { ...files, told }
}

const sourcesOf = ({ state, keys }: Files) => ({ state: backupSource(state), keys: backupSource(keys) })
const ringOf = (folder: string): string => join(folder, 'keys', 'ring')

async function restore(files: Files, folder: string): Promise<Restored> {
  await mkdir(join(folder, 'keys'), { recursive: true })
  return opened(folder, (targets) => restoreGateway(sourcesOf(files), targets))
}

/** The records disk of `folder` is new, its keys are as they were. */
async function restoreOver(files: Files, folder: string, secret = SECRET): Promise<Restored> {
  await rm(join(folder, 'store'), { recursive: true })
  return opened(folder, (targets) => restoreOverKeys(backupSource(files.state), { ...targets, secret }))
}

type Targets = Parameters<typeof restoreGateway>[1]

async function opened<T>(folder: string, run: (targets: Targets) => Promise<T>): Promise<T> {
  const table = await openLevelTable(join(folder, 'store'))
  const keyRing = await openKeyRing(ringOf(folder))
  try {
    return await run({ table, keyRing, clock: systemClock, logger: quiet })
  } finally {
    await table.close()
    await keyRing.close()
  }
}

async function spoilSlot(folder: string, slot: number): Promise<void> {
  const bytes = await readFile(ringOf(folder))
  bytes[(slot + 1) * 64 + 3]! ^= 1
  await writeFile(ringOf(folder), bytes)
}

const payloadCode = ({ engine }: Gateway, id: string): Promise<string> =>
  engine.shelf.payload(id).then(
    () => 'readable',
    (error: { code: string }) => error.code,
  )

describe('a backup of a key ring with a damaged slot', () => {
  it('is whole but for that slot, names the record, and the slot stays unreadable, not erased', async () => {
    const folder = await tempFolder()
    const first = await openGateway(folder, chain)
    const ids = await acceptAll(first, [entry('a'), entry('b'), entry('c'), entry('d')])
    await first.engine.custody.erase(ids[3]!, CALLER)
    await first.stop()
    await spoilSlot(folder, 1)
    const again = await openGateway(folder, chain)
    const files = await backUp(again)
    await again.stop()
    expect(files.told).toEqual({ records: 4, slots: 4, damagedSlots: 1, damaged: [{ slot: 1, recordId: ids[1] }] })
    expect(await checkBackup(sourcesOf(files))).toMatchObject({ records: 4, slots: 4, lost: 1 })

    const target = await tempFolder()
    expect(await restore(files, target)).toMatchObject({ records: 4, unreadable: 1, foundErased: 0, erasedAgain: 0 })
    const restored = await openGateway(target, chain)
    const codes = await Promise.all(ids.map((id) => payloadCode(restored, id)))
    expect(codes).toEqual(['readable', 'KEY_RING_DAMAGED', 'readable', 'PAYLOAD_ERASED'])
    expect(await restored.engine.shelf.get(ids[1]!)).toMatchObject({ payload: 'kept' })
    // A backup of what was restored says the same again.
    expect((await backUp(restored)).told).toMatchObject({ damagedSlots: 1, damaged: [{ slot: 1, recordId: ids[1] }] })
    await restored.engine.custody.erase(ids[1]!, CALLER)
    expect(await payloadCode(restored, ids[1]!)).toBe('PAYLOAD_ERASED')
    await restored.stop()
  })

  it('says nothing of damage when there is none', async () => {
    const gateway = await openGateway(await tempFolder(), chain)
    await acceptAll(gateway, [entry('a')])
    expect((await backUp(gateway)).told).toEqual({ records: 1, slots: 1, damagedSlots: 0, damaged: [] })
    await gateway.stop()
  })
})

describe('records restored over keys that survived', () => {
  it('leave erased what was erased after the backup, and the keys of later records alone', async () => {
    const folder = await tempFolder()
    const first = await openGateway(folder, chain)
    const [gone, kept] = await acceptAll(first, [entry('gone'), entry('kept')])
    await anchorAll(first, chain, [gone!, kept!])
    const files = await backUp(first)
    await first.engine.custody.erase(gone!, CALLER)
    await acceptAll(first, [entry('later')])
    const laterKey = first.ring.get(2)
    expect(laterKey).toBeDefined()
    await first.stop()

    expect(await restoreOver(files, folder)).toMatchObject({ records: 2, foundErased: 1, erasedAgain: 0, unreadable: 0 })
    for (let start = 0; start < 2; start++) {
      const gateway = await openGateway(folder, chain)
      expect(await gateway.engine.shelf.get(gone!)).toMatchObject({ payload: 'erased', erased: { by: 'restore' } })
      expect([await payloadCode(gateway, gone!), await payloadCode(gateway, kept!)]).toEqual(['PAYLOAD_ERASED', 'readable'])
      expect(gateway.ring.get(0)).toBeUndefined()
      expect(gateway.ring.get(2)).toEqual(laterKey)
      // New keys go behind those that are there.
      const size = gateway.ring.size
      await acceptAll(gateway, [entry(`new ${start}`)])
      expect(gateway.ring.size).toBe(size + 1)
      await gateway.stop()
    }
  })

  it('are refused over the keys of another gateway, over fewer, and over a store that is not empty', async () => {
    const folder = await tempFolder()
    const gateway = await openGateway(folder, chain)
    await acceptAll(gateway, [entry('a'), entry('b')])
    const files = await backUp(gateway)
    await gateway.stop()
    await expect(
      opened(folder, (targets) => restoreOverKeys(backupSource(files.state), { ...targets, secret: SECRET })),
    ).rejects.toMatchObject({ code: 'RESTORE_TARGET_NOT_EMPTY' })
    await expect(restoreOver(files, folder, new Uint8Array(32).fill(7))).rejects.toMatchObject({
      code: 'RESTORE_OTHER_KEYS',
    })
    await rename(ringOf(folder), join(folder, 'away'))
    await expect(restoreOver(files, folder)).rejects.toMatchObject({ code: 'RESTORE_KEYS_OLDER' })
  })
})
