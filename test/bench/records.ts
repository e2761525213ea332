import { Agent, request } from 'node:http'
import { gzipSync } from 'node:zlib'
import { Wallet } from 'ethers'
import { connect } from '@songhua/sdk'
import { createEvidenceVerifier } from '@songhua/sdk/protocol/evidence'
import type { EvidenceBundle } from '@songhua/sdk/protocol/evidence-format'
import { parseTrustAnchor } from '@songhua/sdk/protocol/trust-anchor'
import { type Devnet, sleep } from '../support/devnet.js'
import { licenceRecord } from '../support/sample-records.js'
import { percentile } from './report.js'

/** What the scenario `records` prints. Rates are records a second. */
export interface RecordsReport {
  scenario: 'records'
  validators: number
  /** By the SDK without a gateway, from the first record read to the last bundle given out. */
  bulkRecords: number
  bulkPerSecond: number
  /** The same through the gateway. */
  gatewayRecords: number
  gatewayPerSecond: number
  /** One record a request, accepted means on disk. */
  restSeconds: number
  restAcceptedPerSecond: number
  restMsP50: number
  restMsP99: number
  /** From the last acceptance until the last bundle was there. */
  restAnchoredAfterMs: number
  /** Of a batch of 1,000. */
  bundleBytes: number
  bundleGzipBytes: number
  /** One core, headers and seals checked anew for each. */
  verifyColdPerSecond: number
  verifyCachedPerSecond: number
  errors: number
}

const BULK_WARM_UP = 10_000
const BULK_RECORDS = 100_000
const GATEWAY_RECORDS = 50_000
const REST_WARM_UP_S = 3
const REST_CONNECTIONS = 64
const ISSUER = 'uscc:11230100MB10000107'
const VERIFY_MS = 3_000

export async function measureRecords(devnet: Devnet, seconds: number): Promise<RecordsReport> {
  const gateway = devnet.ready.nodes[0]!.gateway!
  const bulk = await measureBulk(devnet)
  const throughGateway = await measureGateway(gateway, devnet.ready.apiKey)
  const rest = await measureRest(gateway, devnet.ready.apiKey, seconds)
  const trustAnchor = (await (await fetch(`${gateway}/v1/trust-anchor`)).json()) as unknown
  const bundles = await bundlesOfThousand(devnet)
  return {
    scenario: 'records',
    validators: devnet.ready.nodes.length,
    bulkRecords: BULK_RECORDS,
    bulkPerSecond: bulk,
    gatewayRecords: GATEWAY_RECORDS,
    gatewayPerSecond: throughGateway,
    ...rest,
    ...sizesOf(bundles[500]!),
    ...measureVerification(trustAnchor, bundles),
  }
}

function* records(count: number): Generator<ReturnType<typeof licenceRecord>> {
  for (let number = 0; number < count; number += 1) yield licenceRecord(number)
}

async function direct(devnet: Devnet): Promise<Awaited<ReturnType<typeof connectDirect>>> {
  return connectDirect(devnet.ready.nodes[1]!.rpc, devnet.ready.accounts[1]!.privateKey)
}

const connectDirect = (rpc: string, privateKey: string) => connect({ rpc, signer: new Wallet(privateKey), issuer: ISSUER })

async function measureBulk(devnet: Devnet): Promise<number> {
  const songhua = await direct(devnet)
  const anchor = async (count: number): Promise<number> => {
    const startedMs = performance.now()
    let anchored = 0
    for await (const one of songhua.records.anchorMany(records(count))) if ('evidence' in one) anchored += 1
    if (anchored !== count) throw new Error(`${anchored} of ${count} records were anchored`)
    return (count * 1000) / (performance.now() - startedMs)
  }
  await anchor(BULK_WARM_UP)
  return Math.round(await anchor(BULK_RECORDS))
}

async function measureGateway(gateway: string, apiKey: string): Promise<number> {
  const songhua = await connect({ gateway, apiKey })
  const startedMs = performance.now()
  let anchored = 0
  for await (const one of songhua.records.anchorMany(records(GATEWAY_RECORDS))) if ('evidence' in one) anchored += 1
  if (anchored !== GATEWAY_RECORDS) throw new Error(`${anchored} of ${GATEWAY_RECORDS} records were anchored`)
  return Math.round((GATEWAY_RECORDS * 1000) / (performance.now() - startedMs))
}

