import { join, resolve } from 'node:path'
import { mkdir } from 'node:fs/promises'
import type { OptionValues } from '@songhua/node/app/options'
import { dataPaths } from '@songhua/node/app/options'
import type { CliContext } from '@songhua/node/cli/context'
import { optionsToText } from '@songhua/node/cli/data-folder'
import { type DevAccount, devAccounts } from '@songhua/node/cli/dev-accounts'
import { openDevApiKey } from '@songhua/node/cli/dev-api-key'
import { type DevnetChild, type DevnetExit, startChild } from '@songhua/node/cli/devnet-children'
import { type DevnetNode, createDevnet, identifyDevnet } from '@songhua/node/cli/devnet-folder'
import { checkPorts, nodeOptions, planDevnet } from '@songhua/node/cli/devnet-plan'
import { replaceFile } from '@songhua/node/cli/files'
import { createTranslator } from '@songhua/node/cli/messages'
import { DEVNET_CHAIN_ID } from '@songhua/node/cli/node-config'
import { freeBasePort } from './devnet.js'
import type { Reaper } from './reaper.js'

const READY_TIMEOUT_MS = 180_000

export interface ClusterShape {
  dir: string
  validators: number
  followers: number
  /** How many of the first nodes have one. */
  gateways: number
}

/** A node of a cluster, running or not; its addresses stay the same over all its lives. */
export interface ClusterNode extends DevnetNode {
  index: number
  rpc: string
  admin: string
  /** Undefined when it has none. */
  gateway: string | undefined
}

export interface Life {
  pid: number
  exited: Promise<DevnetExit>
  /** Asks it to stop, and kills it when it does not. */
  stop(): Promise<void>
  kill(): void
}

/** Nodes as operating-system processes, each of which the harness starts, stops and kills by itself. */
export interface Cluster {
  chainId: number
  dir: string
  nodes: readonly ClusterNode[]
  accounts: readonly DevAccount[]
  /** Of the gateways. */
  apiKey: string
  /** Resolves when it answers; `program` is another build than this repository's. @throws when it ends before that, with its exit */
  start(node: ClusterNode, program?: string): Promise<Life>
  /** Of a node that runs. */
  lifeOf(node: ClusterNode): Life | undefined
  /** Ends all of them. */
  stop(): Promise<void>
}

const context: CliContext = {
  language: 'en',
  t: createTranslator('en'),
  stdin: process.stdin,
  stdout: process.stderr,
  stderr: process.stderr,
  environment: {},
  program: resolve(import.meta.dirname, '../../node/bin/songhua.mjs'),
}

export type Configure = (node: DevnetNode, all: readonly DevnetNode[]) => Partial<OptionValues>

/** Folder, keys, genesis and configuration; nothing is started. `configure` is laid over what a devnet's node gets. */
export async function createCluster(shape: ClusterShape, reaper: Reaper, configure: Configure = () => ({})): Promise<Cluster> {
  const { dir, ...counts } = shape
  const basePort = await freeBasePort(shape.validators + shape.followers)
  const plan = planDevnet(context, { dir, basePort, ...counts })
  await checkPorts(context, plan)
  const accounts = devAccounts()
  await mkdir(resolve(dir, '..'), { recursive: true })
  await createDevnet(context, { dir, plan, accounts })
  const planned = await identifyDevnet(context, plan)
  for (const node of planned) await writeOptions(node, planned, configure)
  const apiKey = await openDevApiKey(context, dir, planned)
  const nodes = planned.map((node, index) => toClusterNode(node, index))
  return { chainId: DEVNET_CHAIN_ID, dir, nodes, accounts, apiKey, ...createLives(reaper) }
}

async function writeOptions(node: DevnetNode, all: readonly DevnetNode[], configure: Configure): Promise<void> {
  const others = all.filter((other) => other !== node && other.role !== 'follower')
  const bootnodes = others.map(({ ports, identity }) => `/ip4/127.0.0.1/tcp/${ports.p2p}/p2p/${identity.peerId}`)
  const options = { ...nodeOptions(node, { bootnodes, logLevel: 'info' }), ...configure(node, all) }
  await replaceFile(dataPaths(node.dir).configFile, optionsToText(options))
}

function toClusterNode(node: DevnetNode, index: number): ClusterNode {
  const { rpc, admin, gateway } = node.ports
  const url = (port: number): string => `http://127.0.0.1:${port}`
  return { ...node, index, rpc: url(rpc), admin: url(admin), gateway: node.hasGateway ? url(gateway) : undefined }
}

/** A node ended before it was ready: by itself, or because whoever runs the cluster had enough of it already. */
export class EndedEarly extends Error {
  readonly pid: number

  constructor(message: string, pid: number) {
    super(message)
    this.pid = pid
  }
}

function createLives(reaper: Reaper): Pick<Cluster, 'start' | 'lifeOf' | 'stop'> {
  const lives = new Map<number, Life>()
  const watch = (node: ClusterNode, child: DevnetChild): Life => {
    reaper.begun(child.pid)
    const life = { pid: child.pid, exited: child.exited, stop: () => child.stop(), kill: () => child.kill() }
    lives.set(node.index, life)
    void child.exited.then(() => {
      reaper.ended(child.pid)
      if (lives.get(node.index) === life) lives.delete(node.index)
    })
    return life
  }
  return {
    lifeOf: (node) => lives.get(node.index),
    async start(node, program = context.program) {
      const child = await startChild({ ...context, program }, node)
      const life = watch(node, child)
      const failed = child.exited.then(({ code, signal }) => {
        const how = signal ?? `exit code ${code}`
        throw new EndedEarly(`${node.name} ended by ${how} before it was ready; see ${child.logFile}`, child.pid)
      })
      await withTimeout(Promise.race([child.ready, failed]), `${node.name} to be ready; see ${child.logFile}`)
      return life
    },
    stop: async () => void (await Promise.all([...lives.values()].map((life) => life.stop()))),
  }
}

function withTimeout<T>(work: Promise<T>, what: string): Promise<T> {
  return new Promise((done, failed) => {
    const timer = setTimeout(() => failed(new Error(`waited ${READY_TIMEOUT_MS} ms for ${what}`)), READY_TIMEOUT_MS)
    work.then(done, failed).finally(() => clearTimeout(timer))
  })
}

/** Where a devnet's node keeps the genesis that it shares with the others. */
export const genesisFileOf = (cluster: Pick<Cluster, 'dir'>): string => join(cluster.dir, 'genesis.json')
