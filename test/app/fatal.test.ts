import { describe, expect, it } from 'vitest'
import { createFatal } from '@songhua/node/app/fatal'

const later = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0))

describe('the end of a node', () => {
  it('is told to whoever asks, before and after it came, with the first error alone', async () => {
    const fatal = createFatal((error) => Promise.resolve(error))
    const told: unknown[] = []
    fatal.onFatal((error) => told.push(['early', error]))
    await later()
    expect(told).toEqual([])
    fatal.fail('first')
    fatal.fail('second')
    fatal.onFatal((error) => told.push(['late', error]))
    await later()
    fatal.onFatal((error) => told.push(['last', error]))
    await later()
    expect(told).toEqual([['early', 'first'], ['late', 'first'], ['last', 'first']])
  })

  it('is told in the words of the one who explains it', async () => {
    const fatal = createFatal((error) => Promise.resolve(`explained: ${String(error)}`))
    fatal.fail('no space')
    const told = await new Promise((resolve) => fatal.onFatal(resolve))
    expect(told).toBe('explained: no space')
  })
})
