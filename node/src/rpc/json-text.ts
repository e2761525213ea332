/** A result that is in words already: made piece by piece, or by another thread. */
export class JsonText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** An array of what is in words. */
export const listOfTexts = (texts: readonly string[]): string => `[${texts.join(',')}]`

/** An object of what is in words; the keys are the node's own and need no escape. */
export const objectOfTexts = (members: Iterable<readonly [string, string]>): string =>
  `{${Array.from(members, ([key, text]) => `"${key}":${text}`).join(',')}}`
