import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { toAddress } from '@songhua/sdk/protocol/bytes'
import { recoverSealers } from '@songhua/sdk/protocol/seals'
import { headerFromJson } from '@songhua/sdk/chain/block-json'
import { CRASH_NOTE, CRASH_POINTS, type CrashPoint } from '@songhua/node/base/crash-points'
import { CRASH_VARIABLE } from '@songhua/node/cli/crash-order'
import { type Devnet, type DevnetNode, type Running, heightOf, rpc, startSonghua, until } from './devnet.js'
import { batchRpc, createHttpClient } from './http-client.js'

/** A devnet whose nodes are killed one after another, where it was ordered, and started again. */
export interface CrashLab {
  readonly nodes: readonly DevnetNode[]
  readonly dataDir: string
  /** Those that have not been killed. */
  alive(): DevnetNode[]
  folderOf(node: DevnetNode): Promise<string>
  kill(node: DevnetNode): Promise<void>
  /** Does not wait until it answers. @param point at which it, or its gateway, is to die the `nth` time it is there */
  start(node: DevnetNode, order?: { point: CrashPoint; nth: number }, flags?: readonly string[]): Promise<Running>
  /** Kills it, and starts it with the order; resolves when it, or its gateway, has died there, and only there. */
  dieAt(node: DevnetNode, order: { point: CrashPoint; nth: number }, flags?: readonly string[]): Promise<void>
  /** Resolves when it answers and is where the others are. */
  revive(node: DevnetNode): Promise<void>
  stop(): Promise<void>
}

const DEATH_MS = 120_000
const CATCH_UP_MS = 120_000

const hex = (height: number): string => `0x${height.toString(16)}`

export const pointsOf = (process: 'node' | 'gateway'): CrashPoint[] =>
  (Object.keys(CRASH_POINTS) as CrashPoint[]).filter((point) => CRASH_POINTS[point].process === process)

export function createCrashLab(devnet: Devnet): CrashLab {
  const { nodes } = devnet.ready
  const { dataDir } = devnet
  const started = new Map<DevnetNode, Running>()
  const dead = new Set<DevnetNode>()

  const lab: CrashLab = {
    nodes,
    dataDir,
    alive: () => nodes.filter((node) => !dead.has(node)),
    folderOf: (node) => findFolder(dataDir, node),
    async kill(node) {
      dead.add(node)
      await endOf(node, started.get(node))
    },
    async start(node, order, flags = []) {
      const environment = order === undefined ? {} : { [CRASH_VARIABLE]: `${order.point}:${order.nth}` }
      const words = ['start', '--data', await findFolder(dataDir, node), '--log-format', 'json', ...flags]
      const running = startSonghua(words, environment)
      started.set(node, running)
      return running
    },
    async dieAt(node, order, flags) {
      await lab.kill(node)
      const running = await lab.start(node, order, flags)
      const note = `${CRASH_NOTE}${order.point}\n`
      const isGateway = CRASH_POINTS[order.point].process === 'gateway'
      const hasEnded = (): boolean => running.process.signalCode !== null || running.process.exitCode !== null
      if (isGateway) dead.delete(node)
      await until(`${node.name} to die at ${order.point}`, () => running.output().includes(note) || hasEnded(), DEATH_MS)
      expect(running.output(), lastLines(running)).toContain(note)
      if (isGateway) return
      await until(`${node.name} to be gone`, hasEnded)
      expect([running.process.signalCode, running.process.exitCode]).toEqual(['SIGKILL', null])
    },
    async revive(node) {
      const running = await lab.start(node)
      await until(`${node.name} to answer\n${lastLines(running)}`, async () => (await heightOf(node.rpc)) >= 0, CATCH_UP_MS)
      const heights = await Promise.all(lab.alive().map(({ rpc: url }) => heightOf(url)))
      await until(`${node.name} to catch up`, async () => (await heightOf(node.rpc)) >= Math.max(...heights), CATCH_UP_MS)
      dead.delete(node)
    },
    async stop() {
      await Promise.all([...started.values()].map((running) => running.stop()))
      await devnet.stop()
    },
  }
  return lab
}

const lastLines = (running: Running): string => running.output().split('\n').slice(-8).join('\n')

