import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parseGenesis } from '@songhua/sdk/protocol/genesis'
import { type BackupFolders, backUpGateway } from '@songhua/node/app/gateway-backup'
import { checkNotRestoring, gatewayFiles } from '@songhua/node/app/gateway-files'
import { genesisHashOf } from '@songhua/node/app/open-chain'
import { devAddresses } from '../support/governance.js'
import { devGovernance } from '@songhua/node/cli/dev-organisations'
import { createGenesis } from '@songhua/node/cli/genesis-file'
import { openLevelTable } from '@songhua/node/storage/level-table'
import { type AnchorChain, createAnchorChain } from '../gateway/anchor-chain.js'
import { CALLER, SECRET, acceptAll, entry, openGateway } from '../gateway/engine-fixture.js'
import { runCommand } from './in-process.js'
import { type Finished, SONGHUA, songhua } from './support.js'

/** A gateway's folders as a node has them, backups of them, and the command line as processes. */

const MEMBER = { publicKey: `0x02${'79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'}`, isValidator: true } as const
const genesisOf = (chainId: number) => createGenesis({ chainId, governance: devGovernance([MEMBER], devAddresses()), timestamp: 1_760_000_000 })
const genesis = genesisOf(230_000)
const genesisHash = genesisHashOf(parseGenesis(genesis))

let chain: AnchorChain
let root: string
/** Of each test. */
let home: string
let ids: string[]
beforeAll(async () => {
  chain = await createAnchorChain()
  root = await mkdtemp(join(tmpdir(), 'songhua-restore-'))
  await mkdir(join(root, 'origin', 'keys'), { recursive: true })
  await mkdir(join(root, 'origin', 'schemas'))
  await writeFile(join(root, 'origin', 'keys', 'secret'), SECRET)
  await writeFile(join(root, 'origin', 'api-keys.json'), '{"keys":[]}')
  await writeFile(join(root, 'origin', 'schemas', 'own.json'), '{"of":"the operator"}')
  ids = await withOrigin(async (gateway) => {
    const accepted = await acceptAll(gateway, [entry('a'), entry('b'), entry('c')])
    await gateway.engine.custody.erase(accepted[2]!, CALLER)
    return accepted
  })
  await backUp({ to: join(root, 'records'), keysTo: join(root, 'keys') })
})
afterAll(async () => {
  await chain.stop()
  await rm(root, { recursive: true, force: true })
})
beforeEach(async () => {
  home = await mkdtemp(join(root, 'home-'))
  await writeData('node', genesis)
})

type Opened = Awaited<ReturnType<typeof openGateway>>
async function withOrigin<T>(run: (gateway: Opened) => Promise<T>): Promise<T> {
  const gateway = await openGateway(join(root, 'origin'), { ...chain, genesisHash })
  try {
    return await run(gateway)
  } finally {
    await gateway.stop()
  }
}

const backUp = (folders: BackupFolders) =>
  withOrigin(({ engine }) =>
    backUpGateway({ gatewayDir: join(root, 'origin'), chainId: 230_000, genesisHash, backup: (to) => engine.backup(to) }, folders),
  )

async function writeData(name: string, content: object): Promise<void> {
  await mkdir(join(home, name))
  await writeFile(join(home, name, 'songhua.json'), '{}')
  await writeFile(join(home, name, 'genesis.json'), JSON.stringify(content))
}

/** Copies of the backup, to be spoilt. */
async function copies(): Promise<{ records: string; keys: string }> {
  const [records, keys] = [join(home, 'records'), join(home, 'keys')]
  await cp(join(root, 'records'), records, { recursive: true })
  await cp(join(root, 'keys'), keys, { recursive: true })
  return { records, keys }
}

const restore = (from: { records: string; keys?: string }, ...more: string[]): Promise<Finished> =>
  songhua([
    'restore', '--data', join(home, 'node'), '--from', from.records,
    ...(from.keys === undefined ? ['--keep-keys'] : ['--keys-from', from.keys]), ...more,
  ])
const good = (): { records: string; keys: string } => ({ records: join(root, 'records'), keys: join(root, 'keys') })
const paths = () => ({ gatewayDir: join(home, 'node', 'gateway'), keysDir: join(home, 'node', 'gateway-keys') })

