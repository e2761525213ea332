import { CodedError, isCodedError, messageOf } from './errors.js'

/** What a verdict can say, as data: programs compare the codes, people read the texts. */

/** In the order in which a verdict lists them. `format` is the door: bundle and trust anchor can be read. */
export const EVIDENCE_STEPS = [
  'format',
  'payload',
  'leaf',
  'inclusion',
  'receipt',
  'header',
  'chain',
  'seals',
  'validators',
  'issuer',
] as const

export type EvidenceStep = (typeof EVIDENCE_STEPS)[number]

export interface EvidenceCodeText {
  /** Of a code that any step may give, `any`. */
  readonly step: EvidenceStep | 'any'
  /** False when a bundle with this code does not prove its record. */
  readonly ok: boolean
  readonly en: string
  readonly zh: string
}

type Texts = Record<string, readonly [ok: boolean, en: string, zh: string]>

const ANY = {
  STEP_NOT_REACHED: [false, 'Not checked: an earlier step failed', '未核验：前面的步骤未通过'],
  STEP_UNEXPECTED: [false, 'The check broke off unexpectedly', '核验意外中断'],
  STEP_LIMIT: [
    false,
    'More seals than this verifier checks: refresh the evidence under a newer checkpoint',
    '须核验的签封数量超过核验程序的上限：请在较新的检查点之下刷新（refresh）证据',
  ],
} as const satisfies Texts

const FORMAT = {
  FORMAT_OK: [true, 'Bundle and trust anchor can be read', '证据文件与信任锚格式正确'],
  FORMAT_TOO_LARGE: [false, 'The bundle is larger than a bundle can be', '证据文件过大'],
  FORMAT_TOO_DEEP: [false, 'The bundle is nested too deeply', '证据文件嵌套过深'],
  FORMAT_NOT_JSON: [false, 'The bundle is no JSON', '证据文件不是有效的 JSON'],
  FORMAT_DUPLICATE_KEY: [false, 'An object of the bundle has a key twice', '证据文件中有重复的键'],
  FORMAT_VALUE: [false, 'The bundle holds a value that JSON cannot carry', '证据文件含有 JSON 无法表示的值'],
  FORMAT_VERSION: [false, 'The bundle is of a version that is not known here', '证据文件版本未知'],
  FORMAT_FIELD: [false, 'A field of the bundle is missing, unknown or malformed', '证据文件的字段缺失、未知或格式错误'],
  FORMAT_TRUST_ANCHOR: [false, 'The trust anchor cannot be used', '信任锚无法使用'],
} as const satisfies Texts

const PAYLOAD = {
  PAYLOAD_OK: [true, 'The payload is the one that was recorded', '原文与存证记录一致'],
  PAYLOAD_NOT_GIVEN: [true, 'No payload was given: only the record of it was checked', '未提供原文：仅核验了存证记录'],
  PAYLOAD_MISSING: [false, 'A salt was given without its payload', '提供了盐值但未提供原文'],
  PAYLOAD_SALT_MISSING: [false, 'A payload was given without its salt', '提供了原文但未提供盐值'],
  PAYLOAD_SALT_LENGTH: [false, 'A salt has 32 bytes', '盐值必须为 32 字节'],
  PAYLOAD_TYPE: [false, 'Payload and salt must be bytes', '原文与盐值必须是字节'],
  PAYLOAD_SHA256: [false, 'Payload and salt do not give the recorded SHA-256 digest', '原文与盐值的 SHA-256 摘要与记录不符'],
  PAYLOAD_SM3: [false, 'Payload and salt do not give the recorded SM3 digest', '原文与盐值的 SM3 摘要与记录不符'],
} as const satisfies Texts

const LEAF = {
  LEAF_OK: [true, 'The envelope gives a leaf', '信封可计算出叶子'],
  LEAF_ENVELOPE: [false, 'The envelope lacks a field or has a malformed one', '信封字段缺失或格式错误'],
  LEAF_TOO_LARGE: [false, 'The envelope is too large', '信封过大'],
} as const satisfies Texts

