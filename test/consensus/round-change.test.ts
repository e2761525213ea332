import { describe, expect, it } from 'vitest'
import { signTransaction } from '@songhua/sdk/protocol/transaction'
import { RELAY_DELAY_MS, RELAY_SOON_BYTES_MAX, RESENDS_PER_ROUND } from '@songhua/node/consensus/limits'
import type { RoundChange } from '@songhua/node/consensus/messages'
import { reachedRound, roundTimeoutMs } from '@songhua/node/consensus/rounds'
import { TIMING, highSTwin, transaction } from './fixture.js'
import { Script } from './scripted.js'

/** A script in which this node has prepared the block of round 0 and left the round. */
function preparedAndLeft(options: { n?: number; self?: number } = {}) {
  const script = new Script(options)
  const { cast } = script
  const block = cast.block(0)
  script.hear(cast.proposal(0, 0, block))
  script.hearAll(script.others.map((peer) => cast.prepare(peer, 0, block)))
  script.timeOut()
  return { script, cast, block }
}

/** A script in which the others have prepared a block of which this node has not heard. */
function preparedElsewhere() {
  const script = new Script()
  return { script, cast: script.cast, block: script.cast.block(0) }
}

const changesTo = (script: Script, round: number, who: number[]): RoundChange[] =>
  who.map((peer) => script.cast.roundChange(peer, round))

describe('qbft 1.5: timers', () => {
  it('grow by a step with each round, up to the cap', () => {
    const timeouts = [0, 1, 2, 18, 19, 2 ** 32].map((round) => roundTimeoutMs(TIMING, round))
    expect(timeouts).toEqual([2_000, 3_000, 4_000, 20_000, 20_000, 20_000])
  })

  it('a round in which no quorum has arrived is not left: pending transactions go out again, and its time begins anew', () => {
    const script = new Script()
    script.timeOutWithWork()
    script.hearAll(changesTo(script, 7, [0]))
    script.advance(60_000)
    expect(script.state.round).toBe(1)
    expect(script.effectsOf('resendTransactions').length).toBeGreaterThan(10)
    script.hearAll(changesTo(script, 1, [1]))
    expect(script.state.timers.round).toBe(script.nowMs + 3_000)
    script.advance(3_000)
    expect(script.state.round).toBe(2)
  })

  it('a justified proposal is a quorum that has arrived', () => {
    const script = new Script({ autoCheck: false })
    const changes = changesTo(script, 1, [0, 1, 2])
    script.timeOutWithWork()
    script.advance(500)
    script.hear(script.cast.justified(1, 1, changes, script.cast.block(1)))
    expect(script.state.timers.round).toBe(script.nowMs + 3_000)
  })

  it('a proposal of a later round goes on being checked when its round changes arrive after it', () => {
    const script = new Script({ autoCheck: false })
    const { cast } = script
    const block = cast.block(2, { transactions: [] })
    const changes = changesTo(script, 2, [0, 1, 2])
    script.hear(cast.justified(2, 2, changes, block))
    script.hearAll(changesTo(script, 1, [0, 1]))
    expect(script.state.round).toBe(1)
    script.verdict(block)
    expect(script.saidOf('prepare')).toMatchObject([{ round: 2, digest: block.digest }])
  })

  it('a round that runs out gives way to the next, and pending transactions go out again', () => {
    const script = new Script()
    script.timeOutWithWork()
    expect(script.saidOf('roundChange')).toMatchObject([{ round: 1, prepared: undefined }])
    expect(script.effectsOf('resendTransactions')).toHaveLength(1)
    const startMs = script.nowMs
    script.timeOut()
    expect(script.nowMs - startMs).toBe(3_000)
    expect(script.saidOf('roundChange').at(-1)).toMatchObject({ round: 2 })
  })

  it('an old timer that fires late does nothing', () => {
    const script = new Script()
    script.timeOutWithWork()
    script.event({ type: 'timer', name: 'round', atMs: script.nowMs })
    expect(script.state.round).toBe(1)
  })

  it('what was said in the round is said again inside it', () => {
    const script = new Script()
    script.timeOutWithWork()
    const said = script.said.length
    script.advance(roundTimeoutMs(TIMING, 1) - 1)
    const again = script.effectsOf('send')
    expect(again.map(({ message, to }) => [message.kind, message.round, to])).toEqual(
      Array(3).fill(['roundChange', 1, 'all']),
    )
    expect(script.said).toHaveLength(said)
  })

  it('a peer that connects hears what was said in this round', () => {
    const script = new Script()
    const block = script.cast.block(0)
    script.hear(script.cast.proposal(0, 0, block))
    script.hearAll([0, 1].map((peer) => script.cast.prepare(peer, 0, block)))
    script.event({ type: 'peerUp', peer: script.cast.validators[1]! })
    expect(script.effectsOf('send').map(({ message, to }) => [message.kind, to])).toEqual([
      ['prepare', script.cast.validators[1]],
      ['commit', script.cast.validators[1]],
    ])
  })
})

