import { SimFailure } from '../failure.js'
import { simulate } from '../simulate.js'
import type { Schedule } from './mutant.js'

/** What one schedule came to. */
export interface Trial extends Schedule {
  /** Undefined: every invariant held. */
  readonly failure?: { readonly invariant: string; readonly message: string }
}

async function tryOne({ seed, validators }: Schedule): Promise<Trial> {
  try {
    await simulate({ seed, validators })
    return { seed, validators }
  } catch (error) {
    // Anything else is a fault of the simulator, and ends the process.
    if (!(error instanceof SimFailure)) throw error
    return { seed, validators, failure: { invariant: error.invariant, message: error.message } }
  }
}

/** The schedules of the command line, a line of JSON for each, up to the first that fails. */
for (const schedule of JSON.parse(process.argv[2]!) as Schedule[]) {
  const trial = await tryOne(schedule)
  process.stdout.write(`${JSON.stringify(trial)}\n`)
  if (trial.failure) break
}
