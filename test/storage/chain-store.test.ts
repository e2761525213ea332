import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Level } from 'level'
import { describe, expect, it } from 'vitest'
import { ZERO_HASH } from '@songhua/sdk/protocol/bytes'
import { createMemoryStore, openStore, openStoreForReading } from '@songhua/node/storage/open-store'
import { accountOf, addressOf, commitNext, nextCommit, receiptOf, transactionOf } from './chain-builder.js'
import { describeChainStore } from './conformance.js'
import { createTempFolders } from './temp-folder.js'

const code = (value: string): Error => expect.objectContaining({ code: value }) as Error
const newFolder = createTempFolders()
const nothing = (): Promise<void> => Promise.resolve()
/** The genesis that `chain-builder` makes. */
const { hash: genesisHash } = nextCommit(createMemoryStore()).head
function alice(): Parameters<typeof commitNext>[1] {
  return { diff: { accounts: new Map([[addressOf(0), accountOf(0)]]) } }
}

describeChainStore('memory', { open: () => Promise.resolve(createMemoryStore()), clean: nothing })

{
  let folder: string
  describeChainStore('LevelDB', {
    async open() {
      folder = await newFolder()
      return openStore(folder, { genesisHash })
    },
    async reopen(store, genesisHash) {
      await store.close()
      return openStore(folder, { genesisHash })
    },
    clean: nothing,
  })
}

type Database = Level<Uint8Array, Uint8Array>

/** Deletes everything under a prefix of the key register. */
async function lose(database: Database, prefix: number): Promise<void> {
  const range = { gte: Uint8Array.of(prefix), lt: Uint8Array.of(prefix + 1) }
  for await (const key of database.keys(range)) await database.del(key)
}

