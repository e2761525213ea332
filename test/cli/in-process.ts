import { PassThrough } from 'node:stream'
import type { CommanderError } from 'commander'
import type { CliContext } from '@songhua/node/cli/context'
import { codeOf, exitCodeOf } from '@songhua/node/cli/exit-codes'
import { createTranslator, type Language } from '@songhua/node/cli/messages'
import { createProgram, explainRefusal } from '@songhua/node/cli/program'
import { errorLine } from '@songhua/node/cli/titles/error-text'
import { SONGHUA } from './support.js'

export interface Ended {
  code: number
  /** Of the error; undefined when there was none. */
  error: string | undefined
  message: string
  /** What the program prints of the error. */
  line: string
  stdout: string
  stderr: string
}

/** Runs a command of the sources in this process, as `main` does with the built ones. */
export async function runCommand(
  words: readonly string[],
  { stdin = '', language = 'en', environment = {} }: { stdin?: string | Buffer; language?: Language; environment?: Record<string, string> } = {},
): Promise<Ended> {
  const [input, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  input.end(stdin)
  const t = createTranslator(language)
  const context: CliContext = { language, t, stdin: input, stdout, stderr, environment, program: SONGHUA }
  const program = createProgram(context)
  const error = await program.parseAsync(words, { from: 'user' }).then(
    () => undefined,
    (refused: unknown) => (isCommanderError(refused) ? explainRefusal(refused, context, program) : refused),
  )
  return {
    code: error === undefined ? 0 : exitCodeOf(error),
    error: codeOf(error),
    message: error instanceof Error ? error.message : '',
    line: error === undefined ? '' : errorLine(context, error),
    stdout: String(stdout.read() ?? ''),
    stderr: String(stderr.read() ?? ''),
  }
}

/** By its fields: the tests may find another copy of the package than the program does. */
function isCommanderError(error: unknown): error is CommanderError {
  return error instanceof Error && 'exitCode' in error && 'code' in error && String(error.code).startsWith('commander.')
}
