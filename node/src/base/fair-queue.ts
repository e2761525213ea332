/** What waits, by the party that it is for: each party has its turn after one turn of every other, so that a flood waits behind itself. */
export interface FairQueue<T> {
  /**
   * @param party such as an address
   * @returns the bound that one more would break, and then nothing is taken
   */
  push(party: string, item: T): 'total' | 'share' | undefined
  /** Whose turn is next. */
  peek(): T | undefined
  shift(): T | undefined
  /** Takes out what waits first for its party, as long as it is overdue. */
  expire(isOverdue: (item: T) => boolean): T[]
  readonly size: number
}

export function createFairQueue<T>({ totalMax, shareMax }: { totalMax: number; shareMax: number }): FairQueue<T> {
  /** In the order in which the parties are served; none is empty. */
  const lanes = new Map<string, T[]>()
  let size = 0
  const first = (): [string, T[]] | undefined => {
    for (const entry of lanes) return entry
    return undefined
  }
  return {
    get size() {
      return size
    },
    push(party, item) {
      if (size >= totalMax) return 'total'
      const lane = lanes.get(party) ?? []
      if (lane.length >= shareMax) return 'share'
      lane.push(item)
      lanes.set(party, lane)
      size++
      return undefined
    },
    peek: () => first()?.[1][0],
    shift() {
      const next = first()
      if (!next) return undefined
      const [party, lane] = next
      const item = lane.shift()
      size--
      // To the end of the line, as long as more of it waits.
      lanes.delete(party)
      if (lane.length > 0) lanes.set(party, lane)
      return item
    },
    expire(isOverdue) {
      const overdue: T[] = []
      for (const [party, lane] of lanes) {
        while (lane[0] !== undefined && isOverdue(lane[0])) overdue.push(lane.shift()!)
        if (lane.length === 0) lanes.delete(party)
      }
      size -= overdue.length
      return overdue
    },
  }
}
