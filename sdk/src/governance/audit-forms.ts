// How values of events and of motions are read and told: each by its contract, its name and its type.
import type { ParamType, Result } from 'ethers'
import { ZERO_HASH } from '../protocol/bytes.js'
import {
  NODE_KINDS, NODE_STATUSES, NO_LIMIT, ORGANISATION_KINDS, bitsToDoors, bitsToRoles, hexToText, nameOf, wordToLevels,
} from './codes.js'
import { NODE_BODIES } from './model.js'
import { motionKindOf } from './motions.js'
import {
  BODY_WORDS, DOOR_WORDS, LEVEL_WORDS, type Language, MOTION_KIND_WORDS, NODE_KIND_WORDS, NODE_STATUS_WORDS, ORGANISATION_KIND_WORDS,
  ROLE_WORDS, type Words,
} from './words.js'

/** A value of an event by its meaning: names instead of numbers, credit codes as text, null for what is empty. */
export type AuditValue = string | number | bigint | boolean | null | readonly AuditValue[] | { readonly [name: string]: AuditValue }

export type AuditArguments = Readonly<Record<string, AuditValue>>

/** In whose words a value is told. */
export interface Teller {
  readonly language: Language
  /** `Name (credit code)`. */
  organisation(uscc: string): string
}

export interface AuditForm {
  readonly read: (value: unknown) => AuditValue
  /** @param value that `read` gave */
  readonly tell: (value: AuditValue, teller: Teller) => string
}

const NOTHING: Words = { zh: '无', en: 'none' }
const asText = (value: AuditValue): string => (typeof value === 'object' ? JSON.stringify(value) : String(value))
const orNone = (value: AuditValue, { language }: Teller): string => (value === null ? NOTHING[language] : asText(value))

const plain: AuditForm = { read: (value) => value as AuditValue, tell: asText }
const number: AuditForm = { read: (value) => Number(value), tell: asText }
const whole: AuditForm = { read: (value) => value as bigint, tell: asText }
const address: AuditForm = { read: (value) => String(value).toLowerCase(), tell: asText }
const asciiText: AuditForm = { read: (value) => hexToText(String(value)) ?? null, tell: orNone }
const hash: AuditForm = {
  read: (value) => (value === ZERO_HASH ? null : String(value)),
  tell: (value, teller) => (typeof value === 'string' ? `${value.slice(0, 10)}…` : orNone(value, teller)),
}
const organisation: AuditForm = {
  read: asciiText.read,
  tell: (value, teller) => (typeof value === 'string' ? teller.organisation(value) : orNone(value, teller)),
}
/** Who acted on a node: none of its bodies means the council. */
const actingBody: AuditForm = {
  read: asciiText.read,
  tell: (value, teller) => (typeof value === 'string' ? teller.organisation(value) : { zh: '理事会', en: 'the council' }[teller.language]),
}
const quota: AuditForm = {
  read: (value) => value as bigint,
  tell: (value, { language }) => (value === NO_LIMIT ? { zh: '不限', en: 'unlimited' }[language] : (value as bigint).toLocaleString('en-US')),
}
const time: AuditForm = { read: (value) => Number(value), tell: (value) => beijingTime(Number(value)) }
const ballot: AuditForm = {
  read: (value) => Boolean(value),
  tell: (value, { language }) => (value === true ? { zh: '赞成', en: 'yes' } : { zh: '反对', en: 'no' })[language],
}

/** `2026-11-03 09:15:00`, UTC+8. @param seconds since 1970 */
export function beijingTime(seconds: number): string {
  return new Date((seconds + 28_800) * 1000).toISOString().slice(0, 19).replace('T', ' ')
}

/** A number of an enumeration; one that this SDK has no name for stays a number. */
function named<T extends string>(nameFor: (value: bigint) => T | undefined, words: Readonly<Record<T, Words>>): AuditForm {
  return {
    read: (value) => nameFor(BigInt(value as bigint)) ?? Number(value),
    tell: (value, { language }) => (typeof value === 'string' ? words[value as T][language] : asText(value)),
  }
}

