import { createAddressBook } from '@songhua/node/network/address-book'
import { checkHello, decodeControl, encodeControl } from '@songhua/node/network/control'
import { createFrameReader } from '@songhua/node/network/frame'
import { NETWORK_LIMITS } from '@songhua/node/network/limits'
import {
  identityOfPeerId, identityOfPrivateKey, peerIdToAddress, peerIdToPublicKey, publicKeyToPeerId,
} from '@songhua/node/network/peer-id'
import { createPenalties } from '@songhua/node/network/penalties'
import { createSendQueue } from '@songhua/node/network/send-queue'
import { createTokenBucket } from '@songhua/node/base/token-bucket'
import { privateKeyToAddress, privateKeyToPublicKey } from '@songhua/sdk/protocol/crypto'
import { hexToBytes } from '@songhua/sdk/protocol/bytes'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { framed, helloOf, keyOf } from './support.js'

const stillClock = { ms: 0, now: () => stillClock.ms, after: () => () => undefined }

describe('frame reader', () => {
  it('gives back what was framed, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 50 }),
        (payloads, cuts) => {
          const wire = new Uint8Array(payloads.flatMap((payload) => [...framed(payload)]))
          const reader = createFrameReader(300)
          const got: Uint8Array[] = []
          for (let at = 0, turn = 0; at < wire.length; turn++) {
            const end = at + cuts[turn % cuts.length]!
            reader.push(wire.subarray(at, end))
            for (let next = reader.next(); next !== undefined; next = reader.next()) got.push(next)
            at = end
          }
          expect(got).toEqual(payloads)
          expect(reader.isPartial()).toBe(false)
        },
      ),
    )
  })

  it('refuses a frame above the limit at its header, and an empty one', () => {
    const reader = createFrameReader(10)
    reader.push(framed(new Uint8Array(11)).subarray(0, 4))
    expect(() => reader.next()).toThrow(expect.objectContaining({ code: 'FRAME_TOO_LARGE' }) as Error)
    const other = createFrameReader(10)
    other.push(new Uint8Array(4))
    expect(() => other.hasNext()).toThrow(expect.objectContaining({ code: 'FRAME_EMPTY' }) as Error)
  })
})

describe('send queue', () => {
  const limits = { ...NETWORK_LIMITS.channels.transactions, queueCountMax: 4, queueBytesMax: 1000 }

  it('writes the frames in order, small ones together and large ones in pieces', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 6, max: 300 }),
        (payloads, chunkBytes) => {
          const queue = createSendQueue(limits)
          for (const payload of payloads) expect(queue.push(payload, 0)).toBe(true)
          const reader = createFrameReader(1000)
          for (let chunk = queue.take(chunkBytes); chunk !== undefined; chunk = queue.take(chunkBytes)) {
            expect(chunk.length).toBeGreaterThan(0)
            expect(chunk.length).toBeLessThanOrEqual(chunkBytes)
            reader.push(chunk)
          }
          for (const payload of payloads) expect(reader.next()).toEqual(payload)
          expect([queue.bytes(), queue.count()]).toEqual([0, 0])
        },
      ),
    )
  })

  it('refuses when full by count or by bytes', () => {
    const byCount = createSendQueue(limits)
    for (let i = 0; i < 4; i++) expect(byCount.push(new Uint8Array(1), 0)).toBe(true)
    expect(byCount.push(new Uint8Array(1), 0)).toBe(false)
    const byBytes = createSendQueue(limits)
    expect(byBytes.push(new Uint8Array(900), 0)).toBe(true)
    expect(byBytes.push(new Uint8Array(101), 0)).toBe(false)
  })

  it('lets go of the oldest of the same kind first, never of the frame half written', () => {
    const queue = createSendQueue({ ...limits, whenFull: 'drop-oldest' })
    for (const kind of [1, 2, 2, 1]) queue.push(new Uint8Array([kind]), kind)
    expect(queue.push(new Uint8Array([22]), 2)).toBe(true)
    expect(queue.dropped()).toBe(1)
    expect(queue.take(100)).toEqual(new Uint8Array([0, 0, 0, 1, 1, 0, 0, 0, 1, 2, 0, 0, 0, 1, 1, 0, 0, 0, 1, 22]))
    queue.push(new Uint8Array(600).fill(7), 1)
    expect(queue.take(104)!.length).toBe(104)
    for (let i = 0; i < 6; i++) queue.push(new Uint8Array(400).fill(8), 1)
    const rest = queue.take(2000)!
    expect(rest.subarray(0, 500).every((byte) => byte === 7)).toBe(true)
    expect(rest.length).toBe(500 + 404)
  })

  it('never takes a frame larger than the whole queue', () => {
    const queue = createSendQueue({ ...limits, whenFull: 'drop-oldest' })
    queue.push(new Uint8Array(10), 1)
    expect(queue.push(new Uint8Array(1001), 1)).toBe(false)
  })
})

