import { describe, expect, it } from 'vitest'
import type { Address } from '@songhua/sdk/protocol/bytes'
import type { Header } from '@songhua/sdk/protocol/header'
import { type AdmissionParts, followAdmission } from '@songhua/node/app/admission'
import { emptyStateDiff } from '@songhua/node/trie/state'
import { memoryLogger, sleep } from '../network/support.js'

const CONTRACT: Address = `0x${'22'.repeat(20)}`
type Block = Parameters<Parameters<AdmissionParts['chain']['onBlock']>[0]>[0]

/** The list is read when a test lets the reading end. */
function follow() {
  const readings: { block: number; end: (changed: boolean) => void; fail: (error: Error) => void }[] = []
  const events: string[] = []
  const { logger, lines } = memoryLogger()
  let tell: (block: Block) => void = () => undefined
  followAdmission({
    chain: { onBlock: (listener) => ((tell = listener), () => undefined) },
    membershipContract: CONTRACT,
    admission: { refresh: ({ number }: Header) => new Promise((end, fail) => void readings.push({ block: number, end, fail })) },
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
    readings[0]!.end(true)
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
    readings[0]!.end(false)
    await sleep(1)
    expect(readings.map((one) => one.block)).toEqual([1, 4])
    // Peers are not judged by a list that is being replaced.
    expect(events).toEqual([])
    readings[1]!.end(true)
    await sleep(1)
    expect(events).toEqual(['list', 'peers'])
  })

  it('goes on after a reading that failed', async () => {
    const { readings, events, lines, block } = follow()
    block(1, true)
    readings[0]!.fail(new Error('a disk'))
    await sleep(1)
    expect(lines.map(({ level }) => level)).toEqual(['error'])
    expect(events).toEqual(['peers'])
    block(2, true)
    expect(readings.map((one) => one.block)).toEqual([1, 2])
  })
})
