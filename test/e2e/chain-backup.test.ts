import { cp, mkdir, readFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ChainSource, backUpChain } from '@songhua/node/app/chain-backup'
import { runCommand } from '../cli/in-process.js'
import {
  type Devnet, type DevnetNode, type Running, hashAt, heightOf, removeDir, rpc, startDevnet, startSonghua, tempDir, until,
} from '../support/devnet.js'
import { type Writer, startWriter } from '../support/writer.js'

const KEPT = ['songhua.json', 'node-key.hex', 'genesis.json']
const BLOCKS = 30

let root: string
let devnet: Devnet
let writer: Writer
let node: DevnetNode
let data: string
let backup: string
let restarted: Running | undefined
let firstHead: number

const run = async (...words: string[]) => {
  const ended = await runCommand(words)
  return { ...ended, json: ended.stdout.startsWith('{') ? (JSON.parse(ended.stdout) as Record<string, unknown>) : {} }
}
const others = (): DevnetNode[] => devnet.ready.nodes.filter(({ name }) => name !== node.name)
const restoring = (...words: string[]) => run('restore', '--data', data, '--chain-from', backup, '--json', ...words)

async function folderOf({ rpc: url }: DevnetNode): Promise<string> {
  for (const name of await readdir(devnet.dataDir)) {
    const config = await readFile(join(devnet.dataDir, name, 'songhua.json'), 'utf8').catch(() => '')
    if (config.includes(`"port": ${new URL(url).port}`)) return join(devnet.dataDir, name)
  }
  throw new Error(`no folder of ${url}`)
}

const reach = (url: string, height: number) => until(`block ${height}`, async () => (await heightOf(url)) >= height, 60_000)

async function copyOf(name: string): Promise<string> {
  const copy = join(root, name)
  await cp(backup, copy, { recursive: true })
  return copy
}

const segmentsIn = async (folder: string): Promise<string[]> => (await readdir(folder)).filter((name) => name.startsWith('blocks-')).sort()

beforeAll(async () => {
  root = await tempDir('chain-backup')
  devnet = await startDevnet({ validators: 4, dataDir: join(root, 'devnet') })
  node = devnet.ready.nodes[2]!
  data = await folderOf(node)
  backup = join(root, 'backups', 'chain')
  writer = startWriter(devnet.ready.accounts[0]!, devnet.ready.chainId, () => others().map(({ rpc: url }) => url))
  await reach(node.rpc, BLOCKS)
}, 120_000)

afterAll(async () => {
  await restarted?.stop()
  await devnet?.stop()
  await removeDir(root)
  // Last: it tells of a transaction that was refused.
  await writer?.stop()
}, 60_000)

