import { stat } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { type AnchoredRecord, type RecordInput, type RefusedRow, connect, isSonghuaError, keySigner } from '@songhua/sdk'
import { bytesToHex } from '@songhua/sdk/protocol/bytes'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { openKeystore } from './command-keys.js'
import { type CliContext, note, print } from './context.js'
import { digestFile, documentRecord, isSameDocument, recordedDigests } from './document-record.js'
import { readJsonFile, readTextFile, replaceFile, writeNewFile } from './files.js'
import { exampleText, urlFlag } from './flags.js'
import { textToPrivateKey } from './keystore.js'
import { type ChainName, chainAt } from './chain-name.js'
import type { MessageKey } from './messages.js'
import { type ApiKeyFlags, readApiKey, readingNode } from './rpc-flags.js'
import { titledMessage } from './titles/error-text.js'

const TEXTS = {
  anchor: { en: 'anchor documents, and write the evidence beside them', zh: '文件存证上链，并在其旁写入证据' },
  files: { en: 'files: their digests are recorded, never their contents', zh: '文件（仅记录摘要，不记录内容）' },
  gateway: { en: 'gateway to anchor through', zh: '经由的网关地址' },
  apiKeyFile: { en: 'file with the API key of the gateway or node (default: variable SONGHUA_API_KEY)', zh: '网关或节点的 API 密钥文件（默认取环境变量 SONGHUA_API_KEY）' },
  rpc: { en: 'or a node to anchor by, without a gateway', zh: '或不经网关，直接使用的节点地址' },
  keyFile: { en: 'encrypted key of the account that anchors', zh: '上链账户的加密私钥文件' },
  password: { en: 'file whose first line is its password', zh: '口令文件（首行）' },
  devKeyFile: { en: 'plain key, for a devnet', zh: '明文私钥文件（仅限开发网）' },
  issuer: { en: 'URI of who vouches for the documents', zh: '签发方 URI' },
  title: { en: 'what the document is', zh: '文件摘要说明' },
  number: { en: 'number of the document, its public subject', zh: '文书号（公开主体标识）' },
  type: { en: 'kind of document', zh: '文书类别' },
  issuedOn: { en: 'date of issue (default: today)', zh: '签发日期（默认今日）' },
  issuedBy: { en: 'issuing body (default: the issuer)', zh: '签发单位（默认同签发方）' },
  force: { en: 'anchor again and overwrite evidence that exists', zh: '重新上链并覆盖已有证据' },
  door: { en: 'give either --gateway with --api-key-file (or SONGHUA_API_KEY), or --rpc with --key-file or --dev-key-file', zh: '请给出 --gateway 与 --api-key-file（或 SONGHUA_API_KEY），或 --rpc 与 --key-file / --dev-key-file' },
  needIssuer: { en: '--issuer: is needed; a URI such as did:bid:ef… or uscc:91230100MA1B00000X', zh: '--issuer：必须给出，例如 did:bid:ef… 或 uscc:91230100MA1B00000X' },
  needIssuedBy: { en: '--issued-by or --issuer: is needed, to name the issuing body', zh: '--issued-by 或 --issuer：必须给出，以注明签发单位' },
  part: {
    en: '{path}: only a part of its evidence is here ({here}); move it away, or anchor again with --force',
    zh: '{path}：仅存在部分证据（{here}）；请移走，或用 --force 重新上链',
  },
  changed: {
    en: '{path}: has changed since it was anchored; move its evidence away, or anchor again with --force',
    zh: '{path}：存证之后内容已改变；请移走原证据，或用 --force 重新上链',
  },
  otherIssuer: {
    en: '{path}: its evidence is of issuer {actual}, not of {asked}; move its evidence away, or anchor again with --force, which overwrites it',
    zh: '{path}：现有证据的签发方为 {actual}，而非 {asked}；请移走原证据，或用 --force 重新上链（覆盖原证据）',
  },
  otherChain: {
    en: '{path}: its evidence is of chain {actual}, not of {asked}; move its evidence away, or anchor again with --force, which overwrites it',
    zh: '{path}：现有证据属于链 {actual}，而非 {asked}；请移走原证据，或用 --force 重新上链（覆盖原证据）',
  },
  kept: { en: '{path}: is anchored already; its evidence is kept', zh: '{path}：已存证，保留现有证据' },
  done: { en: '{path}: record {id} in block {block}', zh: '{path}：记录 {id}，区块 {block}' },
  check: { en: '  songhua verify {path}.evidence.json --payload {path}.payload.json --salt {path}.salt --document {path} --anchor TRUST-ANCHOR.json', zh: '  songhua verify {path}.evidence.json --payload {path}.payload.json --salt {path}.salt --document {path} --anchor 信任锚.json' },
} as const

/** Long enough for a node to restart. */
const RETRY_MS = 20_000

interface Flags extends ApiKeyFlags {
  gateway?: string
  rpc?: string
  keyFile?: string
  keyPasswordFile?: string
  devKeyFile?: string
  issuer?: string
  title?: string
  number?: string
  type: string
  issuedOn?: string
  issuedBy?: string
  force?: boolean
}

