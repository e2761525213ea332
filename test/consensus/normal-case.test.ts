import { describe, expect, it } from 'vitest'
import { blockHash } from '@songhua/sdk/protocol/block-hash'
import { decodeExtraData } from '@songhua/sdk/protocol/extra-data'
import { verifySeals } from '@songhua/sdk/protocol/seals'
import { quorumSize } from '@songhua/sdk/protocol/validator-set'
import { PARENT_MS, TIMING, highSTwin, transaction, withSignature } from './fixture.js'
import { Script } from './scripted.js'

describe('qbft 1.5: the normal case', () => {
  for (const n of [1, 4, 7]) {
    it(`the proposer of ${n} builds, proposes, prepares, commits and seals with a quorum`, () => {
      const script = new Script({ n, self: 0, workSinceMs: PARENT_MS })
      const [build] = script.effectsOf('build')
      expect(build).toMatchObject({ height: 2, round: 0, coinbase: script.address, blockTimeMs: script.nowMs })
      const block = script.cast.block(0)
      script.built(block)
      const quorum = quorumSize(n)
      for (const peer of script.others.slice(0, quorum - 1)) script.hear(script.cast.prepare(peer, 0, block))
      expect(script.said.map(({ kind }) => kind)).toEqual(['proposal', 'prepare', 'commit'])
      for (const peer of script.others.slice(0, quorum - 1)) {
        expect(script.decided).toBeUndefined()
        script.hear(script.cast.commit(peer, 0, block))
      }
      const { header } = script.decided!.block
      expect(blockHash(header)).toBe(block.digest)
      expect(decodeExtraData(header.extraData).seals).toHaveLength(quorum)
      verifySeals(header, script.cast.validators)
    })
  }

  it('a proposal and the proposer’s own Prepare share one record, and so one sync', () => {
    const script = new Script({ self: 0, workSinceMs: PARENT_MS })
    const before = script.effects.length
    script.built(script.cast.block(0))
    const kinds = script.effects.slice(before).map((effect) => (effect.type === 'sign' ? effect.intent.kind : effect.type))
    expect(kinds.filter((kind) => kind === 'persist')).toHaveLength(1)
    expect(kinds.indexOf('persist')).toBeLessThan(kinds.indexOf('proposal'))
    expect(kinds.indexOf('proposal')).toBeLessThan(kinds.indexOf('prepare'))
  })

  it('the record of the Prepare names the block, that of the Commit its certificate too', () => {
    const script = new Script()
    const block = script.cast.block(0)
    script.hear(script.cast.proposal(0, 0, block))
    script.hearAll([0, 1, 2].map((peer) => script.cast.prepare(peer, 0, block)))
    const persisted = script.effectsOf('persist')
    expect(persisted.map(({ record }) => [record.step, record.block?.digest, record.certificate?.digest])).toEqual([
      ['prepare', block.digest, undefined],
      ['commit', block.digest, block.digest],
    ])
    expect(persisted[1]!.record.certificate?.prepares).toHaveLength(3)
  })

  it('a validator prepares only after the block’s check, and never a block that fails it', () => {
    const script = new Script({ autoCheck: false })
    const block = script.cast.block(0)
    expect(script.hear(script.cast.proposal(0, 0, block))).toBe('taken')
    expect(script.said).toEqual([])
    script.verdict(block, false)
    expect(script.said).toEqual([])
    expect(script.effectsOf('refuse')[0]).toMatchObject({ author: script.cast.validators[0], isFault: true })
    expect(script.hear(script.cast.proposal(0, 0, block))).toBe('unwanted')
  })

  it('no Commit before a quorum of Prepares, however many Commits of others are there', () => {
    const script = new Script({ n: 7 })
    const block = script.cast.block(0)
    script.hear(script.cast.proposal(0, 0, block))
    script.hearAll([0, 1, 2].map((peer) => script.cast.commit(peer, 0, block)))
    script.hearAll([0, 1, 2].map((peer) => script.cast.prepare(peer, 0, block)))
    expect(script.saidOf('commit')).toEqual([])
    script.hear(script.cast.prepare(3, 0, block))
    expect(script.saidOf('commit')).toHaveLength(1)
    // Four of seven seals and ours: that is the quorum of five.
    expect(script.decided).toBeUndefined()
    script.hear(script.cast.commit(3, 0, block))
    expect(script.decided).toBeDefined()
  })

  it('votes that come before their proposal are kept, and their seals checked when it comes', () => {
    const script = new Script()
    const block = script.cast.block(0)
    script.hearAll([0, 1].map((peer) => script.cast.commit(peer, 0, block)))
    script.hear(script.cast.commit(2, 0, block, 5))
    script.hearAll([0, 1].map((peer) => script.cast.prepare(peer, 0, block)))
    script.hear(script.cast.proposal(0, 0, block))
    expect(script.effectsOf('refuse')).toMatchObject([{ author: script.cast.validators[2], isFault: true }])
    // Two good commits and our own.
    expect(script.decided).toBeDefined()
  })

  it('commits decide even where our own Prepares are missing', () => {
    const script = new Script()
    const block = script.cast.block(0)
    script.hear(script.cast.proposal(0, 0, block))
    script.hearAll([0, 1, 2].map((peer) => script.cast.commit(peer, 0, block)))
    expect(script.decided).toBeDefined()
    expect(script.saidOf('commit')).toEqual([])
  })

  it('after the decision nothing is said, and no timer runs', () => {
    const script = new Script()
    const block = script.cast.block(0)
    script.hear(script.cast.proposal(0, 0, block))
    script.hearAll([0, 1, 2].map((peer) => script.cast.commit(peer, 0, block)))
    expect(script.state.timers).toEqual({})
    expect(script.hear(script.cast.prepare(0, 0, block))).toBe('unwanted')
    const said = script.said.length
    script.advance(100_000)
    expect(script.said).toHaveLength(said)
  })
})

