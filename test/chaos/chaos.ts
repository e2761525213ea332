import { appendFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { dataPaths } from '@songhua/node/app/options'
import { quorumSize } from '@songhua/sdk/protocol/validator-set'
import { type Audit, audit, blockHashes, heightOf } from '../support/audit.js'
import { type Cluster, type ClusterNode, createCluster } from '../support/cluster.js'
import { sleep } from '../support/devnet.js'
import { type HttpClient, callRpc, createHttpClient } from '../support/http-client.js'
import type { Reaper } from '../support/reaper.js'
import { createSeeded } from '../support/seeded.js'
import { type AcceptedRecords, type WorkPlan, sendTransactions, submitRecords } from '../support/workers.js'
import { type Links, createLinks } from './links.js'
import { type Shape, stormOf } from './schedule.js'
import { type SignatureAudit, SignatureLedger, readSignatures } from './signatures.js'
import { type Deed, type Processes, createProcesses, runStorm } from './storm.js'

export const VALIDATORS = 5
export const FOLLOWERS = 2
const GATEWAYS = 2
const SENDERS = 6
const HTTP_TIMEOUT_MS = 5_000
/** The audit asks for much at once, of nodes that share two cores. */
const AUDIT_TIMEOUT_MS = 60_000
/**
 * Liveness: after healing every node has the next three blocks within this time. A peer is redialled after 15 s at most,
 * and two rounds last 20 s each at most; the rest is for slow machines.
 */
export const HEAL_LIMIT_MS = 75_000
const HEAL_BLOCKS = 3
const DRAIN_LIMIT_MS = 90_000

export interface ChaosOptions {
  minutes: number
  seed: number
  /** Transactions a second; half as many records. */
  rate: number
  /** Folder for the diary and the nodes' data. */
  out: string
  isStopped: () => boolean
  say: (line: string) => void
}

export interface ChaosReport {
  ok: boolean
  seed: number
  minutes: number
  storms: number
  /** How often each thing was done. */
  deeds: Record<string, number>
  acknowledged: number
  records: number
  /** Attempts of clients that had no answer or a refusal, and were made again. */
  retries: number
  /** From the end of a storm to three blocks more on every node, s. */
  healS: number[]
  audit: Audit
  signatures: SignatureAudit
  problems: string[]
  diary: Deed[]
  dataDir: string
}

interface Run {
  options: ChaosOptions
  cluster: Cluster
  client: HttpClient
  links: Links
  startedMs: number
  diary: Deed[]
  problems: string[]
  onProblem: (problem: string) => void
  processes: Processes
  healS: number[]
}

const PROGRESS_MS = 30_000

/** Written as it happens: it is there however the run ends. */
export const diaryFileOf = ({ out, seed }: Pick<ChaosOptions, 'out' | 'seed'>): string => join(out, `seed-${seed}.diary.ndjson`)

/** Storms and healing in turn under load; then everything is checked that can be. */
export async function runChaos(options: ChaosOptions, reaper: Reaper): Promise<ChaosReport> {
  const dataDir = join(options.out, `seed-${options.seed}`)
  for (const path of [dataDir, diaryFileOf(options)]) await rm(path, { recursive: true, force: true })
  await mkdir(options.out, { recursive: true })
  const links = await createLinks(VALIDATORS + FOLLOWERS)
  const cluster = await createChaosCluster(dataDir, links, reaper)
  const problems: string[] = []
  const onProblem = (problem: string): void => {
    problems.push(problem)
    options.say(`PROBLEM: ${problem}`)
  }
  const run: Run = {
    options, cluster, links, problems, onProblem, processes: createProcesses({ cluster, onProblem }),
    client: createHttpClient(HTTP_TIMEOUT_MS), startedMs: performance.now(), diary: [], healS: [],
  }
  try {
    return await live(run)
  } finally {
    await run.processes.stop()
    run.client.close()
    await links.close()
  }
}

/** Each node knows the others by proxies of its own, and never dials what peers tell it. */
async function createChaosCluster(dir: string, links: Links, reaper: Reaper): Promise<Cluster> {
  const cluster = await createCluster({ dir, validators: VALIDATORS, followers: FOLLOWERS, gateways: GATEWAYS }, reaper, (node, all) => ({
    'p2p.bootnodesOnly': true,
    'p2p.bootnodes': all.flatMap((other, target) =>
      other === node || other.role === 'follower' ? [] : [`/ip4/127.0.0.1/tcp/${links.port(all.indexOf(node), target)}/p2p/${other.identity.peerId}`],
    ),
    'signatures.journal': true,
  }))
  for (const node of cluster.nodes) links.route(node.index, node.ports.p2p)
  return cluster
}

interface Load {
  /** Ends the load; resolves when every request under way has its answer. */
  stop(): Promise<{ acknowledged: string[]; delivered: string[]; records: AcceptedRecords }>
  /** Rejects when a client met an answer that no retry can cure. */
  failed: Promise<never>
  retries: () => number
}

function startLoad({ options, cluster, client }: Run): Load {
  let isOver = false
  let retries = 0
  const planOf = (label: string, gapMs: number): WorkPlan => ({
    cluster, client, random: createSeeded(options.seed, label), gapMs, isOver: () => isOver, onFailure: () => (retries += 1),
  })
  const senders = Array.from({ length: SENDERS }, (_, index) =>
    sendTransactions({ ...planOf(`sender ${index}`, (SENDERS * 1000) / options.rate), account: cluster.accounts[index]!, targets: cluster.nodes, onAcknowledged: () => undefined }),
  )
  const gateways = cluster.nodes.filter((node) => node.gateway !== undefined)
  const writers = gateways.map((gateway, index) =>
    submitRecords({ ...planOf(`records ${index}`, (gateways.length * 2000) / options.rate), gateway, first: index, step: gateways.length, onAccepted: () => undefined }),
  )
  const all = Promise.all([Promise.all(senders), Promise.all(writers)])
  return {
    retries: () => retries,
    failed: new Promise((_, failed) => void all.catch(failed)),
    async stop() {
      isOver = true
      const [sent, ids] = await all
      const acknowledged = sent.flatMap((work) => work.acknowledged.map(({ hash }) => hash))
      const known = sent.flatMap((work) => work.known.map(({ hash }) => hash))
      return { acknowledged, delivered: [...acknowledged, ...known], records: new Map(gateways.map((node, index) => [node, ids[index]!])) }
    },
  }
}

async function live(run: Run): Promise<ChaosReport> {
  const { options, cluster, processes } = run
  await Promise.all(cluster.nodes.map((node) => processes.start(node)))
  run.startedMs = performance.now()
  const load = startLoad(run)
  const progress = setInterval(() => options.say(progressLine(run, load)), PROGRESS_MS)
  try {
    const storms = await Promise.race([stormAfterStorm(run), load.failed])
    options.say('the storms are over: healing, draining, auditing')
    const { acknowledged, delivered, records } = await Promise.race([load.stop(), load.failed, unanswered()])
    await drain(run)
    return await conclude(run, { storms, acknowledged, delivered, records, retries: load.retries() })
  } finally {
    clearInterval(progress)
  }
}

/** A client asks until it is answered: nodes that stay dumb must not make it ask for ever. */
function unanswered(): Promise<never> {
  const message = `NOT LIVE: requests are without an answer ${DRAIN_LIMIT_MS / 1000} s after the last storm`
  return new Promise((_, failed) => void setTimeout(() => failed(new Error(message)), DRAIN_LIMIT_MS).unref())
}

const nowS = ({ startedMs }: Run): number => (performance.now() - startedMs) / 1000

function progressLine(run: Run, load: Load): string {
  const up = run.cluster.nodes.filter((node) => run.cluster.lifeOf(node) !== undefined).length
  const last = run.healS.at(-1)
  return `${Math.round(nowS(run))} of ${run.options.minutes * 60} s: ${run.diary.length} faults, ${up} of ${run.cluster.nodes.length} nodes up, ` +
    `${run.links.connections()} connections, ${load.retries()} retries, last healed in ${last ?? '–'} s, ${run.problems.length} problems`
}

async function stormAfterStorm(run: Run): Promise<number> {
  const { options, cluster, links, processes, onProblem } = run
  const shape: Shape = { validators: VALIDATORS, followers: FOLLOWERS, stormS: options.minutes < 3 ? [12, 16] : [20, 45] }
  const onDeed = (deed: Deed): void => {
    run.diary.push(deed)
    appendFileSync(diaryFileOf(options), `${JSON.stringify(deed)}\n`)
  }
  const stage = { cluster, links, nowS: () => nowS(run), onDeed, onProblem }
  let number = 0
  while (!options.isStopped() && (number === 0 || nowS(run) < options.minutes * 60)) {
    await runStorm(stormOf(options.seed, number, shape), stage, processes)
    await expectProgress(run)
    number += 1
  }
  return number
}

/** Liveness, demanded after every storm. */
async function expectProgress(run: Run): Promise<void> {
  const beganMs = performance.now()
  const { nodes } = run.cluster
  const heights = (): Promise<number[]> => Promise.all(nodes.map((node) => heightOf(run.client, node).catch(() => -1)))
  const goal = Math.max(...(await heights())) + HEAL_BLOCKS
  let last = await heights()
  while (last.some((height) => height < goal)) {
    if (performance.now() - beganMs > HEAL_LIMIT_MS) {
      const places = nodes.map(({ name }, index) => `${name} ${last[index]}`).join(', ')
      return run.onProblem(`NOT LIVE: ${HEAL_LIMIT_MS / 1000} s after healing not every node is at block ${goal}: ${places}`)
    }
    await sleep(200)
    last = await heights()
  }
  run.healS.push(Math.round((performance.now() - beganMs) / 100) / 10)
}

/** Until no node has a transaction left that waits. */
async function drain(run: Run): Promise<void> {
  const waiting = async (node: ClusterNode): Promise<number> => {
    const { result } = await callRpc<{ pending: string; queued: string }>(run.client, node.rpc, ['txpool_status'])
    return Number(result?.pending) + Number(result?.queued)
  }
  const deadline = performance.now() + DRAIN_LIMIT_MS
  for (;;) {
    const left = await Promise.all(run.cluster.nodes.map((node) => waiting(node).catch(() => NaN)))
    if (left.every((count) => count === 0)) return
    if (performance.now() > deadline) return run.onProblem(`transactions wait in the pools after ${DRAIN_LIMIT_MS / 1000} s: ${left.join(', ')}`)
    await sleep(200)
  }
}

interface Outcome {
  storms: number
  acknowledged: string[]
  delivered: string[]
  records: AcceptedRecords
  retries: number
}

async function conclude(run: Run, outcome: Outcome): Promise<ChaosReport> {
  const { cluster, options, problems } = run
  const client = createHttpClient(AUDIT_TIMEOUT_MS)
  const found = await audit({ cluster, client, transactions: outcome.delivered, records: outcome.records })
  const hashes = await blockHashes(client, cluster.nodes[0]!, found.heights)
  client.close()
  await run.processes.stop()
  const ledger = new SignatureLedger(quorumSize(VALIDATORS))
  const validators = cluster.nodes.filter(({ role }) => role !== 'follower')
  for (const { dir } of validators) await readSignatures(dataPaths(dir).signaturesFile, ledger)
  const signatures = ledger.close(found.heights, (height) => hashes[height])
  const kinds = run.diary.map(({ action }) => action.kind)
  const deeds = Object.fromEntries([...new Set(kinds)].map((kind) => [kind, kinds.filter((one) => one === kind).length]))
  const records = [...outcome.records.values()].flat().length
  return {
    ok: [problems, found.problems, signatures.problems].every((list) => list.length === 0) && outcome.acknowledged.length > 0 && records > 0,
    seed: options.seed,
    minutes: Math.round(nowS(run) / 6) / 10,
    storms: outcome.storms,
    deeds,
    acknowledged: outcome.acknowledged.length,
    records,
    retries: outcome.retries,
    healS: run.healS,
    audit: found,
    signatures,
    problems,
    diary: run.diary,
    dataDir: cluster.dir,
  }
}
