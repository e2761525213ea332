import { type Address, type Hex, bytesToHex } from '@songhua/sdk/protocol/bytes'
import { identityOfPrivateKey } from '../network/peer-id.js'
import type { CliContext } from './context.js'
import { formatFields } from './table.js'

/** What others may know of a node's key. One key signs blocks and names the node to its peers. */
export interface Identity {
  address: Address
  publicKey: Hex
  peerId: string
}

export function privateKeyToIdentity(privateKey: Uint8Array): Identity {
  const { address, publicKey, id } = identityOfPrivateKey(privateKey)
  return { address, publicKey: bytesToHex(publicKey), peerId: id }
}

export function formatIdentity({ t }: CliContext, identity: Identity): string {
  return formatFields([
    [t('address'), identity.address],
    [t('publicKey'), identity.publicKey],
    [t('peerId'), identity.peerId],
  ])
}
