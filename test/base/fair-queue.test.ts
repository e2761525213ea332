import { describe, expect, it } from 'vitest'
import { createFairQueue } from '@songhua/node/base/fair-queue'

const unexpected = (item: unknown): never => {
  throw new Error(`${String(item)} was displaced`)
}

const drain = <T>(queue: { shift(): T | undefined }): T[] => {
  const items: T[] = []
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) items.push(item)
  return items
}

describe('a fair queue', () => {
  it('serves each party once before any is served again, and each in its own order', () => {
    const queue = createFairQueue<string>({ totalMax: 10, shareMax: 10, onDisplaced: unexpected })
    for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'c2']) queue.push(item[0]!, item)
    expect(queue.peek()).toBe('a1')
    expect(drain(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3'])
    expect([queue.size, queue.peek(), queue.shift()]).toEqual([0, undefined, undefined])
  })

  it('takes nothing beyond the share of a party, nor beyond the total', () => {
    const queue = createFairQueue<number>({ totalMax: 3, shareMax: 2, onDisplaced: unexpected })
    expect(['a', 'a', 'a', 'b', 'b'].map((party, at) => queue.push(party, at))).toEqual([undefined, undefined, 'share', undefined, 'total'])
    queue.shift()
    expect(queue.push('c', 9)).toBe(undefined)
    expect(drain(queue)).toEqual([3, 1, 9])
  })

  it('lets the newest of who has most make room for who then has fewer still, and for nobody else', () => {
    const displaced: string[] = []
    const queue = createFairQueue<string>({ totalMax: 5, shareMax: 3, onDisplaced: (item) => displaced.push(item) })
    const push = (item: string) => queue.push(item[0]!, item)
    for (const item of ['a1', 'a2', 'a3', 'b1', 'b2']) expect(push(item)).toBe(undefined)
    expect([push('a4'), push('b3')]).toEqual(['share', 'total'])
    expect([push('c1'), displaced]).toEqual([undefined, ['a3']])
    expect([push('d1'), displaced]).toEqual([undefined, ['a3', 'a2']])
    expect([push('d2'), push('a5')]).toEqual(['total', 'total'])
    expect([push('e1'), displaced]).toEqual([undefined, ['a3', 'a2', 'b2']])
    expect([push('f1'), queue.size]).toEqual(['total', 5])
    expect(drain(queue)).toEqual(['a1', 'b1', 'c1', 'd1', 'e1'])
  })

  it('gives out what is overdue, whoever it waits for', () => {
    const queue = createFairQueue<number>({ totalMax: 9, shareMax: 9, onDisplaced: unexpected })
    for (const [party, since] of [['a', 1], ['a', 5], ['b', 2], ['c', 7]] as const) queue.push(party, since)
    expect(queue.expire((since) => since < 3)).toEqual([1, 2])
    expect(queue.size).toBe(2)
    expect(drain(queue)).toEqual([5, 7])
  })
})
