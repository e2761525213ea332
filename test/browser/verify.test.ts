import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type EvidenceVerdict, verifyEvidence } from '@songhua/sdk/verify'
import { NEGATIVE_CASES, POSITIVE_CASES } from '../protocol/evidence-cases.js'
import { serve, type Stub } from '../sdk/support.js'
import { type BrowserVerifier, buildForBrowser, startBrowserVerifier } from '../support/browser-verifier.js'

const GZIP_BYTES_MAX = 120_000

let browser: BrowserVerifier
let stub: Stub

beforeAll(async () => {
  stub = await serve((_request, response) => response.end('reached'))
  browser = await startBrowserVerifier()
}, 360_000)

afterAll(async () => {
  await browser?.stop()
  await stub?.stop()
})

describe('for a browser', () => {
  const packagesIn = (inputs: readonly string[]): string[] =>
    [...new Set(inputs.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []))].sort()

  it(`the verifier is below ${GZIP_BYTES_MAX} bytes gzip, and holds of packages the noble ones only`, async () => {
    const { code, inputs, imports } = await buildForBrowser('verify')
    expect(gzipSync(code, { level: 9 }).length).toBeLessThan(GZIP_BYTES_MAX)
    expect(packagesIn(inputs)).toEqual(['@noble/curves', '@noble/hashes'])
    expect(imports).toEqual([])
  })

  it('the whole SDK bundles too: it needs nothing of Node, and no ethers', async () => {
    const { inputs, imports } = await buildForBrowser('songhua')
    expect(packagesIn(inputs)).toEqual(['@noble/curves', '@noble/hashes', 'eventsource-parser'])
    expect(imports).toEqual([])
  })
})

/** Texts that name values are the same too; bundles are parsed by two engines whose JSON errors differ in words. */
const told = ({ valid, steps, facts }: EvidenceVerdict) => ({ valid, facts, codes: steps.map(({ step, ok, code }) => [step, ok, code]) })

describe('in headless Chromium, offline', () => {
  it('has no network', async () => {
    expect(await browser.isOnline(stub.url)).toBe(false)
    expect((await fetch(stub.url)).ok).toBe(true)
  })

  it('accepts what Node accepts, with the same facts', async () => {
    const verdicts = await browser.verifyEach(POSITIVE_CASES)
    const inNode = POSITIVE_CASES.map(({ source, input, trustAnchor }) => verifyEvidence(source, { ...input, trustAnchor }))
    expect(verdicts.map(told)).toEqual(inNode.map(told))
    expect(verdicts.filter(({ valid }) => !valid)).toEqual([])
  }, 120_000)

  it('refuses what Node refuses, with the same codes', async () => {
    const verdicts = await browser.verifyEach(NEGATIVE_CASES)
    const inNode = NEGATIVE_CASES.map(({ source, input, trustAnchor }) => verifyEvidence(source, { ...input, trustAnchor }))
    expect(verdicts.map(told)).toEqual(inNode.map(told))
    expect(verdicts.filter(({ valid }) => valid)).toEqual([])
  }, 120_000)

  it('asked nothing of a network but what the test asked for', () => {
    const asked = browser.requests.filter((url) => !url.startsWith('data:'))
    expect(asked.filter((url) => !url.startsWith(stub.url))).toEqual([])
  })
})
