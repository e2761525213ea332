// Numbers by which the governance contracts name kinds, doors and levels.

/** Of organisations. */
export const ORGANISATION_KIND = {
  governmentBody: 1, telecomOperator: 2, operatingEntity: 3, enterprise: 4, court: 5, notary: 6, bank: 7,
} as const
export type OrganisationKind = (typeof ORGANISATION_KIND)[keyof typeof ORGANISATION_KIND]

/** Of nodes: super 超级节点, backbone 骨干节点, service 服务节点. */
export const NODE_KIND = { super: 1, backbone: 2, service: 3 } as const
export type NodeKindName = keyof typeof NODE_KIND

/** Of nodes. */
export const NODE_STATUS = { none: 0, applied: 1, admitted: 2, active: 3, suspended: 4, retired: 5 } as const

/** Bits of a node's responsible bodies, in its confirmations. */
export const BODY = { government: 1, telecom: 2, operator: 4 } as const

/** What readers ask for, by place in `readLevels` (two bits each) and in a reader's doors (one bit each). */
export const DOOR = {
  eth: 0, net: 1, web3: 2, txpool: 3, debug: 4, qbft: 5, songhua: 6, government: 16, trace: 17, credit: 18,
} as const
export type Door = keyof typeof DOOR

/** Who may read behind a door. Zero, what nobody set, is the most closed. */
export const READ_LEVEL = { listed: 0, members: 1, public: 2 } as const
export type ReadLevel = keyof typeof READ_LEVEL
