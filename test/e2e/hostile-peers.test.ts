import { readdir, readFile } from 'node:fs/promises'
import { connect as connectSocket } from 'node:net'
import { join } from 'node:path'
import type { Hello } from '@songhua/node/network/control'
import { type Hash, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { privateKeyToAddress } from '@songhua/sdk/protocol/crypto'
import { decodeExtraData } from '@songhua/sdk/protocol/extra-data'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { watchFinality } from '../bench/finality.js'
import { anchorTransaction } from '../bench/workload.js'
import { runCommand } from '../cli/in-process.js'
import { type Attack, BREACHES, followerAttacks, validatorAttacks } from '../support/peer-attacks.js'
import { dialHostile } from '../support/hostile-peer.js'
import {
  type Devnet, type DevnetNode, hashAt, heightOf, removeDir, rpc, sleep, startDevnet, tempDir, until,
} from '../support/devnet.js'

const QUIET_MS = 6_000
/** Each kind of attack goes on for so long at least, and until every limit that it meets has counted. */
const FLOOD_MS = 20_000
const BREACH_MS = 6_000
const COUNTED_WITHIN_MS = 90_000
/** No height may need more: the one Byzantine validator has one turn, the other rounds are the machine's own noise. */
const ROUNDS_MAX = 5
const GROWTH_MIB_MAX = 300
const SESSION_MS = 12_000
const PAUSE_MS = 20
const LAST_WORDS = 6_000

type Stage = 'flood' | 'breach' | 'over'

/** Counters, each with the code or channel that it must have counted. */
const COUNTED: Record<Exclude<Stage, 'over'>, readonly (readonly [name: string, label?: string])[]> = {
  flood: [
    ['songhua_network_refused_total', 'NOT_ADMITTED'],
    ['songhua_network_refused_total', 'UNAUTHENTICATED'],
    ['songhua_network_frames_delayed_total', 'control'],
    ['songhua_consensus_limited_total'],
    ['songhua_relay_transactions_in_total'],
    ['songhua_network_requests_refused_total'],
  ],
  breach: [
    ['songhua_network_ended_total', 'FRAME_TOO_LARGE'],
    ['songhua_network_ended_total', 'PENALISED'],
    ['songhua_network_penalties_total', 'TRANSACTIONS_MALFORMED'],
    ['songhua_network_refused_total', 'PENALISED'],
  ],
}

let dataDir: string
let devnet: Devnet
let honest: DevnetNode[]
let validatorKey: Uint8Array
let followerKey: Uint8Array

async function folderOf(node: DevnetNode): Promise<string> {
  for (const name of await readdir(dataDir)) {
    const config = await readFile(join(dataDir, name, 'songhua.json'), 'utf8').catch(() => '')
    if (config.includes(`"port": ${new URL(node.rpc).port}`)) return join(dataDir, name)
  }
  throw new Error(`no folder of ${node.name} under ${dataDir}`)
}

const keyOf = async (node: DevnetNode): Promise<Uint8Array> =>
  hexToBytes((await readFile(join(await folderOf(node), 'node-key.hex'), 'utf8')).trim())

beforeAll(async () => {
  dataDir = await tempDir('hostile')
  devnet = await startDevnet({ validators: 5, dataDir, args: ['--followers', '1'] })
  const [byzantine, follower] = devnet.ready.nodes.slice(4) as [DevnetNode, DevnetNode]
  honest = devnet.ready.nodes.slice(0, 4)
  ;[validatorKey, followerKey] = [await keyOf(byzantine), await keyOf(follower)]
  for (const { pid } of [byzantine, follower]) process.kill(pid, 'SIGKILL')
}, 120_000)

afterAll(async () => {
  await devnet?.stop()
  await removeDir(dataDir)
})

async function rssMib(node: DevnetNode): Promise<number> {
  const status = await readFile(`/proc/${node.pid}/status`, 'utf8').catch(async (cause: unknown) => {
    const log = await readFile(join(await folderOf(node), 'node.log'), 'utf8')
    throw new Error(`${node.name} has died; its last words:\n${log.slice(-LAST_WORDS)}`, { cause })
  })
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024
}

/** A counter or gauge of a node, summed over its labels; `code` picks one. */
async function figure(node: DevnetNode, name: string, code?: string): Promise<number> {
  const text = await (await fetch(`${node.admin}/metrics`)).text()
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .filter((line) => code === undefined || line.includes(`"${code}"`))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

async function sumOf(name: string, code?: string): Promise<number> {
  const figures = await Promise.all(honest.map((node) => figure(node, name, code)))
  return figures.reduce((sum, value) => sum + value, 0)
}

async function missingOf(stage: Exclude<Stage, 'over'>): Promise<string[]> {
  const sums = await Promise.all(COUNTED[stage].map(([name, label]) => sumOf(name, label)))
  return COUNTED[stage].filter((_, index) => sums[index] === 0).map((words) => words.join(' '))
}

/** One record after another from one account; how long each took to be final. */
async function writeWhile(goesOn: () => boolean, nonce: { next: number }): Promise<number[]> {
  const { rpc: url } = honest[0]!
  const watch = await watchFinality(url)
  const took: number[] = []
  while (goesOn()) {
    const { raw, hash } = anchorTransaction(devnet.ready.accounts[0]!, devnet.ready.chainId, nonce.next++)
    const sentMs = performance.now()
    await rpc(url, 'eth_sendRawTransaction', [raw])
    took.push((await watch.final(hash)) - sentMs)
  }
  watch.close()
  return took
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!

interface Aggressor {
  readonly privateKey: Uint8Array
  readonly follower: boolean
  readonly attacksOf: (stage: Stage) => readonly Attack[]
}

/** Attacks one node with one key until all is over, coming back whenever it is let in. */
async function assail(node: DevnetNode, { privateKey, attacksOf }: Aggressor, hello: Hello, stage: () => Stage): Promise<void> {
  // Each node hears another attack of a stage first, because some of them end in a ban.
  const first = honest.indexOf(node)
  let at = first
  let last = stage()
  while (stage() !== 'over') {
    const peer = await dialHostile({ privateKey, hello, address: node.p2p }).catch(() => undefined)
    const leaveMs = Date.now() + SESSION_MS
    while (peer !== undefined && !peer.isClosed() && stage() !== 'over' && Date.now() < leaveMs) {
      if (stage() !== last) at = first
      last = stage()
      const attacks = attacksOf(last)
      try {
        attacks[at++ % attacks.length]!.run(peer)
      } catch {
        // The node has ended the stream meanwhile: the next turn dials again.
      }
      await sleep(PAUSE_MS)
    }
    await peer?.stop()
    await sleep(250)
  }
}

/** Connections that never say who they are. */
async function knock(node: DevnetNode, stage: () => Stage): Promise<void> {
  const port = Number(/tcp\/(\d+)/.exec(node.p2p)![1])
  while (stage() !== 'over') {
    const sockets = Array.from({ length: 40 }, () => connectSocket(port, '127.0.0.1').on('error', () => undefined))
    await sleep(500)
    for (const socket of sockets) socket.destroy()
  }
}

/** The highest RSS of each honest node, until all is over. */
async function watchMemory(peaks: number[], stage: () => Stage): Promise<void> {
  while (stage() !== 'over') {
    for (const [index, node] of honest.entries()) peaks[index] = Math.max(peaks[index] ?? 0, await rssMib(node))
    await sleep(200)
  }
}

async function attackAll(genesisHash: Hash, stage: () => Stage): Promise<void> {
  const { chainId } = devnet.ready
  let height = 1
  const following = (async () => {
    for (; stage() !== 'over'; await sleep(200)) height = (await heightOf(honest[0]!.rpc).catch(() => height - 1)) + 1
  })()
  const victim = { domain: { genesisHash, protocolVersion: 1 }, chainId, heightNow: () => height }
  const votes = validatorAttacks(victim, validatorKey)
  const floods = followerAttacks(victim)
  const aggressors: Aggressor[] = [
    { privateKey: validatorKey, follower: false, attacksOf: () => votes },
    { privateKey: followerKey, follower: true, attacksOf: (now) => (now === 'flood' ? floods : BREACHES) },
    { privateKey: new Uint8Array(32).fill(77), follower: false, attacksOf: () => BREACHES },
  ]
  const head = { number: Number.MAX_SAFE_INTEGER, hash: genesisHash }
  const helloOf = ({ follower }: Aggressor): Hello => ({
    genesisHash, chainId, protocolVersions: { min: 1, max: 1 }, head, software: 'hostile/1', follower, addresses: [], knownPeers: [],
  })
  const attacks = honest.flatMap((node) => [...aggressors.map((one) => assail(node, one, helloOf(one), stage)), knock(node, stage)])
  await Promise.all([following, ...attacks])
}

describe('hostile peers', () => {
  it('with one validator key and one admitted key take neither the pace nor the memory of four honest nodes', async () => {
    const genesisHash = (await hashAt(honest[0]!.rpc, 0)) as Hash
    const nonce = { next: 0 }
    const quietUntilMs = Date.now() + QUIET_MS
    const quiet = await writeWhile(() => Date.now() < quietUntilMs, nonce)
    const before = await Promise.all(honest.map(rssMib))

    let now: Stage = 'flood'
    const stage = (): Stage => now
    const peaks = [...before]
    const running = Promise.all([attackAll(genesisHash, stage), watchMemory(peaks, stage), writeWhile(() => now !== 'over', nonce)])
    // A node that dies ends the attack at once.
    running.catch(() => (now = 'over'))
    for (const [each, leastMs] of [['flood', FLOOD_MS], ['breach', BREACH_MS]] as const) {
      if (stage() === 'over') break
      now = each
      await sleep(leastMs)
      const wait = async (): Promise<boolean> => stage() === 'over' || (await missingOf(each)).length === 0
      await until(`all limits of the ${each} to count`, wait, COUNTED_WITHIN_MS).catch(() => undefined)
    }
    now = 'over'
    const [, , attacked] = await running

    const growth = peaks.map((peak, index) => Math.round(peak - before[index]!))
    const figures = `p50 ${median(quiet).toFixed(0)} ms quiet (${quiet.length}), ${median(attacked).toFixed(0)} ms attacked (${attacked.length})`
    console.log(`finality ${figures}, longest ${Math.max(...attacked).toFixed(0)} ms, memory grew by ${growth.join(', ')} MiB`)
    expect(await missingOf('flood')).toEqual([])
    expect(await missingOf('breach')).toEqual([])
    expect(await highestRound()).toBeLessThanOrEqual(ROUNDS_MAX)
    expect(attacked.length).toBeGreaterThan(0)
    expect(Math.max(...growth)).toBeLessThan(GROWTH_MIB_MAX)
    await expectOneHistory()
    for (const node of honest) expect(await contradictedAt(node)).toEqual([privateKeyToAddress(validatorKey)])
  }, 300_000)
})

/** Validators of whom the doctor says that they signed two things. */
async function contradictedAt(node: DevnetNode): Promise<unknown[]> {
  const { stdout } = await runCommand(['doctor', '--data', await folderOf(node), '--json'])
  const { findings } = JSON.parse(stdout) as { findings: { code: string; values: { validator?: string } }[] }
  return findings.filter(({ code }) => code === 'EQUIVOCATION').map(({ values }) => values.validator)
}

/** In which any block of the chain was decided. */
async function highestRound(): Promise<number> {
  const { rpc: url } = honest[0]!
  let highest = 0
  for (let height = await heightOf(url); height > 0; height--) {
    const { extraData } = await rpc<{ extraData: string }>(url, 'eth_getBlockByNumber', [`0x${height.toString(16)}`, false])
    highest = Math.max(highest, decodeExtraData(hexToBytes(extraData)).round)
  }
  return highest
}

async function expectOneHistory(): Promise<void> {
  const top = await heightOf(honest[0]!.rpc)
  await until('all honest nodes at one height', async () => {
    const heights = await Promise.all(honest.map((node) => heightOf(node.rpc)))
    return heights.every((one) => one >= top)
  }, 60_000)
  for (const height of [1, top >> 1, top]) {
    const hashes = await Promise.all(honest.map((node) => hashAt(node.rpc, height)))
    expect([height, new Set(hashes).size]).toEqual([height, 1])
  }
}