describe('DESIGN, Rounds: the f + 1 rule', () => {
  it('names the highest round that f + 1 distinct signers have reached', () => {
    expect(reachedRound([], 1)).toBe(-1)
    expect(reachedRound([9], 1)).toBe(-1)
    expect(reachedRound([9, 5, 4], 1)).toBe(5)
    expect(reachedRound([10, 6, 10, 9], 1)).toBe(10)
    expect(reachedRound([10, 6, 7, 9], 2)).toBe(7)
  })

  it('f + 1 round changes take us to their round, with one of our own; f do not', () => {
    const script = new Script({ n: 7 })
    script.hearAll([...changesTo(script, 7, [0]), ...changesTo(script, 5, [1])])
    expect(script.state.round).toBe(0)
    script.hearAll(changesTo(script, 3, [2]))
    expect(script.state.round).toBe(3)
    expect(script.saidOf('roundChange')).toMatchObject([{ round: 3 }])
    // The next one makes the highest that three have reached 5.
    script.hearAll(changesTo(script, 6, [3]))
    expect(script.state.round).toBe(5)
  })

  it('one validator that names ever higher rounds moves nobody, and takes no room', () => {
    const script = new Script()
    for (let round = 1; round < 50; round++) script.hearAll(changesTo(script, round * 1_000_000, [0]))
    expect(script.state.round).toBe(0)
    expect(script.state.roundChanges.size).toBe(1)
    for (let round = 1; round < 50; round++) script.hear(script.cast.prepare(0, round, script.cast.block(0)))
    expect(script.state.later.size).toBe(1)
  })

  it('votes for a later round do not count in an earlier one, though they are for the same block', () => {
    const { script, cast, block } = preparedElsewhere()
    script.hearAll([0, 2].map((peer) => cast.prepare(peer, 2, block)))
    const certificate = cast.certificate(0, block, [0, 1, 2])
    const changes = [cast.roundChange(0, 1, certificate), ...changesTo(script, 1, [1, 2])]
    expect(script.hear(cast.justified(1, 1, changes))).toBe('taken')
    expect(script.saidOf('prepare')).toMatchObject([{ round: 1, digest: block.digest }])
    expect(script.saidOf('commit')).toEqual([])
    expect(script.state.certificate).toBeUndefined()
  })

  it('a timer that runs out meets those who are ahead', () => {
    const script = new Script({ n: 7 })
    script.timeOutWithWork()
    script.hearAll(changesTo(script, 4, [0, 1]))
    expect(script.state.round).toBe(1)
    script.timeOut()
    // f = 2: the two and ourselves are three, but ourselves only at round 1 so far.
    expect(script.state.round).toBe(2)
    script.hearAll(changesTo(script, 2, [2]))
    expect(script.state.round).toBe(2)
  })
})

