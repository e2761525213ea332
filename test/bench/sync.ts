import { join } from 'node:path'
import { installNativeCrypto } from '@songhua/node/execution/native-crypto'
import { privateKeyToIdentity } from '@songhua/node/cli/identity'
import { type Running, freeBasePort, hashAt, heightOf, sleep, startSonghua, until } from '../support/devnet.js'
import { type LongChain, createFollowerFolder, createLongChain, writeLongChain } from './long-chain.js'
import { type Usage, usageOf } from './usage.js'

/** What the scenario `sync` prints. */
export interface SyncReport {
  scenario: 'sync'
  validators: number
  blocks: number
  transactionsPerBlock: number
  /** Of the least, the middle and the fastest of the runs. */
  blocksPerSecond: number[]
  transactionsPerSecond: number[]
  /** From the start of the follower's process to its first block. */
  firstBlockMs: number[]
  /** CPU of the follower, for one block, in microseconds. */
  followerCpuUsPerBlock: number[]
  followerRssMbMax: number
  servingCpuUsPerBlock: number[]
  servingRssMbMax: number
  errors: number
}

export interface SyncShape {
  validators: number
  blocks: number
  transactionsPerBlock: number
  runs: number
}

interface Run {
  blocksPerSecond: number
  firstBlockMs: number
  follower: Usage
  serving: Usage
  isSame: boolean
}

const LOOK_EVERY_MS = 50
const PORTS_PER_NODE = 10
const START_TIMEOUT_MS = 60_000
const SYNC_TIMEOUT_MS = 600_000

/**
 * One process serves a chain of `blocks` blocks, each run starts a process with an empty folder that fetches it over
 * its socket, verifies and executes it.
 */
export async function measureSync(dir: string, { validators, blocks, transactionsPerBlock, runs }: SyncShape): Promise<SyncReport> {
  await installNativeCrypto()
  const chain = await createLongChain(dir, { validators, followers: runs + 1, blocks })
  const port = await freeBasePort(runs + 1)
  const folder = join(dir, 'serving')
  await createFollowerFolder(folder, { key: chain.followerKeys[0]!, port, bootnodes: [] })
  const hash = await writeLongChain(folder, chain, { blocks, transactionsPerBlock })
  const serving = startSonghua(['start', '--data', folder])
  try {
    await until('the serving node', () => heightOf(rpcOf(port)), START_TIMEOUT_MS)
    const found: Run[] = []
    for (let run = 1; run <= runs; run++) found.push(await measureRun(dir, chain, { run, port, blocks, hash }))
    return reportOf({ validators, blocks, transactionsPerBlock, runs }, found)
  } finally {
    await serving.stop()
  }
}

const rpcOf = (port: number): string => `http://127.0.0.1:${port}`
const adminOf = (port: number): string => `http://127.0.0.1:${port + 1}`

async function measureRun(
  dir: string,
  chain: LongChain,
  { run, port: servingPort, blocks, hash }: { run: number; port: number; blocks: number; hash: string },
): Promise<Run> {
  const folder = join(dir, `follower-${run}`)
  const port = servingPort + run * PORTS_PER_NODE
  const { peerId } = privateKeyToIdentity(chain.followerKeys[0]!)
  const bootnodes = [`/ip4/127.0.0.1/tcp/${servingPort + 2}/p2p/${peerId}`]
  await createFollowerFolder(folder, { key: chain.followerKeys[run]!, port, bootnodes })
  const servedBefore = await usageOf(adminOf(servingPort))
  const startedMs = performance.now()
  const follower = startSonghua(['start', '--data', folder])
  try {
    const { firstMs, first, lastMs } = await followToHead(follower, rpcOf(port), blocks)
    const serving = await usageOf(adminOf(servingPort))
    return {
      blocksPerSecond: ((blocks - first) / (lastMs - firstMs)) * 1_000,
      firstBlockMs: firstMs - startedMs,
      follower: await usageOf(adminOf(port)),
      serving: { cpuUs: serving.cpuUs - servedBefore.cpuUs, rssMb: serving.rssMb },
      isSame: (await hashAt(rpcOf(port), blocks)) === hash,
    }
  } finally {
    await follower.stop()
  }
}

/** The first look that shows a block, and the one that shows the last. */
async function followToHead(
  follower: Running,
  rpc: string,
  blocks: number,
): Promise<{ firstMs: number; first: number; lastMs: number }> {
  const height = async (): Promise<number> => {
    if (follower.process.exitCode !== null) throw new Error(`the follower ended:\n${follower.output()}`)
    return heightOf(rpc)
  }
  const first = await until('the first block', height, START_TIMEOUT_MS)
  const firstMs = performance.now()
  const deadlineMs = firstMs + SYNC_TIMEOUT_MS
  while ((await height()) < blocks) {
    if (performance.now() > deadlineMs) throw new Error(`not at block ${blocks} in time:\n${follower.output()}`)
    await sleep(LOOK_EVERY_MS)
  }
  return { firstMs, first, lastMs: performance.now() }
}

function reportOf({ validators, blocks, transactionsPerBlock }: SyncShape, runs: readonly Run[]): SyncReport {
  const figures = (of: (run: Run) => number): number[] => runs.map((run) => Math.round(of(run))).sort((a, b) => a - b)
  return {
    scenario: 'sync',
    validators,
    blocks,
    transactionsPerBlock,
    blocksPerSecond: figures((run) => run.blocksPerSecond),
    transactionsPerSecond: figures((run) => run.blocksPerSecond * transactionsPerBlock),
    firstBlockMs: figures((run) => run.firstBlockMs),
    followerCpuUsPerBlock: figures((run) => run.follower.cpuUs / blocks),
    followerRssMbMax: Math.max(...figures((run) => run.follower.rssMb)),
    servingCpuUsPerBlock: figures((run) => run.serving.cpuUs / blocks),
    servingRssMbMax: Math.max(...figures((run) => run.serving.rssMb)),
    errors: runs.filter(({ isSame }) => !isSame).length,
  }
}
