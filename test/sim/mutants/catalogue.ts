import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AGREEMENT_MUTANTS } from './agreement.js'
import { DURABILITY_MUTANTS } from './durability.js'
import type { DeliberateFault, Mutant, Schedule } from './mutant.js'
import { PROGRESS_MUTANTS } from './progress.js'
import { SET_MUTANTS } from './sets.js'

const FAULTS: readonly DeliberateFault[] = [...AGREEMENT_MUTANTS, ...SET_MUTANTS, ...DURABILITY_MUTANTS, ...PROGRESS_MUTANTS]
/** For each mutant a schedule that catches it, so that not every run has to search; `--renew` writes it. */
const KNOWN_FILE = join(import.meta.dirname, 'known-schedules.json')

type KnownSchedules = Readonly<Record<string, Schedule>>

const readKnown = (): KnownSchedules => JSON.parse(readFileSync(KNOWN_FILE, 'utf8')) as KnownSchedules

function mutantsOf(known: KnownSchedules): Mutant[] {
  return FAULTS.map((fault) => ({ ...fault, hints: known[fault.name] ? [known[fault.name]!] : [] }))
}

/** Every deliberate fault; each must be caught. */
export const MUTANTS: readonly Mutant[] = mutantsOf(readKnown())

/** Remembers what caught them; those of mutants that are no more are dropped. */
export function renewKnown(caught: KnownSchedules): void {
  const all = { ...readKnown(), ...caught }
  const lines = FAULTS.filter(({ name }) => all[name] !== undefined).map(({ name }) => {
    const { seed, validators } = all[name]!
    return `  ${JSON.stringify(name)}: ${JSON.stringify({ seed, validators })}`
  })
  writeFileSync(KNOWN_FILE, `{\n${lines.join(',\n')}\n}\n`)
}
