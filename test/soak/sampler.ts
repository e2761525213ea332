import { createWriteStream } from 'node:fs'
import { readdir, readFile, readlink, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Cluster, ClusterNode } from '../support/cluster.js'
import type { HttpClient } from '../support/http-client.js'
import { type IndexMeter, createIndexMeter } from './table-indexes.js'

/** One look at one process. */
export interface Sample {
  /** Seconds since the load began. */
  atS: number
  process: string
  pid: number
  rssMb: number
  /** Heap, stacks, malloc: what the process took and only it can give back. */
  anonymousMb: number
  /** `anonymousMb` without `storeMb` and `indexMb`: what no limit bounds, and must not grow. */
  unboundedMb: number
  /** Mapped files, LevelDB's tables above all: the system takes those pages back when it needs them. */
  mappedMb: number
  cpuS: number
  threads: number
  files: number
  sockets: number
  /** Of nodes, by their own metrics. */
  heapMb?: number
  /** Committed by V8: what lives, what waits for the collector, and the gaps between. */
  heapTotalMb?: number
  externalMb?: number
  /** LevelDB's block cache and write buffers. */
  storeMb?: number
  /** The indexes of the chain's tables, read from their files: LevelDB holds those of at most 1,000 tables. */
  indexMb?: number
  height?: number
  diskMb?: number
}

export interface Sampler {
  samples(): readonly Sample[]
  /** @throws what a look failed with: a gap in the series would be silent otherwise */
  stop(): Promise<void>
}

export interface SamplerOptions {
  cluster: Cluster
  client: HttpClient
  file: string
  intervalMs: number
}

interface Target {
  name: string
  pid: number
  node: (ClusterNode & { readonly indexes: IndexMeter }) | undefined
}

const BYTES_PER_MB = 2 ** 20
const KB_PER_MB = 1024
/** The unit of CPU time in /proc, fixed in Linux's interface. */
const TICKS_PER_S = 100

/** Looks at every process every `intervalMs` and writes each look as a line of `file`. */
export async function startSampler({ cluster, client, file, intervalMs }: SamplerOptions): Promise<Sampler> {
  const targets = await findTargets(cluster)
  const samples: Sample[] = []
  const out = createWriteStream(file)
  const startedMs = performance.now()
  let failure: Error | undefined
  let busy: Promise<void> = Promise.resolve()
  const look = async (): Promise<void> => {
    const atS = Math.round((performance.now() - startedMs) / 100) / 10
    const found = await Promise.all(targets.map((target) => sampleOf(target, client, atS)))
    samples.push(...found)
    out.write(found.map((one) => `${JSON.stringify(one)}\n`).join(''))
  }
  const tick = (): void => {
    busy = busy.then(look).catch((error: unknown) => {
      failure ??= error instanceof Error ? error : new Error(String(error))
    })
  }
  tick()
  const timer = setInterval(tick, intervalMs)
  return {
    samples: () => samples,
    async stop() {
      clearInterval(timer)
      await busy
      await new Promise<void>((done) => out.end(done))
      if (failure) throw new Error('a process could not be sampled', { cause: failure })
    },
  }
}

/** The nodes and the gateway that each of them has started. */
async function findTargets(cluster: Cluster): Promise<Target[]> {
  const nodes = cluster.nodes.map((node) => ({
    name: node.name, pid: cluster.lifeOf(node)?.pid ?? 0, node: { ...node, indexes: createIndexMeter(join(node.dir, 'chain')) },
  }))
  const parents = await parentsByPid()
  const gateways = nodes.flatMap(({ name, pid, node }) => {
    const children = [...parents].filter(([, parent]) => parent === pid).map(([child]) => child)
    if (children.length > 0 !== (node.gateway !== undefined)) throw new Error(`${name} has ${children.length} child processes`)
    return children.map((child) => ({ name: `${name} gateway`, pid: child, node: undefined }))
  })
  return [...nodes, ...gateways]
}

async function parentsByPid(): Promise<Map<number, number>> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const found = await Promise.all(pids.map(async (pid) => [pid, (await statOf(pid).catch(() => undefined))?.parent] as const))
  return new Map(found.filter((pair): pair is [number, number] => pair[1] !== undefined))
}

/** Fields of /proc/PID/stat after the command, which may hold blanks: proc(5). */
async function statOf(pid: number): Promise<{ parent: number; cpuS: number }> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ').map(Number)
  return { parent: fields[1]!, cpuS: (fields[11]! + fields[12]!) / TICKS_PER_S }
}

async function sampleOf({ name, pid, node }: Target, client: HttpClient, atS: number): Promise<Sample> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const field = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1])
  const { cpuS } = await statOf(pid)
  const links = await Promise.all((await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => 'closed')))
  const base = {
    atS,
    process: name,
    pid,
    rssMb: rounded(field('VmRSS') / KB_PER_MB),
    anonymousMb: rounded(field('RssAnon') / KB_PER_MB),
    mappedMb: rounded(field('RssFile') / KB_PER_MB),
    cpuS,
    threads: field('Threads'),
    files: links.length,
    sockets: links.filter((link) => link.startsWith('socket:')).length,
  }
  if (Object.values(base).some((value) => typeof value === 'number' && !Number.isFinite(value))) {
    throw new Error(`/proc/${pid}/status of ${name} has not the fields that were expected: ${status}`)
  }
  if (node === undefined) return { ...base, unboundedMb: base.anonymousMb }
  const metrics = await metricsOf(node, client)
  const indexMb = rounded((await node.indexes()) / BYTES_PER_MB)
  const unboundedMb = rounded(base.anonymousMb - metrics.storeMb - indexMb)
  return { ...base, ...metrics, indexMb, unboundedMb, diskMb: rounded((await bytesUnder(node.dir)) / BYTES_PER_MB) }
}

const rounded = (value: number): number => Math.round(value * 100) / 100

type NodeFigures = Required<Pick<Sample, 'heapMb' | 'heapTotalMb' | 'externalMb' | 'storeMb' | 'height'>>

async function metricsOf(node: ClusterNode, client: HttpClient): Promise<NodeFigures> {
  const { text } = await client.send(`${node.admin}/metrics`, { method: 'GET' })
  const metric = (name: string): number => {
    const value = Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)`, 'm').exec(text)?.[1])
    if (!Number.isFinite(value)) throw new Error(`the metrics of ${node.name} hold no ${name}`)
    return value
  }
  return {
    heapMb: rounded(metric('nodejs_heap_size_used_bytes') / BYTES_PER_MB),
    heapTotalMb: rounded(metric('nodejs_heap_size_total_bytes') / BYTES_PER_MB),
    externalMb: rounded(metric('nodejs_external_memory_bytes') / BYTES_PER_MB),
    storeMb: rounded(metric('songhua_store_memory_bytes') / BYTES_PER_MB),
    height: metric('songhua_head_block_number'),
  }
}

/** LevelDB deletes tables while they are counted: one that has gone has no size. */
async function bytesUnder(dir: string): Promise<number> {
  const entries = await readdir(dir, { withFileTypes: true, recursive: true })
  const files = entries.filter((entry) => entry.isFile())
  const sizes = await Promise.all(files.map((file) => stat(join(file.parentPath, file.name)).then(({ size }) => size, () => 0)))
  return sizes.reduce((total, size) => total + size, 0)
}
