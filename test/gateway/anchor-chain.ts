import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RECORD_ANCHOR_ADDRESS } from '@songhua/contracts/addresses'
import { recordAnchor } from '@songhua/contracts/generated/RecordAnchor'
import { commitSealDigest, headerWithSeals } from '@songhua/sdk/protocol/block-hash'
import { type Address, type Hash, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { privateKeyToAddress, signDigest } from '@songhua/sdk/protocol/crypto'
import { CodedError, isCodedError } from '@songhua/sdk/protocol/errors'
import { ANCHOR_CONTRACT, type AnchoredBatch, readAnchoredBatch } from '@songhua/sdk/protocol/evidence-receipt'
import { encodeExtraData } from '@songhua/sdk/protocol/extra-data'
import type { Genesis } from '@songhua/sdk/protocol/genesis'
import type { Header } from '@songhua/sdk/protocol/header'
import { proveBlock } from '@songhua/sdk/protocol/history-tree'
import { DEFAULT_QBFT_CONFIG } from '@songhua/sdk/protocol/qbft-config'
import { trustAnchorToJson } from '@songhua/sdk/protocol/trust-anchor'
import { openChain } from '@songhua/node/app/open-chain'
import { systemClock } from '@songhua/node/base/clock'
import { createSerialQueue } from '@songhua/node/base/serial-queue'
import type { Logger } from '@songhua/node/base/logger'
import { createBlockExecutor } from '@songhua/node/execution/block-executor'
import { createEthereumjsEvm } from '@songhua/node/execution/ethereumjs-evm'
import { installNativeCrypto } from '@songhua/node/execution/native-crypto'
import { chainRules } from '@songhua/node/execution/rules'
import type { ChainProofs, ChainWriter } from '@songhua/node/gateway/ports'
import { createBlockRunner } from '@songhua/node/services/block-runner'
import { createChain } from '@songhua/node/services/chain'
import { type Pool, type PoolJournal, createPool } from '@songhua/node/services/pool'

export const CHAIN_ID = 230099
const VALIDATOR_KEY = new Uint8Array(32).fill(9)
/** Holds no contract: the set of the genesis stays. */
const MEMBERSHIP: Address = `0x${'00'.repeat(19)}77`
const GAS_LIMIT = 30_000_000n

export const quiet: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => quiet,
}

const memoryJournal: PoolJournal = {
  payloads: [],
  droppedBytes: 0,
  sizeBytes: () => 0,
  append: () => Promise.resolve(),
  compact: () => Promise.resolve(),
}

function genesis(): Genesis {
  const validators = [privateKeyToAddress(VALIDATOR_KEY)]
  const code = hexToBytes(recordAnchor.deployedBytecode)
  return {
    chainId: CHAIN_ID,
    config: { chainId: CHAIN_ID },
    qbft: { ...DEFAULT_QBFT_CONFIG, membershipContract: MEMBERSHIP },
    validators,
    alloc: [{ address: RECORD_ANCHOR_ADDRESS, balance: 0n, nonce: 1n, code, storage: new Map() }],
    gasLimit: GAS_LIMIT,
    timestamp: 1_790_000_000,
    extraData: encodeExtraData({ vanity: new Uint8Array(32), validators, round: 0, seals: [] }),
  }
}

/** A chain of one validator, all real but its network: store on disk, EVM with `RecordAnchor`, pool. */
export interface AnchorChain {
  readonly genesisHash: Hash
  readonly writer: ChainWriter
  readonly proofs: ChainProofs
  readonly pool: Pool
  /** Seals a block of what the pool holds. */
  mine(): Promise<void>
  /** One block after the other, until the answer is called. */
  keepMining(): () => Promise<void>
  /** Forgets what the pool holds, as a pool that was full does. */
  dropPool(): void
  trustAnchor(): unknown
  /** All batches in the chain, in order. */
  anchored(): AnchoredBatch[]
  stop(): Promise<void>
}

