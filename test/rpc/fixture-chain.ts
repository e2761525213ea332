import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { commitSealDigest, headerWithSeals } from '@songhua/sdk/protocol/block-hash'
import { bytesToHex, hexToBytes, type Address, type Hash, type Hex } from '@songhua/sdk/protocol/bytes'
import { privateKeyToAddress, signDigest } from '@songhua/sdk/protocol/crypto'
import { encodeExtraData } from '@songhua/sdk/protocol/extra-data'
import type { Genesis } from '@songhua/sdk/protocol/genesis'
import { type GenesisContract, NODE_REGISTER_ADDRESS, genesisContracts } from '@songhua/contracts/addresses'
import type { GovernanceGenesis } from '@songhua/contracts/membership/genesis-governance'
import { DEFAULT_QBFT_CONFIG } from '@songhua/sdk/protocol/qbft-config'
import { signTransaction, type Transaction } from '@songhua/sdk/protocol/transaction'
import { peerNames } from '@songhua/node/app/peer-names'
import { historyProofs } from '@songhua/node/app/history-proofs'
import type { Ledger } from '@songhua/node/app/ledger'
import { openChain } from '@songhua/node/app/open-chain'
import type { Logger } from '@songhua/node/base/logger'
import { systemClock } from '@songhua/node/base/clock'
import { createBlockExecutor } from '@songhua/node/execution/block-executor'
import { createEthereumjsEvm } from '@songhua/node/execution/ethereumjs-evm'
import { installNativeCrypto } from '@songhua/node/execution/native-crypto'
import { chainRules } from '@songhua/node/execution/rules'
import { createGate } from '@songhua/node/permission/gate'
import { createHeadGate } from '@songhua/node/permission/head-gate'
import { policyStateOf } from '@songhua/node/permission/policy'
import type { ChainReader, PoolAccess, RpcPorts } from '@songhua/node/rpc/ports'
import { createRpcServer, type RpcServer, type RpcServerOptions } from '@songhua/node/rpc/rpc-server'
import { createBlockRunner } from '@songhua/node/services/block-runner'
import { createCallService, type CallService, type CallServiceOptions } from '@songhua/node/services/call-worker-pool'
import { createChain } from '@songhua/node/services/chain'
import { createPool, type Pool, type PoolJournal } from '@songhua/node/services/pool'

export const CHAIN_ID = 230099
export const VALIDATOR_KEY = new Uint8Array(32).fill(9)
export const SENDER_KEY = new Uint8Array(32).fill(1)
export const SENDER = privateKeyToAddress(SENDER_KEY)
export const OTHER_KEY = new Uint8Array(32).fill(2)
export const OTHER = privateKeyToAddress(OTHER_KEY)
export const ETHER = 10n ** 18n
/** Holds no contract: the set of the genesis stays. */
const MEMBERSHIP: Address = `0x${'00'.repeat(19)}77`
const GENESIS_S = 1_790_000_000
const GAS_LIMIT = 30_000_000n

export const PROBE_SOURCE = `// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;
contract Probe {
  uint256 public value;
  event Stored(address indexed by, uint256 indexed key, uint256 value);
  error Refused(uint256 value);
  function store(uint256 key, uint256 v) external { value = v; emit Stored(msg.sender, key, v); }
  function storeMany(uint256 count) external { for (uint256 i; i < count; i++) emit Stored(msg.sender, i, i); }
  function fail() external pure { revert("no such record"); }
  function failCustom() external pure { revert Refused(7); }
  function panic() external view returns (uint256) { return 1 / (value - value); }
  function spin() external view { while (gasleft() > 1) {} }
  function seen() external view returns (uint256, uint256, bytes32) {
    return (block.number, block.timestamp, blockhash(block.number - 1));
  }
}`

interface Compiled {
  abi: Record<string, unknown>[]
  bytecode: Hex
}

export function compileProbe(): Compiled {
  const solc = createRequire(import.meta.url)('solc') as { compile(input: string): string }
  const input = {
    language: 'Solidity',
    sources: { 'Probe.sol': { content: PROBE_SOURCE } },
    settings: { evmVersion: 'cancun', outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } } },
  }
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as {
    contracts: { 'Probe.sol': { Probe: { abi: Record<string, unknown>[]; evm: { bytecode: { object: string } } } } }
  }
  const { abi, evm } = output.contracts['Probe.sol'].Probe
  return { abi, bytecode: `0x${evm.bytecode.object}` }
}

export const quiet: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => quiet,
}

/** What a chain is to be besides; all closed and ungoverned when absent. */
export interface FixtureGenesis {
  /** Places the governance contracts, and holds everybody to them. */
  governance?: GovernanceGenesis
  /** Accounts besides. */
  alloc?: Genesis['alloc']
  /** Seconds since 1970. */
  timestamp?: number
}