describe('a backup of the chain, from a node that goes on', () => {
  it('copies the blocks up to the head, and the next one only what is new', async () => {
    const first = await run('backup', '--data', data, '--chain-to', backup, '--json')
    expect(first).toMatchObject({ code: 0, json: { chainTo: backup } })
    firstHead = first.json.head as number
    expect(firstHead).toBeGreaterThanOrEqual(BLOCKS)
    expect(first.json.added).toBe(firstHead)
    await reach(node.rpc, firstHead + 10)
    const second = await run('backup', '--data', data, '--chain-to', backup, '--json')
    expect(second.json.added).toBe((second.json.head as number) - firstHead)
    expect(second.json.added).toBeGreaterThanOrEqual(10)
    expect(await segmentsIn(backup)).toHaveLength(2)
  })

  it('holds neither the key of the node nor the consensus log', async () => {
    expect((await readdir(backup)).filter((name) => !/^(backup\.json|genesis\.json|blocks-\d{12}\.rlp)$/.test(name))).toEqual([])
    const key = Buffer.from((await readFile(join(data, 'node-key.hex'), 'utf8')).trim().replace(/^0x/, ''), 'hex')
    expect(key).toHaveLength(32)
    for (const name of await readdir(backup)) {
      const bytes = await readFile(join(backup, name))
      expect([name, bytes.includes(key), bytes.includes(key.toString('hex'))]).toEqual([name, false, false])
    }
  })

  it('is found whole by --check, which changes nothing', async () => {
    const checked = await run('restore', '--check', '--data', data, '--chain-from', backup, '--json')
    const manifest = JSON.parse(await readFile(join(backup, 'backup.json'), 'utf8')) as { head: { number: number; hash: string } }
    expect(checked).toMatchObject({ code: 0, json: { head: manifest.head.number, headHash: manifest.head.hash } })
    expect(await hashAt(others()[0]!.rpc, manifest.head.number)).toBe(manifest.head.hash)
  })

  it.each([
    ['BACKUP_DAMAGED', 'a flipped byte', async (folder: string) => {
      const path = join(folder, (await segmentsIn(folder))[0]!)
      const bytes = await readFile(path)
      bytes[Math.floor(bytes.length / 2)]! ^= 1
      await writeFile(path, bytes)
    }],
    ['BACKUP_DAMAGED', 'a cut file', async (folder: string) => {
      const path = join(folder, (await segmentsIn(folder))[1]!)
      await truncate(path, (await stat(path)).size - 1)
    }],
    ['BACKUP_INCOMPLETE', 'a missing file', async (folder: string) => rm(join(folder, (await segmentsIn(folder))[0]!))],
    ['BACKUP_INCOMPLETE', 'no manifest', (folder: string) => rm(join(folder, 'backup.json'))],
    ['BACKUP_DAMAGED', 'a manifest with a gap', (folder: string) => editManifest(folder, (manifest) => ({ ...manifest, segments: manifest.segments.slice(1) }))],
    ['BACKUP_DAMAGED', 'a manifest that claims more', (folder: string) =>
      editManifest(folder, (manifest) => ({ ...manifest, head: { ...manifest.head, number: manifest.head.number + 1 } }))],
    ['BACKUP_NEWER', 'a newer version', (folder: string) => editManifest(folder, (manifest) => ({ ...manifest, version: 2 }))],
    ['BACKUP_FOREIGN', 'a manifest of something else', (folder: string) => editManifest(folder, (manifest) => ({ ...manifest, format: 'x' }))],
    ['RESTORE_OTHER_CHAIN', 'another genesis', (folder: string) =>
      editManifest(folder, (manifest) => ({ ...manifest, genesisHash: `0x${'1'.repeat(64)}` }))],
  ])('%s: %s', async (code, label, damage) => {
    const folder = await copyOf(label.replaceAll(' ', '-'))
    await damage(folder)
    const checked = await run('restore', '--check', '--data', data, '--chain-from', folder)
    expect(checked.error).toBe(code)
    expect(checked.message).toContain(code === 'RESTORE_OTHER_CHAIN' ? 'genesis' : folder)
    expect(checked.code).toBe(code === 'RESTORE_OTHER_CHAIN' ? 4 : 2)
  })

  it('finds a block that was exchanged together with its digest: it is sealed by nobody', async () => {
    const folder = await copyOf('forged')
    const [name] = await segmentsIn(folder)
    const bytes = await readFile(join(folder, name!))
    // Within the first block's header: its state root.
    bytes[120]! ^= 1
    await writeFile(join(folder, name!), bytes)
    const sha256 = `0x${Buffer.from(await crypto.subtle.digest('SHA-256', bytes)).toString('hex')}`
    await editManifest(folder, (manifest) => ({ ...manifest, segments: manifest.segments.map((one, at) => (at === 0 ? { ...one, sha256 } : one)) }))
    const checked = await run('restore', '--check', '--data', data, '--chain-from', folder)
    expect(checked.error).toBe('BACKUP_DAMAGED')
    expect(checked.message).toContain('block 1')
  })

  it.each([
    ['BACKUP_DAMAGED', 'a shorter segment', (path: string) => truncate(path, 10)],
    ['BACKUP_INCOMPLETE', 'a lost segment', (path: string) => rm(path)],
  ])('%s: is not added to beside %s, however old that is', async (code, label, damage) => {
    const folder = await copyOf(label.replaceAll(' ', '-'))
    const path = join(folder, (await segmentsIn(folder))[0]!)
    await damage(path)
    const refused = await run('backup', '--data', data, '--chain-to', folder)
    expect([refused.code, refused.error, refused.stdout]).toEqual([2, code, ''])
    expect(refused.message).toContain(path)
    expect(refused.message).toContain('begin a new backup in another folder')
  })

  it('is put neither into the data folder without a word, nor anywhere by half', async () => {
    const within = await run('backup', '--data', data, '--chain-to', join(data, 'copy'))
    expect([within.code, within.stderr]).toEqual([0, expect.stringContaining('on the same disk')])
    await rm(join(data, 'copy'), { recursive: true })
    const chainTo = join(root, 'not-made')
    const none = await run('backup', '--data', data, '--chain-to', chainTo, '--to', join(root, 'a'), '--keys-to', join(root, 'b'))
    expect([none.code, none.error]).toEqual([2, 'CLI_USAGE'])
    expect(await readdir(root)).not.toContain('not-made')
  })

  it('refuses a folder with something else, and wrong flags by name', async () => {
    const full = join(root, 'full')
    await mkdir(full)
    await writeFile(join(full, 'letter.txt'), 'mine')
    const refused = await run('backup', '--data', data, '--chain-to', full)
    expect([refused.code, refused.error]).toEqual([2, 'BACKUP_FOLDER_NOT_EMPTY'])
    expect(refused.message).toBe(`${full}: is not empty and no backup of a chain; name another folder, or move this one away`)
    expect(await readdir(full)).toEqual(['letter.txt'])
    expect((await run('backup', '--data', data)).message).toContain('--chain-to')
    expect((await run('backup', '--data', data, '--to', join(root, 'x'))).message).toContain('--keys-to')
    expect((await run('restore', '--data', data)).message).toContain('--chain-from')
    expect((await run('restore', '--chain-from', backup)).message).toContain('--data')
  })

  it('is not restored under a node that runs', async () => {
    expect((await restoring()).error).toBe('STORE_IN_USE')
  })
})

