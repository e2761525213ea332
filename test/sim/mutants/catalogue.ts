import { AGREEMENT_MUTANTS } from './agreement.js'
import { DURABILITY_MUTANTS } from './durability.js'
import type { Mutant } from './mutant.js'
import { PROGRESS_MUTANTS } from './progress.js'

/** Every deliberate fault; each must be caught. */
export const MUTANTS: readonly Mutant[] = [...AGREEMENT_MUTANTS, ...DURABILITY_MUTANTS, ...PROGRESS_MUTANTS]
