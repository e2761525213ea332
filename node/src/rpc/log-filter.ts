import { bloomMayContain } from '@songhua/sdk/protocol/bloom'
import { hexToBytes, type Address, type Hash } from '@songhua/sdk/protocol/bytes'
import type { Log } from '@songhua/sdk/protocol/receipt'

/** Which logs are meant. An empty list is a wildcard; topics stand by position, each a list of alternatives. */
export interface LogFilter {
  addresses: Address[]
  topics: Hash[][]
}

export function matchesLog(filter: LogFilter, log: Log): boolean {
  if (filter.addresses.length > 0 && !filter.addresses.includes(log.address)) return false
  if (filter.topics.length > log.topics.length) return false
  return filter.topics.every((wanted, position) => {
    const topic = log.topics[position]
    return wanted.length === 0 || (topic !== undefined && wanted.includes(topic))
  })
}

/** @returns a check of a block's bloom: false only when the block holds no log that the filter means */
export function createBloomCheck(filter: LogFilter): (bloom: Uint8Array) => boolean {
  const groups = [filter.addresses, ...filter.topics]
    .filter((group) => group.length > 0)
    .map((group) => group.map((hex) => hexToBytes(hex)))
  return (bloom) => groups.every((group) => group.some((bytes) => bloomMayContain(bloom, bytes)))
}
