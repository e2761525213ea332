import { type Hash, bytesToHex } from '@songhua/sdk/protocol/bytes'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { type ArchiveErrorCode, type ArchiveSource, archiveFrames } from './archive.js'
import { isRecordKey, rowsOfFrame, slotsOfFrame } from './backup.js'
import { IDENTITY_KEY, RING_SIZE_KEY, readUint64 } from './keys.js'
import { createTags, isSameTag } from './tags.js'

export interface BackupSources {
  readonly state: ArchiveSource
  readonly keys: ArchiveSource
}

/** What a state says of itself. Read to its checksum. */
export interface StateRead {
  readonly genesisHash: Hash
  /** Of the secret that belongs to it. */
  readonly mark: Uint8Array
  readonly records: number
  /** Slots of the key ring that its records may name. */
  readonly slotsNeeded: number
}

export interface KeysRead {
  readonly secret: Uint8Array
  readonly slots: number
  /** Of these, those that could not be read when they were backed up. */
  readonly lost: number
}

export type PairErrorCode = 'RESTORE_OTHER_KEYS' | 'RESTORE_KEYS_OLDER'

/**
 * Both files are whole, and of one gateway. They may be of different days, when the keys are the newer ones.
 * @throws CodedError with a `PairErrorCode` or `ArchiveErrorCode`
 */
export async function checkBackup({ state, keys }: BackupSources): Promise<StateRead & KeysRead> {
  const keysRead = await readKeys(keys)
  const stateRead = await readState(state)
  checkPair(stateRead, keysRead)
  return { ...stateRead, ...keysRead }
}

/** @throws CodedError with a `PairErrorCode` */
export function checkPair(
  { mark, slotsNeeded }: Pick<StateRead, 'mark' | 'slotsNeeded'>,
  { secret, slots }: Pick<KeysRead, 'secret' | 'slots'>,
): void {
  if (!isSameTag(mark, createTags(secret).mark)) {
    fail(
      'RESTORE_OTHER_KEYS',
      'state and keys are of different gateways; name the keys that were saved with this state',
    )
  }
  if (slots < slotsNeeded) {
    fail(
      'RESTORE_KEYS_OLDER',
      `the keys have ${slots} slots, the state names ${slotsNeeded}: use keys that were saved after the state`,
    )
  }
}

/** @throws CodedError with an `ArchiveErrorCode` */
export async function readState(source: ArchiveSource): Promise<StateRead> {
  let identity: Uint8Array | undefined
  let [slotsNeeded, records] = [0, 0]
  for await (const frame of archiveFrames('state', source)) {
    for (const [key, value] of rowsOfFrame(frame)) {
      if (isRecordKey(key)) records++
      else if (isKey(key, IDENTITY_KEY)) identity = new Uint8Array(value)
      else if (isKey(key, RING_SIZE_KEY)) slotsNeeded = readUint64(value, 0)
    }
  }
  if (identity === undefined) fail('BACKUP_DAMAGED', 'the state backup does not say whose it is; take another one')
  return { genesisHash: bytesToHex(identity.subarray(0, 32)), mark: identity.subarray(32), records, slotsNeeded }
}

async function readKeys(source: ArchiveSource): Promise<KeysRead> {
  let secret: Uint8Array | undefined
  let [slots, lost] = [0, 0]
  for await (const frame of archiveFrames('keys', source)) {
    if (secret === undefined) {
      secret = new Uint8Array(frame)
      continue
    }
    const contents = slotsOfFrame(frame)
    slots += contents.length
    lost += contents.filter((content) => content === 'lost').length
  }
  return { secret: secret ?? new Uint8Array(0), slots, lost }
}

export function isKey(key: Uint8Array, other: Uint8Array): boolean {
  return key.length === other.length && key.every((byte, at) => byte === other[at])
}

function fail(code: PairErrorCode | ArchiveErrorCode, message: string): never {
  throw new CodedError(code, message)
}