async function expectWhole(): Promise<void> {
  const files = gatewayFiles(paths())
  await checkNotRestoring(files)
  expect(new Uint8Array(await readFile(files.secret))).toEqual(SECRET)
  expect(await readFile(files.apiKeys, 'utf8')).toBe('{"keys":[]}')
  expect(await readdir(files.schemas)).toEqual(['own.json'])
  const view = join(home, 'view')
  await mkdir(view)
  await cp(files.store, join(view, 'store'), { recursive: true })
  await cp(paths().keysDir, join(view, 'keys'), { recursive: true })
  const gateway = await openGateway(view, { ...chain, genesisHash })
  expect((await gateway.engine.shelf.find({ limit: 10 })).records).toHaveLength(3)
  expect(await gateway.engine.shelf.payload(ids[0]!)).toBeDefined()
  await expect(gateway.engine.shelf.payload(ids[2]!)).rejects.toMatchObject({ code: 'PAYLOAD_ERASED' })
  await gateway.stop()
}

async function expectUntouched(): Promise<void> {
  expect((await readdir(join(home, 'node'))).sort()).toEqual(['genesis.json', 'songhua.json'])
}

describe('songhua restore', () => {
  it('brings back all that was saved, once', async () => {
    const { code, stdout, stderr } = await restore(good(), '--json')
    expect([code, stderr]).toEqual([0, ''])
    expect(JSON.parse(stdout)).toEqual({ records: 3, foundErased: 0, unreadable: 0, erasedAgain: 0 })
    await expectWhole()
    const again = await restore(good())
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('RESTORE_FOLDER_NOT_EMPTY')])
    await rm(join(home, 'view'), { recursive: true })
    await expectWhole()
  })

  it('takes a folder in which a gateway that could not start has left its empty store, and nothing else', async () => {
    const { gatewayDir } = paths()
    await mkdir(join(gatewayDir, 'schemas'), { recursive: true })
    await (await openLevelTable(join(gatewayDir, 'store'))).close()
    expect((await restore(good())).code).toBe(0)
    await expectWhole()
  })

  it('does not take one with a record, a schema or API keys', async () => {
    const { gatewayDir } = paths()
    await mkdir(join(gatewayDir, 'schemas'), { recursive: true })
    await writeFile(join(gatewayDir, 'schemas', 'own.json'), '{}')
    expect((await restore(good())).stderr).toContain('RESTORE_FOLDER_NOT_EMPTY')
    await rm(join(gatewayDir, 'schemas', 'own.json'))
    const table = await openLevelTable(join(gatewayDir, 'store'))
    await table.write([[Uint8Array.of(1), Uint8Array.of(2)]])
    await table.close()
    expect((await restore(good())).stderr).toContain('RESTORE_FOLDER_NOT_EMPTY')
    expect(await readdir(join(gatewayDir, 'store'))).toContain('CURRENT')
  })

  it.each<[string, string, (from: { records: string; keys: string }) => Promise<unknown> | { records: string; keys: string }]>([
    ['a backup that did not finish', 'BACKUP_INCOMPLETE', ({ keys }) => rm(join(keys, 'backup.json'))],
    ['folders that were swapped', 'BACKUP_FOLDERS_SWAPPED', ({ records, keys }) => ({ records: keys, keys: records })],
    ['a file that is missing', 'BACKUP_INCOMPLETE', ({ records }) => rm(join(records, 'schemas', 'own.json'))],
    ['a file that is shorter', 'BACKUP_DAMAGED', ({ records }) => writeFile(join(records, 'api-keys.json'), '{}')],
    ['a file with other bytes', 'BACKUP_DAMAGED', ({ records }) => writeFile(join(records, 'api-keys.json'), '{"keys":{}}')],
    ['a manifest that is none', 'BACKUP_FOREIGN', ({ records }) => writeFile(join(records, 'backup.json'), '{"name":"x"}')],
    ['a manifest cut short', 'BACKUP_DAMAGED', ({ records }) => writeFile(join(records, 'backup.json'), '{"format":')],
    ['a later version', 'BACKUP_NEWER', ({ records }) => edit(join(records, 'backup.json'), '"version": 1', '"version": 2')],
    ['a name out of the folder', 'BACKUP_DAMAGED', ({ records }) => edit(join(records, 'backup.json'), 'schemas/own', '../own')],
    ['keys of another chain', 'RESTORE_OTHER_KEYS', ({ keys }) => edit(join(keys, 'backup.json'), genesisHash, `0x${'1'.repeat(64)}`)],
    ['no such folder', 'BACKUP_INCOMPLETE', ({ records, keys }) => ({ records: `${records}-no`, keys })],
  ])('refuses %s before anything is made', async (_what, expected, spoil) => {
    const from = await copies()
    const other = await spoil(from)
    const refused = await restore(isOrigin(other) ? other : from)
    expect(refused.stderr).toContain(expected)
    expect(refused.code).toBe(2)
    await expectUntouched()
  })

  it('refuses a backup of another chain than that of the data folder', async () => {
    await writeFile(join(home, 'node', 'genesis.json'), JSON.stringify(genesisOf(230_001)))
    const refused = await restore(good())
    expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining('RESTORE_OTHER_CHAIN')])
    await expectUntouched()
  })

  it('goes on where one broke off, which starts as no gateway until then', async () => {
    expect((await restore(good())).code).toBe(0)
    const { gatewayDir, keysDir } = paths()
    // As a kill in the middle leaves it.
    for (const folder of [gatewayDir, keysDir]) await writeFile(join(folder, 'RESTORING'), 'under way')
    await rm(join(keysDir, 'secret'))
    await rm(join(gatewayDir, 'store', 'CURRENT'))
    await expect(checkNotRestoring(gatewayFiles(paths()))).rejects.toMatchObject({ code: 'GATEWAY_RESTORE_UNFINISHED' })
    const again = await restore(good())
    expect([again.code, again.stderr]).toEqual([0, ''])
    await expectWhole()
  })

  it('is finished by the next start when it died between its last two steps', async () => {
    expect((await restore(good())).code).toBe(0)
    const marker = join(paths().keysDir, 'RESTORING')
    await writeFile(marker, 'done: the restore is whole; whoever meets this file may remove it\n')
    await expectWhole()
    expect(await readdir(paths().keysDir)).not.toContain('RESTORING')
  })

  it('killed at any moment leaves nothing, what starts as no gateway, or all', async () => {
    const words = ['restore', '--data', join(home, 'node'), '--from', good().records, '--keys-from', good().keys]
    const { gatewayDir, keysDir } = paths()
    const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => [])
    for (const delayMs of [300, 330, 360, 380, 400, 430]) {
      const child = spawn(process.execPath, [SONGHUA, ...words], { stdio: 'ignore' })
      const timer = setTimeout(() => child.kill('SIGKILL'), delayMs)
      await once(child, 'exit')
      clearTimeout(timer)
      const all = [...(await namesIn(gatewayDir)), ...(await namesIn(keysDir))]
      const names = all.filter((name) => name !== 'RESTORING.new')
      const isRefused = await checkNotRestoring(gatewayFiles(paths())).then(() => false, () => true)
      const isWhole = names.includes('store') && names.includes('secret') && names.includes('schemas')
      expect({ delayMs, names, isSafe: isRefused || isWhole || names.length === 0 }).toMatchObject({ isSafe: true })
      if (isWhole && !isRefused) for (const folder of [gatewayDir, keysDir]) await rm(folder, { recursive: true })
    }
    expect((await restore(good())).code).toBe(0)
    await expectWhole()
  })

  it('does not clean up under another restore that is at work', async () => {
    const { gatewayDir } = paths()
    await mkdir(gatewayDir)
    await writeFile(join(gatewayDir, 'RESTORING'), 'under way')
    const table = await openLevelTable(join(gatewayDir, 'store'))
    const refused = await restore(good())
    await table.close()
    expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining('STORE_IN_USE')])
  })

  it('takes a mount point for empty, and removes what it made when the other folder is not', async () => {
    const { gatewayDir, keysDir } = paths()
    await mkdir(join(gatewayDir, 'lost+found'), { recursive: true })
    await mkdir(keysDir)
    await writeFile(join(keysDir, 'RESTORING.new'), 'cut sh')
    await writeFile(join(keysDir, 'secret'), SECRET)
    expect((await restore(good())).stderr).toContain('RESTORE_FOLDER_NOT_EMPTY')
    expect(await readdir(gatewayDir)).toEqual(['lost+found'])
    await rm(join(keysDir, 'secret'))
    expect((await restore(good())).code).toBe(0)
    await expectWhole()
  })

  it('keeps the keys that are there, and what is erased in them', async () => {
    expect((await restore(good())).code).toBe(0)
    const { gatewayDir, keysDir } = paths()
    const ring = await readFile(join(keysDir, 'ring'))
    await rm(gatewayDir, { recursive: true })
    const { code, stdout, stderr } = await restore({ records: good().records })
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/records\s+3/)
    expect(await readFile(join(keysDir, 'ring'))).toEqual(ring)
    await expectWhole()
  })

  it('keeps no keys that are not there or not theirs, and makes none', async () => {
    const none = await restore({ records: good().records })
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('RESTORE_NO_KEYS')])
    await expectUntouched()
    await cp(join(root, 'origin', 'keys'), paths().keysDir, { recursive: true })
    await writeFile(join(paths().keysDir, 'secret'), new Uint8Array(32).fill(7))
    expect((await restore({ records: good().records })).stderr).toContain('RESTORE_OTHER_KEYS')
    expect(await readdir(join(home, 'node'))).not.toContain('gateway')
  })

  it('wants the one or the other of the keys, and a data folder', async () => {
    const from = ['--from', good().records]
    const cases: [string[], string][] = [
      [['--data', join(home, 'node'), ...from], '--keep-keys'],
      [['--data', join(home, 'node'), ...from, '--keep-keys', '--keys-from', good().keys], '--keep-keys'],
      [[...from, '--keys-from', good().keys], '--data'],
      [['--check', ...from], '--keys-from'],
    ]
    for (const [words, named] of cases) {
      const { code, stderr } = await songhua(['restore', ...words])
      expect([code, stderr]).toEqual([2, expect.stringContaining(named)])
    }
    await expectUntouched()
  })
})

