import { bloomOf } from '@songhua/sdk/protocol/bloom'
import type { Receipt } from '@songhua/sdk/protocol/receipt'
import type { TransactionOutcome } from './transaction-run.js'

/** @param gasUsedBefore by the transactions in front of it in the block */
export function receiptOf(
  type: Receipt['type'],
  { result, gasUsed }: TransactionOutcome,
  gasUsedBefore: bigint,
): Receipt {
  return {
    type,
    status: result.failure === undefined ? 1 : 0,
    cumulativeGasUsed: gasUsedBefore + gasUsed,
    logsBloom: bloomOf(result.logs),
    logs: result.logs,
  }
}
