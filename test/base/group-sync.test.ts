import { describe, expect, it } from 'vitest'
import { createGroupSync } from '@songhua/node/base/group-sync'

describe('createGroupSync', () => {
  /** A flush that ends when it is told to. */
  function controlled() {
    const groups: number[][] = []
    const ends: { succeed: () => void; fail: (error: Error) => void }[] = []
    const flush = (items: number[]): Promise<void> => {
      groups.push(items)
      return new Promise((succeed, fail) => ends.push({ succeed, fail }))
    }
    return { groups, ends, sync: createGroupSync(flush) }
  }
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

  it('flushes one group at a time, in order, and acknowledges each with its own flush', async () => {
    const { groups, ends, sync } = controlled()
    const acknowledged: number[] = []
    const add = (item: number): void => void sync.add(item).then(() => acknowledged.push(item))
    add(1)
    add(2)
    await turn()
    expect(groups).toEqual([[1, 2]])
    add(3)
    add(4)
    await turn()
    expect(groups).toEqual([[1, 2]])
    expect(acknowledged).toEqual([])
    ends[0]!.succeed()
    await turn()
    expect(groups).toEqual([[1, 2], [3, 4]])
    expect(acknowledged).toEqual([1, 2])
    ends[1]!.succeed()
    await sync.idle()
    expect(acknowledged).toEqual([1, 2, 3, 4])
  })

  it('never flushes again after a failure', async () => {
    const { groups, ends, sync } = controlled()
    const first = sync.add(1)
    await turn()
    const second = sync.add(2)
    ends[0]!.fail(new Error('disk'))
    await expect(first).rejects.toThrow('disk')
    await expect(second).rejects.toThrow('disk')
    await expect(sync.add(3)).rejects.toThrow('disk')
    expect(groups).toEqual([[1]])
  })

  it('is idle when nothing waits', async () => {
    const { sync } = controlled()
    await sync.idle()
  })
})