const INCLUSION = {
  INCLUSION_OK: [true, 'The record is in the anchored batch', '记录包含在已上链的批次中'],
  INCLUSION_INDEX: [false, 'The leaf index lies outside the tree', '叶子序号超出树的范围'],
  INCLUSION_PATH_SHORT: [false, 'The path is too short for this tree', '路径过短，与树的大小不符'],
  INCLUSION_PATH_LONG: [false, 'The path is too long for this tree', '路径过长，与树的大小不符'],
  INCLUSION_ROOT: [false, 'The path does not lead to the anchored root', '路径不能导出已上链的根'],
} as const satisfies Texts

const RECEIPT = {
  RECEIPT_OK: [true, 'The batch was anchored by a transaction of this block', '批次由本区块中的交易上链'],
  RECEIPT_PROOF: [false, 'The receipt proof does not hold under the header', '收据证明与区块头不符'],
  RECEIPT_ABSENT: [false, 'The block has no such transaction', '区块中没有该交易'],
  RECEIPT_ENCODING: [false, 'The receipt cannot be read', '收据无法解析'],
  RECEIPT_FAILED: [false, 'The transaction was reverted', '交易执行失败'],
  RECEIPT_LOG_INDEX: [false, 'The receipt has no such log', '收据中没有该日志'],
  RECEIPT_CONTRACT: [false, 'The log is of another contract', '日志来自其他合约'],
  RECEIPT_EVENT: [false, 'The log is of another event', '日志是其他事件'],
  RECEIPT_LOG_FORM: [false, 'The log is malformed', '日志格式错误'],
  RECEIPT_SIZE: [false, 'The anchored tree has another size', '已上链的树大小不符'],
  RECEIPT_FAMILY: [false, 'The batch was anchored for another record family', '批次的记录类别不符'],
} as const satisfies Texts

const HEADER = {
  HEADER_OK: [true, 'The block header can be read', '区块头可解析'],
  HEADER_ENCODING: [false, 'The block header cannot be read', '区块头无法解析'],
  HEADER_BLOCK_NUMBER: [false, 'The header is of another block', '区块头的高度不符'],
} as const satisfies Texts

const CHAIN = {
  CHAIN_OK: [true, 'The block belongs to the chain of the trust anchor', '区块属于信任锚所指的链'],
  CHAIN_ID: [false, 'The bundle names another chain id', '证据的链编号不符'],
  CHAIN_GENESIS: [false, 'The bundle names another genesis', '证据的创世区块不符'],
  CHAIN_VANITY: [false, 'The header was made on another chain', '区块头属于其他链'],
} as const satisfies Texts

const SEALS = {
  SEALS_OK: [true, 'A quorum of validators sealed the block', '区块由法定数量的验证者签封'],
  SEALS_BY_CHECKPOINT: [true, 'The block is in the history of a checkpoint', '区块包含在检查点的历史中'],
  SEALS_BELOW_QUORUM: [false, 'Fewer seals than a quorum', '签封数量不足'],
  SEALS_TOO_MANY: [false, 'More seals than validators', '签封数量多于验证者'],
  SEALS_DUPLICATE_SIGNER: [false, 'A validator is counted twice', '同一验证者重复签封'],
  SEALS_HIGH_S: [false, 'A seal is the high-s twin of a signature', '签封为高 s 值的变形签名'],
  SEALS_MALFORMED: [false, 'A seal is no signature', '签封不是有效签名'],
  SEALS_RETIRED_SIGNER: [false, 'A former validator sealed the block', '签封者为已退出的验证者'],
  SEALS_UNKNOWN_SIGNER: [false, 'Somebody who is no validator sealed the block', '签封者不是验证者'],
  CHECKPOINT_PATH: [false, 'The path does not lead to the history root of the vouching header', '路径不能导出担保区块的历史根'],
} as const satisfies Texts

