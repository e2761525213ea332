import { type Address, type Hash, type Hex, bytesToHex, hexToBytes, toAddress } from '../protocol/bytes.js'
import { keccak256Hex } from '../protocol/crypto.js'
import { ANCHOR_CONTRACT } from '../protocol/evidence-receipt.js'
import { DEFAULT_RETRY, backOffMs, sleep } from '../connection/retry.js'
import { SonghuaError, isSonghuaError } from '../connection/songhua-error.js'
import { findAnchorEvent } from './anchor-events.js'
import { ANCHOR_GAS_LIMIT, type BatchTree, anchorCall, batchIdOf } from './batch.js'
import { type TransactionPlace, numberFromJson, placeFromJson, readAnswer } from './block-json.js'
import { permissionRefusalOf } from './permission-refusal.js'
import type { RpcClient } from './rpc-client.js'
import type { ChainSigner } from './signer.js'

/** Brings batches onto the chain, one transaction each, with nonces in order. */
export interface AnchorSender {
  readonly address: Address
  /**
   * @returns where the transaction stands that anchored the batch: of a sealed block, if the endpoint tells the truth
   * @throws SonghuaError `ANCHOR_TIMEOUT`, `ANCHOR_FAILED`, `RPC_…`
   */
  anchor(tree: BatchTree, options: AnchorSending): Promise<TransactionPlace>
}

export interface AnchorSending {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** The transaction is in a pool, durably. Called once. */
  readonly onAccepted: () => void
}

interface Sent {
  readonly hash: Hash
  readonly raw: Hex
  readonly nonce: number
}

/** A block takes some 300 ms; a node of ours holds the question for a second until it is there. */
const POLL_MS = 50
/** Without a block for so long, the transaction is sent again: a pool may have dropped it. */
const RESEND_MS = 3_000
/** Nonces lost one after another to others that use the same key. */
const LOST_NONCES_MAX = 16

export async function createAnchorSender(
  rpc: RpcClient,
  account: { signer: ChainSigner; chainId: number },
): Promise<AnchorSender> {
  const address = toAddress(await account.signer.getAddress(), 'signer')
  const context: Context = { rpc, ...account, address, nonces: createNonceQueue() }
  return { address, anchor: (tree, options) => anchorTree(context, tree, options) }
}

interface Context {
  readonly rpc: RpcClient
  readonly signer: ChainSigner
  readonly chainId: number
  readonly address: Address
  readonly nonces: NonceQueue
}

async function anchorTree(context: Context, tree: BatchTree, options: AnchorSending): Promise<TransactionPlace> {
  const deadlineMs = Date.now() + options.timeoutMs
  const batchId = batchIdOf(tree)
  const data = bytesToHex(anchorCall({ ...tree, batchId }))
  for (let lost = 0; lost < LOST_NONCES_MAX; lost++) {
    const sent = await context.nonces.next((nonce) => send(context, { data, nonce, deadlineMs, ...options }))
    if (lost === 0) options.onAccepted()
    const place = await settle(context, sent, { deadlineMs, signal: options.signal })
    if (place === undefined) continue
    if (place.status === 1) return place
    return (await findAnchored(context, batchId, options.signal)) ?? failed(batchId, sent)
  }
  const message = `${LOST_NONCES_MAX} nonces of ${context.address} were taken by others; give each writer its own account`
  throw new SonghuaError('ANCHOR_FAILED', message, { details: { batchId } })
}

// ------------------------------------------------------------------------------------------------------ sending

interface Sending {
  readonly data: Hex
  readonly nonce: number | undefined
  readonly deadlineMs: number
  readonly signal?: AbortSignal | undefined
}

/** @param sending.nonce undefined: the chain is asked */
async function send(context: Context, sending: Sending): Promise<Sent> {
  const { signal, deadlineMs } = sending
  let { nonce } = sending
  for (let attempt = 0; ; attempt++) {
    nonce ??= await transactionCount(context, 'pending', signal)
    const sent = await sign(context, nonce, sending.data)
    switch (await submit(context, sent, signal)) {
      case 'sent':
        return sent
      case 'nonce-taken':
        nonce = undefined
        break
      case 'full':
        break
    }
    if (Date.now() > deadlineMs) throw timedOut(sent)
    await sleep(backOffMs(DEFAULT_RETRY, attempt), signal)
  }
}

async function sign({ signer, chainId }: Context, nonce: number, data: Hex): Promise<Sent> {
  const fees = { maxFeePerGas: 0n, maxPriorityFeePerGas: 0n }
  const call = { to: ANCHOR_CONTRACT, value: 0n, data, gasLimit: ANCHOR_GAS_LIMIT }
  const raw = (await signer.signTransaction({ type: 2, chainId, nonce, ...fees, ...call })) as Hex
  return { raw, nonce, hash: keccak256Hex(hexToBytes(raw, 'signed transaction')) }
}

