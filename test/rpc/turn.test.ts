import { describe, expect, it } from 'vitest'
import { createTurns, takeTurn } from '@songhua/node/rpc/turn'

const burn = (ms: number): void => {
  const end = performance.now() + ms
  while (performance.now() < end);
}

describe('turns of the thread', () => {
  it('serve each asker once before any asks again', async () => {
    const [flood, honest] = [{}, {}]
    const order: string[] = []
    const asked = [
      ...Array.from({ length: 50 }, () => takeTurn(flood, 'client').then(() => order.push('flood'))),
      takeTurn(honest, 'client').then(() => order.push('honest')),
    ]
    await Promise.all(asked)
    expect(order).toHaveLength(51)
    expect(order.indexOf('honest')).toBeLessThan(3)
  })

  it('serve each client once before any asks again, however many askers it has', async () => {
    const order: string[] = []
    const flood = Array.from({ length: 50 }, () => takeTurn({}, 'flood').then(() => order.push('flood')))
    await Promise.all([...flood, takeTurn({}, 'honest').then(() => order.push('honest'))])
    expect(order).toHaveLength(51)
    expect(order.indexOf('honest')).toBeLessThan(3)
  })

  it('let other work in between, however many wait', async () => {
    let done = 0
    let doneBeforeOthers: number | undefined
    setImmediate(() => (doneBeforeOthers = done))
    const askers = Array.from({ length: 200 }, async () => {
      await takeTurn({}, 'client')
      burn(1)
      done++
    })
    await Promise.all(askers)
    expect(doneBeforeOthers).toBeLessThan(50)
  })

  it('are shared by long loops that run at a time', async () => {
    let stretches = 0
    let stretchesBeforeOthers: number | undefined
    const loops = Array.from({ length: 40 }, async () => {
      const turn = createTurns()
      for (let at = 0; at < 3; at++) {
        burn(6)
        await turn()
        stretches++
      }
    })
    setImmediate(() => setImmediate(() => (stretchesBeforeOthers = stretches)))
    await Promise.all(loops)
    expect(stretchesBeforeOthers).toBeLessThan(20)
  })
})
