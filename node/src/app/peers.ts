import { encodeStoredBlock } from '@songhua/sdk/protocol/block'
import type { QbftConfig } from '@songhua/sdk/protocol/qbft-config'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { systemPrng } from '../base/prng.js'
import { type Network, createNetwork } from '../network/network.js'
import { versionAt } from '../permission/protocol-schedule.js'
import { type Sync, type SyncProgress, createSync } from '../services/sync.js'
import { type TransactionRelay, createTransactionRelay } from '../services/transaction-relay.js'
import { stateReaderAt } from '../trie/state-trie.js'
import { createAdmission, followAdmission } from './admission.js'
import type { NodeConfig } from './config.js'
import type { Ledger } from './ledger.js'
import { followKnownPeers, readKnownPeers } from './known-peers.js'
import { dataPaths, endpointToMultiaddr } from './options.js'
import type { StopStack } from './stop-stack.js'
import { PROTOCOL_VERSIONS, SOFTWARE } from './version.js'

/** The other nodes, and what is exchanged with them beside consensus. */
export interface Peers {
  readonly network: Network
  readonly sync: Sync
  readonly relay: TransactionRelay
}

export interface PeersPorts {
  readonly ledger: Ledger
  readonly clock: Clock
  readonly logger: Logger
  readonly stops: StopStack
  readonly onSyncProgress: (progress: SyncProgress) => void
}

/** How long a validator waits for consensus to bring the next block before it fetches it. */
const VALIDATOR_GRACE_MS = 500

/** Nothing is listened on or dialled before `start` of each part. */
export async function createPeers(config: NodeConfig, ports: PeersPorts): Promise<Peers> {
  const { ledger, clock, logger } = ports
  const { chain, pool, store } = ledger
  const network = await createGatedNetwork(config, ports)
  const sync = createSync(
    {
      graceMs: config.follow ? 0 : VALIDATOR_GRACE_MS,
      knownTransaction: (hash) => pool.get(hash),
      onProgress: ({ from, to, current }) => {
        ports.onSyncProgress({ startingBlock: from, currentBlock: current, highestBlock: to })
      },
    },
    { network, chain, clock, logger: logger.child({ part: 'sync' }), blocks: { encodedBlock: (number) => encodedBlock(store, number) } },
  )
  const relay = createTransactionRelay({}, { network, pool, clock, logger: logger.child({ part: 'relay' }) })
  pool.onAdded((transaction, isLocal) => isLocal && relay.announce([transaction]))
  return { network, sync, relay }
}

async function createGatedNetwork(config: NodeConfig, { ledger, clock, logger, stops }: PeersPorts): Promise<Network> {
  const { chain, store, evm, genesis, opened } = ledger
  const log = logger.child({ part: 'network' })
  const { membershipContract } = genesis.qbft
  const stateAt = (root: `0x${string}`) => stateReaderAt(store.state, (hash) => store.state.getCode(hash), root)
  const admission = createAdmission(membershipContract, { evm, stateAt, logger: log })
  const { knownPeersFile } = dataPaths(config.dataDir)
  const learnsAddresses = !config.p2p.bootnodesOnly
  const remembered = learnsAddresses ? await readKnownPeers(knownPeersFile, log) : []
  const first = await admission.refresh(chain.head().header)
  const network = await createNetwork(
    {
      privateKey: config.nodeKey,
      listen: config.p2p.listen.map(endpointToMultiaddr),
      announce: config.p2p.announce.map(endpointToMultiaddr),
      bootnodes: config.p2p.bootnodes,
      learnsAddresses,
      remembered,
      genesisHash: opened.genesisHash,
      chainId: genesis.chainId,
      protocolVersions: PROTOCOL_VERSIONS,
      software: SOFTWARE,
      follower: config.follow,
    },
    {
      clock,
      prng: systemPrng,
      logger: log,
      admission,
      head: () => ({ number: chain.head().header.number, hash: chain.head().hash }),
      protocolVersion: () => versionAt(chain.protocol(), chain.head().header.number),
      isBehind: () => clock.now() - chain.head().blockTimeMs > behindMs(genesis.qbft),
    },
  )
  if (learnsAddresses) stops.push('known peers', followKnownPeers(knownPeersFile, remembered, { network, admission, clock, logger: log }))
  followAdmission({ chain, membershipContract, admission, first, network, logger: log })
  return network
}

/** A chain with a quorum makes a block with each heartbeat; a node whose head is older has missed some, or nobody made any. */
const behindMs = ({ emptyBlockPeriodS, roundTimeoutCapMs }: QbftConfig): number => 2 * emptyBlockPeriodS * 1000 + roundTimeoutCapMs

/** A sealed block as it travels. */
export function encodedBlock(store: Ledger['store'], number: number): Uint8Array | undefined {
  const header = store.header(number)
  const body = store.body(number)
  return header && body && encodeStoredBlock(header, body)
}
