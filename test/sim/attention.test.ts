import { beforeEach, describe, expect, it } from 'vitest'
import type { Address } from '@songhua/sdk/protocol/bytes'
import { Attention, type Standing } from './attention.js'
import type { Speech } from './speech.js'
import { VirtualClock } from './virtual-clock.js'

const [alice, bob, carol] = [1, 2, 3].map((at): Address => `0x${String(at).repeat(40)}`) as [Address, Address, Address]
const AT_ROUND_0: Standing = { height: 5, round: 0, isVoter: true, isSilent: false }

const speech = (kind: Speech['kind'], round: number, height = 5): Speech => ({
  kind, height, round, digest: undefined, preparedRound: undefined, coinbase: undefined,
})

let now: Standing | undefined
let life: number
let slowUntilMs: number
let prepared: Set<string>
let neglected: string[]
let attention: Attention
let clock: VirtualClock

beforeEach(() => {
  now = AT_ROUND_0
  life = 1
  slowUntilMs = 0
  prepared = new Set()
  neglected = []
  clock = new VirtualClock(1_000)
  const listener = {
    standing: () => now,
    get life() { return life },
    get slowUntilMs() { return slowUntilMs },
    // f is 1.
    validatorCount: 4,
    hasPrepared: (height: number, round: number) => prepared.has(`${height} ${round}`),
  }
  attention = new Attention(listener, clock, (words) => neglected.push(words))
})

async function runOut(): Promise<void> {
  while (await clock.next()) continue
}

const hearChanges = (...said: [Address, number][]): void => said.forEach(([author, round]) => attention.note(author, speech('roundChange', round)))

describe('what an honest validator must do', () => {
  it('go where f + 1 others have gone', async () => {
    hearChanges([alice, 3], [bob, 2])
    await runOut()
    expect(neglected).toEqual([expect.stringContaining('is not in round 2, as f + 1 others are')])
  })

  it('prepare what is proposed for its round or a later one', async () => {
    attention.note(alice, speech('proposal', 1))
    await runOut()
    expect(neglected).toEqual([expect.stringContaining('has not prepared the proposal h5 r1')])
  })
})

describe('what it must say again', () => {
  const speaking = (...atMs: number[]): void => atMs.forEach((ms) => clock.after(ms, () => attention.noteOwn(speech('prepare', 0))))

  it('what it has said in its round, until it has left it', async () => {
    speaking(0, 500, 1_000)
    clock.after(1_400, () => (now = { ...AT_ROUND_0, round: 1 }))
    await runOut()
    expect(neglected).toEqual([])
  })

  it('and a silence is heard', async () => {
    speaking(0, 500)
    await runOut()
    expect(neglected).toEqual(['says nothing any more in round 0 of height 5'])
  })
})

describe('what is no neglect', () => {
  it.each<[string, () => void]>([
    ['f others that have gone on', () => hearChanges([alice, 3], [alice, 4])],
    ['others of another height', () => [alice, bob].forEach((author) => attention.note(author, speech('roundChange', 3, 6)))],
    ['round changes of two heights', () => {
      hearChanges([alice, 3])
      now = { ...AT_ROUND_0, height: 6 }
      attention.note(bob, speech('roundChange', 3, 6))
    }],
    ['round changes of two lives', () => {
      hearChanges([alice, 3])
      life++
      hearChanges([bob, 3])
    }],
    ['to have gone there', () => {
      hearChanges([alice, 3], [bob, 2], [carol, 1])
      now = { ...AT_ROUND_0, round: 2 }
    }],
    ['to have decided', () => {
      hearChanges([alice, 3], [bob, 2])
      now = { ...AT_ROUND_0, height: 6 }
    }],
    ['to be dead', () => {
      hearChanges([alice, 3], [bob, 2])
      now = undefined
    }],
    ['to have died', () => {
      hearChanges([alice, 3], [bob, 2])
      life++
    }],
    ['to wait for a slow disk, or to execute', () => {
      hearChanges([alice, 3], [bob, 2])
      slowUntilMs = 1_001
    }],
    ['to follow without a vote', () => {
      now = { ...AT_ROUND_0, isVoter: false }
      hearChanges([alice, 3], [bob, 2])
    }],
    ['to keep silent', () => {
      now = { ...AT_ROUND_0, isSilent: true }
      attention.note(alice, speech('proposal', 1))
    }],
    ['a proposal that was prepared', () => {
      attention.note(alice, speech('proposal', 1))
      prepared.add('5 1')
    }],
    ['a proposal of a round that it has left', () => {
      now = { ...AT_ROUND_0, round: 2 }
      attention.note(alice, speech('proposal', 1))
    }],
    ['votes', () => {
      attention.note(alice, speech('prepare', 3))
      attention.note(bob, speech('commit', 3))
    }],
  ])('%s', async (_what, happen) => {
    happen()
    await runOut()
    expect(neglected).toEqual([])
  })
})
