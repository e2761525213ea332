import { DAY_OFFSET_S, NO_LIMIT } from '@songhua/contracts/membership/slots'
import type { MotionState } from '@songhua/contracts/membership/state-council'
import type { AccountState } from '@songhua/contracts/membership/state-organisations'
import type { PolicyState } from '@songhua/contracts/membership/state-policy'
import type { z } from 'zod'
import type {
  CouncilAnswer, MembershipAnswer, MotionAnswer, OrganisationAnswer, QuotaAnswer, QuotaMeter, SealingNode, SeatedOrganisation,
} from '../execution/governance-reads.js'
import {
  type accountJson, type councilJson, type membershipJson, type motionAnswerJson, type motionJson, type nodeJson, type organisationAnswerJson,
  type organisationJson, type quotaJson, type readAtJson, limitToJson, rolesToJson,
} from './governance-schemas.js'
import { quantityToJson } from './json.js'
import type { PeerNames } from './ports.js'

type Json<S extends z.ZodType> = z.infer<S>
export type ReadAt = Json<typeof readAtJson>

const DAY_S = 86_400

function organisationToJson(organisation: SeatedOrganisation): Json<typeof organisationJson> {
  const { uscc, status, kind, nameZh, nameEn, hasSeat, roles, gasPerDay, bytesPerDay, administrator, since, contactHash } = organisation
  return {
    uscc, status, kind: KINDS[kind], nameZh, nameEn, hasSeat, roles: rolesToJson(roles),
    gasPerDay: limitToJson(gasPerDay), bytesPerDay: limitToJson(bytesPerDay), administrator, since: quantityToJson(since),
    ...(contactHash !== undefined && { contactHash }),
  }
}

/** As the SDK and rosters write them. */
const KINDS = {
  governmentBody: 'government-body', telecomOperator: 'telecom-operator', operatingEntity: 'operating-entity', enterprise: 'enterprise',
  court: 'court', notary: 'notary', bank: 'bank',
} as const satisfies Record<SeatedOrganisation['kind'], string>

function accountToJson({ address, uscc, roles, gasPerDay, bytesPerDay }: AccountState): Json<typeof accountJson> {
  return { address, uscc, roles: rolesToJson(roles), gasPerDay: limitToJson(gasPerDay), bytesPerDay: limitToJson(bytesPerDay) }
}

/** Fields that are undefined stay out of the JSON. */
export function nodeToJson(node: SealingNode, peerNames: PeerNames): Json<typeof nodeJson> {
  const { since, rotatedAt, confirmations, ...rest } = node
  const known = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) as typeof rest
  return {
    ...(known as Omit<Json<typeof nodeJson>, 'peerId' | 'confirmations' | 'since' | 'rotatedAt'>),
    peerId: peerNames.toPeerId(node.publicKey), confirmations: [...confirmations], since: quantityToJson(since),
    ...(rotatedAt !== 0 && { rotatedAt: quantityToJson(rotatedAt) }),
  }
}

function policyToJson(policy: PolicyState): Json<typeof membershipJson>['policy'] {
  const { newcomers, readLevels, minValidators, validatorNotice, protocolNotice, motionLifetime, protocolChanges } = policy
  return {
    newcomers: {
      roles: rolesToJson(newcomers.roles), gasPerDay: limitToJson(newcomers.gasPerDay), bytesPerDay: limitToJson(newcomers.bytesPerDay),
      gasPerDayTotal: limitToJson(newcomers.gasPerDayTotal), bytesPerDayTotal: limitToJson(newcomers.bytesPerDayTotal),
    },
    readLevels,
    minValidators: quantityToJson(minValidators), validatorNotice: quantityToJson(validatorNotice),
    protocolNotice: quantityToJson(protocolNotice), motionLifetime: quantityToJson(motionLifetime),
    protocolChanges: protocolChanges.map(({ height, version }) => ({ height: quantityToJson(height), version: quantityToJson(version) })),
  }
}

export function membershipToJson(answer: MembershipAnswer, block: ReadAt, peerNames: PeerNames): Json<typeof membershipJson> {
  const { counts, organisations, nodes, validators, pending, policy } = answer
  return {
    block,
    counts: {
      organisations: quantityToJson(counts.organisations), nodes: quantityToJson(counts.nodes), connectable: quantityToJson(counts.connectable),
      seats: quantityToJson(counts.seats), validators: quantityToJson(counts.validators),
    },
    organisations: organisations.map(organisationToJson),
    nodes: nodes.map((node) => nodeToJson(node, peerNames)),
    validators: [...validators],
    pendingValidators: pending.map((change) => ({ height: quantityToJson(change.height), validators: [...change.validators] })),
    policy: policyToJson(policy),
  }
}

export function organisationAnswerToJson({ organisation, accounts }: OrganisationAnswer, block: ReadAt): Json<typeof organisationAnswerJson> {
  return { block, ...organisationToJson(organisation), accounts: { total: quantityToJson(accounts.total), items: accounts.items.map(accountToJson) } }
}

function motionToJson(motion: MotionState): Json<typeof motionJson> {
  const { id, kind, kindNumber, status, seat, proposer, proposedAt, expiresAt, reason, approvals, rejections, needed, ballots } = motion
  return {
    id: quantityToJson(id), ...(kind !== undefined && { kind }), kindNumber: quantityToJson(kindNumber), status, seat, proposer,
    proposedAt: quantityToJson(proposedAt), expiresAt: quantityToJson(expiresAt), reason, approvals: quantityToJson(approvals),
    rejections: quantityToJson(rejections), needed: quantityToJson(needed), ballots: [...ballots],
  }
}

export const motionAnswerToJson = (motion: MotionAnswer, block: ReadAt): Json<typeof motionAnswerJson> =>
  ({ block, ...motionToJson(motion), arguments: motion.arguments })

export function councilToJson({ governor, seats, thresholds, motionCount, open }: CouncilAnswer, block: ReadAt): Json<typeof councilJson> {
  return {
    block, governor, seats: [...seats],
    thresholds: thresholds.map(({ kind, permille, needed }) => ({ kind, permille: quantityToJson(permille), needed: quantityToJson(needed) })),
    motionCount: quantityToJson(motionCount),
    openMotions: { total: quantityToJson(open.total), items: open.items.map(motionToJson) },
  }
}

/** Midnight in Beijing after a day, seconds since 1970. */
export const resetsAt = (day: number): string => quantityToJson((day + 1) * DAY_S - DAY_OFFSET_S)

export function quotaToJson({ day, account, uscc, roles, meters, governing }: QuotaAnswer, block: ReadAt): Json<typeof quotaJson> {
  return {
    block, ...(account !== undefined && { account }), ...(uscc !== undefined && { uscc }), roles: rolesToJson(roles),
    day: quantityToJson(day), resetsAt: resetsAt(day),
    quotas: meters.map(quotaOf),
    ...(governing !== undefined && { governing: quotaOf(governing) }),
  }
}

const quotaOf = ({ of, gas, bytes, used }: QuotaMeter): Json<typeof quotaJson>['quotas'][number] =>
  ({ of, gas: meterToJson(gas, used.gas), bytes: meterToJson(bytes, used.bytes), transactions: quantityToJson(used.transactions) })

/** A limit may have been lowered below what was used. */
function meterToJson(limit: bigint, used: bigint): Json<typeof quotaJson>['quotas'][number]['gas'] {
  const left = limit === NO_LIMIT ? NO_LIMIT : limit > used ? limit - used : 0n
  return { limit: limitToJson(limit), used: quantityToJson(used), left: limitToJson(left) }
}
