/** The end of a node: the first error after which it cannot go on, kept for whoever asks late. */
export interface Fatal {
  fail(error: unknown): void
  /** Called once, with the first error, also when it came before. */
  onFatal(listener: (error: unknown) => void): void
}

/** @param explain says in other words what went wrong; must not reject */
export function createFatal(explain: (error: unknown) => Promise<unknown>): Fatal {
  let tell: (error: unknown) => void
  const first = new Promise<unknown>((resolve) => (tell = resolve)).then(explain)
  return {
    fail: (error) => tell(error),
    onFatal: (listener) => void first.then(listener),
  }
}
