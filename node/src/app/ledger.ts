import { POLICY_REGISTER_ADDRESS } from '@songhua/contracts/addresses'
import { CodedError, messageOf } from '@songhua/sdk/protocol/errors'
import type { Genesis } from '@songhua/sdk/protocol/genesis'
import { createBlockExecutor } from '../execution/block-executor.js'
import { createEthereumjsEvm } from '../execution/ethereumjs-evm.js'
import type { Evm } from '../execution/evm.js'
import { chainRules } from '../execution/rules.js'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { createGate } from '../permission/gate.js'
import { createHeadGate } from '../permission/head-gate.js'
import { policyStateOf } from '../permission/policy.js'
import { genesisSchedule, readProtocolSchedule, versionAt } from '../permission/protocol-schedule.js'
import { createBlockRunner } from '../services/block-runner.js'
import { type Chain, createChain } from '../services/chain.js'
import { type Pool, createPool } from '../services/pool.js'
import type { ChainStore } from '../storage/chain-store.js'
import { openJournal } from '../storage/journal.js'
import { startScrub } from '../storage/level-scrub.js'
import { type DamageStop, createDamageStop } from './damage-stop.js'
import { failStopJournal, failStopStore } from './fail-stop.js'
import { type OpenChain, openChain } from './open-chain.js'
import { dataPaths } from './options.js'
import type { StopStack } from './stop-stack.js'
import { requireSystemContracts } from './system-contracts.js'
import { PROTOCOL_VERSIONS } from './version.js'

/** The chain on this machine's disk, and what waits to get into it. */
export interface Ledger {
  readonly genesis: Genesis
  readonly opened: OpenChain
  readonly store: ChainStore
  readonly evm: Evm
  readonly chain: Chain
  readonly pool: Pool
  readonly damage: DamageStop
}

export interface LedgerPorts {
  readonly clock: Clock
  readonly logger: Logger
  readonly stops: StopStack
  /** The disk has failed: the node must be stopped, and started again. */
  readonly onBroken: (error: Error) => void
}

/**
 * Opens store, pool and chain of a data folder. Opened by motion, never by omission: a genesis without the registers is no
 * chain of ours.
 * @throws CodedError with a `STORE_`, `JOURNAL_` or `POOL_` code; `GENESIS_SYSTEM_CONTRACT_MISSING`
 */
export async function openLedger(dataDir: string, genesis: Genesis, ports: LedgerPorts): Promise<Ledger> {
  const { clock, logger, stops, onBroken } = ports
  requireSystemContracts(genesis)
  const paths = dataPaths(dataDir)
  const damage = createDamageStop(paths.storeDir, { logger, onBroken })
  const opened = await openChain(paths.storeDir, genesis, (error) => damage.onDamage(error))
  const store = failStopStore(opened.store, onBroken)
  stops.push('store', () => store.close())
  stops.push('scrub', startScrub(paths.storeDir, { clock, logger, onDamage: (what) => damage.onFound(what) }))
  const evm = await createEthereumjsEvm({ chainId: BigInt(genesis.chainId) })
  const file = await openJournal(paths.poolFile)
  stops.push('journal', () => file.close())
  // The first start makes it: one that is not there beside a chain was lost, and with it what it had acknowledged.
  const head = opened.head.header.number
  if (file.isNew && head > 0) logger.warn('the transaction journal was missing, and is empty now', { path: paths.poolFile, head })
  const journal = failStopJournal(file, onBroken)
  const pool = createPool(
    { chainId: BigInt(genesis.chainId), blockGasLimit: genesis.gasLimit },
    {
      journal, accountOf: (address) => store.state.getAccount(address), permission: createHeadGate(policyStateOf(store.state), opened.head.header.timestamp),
      refusal: () => readerRefusal(chain), clock, logger: logger.child({ part: 'pool' }),
    },
  )
  stops.push('pool', () => pool.stop())
  const chain = createChainOf(genesis, { ...ports, opened: { ...opened, store }, evm, pool })
  chain.onBlock(({ head: { header: { timestamp } }, diff }) => pool.onHead({ timestamp, ...diff }))
  return { genesis, opened, store, evm, chain, pool, damage }
}

/** Why nothing may be submitted: a node below a block that it has no rules for would keep it for itself. */
function readerRefusal(chain: Chain): CodedError | undefined {
  const height = chain.head().header.number + 1
  if (height <= chain.supportedUpTo()) return undefined
  const version = versionAt(chain.protocol(), height)
  const message = `this node only reads: block ${height} needs protocol version ${version}, and its program knows ${PROTOCOL_VERSIONS.max}`
  return new CodedError('POOL_PROTOCOL_TOO_OLD', message, { details: { height, version, max: PROTOCOL_VERSIONS.max } })
}

function createChainOf(
  genesis: Genesis,
  ports: LedgerPorts & { opened: OpenChain; evm: Evm; pool: Pool },
): Chain {
  const { opened, evm, pool, clock } = ports
  const { store, genesisHash, head } = opened
  const { gasLimit, chainId, qbft } = genesis
  const logger = ports.logger.child({ part: 'chain' })
  const scheduled = genesisSchedule(qbft.protocolVersions)
  const executor = createBlockExecutor({ evm, rules: chainRules(chainId), membershipContract: qbft.membershipContract, permission: createGate })
  const runner = createBlockRunner(
    { gasLimit, validators: () => chain.head().validators, blockHash: (number) => store.hashAt(number) },
    { executor, state: store.state, pool, clock, logger },
  )
  const chain = createChain(
    {
      head,
      rules: { genesisHash, gasLimit, minBlockPeriodMs: qbft.minBlockPeriodMs },
      protocol: { read: () => readProtocolSchedule(store.state, POLICY_REGISTER_ADDRESS, scheduled), max: PROTOCOL_VERSIONS.max },
      onListenerError: (error) => logger.error('a listener to the chain failed', { error: messageOf(error) }),
    },
    { store: { nodes: store.state, commitBlock: (commit) => store.commitBlock(commit) }, runner },
  )
  return chain
}
