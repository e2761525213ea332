/**
 * The one place where Node 20 is given what Node 22 has: libp2p 3 needs `Promise.withResolvers`.
 * Imported first by every entry point, worker and test set-up.
 */
interface Resolvers<T> {
  promise: Promise<T>
  resolve: (value: T | PromiseLike<T>) => void
  reject: (reason?: unknown) => void
}

function withResolvers<T>(): Resolvers<T> {
  let resolve!: Resolvers<T>['resolve']
  let reject!: Resolvers<T>['reject']
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

if (!('withResolvers' in Promise)) Object.assign(Promise, { withResolvers })

export {}