describe('songhua restore --check', () => {
  const check = ({ records, keys }: { records: string; keys: string }, ...more: string[]): Promise<Finished> =>
    songhua(['restore', '--check', '--from', records, '--keys-from', keys, ...more])

  it('says what a backup holds, anywhere, and touches nothing', async () => {
    const { code, stdout, stderr } = await check(good(), '--json')
    expect([code, stderr]).toEqual([0, ''])
    expect(JSON.parse(stdout)).toMatchObject({ chainId: 230_000, genesisHash, records: 3, keys: 3, damagedSlots: 0 })
    expect((await check(good(), '--lang', 'zh')).stdout).toContain('备份完整')
    expect((await check(good(), '--data', join(home, 'node'))).code).toBe(0)
    await expectUntouched()
  })

  it('finds a flipped bit, and records that are newer than the keys', async () => {
    const from = await copies()
    const bytes = await readFile(join(from.keys, 'keys.backup'))
    bytes[100]! ^= 1
    await writeFile(join(from.keys, 'keys.backup'), bytes)
    expect((await check(from)).stderr).toContain('BACKUP_DAMAGED')
    await withOrigin((gateway) => acceptAll(gateway, [entry('later')]))
    const newer = { to: join(home, 'newer-records'), keysTo: join(home, 'newer-keys') }
    await backUp(newer)
    expect((await check({ records: newer.to, keys: good().keys })).stderr).toContain('RESTORE_KEYS_OLDER')
    expect((await check({ records: good().records, keys: newer.keysTo })).code).toBe(0)
  })
})

