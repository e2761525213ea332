import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Address } from '@songhua/sdk/protocol/bytes'
import { inspectConsensusLog, openConsensusLog } from '@songhua/node/storage/consensus-log'
import { BLOCK_BYTES, DATA_START } from '@songhua/node/storage/consensus-log-format'
import { createTempFolders } from './temp-folder.js'

const newFolder = createTempFolders()
const newPath = async (): Promise<string> => join(await newFolder(), 'consensus.log')
const [OURS, THEIRS] = [`0x${'11'.repeat(20)}`, `0x${'22'.repeat(20)}`] as [Address, Address]
const RECORD = Uint8Array.of(1, 2, 3)

/** Of `owner`, at height 7 with one record; of nobody as older programs wrote it. */
async function logOf(owner: Address | undefined): Promise<string> {
  const path = await newPath()
  const log = await openConsensusLog(path, { create: true, ...(owner && { owner }) })
  await log.startEpoch(7, [RECORD])
  await log.close()
  return path
}

async function look(path: string, owner?: Address): Promise<[string, Address | undefined, number]> {
  const log = await openConsensusLog(path, { create: false, ...(owner && { owner }) })
  await log.close()
  const { status, owner: found, records } = log
  expect(await inspectConsensusLog(path, owner)).toMatchObject({ status, records })
  return [status, found, records.length]
}

describe('whose consensus log it is', () => {
  it('is the key\'s that began its epoch, and to any other it tells nothing', async () => {
    const path = await logOf(OURS)
    expect(await look(path, OURS)).toEqual(['ok', OURS, 1])
    const before = await readFile(path)
    expect(await look(path, THEIRS)).toEqual(['foreign', OURS, 0])
    expect(before.equals(await readFile(path))).toBe(true)
    expect(await look(path, OURS)).toEqual(['ok', OURS, 1])
  })

  it('is bound when it is made, so that another key beside a new log does not vote at once', async () => {
    const path = await newPath()
    await (await openConsensusLog(path, { create: true, owner: OURS })).close()
    expect(await look(path, OURS)).toEqual(['fresh', OURS, 0])
    expect(await look(path, THEIRS)).toEqual(['foreign', OURS, 0])
  })

  it('of an older program names nobody, is taken as it is, and is bound with the next epoch', async () => {
    const path = await logOf(undefined)
    expect(await look(path, OURS)).toEqual(['ok', undefined, 1])
    const log = await openConsensusLog(path, { create: false, owner: OURS })
    await log.append(RECORD)
    await log.startEpoch(8, [])
    await log.close()
    expect(await look(path, OURS)).toEqual(['ok', OURS, 0])
    expect(await look(path, THEIRS)).toEqual(['foreign', OURS, 0])
  })

  it('of another key is replaced when this one begins an epoch, and takes no record before', async () => {
    const path = await logOf(OURS)
    const log = await openConsensusLog(path, { create: false, owner: THEIRS })
    await expect(log.append(RECORD)).rejects.toMatchObject({ code: 'CONSENSUS_LOG_NOT_STARTED' })
    await log.startEpoch(9, [RECORD])
    await log.close()
    expect(await look(path, THEIRS)).toEqual(['ok', THEIRS, 1])
    expect(await look(path, OURS)).toEqual(['foreign', THEIRS, 0])
  })

  it('stays when a copy is mended, of which it says how many were bad', async () => {
    const path = await logOf(OURS)
    const file = await open(path, 'r+')
    // Old generation: two copies of its mark. Then the mark of height 7, and the record.
    await file.write(Buffer.alloc(BLOCK_BYTES), 0, BLOCK_BYTES, DATA_START + 4 * BLOCK_BYTES)
    await file.close()
    expect(await inspectConsensusLog(path, OURS)).toMatchObject({ status: 'ok', halves: 1 })
    expect(await look(path)).toEqual(['ok', OURS, 1])
    expect(await inspectConsensusLog(path, THEIRS)).toMatchObject({ status: 'foreign', halves: 0 })
  })
})