/** What a node that refuses means, by its own code or, on other nodes, by geth's words. */
const REFUSALS: readonly [RegExp, 'sent' | 'nonce-taken' | 'full'][] = [
  [/POOL_ALREADY_KNOWN|already known|known transaction/i, 'sent'],
  [/POOL_NONCE_|POOL_REPLACEMENT|nonce too (low|high)|replacement transaction/i, 'nonce-taken'],
  [/POOL_FULL|POOL_ACCOUNT_LIMIT|txpool is full|account limit/i, 'full'],
]

async function submit(
  context: Context,
  sent: Sent,
  signal: AbortSignal | undefined,
): Promise<'sent' | 'nonce-taken' | 'full'> {
  try {
    await context.rpc.call('eth_sendRawTransaction', [sent.raw], signal)
    return 'sent'
  } catch (error) {
    if (!isSonghuaError(error, 'RPC_REFUSED')) throw error
    const said = `${String(error.details.reason)} ${String(error.details.rpcMessage)}`
    // Its quota has room as soon as what this account has waiting is in a block.
    const isSoon = permissionRefusalOf(error)?.retryAtMs === 0
    const meaning = isSoon ? 'full' : REFUSALS.find(([words]) => words.test(said))?.[1]
    if (meaning === undefined) throw error
    // Its first try may have gone through though its answer was lost: then the nonce is taken by itself.
    if (meaning === 'nonce-taken' && (await placeOf(context, sent, signal)) !== undefined) return 'sent'
    return meaning
  }
}

async function transactionCount(
  { rpc, address }: Context,
  block: 'pending' | 'latest',
  signal: AbortSignal | undefined,
): Promise<number> {
  const count = await rpc.call('eth_getTransactionCount', [address, block], signal)
  return readAnswer('eth_getTransactionCount', () => numberFromJson(count, 'count'))
}

// ----------------------------------------------------------------------------------------------------- settling

/** @returns undefined when another transaction of the account has taken its nonce */
async function settle(
  context: Context,
  sent: Sent,
  until: { deadlineMs: number; signal: AbortSignal | undefined },
): Promise<TransactionPlace | undefined> {
  const { deadlineMs, signal } = until
  for (let checkedMs = Date.now(); ; ) {
    const place = await placeOf(context, sent, signal)
    if (place !== undefined) return place
    if (Date.now() > deadlineMs) throw timedOut(sent)
    if (Date.now() - checkedMs > RESEND_MS) {
      const answer = await submit(context, sent, signal)
      if (answer === 'nonce-taken' && (await isNonceUsed(context, sent, signal))) return undefined
      checkedMs = Date.now()
    }
    await sleep(POLL_MS, signal)
  }
}

async function isNonceUsed(context: Context, sent: Sent, signal: AbortSignal | undefined): Promise<boolean> {
  const count = await transactionCount(context, 'latest', signal)
  return count > sent.nonce && (await placeOf(context, sent, signal)) === undefined
}

async function placeOf(
  { rpc }: Context,
  { hash }: Sent,
  signal: AbortSignal | undefined,
): Promise<TransactionPlace | undefined> {
  const receipt = await rpc.call('eth_getTransactionReceipt', [hash], signal)
  return receipt === null ? undefined : readAnswer('eth_getTransactionReceipt', () => placeFromJson(receipt))
}

/** The contract takes a batch once. When it refused this one, another transaction of the account has anchored it. */
async function findAnchored(
  { rpc, address }: Context,
  batchId: Hash,
  signal: AbortSignal | undefined,
): Promise<TransactionPlace | undefined> {
  const found = await findAnchorEvent(rpc, { sender: address, batchId }, signal)
  return found && { ...found, status: 1 }
}

function timedOut({ hash }: Sent): SonghuaError {
  const message = `Transaction ${hash} is in no block yet; it may still come: wait and ask for its receipt`
  return new SonghuaError('ANCHOR_TIMEOUT', message, { details: { transactionHash: hash } })
}

function failed(batchId: Hash, { hash }: Sent): never {
  const message = `RecordAnchor refused batch ${batchId} in transaction ${hash}`
  throw new SonghuaError('ANCHOR_FAILED', message, { details: { batchId, transactionHash: hash } })
}

// ------------------------------------------------------------------------------------------------------- nonces

interface NonceQueue {
  /** One after another: a pool takes the nonces of an account without gaps. */
  next(send: (nonce: number | undefined) => Promise<Sent>): Promise<Sent>
}

function createNonceQueue(): NonceQueue {
  let nonce: number | undefined
  let last: Promise<unknown> = Promise.resolve()
  const run = async (send: (nonce: number | undefined) => Promise<Sent>): Promise<Sent> => {
    const expected = nonce
    // Asked for anew after a failure: whether its nonce was used is not known.
    nonce = undefined
    const sent = await send(expected)
    nonce = sent.nonce + 1
    return sent
  }
  return {
    next: (send) => {
      const turn = last.then(() => run(send))
      last = turn.catch(() => undefined)
      return turn
    },
  }
}
