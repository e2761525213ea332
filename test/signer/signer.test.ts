import { describe, expect, it } from 'vitest'
import { decodeBlock } from '@songhua/sdk/protocol/block'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import { NO_JUSTIFICATION } from '@songhua/node/consensus/justification'
import type { Intent, PreparedCertificate, ProposedBlock } from '@songhua/node/consensus/messages'
import type { SafetyRecord, Step } from '@songhua/node/consensus/safety-record'
import { type FoundLog, recoverSafety } from '@songhua/node/signer/recovery'
import { encodeMark, encodeRecord } from '@songhua/node/signer/safety-log'
import { createValidatorSigner } from '@songhua/node/signer/signer'
import { Cast, transaction } from '../consensus/fixture.js'
import { MemoryLog } from './memory-log.js'

const cast = new Cast(4)
const block = cast.block(0)
const other = cast.block(0, { transactions: [transaction(1)] })
const certificate = cast.certificate(0, block, [0, 1, 2])

const record = (round: number, step: Step, of?: ProposedBlock, kept?: PreparedCertificate): SafetyRecord => ({
  height: 2, round, step, block: of, certificate: kept,
})
const prepare = (round: number, { digest }: ProposedBlock): Intent => ({ kind: 'prepare', height: 2, round, digest })
const commit = (round: number, of: ProposedBlock, header = of.block.header): Intent => ({
  kind: 'commit', height: 2, round, digest: of.digest, header,
})
const roundChange = (round: number, prepared?: PreparedCertificate): Intent => ({
  kind: 'roundChange', height: 2, round, prepared,
})

const recover = (log: FoundLog, headNumber = 1) =>
  recoverSafety({ log, headNumber, decodeBlock: (bytes) => decodeBlock(bytes) })

async function signerAt(height: number, log = new MemoryLog()) {
  const signer = createValidatorSigner({ privateKey: cast.keyOf(3), recovery: { silence: undefined, record: undefined } }, log)
  await signer.startHeight(height, { isSilent: false })
  return {
    log,
    startHeight: (next: number, options: { isSilent: boolean }) => signer.startHeight(next, options),
    persist: (step: SafetyRecord) => signer.persist(step),
    say: (intent: Intent) => signer.sign(intent, cast.domain),
  }
}

function codeOf(run: () => unknown): string | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    if (isCodedError(error)) return error.code
    throw error
  }
}

