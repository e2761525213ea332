/** What waits, by the party that it is for: each party has its turn after one turn of every other, so that a flood waits behind itself. */
export interface FairQueue<T> {
  /**
   * When all places are taken, the newest item of the party with the most makes room for one of a party that then has
   * no more: a few parties cannot keep all others out.
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

export interface FairQueueOptions<T> {
  readonly totalMax: number
  readonly shareMax: number
  /** Told what had to make room. */
  readonly onDisplaced: (item: T) => void
}

export function createFairQueue<T>({ totalMax, shareMax, onDisplaced }: FairQueueOptions<T>): FairQueue<T> {
  /** In the order in which the parties are served; none is empty. */
  const lanes = new Map<string, T[]>()
  let size = 0
  const first = (): [string, T[]] | undefined => {
    for (const entry of lanes) return entry
    return undefined
  }
  /** @param count of the party that comes, with its new item */
  function makeRoom(count: number): boolean {
    const longest = [...lanes.values()].reduce((most, lane) => (lane.length > most.length ? lane : most), [])
    if (longest.length <= count) return false
    size--
    onDisplaced(longest.pop()!)
    return true
  }
  return {
    get size() {
      return size
    },
    push(party, item) {
      const lane = lanes.get(party) ?? []
      if (lane.length >= shareMax) return 'share'
      if (size >= totalMax && !makeRoom(lane.length + 1)) return 'total'
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
