import { type Account, EMPTY_ACCOUNT, EMPTY_CODE_HASH } from '@songhua/sdk/protocol/account'
import { type Address, type Hash, EMPTY_BYTES } from '@songhua/sdk/protocol/bytes'
import { keccak256Hex } from '@songhua/sdk/protocol/crypto'
import { assert } from '../base/assert.js'
import { type StateDiff, type StateReader, emptyStateDiff } from '../trie/state.js'

interface StorageOverlay {
  /** The storage below is gone: only `slots` counts. */
  cleared: boolean
  slots: Map<Hash, bigint>
}

/** Takes back one change. */
type Undo = () => void

/** EIP-161: no nonce, no balance, no code. Such an account is removed when a transaction touches it. */
export function isEmptyAccount(account: Account): boolean {
  return account.nonce === 0n && account.balance === 0n && account.codeHash === EMPTY_CODE_HASH
}

/**
 * A block's changes over a `StateReader`, with nested checkpoints. A checkpoint is a mark in an undo log, so that
 * taking one costs nothing and reverting costs what was changed since. All keys are lower-case hex.
 *
 * Within a transaction it also keeps what EIP-2200 (original values), EIP-2929 (warm addresses and slots) and EIP-161
 * (touched accounts) need; `endTransaction` forgets them.
 */
export class JournaledState {
  private readonly base: StateReader
  private readonly accounts = new Map<Address, Account | null>()
  private readonly storage = new Map<Address, StorageOverlay>()
  private readonly codes = new Map<Hash, Uint8Array>()
  private readonly newCodes = new Map<Hash, Uint8Array>()
  private readonly baseAccounts = new Map<Address, Account | null>()
  private readonly baseSlots = new Map<Address, Map<Hash, bigint>>()

  private undos: Undo[] = []
  private marks: number[] = []
  private touched = new Set<Address>()
  private originals = new Map<Address, Map<Hash, bigint>>()
  private warmAddresses = new Set<Address>()
  private warmSlots = new Map<Address, Set<Hash>>()

  constructor(base: StateReader) {
    this.base = base
  }

  // ------------------------------------------------------------------------------------------------ accounts, code

  getAccount(address: Address): Account | undefined {
    const changed = this.accounts.get(address)
    if (changed !== undefined) return changed ?? undefined
    return this.baseAccount(address) ?? undefined
  }

  private baseAccount(address: Address): Account | null {
    let account = this.baseAccounts.get(address)
    if (account === undefined) {
      account = this.base.getAccount(address) ?? null
      this.baseAccounts.set(address, account)
    }
    return account
  }

  /** Also marks the account as touched. */
  putAccount(address: Address, account: Account): void {
    this.touch(address)
    this.setAccount(address, account)
  }

  private setAccount(address: Address, account: Account | null): void {
    const previous = this.accounts.get(address)
    this.undos.push(() => {
      if (previous === undefined) this.accounts.delete(address)
      else this.accounts.set(address, previous)
    })
    this.accounts.set(address, account)
  }

  /** Removes the account and its storage. */
  deleteAccount(address: Address): void {
    this.setAccount(address, null)
    this.clearStorage(address)
  }

  /** May be negative; the account is created when absent. */
  addBalance(address: Address, amount: bigint): void {
    const account = this.getAccount(address) ?? EMPTY_ACCOUNT
    this.putAccount(address, { ...account, balance: account.balance + amount })
  }

  private touch(address: Address): void {
    if (this.touched.has(address)) return
    this.touched.add(address)
    this.undos.push(() => this.touched.delete(address))
  }

  getCode(address: Address): Uint8Array {
    const account = this.getAccount(address)
    return account === undefined ? EMPTY_BYTES : this.codeOf(account.codeHash)
  }

  /** The same array for the same hash as long as this state lives: interpreters key their analysis on it. */
  private codeOf(codeHash: Hash): Uint8Array {
    if (codeHash === EMPTY_CODE_HASH) return EMPTY_BYTES
    let code = this.codes.get(codeHash)
    if (code === undefined) {
      code = this.base.getCode(codeHash)
      this.codes.set(codeHash, code)
    }
    return code
  }

  putCode(address: Address, code: Uint8Array): void {
    const codeHash = keccak256Hex(code)
    if (!this.codes.has(codeHash)) this.codes.set(codeHash, code)
    this.newCodes.set(codeHash, code)
    this.putAccount(address, { ...(this.getAccount(address) ?? EMPTY_ACCOUNT), codeHash })
  }

  // ------------------------------------------------------------------------------------------------------ storage

  getStorage(address: Address, slot: Hash): bigint {
    const overlay = this.storage.get(address)
    if (overlay === undefined) return this.baseStorage(address, slot)
    return overlay.slots.get(slot) ?? (overlay.cleared ? 0n : this.baseStorage(address, slot))
  }

  private baseStorage(address: Address, slot: Hash): bigint {
    let slots = this.baseSlots.get(address)
    if (slots === undefined) this.baseSlots.set(address, (slots = new Map<Hash, bigint>()))
    let value = slots.get(slot)
    if (value === undefined) slots.set(slot, (value = this.base.getStorage(address, slot)))
    return value
  }