describe('openStore', () => {
  /** Changes the database behind the store's back. */
  async function edit(folder: string, change: (database: Database) => Promise<void>): Promise<void> {
    const database: Database = new Level<Uint8Array, Uint8Array>(folder, { keyEncoding: 'view', valueEncoding: 'view' })
    await change(database)
    await database.close()
  }

  async function folderWithBlocks(blocks: number): Promise<string> {
    const folder = await newFolder()
    const store = await openStore(folder, { genesisHash })
    for (let number = 0; number < blocks; number++) await commitNext(store, number === 0 ? {} : alice())
    await store.close()
    return folder
  }

  it('refuses a folder that another opener of this process holds exclusively', async () => {
    const folder = await newFolder()
    const database = new Level(folder)
    await database.open()
    const opening = openStore(folder, { genesisHash })
    await expect(opening).rejects.toThrow(code('STORE_IN_USE'))
    await expect(opening).rejects.toThrow(folder)
    await database.close()
    await (await openStore(folder, { genesisHash })).close()
  })

  it('refuses a folder that another process holds', async () => {
    const folder = await folderWithBlocks(2)
    const script = join(await newFolder(), 'hold.cjs')
    const level = JSON.stringify(createRequire(import.meta.url).resolve('level'))
    await writeFile(script, `new (require(${level}).Level)(process.argv[2]).open().then(() => process.send('held'))
      process.on('message', () => process.exit(0))`)
    const holder = fork(script, [folder])
    await once(holder, 'message')
    await expect(openStore(folder, { genesisHash })).rejects.toThrow(code('STORE_IN_USE'))
    holder.send('end')
    await once(holder, 'exit')
    const store = await openStore(folder, { genesisHash })
    expect(store.head()?.header.number).toBe(1)
    await store.close()
  })

  it('refuses a newer schema and says what to do', async () => {
    const folder = await folderWithBlocks(1)
    await edit(folder, (database) => database.put(Uint8Array.of(0), Uint8Array.of(3)))
    await expect(openStore(folder, { genesisHash })).rejects.toThrow(code('STORE_NEWER_SCHEMA'))
    await expect(openStore(folder, { genesisHash })).rejects.toThrow(/newer songhua/)
    await expect(openStoreForReading(folder)).rejects.toThrow(code('STORE_NOT_INITIALISED'))
  })

  it('refuses an older schema and says what to do', async () => {
    const folder = await folderWithBlocks(1)
    await edit(folder, (database) => database.put(Uint8Array.of(0), Uint8Array.of(1)))
    await expect(openStore(folder, { genesisHash })).rejects.toThrow(code('STORE_OLDER_SCHEMA'))
    await expect(openStore(folder, { genesisHash })).rejects.toThrow(/has schema 1, .* move the folder away/)
  })

  it('refuses a database that is not ours', async () => {
    const folder = await newFolder()
    await edit(folder, (database) => database.put(Uint8Array.of(99), Uint8Array.of(1)))
    await expect(openStore(folder, { genesisHash })).rejects.toThrow(code('STORE_FOREIGN'))
  })

  it('refuses another chain', async () => {
    const folder = await folderWithBlocks(2)
    const opening = openStore(folder, { genesisHash: ZERO_HASH })
    await expect(opening).rejects.toThrow(expect.objectContaining({
      code: 'STORE_GENESIS_MISMATCH', details: { folder, stored: genesisHash, expected: ZERO_HASH },
    }))
  })

  it('says where a file stands in the way, and what to do', async () => {
    const file = join(await newFolder(), 'file')
    await writeFile(file, 'text')
    const opening = openStore(file, { genesisHash })
    await expect(opening).rejects.toThrow(code('STORE_OPEN_FAILED'))
    await expect(opening).rejects.toThrow(/EEXIST.*; see to it that this user may write there/)
  })

  it.each([
    ['an unreadable CURRENT file', (folder: string) => writeFile(join(folder, 'CURRENT'), 'junk')],
    ['a lost manifest', async (folder: string) => {
      const manifest = (await readdir(folder)).find((name) => name.startsWith('MANIFEST'))!
      await rm(join(folder, manifest))
    }],
    ['a head record that is no head', (folder: string) =>
      edit(folder, (database) => database.put(Uint8Array.of(2), Uint8Array.of(0xc1, 0x80)))],
    ['a lost state root', (folder: string) => edit(folder, (database) => lose(database, 0x23))],
    ['a lost head header', (folder: string) => edit(folder, (database) => lose(database, 0x10))],
    ['a lost head body', (folder: string) => edit(folder, (database) => lose(database, 0x13))],
  ])('refuses %s as damage, with a way out, and lets go of the folder', async (_name, damage) => {
    const folder = await folderWithBlocks(3)
    await damage(folder)
    const opening = openStore(folder, { genesisHash })
    await expect(opening).rejects.toThrow(code('STORE_DAMAGED'))
    await expect(opening).rejects.toThrow(/songhua repair moves it away/)
    await expect(openStore(folder, { genesisHash })).rejects.toThrow(code('STORE_DAMAGED'))
  })

  it('loses no acknowledged block when its writer is killed', async () => {
    const folder = await folderWithBlocks(1)
    const copy = await newFolder()
    const store = await openStore(folder, { genesisHash })
    for (let number = 1; number <= 5; number++) await commitNext(store, alice())
    // What a kill leaves: the files as they are, without a close. LevelDB's own LOCK file holds nothing.
    for (const name of await readdir(folder)) await writeFile(join(copy, name), await readFile(join(folder, name)))
    await store.close()
    const survivor = await openStore(copy, { genesisHash })
    expect(survivor.head()).toEqual(store.head())
    await survivor.close()
  })
})

describe('a store that cannot write', () => {
  it('tells the caller, and keeps its head', async () => {
    const folder = await newFolder()
    const store = await openStore(folder, { genesisHash })
    const genesis = await commitNext(store)
    const commit = nextCommit(store, alice())
    await store.close()
    await expect(store.commitBlock(commit)).rejects.toThrow(code('STORE_WRITE_FAILED'))
    expect(store.head()).toEqual(genesis.head)
    const again = await openStore(folder, { genesisHash })
    expect(again.head()).toEqual(genesis.head)
    await again.close()
  })
})

describe('openStoreForReading', () => {
  it('sees what the writer commits', async () => {
    const folder = await newFolder()
    const writer = await openStore(folder, { genesisHash })
    const reader = await openStoreForReading(folder)
    expect(reader.head()).toBeUndefined()
    await commitNext(writer)
    expect(reader.head()).toEqual(writer.head())
    const transactions = [transactionOf(0)]
    await commitNext(writer, { transactions, receipts: [receiptOf(0)], ...alice() })
    expect(reader.head()).toEqual(writer.head())
    expect(reader.body(1)).toEqual([transactions[0]!.raw])
    expect(reader.state.getAccount(addressOf(0))).toEqual(accountOf(0))
    await reader.close()
    expect(writer.head()?.header.number).toBe(1)
    await writer.close()
  })

  it('refuses a folder without a store', async () => {
    await expect(openStoreForReading(await newFolder())).rejects.toThrow(code('STORE_NOT_INITIALISED'))
  })
})
