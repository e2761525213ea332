import type { Readable, Writable } from 'node:stream'
import { CodedError } from '@songhua/sdk/protocol/errors'
import type { Language, MessageKey, Translate } from './messages.js'
import { visibleLines } from './visible.js'

/** What a command may touch of the process. */
export interface CliContext {
  language: Language
  t: Translate
  stdin: Readable & { isTTY?: boolean; setRawMode?: (on: boolean) => unknown }
  stdout: Writable & { isTTY?: boolean }
  stderr: Writable & { isTTY?: boolean }
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Absolute path of the program to start child nodes with. */
  program: string
}

export type CliErrorCode =
  | 'CLI_USAGE'
  | 'CLI_FILE'
  | 'CLI_FILE_EXISTS'
  | 'CLI_JSON'
  | 'CLI_DATA_FOLDER'
  | 'KEYSTORE_FIELD'
  | 'KEYSTORE_PASSWORD'
  | 'CLI_KEY'
  | 'CLI_CRASH_POINT'
  | 'PORT_IN_USE'
  | 'DEVNET_RUNNING'
  | 'DEVNET_CHILD_DIED'
  | 'DEVNET_TIMEOUT'
  | 'DEVNET_FORKED'
  | 'DEMO_NOT_ANCHORED'
  | 'RPC_UNREACHABLE'
  | 'RPC_ERROR'
  | 'EVIDENCE_INVALID'
  | 'USAGE_STATEMENT_INVALID'
  | 'KEYS_DAMAGED'
  | 'GATEWAY_DOWN'
  | 'NODE_UNWELL'
  | 'REPAIR_REFUSED'

/** An error whose message comes from the catalogue in the language of the user; `values` are its details. */
export function cliError(
  context: Pick<CliContext, 't'>,
  code: CliErrorCode,
  [key, values, cause]: [MessageKey, Record<string, string | number>?, unknown?],
): CodedError<CliErrorCode> {
  return new CodedError(code, context.t(key, values), {
    details: values ?? {},
    ...(cause === undefined ? {} : { cause }),
  })
}

/** Whatever a file or a network put into the text, the terminal shows it and obeys none of it. */
export function print(context: CliContext, text: string): void {
  context.stdout.write(`${visibleLines(text)}\n`)
}

/** For people only: never on stdout, which scripts read. */
export function note(context: CliContext, text: string): void {
  context.stderr.write(`${visibleLines(text)}\n`)
}
