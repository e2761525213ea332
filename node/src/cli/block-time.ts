import { hexToBytes } from '@songhua/sdk/protocol/bytes'
import { decodeExtraData, readVanity } from '@songhua/sdk/protocol/extra-data'

/** The part of a JSON-RPC block that says when it was made. */
export interface TimedBlock {
  number: string
  timestamp: string
  extraData: string
}

/** Milliseconds stand in the vanity of every block but the genesis. @returns ISO 8601 */
export function blockTimeOf({ number, timestamp, extraData }: TimedBlock): string {
  if (Number(number) === 0) return new Date(Number(timestamp) * 1000).toISOString()
  const { vanity } = decodeExtraData(hexToBytes(extraData, 'extraData'))
  return new Date(readVanity(vanity).blockTimeMs).toISOString()
}
