/** One kind of event, told to its subscribers in the order of their subscription. */
export interface Hub<T> {
  emit(event: T): void
  /** The answer ends the subscription. */
  subscribe(listener: (event: T) => void): () => void
}

/**
 * A listener's exception must neither reach the emitter nor rob the other listeners: it goes to `onError`.
 */
export function createHub<T>(onError: (error: unknown) => void): Hub<T> {
  const listeners = new Set<(event: T) => void>()
  return {
    emit(event) {
      for (const listener of [...listeners]) {
        try {
          listener(event)
        } catch (error) {
          onError(error)
        }
      }
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
  }
}
