import { readFile } from 'node:fs/promises'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { type AdminServer, createAdminServer } from '../rpc/admin-server.js'
import type { ChainReader, NodeInfo, PoolAccess } from '../rpc/ports.js'
import { type RpcServer, createRpcServer } from '../rpc/rpc-server.js'
import { createTurns } from '../rpc/turn.js'
import { type CallService, createCallService } from '../services/call-worker-pool.js'
import type { NodeConfig } from './config.js'
import { type ChainSource, backUpChain } from './chain-backup.js'
import { chainHandlers } from './gateway-chain.js'
import { gatewaySettings } from './gateway-settings.js'
import { type Gateway, startGateway } from './gateway-process.js'
import { historyProofs } from './history-proofs.js'
import type { Ledger } from './ledger.js'
import { type MetricSources, collectMetrics } from './metrics.js'
import { dataPaths } from './options.js'
import { peerNames } from './peer-names.js'
import { type Peers, encodedBlock } from './peers.js'
import type { ProtocolWatch } from './protocol-watch.js'
import { type Reads, openReads } from './reads.js'
import type { StopStack } from './stop-stack.js'
import { SOFTWARE, VERSION } from './version.js'

/** Where clients and the operator come in. */
export interface Doors {
  readonly rpc: RpcServer
  readonly admin: AdminServer
  readonly gateway: Gateway | undefined
}

export interface DoorsPorts {
  /** Of the node. */
  readonly name: string
  readonly ledger: Ledger
  readonly peers: Peers
  readonly protocol: Pick<ProtocolWatch, 'status'>
  readonly nodeInfo: () => Record<string, unknown>
  readonly diagnosis: () => object
  readonly metrics: Omit<MetricSources, 'calls' | 'rpc' | 'gateway'>
  readonly clock: Clock
  readonly logger: Logger
  readonly stops: StopStack
}

/** Opens the ports; the last thing that a node does before it says that it is ready. */
export async function openDoors(config: NodeConfig, ports: DoorsPorts): Promise<Doors> {
  const { ledger, peers, clock, stops } = ports
  const logger = ports.logger.child({ part: 'rpc' })
  const calls = createCallService(
    {
      storeFolder: dataPaths(config.dataDir).storeDir,
      chainId: ledger.genesis.chainId,
      gasMax: ledger.genesis.gasLimit,
      logger,
      clock,
      onDamage: (error) => ledger.damage.onDamage(error),
    },
    ledger.store,
  )
  stops.push('call workers', () => calls.stop())
  const node = nodeInfoOf(ledger, peers)
  const reads = openReads(config.dataDir, { ledger, clock, logger })
  const doors = { corsOrigins: config.rpc.corsOrigins, allowedHosts: config.rpc.allowedHosts }
  const rpc = await createRpcServer(
    { ...doors, host: config.rpc.host, port: config.rpc.port, logger, version: VERSION, clock },
    { chain: chainReader(ledger), pool: poolAccess(ledger), state: calls, history: calls, governance: calls, proofs: historyProofs(ledger.store), peerNames, node, reads: reads.guard },
  )
  stops.push('rpc', () => rpc.stop())
  const gateway = config.gateway.enabled ? await openGatewayDoor(config, reads, ports) : undefined
  const admin = await openAdmin(config, ports, { rpc, calls, gateway })
  stops.push('admin', () => admin.stop())
  return { rpc, admin, gateway }
}

async function openGatewayDoor(config: NodeConfig, reads: Reads, { ledger, name, clock, logger, stops }: DoorsPorts): Promise<Gateway> {
  const { genesis, opened, chain } = ledger
  const settings = gatewaySettings(config, { chainId: genesis.chainId, genesisHash: opened.genesisHash, name })
  const gateway = await startGateway(settings, {
    handlers: chainHandlers(ledger, reads),
    clock,
    logger: logger.child({ part: 'gateway' }),
  })
  stops.push('gateway', () => gateway.stop())
  stops.push('gateway news', chain.onBlock(() => gateway.notify()))
  return gateway
}