function genesis({ governance, alloc = [], timestamp = GENESIS_S }: FixtureGenesis): Genesis {
  const validators = [privateKeyToAddress(VALIDATOR_KEY)]
  const account = (address: Address) => ({
    address,
    balance: 1000n * ETHER,
    nonce: 0n,
    code: new Uint8Array(0),
    storage: new Map(),
  })
  return {
    chainId: CHAIN_ID,
    config: { chainId: CHAIN_ID },
    qbft: { ...DEFAULT_QBFT_CONFIG, membershipContract: governance === undefined ? MEMBERSHIP : NODE_REGISTER_ADDRESS },
    validators,
    alloc: [account(SENDER), account(OTHER), ...(governance === undefined ? [] : genesisContracts({ governance }).map(placed)), ...alloc],
    gasLimit: GAS_LIMIT,
    timestamp,
    extraData: encodeExtraData({ vanity: new Uint8Array(32), validators, round: 0, seals: [] }),
  }
}

const placed = ({ address, nonce, code, storage }: GenesisContract): Genesis['alloc'][number] => ({
  address, balance: 0n, nonce: BigInt(nonce), code: hexToBytes(code),
  storage: new Map(Object.entries(storage).map(([slot, value]) => [slot as Hash, BigInt(value)])),
})

const memoryJournal: PoolJournal = {
  payloads: [],
  droppedBytes: 0,
  sizeBytes: () => 0,
  append: () => Promise.resolve(),
  compact: () => Promise.resolve(),
}

/** A chain of one validator, all real but its network: store on disk, EVM, pool, call worker. */
export interface FixtureChain {
  ports: RpcPorts
  /** What the app's parts know as the ledger, as far as it is here. */
  ledger: Pick<Ledger, 'genesis' | 'store' | 'chain'>
  pool: Pool
  calls: CallService
  /** For another call service over the same chain. */
  callSettings: CallServiceOptions
  store: Parameters<typeof createCallService>[1]
  head(): { number: number; hash: Hex }
  /** Seals a block of what the pool holds. @param blockTimeMs a second after the last one unless told */
  mine(blockTimeMs?: number): Promise<void>
  /** Signs, submits; `mine` puts it into a block. */
  send(fields?: Partial<Sending>): Promise<Transaction>
  sign(fields?: Partial<Sending>): Transaction
  serve(options?: Partial<RpcServerOptions>, others?: Partial<RpcPorts>): Promise<{ server: RpcServer; url: string; wsUrl: string }>
  stop(): Promise<void>
}

interface Sending {
  key: Uint8Array
  nonce: bigint
  to: Address | undefined
  data: Uint8Array
  value: bigint
  gasLimit: bigint
  type: 0 | 1 | 2
  maxFeePerGas: bigint
  maxPriorityFeePerGas: bigint
}