describe('songhua doctor and repair, of a gateway in a node that is stopped', () => {
  interface Told { findings: { code: string; severity: string; values: Record<string, string> }[] }
  const node = (): string => join(home, 'node')
  const doctor = async (...more: string[]) => {
    const { code, stdout } = await runCommand(['doctor', '--data', node(), '--json', ...more])
    const found = (JSON.parse(stdout) as Told).findings.find((one) => one.code === 'GATEWAY_DAMAGED')
    return { code, severity: found?.severity, fault: found?.values.code, message: found?.values.message ?? '' }
  }
  beforeEach(async () => {
    await restore(good())
    await writeFile(join(node(), 'songhua.json'), '{"admin":{"port":1},"gateway":{"enabled":true}}')
  })

  it('finds nothing in one that is whole, and leaves it as it is', async () => {
    expect(await doctor()).toMatchObject({ fault: undefined })
    expect(await doctor('--deep')).toMatchObject({ fault: undefined })
    const { code, stdout } = await runCommand(['repair', '--data', node(), '--deep'])
    expect([code, stdout]).toEqual([0, expect.stringContaining(paths().keysDir)])
    expect((await runCommand(['repair', '--data', node()])).stdout).toContain('--deep reads every file')
    await expectWhole()
  })

  it.each<[string, string, () => Promise<unknown>]>([
    ['STORE_DAMAGED', 'a flipped byte', async () => {
      const { store } = gatewayFiles(paths())
      const log = (await readdir(store)).find((name) => name.endsWith('.log'))!
      const bytes = await readFile(join(store, log))
      bytes[20]! ^= 1
      await writeFile(join(store, log), bytes)
    }],
    ['STORE_DAMAGED', 'a marker of damage', () => writeFile(join(gatewayFiles(paths()).store, 'DAMAGED.txt'), 'found')],
    ['GATEWAY_STORE_MISSING', 'no store', () => rm(paths().gatewayDir, { recursive: true })],
    ['KEY_RING_INCOMPLETE', 'no key ring', () => rm(gatewayFiles(paths()).keyRing)],
    ['KEY_RING_FOREIGN', 'a key ring that is none', () => writeFile(gatewayFiles(paths()).keyRing, 'x'.repeat(200))],
    ['GATEWAY_SECRET_MISSING', 'no secret', () => rm(gatewayFiles(paths()).secret)],
    ['GATEWAY_SECRET_DAMAGED', 'half a secret', () => writeFile(gatewayFiles(paths()).secret, 'short')],
    ['GATEWAY_RESTORE_UNFINISHED', 'a restore that broke off', () => writeFile(join(paths().gatewayDir, 'RESTORING'), 'under way')],
  ])('says %s: %s; repair names it and moves nothing', async (fault, _what, damage) => {
    await damage()
    const before = (await readdir(node(), { recursive: true })).sort()
    expect(await doctor()).toMatchObject({ code: 10, severity: 'error', fault })
    const { code, error, stdout } = await runCommand(['repair', '--data', node(), '--yes', '--json'])
    expect([code, error, JSON.parse(stdout)]).toEqual([10, 'NODE_UNWELL', expect.objectContaining({ done: [], left: [expect.objectContaining({ code: fault })] })])
    expect((await readdir(node(), { recursive: true })).sort()).toEqual(before)
    await writeFile(join(node(), 'songhua.json'), '{"admin":{"port":1}}')
    expect((await doctor()).severity).toBe('warning')
  })

  it('reads every key and every record with --deep', async () => {
    const { keyRing } = gatewayFiles(paths())
    const bytes = await readFile(keyRing)
    bytes[64 + 3]! ^= 1
    await writeFile(keyRing, bytes)
    expect((await doctor()).fault).toBeUndefined()
    expect(await doctor('--deep')).toMatchObject({ fault: 'KEY_RING_DAMAGED', message: expect.stringContaining('slots 0') as string })
  })
})

