import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { type CliContext, print } from './context.js'

/** @returns the version in `@songhua/node`'s package.json */
export function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

export function addVersionCommand(program: Command, context: CliContext): void {
  const texts = { help: { en: 'show the version', zh: '显示版本' }, json: { en: 'print JSON', zh: '输出 JSON' } }
  program
    .command('version')
    .description(texts.help[context.language])
    .option('--json', texts.json[context.language])
    .action((flags: { json?: boolean }) => {
      const facts = {
        songhua: packageVersion(),
        node: process.versions.node,
        platform: `${process.platform}-${process.arch}`,
      }
      print(
        context,
        flags.json ? JSON.stringify(facts) : `songhua ${facts.songhua} (node ${facts.node}, ${facts.platform})`,
      )
    })
}
