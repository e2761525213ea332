import type { Address } from '@songhua/sdk/protocol/bytes'
import type { Clock } from '../base/clock.js'
import { type Hub, createHub } from '../base/hub.js'
import { type KeyedRates, createKeyedRates } from '../base/keyed-rates.js'
import type { Logger } from '../base/logger.js'
import type { Prng } from '../base/prng.js'
import { type AddressBook, type Displaced, createAddressBook } from './address-book.js'
import type { Head, Hello, KnownPeer } from './control.js'
import { type Dialer, createDialer } from './dialer.js'
import { type Ending, type Endings, type GateCode, createEndings } from './endings.js'
import { networkError } from './errors.js'
import { CHANNELS, type Channel, KNOWN_PEERS_PER_HELLO_MAX, NETWORK_LIMITS, type NetworkLimits } from './limits.js'
import { type Admission, type ChainView, type PeerGate, type PeerRefusal, createPeerGate } from './peer-gate.js'
import { addressesOfPeer, attempt } from './peer-addresses.js'
import { type PeerIdentity, identityOfPeerId, identityOfPrivateKey } from './peer-id.js'
import { type Penalties, createPenalties } from './penalties.js'
import type { Refusal } from './refusals.js'
import { PROTOCOLS, type Session, createSession } from './session.js'
import { type Direction, type Link, type Transport, createTransport, peerIdOfAddress } from './transport.js'

export interface NetworkOptions {
  /** The node's secp256k1 key, 32 bytes: its address and its peer id. */
  readonly privateKey: Uint8Array
  /** Multiaddrs, such as `/ip4/0.0.0.0/tcp/30300` and `/ip6/::/tcp/30300`; port 0 takes a free one. */
  readonly listen: readonly string[]
  /** Multiaddrs told to others instead of the ones listened on, as behind address translation. */
  readonly announce?: readonly string[]
  /** Multiaddrs that end in `/p2p/<peer id>`; they may always be dialled, and their places also when another key answers there. */
  readonly bootnodes: readonly string[]
  /** Whether addresses that peers tell are dialled too, as is usual; otherwise bootnodes only. */
  readonly learnsAddresses?: boolean
  /** Where peers were before this node was stopped; dialled when the list names them. */
  readonly remembered?: readonly KnownPeer[]
  readonly genesisHash: Hello['genesisHash']
  readonly chainId: number
  readonly protocolVersions: Hello['protocolVersions']
  /** Name and version, as `songhua/0.1.0`. */
  readonly software: string
  readonly follower: boolean
  readonly limits?: Partial<NetworkLimits>
}

export interface NetworkPorts extends ChainView {
  readonly clock: Clock
  readonly prng: Prng
  readonly logger: Logger
  readonly admission: Admission
}

export interface PeerInfo extends PeerIdentity {
  readonly direction: Direction
  readonly remoteAddress: string
  readonly software: string
  readonly follower: boolean
  /** False: it hands over sealed blocks, and gets nothing from this node. */
  readonly isListed: boolean
  readonly protocolVersions: Hello['protocolVersions']
  /** By its handshake, then by its announcements. A claim until sealed blocks prove it. */
  readonly head: Head
  /** Milliseconds since the Unix epoch. */
  readonly connectedAtMs: number
  readonly rttMs: number | undefined
  /** How far its clock is ahead of this node's, give or take half of `rttMs`. */
  readonly clockAheadMs: number | undefined
}

export interface PeerEvent {
  readonly type: 'up' | 'down' | 'head'
  readonly peer: PeerInfo
}

export type MessageListener = (peer: PeerInfo, payload: Uint8Array) => void
export type RequestListener = (peer: PeerInfo, body: Uint8Array) => Promise<Uint8Array>

export interface SendOptions {
  /** Frames of one kind, such as votes of one step, of which the oldest is let go when the queue is full. */
  readonly kind?: number
}

