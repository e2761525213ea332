import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decodeAccount, encodeAccount } from '@songhua/sdk/protocol/account'
import { commitSealDigest, headerWithSeals } from '@songhua/sdk/protocol/block-hash'
import { type Address, type Hash, bytesToHex, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { privateKeyToAddress, privateKeyToPublicKey, signDigest } from '@songhua/sdk/protocol/crypto'
import { parseGenesis } from '@songhua/sdk/protocol/genesis'
import { encodeHeader } from '@songhua/sdk/protocol/header'
import { decodeTransaction, signTransaction } from '@songhua/sdk/protocol/transaction'
import { openLedger } from '@songhua/node/app/ledger'
import { dataPaths } from '@songhua/node/app/options'
import { createStopStack } from '@songhua/node/app/stop-stack'
import { verifyChainFolder } from '@songhua/node/app/verify-chain'
import { systemClock } from '@songhua/node/base/clock'
import { devAddresses } from '../support/governance.js'
import { devGovernance } from '@songhua/node/cli/dev-organisations'
import { createGenesis } from '@songhua/node/cli/genesis-file'
import { encodeHead } from '@songhua/node/storage/codecs'
import type { StoredHead } from '@songhua/node/storage/chain-store'
import * as keys from '@songhua/node/storage/keys'
import { openChainTable } from '@songhua/node/storage/open-store'
import { createStoreReader } from '@songhua/node/storage/store'
import type { Table } from '@songhua/node/storage/table'

/** A real chain of one validator: 12 blocks, one transaction in each, among them one that stores code and a slot. */
const KEY = new Uint8Array(32).fill(7)
const BLOCKS = 12
/** Stores 1 at slot 1, and leaves one byte of code. */
const DEPLOY = hexToBytes('0x600160015560016000f3')
const genesisJson = createGenesis({
  chainId: 230_099,
  governance: devGovernance([{ publicKey: bytesToHex(privateKeyToPublicKey(KEY)), isValidator: true }], devAddresses()),
  balances: [{ address: privateKeyToAddress(KEY), balance: 10n ** 24n }],
  timestamp: 1_760_000_000,
})
const genesis = parseGenesis(genesisJson)
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, child: () => quiet }

let root: string
let genesisHash: Hash
let folder: string

async function grow(): Promise<void> {
  const stops = createStopStack(quiet)
  const fail = (error: Error): never => {
    throw error
  }
  const { chain, pool, opened } = await openLedger(root, genesis, { clock: systemClock, logger: quiet, stops, onBroken: fail })
  genesisHash = opened.genesisHash
  for (let number = 1; number <= BLOCKS; number++) {
    const to = number === 3 ? undefined : (`0x${'ab'.repeat(19)}${number.toString(16).padStart(2, '0')}` as Address)
    await pool.submit(signTransaction({ chainId: 230_099, nonce: number - 1, gasLimit: 200_000, to, value: 5n, data: number === 3 ? DEPLOY : undefined }, KEY).raw)
    const blockTimeMs = 1_760_000_000_000 + number * 1_000
    const block = await chain.build({ coinbase: privateKeyToAddress(KEY), round: 0, blockTimeMs, deadlineMs: Infinity })
    await chain.importSealed({ ...block, header: headerWithSeals(block.header, [signDigest(commitSealDigest(block.header), KEY)]) })
  }
  await stops.run()
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'songhua-verify-'))
  folder = dataPaths(root).storeDir
  await grow()
})
afterAll(() => rm(root, { recursive: true, force: true }))

/** Changes entries with right checksums, as faulty software would; undoes it afterwards. */
async function withChange(change: (table: Table, head: StoredHead) => Promise<[Uint8Array, Uint8Array | undefined][]>, check: () => Promise<void>): Promise<void> {
  const table = await openChainTable(folder)
  const changes = await change(table, createStoreReader(table).head()!)
  const before = changes.map(([key]): [Uint8Array, Uint8Array | undefined] => [key, table.get(key)?.slice()])
  await table.write(changes)
  await table.close()
  try {
    await check()
  } finally {
    const again = await openChainTable(folder)
    await again.write(before)
    await again.close()
  }
}

const verify = () => verifyChainFolder(folder, { genesisHash })
const first = async (table: Table, range: { from: Uint8Array; below: Uint8Array }): Promise<[Uint8Array, Uint8Array]> => {
  for await (const entry of table.entries(range)) return entry
  throw new Error('nothing there')
}
const bump = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes, (byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte))

