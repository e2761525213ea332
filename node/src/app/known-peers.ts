import { readFile } from 'node:fs/promises'
import { messageOf } from '@songhua/sdk/protocol/errors'
import { failField, readShape } from '@songhua/sdk/protocol/json-fields'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { createSerialQueue } from '../base/serial-queue.js'
import type { KnownPeer } from '../network/control.js'
import { ADDRESSES_PER_PEER_MAX, ADDRESS_BOOK_PEERS_MAX, ADDRESS_LENGTH_MAX } from '../network/limits.js'
import type { Network } from '../network/network.js'
import type { Admission } from '../network/peer-gate.js'
import { identityOfPeerId } from '../network/peer-id.js'
import { writeDurably } from '../storage/durable-file.js'

/** Where peers were: of help when a node comes back and no bootnode is where it was told. */
export interface KnownPeersPorts {
  readonly network: Pick<Network, 'onPeer' | 'knownPeers'>
  readonly admission: Admission
  readonly clock: Clock
  readonly logger: Logger
}

/** Peers come together, when a node starts; one write serves them all. */
const WRITE_DELAY_MS = 2_000
const VERSION = 1

/** @returns none without a file; a damaged one is told in the log, and written anew when peers connect */
export async function readKnownPeers(path: string, logger: Logger): Promise<KnownPeer[]> {
  try {
    return parseKnownPeers(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    logger.warn('the file of known peers cannot be read: the node starts without it', { path, error: messageOf(error) })
    return []
  }
}

function parseKnownPeers(value: unknown): KnownPeer[] {
  const { version, peers } = readShape(value, 'knownPeers', { required: ['version', 'peers'] })
  if (version !== VERSION) failField('JSON_RANGE', 'version', `is ${JSON.stringify(version)}; expected ${VERSION}`)
  return readList(peers, 'peers', ADDRESS_BOOK_PEERS_MAX).map((peer, index) => {
    const path = `peers[${index}]`
    const { id, addresses } = readShape(peer, path, { required: ['id', 'addresses'] })
    const texts = readList(addresses, `${path}.addresses`, ADDRESSES_PER_PEER_MAX)
    const isText = (one: unknown): one is string => typeof one === 'string' && one.length <= ADDRESS_LENGTH_MAX
    if (!isText(id) || !texts.every(isText)) return failField('JSON_TYPE', path, `must hold texts of at most ${ADDRESS_LENGTH_MAX} characters`)
    return { id: identityOfPeerId(id).id, addresses: texts }
  })
}

function readList(value: unknown, path: string, max: number): unknown[] {
  if (!Array.isArray(value)) return failField('JSON_TYPE', path, 'must be an array')
  if (value.length > max) failField('JSON_RANGE', path, `has ${value.length} entries; expected at most ${max}`)
  return value
}

/**
 * Writes down where peers can be dialled, soon after they connect: those to which this node was connected and whom the list
 * still names, the newest last. A peer that is away stays.
 * @param remembered what was read from the file
 * @returns stops it, with what is still to be written
 */
export function followKnownPeers(path: string, remembered: readonly KnownPeer[], ports: KnownPeersPorts): () => Promise<void> {
  const { network, admission, clock, logger } = ports
  const known = new Map(remembered.map((peer) => [peer.id, peer]))
  const queue = createSerialQueue()
  let written = textOf(remembered)
  let cancel: (() => void) | undefined

  const write = async (): Promise<void> => {
    const listed = [...known.values()].filter(({ id }) => isListed(id, admission))
    const text = textOf(listed.slice(-ADDRESS_BOOK_PEERS_MAX))
    // A list that could not be read names nobody: what was remembered stays for the next start.
    if (listed.length === 0 || text === written) return
    try {
      await writeDurably(path, text)
      written = text
    } catch (error) {
      logger.warn('the file of known peers cannot be written', { path, error: messageOf(error) })
    }
  }
  const unsubscribe = network.onPeer(({ type }) => {
    if (type !== 'up') return
    for (const peer of network.knownPeers()) {
      known.delete(peer.id)
      known.set(peer.id, peer)
    }
    cancel ??= clock.after(WRITE_DELAY_MS, () => {
      cancel = undefined
      void queue.run(write)
    })
  })
  return () => {
    unsubscribe()
    cancel?.()
    return queue.run(write)
  }
}

const textOf = (peers: readonly KnownPeer[]): string => `${JSON.stringify({ version: VERSION, peers })}\n`

function isListed(id: string, admission: Admission): boolean {
  return admission.isAdmitted({ ...identityOfPeerId(id), direction: 'outbound', isBootnode: false })
}
