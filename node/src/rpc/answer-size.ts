import type { Header } from '@songhua/sdk/protocol/header'
import type { Log, Receipt } from '@songhua/sdk/protocol/receipt'
import type { Transaction } from '@songhua/sdk/protocol/transaction'

/** How long answers will be, in characters and rather too many, before anything of them is made. */

/** A transaction beside its data: 21 fields. */
const TRANSACTION = 900
/** A receipt beside its logs, half of it the bloom. */
const RECEIPT = 1200
/** A log beside its data and topics. */
const LOG = 450
/** 32 bytes with quotes and comma. */
const WORD = 69
/** An entry of an access list without keys. */
const ACCESS_ENTRY = 75
/** A header, its bloom and extra data among it. */
const HEADER = 8000

/** Of a transaction that is not read yet. */
export const rawTransactionLength = (raw: Uint8Array): number => TRANSACTION + 2 * raw.length

export function transactionLength({ data, accessList }: Transaction): number {
  const keys = accessList.reduce((sum, { storageKeys }) => sum + storageKeys.length, 0)
  return TRANSACTION + 2 * data.length + accessList.length * ACCESS_ENTRY + keys * WORD
}

export const logLength = ({ data, topics }: Log): number => LOG + topics.length * WORD + 2 * data.length

export const receiptLength = ({ logs }: Receipt): number => logs.reduce((sum, log) => sum + logLength(log), RECEIPT)

/** The most that a block's transactions come to, without reading them: a byte of data, two characters, costs 4 gas (EIP-2028). */
export const blockLengthMax = ({ gasUsed }: Header): number => HEADER + Number(gasUsed) / 2

/** The most that a block's receipts come to: a log costs 375 gas. */
export const receiptsLengthMax = ({ gasUsed }: Header): number => HEADER + Number(gasUsed) * 1.25
