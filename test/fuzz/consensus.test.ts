import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { bytesToHex, concatBytes, hexToBytes, type Hex } from '@songhua/sdk/protocol/bytes'
import { decodeBlock } from '@songhua/sdk/protocol/block'
import { authenticate, readEnvelope } from '@songhua/node/consensus/envelope'
import type { Message } from '@songhua/node/consensus/messages'
import { openMessage } from '@songhua/node/consensus/open-message'
import type { SafetyRecord } from '@songhua/node/consensus/safety-record'
import {
  countingGeneration, decodeFileHeader, encodeFileHeader, encodeRecord as encodeLogRecord, findRecords,
} from '@songhua/node/storage/consensus-log-format'
import { installNativeCrypto } from '@songhua/node/execution/native-crypto'
import { createFrameReader, writeFrameHeader } from '@songhua/node/network/frame'
import { encodeBlockEntry, encodeMark, encodeRecord, readSafetyLog } from '@songhua/node/signer/safety-log'
import { recoverSafety } from '@songhua/node/signer/recovery'
import { Script } from '../consensus/scripted.js'
import * as any from './arbitraries.js'
import { anyBytes, mutated, rlpEdited } from './mutations.js'
import { outcomeOf } from './outcome.js'
import { FUZZ_TIMEOUT_MS, holds } from './runs.js'

beforeAll(async () => {
  await installNativeCrypto()
})

const script = new Script()
const { cast, reader } = script
const block = cast.block(0)
const certificate = cast.certificate(0, block, [0, 1, 2])
const changes = [cast.roundChange(0, 1, certificate), cast.roundChange(1, 1), cast.roundChange(2, 1)]
const good: Message[] = [
  cast.proposal(0, 0, block),
  cast.justified(1, 1, changes),
  cast.justified(1, 1, [1, 2, 3].map((who) => cast.roundChange(who, 1)), cast.block(1)),
  cast.prepare(1, 0, block),
  cast.commit(2, 3, block),
  ...changes.slice(0, 2),
]
const valid = fc.constantFrom(...good.map(({ bytes }) => bytes))
const CODES = /^CONSENSUS_/
const open = (bytes: Uint8Array): Message => openMessage(authenticate(readEnvelope(bytes), reader), reader)

/** Inputs that once did harm, and what it was. */
const REGRESSIONS: readonly (readonly [was: string, input: Hex])[] = []

/** Whatever opens says what one of the keys signed: nobody on the way can change its sense. */
function opensAsSigned(bytes: Uint8Array): void {
  const outcome = outcomeOf(CODES, () => open(bytes))
  if ('code' in outcome) return
  const { kind, height, round, author, signature } = outcome.value
  const same = good.find((one) => bytesToHex(one.signature) === bytesToHex(signature))
  expect({ kind, height, round, author }).toEqual(same && { kind: same.kind, height: same.height, round: same.round, author: same.author })
}

describe('a message of consensus', { timeout: FUZZ_TIMEOUT_MS }, () => {
  it('opens as it was signed, or not at all, when its bytes are changed', () => {
    holds(mutated(valid), 300, opensAsSigned)
  })

  it('opens as it was signed, or not at all, when its fields are changed', () => {
    holds(rlpEdited(valid), 400, opensAsSigned)
  })

  it('of anything does not open', () => {
    holds(anyBytes, 150, (bytes) => expect(outcomeOf(CODES, () => open(bytes))).toHaveProperty('code'))
  })

  it('under a key of no validator does not open, whatever it says', () => {
    const forged = fc.tuple(valid, any.signature)
    holds(forged, 150, ([bytes, signature]) => {
      const message = concatBytes(bytes.subarray(0, -65), signature)
      expect(outcomeOf(CODES, () => open(message))).toHaveProperty('code')
    })
  })

  it.each(REGRESSIONS)('keeps what was mended: %s', (_, input) => opensAsSigned(hexToBytes(input)))
})

// ------------------------------------------------------------------------------------------------------- safety log

const records: SafetyRecord[] = [
  { height: cast.height, round: 0, step: 'prepare', block, certificate: undefined },
  { height: cast.height, round: 0, step: 'commit', block, certificate },
  { height: cast.height, round: 2, step: 'roundChange', block: undefined, certificate },
]
const entries = [encodeMark({ height: cast.height, isSilent: false }), encodeBlockEntry(block), ...records.map(encodeRecord)]
const readLog = (payloads: readonly Uint8Array[]) => readSafetyLog(payloads, (bytes) => decodeBlock(bytes))
const LOG_CODES = /^(SIGNER_LOG_UNREADABLE|RLP_|BLOCK_|EXTRA_DATA_|INTEGER_RANGE)/

