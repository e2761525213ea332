import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { hexToBytes } from '@songhua/sdk/protocol/bytes'
import { createEvidenceAssembler } from '@songhua/sdk/protocol/evidence-assembly'
import { RECORD_FAMILIES } from '@songhua/sdk/protocol/evidence-envelope'
import { ANCHOR_CONTRACT, ANCHOR_EVENT, readAnchoredBatch } from '@songhua/sdk/protocol/evidence-receipt'
import { encodeHeader } from '@songhua/sdk/protocol/header'
import type { Log } from '@songhua/sdk/protocol/receipt'
import { crashPoint } from '../base/crash-points.js'
import { readLeaves } from './batch-shelf.js'
import type { EventLog } from './event-log.js'
import { anchorKey, changeKey, openKey } from './keys.js'
import type { ChainWriter, LocatedTransaction } from './ports.js'
import { sizeOf } from './progress.js'
import { type AnchorRow, type BatchRow, encodeAnchorRow } from './rows.js'
import { type Change, type GatewayStore, readRecord } from './store.js'
import type { ValidatorChanges } from './validator-changes.js'

export interface SettleParts {
  readonly store: GatewayStore
  readonly events: Pick<EventLog, 'commit'>
  readonly changes: ValidatorChanges
  readonly writer: Pick<ChainWriter, 'locate'>
  readonly chain: { readonly chainId: number; readonly genesisHash: Hash }
  readonly address: Address
}

/** How a batch stands on the chain. `failed`: its newest attempt has a block and anchored nothing. */
export type Standing = 'anchored' | 'failed' | 'pending'

/** Looks for any attempt that anchored the batch; then its chain part, its event and its end are one write. */
export async function settleBatch(row: BatchRow, nowMs: number, parts: SettleParts): Promise<Standing> {
  let standing: Standing = 'pending'
  for (const hash of row.hashes) {
    const located = await parts.writer.locate(hash)
    // Attempts have ascending nonces: when the newest has a block, no earlier one can still get one.
    standing = located === undefined ? 'pending' : 'failed'
    if (located === undefined || !isAnchoredBy(located, row, parts.address)) continue
    await keepChainPart(row, { located, hash, nowMs }, parts)
    return 'anchored'
  }
  return standing
}

function isAnchoredBy({ receipts, transactionIndex }: LocatedTransaction, row: BatchRow, sender: Address): boolean {
  const receipt = receipts[transactionIndex]
  return receipt?.status === 1 && receipt.logs.some((log) => isEventOf(log, row, sender))
}

function isEventOf(log: Log, row: BatchRow, sender: Address): boolean {
  if (log.address !== ANCHOR_CONTRACT || log.topics[0] !== ANCHOR_EVENT) return false
  const batch = readAnchoredBatch(log)
  const isTree =
    batch.root === row.root &&
    batch.size === BigInt(sizeOf(row)) &&
    batch.family === BigInt(RECORD_FAMILIES[row.family])
  return isTree && batch.batchId === row.batchId && batch.sender === sender
}

interface Found {
  readonly located: LocatedTransaction
  readonly hash: Hash
  readonly nowMs: number
}

async function keepChainPart(row: BatchRow, { located, hash, nowMs }: Found, parts: SettleParts): Promise<void> {
  const { store, events, changes, chain } = parts
  const { family, first, last, batchId } = row
  const { header, receipts, transactionIndex } = located
  const history = await changes.before(header.number)
  const place = { family, seq: last }
  const leaves = readLeaves(store, place)
  // The assembler checks that receipts, header, tree and record belong together; what it cuts is what is kept.
  const cut = createEvidenceAssembler({
    chain,
    leaves,
    block: { header, receipts, transactionIndex },
    validatorHistory: history.headers,
  })
  const envelope = JSON.parse(
    Buffer.from(readRecord(store, { family, seq: first }).envelope).toString('utf8'),
  ) as object
  const { anchor, header: sealed } = cut(envelope, 0)
  const anchorRow: AnchorRow = {
    ...anchor,
    header: hexToBytes(sealed),
    changes: history.headers.map(({ number }) => number),
    transactionHash: hash,
  }
  const event = {
    type: 'record.anchored',
    atMs: nowMs,
    family,
    first,
    last,
    batchId,
    blockNumber: header.number,
  } as const
  crashPoint('gateway.before-anchored')
  await events.commit(event, [
    [anchorKey(place), encodeAnchorRow(anchorRow)],
    [openKey(place), undefined],
    ...history.unstored.map((change): Change => [changeKey(change.number), encodeHeader(change)]),
  ])
  crashPoint('gateway.anchored')
  history.stored()
}
