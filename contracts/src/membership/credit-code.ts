// Unified social credit codes as the contracts check them: GB 32100-2015, the outer check character alone.

/** Without I, O, S, V, Z; a character's value is its place. */
const ALPHABET = '0123456789ABCDEFGHJKLMNPQRTUWXY'
const SHAPE = /^[0-9A-HJ-NP-RTUWXY]{18}$/

/** Whether lib/Uscc.sol takes the code. The SDK's `isUscc` asks for more: the organisation code inside has its own check. */
export function isCreditCode(text: string): boolean {
  if (!SHAPE.test(text)) return false
  let [sum, weight] = [0, 1]
  for (const character of text.slice(0, 17)) {
    sum += ALPHABET.indexOf(character) * weight
    weight = (weight * 3) % 31
  }
  return ALPHABET.indexOf(text[17]!) === (31 - (sum % 31)) % 31
}
