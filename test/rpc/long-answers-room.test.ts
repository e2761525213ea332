import { createLongAnswers } from '@songhua/node/rpc/long-answers'
import { RPC_LIMITS } from '@songhua/node/rpc/limits'
import type { Session } from '@songhua/node/rpc/method'
import { expect, it } from 'vitest'

const LENGTH = 100_000
const sessionOf = (client: string) => ({ client, isGone: () => false }) as Session

it('who has most of the places that are all taken makes room for who has none, and is told so', async () => {
  const answers = createLongAnswers({ ...RPC_LIMITS, longAnswersBytesMax: LENGTH, longAnswersWaitingMax: 2 })
  let finish: (text: string) => void = () => undefined
  const first = answers.make(sessionOf('flood'), LENGTH, () => new Promise((resolve) => (finish = resolve)))
  const ask = (client: string) => answers.make(sessionOf(client), LENGTH, () => client).then(({ text }) => text, (error: Error) => error.message)
  const waiting = [ask('flood'), ask('flood'), ask('honest')]
  await Promise.resolve()
  finish('first')
  await first
  const [one, two, honest] = await Promise.all(waiting)
  expect([one, two]).toEqual(['flood', expect.stringContaining('by your address more than by others')])
  expect(honest).toBe('honest')
  expect(answers.waiting).toBe(0)
})
