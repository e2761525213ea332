import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freeBasePort, heightOf, removeDir, startSonghua, tempDir, until } from '../support/devnet.js'
import { rosterOfOne } from '../support/roster.js'

const UPGRADE_HEIGHT = 3

let dir: string

async function run(args: string[]): Promise<{ code: number | null; stdout: string; output: string }> {
  const running = startSonghua(args)
  const code = await new Promise<number | null>((done) => running.process.once('close', done))
  return { code, stdout: running.stdout(), output: running.output() }
}

beforeAll(async () => {
  dir = await tempDir('upgrade')
})

afterAll(() => removeDir(dir))

describe('a chain whose rules change at a height', () => {
  it('is followed up to that height by a node that does not know the new ones, which then says so and only reads', async () => {
    const port = await freeBasePort(1)
    const folder = join(dir, 'node')
    await writeFile(join(dir, 'password'), 'a password for the test\n')
    const flags = {
      '--data': folder,
      '--key-password-file': join(dir, 'password'),
      '--rpc-port': String(port),
      '--admin-port': String(port + 1),
      '--p2p-listen': `127.0.0.1:${port + 2}`,
    }
    const { stdout } = await run(['init', ...Object.entries(flags).flat(), '--json'])
    const { publicKey } = JSON.parse(stdout) as { publicKey: string }
    const roster = {
      chainId: 230098,
      ...rosterOfOne(publicKey),
      qbft: { emptyBlockPeriodS: 1, protocolVersions: { 0: 1, [UPGRADE_HEIGHT]: 2 } },
    }
    await writeFile(join(dir, 'roster.json'), JSON.stringify(roster))
    const made = await run(['genesis', '--roster', join(dir, 'roster.json'), '--out', join(dir, 'genesis.json')])
    expect([made.code, made.output]).toEqual([0, expect.anything()])
    await copyFile(join(dir, 'genesis.json'), join(folder, 'genesis.json'))
    const running = startSonghua(['start', '--data', folder, '--key-password-file', join(dir, 'password')])
    await until('the block below', async () => (await heightOf(`http://127.0.0.1:${port}`)) === UPGRADE_HEIGHT - 1)
    const ready = await until('the node to say so', async () => {
      const answer = await fetch(`http://127.0.0.1:${port + 1}/ready`)
      return answer.status === 503 && (await answer.text())
    })
    expect(ready).toContain(`block ${UPGRADE_HEIGHT} needs version 2, this program knows 1`)
    expect(running.output()).toContain(`block ${UPGRADE_HEIGHT} needs protocol version 2`)
    expect(await heightOf(`http://127.0.0.1:${port}`)).toBe(UPGRADE_HEIGHT - 1)
    expect(await running.stop()).toBe(0)
  }, 60_000)
})
