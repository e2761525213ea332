import { SonghuaError } from '../connection/songhua-error.js'

/** Node's `Buffer`, where there is one: a hundred times as fast. In a browser there is none, and none is bundled. */
interface Base64Reader {
  from(text: string, encoding: 'base64'): Uint8Array
}

const QUANTUM = 4

/** Bytes of base64 with padding. @throws SonghuaError `GATEWAY_ANSWER` */
export function base64ToBytes(text: string, field: string): Uint8Array {
  const { Buffer: native } = globalThis as { Buffer?: Base64Reader }
  if (text.length % QUANTUM !== 0) fail(field)
  return (native === undefined ? decodePortable(text) : decodeNative(text, native)) ?? fail(field)
}

/** It passes over what is no base64: then there are fewer bytes than there should be. */
function decodeNative(text: string, native: Base64Reader): Uint8Array | undefined {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const length = (text.length / QUANTUM) * 3 - padding
  const bytes = native.from(text, 'base64')
  // A copy of its own: a small one of Node's is a part of a larger piece of memory.
  return bytes.length === length ? new Uint8Array(bytes) : undefined
}

function decodePortable(text: string): Uint8Array | undefined {
  try {
    const characters = atob(text)
    const bytes = new Uint8Array(characters.length)
    for (let at = 0; at < bytes.length; at++) bytes[at] = characters.charCodeAt(at)
    return bytes
  } catch (error) {
    if (error instanceof DOMException) return undefined
    throw error
  }
}

function fail(field: string): never {
  throw new SonghuaError('GATEWAY_ANSWER', `${field} is no base64`, { field })
}
