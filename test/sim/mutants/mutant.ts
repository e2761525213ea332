/** One run of the simulator. */
export interface Schedule {
  readonly seed: number
  readonly validators: number
}

/** `find` stands exactly once in `file`, whose path is from the root of the repository. */
export interface Edit {
  readonly file: string
  readonly find: string
  readonly replace: string
}

/** A deliberate fault of the core. The product has no seam for it: its source is changed while it is bundled. */
export interface DeliberateFault {
  readonly name: string
  /** What it takes away, in one sentence. */
  readonly breaks: string
  readonly edits: readonly Edit[]
}

export interface Mutant extends DeliberateFault {
  /** Schedules known to bring it to light; tried before the search. */
  readonly hints: readonly Schedule[]
}

/** The code has moved on and a mutant no longer says where it bites: it would be caught, or missed, for nothing. */
export class StaleMutantError extends Error {
  constructor({ file, find }: Edit, count: number) {
    super(`${file}: expected once, found ${count} times: ${find}`)
  }
}

/** @throws StaleMutantError */
export function applyEdits(source: string, edits: readonly Edit[]): string {
  return edits.reduce((text, edit) => {
    const parts = text.split(edit.find)
    if (parts.length !== 2) throw new StaleMutantError(edit, parts.length - 1)
    return parts.join(edit.replace)
  }, source)
}
