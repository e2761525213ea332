import type { Door } from '@songhua/contracts/membership/kinds'
import type { Account } from '@songhua/sdk/protocol/account'
import type { Address, Hash, Hex } from '@songhua/sdk/protocol/bytes'
import type { Header } from '@songhua/sdk/protocol/header'
import type { Log, Receipt } from '@songhua/sdk/protocol/receipt'
import type { Transaction } from '@songhua/sdk/protocol/transaction'
import type { CallRequest, CallResult, StateOverrides } from '../execution/call.js'
import type { GovernanceAnswer, GovernanceQuestion } from '../execution/governance-reads.js'
import type { LogFilter } from './log-filter.js'

/** The sealed chain, read synchronously; every block is final. */
export interface ChainReader {
  head(): { header: Header; hash: Hash }
  header(number: number): Header | undefined
  hashAt(number: number): Hash | undefined
  numberOf(hash: Hash): number | undefined
  /** Raw transactions in order; senders are recovered only where an answer shows them. */
  body(number: number): Uint8Array[] | undefined
  receipts(number: number): Receipt[] | undefined
  transactionLocation(hash: Hash): { number: number; index: number } | undefined
  /** Called after a new head can be read; may skip heads. The answer ends the subscription. */
  onHead(listener: () => void): () => void
}

/** The transaction pool. */
export interface PoolAccess {
  /** Resolves when the transaction is durable in the pool's journal; rejects with the pool's CodedError. */
  submit(raw: Uint8Array): Promise<Hash>
  get(hash: Hash): Transaction | undefined
  /** Next nonce of the account, counting its executable transactions in the pool. */
  pendingNonce(address: Address): bigint
  /** `pending` are executable, `queued` wait for a lower nonce. */
  content(): { pending: Transaction[]; queued: Transaction[] }
  status(): { pending: number; queued: number }
  /** Why this node, when it was the proposer, left a transaction out, and until which block; undefined: it did not. */
  asideOf(hash: Hash): { untilHeight: number; reason: string } | undefined
  /** Why a transaction waits for a quota of its sender's, or was dropped with its sender's right; undefined: neither. */
  refusalOf(hash: Hash): { code: string; message: string; details: Readonly<Record<string, unknown>> } | undefined
  onAdded(listener: (transaction: Transaction) => void): () => void
}

/** EIP-1186; nodes of the trie as hexadecimal. */
export interface AccountProof {
  account: Account | undefined
  accountProof: Hex[]
  storageProofs: { value: bigint; proof: Hex[] }[]
}

/** State after a block, read and executed away from the consensus thread. */
export interface StateAccess {
  account(block: number, address: Address): Promise<Account | undefined>
  storage(block: number, address: Address, slot: Hash): Promise<bigint>
  code(block: number, address: Address): Promise<Uint8Array>
  proof(asked: Asked, address: Address, slots: Hash[]): Promise<AccountProof>
  /** A call that fails is a result. @throws CodedError of `CallErrorCode` when it cannot start */
  call(asked: Asked, request: CallRequest, overrides: StateOverrides): Promise<CallOutcome>
  /** @throws CodedError of `CallErrorCode`, `CALL_REVERTED` with its `data` among them */
  estimateGas(asked: Asked, request: CallRequest, overrides: StateOverrides): Promise<bigint>
}

/** State after which block, and for whom: addresses wait for their turn in lanes of their own. */
export interface Asked {
  block: number
  client: string
}

export type CallOutcome = Pick<CallResult, 'output' | 'failure'>

export interface LogQuery extends LogFilter {
  fromBlock: number
  toBlock: number
  client: string
  /** The search ends with the block in which this many logs were found or exceeded. */
  resultsMax: number
  /** The search ends before the block whose logs would make the answer longer, characters; with it, should it be the first. */
  lengthMax: number
}

export interface LocatedLog {
  log: Log
  blockNumber: number
  blockHash: Hash
  blockTimestamp: number
  transactionHash: Hash
  transactionIndex: number
  /** Within the block. */
  logIndex: number
}

export interface LogPage {
  /** JSON of the logs in order, made where they were found: a search finds megabytes. */
  text: string
  /** The last block searched. */
  throughBlock: number
  /** What ended the search before `toBlock`. */
  endedBy: 'resultsMax' | 'lengthMax' | undefined
}

/** Searches over many blocks, away from the consensus thread. */
export interface HistorySearch {
  logs(query: LogQuery): Promise<LogPage>
  /** Priority fees (wei) at the percentiles of each block's gas, one row a block. */
  rewards(query: RewardsQuery): Promise<bigint[][]>
}

export interface RewardsQuery {
  client: string
  firstBlock: number
  lastBlock: number
  percentiles: number[]
}

/** Who governs, takes part and uses, read away from the consensus thread. */
export interface GovernanceReads {
  governance<Q extends GovernanceQuestion>(asked: Asked, question: Q): Promise<GovernanceAnswer<Q>>
}

/** One key names a node to the chain, by its address, and to its peers. */
export interface PeerNames {
  /** @param publicKey compressed, hexadecimal */
  toPeerId(publicKey: Hex): string
  /** Undefined for what is no peer id of such a key. */
  toAddress(peerId: string): Address | undefined
}

/** The tree over all block hashes. */
export interface HistoryProofs {
  /** From block `number` to the root over `size` blocks, at most those that are stored. */
  historyPath(claim: { number: number; size: number }): readonly Hash[]
}

export interface SyncProgress {
  startingBlock: number
  currentBlock: number
  highestBlock: number
}

export interface NodeInfo {
  readonly chainId: number
  /** `songhua/v0.1.0/linux-x64/node20.19.0` */
  readonly clientVersion: string
  peerCount(): number
  listening(): boolean
  syncing(): SyncProgress | false
}

/** Who may read what, by the chain's policy after the head. */
export interface ReadGuard {
  /**
   * @param authorization the header that came with the request, or with the upgrade of its connection
   * @throws CodedError `PERMISSION_READ`; `GATEWAY_KEYS_UNREADABLE` where a key is needed and none can be looked up
   */
  check(door: Door, authorization: string | undefined): void
}

export interface RpcPorts {
  chain: ChainReader
  pool: PoolAccess
  state: StateAccess
  history: HistorySearch
  proofs: HistoryProofs
  governance: GovernanceReads
  peerNames: PeerNames
  node: NodeInfo
  reads: ReadGuard
}
