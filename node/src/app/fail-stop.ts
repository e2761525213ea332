import { isCodedError } from '@songhua/sdk/protocol/errors'
import type { GatewayTable, KeyRing } from '../gateway/ports.js'
import type { PoolJournal } from '../services/pool.js'
import type { ChainStore } from '../storage/chain-store.js'

/**
 * After these, nothing more can be promised of the file: once a sync has failed, a later one that succeeds says nothing
 * of what came before. Whoever opens the file again reads what is really there.
 */
const FINAL = ['STORE_WRITE_FAILED', 'STORE_DAMAGED', 'KEY_RING_IO', 'JOURNAL_IO']

type Broken = (error: Error) => void

/** Tells of the first write that failed for good. */
export function failStopTable(table: GatewayTable, onBroken: Broken): GatewayTable {
  return {
    get: (key) => table.get(key),
    entries: (range) => table.entries(range),
    write: (changes) => telling(table.write(changes), onBroken),
  }
}

export function failStopKeyRing(keyRing: KeyRing, onBroken: Broken): KeyRing {
  return {
    get size() {
      return keyRing.size
    },
    get: (slot) => keyRing.get(slot),
    add: (keys) => telling(keyRing.add(keys), onBroken),
    erase: (slots) => telling(keyRing.erase(slots), onBroken),
  }
}

export function failStopStore(store: ChainStore, onBroken: Broken): ChainStore {
  return { ...store, commitBlock: (commit) => telling(store.commitBlock(commit), onBroken) }
}

export function failStopJournal(journal: PoolJournal, onBroken: Broken): PoolJournal {
  return {
    payloads: journal.payloads,
    droppedBytes: journal.droppedBytes,
    sizeBytes: () => journal.sizeBytes(),
    append: (record) => telling(journal.append(record), onBroken),
    compact: (live) => telling(journal.compact(live), onBroken),
  }
}

function telling<T>(done: Promise<T>, onBroken: Broken): Promise<T> {
  return done.catch((error: unknown) => {
    if (isCodedError(error) && FINAL.includes(error.code)) onBroken(error)
    throw error
  })
}