describe('qbft 1.5: the leader of a later round', () => {
  it('builds a fresh block on a quorum of round changes, with the packing deadline of that round', () => {
    const script = new Script({ self: 1 })
    script.hearAll(changesTo(script, 1, [0, 2]))
    expect(script.state.round).toBe(1)
    expect(script.effectsOf('build')).toMatchObject([{ round: 1, deadlineMs: script.nowMs + 900 }])
    script.built(script.cast.block(1, { transactions: [] }))
    const [proposal] = script.saidOf('proposal')
    expect(proposal!.justification.roundChanges).toHaveLength(3)
    expect(proposal!.justification.prepares).toEqual([])
    const other = new Script({ self: 2 })
    expect(other.hear(proposal!)).toBe('taken')
    expect(other.saidOf('prepare', 1)).toHaveLength(1)
  })

  it('proposes again the block that was prepared, which keeps its coinbase', () => {
    const { script, cast, block } = preparedAndLeft({ self: 1 })
    const certificate = cast.certificate(0, block, [0, 2, 3])
    script.hearAll([cast.roundChange(2, 1, certificate), ...changesTo(script, 1, [3])])
    const [proposal] = script.saidOf('proposal')
    expect(proposal!.block.digest).toBe(block.digest)
    expect(proposal!.block.block.header.coinbase).toBe(cast.validators[0])
    expect(proposal!.justification.prepares).toHaveLength(3)
    expect(script.effectsOf('build')).toEqual([])
    const other = new Script({ self: 3 })
    expect(other.hear(proposal!)).toBe('taken')
    expect(other.saidOf('prepare', 1)).toMatchObject([{ digest: block.digest }])
  })

  it('of several preparations takes the one of the highest round', () => {
    const script = new Script({ self: 3 })
    const { cast } = script
    const older = cast.certificate(0, cast.block(0), [0, 1, 2])
    const newer = cast.certificate(2, cast.block(2, { transactions: [transaction(7)] }), [0, 1, 2])
    script.hearAll([cast.roundChange(0, 3, newer), cast.roundChange(1, 3, older), cast.roundChange(2, 3)])
    expect(script.saidOf('proposal')).toMatchObject([{ round: 3, block: { digest: newer.digest } }])
  })

  it('does not propose a prepared block that fails its own check', () => {
    const script = new Script({ self: 1, autoCheck: false })
    const { cast } = script
    const block = cast.block(0)
    script.hearAll([cast.roundChange(0, 1, cast.certificate(0, block, [0, 2, 3])), ...changesTo(script, 1, [2])])
    script.verdict(block, false)
    expect(script.saidOf('proposal')).toEqual([])
    script.timeOut()
    expect(script.state.round).toBe(2)
  })

  it('jumps to its round when a quorum is there before its own timer', () => {
    const script = new Script({ self: 3 })
    script.hearAll(changesTo(script, 3, [0, 1, 2]))
    expect(script.state.round).toBe(3)
    script.built(script.cast.block(3, { transactions: [] }))
    expect(script.saidOf('proposal')).toMatchObject([{ round: 3 }])
  })
})

