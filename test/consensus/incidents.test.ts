import { beforeAll, describe, expect, it } from 'vitest'
import { commitSealDigest, headerWithRound, headerWithSeals } from '@songhua/sdk/protocol/block-hash'
import { decodeExtraData } from '@songhua/sdk/protocol/extra-data'
import { signDigest } from '@songhua/sdk/protocol/crypto'
import { verifySeals } from '@songhua/sdk/protocol/seals'
import { MAX_VALIDATORS, faultTolerance, quorumSize } from '@songhua/sdk/protocol/validator-set'
import { installNativeCrypto } from '@songhua/node/execution/native-crypto'
import type { RoundChange } from '@songhua/node/consensus/messages'
import { roundTimeoutMs } from '@songhua/node/consensus/rounds'
import { PARENT_MS, TIMING, transaction } from './fixture.js'
import { Script } from './scripted.js'

/*
 * What has gone wrong in chains like this one, each held against our machine by peers that play the incident. Those that
 * need a whole network are in incidents-network.test.ts, the cadence with dead validators in cadence.test.ts.
 *
 * These cannot occur here:
 *   besu #9681 (time fork ignored)         the block period is fixed by the genesis
 *   besu #9870 (epoch keeps votes)         no votes in headers: the set comes from the membership contract
 *   besu #6765 (empty withdrawals)         one header form from the first block on, checked field by field
 *   go-ibft #66 (parallel handlers)        one event at a time, in a pure function
 *   goquorum #1669, its data race          the same; what remains of it is below
 *   besu-docs #611 (restart all to unblock) timers are capped, so nothing is gained; what was signed is on disk
 */

beforeAll(async () => {
  await installNativeCrypto()
})

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, at) => from + at)
const changesTo = (script: Script, round: number, who: readonly number[]): RoundChange[] =>
  who.map((peer) => script.cast.roundChange(peer, round))

/** One that has prepared the block of round 0, and has left the round. */
function preparedAndLeft(options: { n?: number; self?: number } = {}) {
  const script = new Script(options)
  const { cast } = script
  const block = cast.block(0)
  script.hear(cast.proposal(0, 0, block))
  script.hearAll(script.others.map((peer) => cast.prepare(peer, 0, block)))
  script.timeOut()
  return { script, cast, block }
}

describe('quorum #305, celo-blockchain #366, polygon-edge #232, pbft-consensus #19 #22 #31: locked for ever (IBFT 1)', () => {
  it('who has prepared one block votes for another that a quorum of round changes allows', () => {
    const { script, cast, block } = preparedAndLeft({ n: 5, self: 4 })
    const fresh = cast.block(1, { transactions: [] })
    expect(fresh.digest).not.toBe(block.digest)
    script.hear(cast.justified(1, 1, changesTo(script, 1, [0, 1, 2, 3]), fresh))
    expect(script.saidOf('prepare', 1)).toMatchObject([{ digest: fresh.digest }])
    script.hearAll([0, 1, 2].map((peer) => cast.prepare(peer, 1, fresh)))
    script.hearAll([0, 1, 2].map((peer) => cast.commit(peer, 1, fresh)))
    expect(script.decided).toMatchObject({ round: 1, digest: fresh.digest })
  })

  for (const n of [5, 6]) {
    it(`${n} validators of which two hold different blocks agree on the one prepared later`, () => {
      const leader = new Script({ n, self: 2 })
      const { cast } = leader
      const quorum = range(0, quorumSize(n))
      const older = cast.certificate(0, cast.block(0), quorum)
      const newer = cast.certificate(1, cast.block(1, { transactions: [] }), quorum)
      leader.hearAll([cast.roundChange(0, 2, older), cast.roundChange(1, 2, newer), ...changesTo(leader, 2, range(3, n))])
      const [proposal] = leader.saidOf('proposal')
      expect(proposal!.block.digest).toBe(newer.digest)
      // Also for the one that holds the older block.
      const { script } = preparedAndLeft({ n, self: n - 1 })
      expect(script.hear(proposal!)).toBe('taken')
      expect(script.saidOf('prepare', 2)).toMatchObject([{ digest: newer.digest }])
    })
  }
})

