/** A map that forgets its oldest entries; setting a key again makes it the newest. */
export interface RecentMap<K, V> {
  get(key: K): V | undefined
  set(key: K, value: V): void
  size(): number
}

export function createRecentMap<K, V>(sizeMax: number): RecentMap<K, V> {
  const entries = new Map<K, V>()
  return {
    get: (key) => entries.get(key),
    set(key, value) {
      entries.delete(key)
      if (entries.size >= sizeMax) {
        const oldest = entries.keys().next()
        if (oldest.done !== true) entries.delete(oldest.value)
      }
      entries.set(key, value)
    },
    size: () => entries.size,
  }
}
