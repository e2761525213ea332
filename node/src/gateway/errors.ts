import { CodedError } from '@songhua/sdk/protocol/errors'

interface Meaning {
  readonly status: number
  readonly zh: string
  readonly en: string
}

/** Every refusal of the gateway: its HTTP status, and what it says to people. `{name}` stands for that detail. */
export const GATEWAY_ERRORS = {
  // ------------------------------------------------------------------------------------------------ the request
  REQUEST_INVALID: { status: 400, zh: '请求有误：{problems}', en: 'the request is wrong: {problems}' },
  JSON_INVALID: { status: 400, zh: '请求体不是有效的 JSON：{reason}', en: 'the body is no valid JSON: {reason}' },
  JSON_TOO_DEEP: { status: 400, zh: 'JSON 嵌套超过 {max} 层', en: 'the JSON is nested more than {max} deep' },
  JSON_DUPLICATE_KEY: { status: 400, zh: 'JSON 中的键 “{key}” 重复', en: 'the JSON has the key "{key}" twice in one object' },
  JSON_FORBIDDEN_KEY: { status: 400, zh: 'JSON 中不允许键 “{key}”', en: 'the JSON has the key "{key}", which is not allowed' },
  CSV_INVALID: { status: 400, zh: 'CSV 无法读取：{reason}', en: 'the CSV cannot be read: {reason}' },
  CHARSET_INVALID: { status: 400, zh: '请求体不是有效的 {charset} 文本，请核对 charset', en: 'the body is no valid {charset} text; check charset' },
  MAPPING_INVALID: { status: 400, zh: '列映射 mapping 有误：{reason}', en: 'mapping: {reason}' },
  CONTENT_TYPE: { status: 415, zh: '内容类型 “{type}” 不在支持之列：{expected}', en: 'content-type "{type}" is not one that is read here: {expected}' },
  CONTENT_ENCODING: { status: 415, zh: '不支持压缩的请求体（{encoding}）', en: 'content-encoding {encoding} is not read; send the body uncompressed' },
  BODY_TOO_LARGE: { status: 413, zh: '请求体超过 {max} 字节', en: 'the body is longer than {max} bytes' },
  REQUEST_SLOW: { status: 408, zh: '请求未在 {max} 毫秒内到齐', en: 'the request had not come whole after {max} ms' },
  RECORD_TOO_LARGE: { status: 413, zh: '单条记录超过 {max} 字节', en: 'a record is longer than {max} bytes' },
  TOO_MANY_RECORDS: { status: 413, zh: '一次至多提交 {max} 条记录', en: 'at most {max} records are taken at a time; send more requests' },
  ROUTE_UNKNOWN: { status: 404, zh: '没有接口 {method} {path}；见 /docs', en: 'there is no {method} {path}; see /docs' },
  METHOD_NOT_ALLOWED: { status: 405, zh: '{path} 不支持 {method}，只支持 {allowed}', en: '{path} does not take {method}; it takes {allowed}' },
  RANGE_INVALID: { status: 416, zh: '范围 “{range}” 无效', en: 'the range "{range}" is none of this file' },
  REQUEST_ABORTED: { status: 400, zh: '请求体未完即断开', en: 'the connection ended in the middle of the body' },
  HTTP_BROKEN: { status: 400, zh: '不是有效的 HTTP 请求', en: 'this is no HTTP request' },
  HEADERS_TOO_LARGE: { status: 431, zh: '请求头超过 {max} 字节', en: 'the headers are longer than {max} bytes' },
  HOST_NOT_ALLOWED: { status: 403, zh: '不允许以主机名 “{host}” 访问；请加入 gateway.allowedHosts', en: 'the Host header "{host}" is not allowed; list it in gateway.allowedHosts' },
  // ------------------------------------------------------------------------------------------------- the caller
  API_KEY_MISSING: { status: 401, zh: '缺少 API 密钥：Authorization: Bearer shk_…', en: 'an API key is needed: Authorization: Bearer shk_…' },
  API_KEY_INVALID: { status: 401, zh: 'API 密钥无效', en: 'the API key is not valid' },
  SCOPE_MISSING: { status: 403, zh: 'API 密钥缺少权限 {scope}', en: 'the API key lacks the scope {scope}' },
  PERMISSION_READ: {
    status: 403,
    zh: '链上策略不允许读取 {door}（级别 {level}）：{problems}',
    en: "the chain's policy does not let this key read {door} (level {level}): {problems}",
  },
  GATEWAY_KEYS_UNREADABLE: { status: 503, zh: 'API 密钥文件无法读取，请联系运维', en: 'the file of API keys cannot be read; tell the operator' },
  RATE_LIMITED: { status: 429, zh: '请求过于频繁（{limit}），请 {retryAfterS} 秒后重试', en: 'too many requests ({limit}); try again in {retryAfterS} s' },
  STREAMS_TOO_MANY: { status: 429, zh: '同时打开的事件流已达 {max} 个', en: '{max} streams are open already; close one' },
  GATEWAY_BUSY: { status: 503, zh: '网关繁忙（{limit}），请稍后重试', en: 'the gateway is busy ({limit}); try again' },
  // ------------------------------------------------------------------------------------------------ the records
  SUBMISSION_REFUSED: { status: 422, zh: '有记录不合格，全部未接收；逐条原因见 rows', en: 'some records are bad, so none was taken; see rows' },
  RECORD_INVALID: { status: 422, zh: '记录不合格；各字段原因见 violations', en: 'the record is not valid; see violations' },
  RECORD_DUPLICATE: { status: 409, zh: '该事件已存证，记录为 {existingId}', en: 'this event is on record already, as {existingId}' },
  RECORD_EXISTS: { status: 409, zh: '记录 {existingId} 已存在', en: 'record {existingId} is there already' },
  SCHEMA_UNKNOWN: { status: 422, zh: '没有模式 {schema}；见 GET /v1/schemas', en: 'there is no schema {schema}; see GET /v1/schemas' },
  SCHEMA_NOT_FOUND: { status: 404, zh: '没有模式 {schema}；见 GET /v1/schemas', en: 'there is no schema {schema}; see GET /v1/schemas' },
  JSON_TOO_MANY_VALUES: {
    status: 413,
    zh: '请求体或单条记录超过 {max} 个值；请分批提交',
    en: 'the body, or one record in it, holds more than {max} values: send fewer at a time',
  },
  GATEWAY_STORAGE: {
    status: 503,
    zh: '网关磁盘无法写入，未接收任何内容；请稍后用同一 Idempotency-Key 重试',
    en: 'the disk of the gateway cannot be written, nothing was taken; try again with the same Idempotency-Key',
  },
  HOLD_OF_ANOTHER: {
    status: 403,
    zh: '记录 {id} 的司法保全（{reason}）由其他机构设立，只能由其解除',
    en: 'the legal hold of {id} ({reason}) was placed by another organisation, and only that one may lift it',
  },
  HOLD_PERSONAL: {
    status: 400,
    zh: '保全理由含有个人号码，且无法删除；请改写案号',
    en: 'reason: holds a number of a natural person, and a reason cannot be erased; name the case instead',
  },
  ISSUER_NOT_ALLOWED: { status: 403, zh: 'API 密钥不能以该签发者名义提交', en: 'the API key may not write for this issuer' },
  IDEMPOTENCY_CONFLICT: { status: 409, zh: 'Idempotency-Key “{key}” 已用于另一内容', en: 'Idempotency-Key "{key}" was used for another body' },
  OUTBOX_FULL: { status: 503, zh: '待上链记录已达 {max} 条，请稍后重试', en: '{max} records wait for the chain; try again later' },
  CURSOR_INVALID: { status: 400, zh: 'cursor 无效：{cursor}', en: 'cursor: {cursor} is none that was given out' },
  CURSOR_AHEAD: {
    status: 410,
    zh: 'cursor {cursor} 超出事件流的末尾 {last}：网关曾由备份恢复。请从备份之前的 cursor 或从 0 重新开始',
    en: 'cursor {cursor} lies beyond the end of the feed, {last}: the gateway was restored from a backup. Begin again at a cursor of before the backup, or at 0',
  },
  EVIDENCE_TOO_LARGE: {
    status: 413,
    zh: '证据中的验证者历史有 {characters} 个字符，此处至多 {max}；请离线核验（songhua verify），或以更新的检查点换取较短的证据',
    en: 'the validator history has {characters} characters, at most {max} are verified here; verify offline (songhua verify), or refresh the bundle under a checkpoint',
  },
  RECORD_UNKNOWN: { status: 404, zh: '没有记录 {id}', en: 'there is no record {id}' },
  RECORD_PENDING: { status: 409, zh: '记录 {id} 尚未上链，请稍后重试', en: 'record {id} is not anchored yet; try again' },
  REFRESH_HEIGHT: { status: 400, zh: 'under 无效：{height}', en: 'under: the record cannot be proved under block {height}' },
  PAYLOAD_ERASED: { status: 410, zh: '记录 {id} 的载荷已删除；存证仍可验证', en: 'the payload of {id} has been erased; its evidence still verifies' },
  PAYLOAD_WITHHELD: { status: 404, zh: '记录 {id} 的载荷从未交给本网关', en: 'the payload of {id} was never given to this gateway' },
  LEGAL_HOLD: { status: 409, zh: '记录 {id} 处于司法保全：{reason}', en: 'record {id} is under legal hold: {reason}' },
  RETENTION_NOT_OVER: { status: 409, zh: '记录 {id} 的保存期限（{retention}）未满', en: 'the retention of {id} ({retention}) is not over' },
  SUBJECT_INVALID: { status: 400, zh: 'subject 无效：{reason}', en: 'subject: {reason}' },
  HEIGHT_UNKNOWN: { status: 404, zh: '没有区块 {height}', en: 'there is no block {height} yet' },
  // ----------------------------------------------------------------------------------------------- the webhooks
  WEBHOOK_UNKNOWN: { status: 404, zh: '没有网络回调 {id}', en: 'there is no webhook {id}' },
  WEBHOOK_URL: { status: 422, zh: 'url 无效：{reason}', en: 'url: {reason}' },
  WEBHOOK_HOST: { status: 403, zh: '不允许回调主机 {host}；请运维加入 gateway.webhookHosts', en: 'the host {host} is not allowed; the operator lists it in gateway.webhookHosts' },
  WEBHOOKS_TOO_MANY: { status: 409, zh: '回调已达 {max} 个', en: 'there are {max} webhooks already; delete one' },
  WEBHOOK_SUSPENDED: { status: 409, zh: '网络回调 {id} 已暂停；请先 POST …/replay 重新启用', en: 'webhook {id} is suspended; POST …/replay enables it again' },
  DEAD_LETTER_UNKNOWN: { status: 404, zh: '没有死信 {n}', en: 'there is no dead letter {n}' },
  // ------------------------------------------------------------------------------------------------ the gateway
  GATEWAY_LISTEN_FAILED: { status: 500, zh: '无法监听 {host}:{port}：{reason}', en: 'cannot listen on {host}:{port}: {reason}; choose another address or port, or end the program that has it' },
  GATEWAY_INTERNAL: { status: 500, zh: '网关内部错误，日志编号 {incident}', en: 'internal error; the log has it as {incident}' },
} as const satisfies Record<string, Meaning>

export type GatewayErrorCode = keyof typeof GATEWAY_ERRORS

export class GatewayError extends CodedError<GatewayErrorCode> {}

/** Its message is English; whoever answers a person takes the text in their language from `GATEWAY_ERRORS`. */
export function gatewayError(code: GatewayErrorCode, details: Record<string, unknown> = {}, cause?: unknown): GatewayError {
  return new GatewayError(code, fillIn(GATEWAY_ERRORS[code].en, details), { details, cause })
}

/** Puts details where a text names them. */
export function fillIn(text: string, details: Record<string, unknown>): string {
  return text.replace(/\{(\w+)\}/g, (_whole, name: string) => shown(details[name]))
}

function shown(value: unknown): string {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
}