export async function createAnchorChain(): Promise<AnchorChain> {
  await installNativeCrypto()
  const folder = await mkdtemp(join(tmpdir(), 'songhua-anchor-chain-'))
  const { store, genesisHash, head } = await openChain(join(folder, 'store'), genesis())
  const accountView = (address: Address) => {
    const account = store.state.getAccount(address)
    return account && { ...account, hasCode: store.state.getCode(account.codeHash).length > 0 }
  }
  const newPool = (): Pool =>
    createPool(
      { chainId: BigInt(CHAIN_ID), blockGasLimit: GAS_LIMIT },
      { journal: memoryJournal, accountOf: accountView, permission: undefined, clock: systemClock, logger: quiet },
    )
  let pool = newPool()
  const executor = createBlockExecutor({
    evm: await createEthereumjsEvm({ chainId: BigInt(CHAIN_ID) }),
    rules: chainRules(CHAIN_ID),
    membershipContract: MEMBERSHIP,
    permission: undefined,
  })
  const poolNow = {
    executable: (height: number) => pool.executable(height),
    setAside: (hash: Hash, untilHeight: number) => pool.setAside(hash, untilHeight),
  }
  const runner = createBlockRunner(
    { gasLimit: GAS_LIMIT, validators: () => chain.head().validators, blockHash: (number) => store.hashAt(number) },
    { executor, state: store.state, pool: poolNow, clock: systemClock, logger: quiet },
  )
  const chain = createChain(
    {
      rules: { genesisHash, gasLimit: GAS_LIMIT, minBlockPeriodMs: 1 },
      head,
      protocol: { read: () => [{ height: 0, version: 1 }], max: 1 },
      onListenerError: (error) => {
        throw error
      },
    },
    { store: { nodes: store.state, commitBlock: (commit) => store.commitBlock(commit) }, runner },
  )
  const blocks = new Set<() => void>()
  chain.onBlock(({ head, diff }) => {
    const accounts = new Map([...diff.accounts].map(([address, account]) => [address, account && accountView(address)!]))
    pool.onHead({ timestamp: head.header.timestamp, accounts, storage: diff.storage })
    for (const listener of blocks) listener()
  })
  const headerAt = (number: number): Header => {
    const header = store.header(number)
    if (header === undefined) throw new CodedError('HEADER_UNKNOWN', `block ${number} is unknown`)
    return header
  }
  const mines = createSerialQueue()
  const mine = async (): Promise<void> => {
    const { header, transactions } = await chain.build({
      coinbase: privateKeyToAddress(VALIDATOR_KEY),
      round: 0,
      blockTimeMs: chain.head().blockTimeMs + 1000,
      deadlineMs: Date.now() + 10_000,
    })
    const seal = signDigest(commitSealDigest(header), VALIDATOR_KEY)
    await chain.importSealed({ header: headerWithSeals(header, [seal]), transactions })
  }
  return {
    genesisHash,
    get pool() {
      return pool
    },
    dropPool: () => (pool = newPool()),
    writer: {
      pendingNonce: (address) => Promise.resolve(pool.pendingNonce(address)),
      async submit(raw) {
        try {
          await pool.submit(raw)
        } catch (error) {
          if (!isCodedError(error, 'POOL_ALREADY_KNOWN')) throw error
        }
      },
      locate(hash) {
        const at = store.transactionLocation(hash)
        const located = at && {
          header: headerAt(at.number),
          receipts: store.receipts(at.number)!,
          transactionIndex: at.index,
        }
        return Promise.resolve(located)
      },
      onBlock(listener) {
        blocks.add(listener)
        return () => blocks.delete(listener)
      },
    },
    proofs: {
      head: () => Promise.resolve(chain.head().header.number),
      header: (number) => Promise.resolve().then(() => headerAt(number)),
      historyPath: ({ number, size }) =>
        Promise.resolve(proveBlock((level, index) => store.historyNode(level, index), { number, size })),
    },
    mine: () => mines.run(mine),
    keepMining() {
      let isOver = false
      const running = (async () => {
        while (!isOver) {
          await mines.run(mine)
          await new Promise((resolve) => setTimeout(resolve, 10))
        }
      })()
      return () => {
        isOver = true
        return running
      }
    },
    anchored: () =>
      Array.from({ length: chain.head().header.number + 1 }, (_, number) => store.receipts(number) ?? [])
        .flat()
        .flatMap(({ logs }) => logs)
        .filter(({ address }) => address === ANCHOR_CONTRACT)
        .map(readAnchoredBatch),
    trustAnchor: () => trustAnchorToJson({ chainId: CHAIN_ID, genesisHeader: headerAt(0), checkpoints: [] }),
    async stop() {
      await store.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