describe('a prepared block on its way through the rounds', () => {
  it('Besu #7875: moves to the next round and is decided there, sealed over that round', () => {
    const { script, cast, block } = preparedAndLeft()
    const certificate = cast.certificate(0, block, [0, 1, 2])
    script.hear(cast.justified(1, 1, [cast.roundChange(0, 1, certificate), ...changesTo(script, 1, [1, 2])]))
    script.hearAll([0, 1].map((peer) => cast.prepare(peer, 1, block)))
    script.hearAll([0, 1].map((peer) => cast.commit(peer, 1, block)))
    expect(script.decided).toMatchObject({ digest: block.digest, round: 1 })
    const { header } = script.decided!.block
    expect(decodeExtraData(header.extraData).round).toBe(1)
    verifySeals(header, cast.validators)
  })

  it('go-ibft #51: the Prepares of a certificate are read in the round in which they were made, however late it is', () => {
    const script = new Script()
    const { cast } = script
    const certificate = cast.certificate(1, cast.block(1), [0, 1, 2])
    expect(script.hear(cast.roundChange(0, 7, certificate))).toBe('taken')
    const changes = [cast.roundChange(0, 7, certificate), ...changesTo(script, 7, [1, 2])]
    // Round 7's turn is our own: the same proof under another leader's name.
    const later = [cast.roundChange(0, 8, certificate), ...changesTo(script, 8, [1, 2])]
    expect(script.hear(cast.justified(0, 8, later))).toBe('taken')
    expect(script.saidOf('prepare', 8)).toMatchObject([{ digest: certificate.digest }])
    const { roundChanges } = cast.justified(3, 7, changes).justification
    const misread = cast.certificate(7, cast.block(1), [0, 1, 2]).prepares
    expect(new Script({ self: 0 }).hear(cast.proposal(3, 7, certificate.block, { roundChanges, prepares: misread }))).toBe(
      'CONSENSUS_UNKNOWN_VALIDATOR',
    )
  })

  for (const order of [[0, 2], [2, 0]] as const) {
    it(`go-ibft #52: the newest preparation is chosen when those of rounds ${order.join(' and ')} come in this order`, () => {
      const script = new Script({ n: 7, self: 3 })
      const { cast } = script
      const blocks = { 0: cast.block(0), 2: cast.block(2, { transactions: [transaction(5)] }) }
      const certificates = order.map((round) => cast.certificate(round, blocks[round], range(0, 5)))
      script.hearAll(certificates.map((certificate, at) => cast.roundChange(at, 3, certificate)))
      script.hearAll(changesTo(script, 3, [4, 5]))
      expect(script.saidOf('proposal', 3)).toMatchObject([{ block: { digest: blocks[2].digest } }])
    })
  }

  it('anchor #592: round changes need not agree with the proposal, or with each other', () => {
    const script = new Script({ n: 7, self: 6 })
    const { cast } = script
    const older = cast.certificate(0, cast.block(0), range(0, 5))
    const newer = cast.certificate(1, cast.block(1, { transactions: [] }), range(0, 5))
    const changes = [cast.roundChange(0, 2, older), cast.roundChange(1, 2, newer), ...changesTo(script, 2, [2, 3, 4])]
    expect(script.hear(cast.justified(2, 2, changes))).toBe('taken')
    expect(script.saidOf('prepare', 2)).toMatchObject([{ digest: newer.digest }])
  })

  it('anchor #598: a leader that cannot use the prepared block does not fall back to a fresh one', () => {
    const script = new Script({ self: 1, autoCheck: false })
    const { cast } = script
    const block = cast.block(0)
    script.hearAll([cast.roundChange(0, 1, cast.certificate(0, block, [0, 2, 3])), ...changesTo(script, 1, [2, 3])])
    script.verdict(block, false)
    script.advance(1_000)
    expect(script.saidOf('proposal')).toEqual([])
    expect(script.effectsOf('build')).toEqual([])
  })

  for (const n of [6, 7, 9, 10, 11]) {
    it(`${n} validators, own reading of Besu: a decided block survives two round changes that show it once`, () => {
      loseDecidedBlock(n)
    })
  }
})