describe('qbft 1.5: what a proposal of round 0 must be', () => {
  const refusals: [string, string, (script: Script) => ReturnType<Script['cast']['proposal']>][] = [
    ['its sender is not the proposer', 'CONSENSUS_NOT_PROPOSER', ({ cast }) => cast.proposal(1, 0, cast.block(1))],
    ['its coinbase is not its sender', 'CONSENSUS_COINBASE', ({ cast }) => cast.proposal(0, 0, cast.block(1))],
    ['its block has another height', 'CONSENSUS_BLOCK_HEIGHT', ({ cast }) => cast.proposal(0, 0, cast.block(0, { height: 3 }))],
    ['its header names a round', 'CONSENSUS_BLOCK_FORM', ({ cast }) => cast.proposal(0, 0, cast.block(0, { round: 1 }))],
    [
      'it brings round changes',
      'CONSENSUS_JUSTIFICATION',
      ({ cast }) => cast.justified(0, 0, [0, 1, 2].map((at) => cast.roundChange(at, 1)), cast.block(0)),
    ],
    [
      'it brings prepares',
      'CONSENSUS_JUSTIFICATION',
      ({ cast }) => {
        const { prepares } = cast.certificate(0, cast.block(0), [0, 1, 2])
        return cast.proposal(0, 0, cast.block(0), { roundChanges: [], prepares })
      },
    ],
    [
      'its body is not the one of its header',
      'CONSENSUS_BLOCK_BODY',
      ({ cast }) => {
        const { block, digest } = cast.block(0)
        const other = cast.block(0, { transactions: [transaction(1)] })
        const spoiled = { digest, block, bytes: spliceBody(cast.block(0).bytes, other.bytes) }
        return cast.proposal(0, 0, spoiled)
      },
    ],
  ]
  for (const [why, code, make] of refusals) {
    it(`refused when ${why}`, () => {
      const script = new Script()
      expect(script.hear(make(script))).toBe(code)
      expect(script.said).toEqual([])
      expect(script.state.candidate).toBeUndefined()
    })
  }

  it('a spoiled body on the way does not spoil the block: the true one is accepted afterwards', () => {
    const script = new Script()
    const block = script.cast.block(0)
    const other = script.cast.block(0, { transactions: [transaction(1)] })
    const spoiled = { ...block, bytes: spliceBody(block.bytes, other.bytes) }
    expect(script.hear(script.cast.proposal(0, 0, spoiled))).toBe('CONSENSUS_BLOCK_BODY')
    expect(script.hear(script.cast.proposal(0, 0, block))).toBe('taken')
    expect(script.saidOf('prepare')).toHaveLength(1)
  })
})

