import { describe, expect, it } from 'vitest'
import type { ProtocolSchedule } from '@songhua/node/permission/protocol-schedule'
import { aboutText, createProtocolWatch } from '@songhua/node/app/protocol-watch'
import { createHeader } from '@songhua/sdk/protocol/header-rules'
import { blockHash, blockTimeMs } from '@songhua/sdk/protocol/block-hash'
import type { Header } from '@songhua/sdk/protocol/header'
import { EMPTY_TRIE_ROOT } from '@songhua/sdk/protocol/account'
import { BLOOM_BYTES } from '@songhua/sdk/protocol/bloom'
import { EMPTY_FRONTIER, appendHash } from '@songhua/sdk/protocol/history-tree'
import { memoryLogger } from '../network/support.js'
import { councilOf, genesisOf } from '../sync/chain.js'

const HEARTBEAT_MS = 30_000
const { addresses } = councilOf([1, 2, 3, 4])

/** A chain of headers, each `stepMs` after the one before. */
function chainOf(stepMs: number) {
  const headers: Header[] = [genesisOf({ addresses, keys: new Map() })]
  const rules = { genesisHash: blockHash(headers[0]!), gasLimit: 30_000_000n, minBlockPeriodMs: 1 }
  const listeners: (() => void)[] = []
  const startMs = 1_800_000_000_000
  const chain = {
    schedule: [{ height: 0, version: 1 }] as ProtocolSchedule,
    nowMs: startMs,
    head: () => ({ header: headers.at(-1)!, blockTimeMs: headers.length === 1 ? 0 : blockTimeMs(headers.at(-1)!) }),
    protocol: () => chain.schedule,
    onBlock: (listener: () => void) => {
      listeners.push(listener)
      return () => void listeners.splice(0)
    },
    grow(blocks: number): void {
      for (let made = 0; made < blocks; made++) {
        const parent = headers.at(-1)!
        chain.nowMs += stepMs
        const roots = {
          stateRoot: parent.stateRoot, transactionsRoot: EMPTY_TRIE_ROOT, receiptsRoot: EMPTY_TRIE_ROOT,
          logsBloom: new Uint8Array(BLOOM_BYTES), gasUsed: 0n,
        }
        const { frontier } = appendHash(EMPTY_FRONTIER, blockHash(parent))
        const next = { coinbase: addresses[0]!, round: 0, blockTimeMs: chain.nowMs, nextValidators: addresses, ...roots }
        headers.push(createHeader(next, { header: parent, hash: blockHash(parent), frontier, validators: addresses }, rules))
        for (const listener of listeners) listener()
      }
    },
  }
  const { logger, lines } = memoryLogger()
  const clock = { now: () => chain.nowMs, after: () => () => undefined }
  const watch = (max = 1) => createProtocolWatch({ max, heartbeatMs: HEARTBEAT_MS }, { chain, header: (number) => headers[number], clock, logger })
  return { chain, lines, watch }
}

const schedule = (...changes: [number, number][]): ProtocolSchedule =>
  [{ height: 0, version: 1 }, ...changes.map(([height, version]) => ({ height, version }))]

describe('the watch over protocol versions', () => {
  it('warns once, as soon as a version is scheduled that the program does not know, with height and time', () => {
    const { chain, lines, watch } = chainOf(2_000)
    chain.grow(10)
    const seen = watch()
    expect(seen.status()).toEqual({ needed: 1, max: 1, ahead: undefined })
    chain.schedule = schedule([1_811, 2])
    chain.grow(1)
    expect(seen.status()).toEqual({ needed: 1, max: 1, ahead: { height: 1_811, version: 2, blocks: 1_800, inMs: 3_600_000 } })
    chain.grow(5)
    expect(lines.map(({ level, fields }) => [level, fields])).toEqual([['warn', { height: 1_811, version: 2, known: 1, blocks: 1_800, about: '1 h 0 min' }]])
  })

  it('warns at the start, and says nothing of a version that the program knows', () => {
    const { chain, lines, watch } = chainOf(2_000)
    chain.schedule = schedule([50, 2])
    chain.grow(3)
    watch(2)
    expect(lines).toEqual([])
    watch(1)
    expect(lines.map(({ level }) => level)).toEqual(['warn'])
  })

  it('needs the newer program from the block below the height on', () => {
    const { chain, watch } = chainOf(2_000)
    chain.schedule = schedule([3, 2])
    const seen = watch()
    chain.grow(1)
    expect(seen.status()).toMatchObject({ needed: 1, ahead: { height: 3, blocks: 2 } })
    chain.grow(1)
    expect(seen.status()).toEqual({ needed: 2, max: 1, ahead: undefined })
  })

  it('says that a change was called off, and warns of the next', () => {
    const { chain, lines, watch } = chainOf(2_000)
    chain.schedule = schedule([50, 2])
    watch()
    chain.schedule = schedule()
    chain.grow(2)
    chain.schedule = schedule([60, 2])
    chain.grow(2)
    expect(lines.map(({ level, fields }) => [level, fields['height']])).toEqual([['warn', 50], ['info', 50], ['warn', 60]])
  })

  it('judges by the heartbeat where there is no pace, and names a height that time has passed as due', () => {
    const { chain, watch } = chainOf(HEARTBEAT_MS * 10)
    chain.schedule = schedule([100, 2])
    const seen = watch()
    chain.grow(1)
    expect(seen.status().ahead?.inMs).toBe(99 * HEARTBEAT_MS)
    chain.nowMs += 10 ** 10
    expect(seen.status().ahead?.inMs).toBe(0)
  })

  it.each([[0, '1 min'], [719_000, '12 min'], [19_200_000, '5 h 20 min'], [183_600_000, '2 d 3 h']])('says %i ms as %s', (ms, words) => {
    expect(aboutText(ms)).toBe(words)
  })
})