/**
 * X (at 0) decides alone, by the commits of itself, of all that have prepared, and of the faulty ones. The round changes
 * to round 1 come from as few of the prepared as can be, from the unprepared and from the faulty: they show the block,
 * and its proposal takes the rest along. The round changes to round 2 come from that rest instead. In Besu they have
 * forgotten what they had prepared, and a new block is free.
 */
function loseDecidedBlock(n: number): void {
  const quorum = quorumSize(n)
  const faultyCount = faultTolerance(n)
  const preparedCount = quorum - faultyCount - 1
  const unpreparedCount = n - 1 - faultyCount - preparedCount
  const shownCount = quorum - faultyCount - unpreparedCount
  expect(2 * shownCount).toBeLessThanOrEqual(preparedCount)
  const showing = range(1, 1 + shownCount)
  const empty = range(1 + shownCount, 1 + shownCount + unpreparedCount + faultyCount)
  const changes = range(n - shownCount, n).map((self) => roundChangeAfterJump({ n, self, showing, empty }))

  const leader = 2
  const proposer = new Script({ n, self: leader })
  proposer.hearAll([...changes, ...changesTo(proposer, 2, empty.filter((at) => at !== leader))])
  const { digest } = proposer.cast.block(0)
  expect(proposer.saidOf('proposal', 2)).toMatchObject([{ block: { digest } }])
}

/** What one that prepared in round 0 and was taken to round 1 by its proposal says when that round is over too. */
function roundChangeAfterJump(play: { n: number; self: number; showing: number[]; empty: number[] }): RoundChange {
  const { n, self, showing, empty } = play
  const script = new Script({ n, self })
  const { cast } = script
  const block = cast.block(0)
  const quorum = range(0, quorumSize(n))
  script.hear(cast.proposal(0, 0, block))
  script.hearAll(quorum.slice(1).map((peer) => cast.prepare(peer, 0, block)))
  expect(script.saidOf('commit', 0)).toHaveLength(1)
  const certificate = cast.certificate(0, block, quorum)
  const first = [...showing.map((at) => cast.roundChange(at, 1, certificate)), ...changesTo(script, 1, empty)]
  expect(first).toHaveLength(quorum.length)
  script.hear(cast.justified(1, 1, first))
  expect(script.saidOf('prepare', 1)).toMatchObject([{ digest: block.digest }])
  script.timeOut()
  const [change] = script.saidOf('roundChange', 2)
  expect(change!.prepared).toMatchObject({ round: 0, digest: block.digest })
  return change!
}

