import { spawn } from 'node:child_process'
import { chmod, chown, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { parseGenesis } from '@songhua/sdk/protocol/genesis'
import { openChain } from '@songhua/node/app/open-chain'
import { devAddresses } from '../support/governance.js'
import { devGovernance } from '@songhua/node/cli/dev-organisations'
import { createGenesis } from '@songhua/node/cli/genesis-file'
import { replaceDurably, writeDurably } from '@songhua/node/storage/durable-file'
import { openJournal } from '@songhua/node/storage/journal'
import { runCommand } from './in-process.js'
import { SONGHUA } from './support.js'

/** What root leaves in the folder of a service's user, and what that user is told. Only root can try it. */

const USER = 65_534
const MEMBER = { publicKey: `0x02${'79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'}`, isValidator: true } as const
const genesis = createGenesis({ chainId: 230_000, governance: devGovernance([MEMBER], devAddresses()), timestamp: 1_760_000_000 })
const roots: string[] = []
let root: string
let data: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'songhua-rights-'))
  roots.push(root)
  await chmod(root, 0o755)
  data = join(root, 'data')
  await writeFile(join(root, 'genesis.json'), JSON.stringify(genesis))
  await writeFile(join(root, 'password'), 'right password\n')
  const { code } = await runCommand(['init', '--data', data, '--genesis', join(root, 'genesis.json'), '--key-password-file', join(root, 'password')])
  expect(code).toBe(0)
  await writeFile(join(data, 'songhua.json'), '{"admin":{"port":1}}')
  const { store } = await openChain(join(data, 'chain'), parseGenesis(genesis))
  await store.close()
  await (await openJournal(join(data, 'transactions.journal'))).close()
  await giveAll(data)
})
afterAll(async () => {
  for (const one of roots) await rm(one, { recursive: true, force: true })
})

async function giveAll(folder: string): Promise<void> {
  for (const name of ['.', ...(await readdir(folder, { recursive: true }))]) await chown(join(folder, name), USER, USER)
}

const ownersIn = async (folder: string): Promise<string[]> => {
  const names = await readdir(folder, { recursive: true })
  const owners = await Promise.all(names.map(async (name) => [name, (await stat(join(folder, name))).uid] as const))
  return owners.flatMap(([name, uid]) => (uid === USER ? [] : [name]))
}

/** As the user of the service. */
function asUser(...words: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((ended, failed) => {
    const child = spawn(process.execPath, [SONGHUA, ...words], { uid: USER, gid: USER, env: { PATH: process.env.PATH, LANG: 'en_US.UTF-8' } })
    const [stdout, stderr]: [string[], string[]] = [[], []]
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk.toString()))
    child.once('error', failed)
    child.once('close', (code) => ended({ code, stdout: stdout.join(''), stderr: stderr.join('') }))
  })
}

const doctor = async (): Promise<{ code: number | null; rights: string[] }> => {
  const { code, stdout, stderr } = await asUser('doctor', '--data', data, '--json')
  expect(stderr).toContain('NODE_UNWELL')
  const { findings } = JSON.parse(stdout) as { findings: { code: string; values: { path: string } }[] }
  return { code, rights: findings.flatMap((one) => (one.code === 'RIGHTS' ? [one.values.path.slice(data.length + 1)] : [])) }
}

describe.runIf(process.geteuid?.() === 0)('rights', () => {
  it('what root replaces keeps its owner and its rights, and what is new gets those of its folder', async () => {
    const path = join(data, 'some.file')
    await writeDurably(path, 'new')
    expect(await stat(path)).toMatchObject({ uid: USER, gid: USER })
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    await chmod(path, 0o640)
    await (await replaceDurably(path, [Buffer.from('changed')])).close()
    expect(await stat(path)).toMatchObject({ uid: USER, gid: USER })
    expect([(await stat(path)).mode & 0o777, await readFile(path, 'utf8')]).toEqual([0o640, 'changed'])
  })

  it('doctor and repair by root leave a folder that the user of the service opens', async () => {
    const journal = join(data, 'transactions.journal')
    await writeFile(journal, Buffer.concat([Buffer.of(1), (await readFile(journal)).subarray(1)]))
    expect((await runCommand(['doctor', '--data', data, '--deep'])).code).toBe(10)
    const { code, stdout } = await runCommand(['repair', '--data', data, '--deep', '--yes', '--json'])
    expect([code, (JSON.parse(stdout) as { done: unknown[] }).done.length]).toEqual([0, 1])
    expect(await ownersIn(data)).toEqual([])
    expect(await doctor()).toEqual({ code: 10, rights: [] })
  })

  it('that are wrong are a finding, whichever file it is, and repair moves nothing', async () => {
    for (const name of ['consensus.log', 'transactions.journal', 'chain']) {
      await chown(join(data, name), 0, 0)
      await chmod(join(data, name), name === 'chain' ? 0o700 : 0o600)
    }
    expect(await doctor()).toEqual({ code: 10, rights: expect.arrayContaining(['chain', 'consensus.log', 'transactions.journal']) as string[] })
    const before = (await readdir(data)).sort()
    const { code, stderr } = await asUser('repair', '--data', data, '--yes')
    expect([code, stderr]).toEqual([10, expect.stringMatching(/RIGHTS.*owner and rights/s)])
    expect((await readdir(data)).sort()).toEqual(before)
  })

  it('a start that meets them says so, and not that the disk is at fault', async () => {
    await chown(join(data, 'consensus.log'), 0, 0)
    await chmod(join(data, 'consensus.log'), 0o600)
    await chmod(join(root, 'password'), 0o644)
    const { code, stderr } = await asUser('start', '--data', data, '--key-password-file', join(root, 'password'))
    expect([code, stderr]).toEqual([1, expect.stringMatching(/CONSENSUS_LOG_IO.*owner and rights/)])
    expect(stderr).not.toContain('mend the disk')
  })
})
