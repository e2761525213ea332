import { privateKeyFromRaw, publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { Secp256k1PrivateKey } from '@libp2p/interface'
import { peerIdFromPublicKey, peerIdFromString } from '@libp2p/peer-id'
import type { Address } from '@songhua/sdk/protocol/bytes'
import { privateKeyToPublicKey, publicKeyToAddress } from '@songhua/sdk/protocol/crypto'
import { messageOf } from '@songhua/sdk/protocol/errors'
import { networkError } from './errors.js'

/** Who a peer is: one secp256k1 key gives the account address and the libp2p peer id, so either names the other. */
export interface PeerIdentity {
  /** libp2p peer id, base58 (`16Uiu2HA…`). */
  readonly id: string
  readonly address: Address
  /** Compressed, 33 bytes. */
  readonly publicKey: Uint8Array
}

export function identityOfPublicKey(publicKey: Uint8Array): PeerIdentity {
  return { id: publicKeyToPeerId(publicKey), address: publicKeyToAddress(publicKey), publicKey }
}

export function identityOfPrivateKey(privateKey: Uint8Array): PeerIdentity {
  return identityOfPublicKey(privateKeyToPublicKey(privateKey))
}

/** @throws CodedError `PEER_ID_INVALID` */
export function identityOfPeerId(id: string): PeerIdentity {
  return identityOfPublicKey(peerIdToPublicKey(id))
}

/**
 * @param publicKey compressed, 33 bytes
 * @throws CodedError `PEER_ID_INVALID`
 */
export function publicKeyToPeerId(publicKey: Uint8Array): string {
  if (publicKey.length !== 33) {
    throw networkError('PEER_ID_INVALID', `a compressed public key has 33 bytes, not ${publicKey.length}`)
  }
  try {
    return peerIdFromPublicKey(publicKeyFromRaw(publicKey)).toString()
  } catch (error) {
    const message = `the public key is no point of secp256k1: ${messageOf(error)}`
    throw networkError('PEER_ID_INVALID', message, { cause: error })
  }
}

/**
 * The compressed key of 33 bytes: a secp256k1 peer id carries it whole.
 * @throws CodedError `PEER_ID_INVALID` also for peer ids of other key types
 */
export function peerIdToPublicKey(id: string): Uint8Array {
  try {
    const peerId = peerIdFromString(id)
    if (peerId.type === 'secp256k1') return peerId.publicKey.raw
  } catch (error) {
    const message = `${JSON.stringify(id)} is not a peer id: ${messageOf(error)}`
    throw networkError('PEER_ID_INVALID', message, { cause: error })
  }
  throw networkError('PEER_ID_INVALID', `${id} is not the peer id of a secp256k1 key; this chain uses no other`)
}

/** @throws CodedError `PEER_ID_INVALID` */
export function peerIdToAddress(id: string): Address {
  return publicKeyToAddress(peerIdToPublicKey(id))
}

/** For the transport only: the key in the shape that libp2p takes. */
export function toLibp2pKey(privateKey: Uint8Array): Secp256k1PrivateKey {
  const key = privateKey.length === 32 ? privateKeyFromRaw(privateKey) : undefined
  if (key?.type === 'secp256k1') return key
  throw networkError('PRIVATE_KEY_INVALID', `the node key must be secp256k1, 32 bytes, not ${privateKey.length}`)
}
