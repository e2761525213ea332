import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const MODULE = new URL('../../node/dist/cli/heap-compaction.js', import.meta.url).href

/** Fills the old space, forgets 15 of 16 objects, and collects once; V8 by itself would leave the pages as they are. */
const PROGRAM = `
const { startHeapCompaction } = await import(${JSON.stringify(MODULE)})
const { getHeapSpaceStatistics } = await import('node:v8')
const stop = startHeapCompaction(process.argv[1] === 'compacts' ? 20 : 1e9)
let kept = Array.from({ length: 400_000 }, (_, index) => ({ index, text: 'x' + index, list: [index] }))
globalThis.gc()
kept = kept.filter(({ index }) => index % 16 === 0)
await new Promise((done) => setTimeout(done, 60))
globalThis.gc()
const { space_size, space_used_size } = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')
stop()
console.log(JSON.stringify({ kept: kept.length, gapsMb: (space_size - space_used_size) / 2 ** 20 }))
`

function gapsOf(mode: 'compacts' | 'leaves'): number {
  const { stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', PROGRAM, mode], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)), encoding: 'utf8',
  })
  if (stdout === '') throw new Error(stderr)
  const { kept, gapsMb } = JSON.parse(stdout) as { kept: number; gapsMb: number }
  expect(kept).toBe(25_000)
  return gapsMb
}

describe('the compaction of the heap', () => {
  it('gives the gaps between living objects back, which V8 keeps by itself', () => {
    const [left, compacted] = [gapsOf('leaves'), gapsOf('compacts')]
    expect(compacted).toBeLessThan(left / 4)
  })
})
