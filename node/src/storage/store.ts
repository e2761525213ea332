import { decodeAccount, encodeAccount, EMPTY_CODE_HASH } from '@songhua/sdk/protocol/account'
import {
  type Address, EMPTY_BYTES, bigintToBytes, bytesToBigint, bytesToHex, bytesToNumber, hexToBytes, numberToBytes,
} from '@songhua/sdk/protocol/bytes'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { decodeHeader, encodeHeader } from '@songhua/sdk/protocol/header'
import { decodeRlp, readBytes, splitRlpList } from '@songhua/sdk/protocol/rlp'
import type { NodeStore, StateDiff, StateReader } from '../trie/state.js'
import type { BlockCommit, ChainStore, StoreReader, StoredHead } from './chain-store.js'
import {
  decodeBody, decodeHead, decodeLocation, decodeReceipts, encodeBody, encodeHead, encodeLocation, encodeReceipts,
} from './codecs.js'
import * as keys from './keys.js'
import type { Table, TableChange } from './table.js'

/** Position of the logs bloom among a header's fields. */
const BLOOM_FIELD = 6

/** Reads what a table holds now: also what another thread has written to it since. */
export function createStoreReader(table: Table): StoreReader {
  const read = <T>(key: Uint8Array, decode: (bytes: Uint8Array) => T): T | undefined => {
    const bytes = table.get(key)
    return bytes === undefined ? undefined : decode(bytes)
  }
  const header: StoreReader['header'] = (number) => read(keys.headerKey(number), decodeHeader)
  return {
    head: () => read(keys.HEAD_KEY, (bytes) => completeHead(bytes, header)),
    header,
    hashAt: (number) => read(keys.blockHashKey(number), bytesToHex),
    numberOf: (hash) => read(keys.blockNumberKey(hash), bytesToNumber),
    body: (number) => read(keys.bodyKey(number), decodeBody),
    receipts: (number) => read(keys.receiptsKey(number), decodeReceipts),
    transactionLocation: (hash) => read(keys.transactionKey(hash), decodeLocation),
    historyNode: (level, index) => read(keys.historyKey(level, index), bytesToHex),
    blooms: (first, last) => readBlooms(table, first, last),
    state: createFlatState(table),
    memoryBytes: () => table.memoryBytes(),
    close: () => table.close(),
  }
}

function completeHead(bytes: Uint8Array, headerOf: StoreReader['header']): StoredHead {
  const { number, hash, rotation, frontier } = decodeHead(bytes)
  const header = headerOf(number)
  if (header !== undefined) return { header, hash, rotation, frontier }
  const message = `the header of block ${number}, the head, is missing`
  throw new CodedError('STORE_INCONSISTENT', message, { details: { number } })
}

/**
 * By single reads, which are no slower: a closed iterator of classic-level keeps its cache of 32 KB until its thread collects
 * its old generation, and a thread that only searches logs does not for hours.
 */
function* readBlooms(table: Table, first: number, last: number): ReturnType<StoreReader['blooms']> {
  for (let number = first; number <= last; number++) {
    const header = table.get(keys.headerKey(number))
    if (header === undefined) return
    yield { number, logsBloom: readBytes(decodeRlp(splitRlpList(header)[BLOOM_FIELD]!), 'logsBloom') }
  }
}

function createFlatState(table: Table): StateReader & NodeStore {
  return {
    getAccount(address) {
      const bytes = table.get(keys.accountKey(address))
      return bytes === undefined ? undefined : decodeAccount(bytes)
    },
    getStorage(address, slot) {
      const bytes = table.get(keys.slotKey(address, slot))
      return bytes === undefined ? 0n : bytesToBigint(bytes)
    },
    getCode(codeHash) {
      const code = codeHash === EMPTY_CODE_HASH ? EMPTY_BYTES : table.get(keys.codeKey(codeHash))
      if (code !== undefined) return code
      throw new CodedError('STORE_INCONSISTENT', `code ${codeHash} is not in the store`, { details: { codeHash } })
    },
    getNode: (hash) => table.get(keys.trieNodeKey(hash)),
  }
}

/** A store over a table that `createStoreReader` finds consistent. */
export function createChainStore(table: Table): ChainStore {
  const reader = createStoreReader(table)
  let head = reader.head()
  let isCommitting = false
  return {
    ...reader,
    head: () => head,
    async commitBlock(commit) {
      checkOrder(head, commit, isCommitting)
      isCommitting = true
      try {
        await table.write(await changesOf(commit, table))
        head = commit.head
      } finally {
        isCommitting = false
      }
    },
  }
}

function checkOrder(head: StoredHead | undefined, { block, head: next }: BlockCommit, isCommitting: boolean): void {
  const { number, parentHash } = block.header
  const fits = head === undefined ? number === 0 : number === head.header.number + 1 && parentHash === head.hash
  if (fits && !isCommitting && next.header.number === number) return
  const at = head === undefined ? 'an empty store' : `head ${head.header.number} ${head.hash}`
  const why = isCommitting ? 'while another commit is under way' : `whose parent is ${parentHash}`
  const message = `block ${number} ${next.hash} cannot follow ${at}, ${why}`
  throw new CodedError('STORE_COMMIT_ORDER', message, { details: { number, hash: next.hash } })
}

async function changesOf(commit: BlockCommit, table: Table): Promise<TableChange[]> {
  return [...(await clearedSlots(commit.diff, table)), ...stateChanges(commit), ...blockChanges(commit)]
}

/** First in the batch, so that what the block writes afterwards stays. */
async function clearedSlots({ accounts, cleared }: StateDiff, table: Table): Promise<TableChange[]> {
  const deleted = [...accounts].filter(([, account]) => account === null).map(([address]) => address)
  const changes: TableChange[] = []
  for (const address of new Set<Address>([...cleared, ...deleted])) {
    for await (const key of table.keys(keys.slotRange(address))) changes.push([key, undefined])
  }
  return changes
}

function* stateChanges({ diff, trieNodes }: BlockCommit): Iterable<TableChange> {
  for (const [address, account] of diff.accounts) {
    yield [keys.accountKey(address), account === null ? undefined : encodeAccount(account)]
  }
  for (const [address, slots] of diff.storage) {
    if (diff.accounts.get(address) === null) continue
    for (const [slot, value] of slots) {
      yield [keys.slotKey(address, slot), value === 0n ? undefined : bigintToBytes(value)]
    }
  }
  for (const [hash, code] of diff.codes) yield [keys.codeKey(hash), code]
  for (const [hash, node] of trieNodes) yield [keys.trieNodeKey(hash), node]
}

function* blockChanges({ block, receipts, head, historyNodes }: BlockCommit): Iterable<TableChange> {
  const { header, transactions } = block
  const { number } = header
  const hash = hexToBytes(head.hash)
  yield [keys.headerKey(number), encodeHeader(header)]
  yield [keys.blockHashKey(number), hash]
  yield [keys.blockNumberKey(head.hash), numberToBytes(number)]
  yield [keys.bodyKey(number), encodeBody(transactions.map(({ raw }) => raw))]
  yield [keys.receiptsKey(number), encodeReceipts(receipts)]
  for (const [index, transaction] of transactions.entries()) {
    yield [keys.transactionKey(transaction.hash), encodeLocation({ number, index })]
  }
  for (const node of historyNodes) yield [keys.historyKey(node.level, node.index), hexToBytes(node.hash)]
  if (number === 0) yield [keys.GENESIS_KEY, hash]
  yield [keys.HEAD_KEY, encodeHead({ number, hash: head.hash, rotation: head.rotation, frontier: head.frontier })]
}