  /** The value at the start of the transaction (EIP-2200). */
  getOriginalStorage(address: Address, slot: Hash): bigint {
    return this.originals.get(address)?.get(slot) ?? this.getStorage(address, slot)
  }

  putStorage(address: Address, slot: Hash, value: bigint): void {
    const current = this.getStorage(address, slot)
    if (current === value) return
    this.keepOriginal(address, slot, current)
    let overlay = this.storage.get(address)
    if (overlay === undefined) this.storage.set(address, (overlay = { cleared: false, slots: new Map<Hash, bigint>() }))
    const { slots } = overlay
    const previous = slots.get(slot)
    this.undos.push(() => {
      if (previous === undefined) slots.delete(slot)
      else slots.set(slot, previous)
    })
    slots.set(slot, value)
  }

  private keepOriginal(address: Address, slot: Hash, value: bigint): void {
    let originals = this.originals.get(address)
    if (originals === undefined) this.originals.set(address, (originals = new Map<Hash, bigint>()))
    if (!originals.has(slot)) originals.set(slot, value)
  }

  clearStorage(address: Address): void {
    const previous = this.storage.get(address)
    if (previous?.cleared === true && previous.slots.size === 0) return
    this.undos.push(() => {
      if (previous === undefined) this.storage.delete(address)
      else this.storage.set(address, previous)
    })
    this.storage.set(address, { cleared: true, slots: new Map() })
  }

  // ------------------------------------------------------------------------------------------------------ warmth

  isWarmAddress(address: Address): boolean {
    return this.warmAddresses.has(address)
  }

  warmAddress(address: Address): void {
    if (this.warmAddresses.has(address)) return
    this.warmAddresses.add(address)
    this.undos.push(() => this.warmAddresses.delete(address))
  }

  isWarmSlot(address: Address, slot: Hash): boolean {
    return this.warmSlots.get(address)?.has(slot) === true
  }

  warmSlot(address: Address, slot: Hash): void {
    let slots = this.warmSlots.get(address)
    if (slots === undefined) this.warmSlots.set(address, (slots = new Set<Hash>()))
    if (slots.has(slot)) return
    slots.add(slot)
    const warmed = slots
    this.undos.push(() => warmed.delete(slot))
  }

  // ------------------------------------------------------------------------------------------------- checkpoints

  checkpoint(): void {
    this.marks.push(this.undos.length)
  }

  /** Keeps the changes since the last checkpoint. */
  commit(): void {
    assert(this.marks.pop() !== undefined, 'commit without a checkpoint')
  }

  /** Takes back every change since the last checkpoint. */
  revert(): void {
    const mark = this.marks.pop()
    assert(mark !== undefined, 'revert without a checkpoint')
    for (let at = this.undos.length - 1; at >= mark; at--) this.undos[at]!()
    this.undos.length = mark
  }

  /** Removes destroyed and touched empty accounts; what the transaction changed can no longer be reverted. */
  endTransaction(destroyed: readonly Address[]): void {
    assert(this.marks.length === 0, `${this.marks.length} checkpoints open at the end of a transaction`)
    for (const address of destroyed) this.deleteAccount(address)
    for (const address of this.touched) {
      const account = this.getAccount(address)
      if (account !== undefined && isEmptyAccount(account)) this.deleteAccount(address)
    }
    this.forgetTransaction()
  }

  /** Takes back everything since the last `endTransaction`, as if the transaction had not been tried. */
  abandonTransaction(): void {
    this.marks = [0]
    this.revert()
    this.forgetTransaction()
  }

  private forgetTransaction(): void {
    this.undos = []
    this.touched = new Set()
    this.originals = new Map()
    this.warmAddresses = new Set()
    this.warmSlots = new Map()
  }

  // --------------------------------------------------------------------------------------------------------- diff

  /** What differs from the base, of all ended transactions; values that came back to where they were are left out. */
  diff(): StateDiff {
    assert(this.undos.length === 0, 'a diff is taken between transactions')
    const diff = emptyStateDiff()
    for (const address of new Set([...this.accounts.keys(), ...this.storage.keys()])) {
      const account = this.getAccount(address)
      if (account === undefined) {
        if (this.baseAccount(address) !== null) diff.accounts.set(address, null)
        continue
      }
      const storageChanged = this.collectStorage(diff, address)
      if (!storageChanged && sameAccount(account, this.baseAccount(address))) continue
      diff.accounts.set(address, account)
      const code = this.newCodes.get(account.codeHash)
      if (code !== undefined) diff.codes.set(account.codeHash, code)
    }
    return diff
  }

  private collectStorage(diff: StateDiff, address: Address): boolean {
    const overlay = this.storage.get(address)
    if (overlay === undefined) return false
    const cleared = overlay.cleared && this.baseAccount(address) !== null
    if (cleared) diff.cleared.add(address)
    const changed = new Map<Hash, bigint>()
    for (const [slot, value] of overlay.slots) {
      const before = overlay.cleared ? 0n : this.baseStorage(address, slot)
      if (value !== before) changed.set(slot, value)
    }
    if (changed.size > 0) diff.storage.set(address, changed)
    return cleared || changed.size > 0
  }
}

function sameAccount(account: Account, base: Account | null): boolean {
  return base !== null && account.nonce === base.nonce && account.balance === base.balance
    && account.codeHash === base.codeHash
}