describe('token bucket', () => {
  it('lets a burst through, then the rate, and survives a clock that steps back', () => {
    const bucket = createTokenBucket({ perSecond: 10, burst: 3 }, 1000)
    expect([1, 2, 3, 4].map(() => bucket.take(1000))).toEqual([true, true, true, false])
    expect(bucket.waitMs(1000)).toBe(100)
    expect(bucket.take(500)).toBe(false)
    expect(bucket.take(600)).toBe(true)
    expect(bucket.waitMs(100_000)).toBe(0)
  })
})

describe('peer ids', () => {
  it('key, peer id and address name each other', () => {
    const key = keyOf(5)
    const publicKey = privateKeyToPublicKey(key)
    const id = publicKeyToPeerId(publicKey)
    expect(id).toMatch(/^16Uiu2HA/)
    expect(peerIdToPublicKey(id)).toEqual(publicKey)
    expect(peerIdToAddress(id)).toBe(privateKeyToAddress(key))
    expect(identityOfPeerId(id)).toEqual(identityOfPrivateKey(key))
  })

  it('agrees with a known vector of libp2p', () => {
    // libp2p peer ids spec: a secp256k1 public key as protobuf in an identity multihash.
    const publicKey = '0x037777e994e452c21604f91de093ce415f5432f701dd8cd1a7a6fea0e630bfca99'
    expect(publicKeyToPeerId(hexToBytes(publicKey))).toBe('16Uiu2HAmLhLvBoYaoZfaMUKuibM6ac163GwKY74c5kiSLg5KvLpY')
  })

  it.each([
    'nonsense',
    '',
    '12D3KooWKnDdG3iXw9eTFijk3EWSunZcFi54Zka4wmtqtt6rPxc8',
    'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N',
  ])('refuses %j, which is no peer id of a secp256k1 key', (id) => {
    expect(() => peerIdToPublicKey(id)).toThrow(expect.objectContaining({ code: 'PEER_ID_INVALID' }) as Error)
  })

  it('refuses keys of another length or off the curve', () => {
    const invalid = expect.objectContaining({ code: 'PEER_ID_INVALID' }) as Error
    expect(() => publicKeyToPeerId(new Uint8Array(32))).toThrow(invalid)
    expect(() => publicKeyToPeerId(new Uint8Array(33).fill(5))).toThrow(invalid)
  })
})

