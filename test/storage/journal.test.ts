import { open, readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { JOURNAL_RECORD_BYTES_MAX, type Journal, openJournal } from '@songhua/node/storage/journal'
import { createTempFolders } from './temp-folder.js'

const code = (value: string): Error => expect.objectContaining({ code: value }) as Error
const newFolder = createTempFolders()
const newPath = async (): Promise<string> => join(await newFolder(), 'journal')
const textOf = (payload: Uint8Array): string => Buffer.from(payload).toString('latin1')
const payloadOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'))

async function look(path: string): Promise<{ texts: string[]; droppedBytes: number }> {
  const journal = await openJournal(path)
  await journal.close()
  return { texts: journal.payloads.map(textOf), droppedBytes: journal.droppedBytes }
}

async function journalWith(...texts: string[]): Promise<string> {
  const path = await newPath()
  const journal = await openJournal(path)
  for (const text of texts) await journal.append(payloadOf(text))
  await journal.close()
  return path
}

async function appendAll(journal: Journal, texts: string[]): Promise<void> {
  await Promise.all(texts.map((text) => journal.append(payloadOf(text))))
}

describe('journal', () => {
  it('begins empty and keeps what is appended, in order, over many openings', async () => {
    const path = await newPath()
    expect(await look(path)).toEqual({ texts: [], droppedBytes: 0 })
    const expected: string[] = []
    for (let opening = 0; opening < 4; opening++) {
      const journal = await openJournal(path)
      const texts = Array.from({ length: 50 }, (_, index) => `${opening}-${index}`.repeat(index))
      await appendAll(journal, texts)
      expected.push(...texts)
      await journal.close()
      expect(journal.sizeBytes()).toBe((await readFile(path)).length)
      expect(await look(path)).toEqual({ texts: expected, droppedBytes: 0 })
    }
  })

  it('has on disk what it has acknowledged', async () => {
    const path = await newPath()
    const journal = await openJournal(path)
    await journal.append(payloadOf('one'))
    const copy = await newPath()
    await writeFile(copy, await readFile(path))
    expect((await look(copy)).texts).toEqual(['one'])
    await journal.close()
  })

  it('lets appends that wait share a sync', async () => {
    const path = await newPath()
    const journal = await openJournal(path)
    const handle = await open(path)
    const spy = vi.spyOn(Object.getPrototypeOf(handle) as typeof handle, 'datasync')
    await handle.close()
    await appendAll(journal, Array.from({ length: 500 }, String))
    expect(spy.mock.calls.length).toBeLessThanOrEqual(2)
    spy.mockRestore()
    await journal.close()
    expect((await look(path)).texts).toEqual(Array.from({ length: 500 }, String))
  })
})

describe('journal compaction', () => {
  it('keeps what is live and what is appended around it', async () => {
    const path = await journalWith(...Array.from({ length: 200 }, (_, index) => `old ${index}`))
    const journal = await openJournal(path)
    const live = new Set(['old 3', 'old 7'])
    const before = journal.append(payloadOf('before')).then(() => live.add('never asked again'))
    live.add('before')
    const compacting = journal.compact(() => [...live].map(payloadOf))
    await Promise.all([before, compacting, journal.append(payloadOf('after'))])
    await journal.append(payloadOf('later'))
    const size = journal.sizeBytes()
    await journal.close()
    expect(size).toBe((await readFile(path)).length)
    expect(await look(path)).toEqual({ texts: ['old 3', 'old 7', 'before', 'after', 'later'], droppedBytes: 0 })
    expect(await readdir(join(path, '..'))).toEqual(['journal'])
  })

  it('writes more than fits into one chunk', async () => {
    const path = await newPath()
    const journal = await openJournal(path)
    const texts = Array.from({ length: 30 }, (_, index) => String(index).repeat(50_000))
    await journal.compact(() => texts.map(payloadOf))
    await journal.append(payloadOf('end'))
    await journal.close()
    expect((await look(path)).texts).toEqual([...texts, 'end'])
  })

  it('takes what is live at one moment, however long the writing takes', async () => {
    const path = await newPath()
    const journal = await openJournal(path)
    const live = Array.from({ length: 30 }, (_, index) => String(index % 10).repeat(100_000))
    const expected = [...live]
    const compacting = journal.compact(function* () {
      for (const text of live) yield payloadOf(text)
    })
    const emptying = setInterval(() => live.splice(0, 1), 0)
    await compacting
    clearInterval(emptying)
    await journal.close()
    expect((await look(path)).texts).toEqual(expected)
  })

  it('leaves the old journal when it is interrupted', async () => {
    const path = await journalWith('one', 'two')
    await writeFile(`${path}.new`, 'half a file')
    expect((await look(path)).texts).toEqual(['one', 'two'])
    const journal = await openJournal(path)
    await journal.compact(() => [payloadOf('two')])
    await journal.close()
    expect((await look(path)).texts).toEqual(['two'])
  })
})

describe('journal after a crash', () => {
  it('drops a torn end, whatever its length, and appends behind what is whole', async () => {
    const image = await readFile(await journalWith('one', 'two', 'three'))
    const whole = image.length - 12 - 'three'.length
    for (let length = whole; length < image.length; length++) {
      const path = await newPath()
      await writeFile(path, image.subarray(0, length))
      expect(await look(path)).toEqual({ texts: ['one', 'two'], droppedBytes: length - whole })
      const journal = await openJournal(path)
      await journal.append(payloadOf('four'))
      await journal.close()
      expect(await look(path)).toEqual({ texts: ['one', 'two', 'four'], droppedBytes: 0 })
    }
  })

  it('loses one record at most to one flipped bit', async () => {
    const texts = ['first', 'second one', 'x'.repeat(300), '', 'last']
    const image = await readFile(await journalWith(...texts))
    const path = await newPath()
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 18 * 8, max: image.length * 8 - 1 }), async (bit) => {
        const flipped = Buffer.from(image)
        flipped[bit >> 3]! ^= 1 << (bit & 7)
        await writeFile(path, flipped)
        const { texts: left, droppedBytes } = await look(path)
        expect(left.length).toBe(texts.length - 1)
        expect(texts.filter((text) => left.includes(text))).toEqual(left)
        expect(droppedBytes).toBeGreaterThan(0)
      }),
      { numRuns: 150 },
    )
  })
})

