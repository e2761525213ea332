import { resolve } from 'node:path'
import { type BuildResult, build } from 'esbuild'
import { bytesToHex } from '@songhua/sdk/protocol/bytes'
import type * as sdk from '@songhua/sdk/verify'
import type { EvidenceInput, EvidenceVerdict } from '@songhua/sdk/verify'
import { launchChromium } from './chromium.js'

const SOURCES = resolve(import.meta.dirname, '../../sdk/src')

/** An entry of `@songhua/sdk` as a web page would load it: one minified module. */
export interface BrowserBundle {
  readonly code: string
  /** Source files and packages that are in it. */
  readonly inputs: readonly string[]
  /** What it would still import when it runs. */
  readonly imports: readonly string[]
}

export async function buildForBrowser(entry: 'songhua' | 'verify'): Promise<BrowserBundle> {
  const { outputFiles, metafile }: BuildResult<{ write: false; metafile: true }> = await build({
    entryPoints: [`${SOURCES}/${entry}.ts`], bundle: true, minify: true, format: 'esm', platform: 'browser', target: 'es2022',
    write: false, metafile: true, logLevel: 'silent', legalComments: 'none',
  })
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => path))
  return { code: outputFiles[0]!.text, inputs: Object.keys(metafile.inputs), imports }
}

/** One question to `verifyEvidence`. */
export interface Case {
  /** The text of a file, or what `JSON.stringify` writes into one. */
  readonly source: unknown
  readonly trustAnchor: unknown
  readonly input: EvidenceInput
}

interface Page {
  verifier: { verify(source: unknown): EvidenceVerdict }
  sdk: typeof sdk
}

export interface BrowserVerifier {
  /** Verdicts of `verifyEvidence`, in order. */
  verifyEach(cases: readonly Case[]): Promise<EvidenceVerdict[]>
  /** Verdicts of one verifier that remembers headers. */
  verifyAll(trustAnchor: unknown, bundles: readonly unknown[]): Promise<EvidenceVerdict[]>
  /** Whether the page can reach this. */
  isOnline(url: string): Promise<boolean>
  /** Whatever the page asked of a network. */
  readonly requests: readonly string[]
  stop(): Promise<void>
}

const AT_ONCE = 500

/** A page in headless Chromium that has no network and holds nothing but the verifier. */
export async function startBrowserVerifier(): Promise<BrowserVerifier> {
  const { code } = await buildForBrowser('verify')
  const browser = await launchChromium()
  const context = await browser.newContext({ offline: true })
  const page = await context.newPage()
  const requests: string[] = []
  page.on('request', (request) => requests.push(request.url()))
  // A module of a data: URL, so that not even the code comes over a network.
  const url = `data:text/javascript;base64,${Buffer.from(code).toString('base64')}`
  await page.evaluate(`import('${url}').then((sdk) => { globalThis.sdk = sdk })`)
  return {
    requests,
    verifyEach: (cases) => inParts(cases.map(toWire), (some) => page.evaluate(verifyEachInPage, some)),
    async verifyAll(trustAnchor, bundles) {
      await page.evaluate((anchor) => {
        const own = globalThis as unknown as Page
        own.verifier = own.sdk.createEvidenceVerifier(own.sdk.parseTrustAnchor(anchor))
      }, trustAnchor)
      return inParts(bundles, (some) =>
        page.evaluate((list) => list.map((bundle) => (globalThis as unknown as Page).verifier.verify(bundle)), some),
      )
    },
    isOnline: (target) => page.evaluate((to) => fetch(to, { mode: 'no-cors' }).then(() => true, () => false), target),
    stop: () => browser.close(),
  }
}

/** Bytes as hexadecimal: what goes into a page is JSON. */
function toWire({ source, trustAnchor, input }: Case) {
  const { payload, salt, issuers } = input
  const bytes = { payload: payload && bytesToHex(payload), salt: salt && bytesToHex(salt) }
  return { source: typeof source === 'string' ? source : JSON.stringify(source), trustAnchor, issuers, ...bytes }
}

/** Runs in the page: nothing of this file is there. */
function verifyEachInPage(cases: ReturnType<typeof toWire>[]): EvidenceVerdict[] {
  const { sdk } = globalThis as unknown as Page
  return cases.map(({ source, trustAnchor, issuers, payload, salt }) =>
    sdk.verifyEvidence(source, {
      trustAnchor,
      ...(issuers === undefined ? {} : { issuers }),
      ...(payload === undefined ? {} : { payload: sdk.hexToBytes(payload) }),
      ...(salt === undefined ? {} : { salt: sdk.hexToBytes(salt) }),
    }),
  )
}

async function inParts<T>(items: readonly T[], verify: (some: T[]) => Promise<EvidenceVerdict[]>): Promise<EvidenceVerdict[]> {
  const verdicts: EvidenceVerdict[] = []
  for (let at = 0; at < items.length; at += AT_ONCE) verdicts.push(...(await verify(items.slice(at, at + AT_ONCE))))
  return verdicts
}

/** Verifies bundles in a browser that is offline. */
export async function verifyInBrowser(trustAnchor: unknown, bundles: readonly unknown[]): Promise<EvidenceVerdict[]> {
  const browser = await startBrowserVerifier()
  try {
    return await browser.verifyAll(trustAnchor, bundles)
  } finally {
    await browser.stop()
  }
}
