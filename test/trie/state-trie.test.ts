import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Account, EMPTY_CODE_HASH, EMPTY_TRIE_ROOT, encodeAccount } from '@songhua/sdk/protocol/account'
import {
  type Address, type Hash, type Hex, bigintToBytes, bytesToHex, hexToBytes, padLeft,
} from '@songhua/sdk/protocol/bytes'
import { keccak256Hex } from '@songhua/sdk/protocol/crypto'
import { encodeRlp } from '@songhua/sdk/protocol/rlp'
import { type NodeStore, type StateDiff, emptyStateDiff } from '@songhua/node/trie/state'
import { stateReaderAt, updateStateTrie } from '@songhua/node/trie/state-trie'
import { referenceRoot } from './reference-trie.js'

const addressOf = (index: number): Address => bytesToHex(padLeft(Uint8Array.of(index + 1), 20))
const slotOf = (index: number): Hash => bytesToHex(padLeft(Uint8Array.of(index), 32))
const account = (nonce: bigint): Account => ({
  nonce, balance: nonce * 10n, storageRoot: EMPTY_TRIE_ROOT, codeHash: EMPTY_CODE_HASH,
})
const noCode = (): Uint8Array => new Uint8Array()

interface World extends NodeStore {
  root: Hash
  apply(diff: StateDiff): Map<Address, Account | null>
}

function createWorld(): World {
  const nodes = new Map<Hash, Uint8Array>()
  const world: World = {
    root: EMPTY_TRIE_ROOT,
    getNode: (hash) => nodes.get(hash),
    apply(diff) {
      const update = updateStateTrie(world, world.root, diff)
      update.nodes.forEach((raw, hash) => nodes.set(hash, raw))
      world.root = update.root
      return update.accounts
    },
  }
  return world
}

/** What a state means, without any trie: accounts with their slots. */
type Model = Map<Address, { account: Account; slots: Map<Hash, bigint> }>

function applyToModel(model: Model, diff: StateDiff): void {
  for (const address of diff.cleared) model.get(address)?.slots.clear()
  for (const [address, value] of diff.accounts) {
    if (value === null) model.delete(address)
    else model.set(address, { account: value, slots: model.get(address)?.slots ?? new Map<Hash, bigint>() })
  }
  for (const [address, slots] of diff.storage) {
    for (const [slot, value] of slots) {
      if (value === 0n) model.get(address)?.slots.delete(slot)
      else model.get(address)?.slots.set(slot, value)
    }
  }
}

function storageRootOf(slots: Map<Hash, bigint>): Hash {
  const entries = [...slots].map(([slot, value]): [Hex, Uint8Array] => [
    keccak256Hex(hexToBytes(slot)), encodeRlp(bigintToBytes(value)),
  ])
  return referenceRoot(new Map(entries))
}

function modelRoot(model: Model): Hash {
  const entries = [...model].map(([address, { account: value, slots }]): [Hex, Uint8Array] => [
    keccak256Hex(hexToBytes(address)), encodeAccount({ ...value, storageRoot: storageRootOf(slots) }),
  ])
  return referenceRoot(new Map(entries))
}

const slotValue = fc.constantFrom(0n, 1n, 127n, 128n, 2n ** 255n)
const slotChanges = fc.array(fc.tuple(fc.nat(12).map(slotOf), slotValue), { maxLength: 6 })
const nonce = fc.option(fc.bigInt(0n, 300n), { freq: 5 })
const touch = fc.record({ nonce, cleared: fc.boolean(), slots: slotChanges })
const blocks = fc.array(fc.dictionary(fc.nat(8).map(addressOf), touch, { maxKeys: 5 }), { minLength: 1, maxLength: 6 })

interface Touch {
  nonce: bigint | null
  cleared: boolean
  slots: [Hash, bigint][]
}

function diffOf(block: Record<Address, Touch>): StateDiff {
  const diff = emptyStateDiff()
  for (const [address, { nonce, cleared, slots }] of Object.entries(block) as [Address, Touch][]) {
    diff.accounts.set(address, nonce === null ? null : account(nonce))
    if (cleared || nonce === null) diff.cleared.add(address)
    if (nonce !== null) diff.storage.set(address, new Map(slots))
  }
  return diff
}

