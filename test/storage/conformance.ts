import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { frontierRoot, proveBlock, verifyAncestor } from '@songhua/sdk/protocol/history-tree'
import { keccak256Hex } from '@songhua/sdk/protocol/crypto'
import type { BlockCommit, ChainStore } from '@songhua/node/storage/chain-store'
import { stateReaderAt } from '@songhua/node/trie/state-trie'
import {
  type Contents, accountOf, addressOf, commitNext, logOf, nextCommit, receiptOf, slotOf, transactionOf,
} from './chain-builder.js'

export interface StoreUnderTest {
  /** An empty store. */
  open(): Promise<ChainStore>
  /** Closes the store and opens what it left behind; absent where nothing outlives the process. */
  reopen?(store: ChainStore, genesisHash: Hash): Promise<ChainStore>
  clean(): Promise<void>
}

const LAST_SLOT: Hash = `0x${'ff'.repeat(32)}`
const code = (value: string): Error => expect.objectContaining({ code: value }) as Error
const codeIn = (store: ChainStore) => (hash: Hash): Uint8Array => store.state.getCode(hash)
const storageOf = (address: Address, ...values: [number, bigint][]): Map<Address, Map<Hash, bigint>> =>
  new Map([[address, new Map(values.map(([slot, value]) => [slotOf(slot), value]))]])

/** What every implementation of `ChainStore` must do. */
export function describeChainStore(name: string, subject: StoreUnderTest): void {
  describe(`chain store: ${name}`, () => {
    let store: ChainStore
    beforeEach(async () => {
      store = await subject.open()
    })
    afterEach(async () => {
      await store.close()
      await subject.clean()
    })
    const contract = Uint8Array.of(0x60, 0x01, 0x50)

    it('is empty before the genesis', () => {
      expect(store.head()).toBeUndefined()
      expect(store.header(0)).toBeUndefined()
      expect(store.state.getAccount(addressOf(0))).toBeUndefined()
      expect(store.state.getStorage(addressOf(0), slotOf(0))).toBe(0n)
    })

    it('gives back all of every block', async () => {
      const commits = [await commitNext(store, { diff: { accounts: new Map([[addressOf(0), accountOf(0)]]) } })]
      for (let number = 1; number <= 20; number++) commits.push(await commitNext(store, contentsOf(number)))
      for (const commit of commits) expectBlock(store, commit)
      expect(store.head()).toEqual(commits.at(-1)!.head)
      if (subject.reopen === undefined) return
      store = await subject.reopen(store, commits[0]!.head.hash)
      for (const commit of commits) expectBlock(store, commit)
      expect(store.head()).toEqual(commits.at(-1)!.head)
    })

    it('knows nothing of what was never committed', async () => {
      await commitNext(store)
      expect(store.header(1)).toBeUndefined()
      expect(store.hashAt(1)).toBeUndefined()
      expect(store.numberOf(slotOf(9))).toBeUndefined()
      expect(store.body(1)).toBeUndefined()
      expect(store.receipts(1)).toBeUndefined()
      expect(store.transactionLocation(slotOf(9))).toBeUndefined()
      expect(store.historyNode(1, 0)).toBeUndefined()
      expect(store.state.getNode(slotOf(9))).toBeUndefined()
      expect(() => store.state.getCode(slotOf(9))).toThrow(code('STORE_INCONSISTENT'))
    })

    it('holds the flat state of the head, and the trie of every block', async () => {
      const [alice, bob] = [addressOf(1), addressOf(2)]
      await commitNext(store, {
        diff: {
          accounts: new Map([[alice, accountOf(1, contract)], [bob, accountOf(1)]]),
          storage: storageOf(alice, [0, 5n], [1, 2n ** 256n - 1n]),
          codes: new Map([[keccak256Hex(contract), contract]]),
        },
      })
      await commitNext(store, {
        diff: {
          accounts: new Map([[alice, accountOf(2, contract)], [bob, null]]),
          storage: storageOf(alice, [0, 0n], [2, 7n]),
        },
      })
      expectFlatIsTrie(store, [alice, bob])
      expect(store.state.getAccount(bob)).toBeUndefined()
      expect([0, 1, 2].map((slot) => store.state.getStorage(alice, slotOf(slot)))).toEqual([0n, 2n ** 256n - 1n, 7n])
      const former = stateReaderAt(store.state, codeIn(store), store.header(0)!.stateRoot)
      expect(former.getAccount(bob)).toEqual(accountOf(1))
      expect([0, 1, 2].map((slot) => former.getStorage(alice, slotOf(slot)))).toEqual([5n, 2n ** 256n - 1n, 0n])
      expect(former.getCode(former.getAccount(alice)!.codeHash)).toEqual(contract)
      expect(store.state.getCode(accountOf(0).codeHash)).toEqual(new Uint8Array())
    })

    it('wipes the slots of cleared and of deleted accounts, and of no other', async () => {
      const [alice, bob, carol] = [addressOf(0xff), addressOf(0xfe), addressOf(0xfd)]
      const all = [alice, bob, carol]
      await commitNext(store, {
        diff: {
          accounts: new Map(all.map((address) => [address, accountOf(1)])),
          storage: new Map(all.map((address) => [address, new Map([[slotOf(0), 1n], [LAST_SLOT, 2n]])])),
        },
      })
      await commitNext(store, {
        diff: {
          accounts: new Map([[alice, accountOf(1)], [bob, null]]),
          cleared: new Set([alice]),
          storage: storageOf(alice, [0, 9n]),
        },
      })
      expectFlatIsTrie(store, all)
      expect(store.state.getStorage(alice, LAST_SLOT)).toBe(0n)
      expect(store.state.getStorage(alice, slotOf(0))).toBe(9n)
      expect(store.state.getStorage(bob, slotOf(0))).toBe(0n)
      expect(store.state.getStorage(carol, LAST_SLOT)).toBe(2n)
      await commitNext(store, { diff: { accounts: new Map([[bob, accountOf(0)]]) } })
      expectFlatIsTrie(store, all)
    })

    it('proves every earlier block from the stored nodes of the history tree', async () => {
      for (let number = 0; number < 12; number++) await commitNext(store)
      const { header, frontier } = store.head()!
      expect(frontier.size).toBe(12)
      expect(frontierRoot(store.head()!.frontier)).not.toBe(header.parentBeaconBlockRoot)
      for (let number = 0; number < header.number; number++) {
        const path = proveBlock((level, index) => store.historyNode(level, index), { number, size: header.number })
        verifyAncestor(header, { number, hash: store.hashAt(number)!, path })
      }
    })

    it('walks the blooms of a range', async () => {
      for (let number = 0; number <= 300; number++) {
        await commitNext(store, number % 100 === 50 ? contentsOf(number) : {})
      }
      const walk = (first: number, last: number): number[] => {
        const numbers: number[] = []
        for (const { number, logsBloom } of store.blooms(first, last)) {
          expect(logsBloom).toEqual(store.header(number)!.logsBloom)
          numbers.push(number)
        }
        return numbers
      }
      expect(walk(0, 0)).toEqual([0])
      expect(walk(149, 152)).toEqual([149, 150, 151, 152])
      expect(walk(250, 1000).at(-1)).toBe(300)
      expect(walk(301, 400)).toEqual([])
    })

    it('refuses a block that does not follow the head, and stays as it was', async () => {
      const genesis = await commitNext(store)
      const first = await commitNext(store, contentsOf(1))
      const second = nextCommit(store, contentsOf(2))
      const header = { ...second.block.header, parentHash: genesis.head.hash }
      const wrongParent = { ...second, block: { ...second.block, header } }
      for (const commit of [genesis, first, wrongParent]) {
        await expect(store.commitBlock(commit)).rejects.toThrow(code('STORE_COMMIT_ORDER'))
      }
      expect(store.head()).toEqual(first.head)
      expect(store.header(2)).toBeUndefined()
      await store.commitBlock(second)
      expectBlock(store, second)
    })

    it('refuses a first block that is not the genesis', async () => {
      await commitNext(store)
      const other = await subject.open()
      await expect(other.commitBlock(nextCommit(store))).rejects.toThrow(code('STORE_COMMIT_ORDER'))
      expect(other.head()).toBeUndefined()
      await other.close()
    })

    it('refuses a commit while another is under way', async () => {
      await commitNext(store)
      const commit = nextCommit(store)
      const outcomes = await Promise.allSettled([store.commitBlock(commit), store.commitBlock(commit)])
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
      expect(store.head()).toEqual(commit.head)
    })
  })
}

