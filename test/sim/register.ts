import { type Address, bytesToUtf8, utf8ToBytes } from '@songhua/sdk/protocol/bytes'
import { type Transaction, signTransaction } from '@songhua/sdk/protocol/transaction'
import { NODE_REGISTER_ADDRESS } from '@songhua/contracts/addresses'
import { type Storage, put, putArray } from '@songhua/contracts/membership/genesis-words'
import { NODE_SLOT, elementsSlot, wordOf } from '@songhua/contracts/membership/slots'
import type { SystemState } from '@songhua/contracts/membership/state-words'

/** NodeRegister.MAX_PENDING */
const PENDING_MAX = 8
const CHANGE_WORDS = 2n
const SENDER_KEY = new Uint8Array(32).fill(98)

/**
 * What the council may do to the sets that seal, as NodeRegister.sol has it. `notice`: the set seals from so many blocks
 * after the one that holds the motion, 1 or more. Other than in the contract one change may exchange everybody, and any
 * number may leave or exchange their keys in a day.
 */
export type Motion =
  | { readonly kind: 'change'; readonly notice: number; readonly validators: readonly Address[] }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'suspend'; readonly member: Address }
  | { readonly kind: 'rotate'; readonly member: Address; readonly successor: Address }

interface Change {
  /** The first block that the set seals. */
  readonly height: number
  readonly validators: readonly Address[]
}

/** The set in force and those that follow it, by strictly ascending heights. */
export interface Register {
  readonly current: readonly Address[]
  readonly pending: readonly Change[]
}

export function councilTransaction(motion: Motion, nonce: number): Transaction {
  const data = utf8ToBytes(JSON.stringify(motion))
  return signTransaction({ chainId: 230099n, nonce, gasLimit: 21_000n, to: NODE_REGISTER_ADDRESS, data }, SENDER_KEY)
}

/** The register after the transactions of block `number`, and which of them were refused. */
export function runMotions(transactions: readonly Transaction[], before: Register, number: number): { register: Register; refused: boolean[] } {
  let register = before
  const refused = transactions.map(({ to, data }) => {
    if (to !== NODE_REGISTER_ADDRESS) return false
    const next = enact(register, JSON.parse(bytesToUtf8(data)) as Motion, number)
    register = next ?? register
    return next === undefined
  })
  return { register, refused }
}

/** The set in force first. */
export const setsOf = ({ current, pending }: Register): (readonly Address[])[] => [current, ...pending.map(({ validators }) => validators)]

/** The set that seals the block at this height, said without the node's own reader. */
export function sealersAt({ current, pending }: Register, height: number): readonly Address[] {
  let due = current
  for (const change of pending) if (change.height <= height) due = change.validators
  return due
}

/** Undefined: the contract refuses. */
function enact(before: Register, motion: Motion, number: number): Register | undefined {
  const register = fold(before, number)
  const { current, pending } = register
  const last = pending.at(-1)
  switch (motion.kind) {
    case 'change': {
      const height = number + motion.notice
      if (pending.length >= PENDING_MAX || (last !== undefined && height <= last.height)) return undefined
      return { current, pending: [...pending, { height, validators: [...motion.validators].sort() }] }
    }
    case 'cancel':
      return last === undefined || last.height <= number + 1 ? undefined : { current, pending: pending.slice(0, -1) }
    case 'suspend':
      return editSets(register, number, motion.member, [])
    case 'rotate': {
      const isKnown = setsOf(register).some((set) => set.includes(motion.successor))
      return isKnown ? undefined : editSets(register, number, motion.member, [motion.successor])
    }
  }
}

/** Sets whose height has come are over, but for the last of them. */
function fold({ current, pending }: Register, number: number): Register {
  const matured = pending.filter(({ height }) => height <= number)
  return { current: matured.at(-1)?.validators ?? current, pending: pending.slice(matured.length) }
}

/** In every set from the next block on; the set of this block has sealed already. */
function editSets(register: Register, number: number, member: Address, instead: readonly Address[]): Register | undefined {
  const { current, pending } = register
  const edit = (set: readonly Address[]): readonly Address[] =>
    set.includes(member) ? [...set.filter((one) => one !== member), ...instead].sort() : set
  const isDue = pending[0] !== undefined && pending[0].height <= number + 1
  const edited: Register = {
    current: isDue ? current : edit(current),
    pending: pending.map(({ height, validators }) => ({ height, validators: edit(validators) })),
  }
  const sets = setsOf(edited)
  const isChanged = String(sets) !== String(setsOf(register))
  return isChanged && sets.every((set) => set.length > 0) ? edited : undefined
}

const states = new WeakMap<Register, SystemState>()

/** What a node finds at the contract's slots. */
export function stateOf(register: Register): SystemState {
  const state = states.get(register) ?? layOut(register)
  states.set(register, state)
  return state
}

function layOut({ current, pending }: Register): SystemState {
  const storage: Storage = {}
  putArray(storage, NODE_SLOT.validators, current.map(BigInt))
  put(storage, NODE_SLOT.pending, BigInt(pending.length))
  pending.forEach(({ height, validators }, index) => {
    const at = elementsSlot(NODE_SLOT.pending) + BigInt(index) * CHANGE_WORDS
    put(storage, at, BigInt(height))
    putArray(storage, at + 1n, validators.map(BigInt))
  })
  return { readSlot: (contract, slot) => (contract === NODE_REGISTER_ADDRESS ? BigInt(storage[wordOf(slot)] ?? 0) : 0n) }
}