describe('qbft 1.5 and DESIGN, Time: when a fresh proposal is timely', () => {
  it('two seconds ahead of our clock is accepted, a millisecond more is not, and is again when its time has come', () => {
    const script = new Script()
    const block = script.cast.block(0, { timeMs: script.nowMs + 2_001 })
    const proposal = script.cast.proposal(0, 0, block)
    script.hear(proposal)
    expect(script.effectsOf('refuse')[0]).toMatchObject({ isFault: false, error: { code: 'CONSENSUS_FUTURE_BLOCK' } })
    expect(script.said).toEqual([])
    script.advance(1)
    script.hear(proposal)
    expect(script.saidOf('prepare')).toHaveLength(1)
  })

  it('an empty block before the heartbeat is a fault in round 0', () => {
    const script = new Script()
    const timeMs = PARENT_MS + TIMING.emptyBlockPeriodS * 1000 - 1
    script.nowMs = timeMs
    script.hear(script.cast.proposal(0, 0, script.cast.block(0, { transactions: [], timeMs })))
    expect(script.effectsOf('refuse')[0]).toMatchObject({ isFault: true, error: { code: 'CONSENSUS_EMPTY_BLOCK' } })
  })

  it('an empty block at the heartbeat is accepted, at height 1 at once', () => {
    const script = new Script()
    const timeMs = PARENT_MS + TIMING.emptyBlockPeriodS * 1000
    script.nowMs = timeMs
    script.hear(script.cast.proposal(0, 0, script.cast.block(0, { transactions: [], timeMs })))
    expect(script.saidOf('prepare')).toHaveLength(1)
    const first = new Script({ height: 1 })
    first.hear(first.cast.proposal(0, 0, first.cast.block(0, { transactions: [] })))
    expect(first.saidOf('prepare')).toHaveLength(1)
  })

  it('in a later round an empty block is always valid, a future one never', () => {
    const script = new Script()
    script.timeOutWithWork()
    const changes = [0, 1, 2].map((at) => script.cast.roundChange(at, 1))
    const future = script.cast.block(1, { transactions: [], timeMs: script.nowMs + 60_000 })
    script.hear(script.cast.justified(1, 1, changes, future))
    expect(script.saidOf('prepare')).toEqual([])
    script.hear(script.cast.justified(1, 1, changes, script.cast.block(1, { transactions: [] })))
    expect(script.saidOf('prepare', 1)).toHaveLength(1)
  })
})