/** By its p2p address, so that this knows nothing of how folders are named. */
async function findFolder(dataDir: string, node: DevnetNode): Promise<string> {
  for (const name of await readdir(dataDir)) {
    const config = await readFile(join(dataDir, name, 'songhua.json'), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return ''
      throw error
    })
    if (config.includes(`"port": ${new URL(node.rpc).port}`)) return join(dataDir, name)
  }
  throw new Error(`no folder of ${node.name} under ${dataDir}`)
}

async function endOf(node: DevnetNode, running: Running | undefined): Promise<void> {
  if (running !== undefined) return kill(running)
  if (isRunning(node.pid)) process.kill(node.pid, 'SIGKILL')
  await until(`${node.name} to be gone`, () => !isRunning(node.pid))
}

async function kill(running: Running): Promise<void> {
  const { exitCode, signalCode } = running.process
  if (exitCode === null && signalCode === null) await running.stop('SIGKILL')
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

/** Its seal stands, where another node has the block, above the height of now: it has voted, and been heard. */
export async function expectVotes(lab: CrashLab, node: DevnetNode): Promise<void> {
  const witness = lab.alive().find((other) => other !== node)!
  let next = (await heightOf(witness.rpc)) + 1
  await until(`the seal of ${node.name} on a block`, async () => {
    for (const top = await heightOf(witness.rpc); next <= top; next++) {
      const block = await rpc<object>(witness.rpc, 'eth_getBlockByNumber', [hex(next), false])
      if (recoverSealers(headerFromJson(block)).includes(toAddress(node.address))) return true
    }
    return false
  }, CATCH_UP_MS)
}

/** Blocks asked for in one batch. */
const BLOCKS_AT_ONCE = 50

/** What `call` answers for each height, asked for many at once. */
async function forHeights<T>(url: string, range: { from: number; to: number }, call: (height: string) => [string, ...unknown[]]): Promise<T[]> {
  const client = createHttpClient(CATCH_UP_MS)
  const answers: T[] = []
  for (let from = range.from; from <= range.to; from += BLOCKS_AT_ONCE) {
    const count = Math.min(BLOCKS_AT_ONCE, range.to - from + 1)
    const calls = Array.from({ length: count }, (_, index) => call(hex(from + index)))
    answers.push(...(await batchRpc<T>(client, url, calls)))
  }
  client.close()
  return answers
}

/** No two nodes have different blocks from `from` on. @returns the height up to which all have been compared */
export async function expectOneHistory(lab: CrashLab, from = 0): Promise<number> {
  const to = Math.min(...(await Promise.all(lab.nodes.map((node) => heightOf(node.rpc)))))
  const histories = await Promise.all(
    lab.nodes.map(({ rpc: url }) => forHeights<{ hash: string }>(url, { from, to }, (height) => ['eth_getBlockByNumber', height, false])),
  )
  const hashes = histories.map((blocks) => blocks.map(({ hash }) => hash))
  expect(hashes[0]).toHaveLength(to - from + 1)
  for (const [index, other] of hashes.entries()) expect(other, lab.nodes[index]!.name).toEqual(hashes[0])
  return to
}

/** Nobody has heard anybody say two things. */
export async function expectNoEquivocation(lab: CrashLab): Promise<void> {
  for (const { admin, name } of lab.alive()) {
    const figures = await (await fetch(`${admin}/metrics`)).text()
    const found = /^songhua_consensus_equivocations_total (\d+)$/m.exec(figures)
    expect([name, found?.[1]]).toEqual([name, '0'])
  }
}

/** Each of these is in one block, once, with success; the node's blocks are those of all, as `expectOneHistory` finds. */
export async function expectFinalOnce(lab: CrashLab, hashes: readonly string[]): Promise<void> {
  const node = lab.nodes[0]!
  await until(`the last transaction final at ${node.name}`, async () => {
    return (await rpc<object | null>(node.rpc, 'eth_getTransactionReceipt', [hashes.at(-1)])) !== null
  }, CATCH_UP_MS)
  const range = { from: 0, to: await heightOf(node.rpc) }
  const blocks = await forHeights<{ transactionHash: string; status: string }[]>(node.rpc, range, (height) => ['eth_getBlockReceipts', height])
  const times = new Map<string, number>()
  for (const { transactionHash, status } of blocks.flat()) {
    if (status === '0x1') times.set(transactionHash, (times.get(transactionHash) ?? 0) + 1)
  }
  expect(hashes.filter((hash) => times.get(hash) !== 1)).toEqual([])
}
