import { describe, expect, it } from 'vitest'
import { PARENT_MS, TIMING } from './fixture.js'
import { Script } from './scripted.js'

const HEARTBEAT_MS = PARENT_MS + TIMING.emptyBlockPeriodS * 1000

describe('DESIGN: blocks on demand', () => {
  it('an idle chain says nothing and runs no round timer until the heartbeat', () => {
    const script = new Script({ self: 0 })
    script.advance(HEARTBEAT_MS - script.nowMs - 1)
    expect(script.state.timers).toEqual({ pace: HEARTBEAT_MS })
    expect(script.effectsOf('build')).toEqual([])
    script.advance(1)
    expect(script.effectsOf('build')).toMatchObject([{ blockTimeMs: HEARTBEAT_MS, deadlineMs: HEARTBEAT_MS + 600 }])
    expect(script.state.timers.round).toBe(HEARTBEAT_MS + TIMING.roundTimeoutMs)
    script.built(script.cast.block(0, { transactions: [], timeMs: HEARTBEAT_MS }))
    expect(script.saidOf('proposal')).toHaveLength(1)
  })

  it('height 1 is due at once', () => {
    const script = new Script({ self: 0, height: 1 })
    expect(script.effectsOf('build')).toHaveLength(1)
    script.built(script.cast.block(0, { transactions: [] }))
    expect(script.saidOf('proposal')).toHaveLength(1)
  })

  it('the proposer builds as soon as there is work, and not before the block period is over', () => {
    const script = new Script({ self: 0, startMs: PARENT_MS + 10 })
    script.event({ type: 'work', sinceMs: script.nowMs })
    expect(script.effectsOf('build')).toEqual([])
    script.advance(39)
    expect(script.effectsOf('build')).toEqual([])
    script.advance(1)
    expect(script.effectsOf('build')).toMatchObject([{ blockTimeMs: PARENT_MS + 50 }])
    const idle = new Script({ self: 0 })
    idle.event({ type: 'work', sinceMs: idle.nowMs })
    expect(idle.effectsOf('build')).toHaveLength(1)
  })

  it('a parent from a fast clock delays the next block by the block period and no more', () => {
    const script = new Script({ self: 0, startMs: PARENT_MS - 1_500, workSinceMs: PARENT_MS - 1_500 })
    script.advance(50)
    expect(script.effectsOf('build')).toMatchObject([{ blockTimeMs: PARENT_MS + 50 }])
  })

  it('the others start their timer when they have held the work for the block period', () => {
    const script = new Script()
    script.event({ type: 'work', sinceMs: script.nowMs })
    const startMs = script.nowMs + TIMING.minBlockPeriodMs
    script.advance(49)
    expect(script.state.timers.round).toBeUndefined()
    script.advance(1)
    expect(script.state.timers.round).toBe(startMs + TIMING.roundTimeoutMs)
  })

  it('work that was left over from the last height counts from the start of this one', () => {
    const script = new Script({ workSinceMs: PARENT_MS - 60_000 })
    expect(script.state.timers).toEqual({ pace: script.nowMs + TIMING.minBlockPeriodMs })
  })

  it('work that goes away before its time starts no timer', () => {
    const script = new Script()
    script.event({ type: 'work', sinceMs: script.nowMs })
    script.event({ type: 'work', sinceMs: undefined })
    script.advance(1_000)
    expect(script.state.timers).toEqual({ pace: HEARTBEAT_MS })
  })

  it('a proposal starts the timer, even while its check hangs', () => {
    const script = new Script({ autoCheck: false })
    script.hear(script.cast.proposal(0, 0, script.cast.block(0)))
    script.timeOut()
    expect(script.saidOf('roundChange')).toMatchObject([{ round: 1 }])
  })

  it('f + 1 round changes take an idle node along', () => {
    const script = new Script()
    script.hearAll([0, 1].map((peer) => script.cast.roundChange(peer, 1)))
    expect(script.state.round).toBe(1)
    expect(script.state.timers.round).toBe(script.nowMs + 3_000)
  })

  it('a build that finds nothing is not proposed before the heartbeat, and waits for new work', () => {
    const script = new Script({ self: 0 })
    script.event({ type: 'work', sinceMs: script.nowMs })
    script.built(script.cast.block(0, { transactions: [] }))
    expect(script.said).toEqual([])
    script.advance(10)
    expect(script.effectsOf('build')).toHaveLength(1)
    script.event({ type: 'work', sinceMs: script.nowMs })
    expect(script.effectsOf('build')).toHaveLength(2)
  })

  it('a build that fails at the heartbeat is not tried again and again: the round passes on', () => {
    const script = new Script({ self: 0, height: 1 })
    script.built(undefined)
    expect(script.effectsOf('build')).toHaveLength(1)
    script.timeOut()
    expect(script.state.round).toBe(1)
  })

  it('a block that comes too late for its round is dropped', () => {
    const script = new Script({ self: 0, workSinceMs: PARENT_MS })
    script.advance(TIMING.minBlockPeriodMs)
    script.timeOut()
    script.event({ type: 'built', height: 2, round: 0, block: script.cast.block(0) })
    expect(script.saidOf('proposal')).toEqual([])
  })
})

describe('who follows without voting', () => {
  for (const [who, options] of [
    ['a silent validator', { isSilent: true }],
    ['a node that is no validator', { isOutsider: true }],
  ] as const) {
    it(`${who} decides with the others, signs nothing and runs no timer`, () => {
      const script = new Script({ ...options, workSinceMs: PARENT_MS })
      const { cast } = script
      script.advance(60_000)
      script.hearAll([0, 1].map((peer) => cast.roundChange(peer, 1)))
      expect(script.state.round).toBe(0)
      const block = cast.block(1, { transactions: [] })
      script.hear(cast.justified(1, 1, [0, 1, 2].map((peer) => cast.roundChange(peer, 1)), block))
      script.hearAll([0, 1, 2].map((peer) => cast.prepare(peer, 1, block)))
      script.hearAll([0, 1, 2].map((peer) => cast.commit(peer, 1, block)))
      expect(script.decided).toMatchObject({ round: 1, digest: block.digest })
      expect(script.said).toEqual([])
      expect(script.effectsOf('persist')).toEqual([])
      expect(script.effectsOf('setTimer')).toEqual([])
    })
  }
})
