/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-assignment
   -- the EVM library's interfaces are asynchronous, our state is not */
import type { StateManagerInterface } from '@ethereumjs/common'
import { Account as LibraryAccount, type Address as LibraryAddress } from '@ethereumjs/util'
import { type Account, EMPTY_ACCOUNT, EMPTY_CODE_HASH, EMPTY_TRIE_ROOT } from '@songhua/sdk/protocol/account'
import {
  type Address,
  type Hash,
  bigintToBytes,
  bytesToBigint,
  bytesToHex,
  hexToBytes,
} from '@songhua/sdk/protocol/bytes'
import type { JournaledState } from './journaled-state.js'

const EMPTY_CODE_HASH_BYTES = hexToBytes(EMPTY_CODE_HASH)
const EMPTY_TRIE_ROOT_BYTES = hexToBytes(EMPTY_TRIE_ROOT)

/** Hex of the library's address, computed once for each address object: an opcode loop asks for it again and again. */
export function addressOf(address: LibraryAddress): Address {
  const memo = address as LibraryAddress & { hex?: Address }
  return (memo.hex ??= bytesToHex(address.bytes))
}

function hashBytes(hash: Hash): Uint8Array {
  if (hash === EMPTY_CODE_HASH) return EMPTY_CODE_HASH_BYTES
  if (hash === EMPTY_TRIE_ROOT) return EMPTY_TRIE_ROOT_BYTES
  return hexToBytes(hash)
}

/** A new object for every call, because the library changes what it gets. */
function toLibraryAccount({ nonce, balance, storageRoot, codeHash }: Account): LibraryAccount {
  return new LibraryAccount(nonce, balance, hashBytes(storageRoot), hashBytes(codeHash))
}

/**
 * The part of the library's StateManager and Journal that its interpreter uses under Cancun, over a JournaledState.
 * Nothing here is asynchronous: the library awaits plain values.
 */
export function createLibraryState(state: JournaledState): { stateManager: StateManagerInterface; journal: any } {
  const put = (address: LibraryAddress, fields: { nonce?: bigint; balance?: bigint }): void => {
    const key = addressOf(address)
    const { nonce, balance } = fields
    const account = state.getAccount(key) ?? EMPTY_ACCOUNT
    state.putAccount(key, { ...account, nonce: nonce ?? account.nonce, balance: balance ?? account.balance })
  }
  const stateManager = {
    getAccount(address: LibraryAddress) {
      const account = state.getAccount(addressOf(address))
      return account === undefined ? undefined : toLibraryAccount(account)
    },
    putAccount: put,
    modifyAccountFields: put,
    getCode: (address: LibraryAddress) => state.getCode(addressOf(address)),
    getCodeSize: (address: LibraryAddress) => state.getCode(addressOf(address)).length,
    putCode: (address: LibraryAddress, code: Uint8Array) => state.putCode(addressOf(address), code),
    getStorage: (address: LibraryAddress, slot: Uint8Array) =>
      bigintToBytes(state.getStorage(addressOf(address), bytesToHex(slot))),
    putStorage: (address: LibraryAddress, slot: Uint8Array, value: Uint8Array) =>
      state.putStorage(addressOf(address), bytesToHex(slot), bytesToBigint(value)),
    clearStorage: (address: LibraryAddress) => state.clearStorage(addressOf(address)),
    originalStorageCache: {
      get: (address: LibraryAddress, slot: Uint8Array) =>
        bigintToBytes(state.getOriginalStorage(addressOf(address), bytesToHex(slot))),
      clear: () => undefined,
    },
  }
  return { stateManager: stateManager as any, journal: createLibraryJournal(state, put) }
}

function createLibraryJournal(state: JournaledState, put: (address: LibraryAddress, account: any) => void): any {
  return {
    putAccount: put,
    checkpoint: () => state.checkpoint(),
    commit: () => state.commit(),
    revert: () => state.revert(),
    isWarmedAddress: (address: Uint8Array) => state.isWarmAddress(bytesToHex(address)),
    addWarmedAddress: (address: Uint8Array) => state.warmAddress(bytesToHex(address)),
    isWarmedStorage: (address: Uint8Array, slot: Uint8Array) => state.isWarmSlot(bytesToHex(address), bytesToHex(slot)),
    addWarmedStorage: (address: Uint8Array, slot: Uint8Array) => state.warmSlot(bytesToHex(address), bytesToHex(slot)),
  }
}