function openAdmin(
  config: NodeConfig,
  ports: DoorsPorts,
  opened: { rpc: RpcServer; calls: CallService; gateway: Gateway | undefined },
): Promise<AdminServer> {
  const { ledger, peers, clock, logger } = ports
  return createAdminServer(
    { host: config.admin.host, port: config.admin.port, logger: logger.child({ part: 'admin' }), version: VERSION, clock },
    {
      node: {
        info: ports.nodeInfo,
        readiness: () => readinessOf(ports, opened.gateway),
        diagnosis: () => ({ ...ports.diagnosis() }),
      },
      peers: peerAdministration(peers),
      chain: { backup: async (to) => ({ ...(await backUpChain(chainSource(config.genesisFile, ledger), to, createTurns())) }) },
      gateway: opened.gateway,
      metrics: () => collectMetrics({ ...ports.metrics, ...opened }),
    },
  )
}

function chainSource(genesisFile: string, { genesis, opened, chain, store }: Ledger): ChainSource {
  return {
    chainId: genesis.chainId,
    genesisHash: opened.genesisHash,
    genesisText: () => readFile(genesisFile, 'utf8'),
    head: () => ({ number: chain.head().header.number, hash: chain.head().hash }),
    hashAt: (number) => store.hashAt(number),
    encodedBlock: (number) => encodedBlock(store, number),
  }
}

function chainReader({ chain, store }: Ledger): ChainReader {
  return {
    head: () => chain.head(),
    header: (number) => store.header(number),
    hashAt: (number) => store.hashAt(number),
    numberOf: (hash) => store.numberOf(hash),
    body: (number) => store.body(number),
    receipts: (number) => store.receipts(number),
    transactionLocation: (hash) => store.transactionLocation(hash),
    onHead: (listener) => chain.onBlock(() => listener()),
  }
}

function poolAccess({ pool }: Ledger): PoolAccess {
  return {
    submit: (raw) => pool.submit(raw),
    get: (hash) => pool.get(hash),
    pendingNonce: (address) => pool.pendingNonce(address),
    content: () => pool.content(),
    status: () => pool.status(),
    asideOf: (hash) => pool.asideOf(hash),
    refusalOf: (hash) => pool.refusalOf(hash),
    onAdded: (listener) => pool.onAdded((transaction) => listener(transaction)),
  }
}

function nodeInfoOf({ genesis }: Ledger, { network, sync }: Peers): NodeInfo {
  return {
    chainId: genesis.chainId,
    clientVersion: SOFTWARE,
    peerCount: () => network.peers().length,
    listening: () => network.addresses().length > 0,
    syncing: () => sync.isSyncing(),
  }
}

function readinessOf(
  { ledger: { chain }, peers: { network, sync }, protocol }: Pick<DoorsPorts, 'ledger' | 'peers' | 'protocol'>,
  gateway: Gateway | undefined,
): { ready: boolean; reasons: string[] } {
  const { needed, max } = protocol.status()
  const next = chain.head().header.number + 1
  const syncing = sync.isSyncing()
  const alone = chain.head().validators.length > 1 && network.peers().length === 0
  const reasons = [
    ...(needed > max ? [`protocol: block ${next} needs version ${needed}, this program knows ${max}; install the newer one`] : []),
    ...(syncing ? [`syncing: block ${syncing.currentBlock} of ${syncing.highestBlock}`] : []),
    ...(alone ? ['peers: none is connected'] : []),
    ...(gateway?.isUp() === false ? [`gateway: down (${gateway.health().error?.code ?? 'GATEWAY_DOWN'}), see the log`] : []),
  ]
  return { ready: reasons.length === 0, reasons }
}

function peerAdministration({ network }: Peers) {
  return {
    list: () => network.peers().map(({ publicKey: _key, ...peer }) => ({ ...peer })),
    add(address: string) {
      const known = network.peers().some(({ id }) => address.endsWith(`/p2p/${id}`))
      network.addBootnode(address)
      return !known
    },
    remove: (address: string) => network.disconnect(address.slice(address.lastIndexOf('/') + 1)),
  }
}
