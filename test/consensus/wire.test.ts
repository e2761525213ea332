import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_BLOCK_BYTES } from '@songhua/sdk/protocol/block'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import { type RlpItem, decodeRlp, encodeRlp } from '@songhua/sdk/protocol/rlp'
import { authenticate, readEnvelope } from '@songhua/node/consensus/envelope'
import { MAX_CONSENSUS_MESSAGE_BYTES, MAX_JUSTIFICATION_BYTES } from '@songhua/node/consensus/limits'
import type { Message } from '@songhua/node/consensus/messages'
import { openMessage } from '@songhua/node/consensus/open-message'
import { Cast } from './fixture.js'
import { Script } from './scripted.js'

const script = new Script()
const { cast, reader } = script
const block = cast.block(0)
const certificate = cast.certificate(0, block, [0, 1, 2])
const changes = [cast.roundChange(0, 1, certificate), cast.roundChange(1, 1), cast.roundChange(2, 1)]
const messages: Message[] = [
  cast.proposal(0, 0, block),
  cast.justified(1, 1, changes),
  cast.prepare(1, 0, block),
  cast.commit(2, 3, block),
  ...changes.slice(0, 2),
]

const open = (bytes: Uint8Array): Message => openMessage(authenticate(readEnvelope(bytes), reader), reader)

function codeOf(bytes: Uint8Array): string {
  try {
    open(bytes)
    return 'opened'
  } catch (error) {
    if (!isCodedError(error)) throw error
    return error.code
  }
}

/** The message with one field replaced. */
function tampered(message: Message, at: number, item: RlpItem): Uint8Array {
  const fields = decodeRlp(message.bytes) as RlpItem[]
  return encodeRlp(fields.map((field, index) => (index === at ? item : field)))
}

describe('the wire format', () => {
  for (const message of messages) {
    it(`brings a ${message.kind} of round ${message.round} over unchanged`, () => {
      expect(open(message.bytes)).toEqual(message)
    })
  }

  it('fits a justification of 64 validators with its block into the limit', () => {
    const full = new Cast(64)
    const all = full.validators.map((_, at) => at)
    const prepared = full.certificate(0, full.block(0), all)
    const bytes = full.justified(1, 2 ** 32 - 1, all.map((at) => full.roundChange(at, 2 ** 32 - 1, prepared))).bytes
    expect(bytes.length - prepared.block.bytes.length).toBeLessThan(MAX_JUSTIFICATION_BYTES)
    expect(() => readEnvelope(bytes)).not.toThrow()
    expect(MAX_CONSENSUS_MESSAGE_BYTES).toBe(MAX_BLOCK_BYTES + MAX_JUSTIFICATION_BYTES)
  })

  it('names what is wrong with a message', () => {
    const [proposal, , prepare, commit, change] = messages as [Message, Message, Message, Message, Message]
    expect(codeOf(new Uint8Array(MAX_CONSENSUS_MESSAGE_BYTES + 1))).toBe('CONSENSUS_MESSAGE_TOO_LARGE')
    expect(codeOf(tampered(prepare, 0, Uint8Array.of(2)))).toBe('CONSENSUS_WIRE_VERSION')
    expect(codeOf(tampered(prepare, 1, Uint8Array.of(0x16)))).toBe('CONSENSUS_MESSAGE_MALFORMED')
    expect(codeOf(tampered(prepare, 1, Uint8Array.of(0x14)))).toBe('CONSENSUS_MESSAGE_MALFORMED')
    expect(codeOf(tampered(prepare, 3, new Uint8Array(5).fill(1)))).toBe('CONSENSUS_MESSAGE_MALFORMED')
    expect(codeOf(tampered(change, 3, new Uint8Array(0)))).toBe('CONSENSUS_MESSAGE_MALFORMED')
    expect(codeOf(tampered(commit, 5, new Uint8Array(64)))).toBe('CONSENSUS_MESSAGE_MALFORMED')
    expect(codeOf(tampered(prepare, 5, new Uint8Array(65)))).toBe('CONSENSUS_SIGNATURE')
    expect(codeOf(tampered(prepare, 2, Uint8Array.of(9)))).toBe('CONSENSUS_UNKNOWN_VALIDATOR')
    expect(codeOf(tampered(proposal, 4, new Uint8Array(10)))).toBe('CONSENSUS_MESSAGE_MALFORMED')
    expect(codeOf(encodeRlp([]))).toBe('CONSENSUS_MESSAGE_MALFORMED')
    expect(codeOf(new Uint8Array(0))).toBe('CONSENSUS_MESSAGE_MALFORMED')
  })

  it('gives up on a list of thousands before it looks at any signature', () => {
    const many = Array.from({ length: 5_000 }, () => [[], new Uint8Array(65)] as RlpItem[])
    expect(codeOf(tampered(messages[1]!, 5, many))).toBe('CONSENSUS_MESSAGE_MALFORMED')
    const beyond = Array.from({ length: 65 }, () => new Uint8Array(65).fill(1))
    expect(codeOf(tampered(messages[1]!, 6, beyond))).toBe('CONSENSUS_DUPLICATE_SIGNER')
  })

  it('refuses any damage to any byte, always with a code', () => {
    fc.assert(
      fc.property(fc.constantFrom(...messages), fc.nat(), fc.integer({ min: 1, max: 255 }), (message, place, flip) => {
        const bytes = new Uint8Array(message.bytes)
        const at = place % bytes.length
        bytes[at] = bytes[at]! ^ flip
        expect(codeOf(bytes)).toMatch(/^CONSENSUS_/)
      }),
      { numRuns: 300 },
    )
  })

  it('refuses random bytes and random truncations with a code', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(...messages), fc.nat(), (random, message, place) => {
        expect(codeOf(random)).toMatch(/^CONSENSUS_/)
        expect(codeOf(message.bytes.subarray(0, place % message.bytes.length))).toMatch(/^CONSENSUS_/)
      }),
      { numRuns: 200 },
    )
  })
})
