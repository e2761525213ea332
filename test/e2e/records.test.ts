import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { Wallet } from 'ethers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RECORD_ANCHOR_ADDRESS } from '@songhua/contracts/addresses'
import { connect } from '@songhua/sdk'
import { createEvidenceVerifier } from '@songhua/sdk/protocol/evidence'
import type { EvidenceBundle } from '@songhua/sdk/protocol/evidence-format'
import { parseTrustAnchor } from '@songhua/sdk/protocol/trust-anchor'
import { verifyInBrowser } from '../support/browser-verifier.js'
import {
  type Devnet, type Running, removeDir, rpc, sleep, startDevnet, startSonghua, tempDir, until,
} from '../support/devnet.js'
import { sampleRecord } from '../support/sample-records.js'

const BY_REST = 4_000
const BY_SDK = 4_000
const WITHOUT_GATEWAY = 2_000
const KILLS = 5
const REST_CLIENTS = 8
const RECORDS_A_REQUEST = [1, 1, 1, 50] as const

let dataDir: string
let devnet: Devnet
let gateway: string
let pid: number
const restarted: Running[] = []

beforeAll(async () => {
  dataDir = await tempDir('records')
  devnet = await startDevnet({ validators: 4, gateways: 1, dataDir })
  gateway = devnet.ready.nodes[0]!.gateway!
  pid = devnet.ready.nodes[0]!.pid
})

afterAll(async () => {
  for (const node of restarted) await node.stop()
  await devnet?.stop()
  await removeDir(dataDir)
})

const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0)

async function isUp(): Promise<boolean> {
  return (await fetch(`${gateway}/v1/status`)).ok
}

async function killAndRestart(): Promise<void> {
  process.kill(pid, 'SIGKILL')
  await sleep(300)
  const node = startSonghua(['start', '--data', join(dataDir, 'harbin'), '--log-format', 'json'])
  restarted.push(node)
  pid = node.process.pid!
  await until(`the gateway to answer again\n${node.output()}`, isUp, 60_000)
}

/** Kills the gateway's node until it has been killed `KILLS` times and the writers have ended. */
async function killAtRandom(isOver: () => boolean): Promise<number> {
  let kills = 0
  while (kills < KILLS || !isOver()) {
    await sleep(500 + Math.random() * 2_000)
    if (kills < KILLS) {
      await killAndRestart()
      kills += 1
    }
  }
  return kills
}

interface Answer {
  id?: string
  records?: { id: string }[]
}