describe('what counts as a vote', () => {
  it('Besu, own reading: the own Commit counts from the certificate on, not from the proposal on', () => {
    const script = new Script()
    const { cast } = script
    const block = cast.block(0)
    script.hear(cast.proposal(0, 0, block))
    script.hearAll([0, 1].map((peer) => cast.commit(peer, 0, block)))
    expect(script.decided).toBeUndefined()
    expect(script.saidOf('commit')).toEqual([])
    script.hearAll([0, 1].map((peer) => cast.prepare(peer, 0, block)))
    expect(script.saidOf('commit')).toHaveLength(1)
    expect(script.decided).toBeDefined()
  })

  it('goquorum #1118: a seal of zeros is nobody’s, in a Commit and in a block', () => {
    const script = new Script()
    const { cast } = script
    const block = cast.block(0)
    const seal = new Uint8Array(65)
    script.hear(cast.proposal(0, 0, block))
    script.hearAll([0, 1, 2].map((who) => cast.signed(who, { kind: 'commit', height: 2, round: 0, digest: block.digest, seal })))
    expect(script.effectsOf('refuse').map(({ error, isFault }) => [error.code, isFault])).toEqual(
      Array(3).fill(['CONSENSUS_COMMIT_SEAL', true]),
    )
    expect(script.decided).toBeUndefined()
    const sealed = headerWithSeals(block.block.header, [seal, seal, seal])
    expect(() => verifySeals(sealed, cast.validators)).toThrow(expect.objectContaining({ code: 'SIGNATURE_RANGE' }))
  })

  it('goquorum 9de9d5f8f, JustificationSet: a round change or a Prepare that stands twice makes no quorum', () => {
    const script = new Script()
    const { cast } = script
    const [first, second] = changesTo(script, 1, [0, 2]) as [RoundChange, RoundChange]
    expect(script.hear(cast.justified(1, 1, [first, second, first], cast.block(1)))).toBe('CONSENSUS_DUPLICATE_SIGNER')
    const certificate = cast.certificate(0, cast.block(0), [0, 1, 1])
    expect(script.hear(cast.roundChange(0, 1, certificate))).toBe('CONSENSUS_DUPLICATE_SIGNER')
    expect(script.state).toMatchObject({ round: 0, candidate: undefined })
    expect(script.state.roundChanges.size).toBe(0)
  })

  it('go-ibft #86: who decides and who verifies use one quorum, for every size of the set', () => {
    for (let n = 1; n <= MAX_VALIDATORS; n++) {
      // The specification's own formula, ⌊(2n − 1) / 3⌋ + 1.
      expect(quorumSize(n)).toBe(Math.floor((2 * n - 1) / 3) + 1)
    }
    for (const n of [1, 2, 3, 4, 5, 6, 7, 10, 13]) {
      const { cast } = new Script({ n, self: 0 })
      const { header } = cast.block(0).block
      const seals = range(0, n).map((who) => signDigest(commitSealDigest(headerWithRound(header, 0)), cast.keyOf(who)))
      verifySeals(headerWithSeals(header, seals.slice(0, quorumSize(n))), cast.validators)
      const tooFew = headerWithSeals(header, seals.slice(0, quorumSize(n) - 1))
      expect(() => verifySeals(tooFew, cast.validators)).toThrow(expect.objectContaining({ code: 'SEALS_BELOW_QUORUM' }))
    }
  })

  it('go-ibft #67: votes of a round that we reach later are not lost', () => {
    const script = new Script()
    const { cast } = script
    const block = cast.block(1, { transactions: [] })
    script.hearAll([0, 1].map((peer) => cast.prepare(peer, 1, block)))
    script.hearAll([0, 1].map((peer) => cast.commit(peer, 1, block)))
    script.hear(cast.justified(1, 1, changesTo(script, 1, [0, 1, 2]), block))
    expect(script.decided).toMatchObject({ round: 1, digest: block.digest })
  })

  it('Besu, own reading: votes for a thousand future rounds take the room of one', () => {
    const script = new Script()
    const { cast } = script
    const block = cast.block(0)
    for (let round = 1; round <= 1_000; round++) {
      script.hearAll([cast.prepare(0, round, block), cast.commit(0, round, block), cast.roundChange(0, round)])
    }
    expect(script.state.later.size).toBe(1)
    expect(script.state.roundChanges.size).toBe(1)
    expect(script.state.relays.size).toBeLessThanOrEqual(3)
    expect(script.state.round).toBe(0)
  })
})

