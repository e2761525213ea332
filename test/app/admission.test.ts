import { describe, expect, it } from 'vitest'
import type { Address } from '@songhua/sdk/protocol/bytes'
import type { Header } from '@songhua/sdk/protocol/header'
import { type AdmissionParts, type ListReading, followAdmission } from '@songhua/node/app/admission'
import { emptyStateDiff } from '@songhua/node/trie/state'
import { memoryLogger, sleep } from '../network/support.js'

const CONTRACT: Address = `0x${'22'.repeat(20)}`
type Block = Parameters<Parameters<AdmissionParts['chain']['onBlock']>[0]>[0]

/** The list is read when a test lets the reading end. */
function follow(first: ListReading = 'same') {
  const readings: { block: number; end: (reading: ListReading) => void; fail: (error: Error) => void }[] = []
  const events: string[] = []
  const { logger, lines } = memoryLogger()
  let tell: (block: Block) => void = () => undefined
  followAdmission({
    chain: { onBlock: (listener) => ((tell = listener), () => undefined) },
    membershipContract: CONTRACT,
    admission: { refresh: ({ number }: Header) => new Promise((end, fail) => void readings.push({ block: number, end, fail })) },
    first,
    network: { recheckAdmission: () => void events.push('list'), recheckPeers: () => void events.push('peers') },
    logger,
  })
  const block = (number: number, touches: boolean): void => {
    const diff = emptyStateDiff()
    if (touches) diff.accounts.set(CONTRACT, null)
    tell({ head: { header: { number } }, diff } as unknown as Block)
  }
  return { readings, events, lines, block }
}

describe('following the list of nodes', () => {
  it('judges the peers with each block, and reads the list only after one that touched the contract', async () => {
    const { readings, events, block } = follow()
    block(1, false)
    block(2, true)
    expect([readings.map((one) => one.block), events]).toEqual([[2], ['peers']])
    readings[0]!.end('changed')
    await sleep(1)
    expect(events).toEqual(['peers', 'list', 'peers'])
    block(3, false)
    expect(events.at(-1)).toBe('peers')
    expect(readings).toHaveLength(1)
  })

  it('never lets an older answer come after a newer one, and skips what is newer already', async () => {
    const { readings, events, block } = follow()
    for (const number of [1, 2, 3, 4]) block(number, true)
    expect(readings.map((one) => one.block)).toEqual([1])
    readings[0]!.end('same')
    await sleep(1)
    expect(readings.map((one) => one.block)).toEqual([1, 4])
    // Peers are not judged by a list that is being replaced.
    expect(events).toEqual([])
    readings[1]!.end('changed')
    await sleep(1)
    expect(events).toEqual(['list', 'peers'])
  })

  it('reads the list again with the next block when it could not be read, until it could', async () => {
    const { readings, events, lines, block } = follow()
    block(1, true)
    readings[0]!.fail(new Error('a disk'))
    await sleep(1)
    expect(lines.map(({ level }) => level)).toEqual(['error'])
    expect(events).toEqual(['peers'])
    // Block 2 changes nothing of the list, nor does block 3: what block 1 said is still to be heard.
    block(2, false)
    readings[1]!.end('unread')
    await sleep(1)
    block(3, false)
    readings[2]!.end('changed')
    await sleep(1)
    expect(readings.map((one) => one.block)).toEqual([1, 2, 3])
    expect(events).toEqual(['peers', 'peers', 'list', 'peers'])
    block(4, false)
    expect(readings).toHaveLength(3)
  })

  it('reads the newest block when the list could not be read and blocks came meanwhile', async () => {
    const { readings, block } = follow()
    block(1, true)
    block(2, true)
    readings[0]!.end('unread')
    await sleep(1)
    readings[1]!.end('same')
    await sleep(1)
    block(3, false)
    expect(readings.map((one) => one.block)).toEqual([1, 2])
  })

  it('reads the list with the first block when it could not be read at the start', () => {
    const { readings, block } = follow('unread')
    block(8, false)
    expect(readings.map((one) => one.block)).toEqual([8])
  })
})
