import { open, readdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AnchoredRecord, connect } from '@songhua/sdk'
import { commitSubject } from '@songhua/sdk/records/subject'
import {
  type Devnet, type Running, removeDir, sleep, startDevnet, startSonghua, tempDir, until,
} from '../support/devnet.js'
import { licenceRecord } from '../support/sample-records.js'
import { songhua } from '../cli/support.js'

/** An operator's life with a gateway: keys, backup, loss of the disk, restore. */

const CONSENT_RECORD = {
  schema: 'credit.reporting.consent',
  payload: {
    subjectName: '李示范',
    identityDocument: '11010519491231002X',
    grantee: '黑龙江示范征信有限公司',
    granteeCode: '91110000600037341L',
    scope: ['借贷'],
    purpose: '贷前审查',
    grantedAt: '2026-03-01T08:00:00Z',
    expiresAt: '2027-03-01T08:00:00Z',
    method: '书面',
  },
  subject: commitSubject(
    { id: 'test', secret: new Uint8Array(32).fill(7) },
    { scheme: 'citizen-id', id: '11010519491231002X' },
  ),
} as const

let dataDir: string
let devnet: Devnet
let gateway: string
let node: Running | undefined
const harbin = (): string => join(dataDir, 'harbin')

beforeAll(async () => {
  dataDir = await tempDir('gateway')
  devnet = await startDevnet({ validators: 4, gateways: 1, dataDir })
  gateway = devnet.ready.nodes[0]!.gateway!
})

afterAll(async () => {
  await node?.stop()
  await devnet?.stop()
  await removeDir(dataDir)
})

const connection = (apiKey = devnet.ready.apiKey) => connect({ gateway, apiKey, retry: { timeoutMs: 0 } })

async function startNode(): Promise<void> {
  node = startSonghua(['start', '--data', harbin(), '--log-format', 'json'])
  await until('the gateway to answer', async () => (await fetch(`${gateway}/v1/status`)).ok, 60_000)
}

async function rawFilesUnder(folder: string): Promise<Buffer[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  const files = entries.filter((entry) => entry.isFile())
  return Promise.all(files.map((file) => readFile(join(file.parentPath, file.name))))
}

describe('the gateway of a node', () => {
  let kept: AnchoredRecord
  let erased: AnchoredRecord

  it('takes a key as soon as it is made, and none that is revoked', async () => {
    const made = await songhua(['apikey', 'create', '--data', harbin(), '--issuer', 'uscc:91110000600037341L', '--name', 'test', '--json'])
    const { id, key } = JSON.parse(made.stdout) as { id: string; key: string }
    const anchor = async () => (await connection(key)).records.anchor(licenceRecord(1))
    const { envelope } = await until('the key to be known', anchor, 5_000)
    expect(envelope.issuer).toBe('uscc:91110000600037341L')
    await songhua(['apikey', 'revoke', id, '--data', harbin()])
    await sleep(1_000)
    await expect(anchor()).rejects.toMatchObject({ code: 'API_KEY_INVALID', status: 401 })
  })

  it('erases a payload whose subject withdrew consent; the proof still holds', async () => {
    const songhuaRecords = (await connection()).records
    kept = await songhuaRecords.anchor(licenceRecord(2))
    erased = await songhuaRecords.anchor(CONSENT_RECORD)
    await songhuaRecords.erase(erased.id)
    await expect(songhuaRecords.payload(erased.id)).rejects.toMatchObject({ code: 'PAYLOAD_ERASED' })
    expect(await songhuaRecords.get(erased.id)).toMatchObject({ payload: 'erased' })
    expect((await songhuaRecords.verify(await songhuaRecords.evidence(erased.id))).valid).toBe(true)
    await expect(songhuaRecords.erase(kept.id)).rejects.toMatchObject({ code: 'RETENTION_NOT_OVER' })
  })

  it('is backed up while it works, and comes back from that on an empty disk', async () => {
    const [records, keys] = [join(dataDir, 'backup-records'), join(dataDir, 'backup-keys')]
    const backup = await songhua(['backup', '--data', harbin(), '--to', records, '--keys-to', keys])
    expect([backup.code, backup.stderr]).toEqual([0, ''])
    const again = await songhua(['backup', '--data', harbin(), '--to', records, '--keys-to', keys])
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('is not empty')])
    const sinceBackup = await (await connection()).records.anchor(licenceRecord(3))

    process.kill(devnet.ready.nodes[0]!.pid, 'SIGKILL')
    for (const folder of ['gateway', 'gateway-keys']) await rename(join(harbin(), folder), join(dataDir, `lost-${folder}`))
    const restored = await songhua(['restore', '--data', harbin(), '--from', records, '--keys-from', keys])
    expect([restored.code, restored.stderr]).toEqual([0, ''])
    await startNode()

    const songhuaRecords = (await connection()).records
    expect((await songhuaRecords.payload(kept.id)).payload).toEqual(kept.payload)
    expect(await songhuaRecords.evidence(kept.id)).toEqual(kept.evidence)
    await expect(songhuaRecords.payload(erased.id)).rejects.toMatchObject({ code: 'PAYLOAD_ERASED' })
    // What came after the backup is lost to the gateway, but its evidence was given out and holds.
    await expect(songhuaRecords.get(sinceBackup.id)).rejects.toMatchObject({ code: 'RECORD_UNKNOWN' })
    expect((await songhuaRecords.verify(sinceBackup.evidence, sinceBackup)).valid).toBe(true)
    expect((await songhuaRecords.anchor(licenceRecord(4))).evidence.version).toBe('songhua.evidence/1')
  })

  it('is backed up whole when a key is damaged, and the operator learns whose', async () => {
    const ring = join(harbin(), 'gateway-keys', 'ring')
    const slotOfKept = 1
    const flip = async (): Promise<void> => {
      const file = await open(ring, 'r+')
      const at = (slotOfKept + 1) * 64
      const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at)
      await file.write(Buffer.of(buffer[0]! ^ 1), 0, 1, at)
      await file.close()
    }
    await flip()
    const [records, keys] = [join(dataDir, 'damaged-records'), join(dataDir, 'damaged-keys')]
    const backup = await songhua(['backup', '--data', harbin(), '--to', records, '--keys-to', keys, '--json'])
    await flip()
    expect([backup.code, backup.stderr]).toEqual([1, expect.stringContaining('KEYS_DAMAGED')])
    expect(backup.stderr).toContain(`record ${kept.id}`)
    expect(JSON.parse(backup.stdout)).toMatchObject({ damagedSlots: 1, damaged: [{ slot: slotOfKept, recordId: kept.id }] })
    const check = await songhua(['restore', '--check', '--data', harbin(), '--from', records, '--keys-from', keys])
    expect([check.code, check.stderr]).toEqual([0, ''])
    expect(check.stdout).toMatch(/damagedSlots\s+1/)
    expect((await (await connection()).records.payload(kept.id)).payload).toEqual(kept.payload)
  })

  it('leaves of an erased payload no trace in any file, backups included', async () => {
    const files = await rawFilesUnder(dataDir)
    const holds = (bytes: Uint8Array): boolean => files.some((file) => file.includes(Buffer.from(bytes)))
    expect(holds(erased.salt!)).toBe(false)
    expect(holds(erased.payload!)).toBe(false)
    expect(holds(Buffer.from('李示范'))).toBe(false)
    // The search can find something.
    expect(holds(Buffer.from(erased.id))).toBe(true)
  })
})
