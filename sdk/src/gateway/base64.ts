import { SonghuaError } from '../connection/songhua-error.js'

/** Bytes of base64 with padding. @throws SonghuaError `GATEWAY_ANSWER` */
export function base64ToBytes(text: string, field: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  } catch (error) {
    throw new SonghuaError('GATEWAY_ANSWER', `${field} is no base64`, { cause: error, field })
  }
}
