import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommand } from '../cli/in-process.js'
import { type CrashLab, createCrashLab, expectFinalOnce, expectOneHistory } from '../support/crash-lab.js'
import { type Devnet, type Running, freeBasePort, heightOf, removeDir, startDevnet, startSonghua, tempDir, until } from '../support/devnet.js'
import { type Writer, startWriter } from '../support/writer.js'

interface Found {
  code: string
  severity: string
  values: Record<string, string | number>
}

let root: string
let devnet: Devnet
let lab: CrashLab
let twin: Running | undefined
let writer: Writer | undefined

async function findings(folder: string): Promise<Found[]> {
  const { stdout, message } = await runCommand(['doctor', '--data', folder, '--json'])
  expect(stdout, message).not.toBe('')
  return (JSON.parse(stdout) as { findings: Found[] }).findings
}

/** Both have one name on the network, so that the others may keep the connection of one of them alone. */
const eitherSays = (folders: string[], code: string): Promise<Found> =>
  until(`the doctor of one to say ${code}`, async () => {
    const all = (await Promise.all(folders.map(findings))).flat()
    return all.find((one) => one.code === code)
  }, 120_000)

beforeAll(async () => {
  root = await tempDir('twin')
  devnet = await startDevnet({ validators: 4, dataDir: join(root, 'devnet') })
  lab = createCrashLab(devnet)
}, 120_000)
afterAll(async () => {
  await writer?.stop()
  await twin?.stop()
  await lab?.stop()
  await removeDir(root)
})

describe('a validator whose whole folder was copied, and runs twice', () => {
  it('is told so by the doctor, while the chain goes on, stays one and loses nothing', async () => {
    const [witness, copied] = [lab.nodes[0]!, lab.nodes[3]!]
    const [folder, copy] = [await lab.folderOf(copied), join(devnet.dataDir, 'copy')]
    await lab.kill(copied)
    await cp(folder, copy, { recursive: true })
    const port = await freeBasePort(1)
    const config = JSON.parse(await readFile(join(copy, 'songhua.json'), 'utf8')) as Record<string, object>
    const elsewhere = { rpc: { port }, admin: { port: port + 1 }, p2p: { ...config['p2p'], listen: [`127.0.0.1:${port + 2}`] } }
    await writeFile(join(copy, 'songhua.json'), JSON.stringify({ ...config, ...elsewhere }))
    twin = startSonghua(['start', '--data', copy, '--log-format', 'json'])
    await lab.revive(copied)
    writer = startWriter(devnet.ready.accounts[0]!, 230_099, () => [witness.rpc])

    const address = copied.address.toLowerCase()
    expect(await eitherSays([folder, copy], 'KEY_ELSEWHERE')).toMatchObject({ severity: 'error', values: { address } })

    const height = await heightOf(witness.rpc)
    await until('the chain to go on', async () => (await heightOf(witness.rpc)) > height + 5)
    await twin.stop()
    await writer.stop()
    const written = writer.acknowledged()
    expect(written.length).toBeGreaterThan(0)
    await expectFinalOnce(lab, written.map(({ hash }) => hash))
    await expectOneHistory(lab)
  }, 300_000)
})