describe('the entries of the consensus log', { timeout: FUZZ_TIMEOUT_MS }, () => {
  it('come back as they were written', () => {
    expect(readLog(entries)).toEqual({ mark: { height: cast.height, isSilent: false }, record: records.at(-1) })
  })

  const spoilt = fc
    .tuple(fc.nat(entries.length - 1), fc.oneof(fc.constant('bytes'), fc.constant('fields')), fc.nat(4))
    .chain(([place, how, kept]) => {
      const entry = fc.constant(entries[place]!)
      const other = how === 'bytes' ? mutated(entry) : rlpEdited(entry)
      return other.map((bytes) => [...entries.slice(0, place), bytes, ...entries.slice(place + 1, entries.length - kept)])
    })

  it('that were changed are read, or refused by a code', () => {
    holds(spoilt, 200, (payloads) => void outcomeOf(LOG_CODES, () => readLog(payloads)))
  })

  it('that cannot be read keep the validator silent', () => {
    holds(spoilt, 200, (payloads) => {
      const read = outcomeOf(LOG_CODES, () => readLog(payloads))
      const found = { log: { status: 'ok' as const, records: payloads }, headNumber: cast.height - 1, decodeBlock: (bytes: Uint8Array) => decodeBlock(bytes) }
      const recovery = recoverSafety(found)
      if ('code' in read) expect(recovery).toMatchObject({ silence: expect.any(String) as string, record: undefined })
      else if (recovery.silence === undefined) expect(read.value.mark?.height).toBeOneOf([cast.height - 1, cast.height])
    })
  })
})

// --------------------------------------------------------------------------------------------------------- log file

/** What a log file gives back; undefined is damage, which keeps the validator silent. */
function readFile(bytes: Uint8Array): string[] | undefined {
  const file = Buffer.from(bytes)
  const header = decodeFileHeader(file)
  const counting = header && countingGeneration(findRecords(header.key, file))
  return counting?.payloads.map((payload) => bytesToHex(payload))
}

describe('the file of the consensus log', { timeout: FUZZ_TIMEOUT_MS }, () => {
  const images = fc.tuple(any.bytesOf(32), fc.array(any.bytesUpTo(6_000), { minLength: 1, maxLength: 4 })).map(([key, payloads]) => {
    const records = [new Uint8Array(0), ...payloads].map((payload, sequence) =>
      encodeLogRecord(key, { generation: 3, height: 9, sequence, setSize: payloads.length, groupStart: 0, payload }))
    return { payloads: payloads.map(bytesToHex), image: concatBytes(encodeFileHeader(key), ...records) }
  })

  it('gives back what was written, also after one change of any byte', () => {
    holds(fc.tuple(images, fc.nat(), fc.integer({ min: 1, max: 255 })), 80, ([{ payloads, image }, place, change]) => {
      expect(readFile(image)).toEqual(payloads)
      const at = place % image.length
      expect(readFile(image.map((byte, index) => (index === at ? byte ^ change : byte)))).toEqual(payloads)
    })
  })

  it('gives back what was written, or counts as damaged, whatever is done to it: never less, never another thing', () => {
    const spoilt = images.chain(({ payloads, image }) => mutated(fc.constant(image)).map((bytes) => ({ payloads, bytes })))
    holds(spoilt, 80, ({ payloads, bytes }) => expect([undefined, payloads]).toContainEqual(readFile(bytes)))
    holds(anyBytes, 60, (bytes) => expect(readFile(bytes)).toBeUndefined())
  })
})

// ------------------------------------------------------------------------------------------------------------ frames

const framesToBytes = (payloads: readonly Uint8Array[]): Uint8Array =>
  concatBytes(...payloads.flatMap((payload) => {
    const header = new Uint8Array(4)
    writeFrameHeader(header, 0, payload.length)
    return [header, payload]
  }))

/** The stream in pieces as a socket may give them. */
function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let at = 0, each = 0; at < bytes.length; each++) {
    const size = Math.max(1, sizes[each % sizes.length] ?? 1)
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

function readFrames(pieces: readonly Uint8Array[], payloadBytesMax = 1_000): Uint8Array[] {
  const frames = createFrameReader(payloadBytesMax)
  const found: Uint8Array[] = []
  for (const piece of pieces) {
    frames.push(piece)
    for (let payload = frames.next(); payload !== undefined; payload = frames.next()) found.push(payload)
  }
  return found
}

describe('the frames of a stream', { timeout: FUZZ_TIMEOUT_MS }, () => {
  const payloads = fc.array(any.bytesUpTo(300).filter(({ length }) => length > 0), { maxLength: 8 })
  const sizes = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 6 })

  it('come whole and in order, however the stream is cut', () => {
    holds(fc.tuple(payloads, sizes), 150, ([sent, pieces]) => {
      expect(readFrames(cut(framesToBytes(sent), pieces))).toEqual(sent)
    })
  })

  it('are the same for every way of cutting, or refused by a code, whatever the bytes are', () => {
    const stream = fc.oneof(mutated(payloads.map(framesToBytes)), anyBytes)
    holds(fc.tuple(stream, sizes), 250, ([bytes, pieces]) => {
      const read = (how: Uint8Array[]) => outcomeOf(/^FRAME_(TOO_LARGE|EMPTY)$/, () => readFrames(how))
      expect(read(cut(bytes, pieces))).toEqual(read(cut(bytes, [1])))
    })
  })
})
