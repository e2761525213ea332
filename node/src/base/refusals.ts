/** How often clients were refused for one reason since the start. */
export interface RefusalCount {
  readonly code: string
  /** The named limit that was met, when one was. */
  readonly limit: string | undefined
  readonly count: number
}

/** Refusals of a server by code and limit, for its metrics. */
export interface Refusals {
  /** @param code of an error, from a closed list: never text of a client */
  count(code: string, limit?: string): void
  list(): RefusalCount[]
}

/** Codes and limits are a few dozen each; should something count by what a client sends, it ends here. */
const REASONS_MAX = 512

export function createRefusals(): Refusals {
  const counts = new Map<string, RefusalCount>()
  return {
    count(code, limit) {
      const key = `${code} ${limit ?? ''}`
      const known = counts.get(key)
      if (known === undefined && counts.size >= REASONS_MAX) return
      counts.set(key, { code, limit, count: (known?.count ?? 0) + 1 })
    },
    list: () => [...counts.values()],
  }
}

/** The limit that an error names among its details. */
export function limitNamed(details: Readonly<Record<string, unknown>>): string | undefined {
  return typeof details.limit === 'string' ? details.limit : undefined
}
