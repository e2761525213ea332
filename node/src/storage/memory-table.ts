import type { KeyRange, Table } from './table.js'

/** Keys as text of one character a byte, which compare as the bytes do. */
const textOf = (key: Uint8Array): string => Buffer.from(key).toString('latin1')
const keyOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'))

/** For tests and simulations: nothing outlives the process, and a range costs a pass over all keys. */
export function createMemoryTable(): Table {
  const values = new Map<string, Uint8Array>()
  const within = ({ from, below }: KeyRange): string[] => {
    const [first, end] = [textOf(from), textOf(below)]
    return [...values.keys()].filter((key) => key >= first && key < end).sort()
  }
  return {
    get: (key) => values.get(textOf(key)),
    async *entries(range) {
      for (const key of within(range)) yield await Promise.resolve([keyOf(key), values.get(key)!])
    },
    async *keys(range) {
      for (const key of within(range)) yield await Promise.resolve(keyOf(key))
    },
    write(changes) {
      for (const [key, value] of changes) {
        if (value === undefined) values.delete(textOf(key))
        else values.set(textOf(key), new Uint8Array(value))
      }
      return Promise.resolve()
    },
    memoryBytes: () => 0,
    close: () => Promise.resolve(),
  }
}
