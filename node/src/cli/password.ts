import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { type CliContext, cliError } from './context.js'
import { readTextFile } from './files.js'
import { MIN_PASSWORD_CHARACTERS } from './keystore.js'
import type { MessageKey } from './messages.js'

/** Longest text read from standard input for a password or key, in bytes. */
const MAX_STDIN_BYTES = 4096

/**
 * A password comes from a file, from the terminal without echo, or from a pipe; never from the command line, which
 * every user of the machine can read.
 * @param isNew asks twice, and refuses a short one
 * @throws CLI_USAGE, CLI_FILE
 */
export async function readPassword(
  context: CliContext,
  { file, flag, isNew = false }: { file?: string | undefined; flag: string; isNew?: boolean },
): Promise<string> {
  const password = await obtainPassword(context, { file, isNew })
  if (password === '' && file) throw cliError(context, 'CLI_USAGE', ['passwordEmpty', { path: file }])
  if (password === '') throw cliError(context, 'CLI_USAGE', ['passwordNone', { flag }])
  if (isNew && password.length < MIN_PASSWORD_CHARACTERS) {
    throw cliError(context, 'CLI_USAGE', ['passwordShort', { min: MIN_PASSWORD_CHARACTERS, source: file ? `--${flag} ${file}` : `--${flag}` }])
  }
  return password
}

async function obtainPassword(
  context: CliContext,
  { file, isNew }: { file: string | undefined; isNew: boolean },
): Promise<string> {
  if (file !== undefined && file !== '') return firstLine(await readTextFile(context, 'passwordFile', file))
  if (!context.stdin.isTTY) return firstLine(await readStdin(context))
  const password = await ask(context, isNew ? 'askNewPassword' : 'askPassword')
  if (isNew && password !== (await ask(context, 'askAgain'))) throw cliError(context, 'CLI_USAGE', ['passwordsDiffer'])
  return password
}

function firstLine(text: string): string {
  return text.replace(/^\ufeff/, '').split(/\r?\n/, 1)[0] ?? ''
}

/** @returns all of standard input, decoded as UTF-8, cut off at a limit */
export async function readStdin(context: CliContext): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of context.stdin as AsyncIterable<Buffer | string>) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    chunks.push(bytes)
    size += bytes.length
    if (size > MAX_STDIN_BYTES) break
  }
  return Buffer.concat(chunks).toString('utf8', 0, Math.min(size, MAX_STDIN_BYTES))
}

/** Asks on the terminal; what is typed is not shown. */
async function ask(context: CliContext, key: MessageKey): Promise<string> {
  context.stderr.write(context.t(key))
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: context.stdin, output: silent, terminal: true })
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve)
      lines.once('SIGINT', () =>
        reject(cliError(context, 'CLI_USAGE', ['passwordNone', { flag: 'key-password-file' }])),
      )
      lines.once('close', () => resolve(''))
    })
  } finally {
    lines.close()
    context.stderr.write('\n')
  }
}
