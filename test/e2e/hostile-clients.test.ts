import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hexToBytes } from '@songhua/sdk/protocol/bytes'
import { decodeExtraData } from '@songhua/sdk/protocol/extra-data'
import type { Target } from '../support/client-attacks.js'
import { heightOf, removeDir, rpc, sleep, startDevnet, tempDir, until, type Devnet, type DevnetNode } from '../support/devnet.js'
import { expectFinal, percentile, startSteady } from '../support/steady.js'

const ATTACK_MS = 25_000
/** Of the node and its gateway together: an idle one takes some 250 MB, its budgets for clients come to 400 MB. */
const RSS_MB_MAX = 1_100

let dataDir: string
let devnet: Devnet
let hostile: Hostile | undefined

beforeAll(async () => {
  dataDir = await tempDir('hostile')
  devnet = await startDevnet({ validators: 4, gateways: 1, dataDir })
})

afterAll(async () => {
  hostile?.kill()
  await devnet?.stop()
  await removeDir(dataDir)
})

const ATTACKS = resolve(import.meta.dirname, '../support/client-attacks.ts')

interface Hostile {
  /** What came of each attack: outcomes and how often. */
  end(): Promise<Record<string, Record<string, number>>>
  kill(): void
}

function startHostile(target: Target): Hostile {
  const child = spawn(process.execPath, ['--import', 'tsx', ATTACKS, JSON.stringify(target)], { stdio: ['pipe', 'pipe', 'inherit'] })
  let printed = ''
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  const exited = new Promise<number | null>((done) => child.once('close', done))
  return {
    kill: () => void child.kill('SIGKILL'),
    end: async () => {
      child.stdin.end()
      expect(await exited).toBe(0)
      return JSON.parse(printed) as Record<string, Record<string, number>>
    },
  }
}

const metricsOf = async ({ admin }: DevnetNode): Promise<string> => (await fetch(`${admin}/metrics`)).text()
const refusalsIn = (metrics: string, part: 'rpc' | 'gateway'): string[] =>
  metrics.split('\n').filter((line) => line.startsWith(`songhua_${part}_refusals_total{`))
const limitsIn = (lines: string[]): Set<string> => new Set(lines.map((line) => /limit="(\w*)"/.exec(line)![1]!).filter((limit) => limit !== ''))
const gaugeIn = (metrics: string, name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1] ?? 0)

/** Of the process, MB. */
async function rssMb(pid: number): Promise<number> {
  return Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))![1]) / 1024
}

async function roundsOf(url: string, from: number, to: number): Promise<number[]> {
  const blocks = await Promise.all(Array.from({ length: to - from + 1 }, (_, at) =>
    rpc<{ extraData: `0x${string}` }>(url, 'eth_getBlockByNumber', [`0x${(from + at).toString(16)}`, false])))
  return blocks.map(({ extraData }) => decodeExtraData(hexToBytes(extraData)).round)
}

describe('one of four nodes under every attack at once', () => {
  it('refuses by name, keeps its memory, and the chain keeps its pace', async () => {
    const [attacked, , other] = devnet.ready.nodes as [DevnetNode, DevnetNode, DevnetNode, DevnetNode]
    const { chainId, accounts } = devnet.ready
    const gatewayPid = gaugeIn(await metricsOf(attacked), 'songhua_gateway_pid')
    const from = await heightOf(other.rpc)
    const elsewhere = startSteady(accounts[0]!, { chainId, url: other.rpc, pauseMs: 100 })
    const here = startSteady(accounts[1]!, { chainId, url: attacked.rpc, pauseMs: 200 })
    hostile = startHostile({
      rpc: attacked.rpc, gateway: attacked.gateway!, chainId, privateKey: accounts[3]!.privateKey, apiKey: devnet.ready.apiKey,
    })
    let peakMb = 0
    for (const end = Date.now() + ATTACK_MS; Date.now() < end;) {
      await sleep(1_000)
      peakMb = Math.max(peakMb, (await rssMb(attacked.pid)) + (await rssMb(gatewayPid)))
    }
    await Promise.all([elsewhere.stop(), here.stop()])
    const to = await heightOf(other.rpc)
    const outcomes = await hostile.end()
    const metrics = await until('the figures of node and gateway', async () => {
      const text = await metricsOf(attacked)
      return gaugeIn(text, 'songhua_gateway_answering') === 1 && text
    })

    expect(elsewhere.acknowledged.length).toBeGreaterThan(10)
    expect(here.acknowledged.length).toBeGreaterThan(3)
    await expectFinal(other.rpc, [...elsewhere.acknowledged, ...here.acknowledged])
    expect(peakMb).toBeLessThan(RSS_MB_MAX)
    const rounds = await roundsOf(other.rpc, from + 1, to)
    const late = rounds.filter((round) => round > 0).length
    console.info(JSON.stringify({
      blocks: to - from, late, peakMb: Math.round(peakMb),
      elsewhere: { sent: elsewhere.acknowledged.length, refused: [...elsewhere.refused], p50: percentile(elsewhere.waitsMs, 0.5), p95: percentile(elsewhere.waitsMs, 0.95) },
      here: { sent: here.acknowledged.length, refused: [...here.refused], p50: percentile(here.waitsMs, 0.5), p95: percentile(here.waitsMs, 0.95) },
      outcomes,
      refusals: [...refusalsIn(metrics, 'rpc'), ...refusalsIn(metrics, 'gateway')],
    }, undefined, 1))
    // Which limits are met depends on which is met first; that of slow bodies surely is, and many others are.
    expect(limitsIn(refusalsIn(metrics, 'rpc'))).toContain('inboundBytesPerAddressMax')
    expect(limitsIn(refusalsIn(metrics, 'rpc')).size).toBeGreaterThanOrEqual(4)
    const codes = refusalsIn(metrics, 'gateway').map((line) => /code="(\w+)"/.exec(line)![1])
    for (const code of ['JSON_TOO_DEEP', 'CONTENT_TYPE', 'STREAMS_TOO_MANY']) expect(codes).toContain(code)
  }, 240_000)
})