export interface Network {
  readonly self: PeerIdentity
  /** @throws CodedError `LISTEN_FAILED` */
  start(): Promise<void>
  stop(): Promise<void>
  /** Where this node can be dialled, each with its peer id. */
  addresses(): string[]
  peers(): PeerInfo[]
  peerOfAddress(address: Address): PeerInfo | undefined
  /** To every peer; the answer is how many queues took it. */
  broadcast(channel: Channel, payload: Uint8Array, options?: SendOptions): number
  /** False: not connected, or the peer's queue is full. */
  send(peerId: string, channel: Channel, payload: Uint8Array, options?: SendOptions): boolean
  /** @throws CodedError `PEER_NOT_CONNECTED`, `PEER_DISCONNECTED`, `REQUEST_TIMEOUT`, `_REFUSED` or `_TOO_MANY` */
  request(peerId: string, body: Uint8Array, options: { timeoutMs: number }): Promise<Uint8Array>
  /** Each answer ends the subscription. */
  onMessage(channel: Channel, listener: MessageListener): () => void
  onPeer(listener: (event: PeerEvent) => void): () => void
  /** Who answers requests; one for the whole node. Coded errors of the listener are told to the peer. */
  onRequest(listener: RequestListener): void
  /** After each import. */
  announceHead(head: Head): void
  /** Points against a peer that misbehaves above the transport; at 100 it is cut and banned for a while. */
  penalise(peerId: string, code: string, points: number): void
  addBootnode(address: string): void
  disconnect(peerId: string): boolean
  /** Where the peers that are connected can be dialled, of those that this node looks for itself. */
  knownPeers(): KnownPeer[]
  /** The bootnodes at whose addresses another key answers. */
  displacedBootnodes(): (Displaced & { readonly isListed: boolean })[]
  /** Whom this node refuses, and who refuses it: the last time of each, until it connects. */
  refusals(): Refusal[]
  /** Called when the list has changed: cuts whom it no longer names and dials whom it names now. */
  recheckAdmission(): void
  /** Called at each new head: cuts who may be here no more, by the list, the head and the protocol version in force. */
  recheckPeers(): void
  metrics(): Record<string, number>
}

/** A session that lived so long was no failure: its back-off starts anew. */
const STABLE_MS = 10_000

/** @throws CodedError `PRIVATE_KEY_INVALID`, `ADDRESS_INVALID` */
export async function createNetwork(options: NetworkOptions, ports: NetworkPorts): Promise<Network> {
  const network = new PeerNetwork(options, ports)
  await network.open()
  return network
}

class PeerNetwork implements Network {
  readonly self: PeerIdentity
  readonly #options: NetworkOptions
  readonly #ports: NetworkPorts
  readonly #limits: NetworkLimits
  readonly #book: AddressBook
  readonly #dialer: Dialer
  readonly #penalties: Penalties
  readonly #endings: Endings
  readonly #connects: KeyedRates
  /** Every connection, from its first byte on. */
  readonly #sessions = new Set<Session>()
  /** By peer id, those whose handshake is done: one for each peer. */
  readonly #up = new Map<string, Session>()
  readonly #counters: Record<string, number> = {}
  readonly #peerHub: Hub<PeerEvent>
  readonly #messageHubs: ReadonlyMap<Channel, Hub<{ peer: PeerInfo; payload: Uint8Array }>>
  readonly #gate: PeerGate
  /** Those of the sessions that may only hand over sealed blocks. */
  readonly #sources = new WeakSet<Session>()
  #transport!: Transport
  #answer: RequestListener | undefined
  #stopped = true

