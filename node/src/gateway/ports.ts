import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import type { Header } from '@songhua/sdk/protocol/header'
import type { Receipt } from '@songhua/sdk/protocol/receipt'
import type { Reader, ReadStanding } from '../permission/reads.js'

/** The chain's way in. Batches are anchored through it; every block that it tells of is final. */
export interface ChainWriter {
  /** Next nonce of the account, counting what the pool holds. */
  pendingNonce(address: Address): Promise<bigint>
  /** Durable in the pool when it resolves; what the pool has already is no error. @throws CodedError of the pool */
  submit(raw: Uint8Array): Promise<void>
  /** Where the transaction stands in the chain; undefined while it has no block. */
  locate(hash: Hash): Promise<LocatedTransaction | undefined>
  /** Called after each block. The answer ends the subscription. */
  onBlock(listener: () => void): () => void
}

export interface LocatedTransaction {
  /** With its seals. */
  readonly header: Header
  /** All of the block, in order. */
  readonly receipts: readonly Receipt[]
  readonly transactionIndex: number
}

/** What evidence is proved with. */
export interface ChainProofs {
  head(): Promise<number>
  /** With its seals. @throws CodedError `HEADER_UNKNOWN` above the head */
  header(number: number): Promise<Header>
  /** From block `number` to the history root over `size` blocks. */
  historyPath(claim: { number: number; size: number }): Promise<readonly Hash[]>
}

/** What the chain's policy says of readers, as of the last block that the gateway was told of. */
export interface ReadPolicy {
  /** Undefined: on this chain nobody is held to a policy. */
  standingOf(reader: Reader): Promise<ReadStanding | undefined>
}

/** An ordered table of bytes of the gateway's own. As the node's stores have it. */
export interface GatewayTable {
  /** Undefined when absent. */
  get(key: Uint8Array): Uint8Array | undefined
  /** Entries with from ≤ key < below, ascending, as they stood when the first was asked for. */
  entries(range: { from: Uint8Array; below: Uint8Array }): AsyncIterable<[key: Uint8Array, value: Uint8Array]>
  /** Atomic, and on disk when it resolves. Without a value, the key is deleted. */
  write(changes: Iterable<[key: Uint8Array, value: Uint8Array | undefined]>): Promise<void>
}

/**
 * The keys of payloads, each in a slot of a file that is overwritten in place: what is erased here is nowhere else.
 * A slot holds 32 bytes and is never used twice.
 */
export interface KeyRing {
  /** Slots ever taken. */
  readonly size: number
  /** On disk when it resolves. @returns the slot of the first; the others follow it */
  add(keys: readonly Uint8Array[]): Promise<number>
  /** Undefined when erased. */
  get(slot: number): Uint8Array | undefined
  /** Overwritten on disk when it resolves. Erasing twice is no error. */
  erase(slots: readonly number[]): Promise<void>
}
