import type { Result } from 'ethers'
import { type Address, type Hash, type Hex, bytesToHex, hexToBytes, toAddress } from '../protocol/bytes.js'
import { keccak256Hex } from '../protocol/crypto.js'
import { readHexBytes, readObject, readQuantity } from '../protocol/json-fields.js'
import { sleep } from '../connection/retry.js'
import { SonghuaError, isSonghuaError } from '../connection/songhua-error.js'
import { numberFromJson, readAnswer } from '../chain/block-json.js'
import type { RpcClient } from '../chain/rpc-client.js'
import type { ChainSigner } from '../chain/signer.js'
import { SYSTEM_CONTRACTS, type SystemContract } from './contracts.js'

/** A call of a system contract that stands in a block. */
export interface Done {
  readonly hash: Hash
  readonly blockNumber: number
  readonly events: readonly GovernanceEvent[]
}

export interface GovernanceEvent {
  readonly contract: string
  readonly name: string
  /** By the names of the contract's event. */
  readonly args: Result
}

export interface Caller {
  readonly rpc: RpcClient
  readonly chainId: number
  readonly signer: ChainSigner
  readonly address: Address
}

/** A function of a system contract with its arguments. */
export interface Call {
  readonly contract: SystemContract
  readonly name: string
  readonly args: readonly unknown[]
}

const ANSWER_BYTES_MAX = 1024 * 1024
const POLL_MS = 50
const TIMEOUT_MS = 60_000
const GAS_MARGIN_PERCENT = 130n
const GAS_MAX = 2n ** 53n

/** What a view of a system contract answers. @throws SonghuaError `GOVERNANCE_REFUSED`, `RPC_…` */
export async function readContract(rpc: RpcClient, { contract, name, args }: Call, block: string = 'latest'): Promise<Result> {
  const data = contract.abi.encodeFunctionData(name, args)
  const answer = await rpc.call('eth_call', [{ to: contract.address, data }, block]).catch(refusedBy(contract, name))
  return readAnswer('eth_call', () => contract.abi.decodeFunctionResult(name, readHexBytes(answer, 'result', ANSWER_BYTES_MAX)))
}

/**
 * Asks the chain first whether it would take the call, so that a refusal costs nothing and says why; then sends it and waits
 * for its block.
 * @throws SonghuaError `GOVERNANCE_REFUSED` with `details.error` (the contract's own) and `details.args`; `GOVERNANCE_TIMEOUT`; `RPC_…`
 */
export async function callContract(caller: Caller, call: Call): Promise<Done> {
  const { rpc, chainId, signer, address } = caller
  const { contract, name, args } = call
  const data = contract.abi.encodeFunctionData(name, args) as Hex
  const request = { from: address, to: contract.address, data }
  const estimate = await rpc.call('eth_estimateGas', [request, 'latest']).catch(refusedBy(contract, name))
  const gas = readAnswer('eth_estimateGas', () => readQuantity(estimate, 'gas', GAS_MAX))
  const nonce = numberFromJson(await rpc.call('eth_getTransactionCount', [address, 'pending']), 'nonce')
  const raw = await signer.signTransaction({
    type: 2, chainId, nonce, gasLimit: await withMargin(rpc, gas), maxFeePerGas: 0n, maxPriorityFeePerGas: 0n,
    to: contract.address, value: 0n, data,
  })
  const hash = keccak256Hex(hexToBytes(raw, 'signed transaction'))
  await rpc.call('eth_sendRawTransaction', [raw])
  return settle(rpc, hash, call)
}

/** Never more than a block has: the pool would refuse it. */
async function withMargin(rpc: RpcClient, gas: bigint): Promise<bigint> {
  const block = await rpc.call('eth_getBlockByNumber', ['latest', false])
  const blockGasLimit = readAnswer('eth_getBlockByNumber', () => readQuantity(readObject(block, 'block').gasLimit, 'block.gasLimit', GAS_MAX))
  const wanted = (gas * GAS_MARGIN_PERCENT) / 100n
  return wanted < blockGasLimit ? wanted : blockGasLimit
}

async function settle(rpc: RpcClient, hash: Hash, { contract, name }: Call): Promise<Done> {
  for (const deadlineMs = Date.now() + TIMEOUT_MS; ; await sleep(POLL_MS)) {
    const answer = await rpc.call('eth_getTransactionReceipt', [hash])
    if (answer !== null) {
      const receipt = readAnswer('eth_getTransactionReceipt', () => readReceipt(answer))
      if (receipt.status === 1) return { hash, blockNumber: receipt.blockNumber, events: receipt.events }
      const message = `${contract.name}.${name} failed in block ${receipt.blockNumber}: something changed since it was tried; try again`
      throw new SonghuaError('GOVERNANCE_REFUSED', message, { details: { transactionHash: hash } })
    }
    if (Date.now() > deadlineMs) {
      const message = `Transaction ${hash} is in no block yet; it may still come: ask for its receipt before sending it again`
      throw new SonghuaError('GOVERNANCE_TIMEOUT', message, { details: { transactionHash: hash } })
    }
  }
}

function readReceipt(value: unknown): { status: number; blockNumber: number; events: GovernanceEvent[] } {
  const json = readObject(value, 'receipt')
  const logs = Array.isArray(json.logs) ? json.logs : []
  return {
    status: numberFromJson(json.status, 'receipt.status'),
    blockNumber: numberFromJson(json.blockNumber, 'receipt.blockNumber'),
    events: logs.flatMap((log: unknown, index) => {
      const found = readEvent(log, `receipt.logs[${index}]`)
      return found === undefined ? [] : [found]
    }),
  }
}

/** A log of a system contract as its event; undefined for one of another contract, or that its interface does not know. */
export function readEvent(log: unknown, path: string): GovernanceEvent | undefined {
  const json = readObject(log, path)
  const contract = SYSTEM_CONTRACTS.find(({ address }) => address === toAddress(String(json.address), `${path}.address`))
  if (contract === undefined) return undefined
  const topics = (Array.isArray(json.topics) ? json.topics : []).map((topic: unknown) => bytesToHex(readHexBytes(topic, `${path}.topics`, 32)))
  const data = bytesToHex(readHexBytes(json.data, `${path}.data`, ANSWER_BYTES_MAX))
  const parsed = contract.abi.parseLog({ topics, data })
  return parsed === null ? undefined : { contract: contract.name, name: parsed.name, args: parsed.args }
}

/** The node's refusal in the words of the contract that gave it; a motion's execution gives those of another contract. */
const refusedBy = (contract: SystemContract, name: string) => (error: unknown): never => {
  if (!isSonghuaError(error, 'RPC_REFUSED')) throw error
  const { data: revertData } = error.details
  if (typeof revertData !== 'string') throw error
  const found = [contract, ...SYSTEM_CONTRACTS].map(({ abi }) => abi.parseError(revertData)).find((one) => one !== null)
  if (found === undefined || found === null) throw error
  const args = Object.entries(found.args.toObject()).map(([key, value]) => `${key} ${String(value)}`).join(', ')
  const message = `${contract.name}.${name} refuses: ${found.name}(${args})`
  throw new SonghuaError('GOVERNANCE_REFUSED', message, { details: { error: found.name, args: found.args.toObject() }, cause: error })
}
