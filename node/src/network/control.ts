import { type Hash, bytesToNumber, hexToBytes, numberToBytes, utf8ToBytes } from '@songhua/sdk/protocol/bytes'
import { messageOf } from '@songhua/sdk/protocol/errors'
import {
  type RlpItem,
  decodeRlp,
  encodeRlp,
  readBytes,
  readHash,
  readList,
  readNumber,
} from '@songhua/sdk/protocol/rlp'
import { networkError } from './errors.js'
import {
  ADDRESSES_PER_PEER_MAX,
  ADDRESS_LENGTH_MAX,
  CONTROL_ITEMS_MAX,
  KNOWN_PEERS_PER_HELLO_MAX,
  SOFTWARE_LENGTH_MAX,
} from './limits.js'

/** The newest block that a node has. */
export interface Head {
  readonly number: number
  readonly hash: Hash
}

/** Another peer, and where it was last reached: multiaddrs that end in `/p2p/<id>`. */
export interface KnownPeer {
  readonly id: string
  readonly addresses: readonly string[]
}

/** What each side says first. */
export interface Hello {
  readonly genesisHash: Hash
  readonly chainId: number
  /** Protocol versions of the chain that this node can run. */
  readonly protocolVersions: { readonly min: number; readonly max: number }
  readonly head: Head
  readonly software: string
  /** A follower does not vote and need not be dialled. */
  readonly follower: boolean
  readonly addresses: readonly string[]
  readonly knownPeers: readonly KnownPeer[]
}

/** What travels on the control stream. */
export type ControlMessage =
  | { type: 'hello'; hello: Hello }
  | { type: 'accept' }
  | { type: 'goodbye'; code: string; message: string }
  | { type: 'head'; head: Head }
  | { type: 'ping'; nonce: number }
  /** `nowMs`: the clock of who answers, milliseconds since 1970. */
  | { type: 'pong'; nonce: number; nowMs?: number }

/** First byte of a control frame. A number is never used twice. */
const TYPES = { hello: 1, accept: 2, goodbye: 3, head: 4, ping: 5, pong: 6 } as const

const HELLO_FIELDS = 10
const GOODBYE_LENGTH_MAX = 512

const text = (value: string): Uint8Array => utf8ToBytes(value)
/** What is no UTF-8 is refused: its replacement would be longer than what was measured. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function fieldsOf(message: ControlMessage): RlpItem[] {
  switch (message.type) {
    case 'hello':
      return helloToRlp(message.hello)
    case 'accept':
      return []
    case 'goodbye':
      return [text(message.code), text(message.message.slice(0, GOODBYE_LENGTH_MAX))]
    case 'head':
      return [numberToBytes(message.head.number), hexToBytes(message.head.hash)]
    case 'ping':
      return [numberToBytes(message.nonce)]
    case 'pong':
      return [message.nonce, message.nowMs].flatMap((number) => (number === undefined ? [] : [numberToBytes(number)]))
  }
}

/** Type byte, then RLP. */
export function encodeControl(message: ControlMessage): Uint8Array {
  const fields = encodeRlp(fieldsOf(message))
  const bytes = new Uint8Array(1 + fields.length)
  bytes[0] = TYPES[message.type]
  bytes.set(fields, 1)
  return bytes
}

/**
 * Fields that a later release adds at the end of a list are passed over.
 * @throws CodedError `MESSAGE_MALFORMED`
 */
export function decodeControl(bytes: Uint8Array): ControlMessage {
  try {
    return readControl(bytes[0], readList(decodeRlp(bytes.subarray(1), { maxDepth: 5, maxItems: CONTROL_ITEMS_MAX }), 'control message'))
  } catch (error) {
    throw networkError('MESSAGE_MALFORMED', `a control message cannot be read: ${messageOf(error)}`, { cause: error })
  }
}

function readControl(type: number | undefined, fields: RlpItem[]): ControlMessage {
  switch (type) {
    case TYPES.hello:
      return { type: 'hello', hello: helloFromRlp(fields) }
    case TYPES.accept:
      return { type: 'accept' }
    case TYPES.goodbye:
      return { type: 'goodbye', code: readText(fields[0], 'code', 64), message: readText(fields[1], 'message', 2048) }
    case TYPES.head:
      return { type: 'head', head: readHead(fields[0], fields[1]) }
    case TYPES.ping:
      return { type: 'ping', nonce: readNumber(fields[0], 'nonce') }
    case TYPES.pong:
      return { type: 'pong', nonce: readNumber(fields[0], 'nonce'), ...(fields[1] === undefined ? {} : { nowMs: readNumber(fields[1], 'nowMs') }) }
    default:
      throw networkError('MESSAGE_MALFORMED', `unknown type ${type}`)
  }
}

