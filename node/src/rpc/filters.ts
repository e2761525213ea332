import { randomBytes } from 'node:crypto'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import type { Clock } from '../base/clock.js'
import { limitExceeded, RpcError } from './errors.js'
import type { RpcLimits } from './limits.js'
import type { Session } from './method.js'
import type { PoolAccess } from './ports.js'
import type { ReadHolder } from './read-doors.js'

/** What eth_newFilter was asked for; bounds as numbers, `toBlock` undefined for "as blocks come". */
export interface LogFilterState {
  kind: 'logs'
  addresses: Address[]
  topics: Hash[][]
  fromBlock: number
  toBlock: number | undefined
  /** First block of the next poll. */
  nextBlock: number
}

export interface BlockFilterState {
  kind: 'blocks'
  nextBlock: number
}

export interface PendingFilterState {
  kind: 'transactions'
  hashes: Hash[]
  missed: boolean
}

export type FilterState = LogFilterState | BlockFilterState | PendingFilterState

export type FilterHolder = Pick<Session, 'client' | 'authorization'>

/** Filters that clients poll. Log and block filters hold a cursor, never results; idle ones are dropped. */
export interface Filters extends ReadHolder {
  /** @param holder who polls it. @throws RPC_LIMIT_EXCEEDED */
  add(state: FilterState, holder: FilterHolder): string
  /** Counts as a poll. @throws RPC_FILTER_NOT_FOUND */
  get(id: string): FilterState
  remove(id: string): boolean
  readonly size: number
  stop(): void
}

export function createFilters(pool: Pick<PoolAccess, 'onAdded'>, clock: Clock, limits: RpcLimits): Filters {
  const filters = new Map<string, { state: FilterState; polledMs: number; holder: FilterHolder }>()
  const endPool = pool.onAdded(({ hash }) => {
    for (const { state } of filters.values()) if (state.kind === 'transactions') remember(state, hash)
  })
  let cancelSweep = clock.after(limits.filterIdleMs, sweep)

  function remember(state: PendingFilterState, hash: Hash): void {
    if (state.hashes.length < limits.filterHashesMax) state.hashes.push(hash)
    else state.missed = true
  }

  function sweep(): void {
    dropIdle()
    cancelSweep = clock.after(limits.filterIdleMs, sweep)
  }

  function dropIdle(): void {
    const oldest = clock.now() - limits.filterIdleMs
    for (const [id, { polledMs }] of filters) if (polledMs <= oldest) filters.delete(id)
  }

  return {
    get size() {
      return filters.size
    },
    add(state, { client, authorization }) {
      if (filters.size >= limits.filtersMax) dropIdle()
      if (filters.size >= limits.filtersMax) {
        throw limitExceeded(
          'filtersMax',
          `the node holds ${limits.filtersMax} filters; uninstall some or subscribe over WebSocket`,
        )
      }
      const own = [...filters.values()].filter(({ holder }) => holder.client === client).length
      if (own >= limits.filtersPerAddressMax) {
        throw limitExceeded('filtersPerAddressMax', `your address has ${own} filters; uninstall some or subscribe over WebSocket`)
      }
      const id = `0x${randomBytes(16).toString('hex')}`
      filters.set(id, { state, holder: { client, authorization }, polledMs: clock.now() })
      return id
    },
    get(id) {
      const filter = filters.get(id)
      const nowMs = clock.now()
      if (!filter || nowMs - filter.polledMs >= limits.filterIdleMs) {
        filters.delete(id)
        const minutes = Math.round(limits.filterIdleMs / 60_000)
        const message = `filter not found: ${id.slice(0, 66)}; filters end after ${minutes} minutes without a poll`
        throw new RpcError('RPC_FILTER_NOT_FOUND', message)
      }
      filter.polledMs = nowMs
      return filter.state
    },
    remove: (id) => filters.delete(id),
    endUnreadable(mayRead) {
      for (const [id, { holder }] of filters) if (!mayRead(holder.authorization)) filters.delete(id)
    },
    stop() {
      cancelSweep()
      endPool()
      filters.clear()
    },
  }
}
