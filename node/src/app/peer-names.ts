import { bytesToBigint, concatBytes, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import { peerIdToAddress } from '../network/peer-id.js'
import type { PeerNames } from '../rpc/ports.js'

/** libp2p's peer id of a secp256k1 key: the identity multihash of a protobuf of key type 2 and 33 bytes, in base58. */
const PREFIX = Uint8Array.of(0x00, 0x25, 0x08, 0x02, 0x12, 0x21)
const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

export const peerNames: PeerNames = {
  // By hand: libp2p looks for the key's point, some 0.5 ms each on the thread of consensus; the register did so once.
  toPeerId(publicKey) {
    let digits = ''
    for (let rest = bytesToBigint(concatBytes(PREFIX, hexToBytes(publicKey))); rest > 0n; rest /= 58n) digits = BASE58[Number(rest % 58n)]! + digits
    // The first byte is zero.
    return `1${digits}`
  },
  toAddress(peerId) {
    try {
      return peerIdToAddress(peerId)
    } catch (error) {
      if (isCodedError(error, 'PEER_ID_INVALID')) return undefined
      throw error
    }
  },
}