describe('the verification of a chain store', () => {
  it('passes a chain as the node wrote it, and counts what it has read', async () => {
    const seen: number[] = []
    const figures = await verifyChainFolder(folder, { genesisHash, onProgress: (block) => seen.push(block) })
    expect(figures).toMatchObject({ blocks: BLOCKS + 1, transactions: BLOCKS })
    expect(figures.accounts).toBeGreaterThan(BLOCKS)
    expect(figures.slots).toBeGreaterThan(0)
    expect(figures.trieNodes).toBeGreaterThan(figures.accounts)
    expect(seen).toEqual(Array.from({ length: BLOCKS + 1 }, (_, number) => number))
  })

  it('says nothing against a folder that is empty', async () => {
    const empty = join(await mkdtemp(join(tmpdir(), 'songhua-verify-')), 'chain')
    expect(await verifyChainFolder(empty, { genesisHash })).toMatchObject({ blocks: 0 })
    await rm(join(empty, '..'), { recursive: true })
  })

  it('refuses another genesis', async () => {
    await expect(verifyChainFolder(folder, { genesisHash: `0x${'11'.repeat(32)}` })).rejects.toMatchObject({ code: 'STORE_INCONSISTENT' })
  })

  const header = (number: number) => keys.headerKey(number)
  it.each<[string, RegExp, Parameters<typeof withChange>[0]]>([
    ['a header that is missing', /block 5: the header is missing/, () => Promise.resolve([[header(5), undefined]])],
    ['a header in another\'s place', /block 5: the index of hashes/, (table) => Promise.resolve([[header(5), table.get(header(4))]])],
    ['a seal of nobody', /block 6: .*(seal|signature|recover)/i, (table) => {
      const sealed = headerWithSeals(createStoreReader(table).header(6)!, [new Uint8Array(65).fill(1)])
      return Promise.resolve([[header(6), encodeHeader(sealed)]])
    }],
    ['too few seals', /block 6: Block 6 has 0 seals/, (table) => {
      const unsealed = headerWithSeals(createStoreReader(table).header(6)!, [])
      return Promise.resolve([[header(6), encodeHeader(unsealed)]])
    }],
    ['a hash that is not the header\'s', /block 7: the index of hashes/, (table) => Promise.resolve([[keys.blockHashKey(7), bump(table.get(keys.blockHashKey(7))!)]])],
    ['a number that is not the hash\'s', /block 7: the index of numbers/, (table) => {
      const hash = bytesToHex(table.get(keys.blockHashKey(7))!)
      return Promise.resolve([[keys.blockNumberKey(hash), Uint8Array.of(6)]])
    }],
    ['the body of another block', /block 8: the root of transactions/, (table) => Promise.resolve([[keys.bodyKey(8), table.get(keys.bodyKey(9))]])],
    ['receipts that are missing', /block 8: the list of receipts is missing/, () => Promise.resolve([[keys.receiptsKey(8), undefined]])],
    ['receipts of another block', /block 3: the root of receipts/, (table) => Promise.resolve([[keys.receiptsKey(3), table.get(keys.receiptsKey(9))]])],
    ['a transaction that is not indexed', /block 9: the index of transaction 0/, (table) => {
      const { hash } = decodeTransaction(createStoreReader(table).body(9)![0]!)
      return Promise.resolve([[keys.transactionKey(hash), undefined]])
    }],
    ['a node of the history tree that is another', /block 3: the history tree/, (table) => Promise.resolve([[keys.historyKey(1, 1), bump(table.get(keys.historyKey(1, 1))!)]])],
    ['a head whose header is missing', /the header of block 12, the head, is missing/, (_table, { header: { number } }) => Promise.resolve([[header(number), undefined]])],
    ['a head record with another turn of proposers', /block 12: the head record/, (_table, { header: { number }, hash, frontier }) =>
      Promise.resolve([[keys.HEAD_KEY, encodeHead({ number, hash, frontier, rotation: { missed: {}, lastProposer: undefined } })]])],
    ['an account that is richer than the state root says', /account 0x.* is not what the state root says/, async (table) => {
      const [key, value] = await first(table, keys.ACCOUNTS)
      const account = decodeAccount(value)
      return [[key, encodeAccount({ ...account, balance: account.balance + 1n })]]
    }],
    ['an account that is missing', /slots of 0x|accounts/, async (table) => [[(await first(table, keys.ACCOUNTS))[0], undefined]]],
    ['an account that the state does not have', /is not what the state root says/, async (table) => [[keys.accountKey(`0x${'77'.repeat(20)}`), (await first(table, keys.ACCOUNTS))[1]]]],
    ['a slot with another value', /slot 0x.* is not what the state root says/, async (table) => {
      const [key, value] = await first(table, keys.SLOTS)
      return [[key, bump(value)]]
    }],
    ['a slot that is missing', /slots under|the storage of/, async (table) => [[(await first(table, keys.SLOTS))[0], undefined]]],
    ['a slot of nobody', /slots of 0x7777/, () => Promise.resolve([[keys.slotKey(`0x${'77'.repeat(20)}`, `0x${'00'.repeat(32)}`), Uint8Array.of(1)]])],
    ['a trie node that is missing', /trie node 0x.* is not in the store/, (_table, head) => Promise.resolve([[keys.trieNodeKey(head.header.stateRoot), undefined]])],
    ['a trie node that is another', /has another hash than its name/, (table, head) => {
      const key = keys.trieNodeKey(head.header.stateRoot)
      return Promise.resolve([[key, bump(table.get(key)!)]])
    }],
    ['code that is missing', /the code of 0x.* is missing/, async (table) => {
      for await (const [, value] of table.entries(keys.ACCOUNTS)) {
        const { codeHash } = decodeAccount(value)
        if (table.get(keys.codeKey(codeHash)) !== undefined) return [[keys.codeKey(codeHash), undefined]]
      }
      throw new Error('no contract')
    }],
  ])('finds %s', async (_what, words, change) => {
    await withChange(change, async () => {
      await expect(verify()).rejects.toMatchObject({ code: expect.stringMatching(/^STORE_/) as string })
      await expect(verify()).rejects.toThrow(words)
    })
  })

  it('passes again when all of it is undone', async () => {
    expect(await verify()).toMatchObject({ blocks: BLOCKS + 1 })
  })
})
