import type { OrganisationEntry } from '@songhua/sdk/governance/motions'
import {
  type NodeApplication, nodeApplicationSigner, organisationApplicationSigner, signNodeApplication, signOrganisationApplication,
} from '@songhua/sdk/governance/signatures'
import { type Address, type Hash, type Hex, bytesToHex, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { canonicalBytes } from '@songhua/sdk/protocol/canonical-json'
import { publicKeyToAddress, sha256 } from '@songhua/sdk/protocol/crypto'
import { CodedError } from '@songhua/sdk/protocol/errors'
import type { CliContext } from '../context.js'
import { readJsonFile } from '../files.js'
import {
  ACCOUNT, CITY, type FieldType, FieldProblem, HASH, INDUSTRY, NODE_KIND, PUBLIC_KEY, SIGNATURE, USCC, choice, integer, quotaToText,
} from './field-types.js'
import { type FieldSource, type FieldsOf, badFields, fileSource, readForm } from './fields.js'
import { ENTRY_FIELDS } from './motion-fields.js'
import { createTeller } from './texts.js'

/** A document that goes with an application; it stays off the chain. */
export interface DocumentEntry {
  readonly name: string
  /** 64 hexadecimal digits. */
  readonly sha256: string
}

interface Common {
  readonly chainId: number
  readonly documents: readonly DocumentEntry[]
  /** SHA-256 of the RFC 8785 form of `documents`. */
  readonly documentsHash: Hash
}

export interface OrganisationFile extends Common {
  readonly type: 'organisation'
  readonly entry: OrganisationEntry
  /** The administrator's; absent when its key was not at hand. */
  readonly signature?: Hex
}

/** A node's application but for the documents. */
export type NodeFacts = Omit<NodeApplication, 'documentsHash'>

export interface NodeFile extends Common {
  readonly type: 'node'
  readonly node: NodeFacts
  /** The account that sends it: the node's key has signed for this one alone. */
  readonly applicant: Address
  readonly signature: Hex
}

export type Application = OrganisationFile | NodeFile

export const APPLICATION_VERSION = 'songhua.application/1'
export const CHAIN_ID = integer(1, Number.MAX_SAFE_INTEGER)

const TEXTS = {
  bodyMissing: { en: 'is missing; super and backbone nodes have three responsible bodies: --government, --telecom and --operator', zh: '缺失；超级与骨干节点须有三类责任主体：政府、电信、运营' },
  otherHash: { en: 'documentsHash is not that of the list of documents', zh: 'documentsHash 与文件清单不符' },
  otherSigner: { en: 'the signature is not by {signer} over what the file says', zh: '签名不是 {signer} 对文件内容所签' },
  notSound: { en: '{file}: {reasons}. Ask the applicant for the file as it was made, and check it: songhua apply check {file}', zh: '{file}：{reasons}。请向申请人索取原始文件并校验：songhua apply check {file}' },
  otherChain: { en: 'the application is for chain {expected}; the node asked is of chain {actual}', zh: '申请所属链为 {expected}，而所连节点属于链 {actual}' },
} as const
const tell = createTeller(TEXTS)

const OBJECT: FieldType<Readonly<Record<string, unknown>>> = {
  shape: 'text',
  placeholder: '',
  parse: (value) => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
    throw new FieldProblem({ en: 'must be an object', zh: '应为对象' })
  },
}

const DOCUMENTS: FieldType<DocumentEntry[]> = {
  shape: 'text',
  placeholder: '',
  parse: (value) => {
    const isList = Array.isArray(value) && value.every((one: unknown): one is DocumentEntry =>
      typeof one === 'object' && one !== null && Object.keys(one).sort().join() === 'name,sha256'
      && 'name' in one && typeof one.name === 'string' && one.name !== ''
      && 'sha256' in one && typeof one.sha256 === 'string' && /^[0-9a-f]{64}$/.test(one.sha256))
    if (isList) return value
    throw new FieldProblem({ en: 'must be a list of {"name", "sha256"}, the digest in 64 hexadecimal digits', zh: '应为 {"name", "sha256"} 的列表，摘要为 64 位十六进制数' })
  },
}

export const NODE_FIELDS: FieldsOf<NodeFacts> = {
  publicKey: { type: PUBLIC_KEY },
  kind: { type: NODE_KIND },
  city: { type: CITY },
  industry: { type: INDUSTRY, isOptional: true },
  government: { type: USCC, isOptional: true },
  telecom: { type: USCC, isOptional: true },
  operator: { type: USCC },
  endpointsHash: { type: HASH, isOptional: true },
}

/** In a file nothing is left to defaults: what is signed stands there. */
const WHOLE_ENTRY_FIELDS: FieldsOf<OrganisationEntry> = {
  ...ENTRY_FIELDS, roles: { type: ENTRY_FIELDS.roles.type }, gasPerDay: { type: ENTRY_FIELDS.gasPerDay.type },
  bytesPerDay: { type: ENTRY_FIELDS.bytesPerDay.type },
}

const COMMON_FIELDS = {
  version: { type: choice([APPLICATION_VERSION], '') },
  chainId: { type: CHAIN_ID },
  documents: { type: DOCUMENTS },
  documentsHash: { type: HASH },
} as const
const ORGANISATION_FILE_FIELDS = {
  ...COMMON_FIELDS, type: { type: choice(['organisation'], '') }, organisation: { type: OBJECT }, signature: { type: SIGNATURE, isOptional: true },
} as const
const NODE_FILE_FIELDS = {
  ...COMMON_FIELDS, type: { type: choice(['node'], '') }, node: { type: OBJECT }, applicant: { type: ACCOUNT }, signature: { type: SIGNATURE },
} as const

