import { describe, expect, it } from 'vitest'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { failStopJournal, failStopKeyRing, failStopStore, failStopTable } from '@songhua/node/app/fail-stop'
import { createMemoryStore } from '@songhua/node/storage/open-store'
import { createMemoryTable } from '@songhua/node/storage/memory-table'
import type { KeyRing } from '@songhua/node/gateway/ports'

const KEY = Uint8Array.of(1)

function watched(error: Error) {
  const told: Error[] = []
  const onBroken = (one: Error): void => void told.push(one)
  const table = failStopTable({ ...createMemoryTable(), write: () => Promise.reject(error) }, onBroken)
  const ring: KeyRing = { size: 0, get: () => undefined, add: () => Promise.reject(error), erase: () => Promise.reject(error) }
  return { told, table, keyRing: failStopKeyRing(ring, onBroken) }
}

describe('a disk that fails', () => {
  it.each(['STORE_WRITE_FAILED', 'STORE_DAMAGED', 'KEY_RING_IO'])('ends the gateway: %s', async (code) => {
    const error = new CodedError(code, 'no space left on device')
    const { told, table, keyRing } = watched(error)
    await expect(table.write([[KEY, KEY]])).rejects.toBe(error)
    await expect(keyRing.add([KEY])).rejects.toBe(error)
    await expect(keyRing.erase([0])).rejects.toBe(error)
    expect(told).toEqual([error, error, error])
  })

  it('ends the node, whoever was writing: consensus, sync or a client', async () => {
    const told: Error[] = []
    const onBroken = (one: Error): void => void told.push(one)
    const [block, record] = [new CodedError('STORE_WRITE_FAILED', 'no space'), new CodedError('JOURNAL_IO', 'no space')]
    const store = failStopStore({ ...createMemoryStore(), commitBlock: () => Promise.reject(block) }, onBroken)
    const fail = (): Promise<never> => Promise.reject(record)
    const journal = failStopJournal({ payloads: [], droppedBytes: 0, sizeBytes: () => 7, append: fail, compact: fail }, onBroken)
    await expect(store.commitBlock({} as never)).rejects.toBe(block)
    await expect(journal.append(KEY)).rejects.toBe(record)
    await expect(journal.compact(() => [])).rejects.toBe(record)
    expect([told, journal.sizeBytes(), store.head()]).toEqual([[block, record, record], 7, undefined])
  })

  it('is told apart from a refusal, and from what works', async () => {
    const { told, keyRing } = watched(new CodedError('KEY_RING_FULL', 'the key ring is full'))
    await expect(keyRing.add([KEY])).rejects.toMatchObject({ code: 'KEY_RING_FULL' })
    const table = failStopTable(createMemoryTable(), (error) => void told.push(error))
    await table.write([[KEY, Uint8Array.of(2)]])
    expect([table.get(KEY), told]).toEqual([Uint8Array.of(2), []])
  })
})