const VALIDATORS = {
  VALIDATORS_OK: [true, 'The validators follow from the trust anchor', '验证者集合可由信任锚推出'],
  VALIDATORS_BY_CHECKPOINT: [true, 'A checkpoint vouches; no validators are needed', '由检查点担保，无需验证者历史'],
  VALIDATORS_ENCODING: [false, 'A header of the validator history cannot be read', '验证者历史中的区块头无法解析'],
  VALIDATORS_ORDER: [false, 'The validator history is out of order', '验证者历史顺序错误'],
  VALIDATORS_CHAIN: [false, 'A header of the validator history is of another chain', '验证者历史属于其他链'],
  VALIDATORS_SET: [false, 'A header of the validator history lists no valid set', '验证者历史中的集合无效'],
  VALIDATORS_UNCHANGED: [false, 'A header of the validator history changes nothing', '验证者历史中有未变更集合的区块头'],
  VALIDATORS_SEALS: [false, 'The set known so far did not seal a change of validators', '验证者变更未由已知集合签封'],
  CHECKPOINT_PATH_MISSING: [
    false,
    'A block up to the newest checkpoint needs a path into it: refresh the evidence under that checkpoint',
    '不高于最新检查点的区块须有通往检查点的路径：请在该检查点之下刷新（refresh）证据',
  ],
  CHECKPOINT_UNKNOWN: [false, 'The path leads into a header that is no checkpoint', '路径所指的区块头不是检查点'],
  CHECKPOINT_CONFLICT: [false, 'A checkpoint names another block at this height', '检查点在该高度为另一区块'],
  CHECKPOINT_HEADER: [false, 'The vouching header cannot be read', '担保区块头无法解析'],
  CHECKPOINT_CHAIN: [false, 'The vouching header is of another chain', '担保区块头属于其他链'],
  CHECKPOINT_VALIDATORS: [false, 'The checkpoint lists other validators than its block', '检查点的验证者与其区块不符'],
} as const satisfies Texts

const ISSUER = {
  ISSUER_SIGNED: [true, 'Signed by the issuer', '签发方已签名'],
  ISSUER_ORGANISATION: [true, 'No signature of known keys; anchored by an account of the issuer', '无已知密钥的签名；由签发方的账户上链'],
  ISSUER_UNPROVEN: [true, 'Nothing shows that the named issuer issued it', '无法证明由所称签发方签发'],
  ISSUER_PROOF: [false, 'An issuer proof is malformed', '签发方证明格式错误'],
  ISSUER_SIGNATURE: [false, 'An issuer signature is not the issuer’s', '签发方签名无效'],
} as const satisfies Texts

const TABLES = {
  any: ANY,
  format: FORMAT,
  payload: PAYLOAD,
  leaf: LEAF,
  inclusion: INCLUSION,
  receipt: RECEIPT,
  header: HEADER,
  chain: CHAIN,
  seals: SEALS,
  validators: VALIDATORS,
  issuer: ISSUER,
} as const satisfies Record<EvidenceStep | 'any', Texts>

type Tables = typeof TABLES
export type EvidenceCode = { [S in keyof Tables]: keyof Tables[S] & string }[keyof Tables]

/** Every code of a verdict, in the order of the steps. */
export const EVIDENCE_CODES = Object.freeze(
  Object.fromEntries(
    Object.entries<Texts>(TABLES).flatMap(([step, texts]) =>
      Object.entries(texts).map(([code, [ok, en, zh]]) => [code, Object.freeze({ step, ok, en, zh })]),
    ),
  ),
) as Readonly<Record<EvidenceCode, EvidenceCodeText>>

/** What a valid verdict says, whatever its facts. */
export const EVIDENCE_MEANING = Object.freeze({
  en: 'The record existed in this form at the block’s time. Whether it is still in force is not proved.',
  zh: '证明该记录在区块时间已以此形式存在；不证明其目前仍然有效。',
})

export function failEvidence(code: EvidenceCode, message: string, cause?: unknown): never {
  throw new CodedError<EvidenceCode>(code, message, { cause })
}

export function isEvidenceError(error: unknown): error is CodedError<EvidenceCode> {
  return isCodedError(error) && Object.hasOwn(EVIDENCE_CODES, error.code)
}

/** Runs `read`; whatever it throws that is no evidence code yet becomes `code`. */
export function orFailEvidence<T>(code: EvidenceCode, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (isEvidenceError(error)) throw error
    return failEvidence(code, messageOf(error), error)
  }
}
