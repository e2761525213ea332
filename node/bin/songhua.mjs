#!/usr/bin/env -S MALLOC_ARENA_MAX=2 node --max-semi-space-size=8
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const main = new URL('../dist/cli/main.js', import.meta.url)
if (!existsSync(main)) {
  process.stderr.write('songhua is not built yet 尚未构建. Run: node node/bin/bootstrap.mjs\n')
  process.exit(2)
}
const { runCli } = await import(main.href)
await runCli(fileURLToPath(import.meta.url))
