/** Numbers as a reader sees them, however they were written down. */

const ASCII = /^[\0-\x7f]*$/
const ESCAPES = /(?:%[0-9A-Fa-f]{2})+/g
/** Written, but not seen: zero-width spaces and joiners, direction marks, soft hyphens. */
const UNSEEN = /\p{Cf}/gu
const FOREIGN_DIGIT = /(?![0-9])\p{Nd}/gu
const DIGIT = /\p{Nd}/u

/** Digits of every script stand in tens, from zero up. */
function digitValue(digit: string): string {
  const code = digit.codePointAt(0)!
  let value = 0
  while (value < 9 && DIGIT.test(String.fromCodePoint(code - value - 1))) value++
  return String(value)
}

function unescapeRun(run: string): string {
  return new TextDecoder().decode(Uint8Array.from(run.slice(1).split('%'), (hex) => parseInt(hex, 16)))
}

/** Percent-encoding taken off once; full-width and other scripts' digits as ASCII; without what nobody sees. */
export function plainDigits(text: string): string {
  const bare = text.includes('%') ? text.replace(ESCAPES, unescapeRun) : text
  if (ASCII.test(bare)) return bare
  return bare.normalize('NFKC').replace(UNSEEN, '').replace(FOREIGN_DIGIT, digitValue)
}
