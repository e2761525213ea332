import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEthereumjsEvm } from '@songhua/node/execution/ethereumjs-evm'
import type { Evm } from '@songhua/node/execution/evm'
import { installNativeCrypto } from '@songhua/node/execution/native-crypto'
import { evaluatePoint } from './point-evaluation.js'
import { emptyTally, listStateTests, runStateTestFile } from './state-test-runner.js'

/**
 * Ethereum's own state tests (GeneralStateTests, Cancun): a sample of each category here, all of them with
 * SONGHUA_STATE_TESTS set to the unpacked folder or to the .tar.xz (about a minute).
 */
const SAMPLE = fileURLToPath(new URL('../vectors/state-tests', import.meta.url))
const FULL_SET = process.env.SONGHUA_STATE_TESTS
const FULL_SET_TIMEOUT_MS = 30 * 60_000

const folders: string[] = []

function unpack(archive: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'songhua-state-tests-'))
  folders.push(folder)
  execFileSync('tar', ['-xJf', archive, '-C', folder])
  return folder
}

function sourceFolder(): string {
  if (FULL_SET === undefined) return SAMPLE
  return FULL_SET.endsWith('.tar.xz') ? unpack(FULL_SET) : FULL_SET
}

describe('Ethereum state tests', () => {
  const source = sourceFolder()
  const categories = groupByFolder(listStateTests(source))
  let evm: Evm

  beforeAll(async () => {
    await installNativeCrypto()
    evm = await createEthereumjsEvm({ chainId: 1n, pointEvaluation: evaluatePoint })
  })

  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true })
  })

  it.each([...categories])('%s', async (_category, paths) => {
    const tally = emptyTally()
    for (const path of paths) await runStateTestFile(join(source, path), evm, tally)
    expect(tally.failures).toEqual([])
  }, FULL_SET_TIMEOUT_MS)
})

function groupByFolder(paths: string[]): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const path of paths) {
    const folder = path.slice(0, path.lastIndexOf('/'))
    groups.set(folder, [...(groups.get(folder) ?? []), path])
  }
  return groups
}
