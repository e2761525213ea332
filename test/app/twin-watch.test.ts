import { describe, expect, it } from 'vitest'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { createTwinWatch } from '@songhua/node/app/twin-watch'
import type { Clock } from '@songhua/node/base/clock'
import type { Logger } from '@songhua/node/base/logger'
import type { Domain, Intent } from '@songhua/node/consensus/messages'
import type { ValidatorSigner } from '@songhua/node/signer/signer'

const START = 1_800_000_000_000
const [SELF, OTHER] = [`0x${'11'.repeat(20)}`, `0x${'22'.repeat(20)}`] as [Address, Address]
const hashOf = (number: number): Hash => `0x${String(number).padStart(64, '0')}`
const block = (number: number, { coinbase = SELF, agoMs = -10_000 } = {}) =>
  ({ header: { number, coinbase }, hash: hashOf(number), blockTimeMs: START - agoMs })

function watch() {
  const lines: string[] = []
  const note = (message: string): void => void lines.push(message)
  const logger: Logger = { debug: note, info: note, warn: note, error: note, child: () => logger }
  const clock = { now: () => START, after: () => () => undefined } as unknown as Clock
  const twins = createTwinWatch({ self: SELF, clock, logger })
  const signer = twins.watching({ sign: (intent: Intent) => ({ signed: intent.kind }) } as unknown as ValidatorSigner)
  const propose = (number: number) => signer.sign({ kind: 'proposal', block: { digest: hashOf(number) } } as unknown as Intent, {} as Domain)
  return { twins, propose, lines }
}

describe('the watch for another node with this one\'s key', () => {
  it('notices a block that names this validator and that it has not proposed, and says so once', () => {
    const { twins, lines } = watch()
    twins.onBlock(block(7))
    twins.onBlock(block(9))
    expect([twins.trace(), lines]).toEqual([{ height: 9, atMs: START }, ['another node runs with the key of this one: stop one of the two']])
  })

  it('is quiet about own proposals, those of others, and those of before the start, which a restart has forgotten', () => {
    const { twins, propose, lines } = watch()
    expect(propose(7)).toEqual({ signed: 'proposal' })
    twins.onBlock(block(7))
    twins.onBlock(block(8, { coinbase: OTHER }))
    twins.onBlock(block(9, { agoMs: 60_000 }))
    twins.onBlock(block(10, { agoMs: -5_000 }))
    expect([twins.trace(), lines]).toEqual([undefined, []])
  })
})