interface Manifest {
  version: number
  head: { number: number; hash: string }
  segments: { first: number; last: number; sha256: string }[]
}

async function editManifest(folder: string, edit: (manifest: Manifest) => object): Promise<void> {
  const path = join(folder, 'backup.json')
  await writeFile(path, JSON.stringify(edit(JSON.parse(await readFile(path, 'utf8')) as Manifest)))
}

describe('a validator that has lost its disk', () => {
  it('gets the chain back, in two goes, each block executed anew', async () => {
    process.kill(node.pid, 'SIGKILL')
    for (const name of await readdir(data)) if (!KEPT.includes(name)) await rm(join(data, name), { recursive: true })
    // What an interrupted restore leaves: the chain up to some block.
    const half = await copyOf('half')
    const head = { number: firstHead, hash: await hashAt(others()[0]!.rpc, firstHead) }
    await editManifest(half, (manifest) => ({ ...manifest, head, segments: manifest.segments.slice(0, 1) }))
    expect((await run('restore', '--data', data, '--chain-from', half, '--json')).json).toEqual({ head: firstHead, imported: firstHead })
    const whole = await restoring()
    expect(whole.json.imported).toBe((whole.json.head as number) - firstHead)
    expect((await restoring()).json.imported).toBe(0)
    expect(await readdir(data)).not.toContain('consensus.log')
  }, 60_000)

  it('keeps silent, catches up, and votes again', async () => {
    restarted = startSonghua(['start', '--data', data, '--log-format', 'json'])
    const silent = await until('the node to answer', async () => (await infoOf()).consensus)
    expect(restarted.output() + JSON.stringify(silent)).toMatch(/keeps silent|"isSilent":true/)
    await until('the validator to vote again', async () => (await infoOf()).consensus.isSilent === false, 60_000)
    const height = await heightOf(others()[0]!.rpc)
    await reach(node.rpc, height + 5)
    for (let number = 0; number <= height; number++) expect(await hashAt(node.rpc, number)).toBe(await hashAt(others()[0]!.rpc, number))
    const sealed = await until('a block that it proposed', async () => {
      const { miner } = await rpc<{ miner: string }>(node.rpc, 'eth_getBlockByNumber', ['latest', false])
      return miner === node.address ? miner : undefined
    }, 60_000)
    expect(sealed).toBe(node.address)
  }, 150_000)
})

const infoOf = () => rpc<{ consensus: { isSilent: boolean } }>(node.admin, 'admin_nodeInfo')

describe('the engine of the backup', () => {
  const block = (number: number): Uint8Array => Uint8Array.of(0xc2, 0x80 + (number % 5), 0x80)
  const hashOf = (number: number) => `0x${number.toString(16).padStart(64, '0')}` as const
  const source = (head: number, fault?: number): ChainSource => ({
    chainId: 1,
    genesisHash: hashOf(0),
    genesisText: () => Promise.resolve('{}'),
    head: () => ({ number: head, hash: hashOf(head) }),
    hashAt: hashOf,
    encodedBlock: (number) => (number === fault ? undefined : block(number)),
  })
  const to = (name: string): string => join(dirname(backup), name)

  it('keeps what it has when it breaks off, and goes on from there', async () => {
    const folder = to('broken')
    await expect(backUpChain(source(30_000, 25_000), folder, () => undefined)).rejects.toMatchObject({ code: 'STORE_INCONSISTENT' })
    const resumed = await backUpChain(source(30_000), folder, () => undefined)
    expect(resumed).toMatchObject({ head: 30_000, added: 10_000 })
  })

  it('refuses the backup of another chain, of another history, and one that is ahead', async () => {
    const folder = to('other')
    await backUpChain(source(10), folder, () => undefined)
    const changed = (patch: Partial<ChainSource>) => backUpChain({ ...source(20), ...patch }, folder, () => undefined)
    await expect(changed({ genesisHash: hashOf(7) })).rejects.toMatchObject({ code: 'BACKUP_OTHER_CHAIN' })
    await expect(changed({ hashAt: (number) => hashOf(number + 1) })).rejects.toMatchObject({ code: 'BACKUP_OTHER_CHAIN' })
    await expect(changed({ head: () => ({ number: 9, hash: hashOf(9) }) })).rejects.toMatchObject({ code: 'BACKUP_AHEAD' })
    expect(await changed({})).toMatchObject({ added: 10 })
  })
})
