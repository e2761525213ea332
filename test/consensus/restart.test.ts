import { describe, expect, it } from 'vitest'
import type { SafetyRecord } from '@songhua/node/consensus/safety-record'
import { transaction } from './fixture.js'
import { Script } from './scripted.js'

/** What a node of four (the last one, unless told) had on disk when it died, step by step of two rounds. */
function recordsOfALife(self = 3): SafetyRecord[] {
  const script = new Script({ self })
  const { cast } = script
  const block = cast.block(0)
  const others = script.others
  script.hear(cast.proposal(0, 0, block))
  script.hearAll(others.map((peer) => cast.prepare(peer, 0, block)))
  script.timeOut()
  const certificate = cast.certificate(0, block, [0, 1, 2])
  const changes = [cast.roundChange(0, 1, certificate), ...others.slice(1).map((peer) => cast.roundChange(peer, 1))]
  if (changes.length < 3) throw new Error('no quorum')
  script.hear(cast.justified(1, 1, changes))
  script.hearAll(others.map((peer) => cast.prepare(peer, 1, block)))
  return script.records
}

describe('DESIGN, Durability: a restart at each step', () => {
  const records = recordsOfALife()

  it('the life has every step of two rounds', () => {
    expect(records.map(({ round, step, certificate }) => [round, step, certificate?.round])).toEqual([
      [0, 'prepare', undefined],
      [0, 'commit', 0],
      [1, 'roundChange', 0],
      [1, 'prepare', 0],
      [1, 'commit', 1],
    ])
  })

  records.forEach((record, at) => {
    it(`${record.step} of round ${record.round}: it says the same again, and nothing else`, () => {
      const script = new Script({ record })
      expect(script.state.round).toBe(record.round)
      expect(script.said.every(({ round }) => round === record.round)).toBe(true)
      const expected = { roundChange: ['roundChange'], prepare: ['prepare'], commit: ['prepare', 'commit'] }[record.step]
      expect(script.said.map(({ kind }) => kind)).toEqual(expected)
      expect(script.effectsOf('persist')).toEqual([])
      expect(script.state.timers.round).toBeGreaterThan(script.nowMs)
    })

    it(`${record.step} of round ${record.round}: the next round change carries the certificate of that time`, () => {
      const script = new Script({ record })
      script.timeOut()
      const prepared = records[at]!.certificate
      expect(script.saidOf('roundChange').at(-1)).toMatchObject({ round: record.round + 1 })
      expect(script.saidOf('roundChange').at(-1)!.prepared?.round).toBe(prepared?.round)
    })
  })

  it('having prepared one block it prepares no other of that round', () => {
    const script = new Script({ record: records[0]! })
    const { cast } = script
    script.hear(cast.proposal(0, 0, cast.block(0, { transactions: [transaction(5)] })))
    expect(script.saidOf('prepare')).toHaveLength(1)
    const block = records[0]!.block!
    script.hearAll([0, 1].map((peer) => cast.prepare(peer, 0, block)))
    script.hearAll([0, 1].map((peer) => cast.commit(peer, 0, block)))
    expect(script.decided).toMatchObject({ digest: block.digest })
  })

  it('having left a round it does not go back to it', () => {
    const script = new Script({ record: records[2]! })
    const { cast } = script
    expect(script.hear(cast.proposal(0, 0, cast.block(0)))).toBe('unwanted')
    expect(script.hear(cast.prepare(0, 0, cast.block(0)))).toBe('unwanted')
  })

  it('the proposer of round 0 sends its very proposal again and builds no other', () => {
    const first = new Script({ self: 0, workSinceMs: 1 })
    first.built(first.cast.block(0))
    const again = new Script({ self: 0, workSinceMs: 1, record: first.records[0]! })
    expect(again.said.map(({ kind }) => kind)).toEqual(['proposal', 'prepare'])
    expect(again.saidOf('proposal')[0]!.bytes).toEqual(first.saidOf('proposal')[0]!.bytes)
    expect(again.effectsOf('build')).toEqual([])
  })

  it('a proposer that died before it persisted is free to build again', () => {
    const script = new Script({ self: 0, workSinceMs: 1 })
    expect(script.effectsOf('build')).toHaveLength(1)
  })

  it('a silent node with a record keeps it and says nothing', () => {
    const script = new Script({ record: records[1]!, isSilent: true })
    expect(script.said).toEqual([])
    expect(script.state.certificate?.round).toBe(0)
  })
})