function listed<T extends string>(namesFor: (value: bigint) => readonly T[], words: Readonly<Record<T, Words>>): AuditForm {
  return {
    read: (value) => namesFor(BigInt(value as bigint)),
    tell: (value, { language }) => {
      const names = value as readonly T[]
      return names.length === 0 ? NOTHING[language] : names.map((name) => words[name][language]).join(language === 'zh' ? '、' : ', ')
    },
  }
}

const bitsToBodies = (bits: bigint) => NODE_BODIES.filter((_body, bit) => ((bits >> BigInt(bit)) & 1n) === 1n)
const roles = listed(bitsToRoles, ROLE_WORDS)
const levels: AuditForm = {
  read: (value) => wordToLevels(BigInt(value as bigint)),
  tell: (value, { language }) =>
    Object.entries(value as Record<keyof typeof DOOR_WORDS, keyof typeof LEVEL_WORDS>)
      .map(([door, level]) => `${DOOR_WORDS[door as keyof typeof DOOR_WORDS][language]} ${LEVEL_WORDS[level][language]}`)
      .join(language === 'zh' ? '、' : ', '),
}

/** By the name of the parameter, in every contract. */
const BY_NAME: Readonly<Record<string, AuditForm>> = {
  roles, levels, doors: listed(bitsToDoors, DOOR_WORDS), status: named((value) => nameOf(NODE_STATUSES, value), NODE_STATUS_WORDS),
  gasPerDay: quota, bytesPerDay: quota, gasPerDayTotal: quota, bytesPerDayTotal: quota, expiresAt: time, approve: ballot,
}
/** Where a name means something of its own. */
const BY_CONTRACT: Readonly<Record<string, Readonly<Record<string, AuditForm>>>> = {
  OrganisationRegister: { kind: named((value) => nameOf(ORGANISATION_KINDS, value), ORGANISATION_KIND_WORDS) },
  NodeRegister: {
    kind: named((value) => nameOf(NODE_KINDS, value), NODE_KIND_WORDS), roles: listed(bitsToBodies, BODY_WORDS), body: actingBody,
  },
  Council: { kind: named(motionKindOf, MOTION_KIND_WORDS) },
}
const BY_TYPE: Readonly<Record<string, AuditForm>> = {
  address, bytes18: organisation, bytes6: asciiText, bytes4: asciiText, bytes1: asciiText, bytes32: hash,
  uint8: number, uint16: number, uint32: number, uint64: number, uint256: whole,
}

export function formOf(contract: string, { name, type }: Pick<ParamType, 'name' | 'type'>): AuditForm {
  return BY_CONTRACT[contract]?.[name] ?? BY_NAME[name] ?? BY_TYPE[type] ?? plain
}

function readValue(contract: string, param: ParamType, value: unknown): AuditValue {
  if (param.baseType === 'tuple') return readArguments(contract, param.components ?? [], value as Result)
  const element = param.arrayChildren
  if (element === null) return formOf(contract, param).read(value)
  return [...(value as Result)].map((item: unknown) => readValue(contract, element, item))
}

/** @param values in the order of the parameters */
export function readArguments(contract: string, params: readonly ParamType[], values: Iterable<unknown>): AuditArguments {
  const list = [...values]
  return Object.fromEntries(params.map((param, at) => [param.name, readValue(contract, param, list[at])]))
}

/** Each value in words, by name; the members of a struct as if they stood beside it. */
export function tellArguments(contract: string, params: readonly ParamType[], args: AuditArguments, teller: Teller): Record<string, string> {
  return Object.assign({}, ...params.map((param) => tellOne(contract, param, args[param.name] ?? null, teller))) as Record<string, string>
}

function tellOne(contract: string, param: ParamType, value: AuditValue, teller: Teller): Record<string, string> {
  if (param.baseType === 'tuple') return tellArguments(contract, param.components ?? [], value as AuditArguments, teller)
  const element = param.arrayChildren
  if (element === null) return { [param.name]: formOf(contract, param).tell(value, teller) }
  const items = (value as readonly AuditValue[]).map((item) => formOf(contract, element).tell(item, teller))
  return { [param.name]: items.length === 0 ? NOTHING[teller.language] : items.join(teller.language === 'zh' ? '、' : ', ') }
}
