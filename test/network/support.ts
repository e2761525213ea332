import { systemClock } from '@songhua/node/base/clock'
import type { Logger } from '@songhua/node/base/logger'
import { encodeControl, type Head, type Hello } from '@songhua/node/network/control'
import { FRAME_HEADER_BYTES, writeFrameHeader } from '@songhua/node/network/frame'
import { type NetworkLimits, NETWORK_LIMITS } from '@songhua/node/network/limits'
import { createNetwork, type Network, type NetworkOptions } from '@songhua/node/network/network'
import type { PeerCandidate } from '@songhua/node/network/peer-gate'
import { identityOfPrivateKey } from '@songhua/node/network/peer-id'
import { CONTROL_PROTOCOL, PROTOCOLS } from '@songhua/node/network/session'
import { createTransport, type Link, type Transport, type Wire } from '@songhua/node/network/transport'

export const GENESIS_HASH = `0x${'11'.repeat(32)}` as const
const HEAD: Head = { number: 0, hash: GENESIS_HASH }

export interface LogLine {
  level: string
  message: string
  fields: Record<string, unknown>
}

export function memoryLogger(): { logger: Logger; lines: LogLine[] } {
  const lines: LogLine[] = []
  const write = (level: string) => (message: string, fields: Record<string, unknown> = {}) =>
    void lines.push({ level, message, fields })
  const logger: Logger = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => logger,
  }
  return { logger, lines }
}

export const keyOf = (seed: number): Uint8Array => new Uint8Array(32).fill(seed)

export interface TestNode {
  network: Network
  lines: LogLine[]
  head: Head
  /** Whom its gate admits; all by default. */
  admits: (candidate: PeerCandidate) => boolean
  /** Whether it takes its own list for old. */
  isBehind: boolean
  /** In force at its head. */
  protocolVersion: number
}

type NodeOptions = Partial<NetworkOptions> & { seed: number; limits?: Partial<NetworkLimits>; head?: Head }

const running = new Set<Network | Transport>()

export async function startNode({ seed, limits, head = HEAD, ...options }: NodeOptions): Promise<TestNode> {
  const { logger, lines } = memoryLogger()
  const node: TestNode = { network: undefined as unknown as Network, lines, head, admits: () => true, isBehind: true, protocolVersion: options.protocolVersions?.min ?? 1 }
  node.network = await createNetwork(
    {
      privateKey: keyOf(seed),
      listen: ['/ip4/127.0.0.1/tcp/0'],
      bootnodes: [],
      genesisHash: GENESIS_HASH,
      chainId: 230099,
      protocolVersions: { min: 1, max: 1 },
      software: 'songhua/test',
      follower: false,
      ...options,
      limits: { redialMinMs: 50, redialMaxMs: 400, ...limits },
    },
    {
      clock: systemClock,
      prng: { next: () => Math.random() },
      logger,
      admission: { isAdmitted: (candidate) => node.admits(candidate) },
      head: () => node.head,
      isBehind: () => node.isBehind,
      protocolVersion: () => node.protocolVersion,
    },
  )
  running.add(node.network)
  await node.network.start()
  return node
}

export const bootnodeOf = (node: TestNode): string => node.network.addresses()[0]!
export const portOf = (node: TestNode): number => Number(/\/tcp\/(\d+)/.exec(bootnodeOf(node))![1])

export async function stopNode(node: TestNode): Promise<void> {
  running.delete(node.network)
  await node.network.stop()
}

export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((one) => one.stop()))
  running.clear()
}

/** Looks until it holds: sockets take the time they take. */
export async function until(holds: () => boolean, what = 'the condition', timeoutMs = 15_000): Promise<void> {
  const endMs = Date.now() + timeoutMs
  while (!holds()) {
    if (Date.now() > endMs) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`)
    await sleep(5)
  }
}

export const sleep = (delayMs: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, delayMs))

const hasPeer = (node: TestNode, peerId: string): boolean => node.network.peers().some(({ id }) => id === peerId)

export const arePeers = (a: TestNode, b: TestNode): boolean =>
  hasPeer(a, b.network.self.id) && hasPeer(b, a.network.self.id)

export async function connect(a: TestNode, b: TestNode): Promise<void> {
  a.network.addBootnode(bootnodeOf(b))
  await until(() => arePeers(a, b), 'the two nodes to connect')
}

export const helloOf = (changes: Partial<Hello> = {}): Hello => ({
  genesisHash: GENESIS_HASH,
  chainId: 230099,
  protocolVersions: { min: 1, max: 1 },
  head: HEAD,
  software: 'stranger/1',
  follower: false,
  addresses: [],
  knownPeers: [],
  ...changes,
})

/** A peer that speaks the transport and then whatever a test makes it say. */
export interface RawPeer {
  transport: Transport
  link: Link
  control: Wire
  wires: Map<string, Wire>
  isClosed: () => boolean
  received: () => number
}

export const framed = (payload: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + payload.length)
  writeFrameHeader(bytes, 0, payload.length)
  bytes.set(payload, FRAME_HEADER_BYTES)
  return bytes
}

/** Dials and opens the control stream, without a word. */
export async function dialRaw(node: TestNode, seed: number): Promise<RawPeer> {
  let link: Link | undefined
  let closed = false
  let received = 0
  const transport = await createTransport(
    { privateKey: keyOf(seed), listen: [], announce: [], protocols: PROTOCOLS, limits: NETWORK_LIMITS },
    {
      clock: systemClock,
      gate: { hasRoom: () => true, onRefused: () => undefined, admitsInbound: () => true },
      onLink: (one) => {
        link = one
        one.onClose(() => (closed = true))
      },
      onWire: () => undefined,
    },
  )
  running.add(transport)
  await transport.start()
  await transport.dial([bootnodeOf(node)])
  const control = await link!.openWire(CONTROL_PROTOCOL)
  control.onData((bytes) => (received += bytes.length))
  return { transport, link: link!, control, wires: new Map(), isClosed: () => closed, received: () => received }
}

/** A raw peer whose handshake is done; its three channels take nothing in until a test listens. */
export async function dialRawUp(node: TestNode, seed: number): Promise<RawPeer> {
  const raw = await dialRaw(node, seed)
  raw.control.send(framed(encodeControl({ type: 'hello', hello: helloOf() })))
  raw.control.send(framed(encodeControl({ type: 'accept' })))
  await sleep(100)
  for (const protocol of PROTOCOLS.slice(1)) raw.wires.set(protocol, await raw.link.openWire(protocol))
  await until(() => hasPeer(node, identityOfPrivateKey(keyOf(seed)).id), 'the raw peer to be up')
  return raw
}