describe('updateStateTrie', () => {
  it('gives after each block the root, the accounts and the readings of the state that the diffs add up to', () => {
    fc.assert(
      fc.property(blocks, (sequence) => {
        const world = createWorld()
        const model: Model = new Map()
        for (const block of sequence) {
          const diff = diffOf(block)
          const accounts = world.apply(diff)
          applyToModel(model, diff)
          expect(world.root).toBe(modelRoot(model))
          const reader = stateReaderAt(world, noCode, world.root)
          for (const address of diff.accounts.keys()) {
            const expected = model.get(address)
            const storageRoot = expected && storageRootOf(expected.slots)
            const complete = expected && { ...expected.account, storageRoot }
            expect(accounts.get(address)).toEqual(complete ?? null)
            expect(reader.getAccount(address)).toEqual(complete)
            for (let index = 0; index <= 12; index++) {
              expect(reader.getStorage(address, slotOf(index))).toBe(expected?.slots.get(slotOf(index)) ?? 0n)
            }
          }
        }
      }),
      { numRuns: 150 },
    )
  })

  const [alice, bob] = [addressOf(0), addressOf(1)]
  const withSlot = (address: Address, slot: Hash, value: bigint): StateDiff => {
    const diff = emptyStateDiff()
    diff.accounts.set(address, account(1n))
    return { ...diff, storage: new Map([[address, new Map([[slot, value]])]]) }
  }

  it('keeps storage that the diff does not name, whatever storage root its account carries', () => {
    const world = createWorld()
    world.apply(withSlot(alice, slotOf(0), 5n))
    const diff = emptyStateDiff()
    diff.accounts.set(alice, account(2n))
    world.apply(diff)
    expect(stateReaderAt(world, noCode, world.root).getStorage(alice, slotOf(0))).toBe(5n)
  })

  it('keeps nonce, balance and code of an account of which only storage changes', () => {
    const world = createWorld()
    world.apply(withSlot(alice, slotOf(0), 5n))
    world.apply({ ...emptyStateDiff(), storage: new Map([[alice, new Map([[slotOf(1), 6n]])]]) })
    expect(stateReaderAt(world, noCode, world.root).getAccount(alice)).toMatchObject({ nonce: 1n, balance: 10n })
    expect(stateReaderAt(world, noCode, world.root).getStorage(alice, slotOf(1))).toBe(6n)
  })

  it('wipes storage before new values apply', () => {
    const world = createWorld()
    world.apply(withSlot(alice, slotOf(0), 5n))
    world.apply({ ...withSlot(alice, slotOf(1), 6n), cleared: new Set([alice]) })
    const fresh = createWorld()
    fresh.apply(withSlot(alice, slotOf(1), 6n))
    expect(world.root).toBe(fresh.root)
  })

  it('returns to the empty root when the last account goes', () => {
    const world = createWorld()
    world.apply(withSlot(alice, slotOf(0), 5n))
    world.apply({ ...emptyStateDiff(), accounts: new Map([[alice, null], [bob, null]]) })
    expect(world.root).toBe(EMPTY_TRIE_ROOT)
  })

  it('refuses storage of an account that does not exist', () => {
    const diff = { ...emptyStateDiff(), storage: new Map([[bob, new Map([[slotOf(0), 1n]])]]) }
    expect(() => createWorld().apply(diff)).toThrow(expect.objectContaining({
      code: 'STATE_DIFF_INVALID', details: { address: bob },
    }))
  })

  it('reads code through the port', () => {
    const code = Uint8Array.of(0x60, 0x00)
    const codeOf = (hash: Hash): Uint8Array => (hash === keccak256Hex(code) ? code : new Uint8Array())
    const reader = stateReaderAt(createWorld(), codeOf, EMPTY_TRIE_ROOT)
    expect(reader.getCode(keccak256Hex(code))).toBe(code)
    expect(reader.getAccount(alice)).toBeUndefined()
    expect(reader.getStorage(alice, slotOf(0))).toBe(0n)
  })
})