const ENDINGS = ['evidence.json', 'payload.json', 'salt'] as const

function tell({ language }: CliContext, key: keyof typeof TEXTS, values: Record<string, string | number> = {}): string {
  return TEXTS[key][language].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
}

export function addAnchorCommand(program: Command, context: CliContext): void {
  const say = (key: keyof typeof TEXTS): string => tell(context, key)
  program
    .command('anchor')
    .description(say('anchor'))
    .argument('<file...>', say('files'))
    .option('--gateway <url>', say('gateway'), urlFlag(context, '--gateway'))
    .option('--api-key-file <file>', say('apiKeyFile'))
    .option('--rpc <url>', say('rpc'), urlFlag(context, '--rpc'))
    .option('--key-file <file>', say('keyFile'))
    .option('--key-password-file <file>', say('password'))
    .addOption(new Option('--dev-key-file <file>', say('devKeyFile')).conflicts('keyFile'))
    .option('--issuer <uri>', say('issuer'))
    .option('--title <text>', say('title'))
    .option('--number <text>', say('number'))
    .option('--type <text>', say('type'), context.language === 'zh' ? '文书' : 'document')
    .option('--issued-on <date>', say('issuedOn'))
    .option('--issued-by <name>', say('issuedBy'))
    .option('--force', say('force'))
    .action((files: string[], flags: Flags) => readingNode(context, anchorFiles(context, files, flags)))
    .addHelpText('after', exampleText(context, EXAMPLES))
}

const EXAMPLES = [
  [
    'songhua anchor decision.pdf --gateway http://127.0.0.1:8645 --api-key-file key.txt --issuer uscc:11230100MB10000107 --type 行政许可决定书',
    { en: 'writes decision.pdf.evidence.json, .payload.json and .salt', zh: '写入 decision.pdf.evidence.json、.payload.json 与 .salt' },
  ],
] as const

async function anchorFiles(context: CliContext, files: readonly string[], flags: Flags): Promise<void> {
  const due = await filesDue(context, files, flags)
  if (due.length === 0) return
  const songhua = await openDoor(context, flags)
  let at = 0
  try {
    for await (const record of songhua.records.anchorMany(documentsOf(context, due, flags))) {
      const path = due[at++]!
      await keep(context, { path, record, isForced: flags.force === true })
      print(context, tell(context, 'done', { path, id: record.id, block: record.evidence.anchor.blockNumber }))
      print(context, tell(context, 'check', { path }))
    }
  } catch (error) {
    throw isSonghuaError(error, 'SUBMISSION_REFUSED') ? refusal(context, error.rows, due) : explainUnreachable(context, error)
  }
}

/** The gateway's address and the cause, in the user's language. */
function explainUnreachable(context: CliContext, error: unknown): unknown {
  if (!isSonghuaError(error, 'GATEWAY_UNREACHABLE') || typeof error.details.url !== 'string') return error
  const values = { url: error.details.url, reason: String(error.details.reason) }
  return new CodedError(error.code, context.t('rpcUnreachable', values), { details: error.details, cause: error })
}

/** Every failing field of every document, in the user's language. */
function refusal({ language }: CliContext, rows: readonly RefusedRow[], files: readonly string[]): CodedError {
  const lines = rows.flatMap(({ row, code, message, violations = [] }) => {
    const reasons = violations.map((violation) => `${violation.path}: ${violation[language]}`)
    return (reasons.length === 0 ? [`${code} ${titledMessage(language, code, message)}`] : reasons).map((reason) => `${files[row - 1] ?? row}: ${reason}`)
  })
  return new CodedError('RECORD_INVALID', lines.join('\n'))
}

/** Those without evidence. One with a part of it was cut short, and is left to its owner. */
async function filesDue(context: CliContext, files: readonly string[], flags: Flags): Promise<string[]> {
  if (flags.force) return [...files]
  const due: string[] = []
  const chain = once(() => askedChain(context, flags))
  for (const path of new Set(files)) {
    const here: string[] = []
    for (const ending of ENDINGS) {
      if (await isThere(`${path}.${ending}`)) here.push(`${path}.${ending}`)
    }
    if (here.length === 0) due.push(path)
    else if (here.length === ENDINGS.length) {
      await checkUnchanged(context, path)
      await checkSameRecord(context, path, { issuer: flags.issuer, chain: await chain() })
      note(context, tell(context, 'kept', { path }))
    }
    else throw new CodedError('CLI_FILE_EXISTS', tell(context, 'part', { path, here: here.join(', ') }))
  }
  return due
}

/** @throws CLI_FILE_EXISTS when the document is not the one that its evidence is of */
async function checkUnchanged(context: CliContext, path: string): Promise<void> {
  const recorded = recordedDigests(await readTextFile(context, 'payloadFile', `${path}.payload.json`))
  if (recorded !== undefined && isSameDocument(recorded, await digestFile(context, path))) return
  throw new CodedError('CLI_FILE_EXISTS', tell(context, 'changed', { path }))
}

