import type { Command } from 'commander'
import { VERSION } from '../app/version.js'
import { type CliContext, print } from './context.js'

/** What `songhua version` and `songhua --version` print. */
export function versionLine(): string {
  return `songhua ${VERSION} (node ${process.versions.node}, ${platform()})`
}

function platform(): string {
  return `${process.platform}-${process.arch}`
}

export function addVersionCommand(program: Command, context: CliContext): void {
  const texts = { help: { en: 'show the version', zh: '显示版本' }, json: { en: 'print JSON', zh: '输出 JSON' } }
  program
    .command('version')
    .description(texts.help[context.language])
    .option('--json', texts.json[context.language])
    .action((flags: { json?: boolean }) => {
      const facts = {
        songhua: VERSION,
        node: process.versions.node,
        platform: platform(),
      }
      print(context, flags.json ? JSON.stringify(facts) : versionLine())
    })
}
