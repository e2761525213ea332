export const isJsonObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A step of a JSON pointer. */
export function pointerStep(key: string | number): string {
  const text = String(key)
  return /[~/]/.test(text) ? `/${text.replaceAll('~', '~0').replaceAll('/', '~1')}` : `/${text}`
}

/** Present as JSON sees it: a property that is undefined is absent. */
export const hasField = (object: Record<string, unknown>, key: string): boolean =>
  Object.hasOwn(object, key) && object[key] !== undefined

/** Whether nesting goes deeper than that many levels. */
export function isDeeper(value: unknown, levels: number): boolean {
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