function contentsOf(number: number): Contents {
  const transactions = [transactionOf(2 * number), transactionOf(2 * number + 1)]
  return {
    transactions,
    receipts: transactions.map((_, index) => receiptOf(index, [logOf(addressOf(number % 200))])),
    diff: {
      accounts: new Map([[addressOf(0), accountOf(number)]]),
      storage: storageOf(addressOf(0), [number % 8, BigInt(number)]),
    },
  }
}

function expectBlock(store: ChainStore, { block, receipts, head, historyNodes, diff }: BlockCommit): void {
  const { number } = block.header
  expect(store.header(number)).toEqual(block.header)
  expect(store.hashAt(number)).toBe(head.hash)
  expect(store.numberOf(head.hash)).toBe(number)
  expect(store.body(number)).toEqual(block.transactions.map(({ raw }) => raw))
  expect(store.receipts(number)).toEqual(receipts)
  for (const [index, { hash }] of block.transactions.entries()) {
    expect(store.transactionLocation(hash)).toEqual({ number, index })
  }
  for (const { level, index, hash } of historyNodes) expect(store.historyNode(level, index)).toBe(hash)
  const reader = stateReaderAt(store.state, codeIn(store), block.header.stateRoot)
  for (const [address, account] of diff.accounts) expect(reader.getAccount(address) ?? null).toEqual(account)
}

function expectFlatIsTrie(store: ChainStore, addresses: Address[]): void {
  const trie = stateReaderAt(store.state, codeIn(store), store.head()!.header.stateRoot)
  for (const address of addresses) {
    expect(store.state.getAccount(address)).toEqual(trie.getAccount(address))
    for (const slot of [slotOf(0), slotOf(1), slotOf(2), LAST_SLOT]) {
      expect(store.state.getStorage(address, slot)).toBe(trie.getStorage(address, slot))
    }
  }
}
