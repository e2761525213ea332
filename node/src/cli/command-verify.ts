import type { Command } from 'commander'
import { hexToBytes, isHex } from '@songhua/sdk/protocol/bytes'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { type EvidenceInput, createEvidenceVerifier } from '@songhua/sdk/protocol/evidence'
import { type EvidenceVerdict, decisiveStep } from '@songhua/sdk/protocol/evidence-verdict'
import { type CliContext, print } from './context.js'
import { digestFile, isSameDocument, recordedDigests } from './document-record.js'
import { readBytesFile, readTextFile } from './files.js'
import { exampleText } from './flags.js'
import { type FoundTrustAnchor, findTrustAnchor } from './trust-anchor-source.js'
import { type DocumentCheck, formatVerdict } from './verdict-text.js'
import { visible } from './visible.js'

const TEXTS = {
  verify: { en: 'verify evidence offline, and say what it proves', zh: '离线核验证据并说明其证明内容' },
  files: { en: 'evidence files; - for standard input', zh: '证据文件；- 表示标准输入' },
  payload: { en: 'the record as it was anchored, byte for byte', zh: '上链时的原文（逐字节一致）' },
  salt: { en: '64 hexadecimal digits, or a file that holds them', zh: '64 位十六进制盐值，或存有盐值的文件' },
  anchor: { en: 'trust anchor: songhua anchor-file makes one', zh: '信任锚文件（由 songhua anchor-file 导出）' },
  data: { en: 'data folder whose genesis is trusted instead (default: the current one)', zh: '改以数据目录的创世文件为信任锚（默认当前目录）' },
  json: { en: 'print each verdict as a line of JSON', zh: '每份证据输出一行 JSON' },
  pair: { en: '--payload and --salt go together', zh: '--payload 与 --salt 须同时给出' },
  document: { en: 'the document itself, to hold against the digests of the record', zh: '文件本身，与记录中的摘要比对' },
  documentPair: { en: '--document goes with --payload and --salt, which hold its digests', zh: '--document 须与 --payload、--salt 同用（其中载有摘要）' },
  documentBad: { en: '{path} is not the document whose digests were recorded', zh: '{path} 与记录的摘要不符' },
  documentHint: {
    en: '– document: the record holds digests of a document, which was not given; check it with --document FILE',
    zh: '– 文件：记录载有文件摘要，但未提供文件本身；请用 --document 文件 比对',
  },
  one: { en: '--payload belongs to one record: name one FILE', zh: '--payload 仅对应一条记录：请只给一个文件' },
  badSalt: { en: '--salt: must be 64 hexadecimal digits, or a file that holds them', zh: '--salt：应为 64 位十六进制数，或存有该数的文件' },
  fromFile: { en: 'Trust anchor: {path}', zh: '信任锚：{path}' },
  fromFolder: { en: 'Trust anchor: the genesis {path}, without checkpoints', zh: '信任锚：创世文件 {path}（无检查点）' },
  summary: { en: '{good} of {all} are valid', zh: '{all} 份中 {good} 份有效' },
} as const

const tell = ({ language }: CliContext, key: keyof typeof TEXTS, path = ''): string => TEXTS[key][language].replace('{path}', visible(path))

const STDIN_BYTES_MAX = 32 * 1024 * 1024

interface Flags {
  payload?: string
  salt?: string
  document?: string
  anchor?: string
  data?: string
  json?: boolean
}

export function addVerifyCommand(program: Command, context: CliContext): void {
  const say = (key: keyof typeof TEXTS): string => TEXTS[key][context.language]
  program
    .command('verify')
    .description(say('verify'))
    .argument('<file...>', say('files'))
    .option('--payload <file>', say('payload'))
    .option('--salt <hex or file>', say('salt'))
    .option('--document <file>', say('document'))
    .option('--anchor <file>', say('anchor'))
    .option('--data <folder>', say('data'))
    .option('--json', say('json'))
    .action((files: string[], flags: Flags) => verifyFiles(context, files, flags))
    .addHelpText(
      'after',
      exampleText(context, [
        [
          'songhua verify licence.evidence.json --anchor songhua-230000.json',
          { en: 'the record, by a trust anchor that was obtained elsewhere', zh: '以另行取得的信任锚核验记录' },
        ],
        [
          'songhua verify licence.evidence.json --payload licence.payload.json --salt licence.salt --data .songhua/devnet',
          { en: 'the record and its payload, by a data folder', zh: '以数据目录核验记录及其原文' },
        ],
      ]),
    )
}

