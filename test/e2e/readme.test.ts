import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, readdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifyEvidence } from '@songhua/sdk'
import { type Devnet, removeDir, startDevnet, tempDir } from '../support/devnet.js'

const ROOT = resolve(import.meta.dirname, '../..')
const TSX = join(ROOT, 'node_modules/tsx/dist/cli.mjs')
const run = promisify(execFile)

let dataDir: string
let workDir: string
let devnet: Devnet

beforeAll(async () => {
  dataDir = await tempDir('readme')
  devnet = await startDevnet({ validators: 1, gateways: 1, dataDir })
  const cache = join(ROOT, '.songhua')
  await mkdir(cache, { recursive: true })
  // Inside the checkout, where the packages are found by their names.
  workDir = await mkdtemp(join(cache, 'readme-'))
})

afterAll(async () => {
  await devnet?.stop()
  await removeDir(dataDir)
  await removeDir(workDir)
})

/** The TypeScript that the README shows, but for the membership contract's, which needs a key; at this devnet's ports. */
async function programs(): Promise<string[]> {
  const { rpc, gateway } = devnet.ready.nodes[0]!
  const text = await readFile(join(ROOT, 'README.md'), 'utf8')
  return [...text.matchAll(/^```ts\n(.*?)^```/gms)]
    .map(([, code]) => code!.replaceAll('http://127.0.0.1:8548', gateway!).replaceAll('http://127.0.0.1:8545', rpc))
    .filter((code) => !code.includes('ADMINISTRATOR_KEY'))
}

describe('the programs of the README', () => {
  it('run as they stand', async () => {
    const codes = await programs()
    expect(codes.map((code) => /from '([^.n][^']*)'/.exec(code)?.[1])).toEqual(['@songhua/sdk', 'ethers', 'viem'])
    for (const [number, code] of codes.entries()) {
      const file = join(workDir, `program-${number}.ts`)
      await writeFile(file, code)
      const env = { ...process.env, SONGHUA_API_KEY: devnet.ready.apiKey }
      await run(process.execPath, [TSX, file], { cwd: workDir, env, timeout: 60_000 })
    }
  }, 180_000)

  it('leave evidence that verifies', async () => {
    const name = (await readdir(workDir)).find((file) => file.endsWith('.evidence.json'))!
    const trustAnchor: unknown = await (await fetch(`${devnet.ready.nodes[0]!.gateway!}/v1/trust-anchor`)).json()
    expect(verifyEvidence(await readFile(join(workDir, name), 'utf8'), { trustAnchor })).toMatchObject({ valid: true })
  })
})
