import { describe, expect, it } from 'vitest'
import { type Action, type Shape, stormOf } from './schedule.js'

const SHAPE: Shape = { validators: 5, followers: 2, stormS: [20, 45] }
const storms = Array.from({ length: 200 }, (_, number) => stormOf(17, number, SHAPE))
const events = storms.flatMap((storm) => storm.events)

describe('the schedule', () => {
  it('follows from the seed and nothing else', () => {
    expect(stormOf(17, 3, SHAPE)).toEqual(storms[3])
    expect(stormOf(18, 3, SHAPE)).not.toEqual(storms[3])
  })

  it('is over when the storm is over', () => {
    for (const { lengthS, events: own } of storms) for (const { atS, action } of own) expect(atS + action.forS).toBeLessThanOrEqual(lengthS + 0.1)
  })

  it('does everything that it can do', () => {
    const kinds: Action['kind'][] = ['kill', 'freeze', 'restart', 'cut', 'partition', 'oneWay', 'delay', 'reset', 'halfOpen']
    expect(new Set(events.map(({ action }) => action.kind))).toEqual(new Set(kinds))
    const killed = events.flatMap(({ action }) => (action.kind === 'kill' ? [action.nodes.length] : []))
    expect(new Set(killed)).toEqual(new Set([1, SHAPE.validators]))
  })

  it('hits no process while another event has it', () => {
    for (const { events: own } of storms) {
      const taken = own.flatMap(({ atS, action }) => {
        if (action.kind === 'kill') return action.nodes.map((node) => ({ node, atS, endS: atS + action.forS }))
        return action.kind === 'freeze' || action.kind === 'restart' ? [{ node: action.node, atS, endS: atS + action.forS }] : []
      })
      const clashes = taken.filter((one, index) => taken.some((other, at) => at > index && other.node === one.node && other.atS < one.endS))
      expect(clashes).toEqual([])
    }
  })
})
