import { describe, expect, it } from 'vitest'
import { syncTimesOf, timedLog } from '@songhua/node/app/sync-times'
import type { ConsensusLog } from '@songhua/node/storage/consensus-log'

describe('the times of the consensus log', () => {
  it('gives percentiles of what was measured, and zeros before anything was', () => {
    const times = syncTimesOf(Array.from({ length: 100 }, (_, index) => 100 - index))
    expect(times).toEqual({ count: 100, p50Ms: 51, p99Ms: 100, lastMs: 1 })
    expect(syncTimesOf([])).toEqual({ count: 0, p50Ms: 0, p99Ms: 0, lastMs: 0 })
  })

  it('measures each append until it is durable, keeps the last 512, and hands everything through', async () => {
    let nowMs = 0
    const calls: string[] = []
    const file: ConsensusLog = {
      status: 'ok', owner: undefined, halves: 0, height: 7, records: [Uint8Array.of(1)],
      append: ({ length }) => {
        nowMs += length
        calls.push(`append ${length}`)
        return length === 99 ? Promise.reject(new Error('full')) : Promise.resolve()
      },
      startEpoch: (height) => Promise.resolve(void calls.push(`epoch ${height}`)),
      close: () => Promise.resolve(void calls.push('close')),
    }
    const { log, times } = timedLog(file, () => nowMs)
    expect([log.status, log.height, log.records]).toEqual(['ok', 7, [Uint8Array.of(1)]])
    await log.append(new Uint8Array(30))
    await log.startEpoch(8)
    expect(times()).toMatchObject({ count: 1, lastMs: 30 })
    await expect(log.append(new Uint8Array(99))).rejects.toThrow('full')
    for (let append = 0; append < 600; append++) await log.append(new Uint8Array(2))
    expect(times()).toEqual({ count: 512, p50Ms: 2, p99Ms: 2, lastMs: 2 })
    await log.close()
    expect([calls[0], calls[1], calls.at(-1)]).toEqual(['append 30', 'epoch 8', 'close'])
  })
})