type Rest = Pick<
  RecordsReport,
  'restSeconds' | 'restAcceptedPerSecond' | 'restMsP50' | 'restMsP99' | 'restAnchoredAfterMs' | 'errors'
>

async function measureRest(gateway: string, apiKey: string, seconds: number): Promise<Rest> {
  const agent = new Agent({ keepAlive: true, maxSockets: REST_CONNECTIONS })
  const fromMs = performance.now() + REST_WARM_UP_S * 1000
  const toMs = fromMs + seconds * 1000
  const latencies: number[] = []
  let number = 0
  let errors = 0
  let lastId = ''
  const client = async (): Promise<void> => {
    while (performance.now() < toMs) {
      const sentMs = performance.now()
      const answer = await post(agent, { url: `${gateway}/v1/records`, apiKey, body: JSON.stringify(licenceRecord(number++)) })
      const doneMs = performance.now()
      if (answer.status !== 202) errors += 1
      else {
        lastId = answer.id
        if (doneMs >= fromMs && doneMs < toMs) latencies.push(doneMs - sentMs)
      }
    }
  }
  await Promise.all(Array.from({ length: REST_CONNECTIONS }, client))
  const restAnchoredAfterMs = await untilAnchored(gateway, apiKey, lastId)
  agent.destroy()
  latencies.sort((a, b) => a - b)
  return {
    restSeconds: seconds,
    restAcceptedPerSecond: Math.round(latencies.length / seconds),
    restMsP50: Math.round(percentile(latencies, 0.5)),
    restMsP99: Math.round(percentile(latencies, 0.99)),
    restAnchoredAfterMs,
    errors,
  }
}

function post(agent: Agent, { url, apiKey, body }: { url: string; apiKey: string; body: string }): Promise<{ status: number; id: string }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const asking = request(url, { method: 'POST', agent, headers }, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (chunk: string) => (text += chunk))
      answer.on('end', () => {
        const status = answer.statusCode ?? 0
        resolve({ status, id: status === 202 ? (JSON.parse(text) as { id: string }).id : '' })
      })
    })
    asking.on('error', reject)
    asking.end(body)
  })
}

async function untilAnchored(gateway: string, apiKey: string, id: string): Promise<number> {
  const startedMs = performance.now()
  for (;;) {
    const response = await fetch(`${gateway}/v1/records/${id}/evidence`, { headers: { authorization: `Bearer ${apiKey}` } })
    await response.arrayBuffer()
    if (response.ok) return Math.round(performance.now() - startedMs)
    if (response.status !== 409) throw new Error(`${response.status} for the evidence of ${id}`)
    await sleep(10)
  }
}

async function bundlesOfThousand(devnet: Devnet): Promise<EvidenceBundle[]> {
  const songhua = await direct(devnet)
  const bundles: EvidenceBundle[] = []
  for await (const one of songhua.records.anchorMany(records(1_000), { batchSize: 1_000 })) {
    if ('evidence' in one) bundles.push(one.evidence)
  }
  return bundles
}

function sizesOf(bundle: EvidenceBundle): { bundleBytes: number; bundleGzipBytes: number } {
  const text = JSON.stringify(bundle)
  return { bundleBytes: text.length, bundleGzipBytes: gzipSync(text).length }
}

/** From the text of the file on, as whoever verifies gets it. */
function measureVerification(
  source: unknown,
  bundles: readonly EvidenceBundle[],
): { verifyColdPerSecond: number; verifyCachedPerSecond: number } {
  const trustAnchor = parseTrustAnchor(source)
  const files = bundles.map((bundle) => JSON.stringify(bundle))
  const rate = (verify: (file: string) => { valid: boolean }): number => {
    const startedMs = performance.now()
    let verified = 0
    while (performance.now() - startedMs < VERIFY_MS) {
      if (!verify(files[verified % files.length]!).valid) throw new Error('a bundle of the benchmark does not verify')
      verified += 1
    }
    return Math.round((verified * 1000) / (performance.now() - startedMs))
  }
  const cached = createEvidenceVerifier(trustAnchor)
  return {
    verifyColdPerSecond: rate((file) => createEvidenceVerifier(trustAnchor).verify(file)),
    verifyCachedPerSecond: rate((file) => cached.verify(file)),
  }
}