/** The same request with the same key until there is an answer: what a department's system does. */
async function post(records: object[]): Promise<string[]> {
  const body = JSON.stringify(records.length === 1 ? records[0] : { records })
  const headers = {
    authorization: `Bearer ${devnet.ready.apiKey}`,
    'content-type': 'application/json',
    'idempotency-key': randomUUID(),
  }
  return until('the gateway to accept', async () => {
    const response = await fetch(`${gateway}/v1/records`, { method: 'POST', headers, body })
    if (response.status === 429 || response.status === 503) return undefined
    if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`)
    const answer = (await response.json()) as Answer
    return answer.records?.map(({ id }) => id) ?? [answer.id!]
  }, 120_000)
}

async function writeByRest(count: number): Promise<string[]> {
  const ids: string[] = []
  let next = 0
  const client = async (): Promise<void> => {
    while (next < count) {
      const size = Math.min(RECORDS_A_REQUEST[next % RECORDS_A_REQUEST.length]!, count - next)
      const first = next
      next += size
      ids.push(...(await post(Array.from({ length: size }, (_, i) => sampleRecord(first + i)))))
    }
  }
  await Promise.all(Array.from({ length: REST_CLIENTS }, client))
  return ids
}

async function writeBySdk(first: number, count: number): Promise<{ id: string; evidence: EvidenceBundle }[]> {
  const songhua = await connect({ gateway, apiKey: devnet.ready.apiKey, retry: { timeoutMs: 120_000 } })
  const source = Array.from({ length: count }, (_, i) => sampleRecord(first + i))
  const written = []
  for await (const one of songhua.records.anchorMany(source, { batchSize: 200 })) {
    if ('refusal' in one) throw new Error(JSON.stringify(one.refusal))
    written.push(one)
  }
  return written
}

async function writeWithoutGateway(first: number, count: number): Promise<{ id: string; evidence: EvidenceBundle }[]> {
  const { nodes, accounts } = devnet.ready
  const signer = new Wallet(accounts[1]!.privateKey)
  const songhua = await connect({ rpc: nodes[1]!.rpc, signer, issuer: 'uscc:11230100MB10000107' })
  const source = Array.from({ length: count }, (_, i) => sampleRecord(first + i))
  const written = []
  for await (const one of songhua.records.anchorMany(source, { batchSize: 500 })) {
    if ('refusal' in one) throw new Error(JSON.stringify(one.refusal))
    written.push(one)
  }
  return written
}

async function evidenceOf(id: string): Promise<EvidenceBundle> {
  const headers = { authorization: `Bearer ${devnet.ready.apiKey}` }
  return until(`the evidence of ${id}`, async () => {
    const response = await fetch(`${gateway}/v1/records/${id}/evidence`, { headers })
    if (response.status === 409) return undefined
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
    return (await response.json()) as EvidenceBundle
  }, 60_000)
}

async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const at = next++
      results[at] = await work(items[at]!)
    }
  }
  await Promise.all(Array.from({ length: 16 }, worker))
  return results
}

/** Leaves anchored by an account, as the chain's own events tell. */
async function anchoredLeaves(account: string): Promise<number> {
  const topics = [null, `0x${'00'.repeat(12)}${account.slice(2)}`]
  const filter = { address: RECORD_ANCHOR_ADDRESS, fromBlock: '0x0', toBlock: 'latest', topics }
  const logs = await rpc<{ data: string }[]>(devnet.ready.nodes[1]!.rpc, 'eth_getLogs', [filter])
  return sum(logs.map(({ data }) => Number(BigInt(data.slice(0, 66)))))
}

describe('ten thousand records while the gateway is killed again and again', () => {
  let bundles: EvidenceBundle[]
  let trustAnchor: object

  it('are accepted once each, and each has one bundle', async () => {
    let isOver = false
    const killing = killAtRandom(() => isOver)
    const writing = Promise.all([
      writeByRest(BY_REST),
      writeBySdk(BY_REST, BY_SDK),
      writeWithoutGateway(BY_REST + BY_SDK, WITHOUT_GATEWAY),
    ]).finally(() => (isOver = true))
    const [[byRest, bySdk, direct], kills] = await Promise.all([writing, killing])
    expect(kills).toBe(KILLS)
    expect([byRest.length, bySdk.length, direct.length]).toEqual([BY_REST, BY_SDK, WITHOUT_GATEWAY])

    const ids = [...byRest, ...bySdk.map(({ id }) => id)]
    expect(new Set(ids).size).toBe(BY_REST + BY_SDK)
    const ofGateway = await inParallel(ids, evidenceOf)
    expect(ofGateway.map(({ envelope }) => envelope.id)).toEqual(ids)
    bundles = [...ofGateway, ...direct.map(({ evidence }) => evidence)]

    const { account } = (await (await fetch(`${gateway}/v1/status`)).json()) as { account: string }
    // Nothing is on the chain twice, and nothing that was not accepted.
    expect(await anchoredLeaves(account)).toBe(BY_REST + BY_SDK)
    expect(await anchoredLeaves(devnet.ready.accounts[1]!.address)).toBe(WITHOUT_GATEWAY)
  }, 400_000)

  it('verify in Node, without a network', async () => {
    trustAnchor = (await (await fetch(`${gateway}/v1/trust-anchor`)).json()) as object
    const verifier = createEvidenceVerifier(parseTrustAnchor(trustAnchor))
    const verdicts = bundles.map((bundle) => verifier.verify(bundle))
    const failed = verdicts.flatMap(({ valid, steps }) => (valid ? [] : [steps.filter(({ ok }) => !ok)]))
    expect(failed).toEqual([])
    expect(new Set(verdicts.map(({ facts }) => facts!.leafHash)).size).toBe(BY_REST + BY_SDK + WITHOUT_GATEWAY)
    const places = verdicts.map(({ facts }) => `${facts!.batch.sender} ${facts!.batch.id} ${facts!.batch.leafIndex}`)
    expect(new Set(places).size).toBe(places.length)
    expect(new Set(verdicts.map(({ facts }) => facts!.family))).toEqual(new Set(['government', 'trace', 'credit']))
  }, 60_000)

  it('verify in a browser that is offline', async () => {
    const verdicts = await verifyInBrowser(trustAnchor, bundles)
    expect(verdicts.filter(({ valid }) => !valid)).toEqual([])
    expect(verdicts).toHaveLength(BY_REST + BY_SDK + WITHOUT_GATEWAY)
  }, 120_000)
})
