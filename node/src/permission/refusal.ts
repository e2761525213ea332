import type { Role } from '@songhua/contracts/membership/slots'
import type { Address } from '@songhua/sdk/protocol/bytes'
import { CodedError } from '@songhua/sdk/protocol/errors'

/** The sender may not send this, today or any other day, before the policy changes. */
export type RightCode = 'PERMISSION_ORGANISATION_SUSPENDED' | 'PERMISSION_NOT_BOUND' | 'PERMISSION_ROLE'

/** The sender may, but not so much today. */
export type QuotaCode =
  | 'QUOTA_ACCOUNT_GAS'
  | 'QUOTA_ACCOUNT_BYTES'
  | 'QUOTA_ORGANISATION_GAS'
  | 'QUOTA_ORGANISATION_BYTES'
  | 'QUOTA_NEWCOMERS_GAS'
  | 'QUOTA_NEWCOMERS_BYTES'

export type PermissionCode = RightCode | QuotaCode

/** Why the chain takes no such transaction from its sender. */
export interface PermissionRefusal {
  readonly code: PermissionCode
  readonly message: string
  /**
   * Always `account`, and `organisation` (credit code) when the account is bound; `role` of `PERMISSION_ROLE`; of quotas
   * `limit`, `used`, `asked`, and `pending` when the sender's own waiting transactions were counted (gas or bytes), and
   * `resetsAt`, seconds since 1970.
   */
  readonly details: Readonly<Record<string, unknown>>
}

export interface Who {
  readonly account: Address
  /** Undefined: a newcomer. */
  readonly organisation: string | undefined
}

export function suspended({ account, organisation }: Who): PermissionRefusal {
  const message = `organisation ${organisation} of ${account} is not active`
  return { code: 'PERMISSION_ORGANISATION_SUSPENDED', message, details: { account, organisation } }
}

export function notBound({ account }: Who): PermissionRefusal {
  const message = `${account} is bound to no organisation, and newcomers may send nothing`
  return { code: 'PERMISSION_NOT_BOUND', message, details: { account } }
}

export function lacksRole(who: Who, role: Role): PermissionRefusal {
  const { account, organisation } = who
  const whose = organisation === undefined ? `${account}, bound to no organisation,` : `${account} of organisation ${organisation}`
  const details = organisation === undefined ? { account, role } : { account, organisation, role }
  return { code: 'PERMISSION_ROLE', message: `${whose} lacks the role ${role}`, details }
}

/** Gas or bytes of one day. */
export interface QuotaNumbers {
  readonly limit: bigint
  /** Of this day, up to here. */
  readonly used: bigint
  /** Of the sender's other waiting transactions; 0 in a block. */
  readonly pending: bigint
  readonly asked: bigint
  /** Seconds since 1970. */
  readonly resetsAt: number
}

export function exceeds(code: QuotaCode, who: Who, numbers: QuotaNumbers): PermissionRefusal {
  const { account, organisation } = who
  const { limit, used, pending, asked, resetsAt } = numbers
  const [, whose, unit] = code.toLowerCase().split('_')
  const waits = pending === 0n ? '' : `, ${pending} of the sender's waits`
  const resets = new Date(resetsAt * 1000).toISOString()
  const message = `${unit} of the day (${whose} quota of ${account}): limit ${limit}, used ${used}${waits}, asked ${asked}; resets at ${resets}`
  const details = {
    account, ...(organisation !== undefined && { organisation }), limit, used, ...(pending > 0n && { pending }), asked, resetsAt,
  }
  return { code, message, details }
}

export function refusalToError({ code, message, details }: PermissionRefusal): CodedError<PermissionCode> {
  return new CodedError(code, message, { details: { ...details } })
}
