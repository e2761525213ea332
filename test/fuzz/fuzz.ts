import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'

const HELP = `npm run fuzz -- [--runs N] [FILE…]
  --runs N   every property N times as often as in CI (10)
  FILE       a file of test/fuzz, such as rest; all of them when left out`

const { values, positionals } = parseArgs({
  options: { runs: { type: 'string', default: '10' }, help: { type: 'boolean', default: false } },
  allowPositionals: true,
})
if (values.help || !(Number(values.runs) > 0)) {
  process.stderr.write(`${HELP}\n`)
  process.exit(values.help ? 0 : 2)
}
const files = positionals.length === 0 ? ['test/fuzz'] : positionals.map((name) => `test/fuzz/${name}`)
const vitest = spawn('npx', ['vitest', 'run', ...files], { stdio: 'inherit', env: { ...process.env, FUZZ_RUNS: values.runs } })
vitest.once('exit', (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 1
})
