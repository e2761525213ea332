import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Block } from '@songhua/sdk/protocol/block'
import { commitSealDigest, headerWithSeals } from '@songhua/sdk/protocol/block-hash'
import { type Address, type Hash, bytesToHex, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { privateKeyToAddress, signDigest } from '@songhua/sdk/protocol/crypto'
import { type Genesis, parseGenesis } from '@songhua/sdk/protocol/genesis'
import { type Transaction, decodeTransaction } from '@songhua/sdk/protocol/transaction'
import { quorumSize } from '@songhua/sdk/protocol/validator-set'
import { type OpenChain, openChain } from '@songhua/node/app/open-chain'
import { type OptionValues, dataPaths } from '@songhua/node/app/options'
import { systemClock } from '@songhua/node/base/clock'
import { fillDataFolder } from '@songhua/node/cli/data-folder'
import { devAddresses } from '../support/governance.js'
import { createGate } from '@songhua/node/permission/gate'
import { devGovernance } from '@songhua/node/cli/dev-organisations'
import { createGenesis } from '@songhua/node/cli/genesis-file'
import { privateKeyToIdentity } from '@songhua/node/cli/identity'
import { createBlockExecutor } from '@songhua/node/execution/block-executor'
import { createEthereumjsEvm } from '@songhua/node/execution/ethereumjs-evm'
import { chainRules } from '@songhua/node/execution/rules'
import { createBlockRunner } from '@songhua/node/services/block-runner'
import { type Chain, createChain } from '@songhua/node/services/chain'
import { anchorTransaction } from './workload.js'

const CHAIN_ID = 230099
const KEY_FILE = 'node-key.hex'
const ACCOUNTS = 10
/** Of the chain that is written, whose blocks all lie in the past. */
const PERIOD_MS = 1_000

export interface LongChain {
  readonly genesis: Genesis
  readonly validatorKeys: Uint8Array[]
  /** Followers that the genesis admits: one for each who is to serve or to follow. */
  readonly followerKeys: Uint8Array[]
  /** Who sends the transactions. */
  readonly accountKeys: string[]
}

/** Keys and a genesis whose time is early enough for `blocks` blocks; `genesis.json` in `dir`. */
export async function createLongChain(
  dir: string,
  { validators, followers, blocks }: { validators: number; followers: number; blocks: number },
): Promise<LongChain> {
  const keys = Array.from({ length: validators + followers }, () => new Uint8Array(randomBytes(32)))
  const accountKeys = Array.from({ length: ACCOUNTS }, () => bytesToHex(randomBytes(32)))
  const json = createGenesis({
    chainId: CHAIN_ID,
    governance: devGovernance(
      keys.map((key, index) => ({ publicKey: privateKeyToIdentity(key).publicKey, isValidator: index < validators })),
      devAddresses(),
    ),
    timestamp: Math.floor(Date.now() / 1000) - Math.ceil((blocks * PERIOD_MS) / 1000) - 60,
  })
  await mkdir(dir, { recursive: true })
  await writeFile(join(dir, 'genesis.json'), JSON.stringify(json))
  const genesis = parseGenesis(json)
  return { genesis, validatorKeys: keys.slice(0, validators), followerKeys: keys.slice(validators), accountKeys }
}

/** A data folder that `songhua start` runs as a follower. */
export async function createFollowerFolder(
  folder: string,
  { key, port, bootnodes }: { key: Uint8Array; port: number; bootnodes: string[] },
): Promise<void> {
  const options: Partial<OptionValues> = {
    genesisFile: '../genesis.json',
    'nodeKey.devFile': KEY_FILE,
    follow: true,
    'p2p.listen': [`127.0.0.1:${port + 2}`],
    'p2p.bootnodes': bootnodes,
    'rpc.port': port,
    'admin.port': port + 1,
    'log.level': 'warn',
  }
  await mkdir(folder, { recursive: true })
  await fillDataFolder(folder, { options, keyFile: { name: KEY_FILE, text: `${bytesToHex(key)}\n`, address: privateKeyToAddress(key) } })
}

/**
 * Writes `blocks` blocks into the store of `folder`: each packed, executed, checked, sealed by a quorum of the real
 * keys and committed by the node's own chain service, only without a network in between.
 */
export async function writeLongChain(
  folder: string,
  chain: LongChain,
  { blocks, transactionsPerBlock }: { blocks: number; transactionsPerBlock: number },
): Promise<Hash> {
  const opened = await openChain(dataPaths(folder).storeDir, chain.genesis)
  try {
    const service = await chainService(chain, opened, transactionsPerBlock)
    const keys = new Map(chain.validatorKeys.map((key) => [privateKeyToAddress(key), key]))
    for (let number = 1; number <= blocks; number++) await grow(service, keys)
    return service.head().hash
  } finally {
    await opened.store.close()
  }
}

async function grow(chain: Chain, keys: ReadonlyMap<Address, Uint8Array>): Promise<void> {
  const { header, validators, blockTimeMs } = chain.head()
  const coinbase = validators[header.number % validators.length]!
  const request = { coinbase, round: 0, blockTimeMs: blockTimeMs + PERIOD_MS, deadlineMs: Infinity }
  await chain.importSealed(sealed(await chain.build(request), validators, keys))
}

function sealed(block: Block, validators: readonly Address[], keys: ReadonlyMap<Address, Uint8Array>): Block {
  const digest = commitSealDigest(block.header)
  const signers = validators.slice(0, quorumSize(validators.length))
  const seals = signers.map((signer) => signDigest(digest, keys.get(signer)!))
  return { ...block, header: headerWithSeals(block.header, seals) }
}

async function chainService(
  { genesis, accountKeys }: LongChain,
  { store, head, genesisHash }: OpenChain,
  transactionsPerBlock: number,
): Promise<Chain> {
  const { chainId, gasLimit, qbft } = genesis
  const evm = await createEthereumjsEvm({ chainId: BigInt(chainId) })
  const executor = createBlockExecutor({ evm, rules: chainRules(chainId), membershipContract: qbft.membershipContract, permission: createGate })
  const pool = {
    executable: (height: number) => transactionsOf(accountKeys, height, transactionsPerBlock),
    setAside: (hash: Hash): never => fail(`transaction ${hash} does not fit`),
  }
  const runner = createBlockRunner(
    { gasLimit, validators: () => chain.head().validators, blockHash: (number) => store.hashAt(number) },
    { executor, state: store.state, pool, clock: systemClock, logger: SILENT },
  )
  const chain = createChain(
    {
      head,
      rules: { genesisHash, gasLimit, minBlockPeriodMs: qbft.minBlockPeriodMs },
      protocol: { read: () => [{ height: 0, version: 1 }], max: 1 },
      onListenerError: (error) => {
        throw error
      },
    },
    { store: { nodes: store.state, commitBlock: (commit) => store.commitBlock(commit) }, runner },
  )
  return chain
}

/** The accounts take turns. */
function transactionsOf(accountKeys: readonly string[], height: number, count: number): Transaction[] {
  return Array.from({ length: count }, (_, index) => {
    const position = (height - 1) * count + index
    const privateKey = accountKeys[position % accountKeys.length]!
    const nonce = Math.floor(position / accountKeys.length)
    return decodeTransaction(hexToBytes(anchorTransaction({ privateKey }, CHAIN_ID, nonce).raw))
  })
}

function fail(what: string): never {
  throw new Error(what)
}

const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: fail,
  error: fail,
  child: () => SILENT,
}
