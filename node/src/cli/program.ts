import { Command, type CommanderError, Help, Option } from 'commander'
import { addAnchorCommand } from './command-anchor.js'
import { addAnchorFileCommand } from './command-anchor-file.js'
import { addApiKeyCommand } from './command-apikey.js'
import { addAuditCommand } from './command-audit.js'
import { addBackupCommand } from './command-backup.js'
import { addDevnetCommand } from './command-devnet.js'
import { addDoctorCommand } from './command-doctor.js'
import { addGenesisCommand } from './command-genesis.js'
import { addInitCommand } from './command-init.js'
import { addKeysCommand } from './command-keys.js'
import { addRepairCommand } from './command-repair.js'
import { addEndSilenceCommand } from './command-end-silence.js'
import { addRestoreCommand } from './command-restore.js'
import { addStartCommand } from './command-start.js'
import { addStatusCommand } from './command-status.js'
import { addUsageCommand } from './command-usage.js'
import { addVerifyCommand } from './command-verify.js'
import { addVersionCommand, versionLine } from './command-version.js'
import { type CliContext, cliError } from './context.js'
import { addAccountCommand } from './governance/command-account.js'
import { addApplyCommand } from './governance/command-apply.js'
import { addCouncilCommand } from './governance/command-council.js'
import { addNodeCommand } from './governance/command-node.js'
import { addRegisterCommands } from './governance/command-registers.js'
import { EXIT_CODES } from './exit-codes.js'
import type { MessageKey } from './messages.js'
import { nearest } from './nearest.js'
import { displayWidth } from './table.js'

const TITLES: Record<string, MessageKey> = {
  'Usage:': 'helpUsage',
  'Options:': 'helpOptions',
  'Commands:': 'helpCommands',
  'Arguments:': 'helpArguments',
  'Global Options:': 'helpGlobalOptions',
}

/** The whole command line: every command, its flags and its help, in the language of the context. */
export function createProgram(context: CliContext): Command {
  const program = new Command('songhua')
  program
    .description(context.t('description'))
    .version(versionLine(), '-V, --version', context.t('versionOption'))
    .addOption(new Option('--lang <language>', context.t('langHelp')).choices(['en', 'zh']))
    .addHelpText('after', () => `\n${context.t('exitCodes')}\n${exitCodeHelp(context)}`)
  const adders = [
    addInitCommand,
    addGenesisCommand,
    addStartCommand,
    addDevnetCommand,
    addKeysCommand,
    addStatusCommand,
    addDoctorCommand,
    addRepairCommand,
    addEndSilenceCommand,
    addAnchorCommand,
    addVerifyCommand,
    addAnchorFileCommand,
    addApiKeyCommand,
    addBackupCommand,
    addRestoreCommand,
    addApplyCommand,
    addCouncilCommand,
    addNodeCommand,
    addAccountCommand,
    addRegisterCommands,
    addAuditCommand,
    addUsageCommand,
    addVersionCommand,
  ]
  for (const add of adders) add(program, context)
  localise(program, context)
  return program
}

function exitCodeHelp({ language }: CliContext): string {
  return Object.values(EXIT_CODES)
    .map((exit) => `  ${String(exit.code).padStart(3)}  ${exit[language]}`)
    .join('\n')
}

/** Commander speaks English and exits by itself; here it throws, and headings come from the catalogue. */
function localise(command: Command, context: CliContext): void {
  command
    .exitOverride()
    .allowExcessArguments(false)
    .helpOption('-h, --help', context.t('helpOption'))
    .configureOutput({ writeOut: (text) => context.stdout.write(text), writeErr: () => undefined })
    .configureHelp({
      helpWidth: 120,
      showGlobalOptions: true,
      // Those of the program: a command's own are not those of the commands below it.
      visibleGlobalOptions: (shown) => (shown.parent === null ? [] : rootOf(shown).options.filter(({ hidden }) => !hidden)),
      commandUsage: (shown) => usageText(new Help().commandUsage(shown), context),
      subcommandTerm: (shown) => usageText(new Help().subcommandTerm(shown), context),
      displayWidth,
      styleTitle: (title) => (TITLES[title] === undefined ? title : context.t(TITLES[title])),
      optionDescription: (option) => optionText(option, context),
    })
  if (command.commands.length > 0) command.helpCommand(usageText('help [command]', context), context.t('helpCommand'))
  for (const child of command.commands) localise(child, context)
}

