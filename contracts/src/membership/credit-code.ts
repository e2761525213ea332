// Unified social credit codes as the contracts check them: GB 32100-2015, the outer check character alone.
import { usccCheckCharacter } from '@songhua/sdk/protocol/uscc'

const SHAPE = /^[0-9A-HJ-NP-RTUWXY]{18}$/

/** Whether lib/Uscc.sol takes the code. `isUscc` asks for more: the organisation code inside has its own check. */
export function isCreditCode(text: string): boolean {
  return SHAPE.test(text) && usccCheckCharacter(text.slice(0, 17)) === text[17]
}