describe('rounds and their timers', () => {
  it('Besu #2095: round 0 runs no timer while there is nothing to do', () => {
    const script = new Script()
    script.advance(TIMING.emptyBlockPeriodS * 1000 - (script.nowMs - PARENT_MS) - 1)
    expect(script.state.timers.round).toBeUndefined()
    expect(script.said).toEqual([])
  })

  it('Besu #7838: f + 1 that have gone on take a validator along, long before its own timer', () => {
    const script = new Script({ n: 7 })
    const startMs = script.nowMs
    script.hearAll(changesTo(script, 4, [0, 1]))
    expect(script.state.round).toBe(0)
    script.hearAll(changesTo(script, 4, [2]))
    expect(script.saidOf('roundChange')).toMatchObject([{ round: 4 }])
    expect(script.nowMs).toBe(startMs)
  })

  it('Besu #7642: validators in rounds 10, 6, 10 and 9 meet in round 10 and decide, without waiting for a timer', () => {
    const scripts = [10, 6, 10, 9].map((round, self) => {
      const record = { height: 2, round, step: 'roundChange', block: undefined, certificate: undefined } as const
      return new Script({ self, record })
    })
    const startMs = scripts[0]!.nowMs
    exchange(scripts)
    expect(scripts.map(({ state }) => state.round)).toEqual([10, 10, 10, 10])
    expect(scripts.map(({ decided }) => decided?.round)).toEqual([10, 10, 10, 10])
    expect(new Set(scripts.map(({ decided }) => decided?.digest)).size).toBe(1)
    expect(scripts.map(({ nowMs }) => nowMs)).toEqual(Array(4).fill(startMs))
    expect(roundTimeoutMs(TIMING, 10)).toBeLessThanOrEqual(TIMING.roundTimeoutCapMs)
  })

  it('goquorum #1664 #1665: in the last rounds that there are the timer is the cap, neither 0 nor endless', () => {
    for (const round of [19, 64, 1_023, 1_024, 2 ** 31, 2 ** 32 - 1, Number.MAX_SAFE_INTEGER]) {
      expect(roundTimeoutMs(TIMING, round)).toBe(TIMING.roundTimeoutCapMs)
    }
    const script = new Script()
    script.hearAll(changesTo(script, 2 ** 31, [0, 1]))
    expect(script.state.timers.round).toBe(script.nowMs + TIMING.roundTimeoutCapMs)
    script.hear(script.cast.roundChange(2, 2 ** 31))
    script.advance(10 * TIMING.roundTimeoutCapMs)
    // One for the round that ran out with a quorum in it; the next one, without a quorum, lasts.
    expect(script.saidOf('roundChange').map(({ round }) => round)).toEqual([2 ** 31, 2 ** 31 + 1])
  })

  it('Besu #10917: work that comes and goes does not put off the heartbeat', () => {
    const script = new Script({ self: 0 })
    const heartbeatMs = PARENT_MS + TIMING.emptyBlockPeriodS * 1000
    while (script.nowMs < heartbeatMs) {
      script.event({ type: 'work', sinceMs: script.nowMs })
      if (script.effectsOf('build').length > 0) script.built(undefined)
      script.event({ type: 'work', sinceMs: undefined })
      script.advance(Math.min(777, heartbeatMs - script.nowMs))
    }
    expect(script.saidOf('roundChange')).toEqual([])
    expect(script.effectsOf('build').at(-1)).toMatchObject({ blockTimeMs: heartbeatMs, round: 0 })
    script.built(script.cast.block(0, { transactions: [], timeMs: heartbeatMs }))
    expect(script.saidOf('proposal')).toHaveLength(1)
  })

  it('goquorum #1669: a block built for the heartbeat in a round that is over is proposed in no round', () => {
    const script = new Script({ self: 0 })
    script.advance(TIMING.emptyBlockPeriodS * 1000)
    expect(script.effectsOf('build')).toHaveLength(1)
    const late = script.cast.block(0, { transactions: [], timeMs: script.nowMs })
    // Four rounds on it is our turn again, and another block is being built.
    script.hearAll(changesTo(script, 4, [1, 2, 3]))
    script.event({ type: 'built', height: 2, round: 0, block: late })
    expect(script.said.map(({ kind, round }) => [kind, round])).toEqual([['roundChange', 4]])
    const own = script.cast.block(0, { transactions: [transaction(1)], timeMs: script.nowMs })
    script.built(own)
    expect(script.saidOf('proposal')).toMatchObject([{ round: 4, block: { digest: own.digest } }])
    expect(script.saidOf('prepare').map(({ digest }) => digest)).toEqual([own.digest])
  })
})

/** Everybody hears everything that the others say; leaders build. No time goes by. */
function exchange(scripts: readonly Script[]): void {
  const heard = scripts.map(() => scripts.map(() => 0))
  const built = new Set<Script>()
  for (let isQuiet = false; !isQuiet; ) {
    isQuiet = true
    for (const [to, listener] of scripts.entries()) {
      for (const [from, speaker] of scripts.entries()) {
        const messages = from === to ? [] : speaker.said.slice(heard[to]![from])
        heard[to]![from]! += messages.length
        if (messages.length > 0) isQuiet = false
        listener.hearAll(messages)
      }
      const { draft } = listener.state
      if (draft === undefined || draft.block !== undefined || built.has(listener)) continue
      built.add(listener)
      listener.built(listener.cast.block(listener.self, { transactions: [] }))
      isQuiet = false
    }
  }
}
