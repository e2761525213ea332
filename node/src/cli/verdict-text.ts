import { EVIDENCE_CODES } from '@songhua/sdk/protocol/evidence-codes'
import {
  type EvidenceFacts,
  type EvidenceStepResult,
  type EvidenceVerdict,
  decisiveStep,
} from '@songhua/sdk/protocol/evidence-verdict'
import type { Language } from './messages.js'
import { formatFields } from './table.js'
import { visible } from './visible.js'

/** A verdict as people read it. What the bundle says of itself fills no line but its own. */

const TEXTS = {
  valid: { en: 'VALID', zh: '有效' },
  invalid: { en: 'NOT VALID', zh: '无效' },
  format: { en: 'files', zh: '文件格式' },
  payload: { en: 'payload', zh: '原文' },
  leaf: { en: 'envelope', zh: '信封' },
  inclusion: { en: 'batch', zh: '批次' },
  receipt: { en: 'transaction', zh: '交易' },
  header: { en: 'block', zh: '区块' },
  chain: { en: 'chain', zh: '链' },
  document: { en: 'document', zh: '文件' },
  documentSame: { en: '{path} is the one whose digests were recorded', zh: '{path} 与记录的摘要一致' },
  documentOther: { en: '{path} is not the document whose digests were recorded', zh: '{path} 与记录的摘要不符' },
  seals: { en: 'seals', zh: '签封' },
  validators: { en: 'validators', zh: '验证者' },
  issuer: { en: 'issuer', zh: '签发方' },
  record: { en: 'record', zh: '记录' },
  schema: { en: 'schema', zh: '模式' },
  blockHash: { en: 'block hash', zh: '区块哈希' },
  time: { en: 'existed at', zh: '存在时间' },
  horizon: { en: 'believed on', zh: '信任依据' },
  anchoredBy: { en: 'anchored by', zh: '上链账户' },
  meaning: { en: 'meaning', zh: '含义' },
  unchecked: { en: 'not checked', zh: '未核验' },
} as const

/** Of a file that was held against the digests of a record. */
export interface DocumentCheck {
  readonly path: string
  readonly isSame: boolean
}

/** @param document undefined when none was given; another one than was recorded makes evidence that holds not valid */
export function formatVerdict(verdict: EvidenceVerdict, language: Language, document?: DocumentCheck): string {
  const failed = decisiveStep(verdict)
  const lines = formatFields([
    ...verdict.steps.map((result) => [`  ${markOf(result)} ${TEXTS[result.step][language]}`, textOf(result, language)] as const),
    ...(document === undefined ? [] : [[`  ${document.isSame ? '✓' : '✗'} ${TEXTS.document[language]}`, documentText(document, language)] as const]),
  ])
  const { facts } = verdict
  if (document?.isSame === false && failed === undefined) return `${lines}\n\n${TEXTS.invalid[language]}: ${documentText(document, language)}`
  if (facts !== undefined) return `${lines}\n\n${TEXTS.valid[language]}\n${formatFields(factFields(facts, language))}`
  if (failed === undefined) return `${lines}\n\n${TEXTS.invalid[language]}`
  return `${lines}\n\n${TEXTS.invalid[language]}: ${failed.code}\n  ${failureText(failed, language)}`
}

/** The values at fault are told in English; in Chinese they stand in brackets behind what they mean. */
function failureText({ code, message = '' }: EvidenceStepResult, language: Language): string {
  const text = EVIDENCE_CODES[code][language]
  if (message === '') return text
  return language === 'zh' ? `${text}（${visible(message)}）` : `${text}\n  ${visible(message)}`
}

const documentText = ({ path, isSame }: DocumentCheck, language: Language): string =>
  TEXTS[isSame ? 'documentSame' : 'documentOther'][language].replace('{path}', visible(path))

/** A step that was passed over, or that shows nothing, is neither good nor bad. */
const OPEN_CODES: readonly string[] = ['PAYLOAD_NOT_GIVEN', 'STEP_NOT_REACHED', 'ISSUER_UNPROVEN']

function markOf({ ok, code }: EvidenceStepResult): string {
  if (OPEN_CODES.includes(code)) return '–'
  return ok ? '✓' : '✗'
}

function textOf({ ok, code }: EvidenceStepResult, language: Language): string {
  const text = EVIDENCE_CODES[code][language]
  return ok || code === 'STEP_NOT_REACHED' ? text : `${code}: ${text}`
}

function factFields(facts: EvidenceFacts, language: Language): [string, string][] {
  const { block, issuer, batch, schema, unchecked } = facts
  const name = (key: keyof typeof TEXTS): string => `  ${TEXTS[key][language]}`
  const standing = { signed: 'ISSUER_SIGNED', organisation: 'ISSUER_ORGANISATION', unproven: 'ISSUER_UNPROVEN' } as const
  return [
    [name('record'), visible(facts.recordId)],
    [name('schema'), visible(`${schema.id} ${schema.version}`)],
    [name('issuer'), `${visible(issuer.name)} (${EVIDENCE_CODES[standing[issuer.standing]][language]})`],
    [name('time'), new Date(block.timeMs).toISOString()],
    [name('header'), `${block.number}, ${batch.leafIndex + 1}/${batch.size}`],
    [name('blockHash'), block.hash],
    [name('chain'), `${facts.chainId}, ${facts.genesisHash}`],
    [name('anchoredBy'), batch.sender],
    [name('horizon'), horizonText(facts, language)],
    ...(unchecked.length === 0 ? [] : [[name('unchecked'), unchecked.join(', ')] as [string, string]]),
    [name('meaning'), facts.meaning[language]],
  ]
}

function horizonText({ horizon }: EvidenceFacts, language: Language): string {
  if (horizon.proof === 'checkpoint') {
    const { height } = horizon
    return language === 'zh' ? `信任锚在高度 ${height} 的检查点` : `the trust anchor's checkpoint at block ${height}`
  }
  const { fromHeight, sealedHeight } = horizon
  return language === 'zh'
    ? `自高度 ${fromHeight} 起的验证者，至高度 ${sealedHeight} 的签封`
    : `the validators since block ${fromHeight}, who sealed block ${sealedHeight}`
}
