import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { type Remote, type RemoteHandlers, type RemoteLine, createRemote } from '@songhua/node/base/remote'

const channels: MessageChannel[] = []
afterEach(() => channels.splice(0).forEach(({ port1 }) => port1.close()))

const lineOf = (port: MessagePort): RemoteLine => ({
  send: (message) => port.postMessage(message),
  onMessage: (listener) => void port.on('message', listener),
})

function connect(here: RemoteHandlers, there: RemoteHandlers): [Remote, Remote] {
  const channel = new MessageChannel()
  channels.push(channel)
  return [createRemote(lineOf(channel.port1), here), createRemote(lineOf(channel.port2), there)]
}

describe('calls between processes or threads', () => {
  it('go both ways, with bytes and big numbers', async () => {
    const [here, there] = connect(
      { double: (n: bigint) => n * 2n },
      { join: (a: Uint8Array, b: Uint8Array) => new Uint8Array([...a, ...b]) },
    )
    expect(await here.call('join', Uint8Array.of(1), Uint8Array.of(2))).toEqual(Uint8Array.of(1, 2))
    expect(await there.call('double', 2n ** 70n)).toBe(2n ** 71n)
  })

  it('are answered each by its own answer, whatever their order', async () => {
    const [here] = connect({}, { later: (ms: number) => new Promise((resolve) => setTimeout(() => resolve(ms), ms)) })
    expect(await Promise.all([30, 1, 15].map((ms) => here.call('later', ms)))).toEqual([30, 1, 15])
  })

  it('bring coded errors with their details', async () => {
    const refuse = (): never => {
      throw new CodedError('FIELD_BAD', 'the field is bad', { details: { field: 'x' } })
    }
    const [here] = connect({}, { refuse })
    await expect(here.call('refuse')).rejects.toMatchObject({ code: 'FIELD_BAD', details: { field: 'x' } })
  })

  it('tell of a bug on the other side, and of an unknown name', async () => {
    const bug = (): never => {
      throw new TypeError('oops')
    }
    const [here] = connect({}, { bug })
    await expect(here.call('bug')).rejects.toMatchObject({ code: 'REMOTE_FAILED', message: expect.stringContaining('oops') as string })
    await expect(here.call('toString')).rejects.toMatchObject({ code: 'REMOTE_FAILED' })
  })

  it('fail when the line is closed, those under way and later ones', async () => {
    const [here] = connect({}, { never: () => new Promise(() => undefined) })
    const waiting = here.call('never')
    here.close('the gateway stopped')
    await expect(waiting).rejects.toMatchObject({ code: 'REMOTE_CLOSED', message: 'the gateway stopped' })
    await expect(here.call('never')).rejects.toMatchObject({ code: 'REMOTE_CLOSED' })
  })
})
