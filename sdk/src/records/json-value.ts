export const isJsonObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Of a name that came from outside, in paths and messages: what is not a name at all is not told in full. */
export const SHOWN_CHARACTERS_MAX = 128

/** A text from outside as messages quote it: its beginning, and `…` where there is more. */
export function shorten(text: string): string {
  if (text.length <= SHOWN_CHARACTERS_MAX) return text
  // A pair of surrogates stays whole.
  return `${text.slice(0, SHOWN_CHARACTERS_MAX).replace(/[\ud800-\udbff]$/, '')}…`
}

/** A step of a JSON pointer; of a key that is no name, the beginning. */
export function pointerStep(key: string | number): string {
  const text = shorten(String(key))
  return /[~/]/.test(text) ? `/${text.replaceAll('~', '~0').replaceAll('/', '~1')}` : `/${text}`
}

/** Present as JSON sees it: a property that is undefined is absent. */
export const hasField = (object: Record<string, unknown>, key: string): boolean =>
  Object.hasOwn(object, key) && object[key] !== undefined

/** What a table holds under a name that came from outside; names that every object inherits are not in it. */
export const entryOf = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined

/** Levels of nesting, and values: the value itself, all members of objects and all entries of lists. */
export interface SizeBounds {
  readonly levels: number
  readonly values: number
}

const TOO_MANY = -1
const TOO_DEEP = -2

/** The bound that a value breaks first. A list or object is counted before any of its entries is looked at. */
export function brokenBound(value: unknown, { levels, values }: SizeBounds): keyof SizeBounds | undefined {
  const left = valuesLeft(value, levels, values - 1)
  return left === TOO_DEEP ? 'levels' : left === TOO_MANY ? 'values' : undefined
}

function valuesLeft(value: unknown, levels: number, max: number): number {
  if (typeof value !== 'object' || value === null) return max
  if (levels === 0) return TOO_DEEP
  const inner: readonly unknown[] = Array.isArray(value) ? value : Object.values(value)
  let left = max - inner.length
  if (left < 0) return TOO_MANY
  for (let i = 0; i < inner.length; i++) {
    const one = inner[i]
    if (typeof one !== 'object' || one === null) continue
    left = valuesLeft(one, levels - 1, left)
    if (left < 0) return left
  }
  return left
}

/** Whether nesting goes deeper than that many levels. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  for (const inner of Object.values(value)) if (isDeeper(inner, levels - 1)) return true
  return false
}

/** JSON pointer to where it does. */
export function deeperPath(value: unknown, levels: number): string {
  if (levels === 0 || typeof value !== 'object' || value === null) return ''
  const deep = Object.entries(value).find(([, inner]) => isDeeper(inner, levels - 1))
  return deep === undefined ? '' : pointerStep(deep[0]) + deeperPath(deep[1], levels - 1)
}
