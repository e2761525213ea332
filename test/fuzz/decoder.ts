import type fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Hex, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { anyBytes, mutated, rlpEdited } from './mutations.js'
import { outcomeOf } from './outcome.js'
import { FUZZ_TIMEOUT_MS, holds } from './runs.js'

/** A pair of functions between bytes and a value. */
export interface Codec<T> {
  readonly name: string
  readonly values: fc.Arbitrary<T>
  readonly encode: (value: T) => Uint8Array
  readonly decode: (bytes: Uint8Array) => T
  /** All codes that may leave `decode`. */
  readonly codes: RegExp
  /** One value has one encoding: whatever is accepted is encoded to the same bytes again. */
  readonly isCanonical?: boolean
  /** RLP behind so many bytes; undefined when it is no RLP. */
  readonly rlpFrom?: (input: Uint8Array) => number
  /** Inputs that once did harm, and what it was. */
  readonly regressions?: readonly (readonly [was: string, input: Hex])[]
}

const RUNS = 60

/** The properties that every decoder keeps. */
export function describeCodec<T>(codec: Codec<T>): void {
  const { name, values, encode, decode, codes, rlpFrom } = codec
  const valid = values.map(encode)
  /** Whatever is accepted is read the same again after another turn. */
  const check = (input: Uint8Array): void => {
    const outcome = outcomeOf(codes, () => decode(input))
    if ('code' in outcome) return
    const again = encode(outcome.value)
    if (codec.isCanonical === true) expect(again).toEqual(plain(input))
    else expect(decode(again)).toEqual(outcome.value)
  }
  describe(name, { timeout: FUZZ_TIMEOUT_MS }, () => {
    it('brings every value back', () => {
      holds(values, RUNS, (value) => expect(decode(encode(value))).toEqual(value))
    })
    it('reads mutated bytes as a value, or refuses them by a code of its own', () => {
      holds(mutated(valid), RUNS * 2, check)
    })
    if (rlpFrom !== undefined) {
      it('reads edited fields as a value, or refuses them by a code of its own', () => {
        holds(rlpEdited(valid, rlpFrom), RUNS * 2, check)
      })
    }
    it('reads any bytes as a value, or refuses them by a code of its own', () => {
      holds(anyBytes, RUNS, check)
    })
    for (const [was, input] of codec.regressions ?? []) it(`keeps what was mended: ${was}`, () => check(hexToBytes(input)))
  })
}

const plain = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes)
