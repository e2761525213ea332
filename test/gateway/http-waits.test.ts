import { connect, type Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LICENCE } from '../records/samples.js'
import { type Answer, ask, createFixture, type Fixture, type FixtureOptions } from './http-fixture.js'

const BODY = { schema: 'government.licence', payload: LICENCE }

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
const heldBytes = (): number => {
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

let fixture: Fixture
const open = async (limits: FixtureOptions['limits'] = {}): Promise<void> => {
  fixture = await createFixture({ limits })
  fixture.engine.isAutomatic = false
}
let pending: Promise<Answer>[]
beforeEach(() => {
  pending = []
})
afterEach(async () => {
  fixture.engine.anchor()
  await Promise.all(pending)
  await fixture.stop()
})
const wait = (token: string, body: unknown, query = ''): Promise<Answer> => {
  const answer = ask(`${fixture.url}/v1/records?wait=final${query}`, { token, body })
  pending.push(answer)
  return answer
}
const waiting = (count: number) => expect.poll(() => fixture.engine.waits.size, { timeout: 20_000 }).toBe(count)

describe('who waits for the chain', () => {
  it('holds ids and refusals, and nothing of the body', { timeout: 60_000 }, async () => {
    await open()
    const { token } = fixture.key()
    const junk = { schema: 'x', payload: ['中'.repeat(500_000)] }
    // One for all, so that what is held is held by the gateway.
    const body = Buffer.from(JSON.stringify({ records: [BODY, ...Array.from({ length: 5 }, () => junk)] }))
    const send = (): Socket => {
      const socket = connect(fixture.port, '127.0.0.1')
      const path = '/v1/records?wait=final&waitMs=60000&partial=true'
      const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`
      socket.write(`${head}Content-Length: ${body.length}\r\n\r\n`)
      socket.write(body)
      return socket
    }
    // What is loaded or compiled once is there afterwards.
    const sockets = [send()]
    await waiting(1)
    const before = heldBytes()
    for (let sent = 2; sent <= 9; sent++) {
      sockets.push(send())
      await waiting(sent)
    }
    await expect.poll(() => heldBytes() - before, { timeout: 10_000 }).toBeLessThan(body.length)
    for (const socket of sockets) socket.destroy()
    await waiting(0)
  })

  it('is told of bad records, but of no more violations than anybody reads', async () => {
    await open()
    const { token } = fixture.key()
    const bad = { schema: 'government.licence', payload: {} }
    const { status, json } = await wait(token, { records: [BODY, ...Array.from({ length: 300 }, () => bad)] }, '&partial=true&waitMs=1')
    expect([status, json.records.length]).toEqual([202, 301])
    const told = json.records.slice(1).map(({ error }) => error.violations.length)
    expect([told.reduce((sum, one) => sum + one, 0), told.at(-1)]).toEqual([1000, 0])
    expect(json.records.at(-1)).toMatchObject({ error: { code: 'RECORD_INVALID', moreViolations: told[0] }, row: 301 })
  })

  it('is one of so many of his key, and others wait beside them', async () => {
    await open({ waitsPerKeyMax: 1 })
    const [first, second] = [fixture.key(), fixture.key()]
    void wait(first.token, BODY)
    await waiting(1)
    expect((await wait(first.token, BODY)).status).toBe(202)
    void wait(second.token, BODY)
    await waiting(2)
  })

  it('waits for so many records of his key', async () => {
    await open({ waitRecordsPerKeyMax: 2 })
    const { token } = fixture.key()
    expect((await wait(token, { records: [BODY, BODY, BODY] })).status).toBe(202)
    void wait(token, { records: [BODY, BODY] })
    await waiting(1)
    expect((await wait(token, BODY)).status).toBe(202)
  })
})
