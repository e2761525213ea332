import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { type EvidenceInput, verifyEvidence } from '@songhua/sdk/protocol/evidence'
import { EVIDENCE_CODES } from '@songhua/sdk/protocol/evidence-codes'
import { refreshEvidence } from '@songhua/sdk/protocol/evidence-assembly'
import { NEGATIVE_CASES, POSITIVE_CASES } from '../protocol/evidence-cases.js'
import { chain, good } from '../protocol/evidence-cases-support.js'

interface Proved {
  record: string
  issuer: string
  block: number
  time: string
}

const file = new URL('../../examples/verifier/verify.mjs', import.meta.url)
const { verify } = (await import(file.href)) as {
  verify: (evidence: string, trustAnchor: string, input: EvidenceInput) => Proved
}

/** As it would stand in a file. */
const textOf = (source: unknown): string => (typeof source === 'string' ? source : JSON.stringify(source))

/** The step at which the stranger's verifier refuses; undefined when it accepts. */
function refusalOf({ source, trustAnchor, input }: (typeof NEGATIVE_CASES)[number]): string | undefined {
  try {
    verify(textOf(source), textOf(trustAnchor), input)
    return undefined
  } catch (error) {
    return (error as { step?: string }).step ?? String(error)
  }
}

describe('a verifier that shares no code with ours', () => {
  it('has at most 200 lines and imports nothing of ours', () => {
    const text = readFileSync(file, 'utf8')
    expect(text.split('\n').length).toBeLessThanOrEqual(201)
    const imported = [...text.matchAll(/from '([^']+)'/g)].map(([, name]) => name)
    expect(imported.filter((name) => !/^(node:|@noble\/)/.test(name!))).toEqual([])
  })

  it.each(POSITIVE_CASES)('accepts $what', ({ source, trustAnchor, input }) => {
    const { facts } = verifyEvidence(source, { ...input, trustAnchor })
    expect(verify(textOf(source), textOf(trustAnchor), input)).toEqual({
      record: facts!.recordId,
      issuer: facts!.issuer.standing,
      block: facts!.block.number,
      time: new Date(facts!.block.timeMs).toISOString(),
    })
  })

  it('agrees with ours on any change of a character', () => {
    const text = JSON.stringify(refreshEvidence(good, { height: 18, proofs: chain.proofs }))
    const trustAnchor = chain.trustAnchor(6)
    const isAccepted = (source: string): boolean => {
      const unused = { group: '', what: '', codes: [], input: {} }
      return refusalOf({ ...unused, source, trustAnchor }) === undefined
    }
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.integer({ min: 32, max: 126 }), (at, code) => {
        const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1)
        expect(isAccepted(changed)).toBe(verifyEvidence(changed, { trustAnchor }).valid)
      }),
      { numRuns: 300 },
    )
  })

  it.each(NEGATIVE_CASES)('refuses $what ($group), at a step at which ours does', (one) => {
    const steps = one.codes.map((code) => EVIDENCE_CODES[code].step)
    expect(steps).toContain(refusalOf(one))
  })
})

describe('its command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'songhua-verifier-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const write = (name: string, content: string | Uint8Array): string => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }
  const { payload, salt } = chain.batch[4]!
  const files = [write('evidence', JSON.stringify(good)), write('anchor', JSON.stringify(chain.trustAnchor()))]
  const withPayload = [...files, write('payload', payload), write('salt', `${Buffer.from(salt).toString('hex')}\n`)]
  const run = (words: string[]): Promise<{ stdout: string }> =>
    promisify(execFile)(process.execPath, [fileURLToPath(file), ...words])

  it.each([['a record', files], ['a record and its payload', withPayload]])('verifies %s', async (_, words) => {
    expect((await run(words)).stdout).toContain(String(good.envelope.id))
  })

  it('ends with an error that names the step', async () => {
    const bad = [...withPayload.slice(0, 2), write('off', 'off'), withPayload[3]!]
    await expect(run(bad)).rejects.toThrow('refused at payload')
  })
})
