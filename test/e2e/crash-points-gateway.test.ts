import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RECORD_ANCHOR_ADDRESS } from '@songhua/contracts/addresses'
import type { CrashPoint } from '@songhua/node/base/crash-points'
import { createEvidenceVerifier } from '@songhua/sdk/protocol/evidence'
import { parseTrustAnchor } from '@songhua/sdk/protocol/trust-anchor'
import { commitSubject } from '@songhua/sdk/records/subject'
import {
  type CrashLab, createCrashLab, expectNoEquivocation, expectOneHistory, expectVotes, pointsOf,
} from '../support/crash-lab.js'
import { type Devnet, type DevnetNode, removeDir, rpc, sleep, startDevnet, tempDir, until } from '../support/devnet.js'
import { type SampleRecord, sampleRecord } from '../support/sample-records.js'

/**
 * The gateway's process dies at each of its points while records come in; the node goes on, starts it again, and the
 * clients that had no answer ask again with the same key.
 */

const PAUSE_MS = 100
const NTH = 3

let lab: CrashLab
let devnet: Devnet
let dataDir: string
let isOver = false
let writing: Promise<void>
/** By the gateway that accepted them. */
const accepted = new Map<DevnetNode, string[]>()

beforeAll(async () => {
  dataDir = await tempDir('crash-gateway')
  devnet = await startDevnet({ validators: 4, gateways: 1, dataDir })
  lab = createCrashLab(devnet)
  writing = write(harbin())
}, 120_000)

afterAll(async () => {
  isOver = true
  try {
    await writing
  } finally {
    await lab?.stop()
    await removeDir(dataDir)
  }
})

const harbin = (): DevnetNode => lab.nodes[0]!
/** Where the devnet would have it. */
const gatewayOf = ({ rpc: url }: DevnetNode): string => `http://127.0.0.1:${Number(new URL(url).port) + 3}`
const authorization = (): Record<string, string> => ({ authorization: `Bearer ${devnet.ready.apiKey}` })

async function write(node: DevnetNode): Promise<void> {
  for (let number = 0; !isOver; number++) {
    await post(node, sampleRecord(number))
    await sleep(PAUSE_MS)
  }
}

/** The same request with the same key until there is an answer. */
async function post(node: DevnetNode, record: SampleRecord | ReturnType<typeof consent>): Promise<string> {
  const headers = { ...authorization(), 'content-type': 'application/json', 'idempotency-key': randomUUID() }
  const body = JSON.stringify(record)
  const id = await until('a record to be accepted', async () => {
    const response = await fetch(`${gatewayOf(node)}/v1/records`, { method: 'POST', headers, body })
    if (response.status === 429 || response.status === 503) return undefined
    if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`)
    return ((await response.json()) as { id: string }).id
  }, 120_000)
  accepted.set(node, [...(accepted.get(node) ?? []), id])
  return id
}

let consents = 0
/** A payload that may be destroyed at once. */
const consent = () => ({
  schema: 'credit.reporting.consent',
  payload: {
    subjectName: '李示范', identityDocument: '11010519491231002X', grantee: '黑龙江示范征信有限公司',
    granteeCode: '91110000600037341L', scope: ['借贷'], purpose: '贷前审查',
    grantedAt: `2026-03-01T08:00:0${consents++}Z`, expiresAt: '2027-03-01T08:00:00Z', method: '书面',
  },
  subject: commitSubject({ id: 'test', secret: new Uint8Array(32).fill(7) }, { scheme: 'citizen-id', id: '11010519491231002X' }),
})

async function dieErasing(point: CrashPoint): Promise<void> {
  const id = await post(harbin(), consent())
  const url = `${gatewayOf(harbin())}/v1/records/${id}/payload`
  await lab.kill(harbin())
  // Its gateway lives on for a moment, and must not be the one that erases.
  await until('the gateway to be gone', () => fetch(url).then(() => false, () => true))
  const death = lab.dieAt(harbin(), { point, nth: 1 })
  await until('the erasure to be done', async () => {
    const response = await fetch(url, { method: 'DELETE', headers: authorization() })
    if (response.status === 200) return true
    throw new Error(`${response.status} ${await response.text()}`)
  }, 120_000)
  await death
  expect((await fetch(url, { headers: authorization() })).status).toBe(410)
}

/** On a node that had no gateway before, so that there is a store to claim. */
async function dieClaiming(node: DevnetNode, point: CrashPoint): Promise<void> {
  const port = new URL(gatewayOf(node)).port
  await lab.dieAt(node, { point, nth: 1 }, ['--gateway', '--gateway-port', port])
  await post(node, sampleRecord(0))
}

const SCENES: readonly [RegExp, (point: CrashPoint) => Promise<void>][] = [
  [/before-claim/, (point) => dieClaiming(lab.nodes[1]!, point)],
  [/claimed/, (point) => dieClaiming(lab.nodes[2]!, point)],
  [/erasure|erased/, dieErasing],
  [/./, (point) => lab.dieAt(harbin(), { point, nth: NTH })],
]

async function anchored(node: DevnetNode, id: string): Promise<object> {
  return until(`the evidence of ${id}`, async () => {
    const response = await fetch(`${gatewayOf(node)}/v1/records/${id}/evidence`, { headers: authorization() })
    if (response.status === 409) return undefined
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
    return (await response.json()) as object
  }, 60_000)
}

/** Leaves anchored by an account, as the chain's own events tell. */
async function anchoredLeaves(account: string): Promise<number> {
  const topics = [null, `0x${'00'.repeat(12)}${account.slice(2)}`]
  const filter = { address: RECORD_ANCHOR_ADDRESS, fromBlock: '0x0', toBlock: 'latest', topics }
  const logs = await rpc<{ data: string }[]>(lab.nodes[3]!.rpc, 'eth_getLogs', [filter])
  return logs.reduce((sum, { data }) => sum + Number(BigInt(data.slice(0, 66))), 0)
}

describe('a gateway killed at a crash point', () => {
  it.each(pointsOf('gateway'))('%s: the node starts it again, and it goes on', async (point) => {
    const [, die] = SCENES.find(([pattern]) => pattern.test(point))!
    await die(point)
    const before = accepted.get(harbin())?.length ?? 0
    await until('more records', () => (accepted.get(harbin())?.length ?? 0) > before + 2, 60_000)
    await expectVotes(lab, harbin())
    await expectNoEquivocation(lab)
  }, 400_000)

  it('has each accepted record on the chain once, with a bundle that verifies', async () => {
    isOver = true
    await writing
    expect(accepted.get(harbin())!.length).toBeGreaterThan(50)
    expect(accepted.size).toBe(3)
    for (const [node, ids] of accepted) {
      const gateway = gatewayOf(node)
      const verifier = createEvidenceVerifier(parseTrustAnchor(await (await fetch(`${gateway}/v1/trust-anchor`)).json()))
      expect(new Set(ids).size).toBe(ids.length)
      for (const id of ids) {
        const { valid, steps, facts } = verifier.verify(await anchored(node, id))
        expect([valid, steps.filter(({ ok }) => !ok)], id).toEqual([true, []])
        expect(facts!.leafHash).toMatch(/^0x/)
      }
      const { account } = (await (await fetch(`${gateway}/v1/status`)).json()) as { account: string }
      expect(await anchoredLeaves(account)).toBe(ids.length)
    }
    await expectOneHistory(lab)
  }, 400_000)
})