export async function createFixtureChain(
  callOptions: Partial<CallServiceOptions> = {},
  start: FixtureGenesis = {},
): Promise<FixtureChain> {
  await installNativeCrypto()
  const folder = mkdtempSync(join(tmpdir(), 'songhua-rpc-'))
  const storeFolder = join(folder, 'store')
  const theGenesis = genesis(start)
  const opened = await openChain(storeFolder, theGenesis)
  const { store, genesisHash } = opened
  const isGoverned = start.governance !== undefined
  const headGate = isGoverned ? createHeadGate(policyStateOf(store.state), opened.head.header.timestamp) : undefined
  const pool = createPool(
    { chainId: BigInt(CHAIN_ID), blockGasLimit: GAS_LIMIT },
    { journal: memoryJournal, accountOf: (address) => accountView(address), permission: headGate, clock: systemClock, logger: quiet },
  )
  const executor = createBlockExecutor({
    evm: await createEthereumjsEvm({ chainId: BigInt(CHAIN_ID) }),
    rules: chainRules(CHAIN_ID),
    membershipContract: isGoverned ? NODE_REGISTER_ADDRESS : MEMBERSHIP,
    permission: isGoverned ? createGate : undefined,
  })
  const runner = createBlockRunner(
    { gasLimit: GAS_LIMIT, validators: () => chain.head().validators, blockHash: (number) => store.hashAt(number) },
    { executor, state: store.state, pool, clock: systemClock, logger: quiet },
  )
  const chain = createChain(
    {
      rules: { genesisHash, gasLimit: GAS_LIMIT, minBlockPeriodMs: 1 },
      head: opened.head,
      protocol: { read: () => [{ height: 0, version: 1 }], max: 1 },
      onListenerError: (error) => {
        throw error
      },
    },
    { store: { nodes: store.state, commitBlock: (commit) => store.commitBlock(commit) }, runner },
  )
  const callSettings = { storeFolder, chainId: CHAIN_ID, gasMax: GAS_LIMIT, logger: quiet, ...callOptions }
  const calls = createCallService(callSettings, store)
  const servers: RpcServer[] = []
  const stopPool = chain.onBlock(({ head, diff }) => {
    const accounts = new Map([...diff.accounts].map(([address, account]) => [address, account && accountView(address)!]))
    pool.onHead({ timestamp: head.header.timestamp, accounts, storage: diff.storage })
  })

  function accountView(address: Address) {
    const account = store.state.getAccount(address)
    return account && { ...account, hasCode: store.state.getCode(account.codeHash).length > 0 }
  }

  const reader: ChainReader = {
    head: () => chain.head(),
    header: (number) => store.header(number),
    hashAt: (number) => store.hashAt(number),
    numberOf: (hash) => store.numberOf(hash),
    body: (number) => store.body(number),
    receipts: (number) => store.receipts(number),
    transactionLocation: (hash) => store.transactionLocation(hash),
    onHead: (listener) => chain.onBlock(() => listener()),
  }
  const access: PoolAccess = {
    submit: (raw) => pool.submit(raw),
    get: (hash) => pool.get(hash),
    pendingNonce: (address) => pool.pendingNonce(address),
    content: () => pool.content(),
    status: () => pool.status(),
    asideOf: (hash) => pool.asideOf(hash),
    refusalOf: (hash) => pool.refusalOf(hash),
    onAdded: (listener) => pool.onAdded((transaction) => listener(transaction)),
  }
  const ports: RpcPorts = {
    chain: reader,
    pool: access,
    state: calls,
    history: calls,
    proofs: historyProofs(store),
    governance: calls,
    peerNames,
    node: {
      chainId: CHAIN_ID,
      clientVersion: 'songhua/test',
      peerCount: () => 3,
      listening: () => true,
      syncing: () => false,
    },
    reads: { check: () => undefined },
  }

  const fixture: FixtureChain = {
    ports,
    ledger: { genesis: theGenesis, store, chain },
    pool,
    calls,
    callSettings,
    store,
    head: () => ({ number: chain.head().header.number, hash: chain.head().hash }),
    async mine(blockTimeMs = chain.head().blockTimeMs + 1000) {
      const coinbase = privateKeyToAddress(VALIDATOR_KEY)
      const { header, transactions } = await chain.build({
        coinbase,
        round: 0,
        blockTimeMs,
        deadlineMs: Date.now() + 10_000,
      })
      const seal = signDigest(commitSealDigest(header), VALIDATOR_KEY)
      await chain.importSealed({ header: headerWithSeals(header, [seal]), transactions })
    },
    sign: (fields = {}) => {
      const { key = SENDER_KEY, type = 2, ...rest } = fields
      const nonce = rest.nonce ?? pool.pendingNonce(privateKeyToAddress(key))
      const base = {
        type,
        chainId: BigInt(CHAIN_ID),
        nonce,
        gasLimit: 1_000_000n,
        to: OTHER,
        value: 0n,
        data: new Uint8Array(0),
      }
      const fees = { maxFeePerGas: 0n, maxPriorityFeePerGas: 0n }
      return signTransaction({ ...base, ...fees, ...rest }, key)
    },
    async send(fields = {}) {
      const transaction = fixture.sign(fields)
      await pool.submit(transaction.raw)
      return transaction
    },
    async serve(options = {}, others = {}) {
      const server = await createRpcServer(
        { host: '127.0.0.1', port: 0, logger: quiet, version: '0.0.0', corsOrigins: [], allowedHosts: [], ...options },
        { ...ports, ...others },
      )
      servers.push(server)
      return { server, url: `http://127.0.0.1:${server.port}`, wsUrl: `ws://127.0.0.1:${server.port}` }
    },
    async stop() {
      for (const server of servers) await server.stop()
      stopPool()
      await calls.stop()
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return fixture
}

interface Answer {
  id: unknown
  result?: unknown
  error?: { code: number; message: string; data?: unknown }
}

export async function post(
  url: string,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: body as BodyInit,
  })
}

/** One request, its whole answer. */
export async function ask(url: string, method: string, params: unknown = []): Promise<Answer> {
  const response = await post(url, JSON.stringify({ jsonrpc: '2.0', id: 7, method, params }))
  return (await response.json()) as Answer
}

/** The result, or a failing test. */
export async function result<T = unknown>(url: string, method: string, params: unknown[] = []): Promise<T> {
  const answer = await ask(url, method, params)
  if (answer.error) throw new Error(`${method}: ${answer.error.code} ${answer.error.message}`)
  return answer.result as T
}

export const callData = (signature: string, ...words: bigint[]): Uint8Array =>
  hexToBytes(signature + words.map((word) => word.toString(16).padStart(64, '0')).join(''))

export const toHex = bytesToHex
