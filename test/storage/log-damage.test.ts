import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { type ConsensusLogStatus, inspectConsensusLog, openConsensusLog } from '@songhua/node/storage/consensus-log'
import { BLOCK_BYTES } from '@songhua/node/storage/consensus-log-format'
import { inspectJournal, openJournal, writeJournal } from '@songhua/node/storage/journal'
import { createTempFolders } from './temp-folder.js'

const newFolder = createTempFolders()
/** `DAMAGE_SEED=…` repeats a run. */
const SEED = Number(process.env.DAMAGE_SEED ?? Date.now() % 1_000_000)
const HEIGHT = 9
/** What is written of the log's 4 MiB; the rest are zeros that mean nothing. */
const WRITTEN_BYTES = 200_000

function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
const payload = (number: number): Uint8Array => Uint8Array.from({ length: 50 + number * 400 }, (_, at) => (number * 7 + at) & 255)
const PAYLOADS = Array.from({ length: 20 }, (_, number) => payload(number))

/** One fault: a byte, a run of noise or zeros, or the end cut off. */
function spoil(bytes: Buffer, random: (below: number) => number, reach: number): { bytes: Buffer; what: string; spansBlocks: boolean } {
  const at = random(reach)
  const length = 1 + random(6_000)
  const end = Math.min(at + length, bytes.length)
  const kind = random(4)
  const spansBlocks = (kind === 1 || kind === 2) && Math.floor(at / BLOCK_BYTES) !== Math.floor((end - 1) / BLOCK_BYTES)
  if (kind === 0) {
    bytes[at]! ^= 1 + random(255)
    return { bytes, what: `byte ${at} flipped`, spansBlocks }
  }
  if (kind === 1) return { bytes: bytes.fill(0, at, end), what: `${length} zeros at ${at}`, spansBlocks }
  if (kind === 2) return { bytes: bytes.fill(0xa7, at, end), what: `${length} bytes of noise at ${at}`, spansBlocks }
  return { bytes: bytes.subarray(0, at), what: `cut at ${at}`, spansBlocks }
}

describe('a consensus log with a fault on disk', () => {
  it(`gives back all that was promised after a fault in any one block, and after more than that, or says that it is damaged (DAMAGE_SEED=${SEED})`, async () => {
    const origin = join(await newFolder(), 'origin')
    const log = await openConsensusLog(origin, { create: true })
    await log.startEpoch(HEIGHT, PAYLOADS.slice(0, 4))
    for (const one of PAYLOADS.slice(4)) await log.append(one)
    await log.close()
    const whole = await readFile(origin)
    const random = randomOf(SEED)
    const met: Record<ConsensusLogStatus, number> = { fresh: 0, ok: 0, missing: 0, damaged: 0, foreign: 0 }
    for (let run = 0; run < 70; run++) {
      const path = join(await newFolder(), 'log')
      const { bytes, what, spansBlocks } = spoil(Buffer.from(whole), random, WRITTEN_BYTES)
      await writeFile(path, bytes)
      const found = await inspectConsensusLog(path)
      expect(bytes.equals(await readFile(path))).toBe(true)
      met[found.status]++
      // A run over several blocks is more than one fault: it may take both copies of the newest record, as a torn write does.
      const promised = spansBlocks ? [PAYLOADS, PAYLOADS.slice(0, -1)] : [PAYLOADS]
      if (found.status === 'ok') expect([what, promised]).toEqual([what, expect.arrayContaining([found.records])])
      else expect([what, found.status, spansBlocks || bytes.length < whole.length]).toEqual([what, 'damaged', true])
      if (run % 10 > 0) continue
      const opened = await openConsensusLog(path, { create: false })
      expect([what, opened.status, opened.records]).toEqual([what, found.status, found.records])
      await opened.close()
    }
    expect([met.ok > 5, met.damaged > 5, met.fresh, met.missing]).toEqual([true, true, 0, 0])
  }, 240_000)

  it('is missing for whoever only looks, and no file is made', async () => {
    const path = join(await newFolder(), 'log')
    expect(await inspectConsensusLog(path)).toEqual({ status: 'missing', records: [], owner: undefined, halves: 0 })
    await expect(readFile(path)).rejects.toThrow('ENOENT')
  })
})

describe('a journal with a fault on disk', () => {
  const includesInOrder = (found: readonly Uint8Array[]): boolean => {
    let from = 0
    return found.every((one) => {
      const at = PAYLOADS.findIndex((payload, index) => index >= from && Buffer.from(payload).equals(one))
      from = at + 1
      return at >= 0
    })
  }

  it(`gives back what can be read and nothing else, and says when something could not (DAMAGE_SEED=${SEED})`, async () => {
    const origin = join(await newFolder(), 'origin')
    const journal = await openJournal(origin)
    for (const one of PAYLOADS) await journal.append(one)
    await journal.close()
    const whole = await readFile(origin)
    const random = randomOf(SEED + 1)
    const met = { refused: 0, lost: 0 }
    for (let run = 0; run < 60; run++) {
      const path = join(await newFolder(), 'journal')
      const { bytes, what } = spoil(Buffer.from(whole), random, whole.length)
      await writeFile(path, bytes)
      const inspected = await inspectJournal(path)
      expect(bytes.equals(await readFile(path))).toBe(true)
      expect([what, includesInOrder(inspected.payloads)]).toEqual([what, true])
      try {
        const opened = await openJournal(path)
        expect([what, opened.payloads]).toEqual([what, inspected.payloads])
        const isCut = bytes.length < whole.length
        // What is cut off at a record's end leaves no trace; every other loss is told.
        if (opened.payloads.length < PAYLOADS.length && !isCut) expect([what, opened.droppedBytes > 0]).toEqual([what, true])
        if (opened.payloads.length < PAYLOADS.length) met.lost++
        await opened.close()
      } catch (error) {
        if (!(error instanceof CodedError)) throw error
        expect([what, error.code, inspected.isForeign]).toEqual([what, 'JOURNAL_FOREIGN', true])
        met.refused++
        await writeJournal(path, inspected.payloads)
        const mended = await openJournal(path)
        expect([what, mended.payloads, mended.droppedBytes]).toEqual([what, inspected.payloads, 0])
        await mended.close()
      }
    }
    expect(met.lost).toBeGreaterThan(10)
  }, 240_000)

  it('is empty for whoever only looks where there is none', async () => {
    const path = join(await newFolder(), 'journal')
    expect(await inspectJournal(path)).toEqual({ payloads: [], droppedBytes: 0, isForeign: false, isMissing: true })
    await expect(readFile(path)).rejects.toThrow('ENOENT')
  })
})