describe('journal refuses', () => {
  it.each([
    ['another file', 'some text'],
    ['an empty file', ''],
    ['another version', 'songhua-journal\n2\n'],
  ])('%s', async (_name, text) => {
    const path = await newPath()
    await writeFile(path, text)
    await expect(openJournal(path)).rejects.toThrow(code('JOURNAL_FOREIGN'))
    expect(await readFile(path, 'latin1')).toBe(text)
  })

  it('a folder', async () => {
    await expect(openJournal(await newFolder())).rejects.toThrow(code('JOURNAL_IO'))
  })

  it('a record that is too large', async () => {
    const journal = await openJournal(await newPath())
    const large = new Uint8Array(JOURNAL_RECORD_BYTES_MAX + 1)
    await expect(journal.append(large)).rejects.toThrow(code('JOURNAL_RECORD_SIZE'))
    await journal.close()
  })

  it('everything after a write has failed', async () => {
    const path = await journalWith('one')
    const journal = await openJournal(path)
    const handle = await open(path)
    const spy = vi.spyOn(Object.getPrototypeOf(handle) as typeof handle, 'write')
    await handle.close()
    spy.mockRejectedValueOnce(new Error('ENOSPC: no space left on device, write'))
    await expect(journal.append(payloadOf('two'))).rejects.toThrow(/no space left/)
    spy.mockRestore()
    await expect(journal.append(payloadOf('three'))).rejects.toThrow(code('JOURNAL_IO'))
    await expect(journal.compact(() => [])).rejects.toThrow(code('JOURNAL_IO'))
    await journal.close()
    expect((await look(path)).texts).toEqual(['one'])
  })
})
