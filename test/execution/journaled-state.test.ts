import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JournaledState } from '@songhua/node/execution/journaled-state'
import { EMPTY_ACCOUNT, EMPTY_CODE_HASH } from '@songhua/sdk/protocol/account'
import { type Address, EMPTY_BYTES } from '@songhua/sdk/protocol/bytes'
import { keccak256Hex } from '@songhua/sdk/protocol/crypto'
import { createState, slotOf, stateOf } from './world.js'

const A: Address = `0x${'aa'.repeat(20)}`
const B: Address = `0x${'bb'.repeat(20)}`
const ONE = slotOf(1n)
const TWO = slotOf(2n)

function base(): ReturnType<typeof createState> {
  return createState({ [A]: { balance: 5n, nonce: 1n, code: Uint8Array.of(1, 2, 3), storage: [[1n, 11n]] } })
}

describe('checkpoints', () => {
  it('a reverted checkpoint takes back accounts, code, storage and warmth; a committed one in it too', () => {
    const state = new JournaledState(base())
    state.putStorage(A, TWO, 1n)
    state.checkpoint()
    state.warmAddress(B)
    state.warmSlot(A, ONE)
    state.putStorage(A, ONE, 12n)
    state.checkpoint()
    state.putCode(B, Uint8Array.of(9))
    state.addBalance(B, 7n)
    state.commit()
    state.revert()
    expect(state.getStorage(A, ONE)).toBe(11n)
    expect(state.getStorage(A, TWO)).toBe(1n)
    expect(state.getAccount(B)).toBeUndefined()
    expect(state.getCode(B)).toEqual(EMPTY_BYTES)
    expect([state.isWarmAddress(B), state.isWarmSlot(A, ONE)]).toEqual([false, false])
  })

  it('a cleared storage comes back with its slots', () => {
    const state = new JournaledState(base())
    state.putStorage(A, TWO, 2n)
    state.checkpoint()
    state.clearStorage(A)
    expect([state.getStorage(A, ONE), state.getStorage(A, TWO)]).toEqual([0n, 0n])
    state.putStorage(A, ONE, 3n)
    state.revert()
    expect([state.getStorage(A, ONE), state.getStorage(A, TWO)]).toEqual([11n, 2n])
  })

  it('is a bug to close what was not opened, or to end a transaction with one open', () => {
    const state = new JournaledState(base())
    expect(() => state.commit()).toThrow(/without a checkpoint/)
    expect(() => state.revert()).toThrow(/without a checkpoint/)
    state.checkpoint()
    expect(() => state.endTransaction([])).toThrow(/1 checkpoints open/)
  })

  it('agrees with copying the whole state, for any run of operations', () => {
    const operation = fc.oneof(
      fc.constant({ kind: 'checkpoint' as const }),
      fc.constant({ kind: 'commit' as const }),
      fc.constant({ kind: 'revert' as const }),
      fc.record({ kind: fc.constant('slot' as const), address: fc.constantFrom(A, B), slot: fc.constantFrom(ONE, TWO), value: fc.bigInt(0n, 3n) }),
      fc.record({ kind: fc.constant('balance' as const), address: fc.constantFrom(A, B), value: fc.bigInt(0n, 3n) }),
      fc.record({ kind: fc.constant('delete' as const), address: fc.constantFrom(A, B) }),
    )
    const key = (address: Address, slot = ''): string => `${address}${slot}`
    fc.assert(fc.property(fc.array(operation, { maxLength: 40 }), (operations) => {
      const state = new JournaledState(base())
      let model = new Map<string, bigint>([[key(A), 5n], [key(A, ONE), 11n]])
      const copies: Map<string, bigint>[] = []
      for (const step of operations) {
        if (step.kind === 'checkpoint') {
          state.checkpoint()
          copies.push(new Map(model))
        } else if (step.kind === 'commit') {
          if (copies.pop() !== undefined) state.commit()
        } else if (step.kind === 'revert') {
          const copy = copies.pop()
          if (copy !== undefined) {
            state.revert()
            model = copy
          }
        } else if (step.kind === 'slot') {
          state.putStorage(step.address, step.slot, step.value)
          model.set(key(step.address, step.slot), step.value)
        } else if (step.kind === 'balance') {
          state.putAccount(step.address, { ...EMPTY_ACCOUNT, balance: step.value })
          model.set(key(step.address), step.value)
        } else {
          state.deleteAccount(step.address)
          for (const name of [...model.keys()]) if (name.startsWith(step.address)) model.delete(name)
        }
      }
      for (const address of [A, B]) {
        expect(state.getAccount(address)?.balance).toBe(model.get(key(address)))
        for (const slot of [ONE, TWO]) expect(state.getStorage(address, slot)).toBe(model.get(key(address, slot)) ?? 0n)
      }
    }))
  })
})