describe('the signer', () => {
  it('signs nothing before it is on disk, not even while it is being written', async () => {
    const { say, persist } = await signerAt(2)
    expect(codeOf(() => say(prepare(0, block)))).toBe('SIGNER_NOT_PERSISTED')
    const writing = persist(record(0, 'prepare', block))
    expect(codeOf(() => say(prepare(0, block)))).toBe('SIGNER_NOT_PERSISTED')
    await writing
    expect(say(prepare(0, block))).toMatchObject({ kind: 'prepare', author: cast.validators[3] })
    expect(codeOf(() => say(commit(0, block)))).toBe('SIGNER_NOT_PERSISTED')
    expect(codeOf(() => say(prepare(1, block)))).toBe('SIGNER_NOT_PERSISTED')
  })

  it('gives the same bytes for the same intent', async () => {
    const { say, persist } = await signerAt(2)
    await persist(record(0, 'prepare', block))
    const proposal: Intent = { kind: 'proposal', height: 2, round: 0, block, justification: NO_JUSTIFICATION }
    await persist(record(0, 'commit', block, certificate))
    for (const intent of [proposal, prepare(0, block), commit(0, block)]) {
      expect(say(intent).bytes).toEqual(say(intent).bytes)
    }
  })

  it('signs for one block in a round and no other', async () => {
    const { say, persist } = await signerAt(2)
    await persist(record(0, 'prepare', block))
    expect(codeOf(() => say(prepare(0, other)))).toBe('SIGNER_CONFLICT')
    const proposal: Intent = { kind: 'proposal', height: 2, round: 0, block: other, justification: NO_JUSTIFICATION }
    expect(codeOf(() => say(proposal))).toBe('SIGNER_CONFLICT')
    await expect(persist(record(0, 'commit', other, certificate))).rejects.toMatchObject({ code: 'SIGNER_REGRESSION' })
    await expect(persist(record(0, 'prepare', other))).rejects.toMatchObject({ code: 'SIGNER_REGRESSION' })
  })

  it('makes a commit seal over the header of that very block only', async () => {
    const { say, persist } = await signerAt(2)
    await persist(record(0, 'prepare', block))
    await persist(record(0, 'commit', block, certificate))
    expect(codeOf(() => say(commit(0, block, other.block.header)))).toBe('SIGNER_CONFLICT')
    expect(say(commit(0, block))).toMatchObject({ seal: cast.commit(3, 0, block).seal })
  })

  it('never goes back: not to a lower height, round or step', async () => {
    const { say, persist, startHeight } = await signerAt(2)
    await persist(record(0, 'prepare', block))
    await persist(record(1, 'roundChange', undefined, certificate))
    expect(codeOf(() => say(prepare(0, block)))).toBe('SIGNER_REGRESSION')
    await expect(persist(record(0, 'commit', block, certificate))).rejects.toMatchObject({ code: 'SIGNER_REGRESSION' })
    await persist(record(1, 'prepare', block, certificate))
    expect(codeOf(() => say(roundChange(1, certificate)))).toBe('SIGNER_REGRESSION')
    await startHeight(3, { isSilent: false })
    expect(codeOf(() => say(prepare(1, block)))).toBe('SIGNER_NOT_PERSISTED')
    await expect(persist(record(2, 'prepare', block))).rejects.toMatchObject({ code: 'SIGNER_REGRESSION' })
    await expect(startHeight(2, { isSilent: false })).rejects.toMatchObject({ code: 'SIGNER_REGRESSION' })
  })

  it('sends no round change that hides or changes the certificate of its record', async () => {
    const { say, persist } = await signerAt(2)
    await persist(record(1, 'roundChange', undefined, certificate))
    expect(codeOf(() => say(roundChange(1)))).toBe('SIGNER_CONFLICT')
    const another = cast.certificate(0, other, [0, 1, 2])
    expect(codeOf(() => say(roundChange(1, another)))).toBe('SIGNER_CONFLICT')
    expect(say(roundChange(1, certificate))).toMatchObject({ prepared: { digest: block.digest } })
  })

  it('signs nothing while it keeps silent', async () => {
    const { say, persist, startHeight } = await signerAt(2)
    await startHeight(3, { isSilent: true })
    await expect(persist({ ...record(0, 'prepare', block), height: 3 })).rejects.toMatchObject({ code: 'SIGNER_SILENT' })
    expect(codeOf(() => say(prepare(0, block)))).toBe('SIGNER_SILENT')
  })

  it('begins a full log anew with what still counts', async () => {
    const { say, persist, log } = await signerAt(2)
    await persist(record(0, 'prepare', block))
    await persist(record(0, 'commit', block, certificate))
    log.isFull = true
    const last = record(1, 'roundChange', undefined, certificate)
    await persist(last)
    expect(recover(log.found)).toEqual({ silence: undefined, record: last })
    expect(say(roundChange(1, certificate)).kind).toBe('roundChange')
  })

  it('writes each block once for an epoch, and once more when the epoch began anew without it', async () => {
    const { persist, log } = await signerAt(2)
    await persist(record(0, 'prepare', block))
    await persist(record(0, 'commit', block, certificate))
    const bodies = (): number => log.records.filter((entry) => entry.length > block.bytes.length).length
    expect(bodies()).toBe(1)
    log.isFull = true
    await persist(record(1, 'roundChange'))
    expect(bodies()).toBe(0)
    const last = record(1, 'prepare', block)
    await persist(last)
    expect(recover(log.found)).toEqual({ silence: undefined, record: last })
  })

  it('goes on after a restart without writing again what the log holds', async () => {
    const before = await signerAt(2)
    await before.persist(record(0, 'prepare', block))
    const entries = before.log.records.length
    const after = createValidatorSigner({ privateKey: cast.keyOf(3), recovery: recover(before.log.found) }, before.log)
    await after.startHeight(2, { isSilent: false })
    await after.persist(record(0, 'commit', block, certificate))
    expect(before.log.records).toHaveLength(entries + 1)
    expect(recover(before.log.found).record?.step).toBe('commit')
  })

  it('does not sign what it failed to write', async () => {
    const log = new MemoryLog()
    const { say, persist } = await signerAt(2, log)
    log.append = () => Promise.reject(new Error('no space'))
    await expect(persist(record(0, 'prepare', block))).rejects.toThrow('no space')
    expect(codeOf(() => say(prepare(0, block)))).toBe('SIGNER_NOT_PERSISTED')
  })
})