describe('qbft 1.5: what justifies a proposal of a later round', () => {
  const round = 1

  it('a quorum of round changes, not one fewer, and none twice', () => {
    const script = new Script()
    const { cast } = script
    const fresh = cast.block(1)
    const two = changesTo(script, round, [0, 2])
    expect(script.hear(cast.justified(1, round, two, fresh))).toBe('CONSENSUS_BELOW_QUORUM')
    expect(script.hear(cast.justified(1, round, [...two, two[0]!], fresh))).toBe('CONSENSUS_DUPLICATE_SIGNER')
    const five = changesTo(script, round, [0, 1, 2, 3, 0])
    expect(script.hear(cast.justified(1, round, five, fresh))).toBe('CONSENSUS_DUPLICATE_SIGNER')
    expect(script.state.round).toBe(0)
  })

  it('the high-s twin of a round change is not a second signer', () => {
    const script = new Script()
    const { cast } = script
    const [first, second] = changesTo(script, round, [0, 2]) as [RoundChange, RoundChange]
    const twin = { ...first, signature: highSTwin(first.signature) }
    expect(script.hear(cast.justified(1, round, [first, second, twin], cast.block(1)))).toBe('CONSENSUS_SIGNATURE')
  })

  it('round changes of another round or height are strangers’', () => {
    const script = new Script()
    const { cast } = script
    const mixed = [...changesTo(script, round, [0, 2]), cast.roundChange(3, 2)]
    expect(script.hear(cast.justified(1, round, mixed, cast.block(1)))).toBe('CONSENSUS_UNKNOWN_VALIDATOR')
    const elsewhere = cast.signed(3, { kind: 'roundChange', height: 3, round, prepared: undefined })
    const foreign = [...changesTo(script, round, [0, 2]), elsewhere]
    expect(script.hear(cast.justified(1, round, foreign, cast.block(1)))).toBe('CONSENSUS_UNKNOWN_VALIDATOR')
  })

  it('where something was prepared, nothing else may be proposed', () => {
    const script = new Script()
    const { cast } = script
    const prepared = cast.certificate(0, cast.block(0), [0, 1, 2])
    const changes = [cast.roundChange(0, round, prepared), ...changesTo(script, round, [1, 2])]
    const { roundChanges, prepares } = cast.justified(1, round, changes).justification
    const fresh = cast.proposal(1, round, cast.block(1), { roundChanges, prepares })
    expect(script.hear(fresh)).toBe('CONSENSUS_JUSTIFICATION')
    expect(script.hear(cast.justified(1, round, changes))).toBe('taken')
  })

  it('a round change’s claim cannot be left out of its signature', () => {
    const script = new Script()
    const { cast } = script
    const prepared = cast.certificate(0, cast.block(0), [0, 1, 2])
    const changes = [cast.roundChange(0, round, prepared), ...changesTo(script, round, [1, 2])]
    const { roundChanges } = cast.justified(1, round, changes).justification
    const stripped = roundChanges.map((claim) => ({ ...claim, prepared: undefined }))
    const proposal = cast.proposal(1, round, cast.block(1), { roundChanges: stripped, prepares: [] })
    expect(script.hear(proposal)).toBe('CONSENSUS_UNKNOWN_VALIDATOR')
  })

  it('prepares of mixed rounds, of too few, or of one twice prove nothing', () => {
    const script = new Script()
    const { cast } = script
    const block = cast.block(0)
    const changes = (prepares: [number, number][]) => {
      const votes = prepares.map(([who, at]) => cast.prepare(who, at, block))
      const prepared = { round: 0, digest: block.digest, block, prepares: votes }
      return [cast.roundChange(0, 2, prepared), ...changesTo(script, 2, [1, 3])]
    }
    const codes = (
      [
        [[0, 0], [1, 0], [2, 1]],
        [[0, 0], [1, 0]],
        [[0, 0], [1, 0], [1, 0]],
        [],
      ] as [number, number][][]
    ).map((prepares) => script.hear(cast.justified(2, 2, changes(prepares))))
    expect(codes).toEqual([
      'CONSENSUS_UNKNOWN_VALIDATOR',
      'CONSENSUS_BELOW_QUORUM',
      'CONSENSUS_DUPLICATE_SIGNER',
      'CONSENSUS_BELOW_QUORUM',
    ])
  })

  it('a claim to have prepared in the round itself or later is refused', () => {
    const script = new Script()
    const { cast } = script
    const prepared = cast.certificate(2, cast.block(0), [0, 1, 2])
    const change = cast.roundChange(0, 2, prepared)
    expect(script.hear(change)).toBe('CONSENSUS_CERTIFICATE')
    const changes = [change, ...changesTo(script, 2, [1, 3])]
    expect(script.hear(cast.justified(2, 2, changes))).toBe('CONSENSUS_JUSTIFICATION')
  })

  it('a round change with a bad certificate is refused whole, and its author stays uncounted', () => {
    const script = new Script({ n: 4 })
    const { cast } = script
    const block = cast.block(0)
    const bad = cast.certificate(0, block, [0, 1])
    expect(script.hear(cast.roundChange(0, 1, bad))).toBe('CONSENSUS_BELOW_QUORUM')
    const other = cast.block(0, { transactions: [transaction(1)] })
    const mismatched = { ...cast.certificate(0, block, [0, 1, 2]), block: other, digest: other.digest }
    expect(script.hear(cast.roundChange(1, 1, mismatched))).toBe('CONSENSUS_UNKNOWN_VALIDATOR')
    expect(script.state.roundChanges.size).toBe(0)
  })
})

