import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { EVIDENCE_CODES } from '@songhua/sdk/protocol/evidence-codes'
import { ANCHOR_CONTRACT } from '@songhua/sdk/protocol/evidence-receipt'
import { EVIDENCE_VERSION } from '@songhua/sdk/protocol/evidence-format'
import { TRUST_ANCHOR_VERSION } from '@songhua/sdk/protocol/trust-anchor'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

/** As it must stand in the README; a failure of the test below shows what to write. */
const table = [
  '| step | code | | meaning | 含义 |',
  '|---|---|---|---|---|',
  ...Object.entries(EVIDENCE_CODES).map(
    ([code, { step, ok, en, zh }]) => `| ${step} | \`${code}\` | ${ok ? '✓' : '✗'} | ${en} | ${zh} |`,
  ),
]

describe('the README', () => {
  it('has every code of a verdict with its texts, in the order of the table of codes', () => {
    const lines = readme.split('\n')
    const start = lines.indexOf(table[0]!)
    expect(lines.slice(start, start + table.length)).toEqual(table)
    expect(lines[start + table.length]).toBe('')
  })

  it('names the constants of the format as they are', () => {
    for (const constant of [ANCHOR_CONTRACT, EVIDENCE_VERSION, TRUST_ANCHOR_VERSION]) expect(readme).toContain(constant)
  })
})
