import { readFile, stat } from 'node:fs/promises'
import { type Hash, bytesToHex } from '@songhua/sdk/protocol/bytes'
import { CodedError, isCodedError } from '@songhua/sdk/protocol/errors'
import { isRecordKey } from '../gateway/backup.js'
import { IDENTITY_KEY, RING_SIZE_KEY, readUint64 } from '../gateway/keys.js'
import { type KeyRingFile, openKeyRing } from '../storage/key-ring-file.js'
import { namesIn } from '../storage/level-inspect.js'
import { checkLevelFiles, openLevelTable } from '../storage/level-table.js'
import type { GatewayFacts } from './doctor-facts.js'
import { faultOf } from './fault.js'
import { GATEWAY_RECORDS, type GatewayFiles, gatewayFiles, refuseUnfinished } from './gateway-files.js'

export interface GatewaySubject {
  readonly gatewayDir: string
  readonly keysDir: string
  readonly isEnabled: boolean
  /** Undefined when the genesis cannot be read. */
  readonly genesisHash: Hash | undefined
  /** Reads every record and every key. */
  readonly isDeep: boolean
}

const SECRET_BYTES = 32
const EVERYTHING = { from: Uint8Array.of(), below: new Uint8Array(64).fill(0xff) }

/** What the folders of a gateway show that does not run; undefined where none has been yet. */
export async function inspectGateway(subject: GatewaySubject): Promise<GatewayFacts | undefined> {
  const { gatewayDir: folder, keysDir, isEnabled } = subject
  const facts = { folder, keysDir, isEnabled, fault: undefined, records: undefined }
  try {
    const files = gatewayFiles(subject)
    await refuseUnfinished(files)
    const there = await lookAt(files)
    if (!there.store && !there.secret && !there.ring) return isEnabled ? facts : undefined
    await checkLevelFiles(files.store, GATEWAY_RECORDS, subject)
    await checkSecret(files, there)
    const ring = there.ring ? await openKeyRing(files.keyRing) : undefined
    try {
      checkBelongTogether(files, there, ring)
      return { ...facts, records: subject.isDeep ? await readAll(files, subject, ring) : undefined }
    } finally {
      await ring?.close()
    }
  } catch (error) {
    return { ...facts, fault: faultOf(error) }
  }
}

interface There {
  readonly store: boolean
  readonly secret: boolean
  readonly ring: boolean
}

async function lookAt({ store, secret, keyRing }: GatewayFiles): Promise<There> {
  return { store: (await namesIn(store)).includes('CURRENT'), secret: await isThere(secret), ring: await isThere(keyRing) }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

async function checkSecret({ secret }: GatewayFiles, there: There): Promise<void> {
  if (!there.secret) {
    fail('GATEWAY_SECRET_MISSING', `${secret} is missing: is the volume of the keys mounted? Otherwise bring it back from its backup`)
  }
  const { length } = await readFile(secret)
  if (length !== SECRET_BYTES) fail('GATEWAY_SECRET_DAMAGED', `${secret} has ${length} bytes, not ${SECRET_BYTES}; bring back the key folder from its backup`)
}

function checkBelongTogether({ store, keyRing }: GatewayFiles, there: There, ring: KeyRingFile | undefined): void {
  if (there.store && ring === undefined) fail('KEY_RING_INCOMPLETE', `${keyRing} is missing, and records are there: put back the key folder that belongs to them`)
  const size = ring?.size ?? 0
  if (!there.store && size > 0) {
    fail('GATEWAY_STORE_MISSING', `${store} holds no records, and the key folder has ${size} keys: bring back the store, or its backup (songhua restore --keep-keys)`)
  }
}

/** @returns how many records there are */
async function readAll(files: GatewayFiles, { genesisHash }: GatewaySubject, ring: KeyRingFile | undefined): Promise<number> {
  if (ring !== undefined) checkSlots(files.keyRing, ring)
  if (!(await lookAt(files)).store) return 0
  const table = await openLevelTable(files.store, GATEWAY_RECORDS)
  try {
    const identity = table.get(IDENTITY_KEY)
    const found = identity && bytesToHex(identity.subarray(0, 32))
    if (found !== undefined && genesisHash !== undefined && found !== genesisHash) {
      fail('GATEWAY_STORE_OTHER_CHAIN', `the gateway's store is of the chain ${found}, not of ${genesisHash}: use another folder`)
    }
    const used = table.get(RING_SIZE_KEY)
    const [needed, size] = [used === undefined ? 0 : readUint64(used, 0), ring?.size ?? 0]
    if (size < needed) fail('KEY_RING_INCOMPLETE', `the key ring has ${size} slots, the store names ${needed}: put back the key folder that belongs to it`)
    let records = 0
    for await (const [key] of table.entries(EVERYTHING)) if (isRecordKey(key)) records++
    return records
  } finally {
    await table.close()
  }
}

function checkSlots(path: string, ring: KeyRingFile): void {
  const damaged: number[] = []
  for (let slot = 0; slot < ring.size; slot++) {
    try {
      ring.get(slot)
    } catch (error) {
      if (!isCodedError(error, 'KEY_RING_DAMAGED')) throw error
      damaged.push(slot)
    }
  }
  if (damaged.length === 0) return
  const slots = `${damaged.slice(0, 10).join(', ')}${damaged.length > 10 ? ' …' : ''}`
  fail('KEY_RING_DAMAGED', `${damaged.length} of ${ring.size} keys in ${path} are damaged (slots ${slots}); restore the key folder from a backup in which they are whole`)
}

function fail(code: string, message: string): never {
  throw new CodedError(code, message)
}