describe('after a restart', () => {
  it('the record is read back whole, at every step', async () => {
    const { persist, log } = await signerAt(2)
    const life = [
      record(0, 'prepare', block),
      record(0, 'commit', block, certificate),
      record(1, 'roundChange', undefined, certificate),
      record(1, 'prepare', other, certificate),
    ]
    for (const step of life) {
      await persist(step)
      expect(recover(log.found)).toEqual({ silence: undefined, record: step })
    }
  })

  it('the signer is bound by what it finds, and says the same again', async () => {
    const before = await signerAt(2)
    await before.persist(record(0, 'prepare', block))
    const said = before.say(prepare(0, block))
    const recovery = recover(before.log.found)
    const after = createValidatorSigner({ privateKey: cast.keyOf(3), recovery }, before.log)
    await after.startHeight(2, { isSilent: false })
    expect(after.sign(prepare(0, block), cast.domain).bytes).toEqual(said.bytes)
    expect(codeOf(() => after.sign(prepare(0, other), cast.domain))).toBe('SIGNER_CONFLICT')
    // The entries are still there for the next restart.
    expect(recover(before.log.found).record).toEqual(record(0, 'prepare', block))
  })

  it('a record of a height that is final by now is past', async () => {
    const { persist, log } = await signerAt(2)
    await persist(record(0, 'prepare', block))
    expect(recover(log.found, 2)).toEqual({ silence: undefined, record: undefined })
  })
})

describe('DESIGN, Amnesia: when a validator must keep silent', () => {
  const mark = (height: number, isSilent = false) => encodeMark({ height, isSilent })
  const cases: [string, FoundLog, number, RegExp | undefined][] = [
    ['a new data folder may vote', { status: 'fresh', records: [] }, 0, undefined],
    ['an empty log beside a store with blocks', { status: 'fresh', records: [] }, 7, /fresh/],
    ['no log', { status: 'missing', records: [] }, 0, /missing/],
    ['the log of another key', { status: 'foreign', records: [], owner: `0x${'44'.repeat(20)}` }, 0, /of another key, that of 0x4444/],
    ['a damaged log', { status: 'damaged', records: [] }, 7, /damaged/],
    ['a log at the height of the store’s next block may vote', { status: 'ok', records: [mark(8)] }, 7, undefined],
    ['a log at the head, as after a crash between import and mark, may vote', { status: 'ok', records: [mark(7)] }, 7, undefined],
    ['a log below its store is an old copy', { status: 'ok', records: [mark(6)] }, 7, /old copy/],
    ['a store below its log is an old copy', { status: 'ok', records: [mark(9)] }, 7, /old copy/],
    ['a log lost before', { status: 'ok', records: [mark(8, true)] }, 7, /lost before/],
    ['a log of unknown entries', { status: 'ok', records: [mark(8), Uint8Array.of(0xc1, 9)] }, 7, /unreadable/],
    ['a log without a height', { status: 'ok', records: [] }, 7, /no height/],
    [
      'a record whose block is not there',
      { status: 'ok', records: [mark(2), encodeRecord(record(0, 'prepare', block))] },
      1,
      /does not hold it/,
    ],
  ]
  for (const [what, log, headNumber, reason] of cases) {
    it(what, () => {
      const { silence, record: found } = recover(log, headNumber)
      if (reason === undefined) expect(silence).toBeUndefined()
      else expect(silence).toMatch(reason)
      expect(found).toBeUndefined()
    })
  }
})