describe('transactions', () => {
  it('original values are those at the start of the transaction, whatever was written or reverted', () => {
    const state = new JournaledState(base())
    state.putStorage(A, ONE, 12n)
    state.putStorage(A, ONE, 13n)
    expect(state.getOriginalStorage(A, ONE)).toBe(11n)
    state.endTransaction([])
    expect(state.getOriginalStorage(A, ONE)).toBe(13n)
  })

  it('the end removes what was destroyed and what was touched and is empty, and cools everything', () => {
    const state = new JournaledState(createState({ [A]: { nonce: 1n, storage: [[1n, 1n]] }, [B]: {} }))
    state.warmAddress(A)
    state.addBalance(B, 0n)
    state.endTransaction([A])
    expect([state.getAccount(A), state.getAccount(B)]).toEqual([undefined, undefined])
    expect(state.getStorage(A, ONE)).toBe(0n)
    expect(state.isWarmAddress(A)).toBe(false)
  })

  it('an abandoned one leaves nothing, even with checkpoints open', () => {
    const state = new JournaledState(base())
    state.addBalance(A, 1n)
    state.endTransaction([])
    state.checkpoint()
    state.addBalance(A, 10n)
    state.deleteAccount(A)
    state.abandonTransaction()
    expect(state.getAccount(A)?.balance).toBe(6n)
    expect([...state.diff().accounts.keys()]).toEqual([A])
  })
})

describe('the diff', () => {
  it('leaves out what came back to where it was', () => {
    const state = new JournaledState(base())
    state.addBalance(A, 1n)
    state.putStorage(A, ONE, 99n)
    state.addBalance(B, 1n)
    state.endTransaction([])
    state.addBalance(A, -1n)
    state.putStorage(A, ONE, 11n)
    state.addBalance(B, -1n)
    state.endTransaction([])
    const { accounts, storage, cleared, codes } = state.diff()
    expect([accounts.size, storage.size, cleared.size, codes.size]).toEqual([0, 0, 0, 0])
  })

  it('names an account whose storage alone changed, and only codes that are still in use', () => {
    const state = new JournaledState(base())
    state.putStorage(A, TWO, 5n)
    state.checkpoint()
    state.putCode(B, Uint8Array.of(7))
    state.revert()
    state.endTransaction([])
    const diff = state.diff()
    expect([...diff.accounts.keys()]).toEqual([A])
    expect(diff.storage.get(A)).toEqual(new Map([[TWO, 5n]]))
    expect(diff.codes.size).toBe(0)
  })

  it('clears the storage of an account that was destroyed and made anew', () => {
    const state = new JournaledState(base())
    state.endTransaction([A])
    state.putCode(A, Uint8Array.of(8))
    state.putStorage(A, TWO, 2n)
    state.endTransaction([])
    const diff = state.diff()
    expect([...diff.cleared]).toEqual([A])
    expect(diff.codes.get(keccak256Hex(Uint8Array.of(8)))).toEqual(Uint8Array.of(8))
    const after = stateOf(diff)
    expect([after.getStorage(A, ONE), after.getStorage(A, TWO)]).toEqual([0n, 2n])
    expect(after.getAccount(A)?.codeHash).not.toBe(EMPTY_CODE_HASH)
  })

  it('deletes an account with null, and says nothing of one that never was', () => {
    const state = new JournaledState(base())
    state.addBalance(B, 3n)
    state.endTransaction([A, B])
    expect(state.diff().accounts).toEqual(new Map([[A, null]]))
  })
})