describe('qbft 1.5: signers are counted, not messages', () => {
  it('the same validator twice is one vote', () => {
    const script = new Script()
    const block = script.cast.block(0)
    script.hear(script.cast.proposal(0, 0, block))
    expect(script.hear(script.cast.prepare(0, 0, block))).toBe('taken')
    expect(script.hear(script.cast.prepare(0, 0, block), script.cast.validators[1])).toBe('unwanted')
    expect(script.saidOf('commit')).toEqual([])
  })

  it('the high-s twin of a signature is refused', () => {
    const script = new Script()
    const block = script.cast.block(0)
    script.hear(script.cast.proposal(0, 0, block))
    const prepare = script.cast.prepare(0, 0, block)
    expect(script.hear(withSignature(prepare, highSTwin(prepare.signature)))).toBe('CONSENSUS_SIGNATURE')
    expect(script.hear(prepare)).toBe('taken')
  })

  it('a stranger’s vote is refused, and a vote of another chain, protocol version, height or round is a stranger’s', () => {
    const script = new Script()
    const { cast } = script
    const block = cast.block(0)
    const unsigned = { kind: 'prepare', height: 2, round: 0, digest: block.digest } as const
    const elsewhere = [
      { ...cast.domain, protocolVersion: 2 },
      { ...cast.domain, genesisHash: block.digest },
    ].map((domain) => cast.signed(0, unsigned, domain))
    const otherPlaces = [cast.prepare(0, 1, block), cast.prepare(0, 0, block, 3)].map(({ signature, author }) =>
      withSignature({ ...unsigned, author }, signature),
    )
    const aCommit = withSignature({ ...unsigned, author: cast.validators[0]! }, cast.proposal(0, 0, block).signature)
    const refused = script.hearAll([...elsewhere, ...otherPlaces, aCommit])
    expect(refused).toEqual(refused.map(() => 'CONSENSUS_UNKNOWN_VALIDATOR'))
  })

  it('a commit with the seal of another round, of another validator, or high-s counts for nothing', () => {
    const script = new Script()
    const { cast } = script
    const block = cast.block(0)
    script.hear(cast.proposal(0, 0, block))
    script.hearAll([0, 1].map((peer) => cast.commit(peer, 0, block)))
    const honest = cast.commit(2, 0, block)
    const borrowed = { ...honest, seal: cast.commit(1, 0, block).seal }
    const twisted = { ...honest, seal: highSTwin(honest.seal) }
    script.hear(cast.commit(2, 0, block, 1))
    for (const { seal } of [borrowed, twisted]) {
      script.hear(cast.signed(2, { kind: 'commit', height: 2, round: 0, digest: block.digest, seal }))
    }
    expect(script.effectsOf('refuse').map(({ error }) => error.code)).toEqual(Array(3).fill('CONSENSUS_COMMIT_SEAL'))
    expect(script.decided).toBeUndefined()
    script.hear(honest)
    expect(script.decided).toBeDefined()
  })

  it('an equivocating proposer gets one block prepared, and is reported once', () => {
    const script = new Script()
    const { cast } = script
    const first = cast.block(0)
    const second = cast.block(0, { transactions: [transaction(1)] })
    script.hear(cast.proposal(0, 0, first))
    expect(script.hear(cast.proposal(0, 0, second))).toBe('taken')
    expect(script.hear(cast.proposal(0, 0, second))).toBe('unwanted')
    expect(script.saidOf('prepare').map(({ digest }) => digest)).toEqual([first.digest])
    expect(script.effectsOf('equivocation')).toHaveLength(1)
  })

  it('prepares for two blocks do not add up', () => {
    const script = new Script()
    const { cast } = script
    const block = cast.block(0)
    const other = cast.block(0, { transactions: [transaction(1)] })
    script.hear(cast.proposal(0, 0, block))
    script.hearAll([cast.prepare(0, 0, block), cast.prepare(1, 0, other), cast.prepare(2, 0, other)])
    expect(script.saidOf('commit')).toEqual([])
  })
})

/** The transactions of `donor` under the header of `block`. */
function spliceBody(block: Uint8Array, donor: Uint8Array): Uint8Array {
  expect(donor.length).toBe(block.length)
  // Header and transactions have the same lengths in both: header first, transactions after it.
  const headerEnd = headerLength(block)
  const spliced = new Uint8Array(block)
  spliced.set(donor.subarray(headerEnd), headerEnd)
  return spliced
}

function headerLength(block: Uint8Array): number {
  // A list of more than 255 bytes: f9 and two bytes of length, for the block and for its header.
  expect([block[0], block[3]]).toEqual([0xf9, 0xf9])
  return 6 + block[4]! * 256 + block[5]!
}
