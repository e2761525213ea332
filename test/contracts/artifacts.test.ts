import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const BUILD = fileURLToPath(new URL('../../contracts/build.mjs', import.meta.url))
const GENERATED = fileURLToPath(new URL('../../contracts/src/generated', import.meta.url))

/** The compiler takes 20 s of a quiet core, through its IR pipeline. */
const COMPILE_TIMEOUT_MS = 300_000

function check(folder: string): { status: number | null; stderr: string } {
  const { status, stderr } = spawnSync(process.execPath, [BUILD, '--check', '--out', folder], { encoding: 'utf8' })
  return { status, stderr }
}

describe('contract artifacts', () => {
  let copy: string
  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'songhua-artifacts-'))
    cpSync(GENERATED, copy, { recursive: true })
  })
  afterAll(() => rmSync(copy, { recursive: true }))

  it('are what the Solidity sources compile to', () => {
    expect(check(GENERATED)).toEqual({ status: 0, stderr: '' })
  }, COMPILE_TIMEOUT_MS)

  it('are refused by name when one byte, one file or one contract differs', () => {
    const changed = join(copy, 'RecordAnchor.ts')
    writeFileSync(changed, readFileSync(changed, 'utf8').replace('"deployedBytecode": "0x6', '"deployedBytecode": "0x7'))
    rmSync(join(copy, 'Council.ts'))
    writeFileSync(join(copy, 'Retired.ts'), '')
    const { status, stderr } = check(copy)
    expect(status).toBe(1)
    for (const file of ['RecordAnchor.ts', 'Council.ts', 'Retired.ts']) expect(stderr).toContain(file)
  }, COMPILE_TIMEOUT_MS)
})