describe('control messages', () => {
  const knownPeers = [{ id: 'x', addresses: ['/ip6/::1/tcp/2'] }]
  const hello = helloOf({ addresses: ['/ip4/10.0.0.1/tcp/1'], knownPeers, follower: true })

  it.each([
    { type: 'hello', hello },
    { type: 'accept' },
    { type: 'goodbye', code: 'GENESIS_MISMATCH', message: '创世块不同' },
    { type: 'head', head: { number: 2 ** 40, hash: hello.genesisHash } },
    { type: 'ping', nonce: 0 },
    { type: 'pong', nonce: 7 },
  ] as const)('come back as they went: $type', (message) => {
    expect(decodeControl(encodeControl(message))).toEqual(message)
  })

  it('never throw anything but MESSAGE_MALFORMED on bytes of chance', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 0, max: 9 }), (bytes, type) => {
        try {
          decodeControl(new Uint8Array([type, ...bytes]))
        } catch (error) {
          expect(error).toMatchObject({ code: 'MESSAGE_MALFORMED' })
        }
      }),
    )
  })

  it('keep control characters of strangers out of the log', () => {
    const message = { type: 'goodbye', code: 'x', message: 'a\u001b[2J\nb' } as const
    expect(decodeControl(encodeControl(message))).toMatchObject({ message: 'a [2J b' })
  })

  it('compare chain id, genesis and versions, in this order', () => {
    const other = `0x${'99'.repeat(32)}` as const
    const range = { min: 5, max: 6 }
    const stranger = helloOf({ chainId: 1, genesisHash: other, protocolVersions: range })
    expect(checkHello(hello, stranger)?.code).toBe('CHAIN_ID_MISMATCH')
    expect(checkHello(hello, helloOf({ genesisHash: other, protocolVersions: range }))?.code).toBe('GENESIS_MISMATCH')
    expect(checkHello(hello, helloOf({ protocolVersions: range }))?.code).toBe('PROTOCOL_VERSION_MISMATCH')
    expect(checkHello(hello, helloOf({ protocolVersions: { min: 0, max: 9 } }))).toBeUndefined()
  })
})

describe('address book', () => {
  const book = () => createAddressBook(NETWORK_LIMITS, { clock: stillClock, prng: { next: () => 1 } })

  it('backs off twice as long each time, up to the limit, and starts anew after a stable session', () => {
    const peers = book()
    peers.addBootnode('a', '/ip4/1.1.1.1/tcp/1/p2p/a')
    const waits = Array.from({ length: 8 }, () => (peers.onFailure('a'), peers.nextDueMs()))
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000])
    peers.onStable('a')
    expect(peers.due(0)).toEqual(['a'])
    peers.onRefusal('a')
    expect(peers.nextDueMs()).toBe(30_000)
  })

  it('keeps configured addresses in front and never forgets a bootnode; a learnt peer that never answers goes', () => {
    const peers = book()
    peers.addBootnode('a', 'configured')
    peers.learn('a', Array.from({ length: 20 }, (_, i) => `learnt ${i}`))
    expect(peers.addressesOf('a')[0]).toBe('configured')
    expect(peers.addressesOf('a').length).toBe(8)
    peers.learn('b', ['x'])
    for (let i = 0; i < 50; i++) for (const id of ['a', 'b']) peers.onFailure(id)
    expect(peers.known().map(({ id }) => id)).toEqual(['a'])
  })

  it('lets what others say of a peer never push out its own addresses, and tries their words in turn', () => {
    const peers = book()
    peers.learn('a', ['own'])
    const lies = Array.from({ length: 8 }, (_, i) => `victim ${i}`)
    for (let i = 0; i < 3; i++) peers.hear('a', lies)
    expect(peers.addressesOf('a')).toEqual(['own', ...lies.slice(0, 7)])
    peers.hear('b', ['true'])
    peers.hear('b', lies.slice(0, 7))
    const firsts = Array.from({ length: 8 }, () => {
      peers.onFailure('b')
      return peers.addressesOf('b')[0]
    })
    expect(firsts).toContain('true')
    peers.addBootnode('b', 'configured')
    peers.learn('b', ['own'])
    expect(peers.addressesOf('b').slice(0, 2)).toEqual(['configured', 'own'])
  })

  it('is bounded', () => {
    const peers = book()
    for (let i = 0; i < 2000; i++) peers.learn(`peer ${i}`, ['x'])
    expect(peers.known().length).toBe(512)
  })
})

describe('penalties', () => {
  it('add up to a ban, fade with time, and end', () => {
    const clock = { ms: 0, now: () => clock.ms, after: () => () => undefined }
    const penalties = createPenalties({ penaltyBanPoints: 100, penaltyDecayPerSecond: 1, banMs: 1000 }, clock)
    expect(penalties.add('a', 60)).toBe(false)
    clock.ms = 30_000
    expect(penalties.add('a', 60)).toBe(false)
    expect(penalties.add('a', 60)).toBe(true)
    expect([penalties.isBanned('a'), penalties.isBanned('b'), penalties.bannedCount()]).toEqual([true, false, 1])
    clock.ms += 1001
    expect(penalties.isBanned('a')).toBe(false)
  })
})
