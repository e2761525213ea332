import { readFile } from 'node:fs/promises'
import { type Address, type Hash, bytesToHex } from '@songhua/sdk/protocol/bytes'
import { privateKeyToAddress } from '@songhua/sdk/protocol/crypto'
import { messageOf } from '@songhua/sdk/protocol/errors'
import { parseGenesis } from '@songhua/sdk/protocol/genesis'
import { type Clock, systemClock } from '../base/clock.js'
import { CRASH_POINTS, armCrashPoint } from '../base/crash-points.js'
import { createHub } from '../base/hub.js'
import type { Logger } from '../base/logger.js'
import { installNativeCrypto } from '../execution/native-crypto.js'
import { policyStateOf } from '../permission/policy.js'
import { CONSENSUS_GAUGES, type ConsensusDriver } from '../services/consensus-ports.js'
import type { SyncProgress } from '../services/sync.js'
import type { NodeConfig } from './config.js'
import { createDiagnosis } from './diagnosis.js'
import { asDiskFull, checkDiskRoom, diskReserve, watchDiskRoom } from './disk-room.js'
import { type Doors, openDoors } from './doors.js'
import { createFatal } from './fatal.js'
import { type GovernanceMetrics, createGovernanceMetrics } from './governance-metrics.js'
import { type Ledger, openLedger } from './ledger.js'
import { createLogger } from './logger.js'
import { type Peers, createPeers } from './peers.js'
import { type ProtocolWatch, createProtocolWatch } from './protocol-watch.js'
import { type StopStack, createStopStack } from './stop-stack.js'
import { createValidator } from './validator.js'
import { PROTOCOL_VERSIONS, SOFTWARE } from './version.js'

export interface NodeFacts {
  readonly name: string
  readonly address: Address
  readonly peerId: string
  /** Multiaddrs under which it can be dialled. */
  readonly p2p: string[]
  readonly rpc: string
  readonly admin: string
  /** Undefined when it has none. */
  readonly gateway: string | undefined
  /** Of the account that anchors the gateway's records. */
  readonly gatewayAccount: Address | undefined
  readonly chainId: number
  readonly genesisHash: Hash
}

export interface RunningNode {
  readonly info: NodeFacts
  /** Stops everything in the reverse order of its start. */
  stop(): Promise<void>
  /** The node can go on no longer, and why, also when that was before this call; it must then be stopped. */
  onFatal(listener: (error: unknown) => void): void
  onSyncProgress(listener: (progress: SyncProgress) => void): () => void
}

/**
 * The composition root: opens, wires and starts a node; resolves when both of its ports answer.
 * @throws CodedError of whichever part refuses to start; nothing is then left running
 */
export async function createNode(config: NodeConfig): Promise<RunningNode> {
  const address = privateKeyToAddress(config.nodeKey)
  const name = config.name === '' ? address.slice(0, 10) : config.name
  const logger = createLogger(config.log, { node: name })
  const stops = createStopStack(logger)
  try {
    return await compose(config, { name, address, logger, stops })
  } catch (error) {
    await stops.run()
    throw await asDiskFull(error, diskReserve(config))
  }
}

interface Frame {
  readonly name: string
  readonly address: Address
  readonly logger: Logger
  readonly stops: StopStack
}