/** Commander's own two words; names of values stay, as errors name them. */
const usageText = (usage: string, { t }: CliContext): string => usage.replace('[options]', t('usageOptions')).replace('[command]', t('usageCommand'))

const rootOf = (command: Command): Command => (command.parent === null ? command : rootOf(command.parent))

function optionText(option: Option, context: CliContext): string {
  const value =
    option.defaultValueDescription ?? (option.defaultValue === undefined ? '' : JSON.stringify(option.defaultValue))
  const notes = [
    ...(option.argChoices === undefined ? [] : [context.t('choices', { choices: option.argChoices.join(', ') })]),
    ...(value === '' ? [] : [context.t('defaultValue', { value })]),
  ]
  return notes.reduce((text, value) => context.t('optionNote', { text, value }), option.description)
}

const rawArgsOf = (program: Command): string[] => (program as Command & { rawArgs: string[] }).rawArgs

/** The command that was called, down to its last known word. */
const calledCommand = (program: Command): Command =>
  rawArgsOf(program).reduce((found, word) => found.commands.find((one) => one.name() === word) ?? found, program)

/** `council propose `, before the `--help` of the command that was called; empty for the program's own. */
export function helpPathOf(program: Command): string {
  const words: string[] = []
  for (let command = calledCommand(program); command.parent !== null; command = command.parent) words.unshift(command.name())
  return words.map((word) => `${word} `).join('')
}

/** The first flag that the command called does not know, and the one that is most like it. */
function unknownFlag(program: Command): { word: string; meant: string | undefined } | undefined {
  const words = rawArgsOf(program)
  const command = calledCommand(program)
  const known = [...command.options, ...program.options].flatMap(({ long }) => long ?? [])
  const flags = words.filter((word) => word.startsWith('--') && word !== '--').map((word) => word.split('=')[0]!)
  const word = flags.find((flag) => flag !== '--help' && !known.includes(flag))
  return word === undefined ? undefined : { word, meant: nearest(word, known) }
}

const QUOTED = /'([^']+)'/

/** Says what commander refused in the language of the context. @returns undefined when it only showed help */
export function explainRefusal(error: CommanderError, context: CliContext, program: Command): Error | undefined {
  const name = QUOTED.exec(error.message)?.[1] ?? error.message
  const hint = /\(Did you mean ([^)]+)\?\)/.exec(error.message)?.[1]
  const usage = (key: MessageKey, values: Record<string, string>, meant = hint): Error => {
    const refused = cliError(context, 'CLI_USAGE', [key, values])
    if (meant !== undefined) refused.message += ` ${context.t('didYouMean', { meant })}`
    return refused
  }
  switch (error.code) {
    case 'commander.unknownOption':
      return usage('unknownOption', { name })
    case 'commander.unknownCommand': {
      const known = calledCommand(program).commands.map((command) => command.name()).join(', ')
      return usage('unknownCommand', { name, known })
    }
    case 'commander.missingArgument':
      return usage('missingArgument', { name })
    case 'commander.missingMandatoryOptionValue': {
      // Commander misses an option before it looks at those it does not know: `--dta DIR` is a slip, not a lack.
      const unknown = unknownFlag(program)
      return unknown === undefined ? usage('missingOption', { name }) : usage('unknownOption', { name: unknown.word }, unknown.meant)
    }
    case 'commander.optionMissingArgument':
      return usage('missingValue', { name })
    case 'commander.excessArguments':
      return usage('excessArguments', { name: error.message.replace(/^error: /, '') })
    case 'commander.helpDisplayed':
    case 'commander.help':
    case 'commander.version':
      return undefined
    default:
      return usage('badArgument', { message: error.message.replace(/^error: /, '') })
  }
}
