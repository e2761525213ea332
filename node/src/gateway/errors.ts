import { CodedError } from '@songhua/sdk/protocol/errors'

interface Meaning {
  readonly status: number
  readonly zh: string
  readonly en: string
}

/** Every refusal of the gateway: its HTTP status, and what it says to people. `{name}` stands for that detail. */
export const GATEWAY_ERRORS = {
  SUBMISSION_REFUSED: { status: 422, zh: '有记录不合格，全部未接收；逐条原因见 rows', en: 'some records are bad, so none was taken; see rows' },
  IDEMPOTENCY_CONFLICT: { status: 409, zh: 'Idempotency-Key “{key}” 已用于另一内容', en: 'Idempotency-Key "{key}" was used for another body' },
  OUTBOX_FULL: { status: 503, zh: '待上链记录已达 {limit} 条，请稍后重试', en: '{limit} records wait for the chain; try again later' },
  CURSOR_INVALID: { status: 400, zh: 'cursor 无效：{cursor}', en: 'cursor: {cursor} is none that was given out' },
  RECORD_UNKNOWN: { status: 404, zh: '没有记录 {id}', en: 'there is no record {id}' },
  RECORD_PENDING: { status: 409, zh: '记录 {id} 尚未上链，请稍后重试', en: 'record {id} is not anchored yet; try again' },
  PAYLOAD_ERASED: { status: 410, zh: '记录 {id} 的载荷已删除；存证仍可验证', en: 'the payload of {id} has been erased; its evidence still verifies' },
  PAYLOAD_WITHHELD: { status: 404, zh: '记录 {id} 的载荷从未交给本网关', en: 'the payload of {id} was never given to this gateway' },
  LEGAL_HOLD: { status: 409, zh: '记录 {id} 处于司法保全：{reason}', en: 'record {id} is under legal hold: {reason}' },
  RETENTION_NOT_OVER: { status: 409, zh: '记录 {id} 的保存期限（{retention}）未满', en: 'the retention of {id} ({retention}) is not over' },
} as const satisfies Record<string, Meaning>

export type GatewayErrorCode = keyof typeof GATEWAY_ERRORS

export class GatewayError extends CodedError<GatewayErrorCode> {}

/** Its message is English; whoever answers a person takes the text in their language from `GATEWAY_ERRORS`. */
export function gatewayError(code: GatewayErrorCode, details: Record<string, unknown> = {}, cause?: unknown): GatewayError {
  return new GatewayError(code, fillIn(GATEWAY_ERRORS[code].en, details), { details, cause })
}

/** Puts details where a text names them. */
export function fillIn(text: string, details: Record<string, unknown>): string {
  return text.replace(/\{(\w+)\}/g, (_whole, name: string) => String(details[name] ?? ''))
}
