import { DOOR, type Door, READ_LEVEL, type ReadLevel } from '@songhua/contracts/membership/kinds'
import { NO_LIMIT, ROLE, type Role } from '@songhua/contracts/membership/slots'
import { MOTION_KIND, type MotionKindName } from '@songhua/contracts/membership/state-council'
import { isUscc } from '@songhua/sdk/protocol/uscc'
import { z } from 'zod'
import { refuse } from './bounded.js'
import { quantityToJson } from './json.js'
import { RPC_LIMITS } from './limits.js'
import { addressJson, dataJson, hashJson, quantityJson } from './result-schemas.js'
import { address, smallQuantity } from './schemas.js'

// ------------------------------------------------------------------------------------------------ what is asked

const PAGE_DEFAULT = 50
const USCC_RULE = 'must be a unified social credit code: 18 characters whose check characters hold (GB 32100)'

export const uscc = z.string({ error: USCC_RULE }).refine(isUscc, USCC_RULE).meta({ title: 'unified social credit code' })

/** A part of a list. */
export const page = z
  .strictObject({ offset: smallQuantity.optional(), limit: smallQuantity.optional() }, 'must be an object with offset and limit')
  .nullish()
  .transform((given, context) => {
    const { offset = 0, limit = PAGE_DEFAULT } = given ?? {}
    const { governancePageMax: max } = RPC_LIMITS
    if (limit <= max) return { offset, limit }
    return refuse(context, { path: ['limit'], message: `must be at most ${max}`, limit: 'governancePageMax' })
  })

const SUBJECT_RULE = 'must be an address, a unified social credit code, or newcomers'
/** Whose use is counted. */
export const usageSubject = z.union(
  [z.literal('newcomers'), address.transform((account) => ({ account })), uscc.transform((code) => ({ uscc: code }))],
  { error: SUBJECT_RULE },
)

const NODE_RULE = 'must be an address, an AC code (4 characters of a-z and 0-9) or a peer id'
/** How a node may be named. */
export const nodeName = z.union(
  [
    address.transform((found) => ({ address: found })),
    z.string().regex(/^[a-z0-9]{4}$/).transform((acCode) => ({ acCode })),
    z.string().regex(/^[1-9A-HJ-NP-Za-km-z]{32,64}$/).transform((peerId) => ({ peerId })),
  ],
  { error: NODE_RULE },
)

// ------------------------------------------------------------------------------------------------ what is answered

const names = <K extends string>(table: Readonly<Record<K, unknown>>) => Object.keys(table) as [K, ...K[]]
const rolesJson = z.array(z.enum(names<Role>(ROLE)))
const limitJson = quantityJson.nullable().meta({ title: 'hexadecimal quantity; null: no limit' })
const usccJson = z.string().meta({ title: 'unified social credit code' })
const doorsJson = z.strictObject(Object.fromEntries(names<Door>(DOOR).map((door) => [door, z.enum(names<ReadLevel>(READ_LEVEL))])) as Record<Door, z.ZodEnum<Record<ReadLevel, ReadLevel>>>)

export const rolesToJson = (bits: number): Role[] => names<Role>(ROLE).filter((role) => (bits & ROLE[role]) !== 0)
export const limitToJson = (limit: bigint): string | null => (limit === NO_LIMIT ? null : quantityToJson(limit))

/** The state in which it was read; times in seconds since 1970, as everywhere here. */
const blockMark = { number: quantityJson, hash: hashJson, timestamp: quantityJson }
export const readAtJson = z.strictObject(blockMark)

export const organisationJson = z.strictObject({
  uscc: usccJson,
  status: z.enum(['active', 'suspended']),
  kind: z.enum(['government-body', 'telecom-operator', 'operating-entity', 'enterprise', 'court', 'notary', 'bank']),
  nameZh: z.string(),
  nameEn: z.string(),
  hasSeat: z.boolean(),
  roles: rolesJson,
  gasPerDay: limitJson,
  bytesPerDay: limitJson,
  administrator: addressJson,
  since: quantityJson,
  contactHash: hashJson.optional(),
})

export const accountJson = z.strictObject({ address: addressJson, uscc: usccJson, roles: rolesJson, gasPerDay: limitJson, bytesPerDay: limitJson })

