import { writeFile } from 'node:fs/promises'
import { bytesToHex } from '@songhua/sdk/protocol/bytes'
import { privateKeyToAddress } from '@songhua/sdk/protocol/crypto'
import { type Ended, runCommand } from '../in-process.js'

export const USCC = { government: '11230000MB0000019P', telecom: '91230100MA00000156', operator: '91230100MA00000231', bank: '91230100MA0000322Y' } as const

/** A key of its own for each number, in a plain file as a devnet has it. */
export async function keyFile(at: (name: string) => string, number: number): Promise<{ path: string; address: string }> {
  const key = new Uint8Array(32).fill(number)
  const path = at(`key-${number}.hex`)
  await writeFile(path, `${bytesToHex(key)}\n`)
  return { path, address: privateKeyToAddress(key) }
}

/** Flags as words; what is undefined is left out. */
export const words = (flags: Readonly<Record<string, string | readonly string[] | undefined>>): string[] =>
  Object.entries(flags).flatMap(([name, value]) => (value === undefined ? [] : [name, ...(typeof value === 'string' ? [value] : value)]))

/** Every line of a refusal, or what was wrong instead. */
export const problemsOf = ({ error, message }: Ended): string[] => (error === 'CLI_FIELD' ? message.split('\n') : [`${error}: ${message}`])

export { runCommand }
