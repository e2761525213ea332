import { type Cluster, type ClusterNode, EndedEarly, type Life } from '../support/cluster.js'
import { sleep } from '../support/devnet.js'
import type { LinkFault, Links } from './links.js'
import type { Action, Storm } from './schedule.js'

/** A line of the diary: what was planned, and when it was really done. */
export interface Deed {
  storm: number
  plannedS: number
  /** Since the start of the run. */
  doneS: number
  action: Action
}

export interface Stage {
  cluster: Cluster
  links: Links
  /** Seconds since the start of the run. */
  nowS: () => number
  onDeed: (deed: Deed) => void
  /** A node ended that nobody had ended, or did not come up. */
  onProblem: (problem: string) => void
}

/** Nodes whose every end is either ours or a problem. */
export interface Processes {
  start(node: ClusterNode): Promise<void>
  kill(node: ClusterNode): Promise<void>
  restart(node: ClusterNode, pauseMs: number): Promise<void>
  freeze(node: ClusterNode, forMs: number): Promise<void>
  /** Ends all of them: from now on that is no problem. */
  stop(): Promise<void>
}

export function createProcesses({ cluster, onProblem }: Pick<Stage, 'cluster' | 'onProblem'>): Processes {
  const expected = new Set<number>()
  let isOver = false
  const start = async (node: ClusterNode): Promise<void> => {
    const life = await cluster.start(node).catch((error: unknown) => {
      // A storm may kill a node that another of its deeds is just starting.
      if (error instanceof EndedEarly && expected.delete(error.pid)) return undefined
      throw error
    })
    void life?.exited.then(({ code, signal }) => {
      if (!expected.delete(life.pid) && !isOver) onProblem(`${node.name} (pid ${life.pid}) ended by itself: ${signal ?? `exit code ${code}`}; see ${node.dir}/node.log`)
    })
  }
  const endBy = async (node: ClusterNode, end: (life: Life) => Promise<void> | void): Promise<void> => {
    const life = cluster.lifeOf(node)
    if (life === undefined) return
    expected.add(life.pid)
    await end(life)
    await life.exited
  }
  return {
    start,
    kill: (node) => endBy(node, (life) => life.kill()),
    async restart(node, pauseMs) {
      await endBy(node, (life) => life.stop())
      await sleep(pauseMs)
      await start(node)
    },
    async freeze(node, forMs) {
      const life = cluster.lifeOf(node)
      if (life === undefined) return
      process.kill(life.pid, 'SIGSTOP')
      await sleep(forMs)
      if (cluster.lifeOf(node) === life) process.kill(life.pid, 'SIGCONT')
    },
    stop() {
      isOver = true
      return cluster.stop()
    },
  }
}

/** Does everything that the storm holds; when it resolves, all is healed and every node is up. */
export async function runStorm(storm: Storm, stage: Stage, processes: Processes): Promise<void> {
  const beganS = stage.nowS()
  const doing = storm.events.map(async ({ atS, action }) => {
    await sleep((beganS + atS - stage.nowS()) * 1000)
    stage.onDeed({ storm: storm.number, plannedS: atS, doneS: Math.round(stage.nowS() * 10) / 10, action })
    await perform(action, stage, processes)
  })
  await Promise.all([...doing, sleep(storm.lengthS * 1000)])
  const missing = stage.cluster.nodes.filter((node) => stage.cluster.lifeOf(node) === undefined)
  await Promise.all(missing.map((node) => processes.start(node)))
}

async function perform(action: Action, { cluster, links }: Stage, processes: Processes): Promise<void> {
  const forMs = action.forS * 1000
  const nodeOf = (number: number): ClusterNode => cluster.nodes[number]!
  const during = async (faults: readonly LinkFault[]): Promise<void> => {
    const lifts = faults.map((fault) => links.impose(fault))
    await sleep(forMs)
    for (const lift of lifts) lift()
  }
  switch (action.kind) {
    case 'kill':
      await Promise.all(action.nodes.map((node) => processes.kill(nodeOf(node))))
      await sleep(forMs)
      return void (await Promise.all(action.nodes.map((node) => processes.start(nodeOf(node)))))
    case 'freeze':
      return processes.freeze(nodeOf(action.node), forMs)
    case 'restart':
      return processes.restart(nodeOf(action.node), forMs)
    case 'cut':
      return during([{ kind: 'cut', a: action.a, b: action.b }])
    case 'partition':
      return during(cutsBetween(action.group, cluster.nodes.length))
    case 'oneWay':
      return during(action.from.flatMap((from) => action.to.map((to) => ({ kind: 'hold' as const, from, to }))))
    case 'delay':
      return during([{ kind: 'delay', from: action.from, to: action.to, delayMs: action.delayMs }])
    case 'reset':
      return links.reset(action.a, action.b)
    case 'halfOpen': {
      const tell = links.halve(action.a, action.b, action.a)
      await sleep(forMs)
      return tell()
    }
    default:
      return action satisfies never
  }
}

function cutsBetween(group: readonly number[], nodes: number): LinkFault[] {
  const others = Array.from({ length: nodes }, (_, index) => index).filter((node) => !group.includes(node))
  return group.flatMap((a) => others.map((b) => ({ kind: 'cut' as const, a, b })))
}
