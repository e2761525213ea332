import { readdirSync, readFileSync } from 'node:fs'
import { EMPTY_TRIE_ROOT } from '@songhua/sdk/protocol/account'
import { type Hash, hexToBytes, padLeft, bigintToBytes, toAddress, toHash } from '@songhua/sdk/protocol/bytes'
import { keccak256Hex } from '@songhua/sdk/protocol/crypto'
import { isCodedError, messageOf } from '@songhua/sdk/protocol/errors'
import type { Log } from '@songhua/sdk/protocol/receipt'
import { encodeRlp } from '@songhua/sdk/protocol/rlp'
import { type Transaction, decodeTransaction } from '@songhua/sdk/protocol/transaction'
import type { BlockContext, Evm } from '@songhua/node/execution/evm'
import { JournaledState } from '@songhua/node/execution/journaled-state'
import type { ExecutionRules } from '@songhua/node/execution/rules'
import { checkTransaction } from '@songhua/node/execution/transaction-check'
import { runOpenTransaction } from '@songhua/node/execution/transaction-run'
import { type StateDiff, type StateReader, emptyStateDiff } from '@songhua/node/trie/state'
import { stateReaderAt, updateStateTrie } from '@songhua/node/trie/state-trie'

/** Mainnet, whose id the vectors' transactions carry; those from before EIP-155 are good. */
export const STATE_TEST_RULES: ExecutionRules = { chainId: 1n, requireChainId: false }

interface Post {
  hash: string
  logs: string
  txbytes: string
  expectException?: string
}

interface StateTest {
  env: Record<string, string>
  pre: Record<string, { balance: string; nonce: string; code: string; storage: Record<string, string> }>
  post: Record<string, Post[]>
  transaction: Record<string, unknown>
}

export interface Tally {
  passed: number
  /** Blob transactions, which the chain does not have. */
  blobs: number
  failures: string[]
}

/** Every `.json` below a folder, as paths relative to it. */
export function listStateTests(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.json')).sort()
}

function envToBlock(env: Record<string, string>): BlockContext {
  return {
    number: Number(env.currentNumber),
    timestamp: Number(env.currentTimestamp),
    coinbase: toAddress(env.currentCoinbase!),
    gasLimit: BigInt(env.currentGasLimit!),
    baseFeePerGas: BigInt(env.currentBaseFee!),
    prevRandao: toHash(padLeft(bigintToBytes(BigInt(env.currentRandom!)), 32)),
    blobBaseFee: 1n,
    // The vectors' convention: keccak256 of the number in decimal.
    blockHash: (number) => keccak256Hex(new TextEncoder().encode(String(number))),
  }
}

function preToDiff(pre: StateTest['pre']): StateDiff {
  const diff = emptyStateDiff()
  for (const [key, { balance, nonce, code, storage }] of Object.entries(pre)) {
    const address = toAddress(key)
    const codeBytes = hexToBytes(code)
    const codeHash = keccak256Hex(codeBytes)
    diff.codes.set(codeHash, codeBytes)
    diff.accounts.set(address, { nonce: BigInt(nonce), balance: BigInt(balance), storageRoot: EMPTY_TRIE_ROOT, codeHash })
    const slots = new Map<Hash, bigint>()
    for (const [slot, value] of Object.entries(storage)) {
      slots.set(toHash(padLeft(bigintToBytes(BigInt(slot)), 32)), BigInt(value))
    }
    diff.storage.set(address, slots)
  }
  return diff
}

interface PreState {
  root: Hash
  nodes: Map<Hash, Uint8Array>
  reader: StateReader
}

function buildPreState(pre: StateTest['pre']): PreState {
  const diff = preToDiff(pre)
  const { root, nodes } = updateStateTrie({ getNode: () => undefined }, EMPTY_TRIE_ROOT, diff)
  const codeOf = (hash: Hash): Uint8Array => diff.codes.get(hash)!
  return { root, nodes, reader: stateReaderAt({ getNode: (hash) => nodes.get(hash) }, codeOf, root) }
}

function logsHash(logs: Log[]): Hash {
  return keccak256Hex(
    encodeRlp(logs.map(({ address, topics, data }) => [hexToBytes(address), topics.map((topic) => hexToBytes(topic)), data])),
  )
}

function decode(txbytes: string): Transaction | string {
  try {
    return decodeTransaction(hexToBytes(txbytes))
  } catch (error) {
    if (isCodedError(error)) return `${error.code}: ${error.message}`
    throw error
  }
}

/** Undefined when the case passes, else what differs. */
async function runCase(post: Post, { env, pre, evm }: { env: BlockContext; pre: PreState; evm: Evm }): Promise<string | undefined> {
  const state = new JournaledState(pre.reader)
  const transaction = decode(post.txbytes)
  const refusal = typeof transaction === 'string'
    ? transaction
    : checkTransaction(transaction, { state, block: env, rules: STATE_TEST_RULES, gasLeft: env.gasLimit })?.message
  if (refusal !== undefined) {
    return post.expectException === undefined ? `refused: ${refusal}` : undefined
  }
  if (post.expectException !== undefined) return `accepted, expected ${post.expectException}`
  const { result } = await runOpenTransaction(transaction as Transaction, { state, block: env, evm })
  state.endTransaction(result.destroyed)
  const { root } = updateStateTrie({ getNode: (hash) => pre.nodes.get(hash) }, pre.root, state.diff())
  const logs = logsHash(result.logs)
  if (logs !== post.logs) return `logs hash ${logs}, expected ${post.logs}`
  return root === post.hash ? undefined : `state root ${root}, expected ${post.hash}`
}

function isBlobTransaction(post: Post): boolean {
  return post.txbytes.startsWith('0x03')
}

/** Runs all Cancun cases of one file into `tally`. */
export async function runStateTestFile(path: string, evm: Evm, tally: Tally): Promise<void> {
  const tests = JSON.parse(readFileSync(path, 'utf8')) as Record<string, StateTest>
  for (const [name, test] of Object.entries(tests)) {
    const cases = test.post.Cancun ?? []
    if (cases.length === 0) continue
    const pre = buildPreState(test.pre)
    const env = envToBlock(test.env)
    for (const [index, post] of cases.entries()) {
      if (isBlobTransaction(post)) {
        tally.blobs++
        continue
      }
      const failure = await runCase(post, { env, pre, evm }).catch((error: unknown) => `threw ${messageOf(error)}`)
      if (failure === undefined) tally.passed++
      else tally.failures.push(`${name} #${index}: ${failure}`)
    }
  }
}

export function emptyTally(): Tally {
  return { passed: 0, blobs: 0, failures: [] }
}
