// What the governance of a chain begins with, in the words of a genesis.
import type { Address, Hash, Hex } from '@songhua/sdk/protocol/bytes'

/** In the order of the contract's enumeration, from 1. */
export const ORGANISATION_KINDS = [
  'government-body', 'telecom-operator', 'operating-entity', 'enterprise', 'court', 'notary', 'bank',
] as const
export type OrganisationKind = (typeof ORGANISATION_KINDS)[number]
/** 超级, 骨干, 服务; in the order of the contract's enumeration, from 1. */
export const NODE_KINDS = ['super', 'backbone', 'service'] as const
export type NodeKind = (typeof NODE_KINDS)[number]

export interface OrganisationGenesis {
  /** Unified social credit code, GB 32100. */
  readonly uscc: string
  readonly kind: OrganisationKind
  /** Bits of `ROLE`. */
  readonly roles: number
  /** 1 to 100 bytes in UTF-8, as `nameEn`. */
  readonly nameZh: string
  readonly nameEn: string
  readonly contactHash?: Hash
  /** Binds the organisation's accounts, and votes when it has a seat. */
  readonly administrator: Address
  readonly gasPerDay: bigint
  readonly bytesPerDay: bigint
}

export interface NodeGenesis {
  /** Compressed secp256k1, 33 bytes. */
  readonly publicKey: Hex
  readonly kind: NodeKind
  /** GB/T 2260, 6 digits. */
  readonly city: string
  /** GB/T 4754, A to T. */
  readonly industry?: string
  /** Credit codes of the three bodies behind the node; a service node needs the operator alone. */
  readonly government?: string
  readonly telecom?: string
  readonly operator?: string
  /** 4 characters of a to z and 0 to 9. */
  readonly acCode?: string
  readonly endpointsHash?: Hash
  readonly isValidator: boolean
}

export interface AccountGenesis {
  readonly address: Address
  readonly uscc: string
  readonly roles: number
  readonly gasPerDay: bigint
  readonly bytesPerDay: bigint
}

/** All organisations and nodes are active from block 0. */
export interface GovernanceGenesis {
  readonly organisations: readonly OrganisationGenesis[]
  /** Credit codes of 4 to 64 of the organisations. */
  readonly seats: readonly string[]
  readonly nodes: readonly NodeGenesis[]
  readonly accounts?: readonly AccountGenesis[]
  readonly policy?: PolicyGenesis
}

/** What is absent has the closed defaults of `genesis-policy.ts`. */
export interface PolicyGenesis {
  readonly newcomers?: NewcomerQuotas
}
export interface NewcomerQuotas {
  readonly roles: number
  readonly gasPerDay: bigint
  readonly bytesPerDay: bigint
  readonly gasPerDayTotal: bigint
  readonly bytesPerDayTotal: bigint
}
