import { beforeEach, describe, expect, it } from 'vitest'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { Conduct } from './conduct.js'
import type { Speech } from './speech.js'

const validators = [1, 2, 3, 4].map((at): Address => `0x${String(at).repeat(40)}`)
const [alice, bob, carol, mallory] = validators as [Address, Address, Address, Address]
const BLOCK: Hash = `0x${'aa'.repeat(32)}`
const OTHER: Hash = `0x${'bb'.repeat(32)}`

const speech = (kind: Speech['kind'], round: number, said: Partial<Speech> = {}): Speech => ({
  kind, height: 5, round, digest: undefined, preparedRound: undefined, coinbase: undefined, ...said,
})
const proposal = (round: number, digest: Hash, coinbase: Address): Speech => speech('proposal', round, { digest, coinbase })
const prepare = (round: number, digest: Hash): Speech => speech('prepare', round, { digest })
const commit = (round: number, digest: Hash): Speech => speech('commit', round, { digest })
const change = (round: number, prepared?: { preparedRound: number; digest: Hash }): Speech => speech('roundChange', round, prepared)

let conduct: Conduct
/** What the honest say, each in turn; the answer is the first breach. */
function hear(...said: [Address, Speech][]): string | undefined {
  const breaches = said.map(([author, words]) => conduct.findBreach(author, words))
  return breaches.find((breach) => breach !== undefined)
}
const allOf = (authors: readonly Address[], words: Speech): [Address, Speech][] => authors.map((author) => [author, words])

beforeEach(() => {
  conduct = new Conduct()
  // Four validators, of which a quorum is three; rounds 0, 1, 2, 3 are alice's, bob's, carol's and mallory's.
  conduct.startHeight(5, { validators, proposers: validators })
})

describe('what an honest validator may say', () => {
  it('a whole height, with a round change that carries the prepared block', () => {
    const prepared = { preparedRound: 0, digest: BLOCK }
    const breach = hear(
      [alice, proposal(0, BLOCK, alice)],
      ...allOf([alice, bob, carol], prepare(0, BLOCK)),
      [bob, commit(0, BLOCK)],
      ...allOf([alice, carol], change(1)),
      [bob, change(1, prepared)],
      [bob, proposal(1, BLOCK, alice)],
      ...allOf([alice, bob, carol], prepare(1, BLOCK)),
      ...allOf([alice, bob, carol], commit(1, BLOCK)),
    )
    expect(breach).toBeUndefined()
  })

  it('a fresh block in a later round, after a quorum that has prepared nothing', () => {
    expect(hear(...allOf([alice, bob, carol], change(1)), [bob, proposal(1, OTHER, bob)], [alice, prepare(1, OTHER)])).toBeUndefined()
  })

  it('its own block in its own turn, although it died before anybody heard of it', () => {
    expect(hear(...allOf([alice, bob, carol], change(1)), [bob, prepare(1, OTHER)])).toBeUndefined()
  })

  it('counts Byzantine validators in every quorum from the moment they speak', () => {
    const votes = allOf([alice, bob], prepare(0, BLOCK))
    expect(hear([alice, proposal(0, BLOCK, alice)], ...votes, [alice, commit(0, BLOCK)])).toContain('too few have prepared')
    conduct.noteByzantine(mallory, prepare(0, BLOCK))
    expect(hear([alice, commit(0, BLOCK)])).toBeUndefined()
  })
})

describe('where an honest validator may go', () => {
  it('one round on from where a quorum has been', () => {
    expect(hear(...allOf([alice, bob, carol], change(1)), [alice, change(2)])).toBeUndefined()
  })

  it('where f + 1 have gone, Byzantine ones among them', () => {
    conduct.noteByzantine(mallory, change(7))
    const rounds = [1, 2].flatMap((round) => allOf([alice, carol], change(round)))
    expect(hear(...rounds, [alice, change(3)], [bob, change(3)])).toBeUndefined()
  })

  it('one round on from where a quorum has gone, although it was not heard there', () => {
    expect(hear(...allOf([alice, bob, carol], change(1)), ...allOf([alice, bob], change(2)), [carol, change(2)])).toBeUndefined()
  })
})

describe('what it may not', () => {
  const refused: [string, string, () => string | undefined][] = [
    ['propose out of turn', 'no turn', () => hear([bob, proposal(0, BLOCK, bob)])],
    ['prepare what nobody proposed', 'no turn', () => hear([bob, prepare(0, BLOCK)])],
    ['propose afresh without a quorum of round changes', 'no round changes', () =>
      hear(...allOf([alice, bob], change(1)), [bob, proposal(1, BLOCK, bob)])],
    ['propose afresh when one of the quorum has prepared', 'no round changes', () =>
      hear(
        [alice, proposal(0, BLOCK, alice)],
        ...allOf([alice, bob, carol], prepare(0, BLOCK)),
        ...allOf([alice, bob, carol], change(1, { preparedRound: 0, digest: BLOCK })),
        [bob, proposal(1, OTHER, bob)],
      )],
    ['prepare an older block than the one prepared last', 'no round changes', () =>
      hear(
        [alice, proposal(0, BLOCK, alice)],
        ...allOf([alice, bob, carol], prepare(0, BLOCK)),
        ...allOf([alice, bob, carol], change(1)),
        [bob, proposal(1, OTHER, bob)],
        ...allOf([alice, bob, carol], prepare(1, OTHER)),
        ...allOf([alice, bob, carol], change(2, { preparedRound: 1, digest: OTHER })),
        [carol, proposal(2, BLOCK, alice)],
      )],
    ['commit before a quorum has prepared', 'too few have prepared', () =>
      hear([alice, proposal(0, BLOCK, alice)], ...allOf([alice, bob], prepare(0, BLOCK)), [alice, commit(0, BLOCK)])],
    ['add up Prepares of two rounds', 'too few have prepared', () =>
      hear(
        [alice, proposal(0, BLOCK, alice)],
        ...allOf([alice, bob], prepare(0, BLOCK)),
        ...[1, 2, 3, 4].flatMap((round) => allOf([alice, bob, carol], change(round))),
        [alice, proposal(4, BLOCK, alice)],
        [carol, prepare(4, BLOCK)],
        [carol, commit(4, BLOCK)],
      )],
    ['hide the block that it has committed to', 'it hides', () =>
      hear(
        [alice, proposal(0, BLOCK, alice)],
        ...allOf([alice, bob, carol], prepare(0, BLOCK)),
        [alice, commit(0, BLOCK)],
        [alice, change(1)],
      )],
    ['go where fewer than f + 1 have gone', 'no quorum was in the round before', () => hear(...allOf([alice, bob], change(1)), [carol, change(3)])],
    ['run on from a round in which no quorum has arrived', 'no quorum was in the round before', () =>
      hear([alice, change(1)], [alice, change(2)])],
    ['claim a preparation that never was', 'too few have prepared', () => hear([alice, change(1, { preparedRound: 0, digest: BLOCK })])],
  ]
  for (const [what, why, play] of refused) it(what, () => expect(play()).toContain(why))
})
