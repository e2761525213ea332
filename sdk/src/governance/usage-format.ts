// The form `songhua.usage-statement/1`: what stands in a statement, what of it is signed, and how it is read from outside.
import { type Address, type Hash, type Hex, bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '../protocol/bytes.js'
import { canonicalJson } from '../protocol/canonical-json.js'
import { keccak256, publicKeyToAddress, recoverAddress, signDigest } from '../protocol/crypto.js'
import { RECORD_FAMILY_NAMES } from '../protocol/evidence-envelope.js'
import { failField, readAddressField, readHashField, readHexBytes, readInteger, readShape } from '../protocol/json-fields.js'
import { isUscc } from '../protocol/uscc.js'
import { SonghuaError } from '../connection/songhua-error.js'
import type { BlockMark } from './blocks.js'
import { NODE_KINDS, type NodeKind } from './codes.js'
import type { UsageFigures, UsageShare } from './usage-figures.js'

export const USAGE_STATEMENT_VERSION = 'songhua.usage-statement/1'

/** An organisation by its code and its registered names. */
export interface NamedOrganisation {
  readonly uscc: string
  readonly nameZh: string
  readonly nameEn: string
}

/** The node that vouches for a statement, as the register had it after the block `asOf`. */
export interface UsageSigner {
  readonly asOf: Omit<BlockMark, 'timestamp'>
  readonly address: Address
  readonly publicKey: Hex
  readonly kind: NodeKind
  /** GB/T 2260. */
  readonly city: string
  readonly acCode?: string
  readonly government?: NamedOrganisation
  readonly telecom?: NamedOrganisation
  readonly operator?: NamedOrganisation
}

/** What was used in one month of Beijing time, by whom and of what. */
export interface UsageStatement {
  readonly version: typeof USAGE_STATEMENT_VERSION
  readonly chain: { readonly chainId: number; readonly genesisHash: Hash }
  /** `2026-11`; it begins at midnight in Beijing (UTC+8). A block belongs to the month of its time. */
  readonly month: string
  /** Every block of the month that there is; all of them, when it is over. */
  readonly blocks: { readonly first: BlockMark; readonly last: BlockMark; readonly isMonthOver: boolean }
  /** Of this organisation only, when it is there. */
  readonly organisation?: string
  readonly total: UsageFigures
  readonly applications: UsageShare['applications']
  readonly creations: UsageFigures
  /** By credit code; those that sent something. */
  readonly organisations: readonly (NamedOrganisation & UsageShare)[]
  /** Accounts that were bound to no organisation; absent in a statement of one organisation. */
  readonly newcomers?: UsageShare
  readonly signer?: UsageSigner
  /** r ‖ s ‖ v (0 or 1), by the signer's node key. */
  readonly signature?: Hex
}

const DOMAIN = utf8ToBytes('Songhua usage statement v1\n')
const MONTH = /^(20[0-9]{2}|2[1-9][0-9]{2})-(0[1-9]|1[0-2])$/
const BEIJING_OFFSET_S = 28_800
const SAFE = { min: 0, max: Number.MAX_SAFE_INTEGER }
const COUNTS = ['transactions', 'failed', 'gas', 'bytes'] as const

/** Seconds since 1970: the first of the month, and the first of the next. @throws SonghuaError `OPTION_INVALID` */
export function monthBounds(month: string): { start: number; end: number } {
  const [, year, number] = MONTH.exec(month) ?? []
  if (year === undefined) throw new SonghuaError('OPTION_INVALID', `month is ${month}; it must be a year and a month, as 2026-11`, { field: 'month' })
  const first = (at: number): number => Date.UTC(Number(year), at, 1) / 1000 - BEIJING_OFFSET_S
  return { start: first(Number(number) - 1), end: first(Number(number)) }
}

/** RFC 8785: whoever reads the same blocks gets the same bytes. */
export const usageStatementText = (statement: UsageStatement): string => canonicalJson(statement)

/** Without the one who vouches for it: what anybody can reckon. */
export function unsigned(statement: UsageStatement): UsageStatement {
  const { signer: _signer, signature: _signature, ...rest } = statement
  return rest
}

/** keccak256 of the domain, the chain's genesis hash and keccak256 of the canonical statement without its signature. */
export function usageStatementDigest({ signature: _signature, ...statement }: UsageStatement): Uint8Array {
  const digest = keccak256(utf8ToBytes(canonicalJson(statement)))
  return keccak256(concatBytes(DOMAIN, hexToBytes(statement.chain.genesisHash), digest))
}

/** @param nodeKey of `signer`, 32 bytes */
export function signUsageStatement(statement: UsageStatement, signer: UsageSigner, nodeKey: Uint8Array): UsageStatement {
  const due = { ...unsigned(statement), signer }
  return { ...due, signature: bytesToHex(signDigest(usageStatementDigest(due), nodeKey)) }
}

/** Whether the signer's key, which has the signer's address, made the signature. @throws CodedError `SIGNATURE_…`, `PUBLIC_KEY_INVALID` */
export function isSignedBySigner(statement: UsageStatement): boolean {
  const { signer, signature } = statement
  if (signer === undefined || signature === undefined) return false
  if (publicKeyToAddress(hexToBytes(signer.publicKey)) !== signer.address) return false
  return recoverAddress(usageStatementDigest(statement), hexToBytes(signature)) === signer.address
}

// ------------------------------------------------------------------------------------------------ reading

/** @throws CodedError `JSON_…` naming the field */
export function parseUsageStatement(source: unknown): UsageStatement {
  const json = readShape(source, 'statement', {
    required: ['version', 'chain', 'month', 'blocks', 'total', 'applications', 'creations', 'organisations'],
    optional: ['organisation', 'newcomers', 'signer', 'signature'],
  })
  if (json.version !== USAGE_STATEMENT_VERSION) failField('JSON_RANGE', 'version', `must be "${USAGE_STATEMENT_VERSION}"`)
  const chain = readShape(json.chain, 'chain', { required: ['chainId', 'genesisHash'] })
  const blocks = readShape(json.blocks, 'blocks', { required: ['first', 'last', 'isMonthOver'] })
  return {
    version: USAGE_STATEMENT_VERSION,
    chain: { chainId: readInteger(chain.chainId, 'chain.chainId', SAFE), genesisHash: readHashField(chain.genesisHash, 'chain.genesisHash') },
    month: readMatching(json.month, 'month', MONTH),
    blocks: { first: readMark(blocks.first, 'blocks.first'), last: readMark(blocks.last, 'blocks.last'), isMonthOver: blocks.isMonthOver === true },
    ...optional('organisation', json.organisation, readUscc),
    total: readFigures(json.total, 'total'),
    applications: readApplications(json.applications, 'applications'),
    creations: readFigures(json.creations, 'creations'),
    organisations: readList(json.organisations, 'organisations', (value, path) => {
      const entry = readShape(value, path, { required: [...NAMES, ...SHARE] })
      return { ...readNames(entry, path), ...readShare(entry, path) }
    }),
    ...optional('newcomers', json.newcomers, (value, path) => readShare(readShape(value, path, { required: SHARE }), path)),
    ...optional('signer', json.signer, readSigner),
    ...optional('signature', json.signature, (value, path) => bytesToHex(readHexBytes(value, path, 65))),
  }
}

const NAMES = ['uscc', 'nameZh', 'nameEn']
const SHARE = ['total', 'accounts', 'applications', 'creations']

function optional<K extends string, T>(key: K, value: unknown, read: (value: unknown, path: string) => T): Partial<Record<K, T>> {
  return value === undefined ? {} : ({ [key]: read(value, key) } as Record<K, T>)
}

function readList<T>(value: unknown, path: string, read: (value: unknown, path: string) => T): T[] {
  if (!Array.isArray(value)) return failField('JSON_TYPE', path, 'must be a list')
  return value.map((item: unknown, at) => read(item, `${path}[${at}]`))
}

function readMatching(value: unknown, path: string, form: RegExp): string {
  return typeof value === 'string' && form.test(value) ? value : failField('JSON_TYPE', path, `must match ${form.source}`)
}

const readText = (value: unknown, path: string): string => readMatching(value, path, /^.{1,100}$/su)

function readUscc(value: unknown, path: string): string {
  return typeof value === 'string' && isUscc(value) ? value : failField('JSON_TYPE', path, 'must be a unified social credit code')
}

function readMark(value: unknown, path: string): BlockMark {
  const json = readShape(value, path, { required: ['number', 'hash', 'timestamp'] })
  return { ...readBlock(json, path), timestamp: readInteger(json.timestamp, `${path}.timestamp`, SAFE) }
}

const readBlock = (json: Record<string, unknown>, path: string): Omit<BlockMark, 'timestamp'> => ({
  number: readInteger(json.number, `${path}.number`, SAFE), hash: readHashField(json.hash, `${path}.hash`),
})

function readFigures(value: unknown, path: string, beside: readonly string[] = []): UsageFigures {
  const json = readShape(value, path, { required: [...COUNTS, 'records', ...beside] })
  const records = readShape(json.records, `${path}.records`, { required: RECORD_FAMILY_NAMES })
  const counts = COUNTS.map((name) => [name, readInteger(json[name], `${path}.${name}`, SAFE)] as const)
  const families = RECORD_FAMILY_NAMES.map((name) => [name, readInteger(records[name], `${path}.records.${name}`, SAFE)] as const)
  return { ...Object.fromEntries(counts), records: Object.fromEntries(families) } as unknown as UsageFigures
}

const readApplications = (value: unknown, path: string): UsageShare['applications'] =>
  readList(value, path, (item, at) => ({ to: readAddressField((item as Record<string, unknown> | null)?.to, `${at}.to`), ...readFigures(item, at, ['to']) }))

function readShare(json: Record<string, unknown>, path: string): UsageShare {
  return {
    total: readFigures(json.total, `${path}.total`),
    accounts: readList(json.accounts, `${path}.accounts`, (item, at) => ({
      account: readAddressField((item as Record<string, unknown> | null)?.account, `${at}.account`), ...readFigures(item, at, ['account']),
    })),
    applications: readApplications(json.applications, `${path}.applications`),
    creations: readFigures(json.creations, `${path}.creations`),
  }
}

const readNames = (json: Record<string, unknown>, path: string): NamedOrganisation => ({
  uscc: readUscc(json.uscc, `${path}.uscc`), nameZh: readText(json.nameZh, `${path}.nameZh`), nameEn: readText(json.nameEn, `${path}.nameEn`),
})

function readSigner(value: unknown, path: string): UsageSigner {
  const json = readShape(value, path, {
    required: ['asOf', 'address', 'publicKey', 'kind', 'city'], optional: ['acCode', 'government', 'telecom', 'operator'],
  })
  const body = (key: 'government' | 'telecom' | 'operator') =>
    optional(key, json[key], (item) => readNames(readShape(item, `${path}.${key}`, { required: NAMES }), `${path}.${key}`))
  const kind = NODE_KINDS.find((name) => name === json.kind)
  return {
    asOf: readBlock(readShape(json.asOf, `${path}.asOf`, { required: ['number', 'hash'] }), `${path}.asOf`),
    address: readAddressField(json.address, `${path}.address`),
    publicKey: bytesToHex(readHexBytes(json.publicKey, `${path}.publicKey`, 33)),
    kind: kind ?? failField('JSON_TYPE', `${path}.kind`, `must be one of ${NODE_KINDS.join(', ')}`),
    city: readMatching(json.city, `${path}.city`, /^[0-9]{6}$/),
    ...optional('acCode', json.acCode, (item) => readMatching(item, `${path}.acCode`, /^[a-z0-9]{4}$/)),
    ...body('government'), ...body('telecom'), ...body('operator'),
  }
}
