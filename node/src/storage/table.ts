/** An ordered table of bytes, as the stores need it. Whoever implements it runs `test/storage/conformance.ts`. */
export interface Table {
  /** Undefined when absent. Callers must not change the bytes. */
  get(key: Uint8Array): Uint8Array | undefined
  /** Entries with from ≤ key < below, ascending. */
  entries(range: KeyRange): AsyncIterable<[key: Uint8Array, value: Uint8Array]>
  /** Keys with from ≤ key < below, ascending. */
  keys(range: KeyRange): AsyncIterable<Uint8Array>
  /**
   * Atomic, and on disk (where there is one) when it resolves. Later changes win over earlier ones. After one write has
   * failed all do, until the table is opened again.
   */
  write(changes: Iterable<TableChange>): Promise<void>
  /** What the table's own caches hold in memory now, in bytes; an implementation says what they are bounded by. */
  memoryBytes(): number
  close(): Promise<void>
}

export interface KeyRange {
  from: Uint8Array
  below: Uint8Array
}

/** Without a value, the key is deleted. */
export type TableChange = [key: Uint8Array, value: Uint8Array | undefined]
