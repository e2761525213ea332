#!/usr/bin/env node
// Makes a checkout ready to run: installs what is missing, builds what changed. Plain JavaScript without dependencies,
// because it runs before there are any.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const OLDEST_NODE = [20, 19]
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const quiet = process.argv.includes('--quiet')

function say(text) {
  if (!quiet) process.stdout.write(`${text}\n`)
}

function fail(text) {
  process.stderr.write(`bootstrap: ${text}\n`)
  process.exit(1)
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return
  const oldest = OLDEST_NODE.join('.')
  fail(
    `Node.js ${oldest} or newer is needed, this is ${process.versions.node}. ` +
      `需要 Node.js ${oldest} 或更新版本: https://nodejs.org`,
  )
}

function checkArguments() {
  const unknown = process.argv.slice(2).find((word) => word !== '--quiet')
  if (unknown === undefined) return
  process.stderr.write(`bootstrap: unknown option ${unknown}; known is --quiet\n`)
  process.exit(2)
}

/** npm writes what it installed to node_modules/.package-lock.json; it must hold every package that the lock wants. */
function isInstalled() {
  const installedFile = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(installedFile)) return false
  const wanted = readJson(join(root, 'package-lock.json')).packages
  const installed = readJson(installedFile).packages
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '' || !path.includes('node_modules/')) return true
    const have = installed[path]
    if (have === undefined) return entry.optional === true || entry.devOptional === true || entry.peer === true
    return have.link === entry.link && have.version === entry.version && existsSync(join(root, path))
  })
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    return fail(`${file}: ${error.message}`)
  }
}

function install() {
  say('Installing dependencies 安装依赖 …')
  // The npm that runs this script, if one does; on Windows `npm` is a script that only a shell starts.
  const npm = process.env.npm_execpath
  const words = ['ci', '--no-audit', '--no-fund', '--loglevel=error', '--include=dev']
  const result =
    npm !== undefined && /npm-cli\.[cm]?js$/.test(npm)
      ? run(process.execPath, [npm, ...words])
      : run('npm', words, { shell: process.platform === 'win32' })
  if (result.error !== undefined) fail(`npm could not be started: ${result.error.message}`)
  if (result.status !== 0) fail('npm ci failed; what it said stands above. Is the package registry reachable?')
}

function build() {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  if (!existsSync(compiler)) fail(`${compiler} is missing; delete node_modules and run again`)
  say('Building 构建 …')
  // The tests' own project is checked by its tool, not needed to run.
  const result = run(process.execPath, [compiler, '-b', 'sdk', 'contracts', 'node'])
  if (result.status !== 0) fail("the build failed; the compiler's messages stand above")
}

function run(command, words, options = {}) {
  return spawnSync(command, words, { cwd: root, stdio: ['ignore', quiet ? 2 : 'inherit', 'inherit'], ...options })
}

checkNode()
checkArguments()
if (!isInstalled()) install()
build()
