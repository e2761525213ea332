import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { promisify } from 'node:util'
import { type Browser, chromium } from 'playwright-core'

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]
const INSTALL_MS = 300_000
const ARGS = [
  '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update',
  '--disable-sync', '--disable-dev-shm-usage',
]

const run = promisify(execFile)

/**
 * A real Chromium: the one of CHROMIUM_PATH, one of the system, or, on Debian as root, one that is installed now.
 * Never a reason to skip: without one the test fails and says what is missing.
 */
export async function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: await findChromium(), headless: true, args: ARGS })
}

async function findChromium(): Promise<string> {
  const given = process.env.CHROMIUM_PATH
  if (given !== undefined) return (await isProgram(given)) ? given : missing(`CHROMIUM_PATH is ${given}, which cannot be run`)
  return (await firstOf(PLACES)) ?? (await installed())
}

async function installed(): Promise<string> {
  const isRoot = process.getuid?.() === 0
  if (!isRoot || !(await isProgram('/usr/bin/apt-get'))) missing('none was found, and only root on Debian can have it installed')
  const options = { timeout: INSTALL_MS, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }
  const install = (): Promise<unknown> => run('apt-get', ['-o', 'DPkg::Lock::Timeout=300', 'install', '-y', '--no-install-recommends', 'chromium'], options)
  try {
    await install().catch(() => run('apt-get', ['update'], options).then(install))
  } catch (error) {
    missing('none was found, and apt-get could not install it', error)
  }
  return (await firstOf(PLACES)) ?? missing('apt-get installed the package chromium, but no program came with it')
}

async function firstOf(places: readonly string[]): Promise<string | undefined> {
  for (const place of places) if (await isProgram(place)) return place
  return undefined
}

function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(() => true, () => false)
}

function missing(why: string, cause?: unknown): never {
  const how = 'Install it (Debian: apt-get install chromium) or set CHROMIUM_PATH to the program'
  throw new Error(`The browser test needs Chromium: ${why}. ${how}`, { cause })
}
