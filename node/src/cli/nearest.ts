/** Letters by which two words may differ and one still be meant for the other. */
const DISTANCE_MAX = 2

/** The known word that is most like `word`; undefined when none is like it. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const distances = known.map((one) => ({ one, distance: distanceOf(word, one) })).sort((a, b) => a.distance - b.distance)
  const [first] = distances
  return first !== undefined && first.distance <= DISTANCE_MAX ? first.one : undefined
}

/** Letters that must be put in, taken out or changed (Levenshtein). */
function distanceOf(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, at) => at)
  for (let i = 1; i <= left.length; i++) {
    const next = [i]
    for (let j = 1; j <= right.length; j++) {
      const change = row[j - 1]! + (left[i - 1] === right[j - 1] ? 0 : 1)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, change))
    }
    row = next
  }
  return row.at(-1)!
}