/** Evidence of another issuer or chain is no evidence of what was asked for; what is not known is not compared. @throws CLI_FILE_EXISTS */
async function checkSameRecord(context: CliContext, path: string, { issuer, chain }: { issuer: string | undefined; chain: ChainName | undefined }): Promise<void> {
  const kept = await keptRecord(context, `${path}.evidence.json`)
  const refuse = (key: keyof typeof TEXTS, actual: string, asked: string): never => {
    throw new CodedError('CLI_FILE_EXISTS', tell(context, key, { path, actual, asked }))
  }
  if (issuer !== undefined && kept.issuer !== issuer) refuse('otherIssuer', kept.issuer, issuer)
  if (chain !== undefined && kept.chain !== nameOfChain(chain)) refuse('otherChain', kept.chain, nameOfChain(chain))
}

const nameOfChain = ({ chainId, genesisHash }: ChainName): string => `${chainId}, ${genesisHash}`

/** What evidence says of itself, as far as it can be read. */
async function keptRecord(context: CliContext, path: string): Promise<{ issuer: string; chain: string }> {
  const { envelope, chain } = ((await readJsonFile(context, 'evidenceFile', path)) ?? {}) as { envelope?: { issuer?: unknown }; chain?: ChainName }
  return { issuer: typeof envelope?.issuer === 'string' ? envelope.issuer : '–', chain: chain === undefined ? '–' : nameOfChain(chain) }
}

function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined
  return () => (asked ??= ask())
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

/** Undefined when it is not known: without a door, or when nobody answers who may tell. */
async function askedChain(context: CliContext, flags: Flags): Promise<ChainName | undefined> {
  const to = flags.gateway ?? flags.rpc
  if (to === undefined) return undefined
  const apiKey = await readApiKey(context, flags, to)
  return chainAt(context, { gateway: flags.gateway, rpc: to, apiKey })
}

async function openDoor(context: CliContext, flags: Flags): ReturnType<typeof connectDoor> {
  const { gateway, rpc, issuer } = flags
  if ((issuer ?? flags.issuedBy) === undefined) throw new CodedError('CLI_USAGE', tell(context, 'needIssuedBy'))
  const to = gateway ?? rpc
  if (to === undefined || (gateway !== undefined && rpc !== undefined)) throw new CodedError('CLI_USAGE', tell(context, 'door'))
  const apiKey = await readApiKey(context, flags, to)
  const isGateway = gateway !== undefined && apiKey !== undefined && rpc === undefined
  const isChain = rpc !== undefined && gateway === undefined && (flags.keyFile ?? flags.devKeyFile) !== undefined
  if (isGateway) return connectDoor({ gateway, apiKey })
  if (!isChain) throw new CodedError('CLI_USAGE', tell(context, 'door'))
  if (issuer === undefined) throw new CodedError('CLI_USAGE', tell(context, 'needIssuer'))
  return connectDoor({ rpc, issuer, signer: keySigner(await readKey(context, flags)), ...(apiKey !== undefined && { apiKey }) })
}

type DoorOptions = { gateway: string; apiKey: string } | { rpc: string; apiKey?: string; issuer: string; signer: ReturnType<typeof keySigner> }

/** Of both kinds of connection only what is used here. */
async function connectDoor(options: DoorOptions): Promise<{
  records: { anchorMany(source: AsyncIterable<RecordInput<'government.document'>>): AsyncIterable<AnchoredRecord> }
}> {
  const retry = { timeoutMs: RETRY_MS }
  return 'gateway' in options ? connect({ ...options, retry }) : connect({ ...options, retry })
}

async function readKey(context: CliContext, { keyFile, keyPasswordFile, devKeyFile }: Flags): Promise<Uint8Array> {
  if (devKeyFile === undefined) return openKeystore(context, keyFile ?? '', keyPasswordFile)
  return textToPrivateKey(context, await readTextFile(context, 'keyFile', devKeyFile), devKeyFile)
}

async function* documentsOf(
  context: CliContext,
  files: readonly string[],
  flags: Flags,
): AsyncGenerator<RecordInput<'government.document'>> {
  const issuedOn = flags.issuedOn ?? new Date().toISOString().slice(0, 10)
  const issuedBy = flags.issuedBy ?? flags.issuer ?? ''
  for (const path of files) yield await documentRecord(context, path, { ...flags, issuedOn, issuedBy })
}

/** The evidence last: where it is, the others are. */
async function keep(
  context: CliContext,
  { path, record, isForced }: { path: string; record: AnchoredRecord; isForced: boolean },
): Promise<void> {
  const { payload, salt, evidence } = record
  const files: [MessageKey, string, string | undefined][] = [
    ['payloadFile', 'payload.json', payload && Buffer.from(payload).toString('utf8')],
    ['saltFile', 'salt', salt && `${bytesToHex(salt).slice(2)}\n`],
    ['evidenceFile', 'evidence.json', JSON.stringify(evidence)],
  ]
  for (const [what, ending, text] of files) {
    if (text === undefined) continue
    const file = `${path}.${ending}`
    if (isForced) await replaceFile(file, text, 0o600)
    else await writeNewFile(context, { what, path: file, text, mode: 0o600 })
  }
}