describe('the folders of a backup', () => {
  it.each([
    ['the same', 'x', 'x'],
    ['keys within records', 'x', 'x/keys'],
    ['deeper', 'x', 'x/a/b'],
    ['records within keys', 'x/records', 'x'],
  ])('are refused when they are %s, and none is made', async (_what, to, keysTo) => {
    const folders = { to: join(home, to), keysTo: join(home, keysTo) }
    await expect(backUp(folders)).rejects.toMatchObject({ code: 'BACKUP_FOLDERS_SAME' })
    expect(await readdir(home)).toEqual(['node'])
  })

  it('may have names that begin alike', async () => {
    await backUp({ to: join(home, 'x'), keysTo: join(home, 'x-keys') })
    expect(await readdir(join(home, 'x-keys'))).toEqual(['backup.json', 'keys.backup'])
  })

  it('are as they were after a backup that failed, so that the next one may have them', async () => {
    const folders = { to: join(home, 'mount'), keysTo: join(home, 'new', 'keys') }
    await mkdir(join(folders.to, 'lost+found'), { recursive: true })
    const failing = backUpGateway(
      {
        gatewayDir: join(root, 'origin'), chainId: 1, genesisHash,
        async backup({ state, keys }) {
          await state((async function* () { yield await Promise.resolve(Buffer.from('half')) })())
          await keys((async function* () { yield await Promise.resolve(Buffer.from('a key')); throw new Error('EIO') })())
          throw new Error('unreachable')
        },
      },
      folders,
    )
    await expect(failing).rejects.toMatchObject({ code: 'BACKUP_IO' })
    expect([await readdir(home), await readdir(folders.to)]).toEqual([['mount', 'node'], ['lost+found']])
    await backUp(folders)
    expect((await readdir(folders.to)).sort()).toEqual(['api-keys.json', 'backup.json', 'lost+found', 'records.backup', 'schemas'])
  })
})

function isOrigin(value: unknown): value is { records: string; keys: string } {
  return typeof value === 'object' && value !== null && 'records' in value
}

async function edit(path: string, from: string, to: string): Promise<void> {
  const text = await readFile(path, 'utf8')
  expect(text).toContain(from)
  await writeFile(path, text.replace(from, to))
}
