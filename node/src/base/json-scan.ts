const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

const COLON = 0x3a
const COMMA = 0x2c

export interface JsonScan {
  /** Deepest nesting of arrays and objects; 0 for a bare value. */
  readonly depth: number
  /** Members of all objects, counted as written: a key that is there twice counts twice. */
  readonly members: number
  /** Values of all kinds, at most: what a parser makes of it grows with them. */
  readonly values: number
}

/** Measures JSON text (UTF-8) without parsing it. */
export function scanJson(text: Uint8Array): JsonScan {
  let depth = 0
  let deepest = 0
  let members = 0
  let values = 1
  for (let at = 0; at < text.length; at++) {
    const byte = text[at]
    if (byte === QUOTE) at = endOfString(text, at + 1)
    else if (byte === COLON) members++
    else if (byte === COMMA) values++
    else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      deepest = Math.max(deepest, ++depth)
      values++
    }
    else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) depth--
  }
  return { depth: deepest, members, values }
}

/** Of all objects within a parsed value, as {@link scanJson} counts them in its text; fewer when a key was there twice. */
export function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const inner = Array.isArray(value) ? (value as unknown[]) : Object.values(value)
  return inner.reduce((sum: number, one) => sum + countMembers(one), Array.isArray(value) ? 0 : inner.length)
}

/**
 * @param start behind the opening quote
 * @returns the index of the closing quote, or the end of an unfinished string
 */
export function endOfString(text: Uint8Array, start: number): number {
  let at = text.indexOf(QUOTE, start)
  while (at !== -1) {
    let backslashes = 0
    while (at - 1 - backslashes >= start && text[at - 1 - backslashes] === BACKSLASH) backslashes++
    if (backslashes % 2 === 0) return at
    at = text.indexOf(QUOTE, at + 1)
  }
  return text.length
}
