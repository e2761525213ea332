import { randomBytes } from 'node:crypto'
import { encodeMessage } from '@songhua/node/consensus/encode'
import type { Commit, Domain, Prepare, RoundChange, Unsigned } from '@songhua/node/consensus/messages'
import { signingDigest, statementOf } from '@songhua/node/consensus/signing'
import { encodeControl } from '@songhua/node/network/control'
import { encodeRangeRequest } from '@songhua/node/services/sync-messages'
import { encodeTransactionBatch } from '@songhua/node/services/transaction-relay'
import { bytesToHex, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { privateKeyToAddress, signDigest } from '@songhua/sdk/protocol/crypto'
import { anchorTransaction } from '../bench/workload.js'
import { framed, type HostilePeer } from './hostile-peer.js'

/** One thing done to a node over one connection; called again and again until the connection or the time ends. */
export interface Attack {
  readonly name: string
  readonly run: (peer: HostilePeer) => void
}

export interface Victim {
  readonly domain: Domain
  readonly chainId: number
  /** That the chain is working on. */
  readonly heightNow: () => number
}

const PER_TURN = 200
/** Of what need not be made anew: more than the burst that a node takes. */
const REPEATS_PER_TURN = 10_000
const FAR_ROUND = 2 ** 31

const turn = (run: (index: number) => void): void => {
  for (let index = 0; index < PER_TURN; index++) run(index)
}
const randomHash = () => bytesToHex(randomBytes(32))

type Vote = Unsigned<Prepare> | Unsigned<Commit> | Unsigned<RoundChange>

function signed(domain: Domain, privateKey: Uint8Array, vote: Vote): Uint8Array {
  const signature = signDigest(signingDigest(domain, statementOf(vote)), privateKey)
  return encodeMessage({ ...vote, signature, author: privateKeyToAddress(privateKey) })
}

/** Each kind in its turn. */
function voteOf(view: { height: number; round: number }, index: number): Vote {
  if (index % 3 === 0) return { ...view, kind: 'prepare', digest: randomHash() }
  if (index % 3 === 1) return { ...view, kind: 'commit', digest: randomHash(), seal: randomBytes(65).fill(1, 64) }
  return { ...view, kind: 'roundChange', prepared: undefined }
}

/** What a validator's key can do that breaks no single rule: every message is authentic. */
export function validatorAttacks({ domain, heightNow }: Victim, privateKey: Uint8Array): Attack[] {
  const vote = (height: number, round: number, index: number) => signed(domain, privateKey, voteOf({ height, round }, index))
  const send = (peer: HostilePeer, of: (index: number) => Uint8Array): void => turn((index) => void peer.send('consensus', of(index)))
  return [
    { name: 'votes for far rounds', run: (peer) => send(peer, (index) => vote(heightNow(), FAR_ROUND + index, index)) },
    { name: 'round changes, one after another', run: (peer) => send(peer, (index) => vote(heightNow(), 1 + index, 2)) },
    {
      name: 'votes of other heights',
      run: (peer) => send(peer, (index) => vote(Math.max(1, heightNow() + (index % 2 === 0 ? 2 : -1)), 0, index)),
    },
    {
      name: 'one message over and over',
      run(peer) {
        const message = vote(heightNow(), FAR_ROUND, 2)
        for (let at = 0; at < REPEATS_PER_TURN; at++) peer.send('consensus', message)
      },
    },
  ]
}

/** What any admitted key can do that breaks no single rule. */
export function followerAttacks({ chainId }: Victim): Attack[] {
  let nonce = 0
  return [
    {
      name: 'transactions with gaps, of new accounts',
      run(peer) {
        const account = { privateKey: randomHash() }
        const raws = Array.from({ length: 64 }, (_, index) => hexToBytes(anchorTransaction(account, chainId, 2 * index).raw))
        peer.send('transactions', encodeTransactionBatch(raws))
      },
    },
    { name: 'ranges of blocks that are never read', run: (peer) => turn((id) => void peer.send('blocks', requestFrame(id + 1))) },
    { name: 'pings', run: (peer) => turn(() => void peer.control.send(framed(encodeControl({ type: 'ping', nonce: nonce++ })))) },
    {
      name: 'heads that nobody has',
      run(peer) {
        const head = { number: Number.MAX_SAFE_INTEGER, hash: randomHash() }
        turn(() => void peer.control.send(framed(encodeControl({ type: 'head', head }))))
      },
    },
  ]
}

/** What ends the connection, and after a time the welcome. */
export const BREACHES: readonly Attack[] = [
  { name: 'a frame too large', run: (peer) => void peer.wire('consensus').send(new Uint8Array([0x7f, 0xff, 0xff, 0xff])) },
  { name: 'garbage as votes', run: (peer) => turn(() => void peer.send('consensus', randomBytes(300))) },
  { name: 'garbage as transactions', run: (peer) => turn(() => void peer.send('transactions', randomBytes(5_000))) },
  { name: 'garbage as blocks', run: (peer) => turn(() => void peer.send('blocks', Buffer.concat([Buffer.of(0), randomBytes(3_000)]))) },
]

function requestFrame(id: number): Uint8Array {
  const body = encodeRangeRequest({ from: 1, count: 128 })
  const frame = new Uint8Array(5 + body.length)
  frame[0] = 1
  new DataView(frame.buffer).setUint32(1, id)
  frame.set(body, 5)
  return frame
}
