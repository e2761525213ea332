import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  hashAt, heightOf, removeDir, rpc, sleep, startDevnet, startSonghua, tempDir, until, type Devnet, type DevnetNode, type Running,
} from '../support/devnet.js'
import { startWriter, type Writer } from '../support/writer.js'

const HALT_WATCH_MS = 5_000
const PROGRESS_BLOCKS = 5

let dataDir: string
let devnet: Devnet
let writer: Writer
const restarted = new Map<string, Running>()
const dead = new Set<string>()

const alive = (): DevnetNode[] => devnet.ready.nodes.filter(({ name }) => !dead.has(name))
const urls = (): string[] => alive().map((node) => node.rpc)

function kill(node: DevnetNode): void {
  dead.add(node.name)
  process.kill(restarted.get(node.name)?.process.pid ?? node.pid, 'SIGKILL')
}

/** The folder of a node is found by its p2p address, so that this test knows nothing of how folders are named. */
async function folderOf(node: DevnetNode): Promise<string> {
  for (const name of await readdir(dataDir)) {
    const config = await readFile(join(dataDir, name, 'songhua.json'), 'utf8').catch(() => '')
    if (config.includes(`"port": ${new URL(node.rpc).port}`)) return join(dataDir, name)
  }
  throw new Error(`no folder of ${node.name} under ${dataDir}`)
}

async function restart(node: DevnetNode): Promise<void> {
  restarted.set(node.name, startSonghua(['start', '--data', await folderOf(node), '--log-format', 'json']))
  await until(`${node.name} to answer again`, async () => (await heightOf(node.rpc)) >= 0)
  dead.delete(node.name)
}

async function progress(url: string): Promise<void> {
  const from = await heightOf(url)
  await until(`${PROGRESS_BLOCKS} more blocks`, async () => (await heightOf(url)) >= from + PROGRESS_BLOCKS, 60_000)
}

async function expectOneHistory(nodes: DevnetNode[]): Promise<void> {
  const heights = await Promise.all(nodes.map((node) => heightOf(node.rpc)))
  for (let height = 0; height <= Math.min(...heights); height += 1) {
    const hashes = await Promise.all(nodes.map((node) => hashAt(node.rpc, height)))
    expect([height, new Set(hashes).size]).toEqual([height, 1])
  }
}

beforeAll(async () => {
  dataDir = await tempDir('faults')
  devnet = await startDevnet({ validators: 4, dataDir })
  writer = startWriter(devnet.ready.accounts[0]!, devnet.ready.chainId, urls)
})

afterAll(async () => {
  await writer?.stop()
  await Promise.all([...restarted.values()].map((running) => running.stop()))
  await devnet?.stop()
  await removeDir(dataDir)
})

describe('kill -9', () => {
  it('of one of four: the chain goes on, and the one restarted catches up and votes again', async () => {
    const [first, , , last] = devnet.ready.nodes
    await progress(first!.rpc)
    kill(last!)
    await progress(first!.rpc)
    await restart(last!)
    const top = await heightOf(first!.rpc)
    await until('the restarted node at the top', async () => (await heightOf(last!.rpc)) >= top, 60_000)
    await expectOneHistory(devnet.ready.nodes)
  }, 180_000)

  it('of two of four: the chain halts without forking, resumes when they are back, and nothing acknowledged is lost', async () => {
    const [first, second, third, last] = devnet.ready.nodes as [DevnetNode, DevnetNode, DevnetNode, DevnetNode]
    kill(third)
    kill(last)
    await sleep(1_000)
    const halted = await Promise.all([heightOf(first.rpc), heightOf(second.rpc)])
    await sleep(HALT_WATCH_MS)
    expect(await Promise.all([heightOf(first.rpc), heightOf(second.rpc)])).toEqual(halted)
    await expectOneHistory([first, second])
    const pending = await rpc<{ pending: string }>(first.rpc, 'txpool_status')
    expect(Number(pending.pending)).toBeGreaterThan(0)

    await restart(third)
    await restart(last)
    await progress(first.rpc)
    await writer.stop()
    const sent = writer.acknowledged()
    expect(sent.length).toBeGreaterThan(20)
    for (const node of devnet.ready.nodes) {
      await until(`every acknowledged transaction final at ${node.name}`, async () => {
        const receipts = await Promise.all(sent.slice(-20).map(({ hash }) => rpc(node.rpc, 'eth_getTransactionReceipt', [hash])))
        return receipts.every((receipt) => receipt !== null)
      }, 60_000)
      for (const { hash } of sent) {
        expect(await rpc<{ status: string } | null>(node.rpc, 'eth_getTransactionReceipt', [hash])).toMatchObject({ status: '0x1' })
      }
    }
    await expectOneHistory(devnet.ready.nodes)
  }, 240_000)
})
