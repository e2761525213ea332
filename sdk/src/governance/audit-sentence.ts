import type { ParamType } from 'ethers'
import type { Hex } from '../protocol/bytes.js'
import { type AuditArguments, type AuditValue, type Teller, readArguments, tellArguments } from './audit-forms.js'
import { EVENT_TEXTS, MOTION_TEXTS } from './audit-texts.js'
import { MOTIONS, type MotionKind, decodeMotion } from './motions.js'
import type { Words } from './words.js'

/** What a motion is for. */
export interface AuditMotion {
  readonly id: number
  /** Undefined for one that this SDK does not know. */
  readonly kind: MotionKind | undefined
  /** By the names of the kind's function; undefined when its bytes are no such arguments. */
  readonly args: AuditArguments | undefined
}

export function auditMotion(id: number, kind: MotionKind | undefined, bytes: Hex): AuditMotion {
  const decoded = kind && decodeMotion(kind, bytes)
  const args = decoded && kind && readArguments(MOTIONS[kind].contract.name, decoded.inputs, decoded.values)
  return { id, kind, args }
}

/** Who tells, in both languages. */
export type Tellers = Readonly<Record<keyof Words, Teller>>

const LANGUAGES = ['zh', 'en'] as const
const UNKNOWN: Words = { zh: '未知类型', en: 'of a kind that is not known here' }
const UNREADABLE: Words = { zh: '（参数无法解读）', en: ' (its arguments cannot be read)' }
const UNKNOWN_EVENT: Words = { zh: '此版本不认识的事件', en: 'an event that this version does not know' }

const inBoth = (tell: (language: keyof Words) => string): Words =>
  Object.fromEntries(LANGUAGES.map((language) => [language, tell(language)])) as unknown as Words

export function motionSentence({ kind, args }: AuditMotion, tellers: Tellers): Words {
  if (kind === undefined) return UNKNOWN
  if (args === undefined) return inBoth((language) => `${kind}${UNREADABLE[language]}`)
  const { contract } = MOTIONS[kind]
  const { inputs } = contract.abi.getFunction(kind)!
  return inBoth((language) => fill(MOTION_TEXTS[kind][language], tellArguments(contract.name, inputs, args, tellers[language]), args))
}

interface Told {
  readonly contract: string
  readonly event: string
  readonly params: readonly ParamType[]
  readonly args: AuditArguments
  readonly motion: AuditMotion | undefined
}

export function eventSentence({ contract, event, params, args, motion }: Told, tellers: Tellers): Words {
  const text = EVENT_TEXTS[contract]?.[event]
  if (text === undefined) return UNKNOWN_EVENT
  const aim = motion && motionSentence(motion, tellers)
  return inBoth((language) => {
    const told = tellArguments(contract, params, args, tellers[language])
    return fill(text[language], { ...told, motion: aim?.[language] ?? UNKNOWN[language] }, args)
  })
}

function fill(text: string, told: Readonly<Record<string, string>>, args: AuditArguments): string {
  return text.replace(/\{(=?)(\w+)\}/g, (_whole, exact: string, name: string) => {
    if (exact === '') return told[name] ?? ''
    const value = valueOf(args, name)
    return value === null || typeof value === 'object' ? '' : String(value)
  })
}

/** Of the event, or of a struct in it. */
function valueOf(args: AuditArguments, name: string): AuditValue {
  if (name in args) return args[name] ?? null
  const structs = Object.values(args).filter((value): value is AuditArguments => typeof value === 'object' && value !== null && !Array.isArray(value))
  return structs.find((struct) => name in struct)?.[name] ?? null
}
