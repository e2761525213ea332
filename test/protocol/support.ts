import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import { keccak256, privateKeyToAddress, signDigest } from '@songhua/sdk/protocol/crypto'
import { type Address, type Hash, utf8ToBytes } from '@songhua/sdk/protocol/bytes'
import { blockHash, commitSealDigest, headerWithSeals } from '@songhua/sdk/protocol/block-hash'
import { createGenesisJson, genesisHeader, parseGenesis } from '@songhua/sdk/protocol/genesis'
import { type Header } from '@songhua/sdk/protocol/header'
import { type HeaderRules, type ParentBlock, createHeader } from '@songhua/sdk/protocol/header-rules'
import { EMPTY_FRONTIER, appendHash } from '@songhua/sdk/protocol/history-tree'
import { EMPTY_TRIE_ROOT } from '@songhua/sdk/protocol/account'

export function vector<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(`../vectors/${path}`, import.meta.url), 'utf8')) as T
}

/** The code of the error that `run` throws; fails when it throws none or an error without a code. */
export function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (isCodedError(error)) return error.code
    throw error
  }
  return expect.fail('nothing was thrown')
}

/** The field that a refusal names. */
export function pathOf(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    if (isCodedError(error)) return error.details.path
    throw error
  }
  return expect.fail('nothing was thrown')
}

export interface Member {
  privateKey: Uint8Array
  address: Address
}

export function member(name: string): Member {
  const privateKey = keccak256(utf8ToBytes(name))
  return { privateKey, address: privateKeyToAddress(privateKey) }
}

/** Ascending by address. */
export const MEMBERS = ['a', 'b', 'c', 'd'].map(member).sort((a, b) => (a.address < b.address ? -1 : 1))
export const VALIDATORS = MEMBERS.map(({ address }) => address)
export const MEMBERSHIP: Address = '0x00000000000000000000000000000000000f0001'

export const GENESIS_JSON = createGenesisJson({
  chainId: 230099,
  validators: VALIDATORS,
  alloc: { [MEMBERSHIP]: { code: '0x00' } },
  qbft: { membershipContract: MEMBERSHIP },
  timestamp: 1_800_000_000,
})

export interface TestChain {
  rules: HeaderRules
  headers: Header[]
  hashes: Hash[]
  tip(): ParentBlock
  /** An unsealed header for the next height. */
  next(overrides?: Partial<Parameters<typeof createHeader>[0]>): Header
  append(header?: Header): void
}

/** A chain of empty blocks on the genesis above. */
export function createTestChain(): TestChain {
  const genesis = parseGenesis(GENESIS_JSON)
  const first = genesisHeader(genesis, EMPTY_TRIE_ROOT)
  const headers = [first]
  const hashes = [blockHash(first)]
  let { frontier } = appendHash(EMPTY_FRONTIER, hashes[0]!)
  const rules = { genesisHash: hashes[0]!, gasLimit: genesis.gasLimit, minBlockPeriodMs: genesis.qbft.minBlockPeriodMs }
  const tip = (): ParentBlock => {
    const header = headers.at(-1)!
    return { header, hash: hashes.at(-1)!, validators: VALIDATORS, frontier }
  }
  const next: TestChain['next'] = (overrides = {}) => {
    const choices = {
      coinbase: VALIDATORS[0]!,
      blockTimeMs: first.timestamp * 1000 + 1_234 * headers.length,
      round: 0,
      stateRoot: EMPTY_TRIE_ROOT,
      transactionsRoot: EMPTY_TRIE_ROOT,
      receiptsRoot: EMPTY_TRIE_ROOT,
      logsBloom: new Uint8Array(256),
      gasUsed: 0n,
      nextValidators: VALIDATORS,
      ...overrides,
    }
    return createHeader(choices, tip(), rules)
  }
  const append = (header = next()): void => {
    headers.push(header)
    hashes.push(blockHash(header))
    frontier = appendHash(frontier, hashes.at(-1)!).frontier
  }
  return { rules, headers, hashes, tip, next, append }
}

export function sealedBy(header: Header, members: readonly Member[]): Header {
  const digest = commitSealDigest(header)
  return headerWithSeals(header, members.map(({ privateKey }) => signDigest(digest, privateKey)))
}