export const hashDocuments = (documents: readonly DocumentEntry[]): Hash =>
  bytesToHex(sha256(canonicalBytes(documents.map(({ name, sha256: digest }) => ({ name, sha256: digest })))))

/** The facts of a node, from where they were written; super and backbone nodes name all three bodies. */
export function readNodeFacts(context: CliContext, sources: readonly [FieldSource, ...FieldSource[]]): NodeFacts {
  const node = readForm<NodeFacts>(context, NODE_FIELDS, sources)
  if (node.kind === 'service') return node
  const missing = (['government', 'telecom'] as const).filter((body) => node[body] === undefined)
  if (missing.length > 0) throw badFields(context, missing.map((body) => [sources[0].pathOf(body), TEXTS.bodyMissing]))
  return node
}

/** @throws CLI_FILE, CLI_JSON, CLI_FIELD naming file and fields */
export async function readApplication(context: CliContext, file: string): Promise<Application> {
  const json = await readJsonFile(context, 'applicationFile', file)
  const source = fileSource(context, { json, file })
  return source.values.type === 'node' ? readNodeFile(context, source, file) : readOrganisationFile(context, source, file)
}

function readOrganisationFile(context: CliContext, source: FieldSource, file: string): OrganisationFile {
  const { organisation, chainId, documents, documentsHash, signature } = readForm<{
    version: string; type: 'organisation'; chainId: number; organisation: Readonly<Record<string, unknown>>
    documents: DocumentEntry[]; documentsHash: Hash; signature?: Hex
  }>(context, ORGANISATION_FILE_FIELDS, [source])
  const entry = readForm(context, WHOLE_ENTRY_FIELDS, [fileSource(context, { json: organisation, file, path: 'organisation' })])
  return { type: 'organisation', chainId, entry, documents, documentsHash, ...(signature === undefined ? {} : { signature }) }
}

function readNodeFile(context: CliContext, source: FieldSource, file: string): NodeFile {
  const { node, chainId, documents, documentsHash, applicant, signature } = readForm<{
    version: string; type: 'node'; chainId: number; node: Readonly<Record<string, unknown>>; applicant: Address
    documents: DocumentEntry[]; documentsHash: Hash; signature: Hex
  }>(context, NODE_FILE_FIELDS, [source])
  const facts = readNodeFacts(context, [fileSource(context, { json: node, file, path: 'node' })])
  return { type: 'node', chainId, node: facts, applicant, documents, documentsHash, signature }
}

/** @returns the text of the file */
export function applicationToText(application: Application): string {
  const { type, chainId, documents, documentsHash, signature } = application
  const said =
    type === 'organisation'
      ? { organisation: { ...application.entry, gasPerDay: quotaToText(application.entry.gasPerDay), bytesPerDay: quotaToText(application.entry.bytesPerDay) } }
      : { node: application.node, applicant: application.applicant }
  return `${JSON.stringify({ version: APPLICATION_VERSION, type, chainId, ...said, documents, documentsHash, signature }, undefined, 2)}\n`
}

export type UnsignedNodeFile = Omit<NodeFile, 'signature'>

export const signedApplicationOf = ({ node, documentsHash }: Pick<NodeFile, 'node' | 'documentsHash'>): NodeApplication => ({ ...node, documentsHash })

export function signNodeFile(file: UnsignedNodeFile, nodeKey: Uint8Array): NodeFile {
  const { applicant, chainId } = file
  return { ...file, signature: signNodeApplication(signedApplicationOf(file), { nodeKey, applicant, chainId }) }
}

export function signOrganisationFile(file: OrganisationFile, administratorKey: Uint8Array): OrganisationFile {
  return { ...file, signature: signOrganisationApplication(file, administratorKey, file.chainId) }
}

/** By whose key an application is to be signed. */
export const signerDue = (application: Application): Address =>
  application.type === 'node' ? publicKeyToAddress(hexToBytes(application.node.publicKey)) : (application.entry.administrator as Address)

/** @returns undefined for an organisation's application that nobody has signed */
export function isSignatureRight(application: Application): boolean | undefined {
  const { chainId, signature } = application
  if (signature === undefined) return undefined
  const signer =
    application.type === 'node'
      ? nodeApplicationSigner(signedApplicationOf(application), { applicant: application.applicant, chainId }, signature)
      : organisationApplicationSigner(application, chainId, signature)
  return signer === signerDue(application)
}

/** @throws APPLICATION_INVALID for a file that does not hold together */
export function needSoundApplication(context: CliContext, application: Application, file: string): void {
  const reasons = [
    ...(hashDocuments(application.documents) === application.documentsHash ? [] : [tell(context, 'otherHash')]),
    ...(isSignatureRight(application) === false ? [tell(context, 'otherSigner', { signer: signerDue(application) })] : []),
  ]
  if (reasons.length > 0) throw new CodedError('APPLICATION_INVALID', tell(context, 'notSound', { file, reasons: reasons.join('; ') }))
}

/** @throws APPLICATION_INVALID for an application to another chain */
export function checkChain(context: CliContext, { chainId }: Application, actual: number): void {
  if (chainId === actual) return
  throw new CodedError('APPLICATION_INVALID', tell(context, 'otherChain', { expected: chainId, actual }))
}
