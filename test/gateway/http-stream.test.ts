import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, createFixture, ISSUER, OTHER_ISSUER, type Fixture } from './http-fixture.js'

let fixture: Fixture
let token: string

beforeAll(async () => {
  fixture = await createFixture({ limits: { heartbeatMs: 50, streamsPerKeyMax: 3 } })
  ;({ token } = fixture.key())
})
afterAll(() => fixture.stop())

let made = 0
const emit = (issuer = ISSUER): string => {
  const recordId = `record-${++made}`
  fixture.engine.emit({ type: 'record.anchored', blockNumber: made, batchId: '0x01', schema: 'government.licence', recordId, issuer })
  return recordId
}

interface Stream {
  readonly status: number
  readonly text: () => string
  /** Of the events so far. */
  readonly ids: () => string[]
  readonly cursors: () => string[]
  readonly close: () => void
  readonly ended: Promise<void>
}

async function open(query = '', headers: Record<string, string> = {}, key = token): Promise<Stream> {
  const gone = new AbortController()
  const response = await fetch(`${fixture.url}/v1/stream${query}`, {
    headers: { authorization: `Bearer ${key}`, ...headers },
    signal: gone.signal,
  })
  let text = ''
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder()
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) text += decoder.decode(chunk, { stream: true })
  }
  const ended = read().catch(() => undefined)
  const all = (pattern: RegExp): string[] => [...text.matchAll(pattern)].map((match) => match[1]!)
  return {
    status: response.status,
    text: () => text,
    ids: () => all(/^data: (.*)$/gm).map((data) => (JSON.parse(data) as { recordId: string }).recordId),
    cursors: () => all(/^id: (.*)$/gm),
    close: () => gone.abort(),
    ended,
  }
}

describe('the stream', () => {
  it('begins now, and tells what comes', async () => {
    emit()
    const stream = await open()
    const next = [emit(), emit()]
    await expect.poll(stream.ids).toEqual(next)
    expect(stream.text()).toMatch(/^retry: \d+\n: cursor \d+\.0\n\n/)
    expect(stream.text()).toContain('event: record.anchored\n')
    stream.close()
  })

  it('begins with the first event when asked', async () => {
    const stream = await open('?cursor=0')
    await expect.poll(() => stream.ids().length).toBe(made)
    expect(stream.ids()[0]).toBe('record-1')
    stream.close()
  })

  it('resumes after a lost connection, with no gap and no event twice', async () => {
    const all: string[] = []
    const wanted: string[] = []
    let cursor: string | undefined
    for (let round = 0; round < 5; round++) {
      const stream = await open('', cursor === undefined ? {} : { 'last-event-id': cursor })
      const from = all.length
      for (let i = 0; i < 130; i++) wanted.push(emit())
      await expect.poll(() => stream.ids().length).toBeGreaterThan(round === 4 ? wanted.length - from - 1 : 20)
      all.push(...stream.ids())
      cursor = stream.cursors().at(-1)
      stream.close()
      await stream.ended
    }
    expect(all).toEqual(wanted)
  })

  it('keeps quiet connections alive', async () => {
    const stream = await open()
    await expect.poll(() => stream.text().match(/: heartbeat/g)?.length ?? 0).toBeGreaterThan(1)
    stream.close()
  })

  it('tells nothing of others, but to who may read all', async () => {
    const stream = await open('', {}, fixture.key(['records:read'], OTHER_ISSUER).token)
    const auditor = await open('', {}, fixture.key(['records:read-all'], OTHER_ISSUER).token)
    const theirs = emit(ISSUER)
    const own = emit(OTHER_ISSUER)
    await expect.poll(auditor.ids).toEqual([theirs, own])
    await expect.poll(stream.ids).toEqual([own])
    stream.close()
    auditor.close()
  })

  it('refuses a cursor that was never given out, while it can', async () => {
    const answer = await ask(`${fixture.url}/v1/stream?cursor=nonsense`, { token })
    expect([answer.status, answer.json.error.code]).toEqual([400, 'CURSOR_INVALID'])
  })

  it('tells a reader who is ahead of the feed that it was restored, instead of waiting in silence', async () => {
    for (const asked of [{ query: '?cursor=999999.0' }, { query: '', headers: { 'last-event-id': '999999.7' } }]) {
      const headers = { 'accept-language': 'zh', ...asked.headers }
      const answer = await ask(`${fixture.url}/v1/stream${asked.query}`, { token, headers })
      expect([answer.status, answer.json.error.code]).toEqual([410, 'CURSOR_AHEAD'])
      expect(answer.json.error.message).toContain('备份')
      expect(answer.json.error.details.last).toBe(made)
    }
  })

  it('bounds how many one key has open, and counts those that have gone no more', async () => {
    const key = fixture.key()
    const streams = [await open('', {}, key.token), await open('', {}, key.token), await open('', {}, key.token)]
    const refused = await ask(`${fixture.url}/v1/stream`, { token: key.token })
    expect([refused.status, refused.json.error.code]).toEqual([429, 'STREAMS_TOO_MANY'])
    for (const stream of streams) stream.close()
    await expect.poll(async () => {
      const again = await open('', {}, key.token)
      again.close()
      return again.status
    }).toBe(200)
  })

  it('ends with its key', async () => {
    const key = fixture.key()
    const stream = await open('', {}, key.token)
    fixture.revoke(key.id)
    emit()
    await stream.ended
    expect(stream.ids()).toEqual([])
  })

  it('holds no more than a page or two for a client that never reads', async () => {
    const { engine } = fixture
    let reads = 0
    const feed = { ...engine.feed, read: (...given: Parameters<typeof engine.feed.read>) => (reads++, engine.feed.read(...given)) }
    const own = await createFixture({ engine: { ...engine, feed } })
    for (let i = 0; i < 60_000; i++) emit()
    const key = own.key()
    const socket = connect(own.port, '127.0.0.1', () => {
      socket.write(`GET /v1/stream?cursor=0 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key.token}\r\n\r\n`)
    })
    socket.pause()
    await expect.poll(() => reads).toBeGreaterThan(2)
    let before = -1
    await expect.poll(() => {
      const isStill = reads === before
      before = reads
      return isStill
    }, { interval: 300, timeout: 20_000 }).toBe(true)
    // 60,000 events are 600 pages: what the sockets' buffers take is read, the rest is left where it is.
    expect(reads).toBeLessThan(500)
    socket.destroy()
    await own.stop()
  })
})
