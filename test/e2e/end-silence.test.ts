import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommand } from '../cli/in-process.js'
import { type CrashLab, createCrashLab, expectFinalOnce, expectNoEquivocation, expectOneHistory, expectVotes } from '../support/crash-lab.js'
import { type Devnet, type DevnetNode, heightOf, removeDir, rpc, sleep, startDevnet, tempDir, until } from '../support/devnet.js'
import { type Writer, startWriter } from '../support/writer.js'

/** Longer than the first rounds of a devnet together. */
const STANDING_MS = 12_000

/** An account may have 1,024 transactions waiting. */
const PAUSE_MS = 300

let root: string
let devnet: Devnet
let lab: CrashLab
let writer: Writer
let lost: DevnetNode[]

const folderOf = (node: DevnetNode): Promise<string> => lab.folderOf(node)
const isSilent = async (node: DevnetNode): Promise<boolean> =>
  (await rpc<{ consensus: { isSilent: boolean } }>(node.admin, 'admin_nodeInfo')).consensus.isSilent
const endSilence = async (node: DevnetNode, head: number, ...flags: string[]) =>
  runCommand(['end-silence', '--data', await folderOf(node), '--head', String(head), ...flags])

async function codesOf(node: DevnetNode): Promise<string[]> {
  const { stdout } = await runCommand(['doctor', '--data', await folderOf(node), '--json'])
  return (JSON.parse(stdout) as { findings: { code: string }[] }).findings.map(({ code }) => code)
}

beforeAll(async () => {
  root = await tempDir('end-silence')
  devnet = await startDevnet({ validators: 4, dataDir: join(root, 'devnet') })
  lab = createCrashLab(devnet)
  lost = lab.nodes.slice(2)
  writer = startWriter(devnet.ready.accounts[0]!, devnet.ready.chainId, () => [lab.nodes[0]!.rpc], () => PAUSE_MS)
  await until('some blocks', async () => (await heightOf(lab.nodes[0]!.rpc)) > 3)
}, 120_000)
afterAll(async () => {
  try {
    await writer?.stop()
  } finally {
    await lab?.stop()
    await removeDir(root)
  }
})

describe('two of four validators that have lost their consensus logs', () => {
  it('keep silent, and the chain stands still, which the doctor of each says', async () => {
    for (const node of lost) await lab.kill(node)
    for (const node of lost) await rm(join(await folderOf(node), 'consensus.log'))
    for (const node of lost) await lab.revive(node)
    const standing = await heightOf(lab.nodes[0]!.rpc)
    await sleep(STANDING_MS)
    expect(await heightOf(lab.nodes[0]!.rpc)).toBe(standing)
    for (const node of lost) expect(await isSilent(node)).toBe(true)
    await until('the doctor of a voting one to say it', async () => (await codesOf(lab.nodes[0]!)).includes('STALLED'), 60_000)
    for (const node of lost) expect(await codesOf(node)).toEqual(expect.arrayContaining(['LOG_LOST', 'STALLED']))
  }, 180_000)

  it('are told by end-silence what is to be so, and only for the height at which they are, only when stopped and silent', async () => {
    const head = await heightOf(lab.nodes[0]!.rpc)
    expect(await endSilence(lost[0]!, head, '--yes')).toMatchObject({ code: 3, error: 'REPAIR_REFUSED' })
    for (const node of [...lost, lab.nodes[1]!]) await lab.kill(node)
    for (const wrong of [head - 1, head + 1]) {
      expect(await endSilence(lost[0]!, wrong, '--yes')).toMatchObject({ code: 3, error: 'REPAIR_REFUSED', message: expect.stringContaining(`the last block here is ${head}`) as string })
    }
    expect(await endSilence(lab.nodes[1]!, head, '--yes')).toMatchObject({ code: 3, message: expect.stringContaining('is not silent') as string })
    const planned = await endSilence(lost[0]!, head)
    expect([planned.code, planned.error]).toEqual([10, 'NODE_UNWELL'])
    expect(planned.stdout).toMatch(new RegExp(`votes again at height ${head + 1}, from round \\d+ on[^]*none has a block above ${head}`))
    await lab.revive(lab.nodes[1]!)
  }, 120_000)

  it('vote again by the word of their operators; nothing is forked, contradicted or lost', async () => {
    const head = await heightOf(lab.nodes[0]!.rpc)
    for (const node of lost) expect((await endSilence(node, head, '--yes')).code).toBe(0)
    for (const node of lost) await lab.revive(node)
    await until('the chain to go on', async () => (await heightOf(lab.nodes[0]!.rpc)) > head + 5, 120_000)
    for (const node of lost) await expectVotes(lab, node)
    await writer.stop()
    const written = writer.acknowledged()
    await expectFinalOnce(lab, written.map(({ hash }) => hash))
    await expectOneHistory(lab)
    await expectNoEquivocation(lab)
  }, 240_000)
})
