import { type Server, type Socket, connect, createServer } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sleep, until } from '../support/devnet.js'
import { type Links, createLinks } from './links.js'
import { reset } from './pipe.js'

/** Long enough for a byte to cross a machine, were it let through. */
const WATCH_MS = 150

interface End {
  socket: Socket
  received: string
  ending: 'open' | 'closed' | 'reset'
}

let links: Links
let server: Server
/** What node 1 has accepted. */
let accepted: End[]

function watch(socket: Socket): End {
  const end: End = { socket, received: '', ending: 'open' }
  socket.on('data', (chunk: Buffer) => (end.received += chunk.toString()))
  socket.on('error', () => (end.ending = 'reset'))
  socket.on('close', (hadError) => (end.ending = hadError ? 'reset' : 'closed'))
  return end
}

const dial = (): End => watch(connect(links.port(0, 1), '127.0.0.1'))

async function pair(): Promise<[End, End]> {
  const dialler = dial()
  dialler.socket.write('hello ')
  const target = await until('the connection', () => accepted.at(-1))
  await until('the first bytes', () => target.received === 'hello ')
  return [dialler, target]
}

beforeEach(async () => {
  accepted = []
  links = await createLinks(2)
  server = createServer((socket) => accepted.push(watch(socket)))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  links.route(1, (server.address() as { port: number }).port)
})

afterEach(async () => {
  for (const { socket } of accepted) socket.destroy()
  await links.close()
  await new Promise((done) => server.close(done))
})

describe('a link', () => {
  it('carries bytes both ways and the end of a stream', async () => {
    const [dialler, target] = await pair()
    target.socket.write('answer')
    await until('the answer', () => dialler.received === 'answer')
    dialler.socket.end()
    await until('both ends', () => dialler.ending === 'closed' && target.ending === 'closed')
    expect(links.connections()).toBe(0)
  })

  it('that is held one way delivers nothing that way, all of it later in order, and the other way at once', async () => {
    const [dialler, target] = await pair()
    const lift = links.impose({ kind: 'hold', from: 0, to: 1 })
    dialler.socket.write('1')
    dialler.socket.write('2')
    target.socket.write('other way')
    await until('the other way', () => dialler.received === 'other way')
    await sleep(WATCH_MS)
    expect(target.received).toBe('hello ')
    lift()
    await until('what was held', () => target.received === 'hello 12')
  })

  it('holds what the target of a dial sends, too', async () => {
    const [dialler, target] = await pair()
    const lift = links.impose({ kind: 'hold', from: 1, to: 0 })
    target.socket.write('late')
    await sleep(WATCH_MS)
    expect(dialler.received).toBe('')
    lift()
    await until('what was held', () => dialler.received === 'late')
  })

  it('that is cut resets what there is and refuses what comes, until it is healed', async () => {
    const [dialler, target] = await pair()
    const lift = links.impose({ kind: 'cut', a: 1, b: 0 })
    await until('the reset', () => dialler.ending === 'reset' && target.ending === 'reset')
    const refused = dial()
    await until('the refusal', () => refused.ending !== 'open')
    expect(accepted).toHaveLength(1)
    lift()
    await pair()
  })

  it('delays, and keeps the order when the delay ends', async () => {
    const [dialler, target] = await pair()
    const lift = links.impose({ kind: 'delay', from: 0, to: 1, delayMs: 2 * WATCH_MS })
    dialler.socket.write('1')
    await sleep(WATCH_MS)
    expect(target.received).toBe('hello ')
    lift()
    dialler.socket.write('2')
    await until('both', () => target.received === 'hello 12')
  })

  it('that is half open tells one side and leaves the other with nobody, until it is told', async () => {
    const [dialler, target] = await pair()
    const tell = links.halve(0, 1, 0)
    await until('the side that is told', () => dialler.ending === 'reset')
    target.socket.write('into the void')
    await sleep(WATCH_MS)
    expect([target.ending, dialler.received]).toEqual(['open', ''])
    tell()
    await until('the other', () => target.ending === 'reset')
  })

  it('leaves no handle behind of a socket that is reset while it shuts down', async () => {
    const handles = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
    const before = handles()
    const { socket } = dial()
    await until('the connection', () => accepted.length === 1)
    socket.write('last words')
    socket.end()
    reset(socket)
    await until('the handles to be gone', () => handles() === before)
  })

  it('to a node that does not run is reset', async () => {
    await new Promise((done) => server.close(done))
    const dialler = dial()
    await until('the reset', () => dialler.ending === 'reset')
  })
})
