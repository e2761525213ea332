/**
 * Text from files and networks as a terminal may have it: what it would obey or hide stands there as an escape of
 * JSON, so that a line of JSON stays the JSON that it was.
 */

const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu
const UNSEEN_IN_LINES = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

function escapeOf(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}

/** A name or message within a line: line breaks are escaped too. */
export const visible = (text: string): string => text.replace(UNSEEN, escapeOf)

/** A text of lines: line breaks and tabs are its own. */
export const visibleLines = (text: string): string => text.replace(UNSEEN_IN_LINES, escapeOf)
