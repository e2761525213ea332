import type { Address } from '../protocol/bytes.js'
import { RECORD_FAMILY_NAMES, type RecordFamily } from '../protocol/evidence-envelope.js'
import type { TransactionActivity } from './activity.js'

/** What was used; all whole numbers. */
export interface UsageFigures {
  readonly transactions: number
  /** Of those, the ones that the chain took and whose call failed. */
  readonly failed: number
  readonly gas: number
  /** Length of the raw transactions. */
  readonly bytes: number
  /** Records anchored, by family. */
  readonly records: Readonly<Record<RecordFamily, number>>
}

/** What one group of accounts used, three times the same sum: as such, by account, and by what was called. */
export interface UsageShare {
  readonly total: UsageFigures
  /** By address. */
  readonly accounts: readonly (UsageFigures & { readonly account: Address })[]
  /** By the address that the transactions went to: a contract, or an account. */
  readonly applications: readonly (UsageFigures & { readonly to: Address })[]
  /** Transactions that created contracts. */
  readonly creations: UsageFigures
}

export interface UsageCounter {
  add(activity: TransactionActivity): void
  share(): UsageShare
}

interface Sum {
  transactions: number
  failed: number
  gas: bigint
  bytes: bigint
  readonly records: Record<RecordFamily, bigint>
}

const newSum = (): Sum => ({ transactions: 0, failed: 0, gas: 0n, bytes: 0n, records: { government: 0n, trace: 0n, credit: 0n } })

function addTo(sum: Sum, activity: TransactionActivity): void {
  sum.transactions += 1
  if (activity.hasFailed) sum.failed += 1
  sum.gas += activity.gas
  sum.bytes += BigInt(activity.bytes)
  for (const family of RECORD_FAMILY_NAMES) sum.records[family] += activity.records[family] ?? 0n
}

/** JSON has no larger numbers; a month at the gas limit of every block stays below a thousandth of it. */
function toNumber(value: bigint): number {
  const number = Number(value)
  if (Number.isSafeInteger(number)) return number
  throw new RangeError(`${value} is above 2^53 - 1`)
}

function toFigures({ transactions, failed, gas, bytes, records }: Sum): UsageFigures {
  const counted = RECORD_FAMILY_NAMES.map((family) => [family, toNumber(records[family])] as const)
  return { transactions, failed, gas: toNumber(gas), bytes: toNumber(bytes), records: Object.fromEntries(counted) as Record<RecordFamily, number> }
}

export function createUsageCounter(): UsageCounter {
  const [total, creations] = [newSum(), newSum()]
  const [accounts, applications] = [new Map<Address, Sum>(), new Map<Address, Sum>()]
  const sumOf = (sums: Map<Address, Sum>, key: Address): Sum => {
    const known = sums.get(key) ?? newSum()
    sums.set(key, known)
    return known
  }
  return {
    add(activity) {
      addTo(total, activity)
      addTo(sumOf(accounts, activity.account), activity)
      addTo(activity.to === undefined ? creations : sumOf(applications, activity.to), activity)
    },
    share: () => ({
      total: toFigures(total),
      accounts: sorted(accounts).map(([account, sum]) => ({ account, ...toFigures(sum) })),
      applications: sorted(applications).map(([to, sum]) => ({ to, ...toFigures(sum) })),
      creations: toFigures(creations),
    }),
  }
}

const sorted = (sums: ReadonlyMap<Address, Sum>): [Address, Sum][] => [...sums].sort(([a], [b]) => (a < b ? -1 : 1))

/** Field by field. */
export function sumFigures(figures: readonly UsageFigures[]): UsageFigures {
  const sum = newSum()
  for (const { transactions, failed, gas, bytes, records } of figures) {
    sum.transactions += transactions
    sum.failed += failed
    sum.gas += BigInt(gas)
    sum.bytes += BigInt(bytes)
    for (const family of RECORD_FAMILY_NAMES) sum.records[family] += BigInt(records[family])
  }
  return toFigures(sum)
}

export function areEqualFigures(a: UsageFigures, b: UsageFigures): boolean {
  const isSame = a.transactions === b.transactions && a.failed === b.failed && a.gas === b.gas && a.bytes === b.bytes
  return isSame && RECORD_FAMILY_NAMES.every((family) => a.records[family] === b.records[family])
}
