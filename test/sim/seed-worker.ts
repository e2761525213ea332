import { SimFailure } from './failure.js'
import { type SimReport, simulate } from './simulate.js'

/** One run, asked of a worker. */
export interface SeedTask {
  readonly seed: number
  readonly validators: number
  readonly trace: boolean
}

export type SeedAnswer =
  | { readonly line: string }
  | { readonly report: SimReport; readonly wallMs: number }
  | { readonly failure: { readonly invariant: string; readonly message: string }; readonly wallMs: number }

/** A failure that is no broken promise is a bug of the simulator: the process ends with it. */
async function answer({ seed, validators, trace }: SeedTask): Promise<SeedAnswer> {
  const startMs = performance.now()
  try {
    const report = await simulate({ seed, validators, ...(trace && { trace: (line: string) => tell({ line }) }) })
    return { report, wallMs: performance.now() - startMs }
  } catch (error) {
    if (!(error instanceof SimFailure)) throw error
    const { invariant, message } = error
    return { failure: { invariant, message }, wallMs: performance.now() - startMs }
  }
}

const tell = (words: SeedAnswer): void => void process.send!(words)

// Who asked is gone, and nobody will hear the answer.
process.on('disconnect', () => process.exit())
process.on('message', (task: SeedTask) => void answer(task).then(tell))
