import { type Hash, bigintToBytes, hexToBytes } from './bytes.js'
import { decodeRlp, encodeRlp, readBigint, readHash, readList } from './rlp.js'

/** What the state trie holds for an address. Balance in wei. */
export interface Account {
  readonly nonce: bigint
  readonly balance: bigint
  readonly storageRoot: Hash
  readonly codeHash: Hash
}

/** keccak256 of no bytes. */
export const EMPTY_CODE_HASH: Hash = '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470'
/** keccak256 of RLP of no bytes: the root of a trie without keys. */
export const EMPTY_TRIE_ROOT: Hash = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421'

export const EMPTY_ACCOUNT: Account = {
  nonce: 0n,
  balance: 0n,
  storageRoot: EMPTY_TRIE_ROOT,
  codeHash: EMPTY_CODE_HASH,
}

export function encodeAccount(account: Account): Uint8Array {
  return encodeRlp([
    bigintToBytes(account.nonce),
    bigintToBytes(account.balance),
    hexToBytes(account.storageRoot),
    hexToBytes(account.codeHash),
  ])
}

export function decodeAccount(bytes: Uint8Array): Account {
  const fields = readList(decodeRlp(bytes, { maxDepth: 1 }), 'account', 4)
  return {
    nonce: readBigint(fields[0], 'account.nonce', 8),
    balance: readBigint(fields[1], 'account.balance'),
    storageRoot: readHash(fields[2], 'account.storageRoot'),
    codeHash: readHash(fields[3], 'account.codeHash'),
  }
}
