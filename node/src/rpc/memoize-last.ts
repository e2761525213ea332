/** Remembers the answer for the last argument only: one event told to many listeners is put into words once. */
export function memoizeLast<A extends object, R>(answer: (argument: A) => R): (argument: A) => R {
  let last: { argument: A; result: R } | undefined
  return (argument) => {
    if (last?.argument !== argument) last = { argument, result: answer(argument) }
    return last.result
  }
}
