import { messageOf } from '../protocol/errors.js'
import type { PayloadFor } from './record.js'
import { SonghuaError } from './songhua-error.js'

/** Nothing is dropped or replaced: the text gives the same bytes again. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** @throws SonghuaError `OPTION_INVALID` */
export function bytesToText(payload: Uint8Array): string {
  try {
    return decoder.decode(payload)
  } catch (error) {
    throw new SonghuaError('OPTION_INVALID', 'The payload is no UTF-8', { cause: error, field: 'payload' })
  }
}

/**
 * A payload's canonical bytes as the value that was anchored: `payloadJson<'government.licence'>(payload)`. The type is
 * taken on your word; it holds when the record is of that schema, which was checked when it was anchored.
 * @throws SonghuaError `OPTION_INVALID` for bytes that are no JSON
 */
export function payloadJson<S extends string = string>(payload: Uint8Array): PayloadFor<S> {
  const text = bytesToText(payload)
  try {
    return JSON.parse(text) as PayloadFor<S>
  } catch (error) {
    const message = `The payload is no JSON: ${messageOf(error)}`
    throw new SonghuaError('OPTION_INVALID', message, { cause: error, field: 'payload' })
  }
}
