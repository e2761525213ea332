import { failEvidence, isEvidenceError } from './evidence-codes.js'
import { messageOf } from './errors.js'
import { type JsonObject, joinPath } from './json-fields.js'

/**
 * JSON from strangers, made harmless before anything looks at it: bounded in size and depth, no key twice (two readers
 * could take different ones), nothing that RFC 8785 cannot write, and every property read once.
 */

/** Of a bundle's text, and of all strings in one that arrives parsed: some 300 changes of 64 validators. */
export const MAX_EVIDENCE_CHARACTERS = 4 * 1024 * 1024
/** Nesting of lists and objects. */
export const MAX_EVIDENCE_DEPTH = 32
/** Values in one bundle; one of a batch of a thousand has some 60. */
export const MAX_EVIDENCE_VALUES = 32 * 1024

const QUOTE = 0x22
const BACKSLASH = 0x5c
const WHITE_SPACE: ReadonlySet<number> = new Set([0x09, 0x0a, 0x0d, 0x20])
const LONE_SURROGATE = /\p{Surrogate}/u

/** A JSON text or what `JSON.parse` made of it, as plain data of our own. @throws CodedError with a `FORMAT_` code */
export function readEvidenceJson(source: unknown): unknown {
  const value = typeof source === 'string' ? parseText(source) : source
  return snapshot(value, { path: '', depth: 0 }, { values: MAX_EVIDENCE_VALUES, characters: MAX_EVIDENCE_CHARACTERS })
}

// -------------------------------------------------------------------------------------------------------- text

function parseText(text: string): unknown {
  if (text.length > MAX_EVIDENCE_CHARACTERS) {
    failEvidence('FORMAT_TOO_LARGE', `${text.length} characters; at most ${MAX_EVIDENCE_CHARACTERS}`)
  }
  try {
    scanText(text)
    return JSON.parse(text)
  } catch (error) {
    if (isEvidenceError(error)) throw error
    return failEvidence('FORMAT_NOT_JSON', messageOf(error), error)
  }
}

/**
 * Depth, duplicate keys and too many values, before a parser recurses, drops one of them or keeps them all. Other
 * mistakes are left to the parser.
 */
function scanText(text: string): void {
  const open: (Set<string> | undefined)[] = []
  let isKeyDue = false
  // At least so many; the exact count comes with the values themselves.
  let values = 0
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const end = endOfString(text, at)
        if (isKeyDue) addKey(open.at(-1), text.slice(at, end + 1))
        isKeyDue = false
        at = end
        break
      }
      case 0x7b: // {
      case 0x5b: // [
        isKeyDue = text.charCodeAt(at) === 0x7b
        open.push(isKeyDue ? new Set() : undefined)
        if (++values > MAX_EVIDENCE_VALUES) failTooMany()
        if (open.length > MAX_EVIDENCE_DEPTH) failTooDeep()
        break
      case 0x7d: // }
      case 0x5d: // ]
        open.pop()
        if (isAfterOpening(text, at)) values--
        isKeyDue = false
        break
      case 0x2c: // ,
        if (++values > MAX_EVIDENCE_VALUES) failTooMany()
        isKeyDue = open.at(-1) !== undefined
        break
    }
  }
}

/** Whether the list or object that ends at `end` is empty. */
function isAfterOpening(text: string, end: number): boolean {
  let at = end - 1
  while (WHITE_SPACE.has(text.charCodeAt(at))) at--
  const code = text.charCodeAt(at)
  return code === 0x5b || code === 0x7b
}

function failTooMany(): never {
  return failEvidence('FORMAT_TOO_LARGE', `More than ${MAX_EVIDENCE_VALUES} values`)
}

function failTooDeep(): never {
  return failEvidence('FORMAT_TOO_DEEP', `Nested more than ${MAX_EVIDENCE_DEPTH} deep`)
}

/** Where the string that begins at `start` has its closing quote; the text's end when it has none. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let escapes = 0
    while (text.charCodeAt(at - 1 - escapes) === BACKSLASH) escapes++
    if (escapes % 2 === 0) return at
  }
  return text.length
}

function addKey(keys: Set<string> | undefined, quoted: string): void {
  const key = quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1)
  if (keys?.has(key)) failEvidence('FORMAT_DUPLICATE_KEY', `The key ${joinPath('', key)} stands twice in one object`)
  keys?.add(key)
}

// ------------------------------------------------------------------------------------------------------- values

interface Place {
  path: string
  depth: number
}

interface Budget {
  values: number
  characters: number
}

function spend(budget: Budget, cost: Budget): void {
  budget.values -= cost.values
  budget.characters -= cost.characters
  if (budget.values < 0) failTooMany()
  if (budget.characters < 0) failEvidence('FORMAT_TOO_LARGE', `More than ${MAX_EVIDENCE_CHARACTERS} characters`)
}

function failValue(place: Place, problem: string): never {
  return failEvidence('FORMAT_VALUE', `${place.path || 'The bundle'} ${problem}`)
}

function snapshot(value: unknown, place: Place, budget: Budget): unknown {
  spend(budget, { values: 1, characters: 0 })
  switch (typeof value) {
    case 'string':
      return checkString(value, place, budget)
    case 'number':
      return Number.isFinite(value) ? value : failValue(place, 'is no finite number')
    case 'boolean':
      return value
    case 'object':
      return value === null ? null : snapshotObject(value, place, budget)
    default:
      return failValue(place, `is of type ${typeof value}`)
  }
}

function checkString(text: string, place: Place, budget: Budget): string {
  spend(budget, { values: 0, characters: text.length })
  return LONE_SURROGATE.test(text) ? failValue(place, 'has half a character (a lone surrogate)') : text
}

function snapshotObject(value: object, place: Place, budget: Budget): unknown[] | JsonObject {
  const { path, depth } = place
  if (depth >= MAX_EVIDENCE_DEPTH) failTooDeep()
  if (Array.isArray(value)) {
    spend(budget, { values: value.length, characters: 0 })
    const innerDepth = depth + 1
    return Array.from(value, (item, at) => snapshot(item, { path: `${path}[${at}]`, depth: innerDepth }, budget))
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) failValue(place, 'is no plain object')
  return Object.fromEntries(
    Object.keys(value).map((key) => {
      const inner = { path: joinPath(path, key), depth: depth + 1 }
      checkString(key, inner, budget)
      return [key, snapshot((value as JsonObject)[key], inner, budget)]
    }),
  )
}