function helloToRlp(hello: Hello): RlpItem[] {
  return [
    hexToBytes(hello.genesisHash),
    numberToBytes(hello.chainId),
    numberToBytes(hello.protocolVersions.min),
    numberToBytes(hello.protocolVersions.max),
    numberToBytes(hello.head.number),
    hexToBytes(hello.head.hash),
    text(hello.software.slice(0, SOFTWARE_LENGTH_MAX)),
    numberToBytes(hello.follower ? 1 : 0),
    hello.addresses.slice(0, ADDRESSES_PER_PEER_MAX).map(text),
    hello.knownPeers
      .slice(0, KNOWN_PEERS_PER_HELLO_MAX)
      .map((peer) => [text(peer.id), peer.addresses.slice(0, ADDRESSES_PER_PEER_MAX).map(text)]),
  ]
}

function helloFromRlp(fields: RlpItem[]): Hello {
  if (fields.length < HELLO_FIELDS) throw networkError('MESSAGE_MALFORMED', `hello has ${fields.length} fields`)
  const knownPeers = readList(fields[9], 'hello.knownPeers').slice(0, KNOWN_PEERS_PER_HELLO_MAX)
  return {
    genesisHash: readHash(fields[0], 'hello.genesisHash'),
    chainId: bytesToNumber(readBytes(fields[1], 'hello.chainId'), 'hello.chainId'),
    protocolVersions: {
      min: readNumber(fields[2], 'hello.protocolVersions.min'),
      max: readNumber(fields[3], 'hello.protocolVersions.max'),
    },
    head: readHead(fields[4], fields[5]),
    software: readText(fields[6], 'hello.software', SOFTWARE_LENGTH_MAX * 4),
    follower: readNumber(fields[7], 'hello.follower') !== 0,
    addresses: readAddresses(fields[8], 'hello.addresses'),
    knownPeers: knownPeers.map((item, index) => {
      const [id, addresses] = readList(item, `hello.knownPeers[${index}]`)
      return {
        id: readText(id, `hello.knownPeers[${index}].id`, 128),
        addresses: readAddresses(addresses, `hello.knownPeers[${index}].addresses`),
      }
    }),
  }
}

const readHead = (number: RlpItem | undefined, hash: RlpItem | undefined): Head => ({
  number: readNumber(number, 'head.number'),
  hash: readHash(hash, 'head.hash'),
})

function readAddresses(item: RlpItem | undefined, field: string): string[] {
  const items = readList(item, field).slice(0, ADDRESSES_PER_PEER_MAX)
  return items.map((address, index) => readText(address, `${field}[${index}]`, ADDRESS_LENGTH_MAX))
}

/** Text of a stranger ends in a log: control characters are taken out. */
function readText(item: RlpItem | undefined, field: string, bytesMax: number): string {
  const bytes = readBytes(item, field)
  if (bytes.length > bytesMax) {
    throw networkError('MESSAGE_MALFORMED', `${field} has ${bytes.length} bytes; at most ${bytesMax}`)
  }
  return UTF8.decode(bytes).replace(/\p{C}/gu, ' ')
}

export interface Refusal {
  readonly code: 'GENESIS_MISMATCH' | 'CHAIN_ID_MISMATCH' | 'PROTOCOL_VERSION_MISMATCH'
  readonly message: string
}

/** Whether two nodes belong together; the words are for both sides' logs, so they call neither "this" nor "other". */
export function checkHello(own: Hello, theirs: Hello): Refusal | undefined {
  if (own.chainId !== theirs.chainId) {
    const message = `chain ids differ: ${own.chainId} and ${theirs.chainId}; compare the genesis files of the two nodes`
    return { code: 'CHAIN_ID_MISMATCH', message }
  }
  if (own.genesisHash !== theirs.genesisHash) {
    const hashes = `${own.genesisHash} and ${theirs.genesisHash}`
    const message = `genesis blocks differ: ${hashes}; compare the genesis files of the two nodes`
    return { code: 'GENESIS_MISMATCH', message }
  }
  const [a, b] = [own.protocolVersions, theirs.protocolVersions]
  if (Math.max(a.min, b.min) <= Math.min(a.max, b.max)) return undefined
  const ranges = `${a.min} to ${a.max} and ${b.min} to ${b.max}`
  const message = `no common protocol version: ${ranges}; update the older node`
  return { code: 'PROTOCOL_VERSION_MISMATCH', message }
}
