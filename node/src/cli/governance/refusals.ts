import {
  NODE_KINDS, NODE_STATUSES, type NodeStatus, ORGANISATION_KINDS, bitsToRoles, hexToText, nameOf,
} from '@songhua/sdk/governance/codes'
import type { Governance } from '@songhua/sdk/governance'
import { type PermissionRefusal, permissionRefusalOf } from '@songhua/sdk'
import { isHex } from '@songhua/sdk/protocol/bytes'
import { CodedError, isCodedError } from '@songhua/sdk/protocol/errors'
import type { CliContext } from '../context.js'
import type { Language } from '../messages.js'
import { explainUnreadable } from '../rpc-flags.js'
import { beijingTime } from './beijing-time.js'
import { CONTRACT_REFUSALS } from './refusal-texts.js'
import { wordNames } from './names.js'
import { type Text, fillText } from './texts.js'

export const BODY_NAMES = {
  government: { en: 'government body', zh: '政府责任主体' },
  telecom: { en: 'telecom operator', zh: '电信运营商' },
  operator: { en: 'operating entity', zh: '运营主体' },
} as const
const BODY_BITS = [[1, BODY_NAMES.government], [2, BODY_NAMES.telecom], [4, BODY_NAMES.operator]] as const

/** What a motion is that is no longer open, by the contract's number. */
const MOTION_STATES: Readonly<Record<number, Text>> = {
  2: { en: 'executed', zh: '已执行' }, 3: { en: 'cancelled', zh: '已撤回' }, 4: { en: 'expired', zh: '已过期' },
}
const AGAIN: Text = { en: 'It may be sent again from {time} on.', zh: '可于 {time} 起重新发送。' }
/** Of a transaction that was taken, and then did not do what it was sent for. */
const SENT: Readonly<Record<string, Text>> = {
  GOVERNANCE_REFUSED: {
    en: 'Transaction {hash} is in a block and failed: something changed since it was tried. Look how things are now, and try again.',
    zh: '交易 {hash} 已入块但执行失败：提交之后情况有变。请查看当前状态后重试。',
  },
  GOVERNANCE_TIMEOUT: {
    en: 'Transaction {hash} is in no block yet. It may still come: look whether it has taken effect before you send it again.',
    zh: '交易 {hash} 尚未入块，仍可能入块：重新发送之前请先查看是否已生效。',
  },
}
const NO_NODE: Text = { en: 'not known to the chain', zh: '不在链上登记' }
export const NODE_STATES: Readonly<Record<NodeStatus, Text>> = {
  applied: { en: 'applied', zh: '已申请' },
  admitted: { en: 'admitted', zh: '已接纳' },
  active: { en: 'active', zh: '已激活' },
  suspended: { en: 'suspended', zh: '已暂停' },
  retired: { en: 'retired', zh: '已退役' },
}

type Args = Readonly<Record<string, unknown>>

const bodiesOf = (bits: number, language: Language): string =>
  BODY_BITS.filter(([bit]) => (bits & bit) !== 0).map(([, name]) => name[language]).join(language === 'zh' ? '、' : ', ')

function nodeState(status: unknown, language: Language): string {
  const name = nameOf(NODE_STATUSES, BigInt(String(status)))
  return (name === undefined ? NO_NODE : NODE_STATES[name])[language]
}

/** Bytes of fixed length hold text; zero bytes none. */
const shownText = (value: unknown): string => hexToText(String(value)) ?? '–'

/** As every command shows addresses. */
const lowerCaseAddress = (text: string): string => (isHex(text, 20) ? text.toLowerCase() : text)

/** The arguments of a contract's error, readable. */
function readableArgs(error: string, args: Args, language: Language): Record<string, string> {
  const shown = Object.fromEntries(Object.entries(args).map(([name, value]) => [name, lowerCaseAddress(String(value))]))
  for (const name of ['uscc', 'seat', 'acCode', 'city', 'industry']) if (name in shown) shown[name] = shownText(shown[name])
  if ('roles' in shown) shown.roles = wordNames(bitsToRoles(BigInt(shown.roles)), language) || shown.roles
  if ('notBefore' in shown) shown.notBefore = beijingTime(Number(shown.notBefore))
  if ('status' in shown) {
    shown.motionStatus = MOTION_STATES[Number(shown.status)]?.[language] ?? shown.status
    shown.nodeStatus = nodeState(shown.status, language)
  }
  if ('role' in shown) shown.bodyRole = bodiesOf(Number(shown.role), language)
  if ('needed' in shown && 'confirmations' in shown) {
    shown.missingBodies = bodiesOf(Number(shown.needed) & ~Number(shown.confirmations), language)
  }
  if (error.endsWith('InvalidKind') && 'kind' in shown) {
    const names = error.startsWith('Node') ? NODE_KINDS : ORGANISATION_KINDS
    shown.kind = nameOf(names, BigInt(shown.kind)) ?? shown.kind
  }
  return shown
}

/** A refusal of the chain's rules in the user's language; any other error as it is. */
export function explainRefusal({ language }: Pick<CliContext, 'language'>, error: unknown): unknown {
  if (!isCodedError(error)) return error
  const { details } = error
  if (error.code === 'GOVERNANCE_REFUSED' && typeof details.error === 'string') {
    const text = CONTRACT_REFUSALS[details.error]
    if (text === undefined) return error
    const message = fillText(text[language], readableArgs(details.error, (details.args ?? {}) as Args, language))
    return new CodedError('GOVERNANCE_REFUSED', message, { details, cause: error })
  }
  const sent = SENT[error.code]
  if (sent !== undefined && typeof details.transactionHash === 'string') {
    return new CodedError(error.code, fillText(sent[language], { hash: details.transactionHash }), { details, cause: error })
  }
  const unreadable = explainUnreadable({ language }, error)
  if (unreadable !== error) return unreadable
  const refusal = permissionRefusalOf(error)
  return refusal === undefined ? error : policyRefusal(refusal, error, language)
}

/** Of the chain itself, before any contract is asked. */
function policyRefusal({ code, text, retryAtMs }: PermissionRefusal, error: CodedError, language: Language): CodedError {
  // Zero: what the account has sent before waits for its block.
  const again = retryAtMs === undefined ? '' : ` ${fillText(AGAIN[language], { time: beijingTime(Math.ceil(Math.max(retryAtMs, Date.now()) / 1000)) })}`
  return new CodedError(code, `${text[language]}${again}`, { details: error.details, cause: error })
}

/** The same chain, whose refusals speak the user's language. */
export function explainRefusals(context: Pick<CliContext, 'language'>, governance: Governance): Governance {
  const explained = Object.entries(governance as unknown as Record<string, unknown>).map(([name, member]) => {
    if (typeof member !== 'function') return [name, member] as const
    const call = (...args: unknown[]): Promise<unknown> =>
      (member as (...args: unknown[]) => Promise<unknown>)(...args).catch((error: unknown) => {
        throw explainRefusal(context, error)
      })
    return [name, call] as const
  })
  return Object.fromEntries(explained) as unknown as Governance
}
