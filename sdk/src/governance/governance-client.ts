import type { Address, Hash, Hex } from '../protocol/bytes.js'
import type { OrganisationApplied } from './applications.js'
import type { Door, ReadLevel, Role } from './codes.js'
import type { BoundAccount, MotionState, Organisation, Quota, RegisteredNode, Usage } from './model.js'
import type { MotionArguments, MotionKind, OrganisationEntry } from './motions.js'
import type { NodeApplication } from './signatures.js'
import type { Done } from './transactions.js'

/**
 * Views and calls of the system contracts. Every call is tried first and throws `GOVERNANCE_REFUSED` with the contract's own
 * reason, before anything is sent.
 */
export interface Governance {
  readonly chainId: number
  organisation(uscc: string): Promise<Organisation | undefined>
  organisations(): Promise<Organisation[]>
  /**
   * What organisations have applied with, from the first block on; of several by one sender for one organisation the last.
   * Those that were admitted since are among them.
   */
  organisationApplications(): Promise<OrganisationApplied[]>
  /** The organisation and the rights of an account; undefined for a newcomer. */
  account(address: string): Promise<BoundAccount | undefined>
  accounts(uscc: string): Promise<BoundAccount[]>
  node(address: string): Promise<RegisteredNode | undefined>
  nodes(): Promise<RegisteredNode[]>
  /** Who seals the next block, ascending. */
  validators(): Promise<Address[]>
  pendingValidators(): Promise<{ height: number; validators: Address[] }[]>
  seats(): Promise<string[]>
  motion(id: number): Promise<MotionState>
  /** How many there have been; their ids are below it. */
  motionCount(): Promise<number>
  /** Open ones, oldest first. */
  openMotions(): Promise<MotionState[]>
  votes(id: number): Promise<{ seat: string; approve: boolean }[]>
  policy(): Promise<Policy>
  quota(address: string): Promise<Quota>
  usage(of: { uscc: string } | { account: string } | 'newcomers'): Promise<Usage>

  propose<K extends MotionKind>(kind: K, args: MotionArguments[K], reason: string): Promise<Done & { id: number }>
  vote(id: number, approve: boolean): Promise<Done>
  execute(id: number): Promise<Done>
  cancel(id: number): Promise<Done>

  applyOrganisation(entry: OrganisationEntry, documentsHash: Hash): Promise<Done>
  /** @param signature by the node's key: `signNodeApplication` */
  applyNode(application: NodeApplication, signature: Hex): Promise<Done>
  withdrawApplication(node: string): Promise<Done>
  /**
   * One of a node's bodies says yes to its application.
   * @param applicationHash of the one that it has seen (`nodeApplicationHash`): another is refused. Default: as it stands now
   */
  confirmBody(node: string, applicationHash?: Hash): Promise<Done>
  activateNode(node: string): Promise<Done>
  suspendNode(node: string, reasonHash: Hash): Promise<Done>
  reinstateNode(node: string): Promise<Done>
  retireNode(node: string): Promise<Done>
  setEndpointsHash(node: string, endpointsHash: Hash): Promise<Done>
  /** @param signature by the new key: `signRotation` */
  rotateKey(node: string, newPublicKey: Hex, signature: Hex): Promise<Done>

  /** @param consent the account's: `signBinding` with `bindingNonce` */
  bindAccount(account: string, rights: AccountRights, consent: Hex): Promise<Done>
  changeAccount(account: string, rights: AccountRights): Promise<Done>
  releaseAccount(account: string): Promise<Done>
  bindingNonce(account: string): Promise<bigint>
  /** Makes void every consent that the signer's account has given and nobody has used. */
  revokeConsents(): Promise<Done>
  /** Of the organisation that the signer's account administers. */
  setContactHash(contactHash: Hash): Promise<Done>
}

export interface AccountRights {
  readonly roles: readonly Role[]
  readonly gasPerDay: bigint
  readonly bytesPerDay: bigint
}

export interface Policy {
  readonly newcomers: AccountRights & { readonly gasPerDayTotal: bigint; readonly bytesPerDayTotal: bigint }
  readonly readLevels: Readonly<Record<Door, ReadLevel>>
  readonly minValidators: number
  /** Blocks between a motion's execution and the change of the set, at least. */
  readonly validatorNotice: number
  readonly protocolNotice: number
  /** Seconds. */
  readonly motionLifetime: number
  readonly protocolChanges: readonly { readonly height: number; readonly version: number }[]
}