  constructor(options: NetworkOptions, ports: NetworkPorts) {
    const { clock, logger } = ports
    this.self = identityOfPrivateKey(options.privateKey)
    this.#options = options
    this.#ports = ports
    this.#limits = { ...NETWORK_LIMITS, ...options.limits }
    this.#book = createAddressBook(this.#limits, ports)
    this.#gate = createPeerGate(ports.admission, { view: ports, isBootnode: (id) => this.#book.isBootnode(id) })
    this.#penalties = createPenalties(this.#limits, clock)
    this.#endings = createEndings({ clock, logger, self: this.self })
    const { connectsPerPeerPerSecond: perSecond, connectsPerPeerBurst: burst } = this.#limits
    this.#connects = createKeyedRates({ perSecond, burst }, clock)
    const onError = (error: unknown): void => logger.error('a listener of the network failed', { error })
    this.#peerHub = createHub(onError)
    this.#messageHubs = new Map(CHANNELS.map((channel) => [channel, createHub(onError)]))
    this.#dialer = createDialer(this.#book, this.#limits.dialsAtOnceMax, {
      clock,
      logger,
      count: this.#count,
      dial: (addresses) => this.#transport.dial(addresses),
      wants: (id) => this.#wants(id),
    })
    for (const address of options.bootnodes) this.addBootnode(address)
    this.#hear(options.remembered ?? [])
  }

  async open(): Promise<void> {
    const sessionOfLink = new WeakMap<Link, Session>()
    const { privateKey, listen, announce = [] } = this.#options
    this.#transport = await createTransport(
      { privateKey, listen, announce, protocols: PROTOCOLS, limits: this.#limits },
      {
        clock: this.#ports.clock,
        gate: {
          hasRoom: () => !this.#stopped && this.#sessions.size < this.#limits.connectionsMax,
          onRefused: (code) => this.#count(`refused_${code.toLowerCase()}`),
          admitsInbound: (peerId) => this.#admitsInbound(peerId),
        },
        onLink: (link) => {
          const session = this.#onLink(link)
          if (session !== undefined) sessionOfLink.set(link, session)
        },
        onWire: (link, wire) => sessionOfLink.get(link)?.attachWire(wire),
      },
    )
  }

  async start(): Promise<void> {
    this.#stopped = false
    await this.#transport.start()
    const addresses = this.addresses()
    this.#ports.logger.info('listening for peers', { id: this.self.id, addresses })
    const wantsIpv6 = this.#options.listen.some((address) => address.startsWith('/ip6/'))
    if (wantsIpv6 && (this.#options.announce ?? []).length === 0 && !addresses.some((one) => one.startsWith('/ip6/'))) {
      this.#ports.logger.warn('not listening on IPv6: this machine has none, or the port is in use')
    }
    this.#dialer.start()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#dialer.stop()
    for (const session of [...this.#sessions]) session.end('STOPPING', 'the node is stopping')
    await this.#transport.stop()
  }

  addresses(): string[] {
    return this.#transport.addresses()
  }

  peers(): PeerInfo[] {
    return [...this.#up.values()].map(this.#infoOf)
  }

  peerOfAddress(address: Address): PeerInfo | undefined {
    const session = [...this.#up.values()].find(({ peer }) => peer.address === address)
    return session === undefined ? undefined : this.#infoOf(session)
  }

  broadcast(channel: Channel, payload: Uint8Array, { kind }: SendOptions = {}): number {
    return [...this.#up.values()].filter((session) => !this.#sources.has(session) && session.send(channel, payload, kind)).length
  }

  send(peerId: string, channel: Channel, payload: Uint8Array, { kind }: SendOptions = {}): boolean {
    const session = this.#up.get(peerId)
    return session !== undefined && !this.#sources.has(session) && session.send(channel, payload, kind)
  }

  request(peerId: string, body: Uint8Array, { timeoutMs }: { timeoutMs: number }): Promise<Uint8Array> {
    const gone = networkError('PEER_NOT_CONNECTED', `the peer ${peerId} is not connected`)
    return this.#up.get(peerId)?.request(body, timeoutMs) ?? Promise.reject(gone)
  }

  onMessage(channel: Channel, listener: MessageListener): () => void {
    return this.#messageHubs.get(channel)!.subscribe(({ peer, payload }) => listener(peer, payload))
  }

  onPeer(listener: (event: PeerEvent) => void): () => void {
    return this.#peerHub.subscribe(listener)
  }

  onRequest(listener: RequestListener): void {
    this.#answer = listener
  }

  announceHead(head: Head): void {
    for (const session of this.#up.values()) if (!this.#sources.has(session)) session.announceHead(head)
  }

  penalise(peerId: string, code: string, points: number): void {
    this.#count('penalties')
    this.#count(`penalties_${code.toLowerCase()}`)
    this.#ports.logger.warn('a peer misbehaved', { peer: peerId, code, points })
    if (!this.#penalties.add(peerId, points)) return
    this.#up.get(peerId)?.end('PENALISED', `banned for ${this.#limits.banMs} ms; last for ${code}`)
  }

  addBootnode(address: string): void {
    const id = peerIdOfAddress(address)
    if (id === undefined) throw networkError('ADDRESS_INVALID', `the bootnode ${address} must end in /p2p/<peer id>`)
    if (identityOfPeerId(id).id !== this.self.id) this.#book.addBootnode(id, address)
    this.#dialer.wake()
  }

  disconnect(peerId: string): boolean {
    const session = this.#up.get(peerId)
    session?.end('PENALISED', 'cut by the operator')
    return session !== undefined
  }

  knownPeers(): KnownPeer[] {
    return this.#book.known().filter(({ id }) => this.#up.has(id)).slice(0, KNOWN_PEERS_PER_HELLO_MAX)
  }

  displacedBootnodes(): (Displaced & { isListed: boolean })[] {
    return this.#book.displaced().map((one) => ({ ...one, isListed: this.#gate.isAdmitted(identityOfPeerId(one.answeredBy), 'outbound') }))
  }

  refusals(): Refusal[] {
    return this.#endings.refusals()
  }

  recheckAdmission(): void {
    this.recheckPeers()
    this.#book.retryAll()
    this.#dialer.wake()
  }

  recheckPeers(): void {
    for (const session of [...this.#sessions]) {
      const hello = session.hello()
      if (hello === undefined) continue
      const wasSource = this.#sources.has(session)
      const refusal = this.#refusalOf(session, hello)
      if (refusal !== undefined) session.end(refusal.code, refusal.message)
      // Now it gets what every peer gets when it comes.
      else if (wasSource && !this.#sources.has(session) && session.isUp()) this.#peerHub.emit({ type: 'up', peer: this.#infoOf(session) })
    }
  }

  metrics(): Record<string, number> {
    return {
      ...this.#counters,
      peers: this.#up.size,
      connections: this.#sessions.size,
      banned: this.#penalties.bannedCount(),
      queued_bytes: [...this.#up.values()].reduce((sum, session) => sum + session.queuedBytes(), 0),
    }
  }

  readonly #count = (name: string, amount = 1): void => {
    this.#counters[name] = (this.#counters[name] ?? 0) + amount
  }

  #admitsInbound(peerId: string): boolean {
    const code = this.#gateRefusal(peerId)
    if (code === undefined) return true
    this.#count(`refused_${code.toLowerCase()}`)
    this.#endings.logGate(peerId, code)
    return false
  }

  #gateRefusal(peerId: string): GateCode | undefined {
    const peer = attempt(() => identityOfPeerId(peerId))
    if (peer === undefined || !this.#gate.isAdmitted(peer, 'inbound')) return 'NOT_ADMITTED'
    if (this.#penalties.isBanned(peerId)) return 'PENALISED'
    const open = [...this.#sessions].filter((session) => session.peer.id === peerId).length
    const isTooMany = open >= this.#limits.connectionsPerPeerMax || !this.#connects.take(peerId)
    return isTooMany ? 'TOO_MANY_CONNECTIONS' : undefined
  }

  /** Undefined: it may be here, and `#sources` says as what. */
  #refusalOf(session: Session, hello: Hello): PeerRefusal | undefined {
    const standing = this.#gate.judge(session, hello)
    if (standing === 'source') this.#sources.add(session)
    else this.#sources.delete(session)
    return typeof standing === 'string' ? undefined : standing
  }

  #wants(id: string): boolean {
    const other = this.#book.answeredBy(id)
    if (this.#stopped || this.#penalties.isBanned(id)) return false
    if ([...this.#sessions].some(({ peer }) => peer.id === id || peer.id === other)) return false
    return this.#book.isBootnode(id) || this.#gate.isAdmitted(identityOfPeerId(id), 'outbound')
  }

  /** Where other nodes are is told to those only that the list names. */
  #ownHello({ peer, link }: Session): Hello {
    const { genesisHash, chainId, protocolVersions, software, follower } = this.#options
    return {
      genesisHash,
      chainId,
      protocolVersions,
      software,
      follower,
      head: this.#ports.head(),
      addresses: this.#transport.addresses(),
      knownPeers: this.#gate.isAdmitted(peer, link.direction) ? this.knownPeers() : [],
    }
  }

  #isArbiterOf(peer: PeerIdentity): boolean {
    return this.self.id < peer.id
  }

  /** Of two connections between two nodes the one that the other side dialled stays: it dials only when it has none. */
  #judge(session: Session, hello: Hello): PeerRefusal | undefined {
    const { peer, link } = session
    const unwanted = this.#refusalOf(session, hello)
    if (unwanted !== undefined) return unwanted
    if (!this.#isArbiterOf(peer)) return undefined
    const other = [...this.#sessions].find((one) => one !== session && one.peer.id === peer.id && one.isAccepted())
    if (other === undefined) return undefined
    const refusal = { code: 'DUPLICATE_CONNECTION', message: 'the two nodes are connected already' } as const
    if (link.direction === 'outbound') return refusal
    other.end(refusal.code, refusal.message)
    return undefined
  }

  #onLink(link: Link): Session | undefined {
    const peer = attempt(() => identityOfPeerId(link.peerId))
    if (peer === undefined || peer.id === this.self.id || this.#stopped) {
      link.abort('the peer is not wanted')
      return undefined
    }
    const bootnode = link.direction === 'outbound' ? this.#dialer.askedFor(peer.id) : undefined
    if (bootnode !== undefined) this.#onOtherKey(bootnode, peer, link)
    const session = createSession(
      { link, peer, isArbiter: this.#isArbiterOf(peer), limits: this.#limits },
      {
        clock: this.#ports.clock,
        count: this.#count,
        ownHello: (one) => this.#ownHello(one),
        judge: (one, hello) => this.#judge(one, hello),
        onUp: (one) => this.#onUp(one),
        onEnd: (one, end) => this.#onEnd(one, end),
        onMessage: (one, channel, payload) => this.#onMessage(one, channel, payload),
        onHead: (one) => void (one.isUp() && this.#peerHub.emit({ type: 'head', peer: this.#infoOf(one) })),
        handleRequest: (one, body) => this.#handleRequest(one, body),
      },
    )
    this.#sessions.add(session)
    return session
  }

  #onOtherKey(bootnode: string, peer: PeerIdentity, { remoteAddress: remote }: Link): void {
    if (this.#book.answeredBy(bootnode) === peer.id) return
    this.#book.onAnswer(bootnode, peer.id)
    const words = 'another key answers at the address of a bootnode: if it was rotated, correct p2p.bootnodes'
    this.#ports.logger.warn(words, { bootnode, peer: peer.id, address: peer.address, remote })
  }

  #onMessage(session: Session, channel: Channel, payload: Uint8Array): void {
    this.#count(`frames_in_${channel}`)
    if (channel !== 'blocks' && this.#sources.has(session)) return
    this.#messageHubs.get(channel)!.emit({ peer: this.#infoOf(session), payload })
  }

  #handleRequest(session: Session, body: Uint8Array): Promise<Uint8Array> {
    this.#count('requests_in')
    const refusal = networkError('REQUEST_REFUSED', 'this node answers no requests')
    const answer = this.#sources.has(session) ? undefined : this.#answer
    return answer?.(this.#infoOf(session), body) ?? Promise.reject(refusal)
  }

  #onUp(session: Session): void {
    const { id, address } = session.peer
    const hello = session.hello()!
    this.#up.get(id)?.end('DUPLICATE_CONNECTION', 'replaced by a newer connection')
    this.#up.set(id, session)
    this.#endings.forget(id)
    this.#count('sessions')
    if (!this.#sources.has(session)) this.#learn(session.peer, hello)
    const { software, head } = hello
    const { direction } = session.link
    this.#ports.logger.info('a peer is connected', { peer: id, address, direction, software, head: head.number })
    this.#peerHub.emit({ type: 'up', peer: this.#infoOf(session) })
  }

  #learn(peer: PeerIdentity, hello: Hello): void {
    if (this.#options.learnsAddresses === false) return
    if (!hello.follower) this.#book.learn(peer.id, addressesOfPeer(peer.id, hello.addresses))
    this.#hear(hello.knownPeers)
    this.#dialer.wake()
  }

  #hear(known: readonly KnownPeer[]): void {
    for (const { id, addresses } of known) {
      const identity = attempt(() => identityOfPeerId(id))
      if (identity === undefined || id === this.self.id || !this.#gate.isAdmitted(identity, 'outbound')) continue
      this.#book.hear(id, addressesOfPeer(id, addresses))
    }
  }

  #onEnd(session: Session, end: Ending): void {
    const { id } = session.peer
    this.#sessions.delete(session)
    const wasUp = this.#up.get(id) === session
    if (wasUp) this.#up.delete(id)
    this.#count(this.#endings.nameOf(end))
    if (!this.#stopped) this.#endings.log(session, end, wasUp)
    if (!end.byPeer) this.#penalties.add(id, this.#endings.pointsOf(end.code))
    if (end.code !== 'DUPLICATE_CONNECTION') this.#backOff(session, end, wasUp)
    if (wasUp) this.#peerHub.emit({ type: 'down', peer: this.#infoOf(session) })
    this.#dialer.wake()
  }

  #backOff({ peer, startedMs }: Session, end: Ending, wasUp: boolean): void {
    if (wasUp && this.#ports.clock.now() - startedMs > STABLE_MS) this.#book.onStable(peer.id)
    if (this.#endings.isLasting(end.code)) this.#book.onRefusal(peer.id)
    else this.#book.onFailure(peer.id)
  }

  readonly #infoOf = (session: Session): PeerInfo => {
    const { software, follower, protocolVersions, head } = session.hello()!
    const { direction, remoteAddress } = session.link
    const isListed = !this.#sources.has(session)
    const measured = { connectedAtMs: session.startedMs, rttMs: session.rttMs(), clockAheadMs: session.clockAheadMs() }
    return { ...session.peer, direction, remoteAddress, software, follower, isListed, protocolVersions, head, ...measured }
  }
}