async function verifyFiles(context: CliContext, files: readonly string[], flags: Flags): Promise<void> {
  const input = await readInput(context, files, flags)
  const found = await findTrustAnchor(context, flags)
  const document = await compareDocument(context, flags.document, input.payload)
  const verifier = createEvidenceVerifier(found.trustAnchor)
  const judged: Judged[] = []
  for (const file of files) {
    const one: Judged = { file, verdict: verifier.verify(await readEvidence(context, file), input), document }
    judged.push(one)
    print(context, flags.json ? JSON.stringify({ trustAnchor: found.path, ...toJson(one) }) : describe(context, one))
  }
  if (!flags.json) print(context, closingLines(context, found, judged))
  const bad = judged.find((one) => !isValid(one))
  if (bad !== undefined) throw new CodedError('EVIDENCE_INVALID', visible(`${bad.file}: ${reasonOf(context, bad)}`))
  if (!flags.json && flags.document === undefined && holdsDigests(input.payload)) print(context, tell(context, 'documentHint'))
}

/** Evidence and the document that was held against its record; undefined when none was. */
interface Judged {
  readonly file: string
  readonly verdict: EvidenceVerdict
  readonly document: DocumentCheck | undefined
}

/** Evidence that holds is of no use with another document. */
const isValid = ({ verdict, document }: Omit<Judged, 'file'>): boolean => verdict.valid && document?.isSame !== false

/** Facts are of what is valid alone. */
function toJson(judged: Judged): object {
  const { file, verdict, document } = judged
  const valid = isValid(judged)
  const held = document === undefined ? {} : { document: { path: document.path, ok: document.isSame } }
  return { file, ...verdict, valid, ...held, facts: valid ? verdict.facts : undefined }
}

function reasonOf(context: CliContext, { verdict, document }: Judged): string {
  const step = decisiveStep(verdict)
  if (step === undefined && document?.isSame === false) return tell(context, 'documentBad', document.path)
  return `${step?.code ?? ''} ${step?.message ?? ''}`.trim()
}

const holdsDigests = (payload: Uint8Array | undefined): boolean =>
  payload !== undefined && recordedDigests(Buffer.from(payload).toString('utf8')) !== undefined

/** The record of a document is its digests: that the record holds says nothing of the file until they are compared. */
async function compareDocument(context: CliContext, path: string | undefined, payload: Uint8Array | undefined): Promise<DocumentCheck | undefined> {
  if (path === undefined || payload === undefined) return undefined
  const recorded = recordedDigests(Buffer.from(payload).toString('utf8'))
  const digests = await digestFile(context, path)
  return { path, isSame: recorded !== undefined && isSameDocument(recorded, digests) }
}

function describe({ language }: CliContext, { file, verdict, document }: Judged): string {
  return `${visible(file)}\n${formatVerdict(verdict, language, document)}\n`
}

function closingLines(context: CliContext, found: FoundTrustAnchor, judged: readonly Judged[]): string {
  const { language } = context
  const anchor = TEXTS[found.kind === 'file' ? 'fromFile' : 'fromFolder'][language].replace('{path}', found.path)
  if (judged.length === 1) return anchor
  const good = judged.filter(isValid).length
  const summary = TEXTS.summary[language].replace('{good}', String(good)).replace('{all}', String(judged.length))
  return `${anchor}\n${summary}`
}

// ------------------------------------------------------------------------------------------------------- inputs

async function readInput(context: CliContext, files: readonly string[], flags: Flags): Promise<EvidenceInput> {
  const { payload, salt, document } = flags
  if (payload === undefined && salt === undefined && document === undefined) return {}
  const refuse = (key: keyof typeof TEXTS): never => {
    throw new CodedError('CLI_USAGE', TEXTS[key][context.language])
  }
  if (document !== undefined && (payload === undefined || salt === undefined)) return refuse('documentPair')
  if (payload === undefined || salt === undefined) return refuse('pair')
  if (files.length > 1) return refuse('one')
  const saltBytes = await readSalt(context, salt)
  return { payload: await readBytesFile(context, 'payloadFile', payload), salt: saltBytes ?? refuse('badSalt') }
}

/** Digits on the command line, or a file of them; undefined when they are no salt. */
async function readSalt(context: CliContext, salt: string): Promise<Uint8Array | undefined> {
  const given = digitsToBytes(salt)
  return given ?? digitsToBytes((await readTextFile(context, 'saltFile', salt)).trim())
}

function digitsToBytes(text: string): Uint8Array | undefined {
  const hex = text.startsWith('0x') ? text : `0x${text}`
  return isHex(hex, 32) ? hexToBytes(hex) : undefined
}

/** As text: whatever it holds, the verdict says what is wrong with it. */
async function readEvidence(context: CliContext, file: string): Promise<string> {
  if (file !== '-') return readTextFile(context, 'evidenceFile', file)
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of context.stdin) {
    chunks.push(Buffer.from(chunk as Buffer))
    bytes += chunks.at(-1)!.length
    // More than the verifier reads: it says so itself.
    if (bytes > STDIN_BYTES_MAX) break
  }
  return Buffer.concat(chunks).toString('utf8')
}
