/** Gathers what arrives while a flush is under way, so that all of it shares the next one. */
export interface GroupSync<T> {
  /** Resolves when a flush that holds `item` has succeeded. After a failed flush everything rejects with its error. */
  add(item: T): Promise<void>
  /** Resolves when nothing is waiting any more. */
  idle(): Promise<void>
}

interface Waiting<T> {
  item: T
  resolve: () => void
  reject: (error: unknown) => void
}

/**
 * @param flush makes the items durable, in order. It is never called again after it has failed: once a sync has
 *   failed, the kernel may have dropped the dirty pages, and a later sync that succeeds says nothing about them.
 */
export function createGroupSync<T>(flush: (items: T[]) => Promise<void>): GroupSync<T> {
  let waiting: Waiting<T>[] = []
  let running: Promise<void> | undefined
  let failure: { error: unknown } | undefined

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      const group = waiting
      waiting = []
      try {
        if (failure !== undefined) throw failure.error
        await flush(group.map(({ item }) => item))
        for (const { resolve } of group) resolve()
      } catch (error) {
        failure ??= { error }
        for (const { reject } of group) reject(error)
      }
    }
    running = undefined
  }

  return {
    add(item) {
      return new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject })
        // In a microtask, so that what is added in the same turn goes in the same group.
        running ??= Promise.resolve().then(run)
      })
    },
    idle: () => running ?? Promise.resolve(),
  }
}