export const nodeJson = z.strictObject({
  address: addressJson,
  publicKey: dataJson,
  peerId: z.string(),
  kind: z.enum(['super', 'backbone', 'service']),
  status: z.enum(['applied', 'admitted', 'active', 'suspended', 'retired']),
  isValidator: z.boolean(),
  city: z.string().meta({ title: 'GB/T 2260' }),
  industry: z.string().optional(),
  acCode: z.string().optional(),
  government: usccJson.optional(),
  telecom: usccJson.optional(),
  operator: usccJson.optional(),
  confirmations: z.array(z.enum(['government', 'telecom', 'operator'])),
  endpointsHash: hashJson.optional(),
  documentsHash: hashJson.optional(),
  applicant: addressJson.optional(),
  suspendedFrom: z.enum(['applied', 'admitted', 'active', 'suspended', 'retired']).optional(),
  suspendedBy: usccJson.optional(),
  since: quantityJson,
  rotatedAt: quantityJson.optional(),
})

const validatorChangeJson = z.strictObject({ height: quantityJson, validators: z.array(addressJson) })

const policyJson = z.strictObject({
  newcomers: z.strictObject({
    roles: rolesJson, gasPerDay: limitJson, bytesPerDay: limitJson, gasPerDayTotal: limitJson, bytesPerDayTotal: limitJson,
  }),
  readLevels: doorsJson,
  minValidators: quantityJson,
  validatorNotice: quantityJson,
  protocolNotice: quantityJson,
  motionLifetime: quantityJson,
  protocolChanges: z.array(z.strictObject({ height: quantityJson, version: quantityJson })),
})

export const membershipJson = z.strictObject({
  block: readAtJson,
  counts: z.strictObject({
    organisations: quantityJson, nodes: quantityJson, connectable: quantityJson, seats: quantityJson, validators: quantityJson,
  }),
  organisations: z.array(organisationJson),
  nodes: z.array(nodeJson),
  validators: z.array(addressJson),
  pendingValidators: z.array(validatorChangeJson),
  policy: policyJson,
})
export type MembershipJson = z.infer<typeof membershipJson>

export const organisationAnswerJson = organisationJson.extend({
  block: readAtJson,
  accounts: z.strictObject({ total: quantityJson, items: z.array(accountJson) }),
})

export const nodeAnswerJson = nodeJson.extend({ block: readAtJson })

const motionKindJson = z.enum(names<MotionKindName>(MOTION_KIND))

export const motionJson = z.strictObject({
  id: quantityJson,
  kind: motionKindJson.optional().meta({ title: 'absent: a number that stands for nothing here' }),
  kindNumber: quantityJson,
  status: z.enum(['open', 'executed', 'cancelled', 'expired']),
  seat: usccJson,
  proposer: addressJson,
  proposedAt: quantityJson,
  expiresAt: quantityJson,
  reason: z.string(),
  approvals: quantityJson,
  rejections: quantityJson,
  needed: quantityJson,
  ballots: z.array(z.strictObject({ seat: usccJson, approve: z.boolean(), counts: z.boolean() })),
})

export const motionAnswerJson = motionJson.extend({ block: readAtJson, arguments: dataJson })

export const councilJson = z.strictObject({
  block: readAtJson,
  governor: addressJson,
  seats: z.array(z.strictObject({ uscc: usccJson, nameZh: z.string(), nameEn: z.string(), administrator: addressJson })),
  thresholds: z.array(z.strictObject({ kind: motionKindJson, permille: quantityJson, needed: quantityJson })),
  motionCount: quantityJson,
  openMotions: z.strictObject({ total: quantityJson, items: z.array(motionJson) }),
})

const meterJson = z.strictObject({ limit: limitJson, used: quantityJson, left: limitJson })

const quotaOfJson = z.strictObject({
  of: z.enum(['account', 'organisation', 'newcomers']), gas: meterJson, bytes: meterJson, transactions: quantityJson,
})

export const quotaJson = z.strictObject({
  block: readAtJson,
  account: addressJson.optional(),
  uscc: usccJson.optional(),
  roles: rolesJson,
  day: quantityJson.meta({ title: 'days since 1970 in Beijing' }),
  resetsAt: quantityJson,
  quotas: z.array(quotaOfJson),
  governing: quotaOfJson.optional().meta({ title: 'of an administrator: what alone holds for its calls of the contracts that govern' }),
})

export const usageJson = z.strictObject({
  block: readAtJson, day: quantityJson.meta({ title: 'days since 1970 in Beijing' }), resetsAt: quantityJson,
  gas: quantityJson, bytes: quantityJson, transactions: quantityJson,
})