async function compose(config: NodeConfig, frame: Frame): Promise<RunningNode> {
  const { logger, stops } = frame
  if (config.crashAt && CRASH_POINTS[config.crashAt.point].process === 'node') armCrashPoint(config.crashAt)
  const clock = systemClock
  const onListenerError = (error: unknown): void => logger.error('a listener failed', { error: messageOf(error) })
  const reserve = diskReserve(config)
  const fatal = createFatal((error) => asDiskFull(error, reserve))
  const progress = createHub<SyncProgress>(onListenerError)
  logger.info('cryptography', { ...(await installNativeCrypto()) })
  await checkDiskRoom(reserve)
  const onFatal = (error: unknown): void => fatal.fail(error)
  const genesis = parseGenesis(await readFile(config.genesisFile, 'utf8'))
  const ledger = await openLedger(config.dataDir, genesis, { clock, logger, stops, onBroken: onFatal })
  const peers = await createPeers(config, { ledger, clock, logger, stops, onSyncProgress: (event) => progress.emit(event) })
  const validator = await createValidator(config, { ledger, peers, clock, logger, stops, onFatal })
  const { consensus } = validator
  const disk = await watchDiskRoom(reserve, { clock, logger, onFull: onFatal })
  stops.push('disk watch', () => disk.stop())
  const protocol = watchProtocol(ledger, { clock, logger, stops })
  await start(peers, consensus, stops)
  const facts = (doors: Doors): NodeFacts => factsOf(config, frame, { ledger, peers, doors })
  const doors = await openDoors(config, {
    name: frame.name, ledger, peers, protocol, clock, logger, stops,
    nodeInfo: () => ({ ...facts(doors), gatewayUp: doors.gateway?.isUp(), software: SOFTWARE, follow: config.follow, consensus: consensus.status(), head: headOf(ledger) }),
    diagnosis: createDiagnosis(config, { name: frame.name, address: frame.address, ledger, peers, validator, protocol, clock, gateway: () => doors.gateway?.health() }),
    metrics: { ledger, peers, governance: governanceMetrics(ledger, stops), consensus: () => consensusFigures(consensus), disk: () => ({ disk_free_bytes: disk.freeBytes(), disk_reserve_bytes: reserve.minFreeBytes }) },
  })
  logger.info('the node runs', { ...facts(doors), head: ledger.chain.head().header.number })
  return {
    info: facts(doors),
    stop: () => stops.run(),
    onFatal: (listener) => fatal.onFatal(listener),
    onSyncProgress: (listener) => progress.subscribe(listener),
  }
}

function watchProtocol({ chain, store, genesis }: Ledger, { clock, logger, stops }: Pick<Frame, 'logger' | 'stops'> & { clock: Clock }): ProtocolWatch {
  const options = { max: PROTOCOL_VERSIONS.max, heartbeatMs: genesis.qbft.emptyBlockPeriodS * 1000 }
  const watch = createProtocolWatch(options, { chain, header: (number) => store.header(number), clock, logger })
  stops.push('protocol watch', () => watch.stop())
  return watch
}

/** Who listens to peers is there before the first of them can speak. */
async function start({ network, relay, sync }: Peers, consensus: ConsensusDriver, stops: StopStack): Promise<void> {
  consensus.start()
  // Stopped after sync: a block that is being imported waits for the consensus log to get to its height.
  stops.push('consensus', () => consensus.stop())
  sync.start()
  stops.push('sync', () => sync.stop())
  relay.start()
  stops.push('relay', () => relay.stop())
  stops.push('network', () => network.stop())
  await network.start()
}

function governanceMetrics({ chain, store }: Ledger, stops: StopStack): GovernanceMetrics {
  const metrics = createGovernanceMetrics(policyStateOf(store.state))
  stops.push('governance metrics', chain.onBlock(({ diff }) => metrics.onBlock(diff.storage)))
  return metrics
}

function factsOf(config: NodeConfig, { name, address }: Frame, parts: { ledger: Ledger; peers: Peers; doors: Doors }): NodeFacts {
  const { ledger, peers, doors } = parts
  return {
    name,
    address,
    peerId: peers.network.self.id,
    p2p: peers.network.addresses(),
    rpc: urlOf(doors.rpc),
    admin: urlOf(doors.admin),
    gateway: doors.gateway && urlOf(doors.gateway.address),
    gatewayAccount: doors.gateway && doors.gateway.address.account,
    chainId: ledger.genesis.chainId,
    genesisHash: ledger.opened.genesisHash,
  }
}

const urlOf = ({ host, port }: { host: string; port: number }): string => `http://${host.includes(':') ? `[${host}]` : host}:${port}`

function headOf({ chain }: Ledger): Record<string, unknown> {
  const { header, hash, blockTimeMs, validators } = chain.head()
  return { number: header.number, hash, blockTimeMs, validators, extraData: bytesToHex(header.extraData) }
}

const isGauge = (name: string): boolean => (CONSENSUS_GAUGES as readonly string[]).includes(name)

function consensusFigures(consensus: ConsensusDriver): Record<string, number> {
  const { height, round, isVoter, isSilent, isStopped } = consensus.status()
  const counters = Object.entries(consensus.metrics()).map(([name, value]) => [isGauge(name) ? name : `${name}_total`, value])
  const states = { height, round, voter: Number(isVoter), silent: Number(isSilent), stopped: Number(isStopped) }
  return { ...states, ...(Object.fromEntries(counters) as Record<string, number>) }
}
