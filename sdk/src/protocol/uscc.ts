/** Unified social credit codes 统一社会信用代码, GB 32100-2015: 17 characters and a check character, modulo 31. */

/** Without I, O, S, V, Z; a character's value is its place. */
const ALPHABET = '0123456789ABCDEFGHJKLMNPQRTUWXY'
const SHAPE = /^[0-9A-HJ-NP-RTUWXY]{2}[0-9]{6}[0-9A-HJ-NP-RTUWXY]{10}$/
/** By character code. */
const VALUES = Uint8Array.from({ length: 128 }, (_, code) => Math.max(0, ALPHABET.indexOf(String.fromCharCode(code))))
/** Of the organisation code GB 11714 inside, characters 9 to 17. */
const INNER_WEIGHTS = [3, 7, 9, 10, 5, 8, 4, 2]

/** The 18th character for the first 17. */
export function usccCheckCharacter(first17: string): string {
  let sum = 0
  let weight = 1
  for (let i = 0; i < first17.length; i++) {
    sum += VALUES[first17.charCodeAt(i)]! * weight
    weight = (weight * 3) % 31
  }
  return ALPHABET[(31 - (sum % 31)) % 31]!
}

const base36Value = (code: number): number => (code <= 0x39 ? code - 0x30 : code - 0x41 + 10)

/** The 9th character of an organisation code for the first 8; letters count from 10 on without gaps. */
function organisationCheckCharacter(first8: string): string {
  let sum = 0
  for (let i = 0; i < 8; i++) sum += base36Value(first8.charCodeAt(i)) * INNER_WEIGHTS[i]!
  const check = 11 - (sum % 11)
  if (check === 10) return 'X'
  return check === 11 ? '0' : String(check)
}

/** Both check characters hold. Upper case only, as the standard writes it. */
export function isUscc(text: string): boolean {
  if (!SHAPE.test(text)) return false
  if (organisationCheckCharacter(text.slice(8, 16)) !== text[16]) return false
  return usccCheckCharacter(text.slice(0, 17)) === text[17]
}
