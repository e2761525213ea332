import { open, readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { hexToBytes } from '@songhua/sdk/protocol/bytes'
import { createDamageStop } from '@songhua/node/app/damage-stop'
import { startScrub } from '@songhua/node/storage/level-scrub'
import { createMemoryStore, openStore } from '@songhua/node/storage/open-store'
import { accountOf, addressOf, commitNext, nextCommit } from '../storage/chain-builder.js'
import { createTempFolders } from '../storage/temp-folder.js'

const newFolder = createTempFolders()
const { hash: genesisHash } = nextCommit(createMemoryStore()).head
const lines: string[] = []
const logger = {
  debug: () => undefined, info: () => undefined, warn: (text: string) => void lines.push(text),
  error: (text: string) => void lines.push(text), child: () => logger,
}
afterEach(() => void lines.splice(0))

/** More than one of LevelDB's blocks: what has been read of one is not read again. */
const BLOCKS = 40

/** A store whose blocks stand in a table of their own. */
async function folderWithTables(): Promise<{ folder: string; table: string }> {
  const folder = join(await newFolder(), 'chain')
  for (let opening = 0; opening < 2; opening++) {
    const store = await openStore(folder, { genesisHash })
    if (opening === 0) {
      for (let number = 0; number < BLOCKS; number++) {
        await commitNext(store, number === 0 ? {} : { diff: { accounts: new Map([[addressOf(0), accountOf(number)]]) } })
      }
    }
    await store.close()
  }
  const table = (await readdir(folder)).find((name) => name.endsWith('.ldb'))!
  return { folder, table: join(folder, table) }
}

async function stateRootOf(folder: string, number: number): Promise<Uint8Array> {
  const store = await openStore(folder, { genesisHash })
  const root = hexToBytes(store.header(number)!.stateRoot)
  await store.close()
  return root
}

/** In place: LevelDB maps its tables, and a file that is written anew is gone for it. */
async function spoil(table: string, at: number): Promise<void> {
  const file = await open(table, 'r+')
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at)
  await file.write(Buffer.of(buffer[0]! ^ 8), 0, 1, at)
  await file.close()
}

describe('a store that is found damaged while the node runs', () => {
  it('ends the node once, leaves a marker, and does not open again', async () => {
    const { folder } = await folderWithTables()
    const onBroken = vi.fn()
    const { onDamage } = createDamageStop(folder, { logger, onBroken })
    const error = new Error('the value of 0x10 is not the one that was written')
    onDamage(error)
    onDamage(new Error('another'))
    await vi.waitFor(() => expect(onBroken.mock.calls).toEqual([[error]]))
    expect(await readFile(join(folder, 'DAMAGED.txt'), 'utf8')).toContain('the value of 0x10 is not the one')
    await expect(openStore(folder, { genesisHash })).rejects.toMatchObject({ code: 'STORE_DAMAGED' })
  })

  it('ends the node also where the marker cannot be left, and says so', async () => {
    const onBroken = vi.fn()
    createDamageStop(join(await newFolder(), 'gone'), { logger, onBroken }).onFound('a table')
    await vi.waitFor(() => expect(onBroken).toHaveBeenCalledOnce())
    expect(onBroken.mock.calls[0]![0]).toMatchObject({ code: 'STORE_DAMAGED' })
    expect(lines).toEqual(['the chain store is damaged', 'the damage cannot be marked'])
  })

  it('is told of by a read, the error going to the reader as well; at the start, to the caller alone', async () => {
    const { folder, table } = await folderWithTables()
    const onDamage = vi.fn()
    const root = await stateRootOf(folder, 3)
    const at = (await readFile(table)).indexOf(root)
    expect(at).toBeGreaterThan(0)
    const store = await openStore(folder, { genesisHash, onDamage })
    await spoil(table, at)
    expect(() => store.header(3)).toThrow(expect.objectContaining({ code: 'STORE_DAMAGED' }))
    expect(onDamage.mock.calls).toEqual([[expect.objectContaining({ code: 'STORE_DAMAGED' })]])
    await store.close()
    await expect(openStore(folder, { genesisHash, onDamage })).rejects.toMatchObject({ code: 'STORE_DAMAGED' })
    expect(onDamage).toHaveBeenCalledOnce()
    await spoil(table, at)
    await (await openStore(folder, { genesisHash, onDamage })).close()
  })

  it('is found by the scrub, which says where, and never while it is whole', async () => {
    const { folder, table } = await folderWithTables()
    const store = await openStore(folder, { genesisHash })
    const due: (() => void)[] = []
    const clock = { now: () => 0, after: (_delayMs: number, run: () => void) => (due.push(run), () => undefined) }
    const onDamage = vi.fn()
    const stop = startScrub(folder, { clock, logger, onDamage })
    /** One table is read, and the next look is planned, or damage told. */
    const pass = async (): Promise<void> => {
      due.shift()!()
      await vi.waitFor(() => expect(due.length + onDamage.mock.calls.length).toBe(1))
    }
    for (let look = 0; look < 6; look++) await pass()
    expect(onDamage).not.toHaveBeenCalled()
    await spoil(table, 200)
    for (let look = 0; look < 6 && onDamage.mock.calls.length === 0; look++) await pass()
    expect(onDamage.mock.calls).toEqual([[expect.stringMatching(/^\d+\.ldb: the checksum of the block at byte \d+ does not match$/)]])
    stop()
    await store.close()
  })
})
