import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { GATEWAY_LIMITS } from '@songhua/node/gateway/limits'
import { until } from '../support/devnet.js'
import { LICENCE } from '../records/samples.js'
import { ask, createFixture, type Fixture, OTHER_ISSUER } from './http-fixture.js'

let fixture: Fixture
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await fixture.stop()
})

const open = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket))
    sockets.push(socket.on('error', reject))
  })
const closedOf = (some: readonly Socket[]): number => some.filter(({ destroyed, readableEnded }) => destroyed || readableEnded).length
/** A client whose socket is closed as soon as it is open may wait for ever. */
const isUp = async (): Promise<boolean> =>
  (await fetch(`${fixture.url}/v1/status`, { signal: AbortSignal.timeout(500) })).status === 200

describe('sockets', () => {
  it('of one address are so many and no more, and others get in', async () => {
    fixture = await createFixture({ limits: { connectionsPerAddressMax: 3 } })
    const some = await Promise.all(Array.from({ length: 6 }, () => open(fixture.port)))
    for (const socket of some) socket.resume()
    await until('the surplus to be closed', () => closedOf(some) === 3)
    for (const socket of some) socket.destroy()
    await until('it to answer', isUp)
  })

  it('that say nothing are closed', async () => {
    fixture = await createFixture({ limits: { headersReceiveMs: 200, receiveCheckMs: 50 } })
    const some = await Promise.all(Array.from({ length: 4 }, () => open(fixture.port)))
    for (const socket of some) socket.resume()
    await until('the silent ones to be closed', () => closedOf(some) === 4)
    expect(await isUp()).toBe(true)
  })
})

describe('a body', () => {
  it('of more values than there may be is refused before it is parsed', async () => {
    fixture = await createFixture({ limits: { jsonValuesMax: 1000 } })
    const { token } = fixture.key()
    const body = { records: Array.from({ length: 1001 }, () => ({})) }
    const refused = await ask(`${fixture.url}/v1/records`, { token, body })
    expect([refused.status, refused.json.error.code]).toEqual([413, 'JSON_TOO_MANY_VALUES'])
    expect(refused.json.error.details.limit).toBe(1000)
  })

  it('of many bad records comes back with each row, and no more violations than anybody reads', async () => {
    fixture = await createFixture()
    const { token } = fixture.key()
    const bad = { schema: 'government.licence', payload: {} }
    const refused = await ask(`${fixture.url}/v1/records`, { token, body: { records: Array.from({ length: 500 }, () => bad) } })
    expect([refused.status, refused.json.error.code]).toEqual([422, 'SUBMISSION_REFUSED'])
    const rows = refused.json.error.rows as unknown as { row: number; violations: unknown[] }[]
    expect(rows.map(({ row }) => row)).toEqual(Array.from({ length: 500 }, (_, at) => at + 1))
    const told = rows.reduce((sum, { violations }) => sum + violations.length, 0)
    expect(told).toBe(GATEWAY_LIMITS.violationsMax)
    expect(rows[0]!.violations.length).toBeGreaterThan(5)
    // The rest is counted.
    const each = rows[0]!.violations.length
    expect(rows.at(-1)).toMatchObject({ violations: [], moreViolations: each })
  })
})

describe('what the caller may not have', () => {
  it('is the payload of another issuer, unless a scope of its own says so', async () => {
    fixture = await createFixture()
    const { token } = fixture.key()
    const accepted = await ask(`${fixture.url}/v1/records`, { token, body: { schema: 'government.licence', payload: LICENCE } })
    const payloadFor = async (...scopes: Parameters<Fixture['key']>[0] & object) =>
      ask(`${fixture.url}/v1/records/${accepted.json.id}/payload`, { token: fixture.key(scopes, OTHER_ISSUER).token })
    expect((await payloadFor('payload:read')).status).toBe(404)
    const seen = await payloadFor('payload:read', 'records:read-all')
    expect([seen.status, seen.json.error.code, seen.json.error.details.scope]).toEqual([403, 'SCOPE_MISSING', 'payload:read-all'])
    expect((await payloadFor('payload:read', 'records:read-all', 'payload:read-all')).status).toBe(200)
  })
})

describe('a disk that cannot be written', () => {
  it.each(['STORE_WRITE_FAILED', 'KEY_RING_IO'])('is told as what it is, with a time to come back: %s', async (code) => {
    fixture = await createFixture({
      parts: { intake: { accept: () => Promise.reject(new CodedError(code, 'no space left on device')), anchored: () => Promise.resolve(false) } },
    })
    const { token } = fixture.key()
    const refused = await ask(`${fixture.url}/v1/records`, { token, body: { schema: 'government.licence', payload: LICENCE } })
    expect([refused.status, refused.json.error.code, refused.headers.get('retry-after')]).toEqual([503, 'GATEWAY_STORAGE', '5'])
    expect(JSON.stringify(refused.json)).not.toContain('no space')
  })
})