describe('qbft 1.8: pitfalls of others', () => {
  it('Besu l.297: a jump by a future proposal keeps the certificate, and the next round change carries it', () => {
    const script = new Script({ n: 7, self: 6 })
    const { cast } = script
    const block = cast.block(0)
    script.hear(cast.proposal(0, 0, block))
    script.hearAll([0, 1, 2, 3].map((peer) => cast.prepare(peer, 0, block)))
    expect(script.saidOf('commit')).toHaveLength(1)
    // Others who have prepared nothing agree on a fresh block in round 1, and take us along.
    const fresh = cast.block(1, { transactions: [] })
    script.hear(cast.justified(1, 1, changesTo(script, 1, [0, 1, 2, 3, 4]), fresh))
    expect(script.state.round).toBe(1)
    expect(script.saidOf('prepare', 1)).toMatchObject([{ digest: fresh.digest }])
    script.timeOut()
    const [change] = script.saidOf('roundChange', 2)
    expect(change!.prepared).toMatchObject({ round: 0, digest: block.digest })
    expect(new Script({ n: 7, self: 2 }).hear(change!)).toBe('taken')
  })

  it('the certificate survives every later round, and only a higher one replaces it', () => {
    const { script, cast, block } = preparedAndLeft()
    script.timeOut()
    script.timeOut()
    expect(script.saidOf('roundChange').map(({ prepared }) => prepared?.round)).toEqual([0, 0, 0])
    const certificate = cast.certificate(0, block, [0, 1, 2])
    const changes = [cast.roundChange(0, 4, certificate), ...changesTo(script, 4, [1, 2])]
    script.hear(cast.justified(0, 4, changes))
    script.hearAll([0, 1].map((peer) => cast.prepare(peer, 4, block)))
    script.timeOut()
    expect(script.saidOf('roundChange', 5)[0]!.prepared).toMatchObject({ round: 4, digest: block.digest })
  })

  it('a proposal of a round that is over is not even opened', () => {
    const { script, cast } = preparedAndLeft()
    expect(script.hear(cast.proposal(0, 0, cast.block(0)))).toBe('unwanted')
  })

  it('a full block is passed on only when its author would send it again: executing it takes longer than votes wait', () => {
    const script = new Script({ autoCheck: false })
    const { cast } = script
    const data = new Uint8Array(RELAY_SOON_BYTES_MAX)
    const large = signTransaction({ chainId: 230099n, nonce: 0, gasLimit: 1n, data }, cast.keyOf(0))
    script.hear(cast.proposal(0, 0, cast.block(0, { transactions: [large] })))
    script.advance(RELAY_DELAY_MS)
    expect(script.effectsOf('relay')).toEqual([])
    script.advance(TIMING.roundTimeoutMs / RESENDS_PER_ROUND - RELAY_DELAY_MS)
    expect(script.effectsOf('relay')).toMatchObject([{ message: { kind: 'proposal' } }])
  })

  it('a first-seen message of another validator is passed on once, should the height last', () => {
    const script = new Script()
    const { cast } = script
    const block = cast.block(0)
    script.hear(cast.proposal(0, 0, block), cast.validators[1])
    script.hear(cast.prepare(1, 0, block))
    expect(script.effectsOf('relay')).toEqual([])
    script.advance(25)
    expect(script.effectsOf('relay').map(({ message, from }) => [message.kind, from])).toEqual([
      ['proposal', cast.validators[1]],
      ['prepare', cast.validators[1]],
    ])
    script.hear(cast.prepare(1, 0, block), cast.validators[2])
    script.advance(1_000)
    expect(script.effectsOf('relay')).toHaveLength(2)
  })

  it('who is stuck below is answered with the block; a late vote for the last height is not', () => {
    const script = new Script({ height: 5 })
    const from = script.cast.validators[0]!
    script.event({ type: 'lowerHeight', height: 4, kind: 'commit', from })
    expect(script.effectsOf('answer')).toEqual([])
    script.event({ type: 'lowerHeight', height: 4, kind: 'roundChange', from })
    script.event({ type: 'lowerHeight', height: 3, kind: 'prepare', from })
    script.event({ type: 'lowerHeight', height: 0, kind: 'roundChange', from })
    expect(script.effectsOf('answer').map(({ height }) => height)).toEqual([4, 3])
  })
})
