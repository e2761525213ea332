import { messageOf } from '@songhua/sdk/protocol/errors'
import { unreachable } from '../base/assert.js'
import type { Clock } from '../base/clock.js'
import { type FrameChannel, createFrameChannel } from './channel.js'
import { type ControlMessage, type Head, type Hello, checkHello, decodeControl, encodeControl } from './control.js'
import { type GoodbyeCode, networkError } from './errors.js'
import { CHANNELS, type Channel, type NetworkLimits } from './limits.js'
import type { PeerIdentity } from './peer-id.js'
import { type Requests, createRequests } from './requests.js'
import type { Link, Wire } from './transport.js'

const PREFIX = '/songhua/1'
export const CONTROL_PROTOCOL = `${PREFIX}/control`
export const protocolOf = (channel: Channel): string => `${PREFIX}/${channel}`
export const PROTOCOLS: readonly string[] = [CONTROL_PROTOCOL, ...CHANNELS.map(protocolOf)]

export interface SessionOptions {
  readonly link: Link
  readonly peer: PeerIdentity
  /** The side with the lower peer id settles which of two connections stays. */
  readonly isArbiter: boolean
  readonly limits: NetworkLimits
}

/** What a session asks of the node and tells it. */
export interface SessionPorts {
  readonly clock: Clock
  ownHello(session: Session): Hello
  /** After both hellos agree: a reason not to go on. The arbiter ends an older session here. */
  judge(session: Session, hello: Hello): { code: GoodbyeCode; message: string } | undefined
  onUp(session: Session): void
  onMessage(session: Session, channel: Channel, payload: Uint8Array): void
  onHead(session: Session): void
  /** `code` is why; `byPeer` whether the peer said so. Told once. */
  onEnd(session: Session, end: { code: string; message: string; byPeer: boolean }): void
  handleRequest(session: Session, body: Uint8Array): Promise<Uint8Array>
  count(name: string, amount?: number): void
}

/** One connection from its first byte to its end: handshake, then three channels. */
export interface Session {
  readonly peer: PeerIdentity
  readonly link: Link
  readonly startedMs: number
  /** Set with the handshake; its head follows the peer's announcements. */
  hello(): Hello | undefined
  isUp(): boolean
  /** From the moment that both sides agreed. */
  isAccepted(): boolean
  rttMs(): number | undefined
  clockAheadMs(): number | undefined
  attachWire(wire: Wire): void
  send(channel: Channel, payload: Uint8Array, kind?: number): boolean
  request(body: Uint8Array, timeoutMs: number): Promise<Uint8Array>
  announceHead(head: Head): void
  queuedBytes(): number
  /** Tells the peer why, then ends the connection. */
  end(code: GoodbyeCode, message: string): void
}

type Phase = 'greeting' | 'accepted' | 'up' | 'ended'

export function createSession(options: SessionOptions, ports: SessionPorts): Session {
  const session = new PeerSession(options, ports)
  session.open()
  return session
}

class PeerSession implements Session {
  readonly peer: PeerIdentity
  readonly link: Link
  readonly startedMs: number
  readonly #options: SessionOptions
  readonly #ports: SessionPorts
  readonly #channels = new Map<Channel, FrameChannel>()
  readonly #timers = new Set<() => void>()
  #phase: Phase = 'greeting'
  #hello: Hello | undefined
  #sentAccept = false
  #gotAccept = false
  #control: FrameChannel | undefined
  #requests: Requests | undefined
  #heardMs: number
  #rttMs: number | undefined
  #clockAheadMs: number | undefined
  #ping: { nonce: number; sentMs: number } | undefined

  constructor(options: SessionOptions, ports: SessionPorts) {
    this.peer = options.peer
    this.link = options.link
    this.startedMs = ports.clock.now()
    this.#heardMs = this.startedMs
    this.#options = options
    this.#ports = ports
  }

