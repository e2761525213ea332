/** Streams with back-pressure: the source is read only as fast as its results are taken. */

export type Source<T> = Iterable<T> | AsyncIterable<T>

export interface GroupOptions {
  /** Items in a group. */
  readonly size: number
  /** How long a group waits for more after its first item, ms. */
  readonly delayMs: number
}

type Next<T> = Promise<IteratorResult<T>>

/** Groups of a source, in order: full ones, and smaller ones where the source is slow or at its end. */
export async function* groupsOf<T>(source: Source<T>, options: GroupOptions): AsyncGenerator<T[], void> {
  if (!isAsync(source)) return yield* groupsOfReady(source, options.size)
  const iterator = source[Symbol.asyncIterator]()
  let next: Next<T> | undefined
  let isDone = false
  try {
    while (!isDone) {
      const group: T[] = []
      const deadline = createDeadline(options.delayMs)
      while (group.length < options.size) {
        next ??= iterator.next()
        const taken = await (group.length === 0 ? next : Promise.race([next, deadline.over()]))
        if (taken === undefined) break
        next = undefined
        isDone = taken.done === true
        if (taken.done === true) break
        group.push(taken.value)
      }
      deadline.stop()
      if (group.length > 0) yield group
    }
  } finally {
    // A generator that still owes an item ends only after it; whoever leaves early does not wait for that.
    if (!isDone) void iterator.return?.(undefined).catch(() => undefined)
  }
}

const isAsync = <T>(source: Source<T>): source is AsyncIterable<T> => Symbol.asyncIterator in source

function* groupsOfReady<T>(source: Iterable<T>, size: number): Generator<T[], void> {
  let group: T[] = []
  for (const item of source) {
    if (group.push(item) < size) continue
    yield group
    group = []
  }
  if (group.length > 0) yield group
}

/** The clock starts when it is first asked. */
function createDeadline(delayMs: number): { over(): Promise<undefined>; stop(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined
  let over: Promise<undefined> | undefined
  return {
    over: () => (over ??= new Promise((resolve) => (timer = setTimeout(() => resolve(undefined), delayMs)))),
    stop: () => clearTimeout(timer),
  }
}

export interface MapOptions<T, R> {
  /** Tasks at one time. */
  readonly concurrency: number
  readonly run: (item: T, signal: AbortSignal) => Promise<R>
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs a task for each item, so many at a time, and gives the results in the order of the source. When a task or the
 * source fails, the results before it are still given. Whoever leaves early aborts the signal of the tasks.
 */
export async function* mapInOrder<T, R>(source: AsyncIterable<T>, options: MapOptions<T, R>): AsyncGenerator<R> {
  const stop = new AbortController()
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, options.signal])
  const iterator = source[Symbol.asyncIterator]()
  const running: Promise<R>[] = []
  let next: Next<T> | undefined
  let hasEnded = false
  try {
    while (!hasEnded || running.length > 0) {
      if (!hasEnded && running.length < options.concurrency) next ??= handled(iterator.next())
      if (next === undefined || (await isFirst(running[0], next))) {
        yield await running.shift()!
        continue
      }
      const taken = await next.catch((error: unknown) => ({ done: true as const, value: undefined, error }))
      next = undefined
      if (taken.done !== true) running.push(handled(options.run(taken.value, signal)))
      else hasEnded = true
      if ('error' in taken) {
        while (running.length > 0) yield await running.shift()!
        throw taken.error
      }
    }
  } finally {
    stop.abort(new DOMException('The stream of records was left', 'AbortError'))
    const ended = iterator.return?.(undefined)
    if (next === undefined) await ended
    else ended?.catch(() => undefined)
  }
}

/** Its failure is thrown in its turn; until then it is not an unhandled one. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}

/** Which of the two is settled first; a result before an item when both are. */
function isFirst(result: Promise<unknown> | undefined, item: Promise<unknown>): Promise<boolean> {
  const yes = (): boolean => true
  const no = (): boolean => false
  return Promise.race([...(result === undefined ? [] : [result.then(yes, yes)]), item.then(no, no)])
}

/**
 * Lets the rest of the program run when this has had the thread for `sliceMs`. Long work calls it between its steps.
 */
export function createTurns(sliceMs: number): () => Promise<void> | undefined {
  let since = performance.now()
  return () => {
    if (performance.now() - since < sliceMs) return undefined
    return nextTurn().then(() => {
      since = performance.now()
    })
  }
}

function nextTurn(): Promise<void> {
  const immediate = (globalThis as { setImmediate?: (run: () => void) => unknown }).setImmediate
  return new Promise((resolve) => void (immediate === undefined ? setTimeout(resolve) : immediate(resolve)))
}
