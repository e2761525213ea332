import '../base/polyfill.js'
import { CommanderError } from 'commander'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { type CliContext, cliError, note } from './context.js'
import { EXIT_CODES, codeOf, exitCodeOf } from './exit-codes.js'
import { createTranslator, languageOf } from './messages.js'
import { createProgram, explainRefusal, helpPathOf } from './program.js'
import { errorLine, messageWithoutStack } from './titles/error-text.js'

/**
 * Runs the command line of this process and ends it with one of the documented exit codes.
 * @param program path of the executable, with which child nodes are started
 */
export async function runCli(program: string): Promise<never> {
  // A reader that goes away (`songhua keys --help | head -1`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  const argv = process.argv.slice(2)
  const language = languageOf(argv, process.env)
  const context: CliContext = {
    language: language ?? 'en',
    t: createTranslator(language ?? 'en'),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    program,
  }
  const code = language === undefined ? refuseLanguage(context, argv) : await runCommand(context, argv)
  await new Promise<void>((written) => process.stdout.write('', () => written()))
  return process.exit(code)
}

function refuseLanguage(context: CliContext, argv: readonly string[]): number {
  const index = argv.findIndex((word) => word.startsWith('--lang'))
  const value = argv[index]?.split('=')[1] ?? argv[index + 1] ?? ''
  return report(context, cliError(context, 'CLI_USAGE', ['badLanguage', { value: JSON.stringify(value) }]))
}

async function runCommand(context: CliContext, argv: readonly string[]): Promise<number> {
  const program = createProgram(context)
  try {
    await program.parseAsync(argv, { from: 'user' })
    return EXIT_CODES.ok.code
  } catch (error) {
    if (!(error instanceof CommanderError)) return report(context, error, helpPathOf(program))
    const refusal = explainRefusal(error, context, program)
    if (refusal !== undefined) return report(context, refusal, helpPathOf(program))
    // `songhua` alone shows its help and is not what scripts mean to call.
    if (error.exitCode !== 0) note(context, program.helpInformation())
    return exitCodeOf(error)
  }
}

/** One line for what the user can mend, a stack only for what they cannot. @param command whose help tells more @returns the exit code */
function report(context: CliContext, error: unknown, command = ''): number {
  const code = codeOf(error)
  note(context, errorLine(context, error))
  if (!(error instanceof CodedError) && code === undefined) {
    note(context, context.t('internal'))
    note(context, (error instanceof Error ? error.stack : undefined) ?? messageWithoutStack(error))
  } else if (code === 'CLI_USAGE') note(context, context.t('seeHelp', { command }))
  return exitCodeOf(error)
}