  open(): void {
    const { handshakeMs } = this.#options.limits
    this.#later(handshakeMs, () => {
      if (!this.isUp()) this.end('HANDSHAKE_TIMEOUT', `the handshake took longer than ${handshakeMs} ms`)
    })
    this.link.onClose((message, breach) => {
      const lost = this.#hello === undefined ? 'CLOSED_BEFORE_HANDSHAKE' : 'CONNECTION_LOST'
      this.#finish({ code: breach ?? lost, message, byPeer: breach === undefined })
      this.#control?.stop()
    })
    if (this.link.direction === 'outbound') void this.#openControl()
  }

  hello(): Hello | undefined {
    return this.#hello
  }

  isUp(): boolean {
    return this.#phase === 'up'
  }

  isAccepted(): boolean {
    return this.#phase === 'up' || this.#phase === 'accepted'
  }

  rttMs(): number | undefined {
    return this.#rttMs
  }

  clockAheadMs(): number | undefined {
    return this.#clockAheadMs
  }

  queuedBytes(): number {
    return [...this.#channels.values()].reduce((sum, channel) => sum + channel.queuedBytes(), 0)
  }

  attachWire(wire: Wire): void {
    if (this.#phase === 'ended') return
    if (wire.protocol === CONTROL_PROTOCOL) this.#attachControl(wire)
    else this.#attachChannel(wire)
  }

  send(channel: Channel, payload: Uint8Array, kind?: number): boolean {
    if (this.#phase !== 'up') return false
    if (channel === 'blocks') return this.#requests!.tell(payload)
    return this.#channels.get(channel)!.send(payload, kind)
  }

  request(body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    if (this.#phase === 'up') return this.#requests!.ask(body, timeoutMs)
    return Promise.reject(networkError('PEER_NOT_CONNECTED', `the peer ${this.peer.id} is not connected`))
  }

  announceHead(head: Head): void {
    if (this.#phase === 'up') this.#say({ type: 'head', head })
  }

  end(code: GoodbyeCode, message: string): void {
    if (this.#phase === 'ended') return
    this.#say({ type: 'goodbye', code, message })
    // A closing stream takes nothing more.
    this.#control?.flush()
    this.#finish({ code, message, byPeer: false })
    void this.link.close().finally(() => this.#control?.stop())
  }

  #finish(end: { code: string; message: string; byPeer: boolean }): void {
    if (this.#phase === 'ended') return
    this.#phase = 'ended'
    for (const cancel of this.#timers) cancel()
    this.#requests?.stop()
    for (const channel of this.#channels.values()) channel.stop()
    this.#ports.onEnd(this, end)
  }

  #later(delayMs: number, run: () => void): void {
    const cancel = this.#ports.clock.after(delayMs, () => {
      this.#timers.delete(cancel)
      run()
    })
    this.#timers.add(cancel)
  }

  #say(message: ControlMessage): void {
    this.#control?.send(encodeControl(message))
  }

  async #openControl(): Promise<void> {
    try {
      this.attachWire(await this.link.openWire(CONTROL_PROTOCOL))
    } catch (error) {
      this.#finish({ code: 'CLOSED_BEFORE_HANDSHAKE', message: messageOf(error), byPeer: true })
      this.link.abort('the control stream could not be opened')
    }
  }

  #channelOver(wire: Wire, onFrame: (payload: Uint8Array) => void): FrameChannel {
    const { limits } = this.#options
    const name = wire.protocol.slice(PREFIX.length + 1)
    const stream = name === 'control' ? limits.control : limits.channels[name as Channel]
    wire.onClose(() => {
      // A kept-open stream that ends takes the connection with it; the redial loop builds a whole one.
      if (this.#phase !== 'ended' && this.link.isOpen()) this.link.abort(`the ${name} stream has ended`)
    })
    return createFrameChannel(
      { name, wire, stream, limits },
      {
        clock: this.#ports.clock,
        count: (name, amount) => this.#ports.count(name, amount),
        onFault: (code, message) => this.end(code, message),
        onFrame: (payload) => {
          this.#heardMs = this.#ports.clock.now()
          if (this.#phase !== 'ended') onFrame(payload)
        },
      },
    )
  }

  #attachControl(wire: Wire): void {
    if (this.#control !== undefined) return this.end('PROTOCOL_VIOLATION', 'a second control stream was opened')
    this.#control = this.#channelOver(wire, (payload) => this.#onControl(decodeControl(payload)))
    this.#say({ type: 'hello', hello: this.#ports.ownHello(this) })
    this.#control.start()
  }

  #attachChannel(wire: Wire): void {
    const channel = CHANNELS.find((name) => protocolOf(name) === wire.protocol)
    if (channel === undefined || this.#phase !== 'accepted' || this.#channels.has(channel)) {
      return this.end('PROTOCOL_VIOLATION', `the stream ${wire.protocol} was opened before the handshake or twice`)
    }
    const frames = this.#channelOver(wire, (payload) => {
      if (channel === 'blocks') this.#requests!.onFrame(payload)
      else this.#ports.onMessage(this, channel, payload)
    })
    this.#channels.set(channel, frames)
    if (channel === 'blocks') this.#requests = this.#requestsOver(frames)
    if (this.#channels.size === CHANNELS.length) this.#goUp()
  }

  #requestsOver(frames: FrameChannel): Requests {
    return createRequests(this.#options.limits.requestsInFlightMax, {
      clock: this.#ports.clock,
      count: (name) => this.#ports.count(name),
      handle: (body) => this.#ports.handleRequest(this, body),
      send: (frame) => frames.send(frame),
      queuedBytes: () => frames.queuedBytes(),
      onMessage: (body) => this.#ports.onMessage(this, 'blocks', body),
    })
  }

  #goUp(): void {
    this.#phase = 'up'
    this.#watchSilence()
    // The first round trip, and how far the two clocks are apart, are known at once.
    this.#sayPing()
    this.#ports.onUp(this)
    for (const channel of this.#channels.values()) channel.start()
  }

  #onControl(message: ControlMessage): void {
    switch (message.type) {
      case 'hello':
        return this.#onHello(message.hello)
      case 'accept':
        return this.#onAccept()
      case 'goodbye':
        this.#finish({ code: message.code, message: message.message, byPeer: true })
        return void this.link.close()
      case 'head':
        return this.#onHead(message.head)
      case 'ping':
        return this.#say({ type: 'pong', nonce: message.nonce, nowMs: this.#ports.clock.now() })
      case 'pong':
        return this.#onPong(message)
      default:
        unreachable(message)
    }
  }

  #onPong({ nonce, nowMs }: Extract<ControlMessage, { type: 'pong' }>): void {
    if (this.#ping?.nonce !== nonce) return
    const now = this.#ports.clock.now()
    this.#rttMs = now - this.#ping.sentMs
    // The answer was written half a round trip ago.
    if (nowMs !== undefined) this.#clockAheadMs = nowMs + this.#rttMs / 2 - now
  }

  #onHead(head: Head): void {
    if (this.#hello === undefined) return this.end('PROTOCOL_VIOLATION', 'a head came before the hello')
    this.#hello = { ...this.#hello, head }
    this.#ports.onHead(this)
  }

  #onHello(hello: Hello): void {
    if (this.#hello !== undefined) return this.end('PROTOCOL_VIOLATION', 'a second hello was sent')
    this.#hello = hello
    const refusal = checkHello(this.#ports.ownHello(this), hello)
    if (refusal !== undefined) return this.end(refusal.code, refusal.message)
    // The arbiter speaks second, so that only one of the two chooses between two connections.
    if (!this.#options.isArbiter) this.#accept(hello)
  }

  #onAccept(): void {
    if (this.#hello === undefined || this.#gotAccept) return this.end('PROTOCOL_VIOLATION', 'an accept out of turn')
    this.#gotAccept = true
    if (this.#options.isArbiter) this.#accept(this.#hello)
    if (!this.#sentAccept || this.#phase !== 'greeting') return
    this.#phase = 'accepted'
    if (this.link.direction === 'outbound') void this.#openChannels()
  }

  #accept(hello: Hello): void {
    const refusal = this.#ports.judge(this, hello)
    if (refusal !== undefined) return this.end(refusal.code, refusal.message)
    this.#sentAccept = true
    this.#say({ type: 'accept' })
  }

  async #openChannels(): Promise<void> {
    try {
      const wires = await Promise.all(CHANNELS.map((channel) => this.link.openWire(protocolOf(channel))))
      for (const wire of wires) this.attachWire(wire)
    } catch (error) {
      this.end('HANDSHAKE_INVALID', `a stream could not be opened: ${messageOf(error)}`)
    }
  }

  #sayPing(): void {
    this.#ping = { nonce: (this.#ping?.nonce ?? 0) + 1, sentMs: this.#ports.clock.now() }
    this.#say({ type: 'ping', nonce: this.#ping.nonce })
  }

  /** A stall of this process must not look like a silent peer: a check that comes late only asks again. */
  #watchSilence(): void {
    const { pingEveryMs, silenceMs } = this.#options.limits
    const dueMs = this.#ports.clock.now() + pingEveryMs
    this.#later(pingEveryMs, () => {
      const now = this.#ports.clock.now()
      const silentMs = now - this.#heardMs
      if (now - dueMs < pingEveryMs / 2 && silentMs > silenceMs) {
        return this.end('PEER_SILENT', `nothing was heard for ${silentMs} ms, not even an answer to a ping`)
      }
      this.#sayPing()
      this.#watchSilence()
    })
  }
}
