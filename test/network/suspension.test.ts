import { afterEach, describe, expect, it } from 'vitest'
import { arePeers, bootnodeOf, connect, sleep, startNode, stopAll, type TestNode, until } from './support.js'

/** From the block that suspends a node to its last byte. */
const CUT_WITHIN_MS = 5_000
const MIB = 1024 * 1024

afterEach(stopAll)

/** Answers each request after a while with a block's worth of bytes, as a server that is busy. */
const serve = ({ network }: TestNode, delayMs: number): void =>
  network.onRequest(async () => {
    await sleep(delayMs)
    return new Uint8Array(MIB)
  })

/** Asks again and again, as sync does. @returns how many answers came, and the codes of what ended it */
function keepAsking(node: TestNode, peerId: string): { answers: () => number; ended: Promise<unknown[]> } {
  let answers = 0
  const one = async (): Promise<unknown> => {
    for (;;) {
      try {
        await node.network.request(peerId, Uint8Array.of(1), { timeoutMs: 20_000 })
        answers += 1
      } catch (error) {
        return (error as { code: unknown }).code
      }
    }
  }
  return { answers: () => answers, ended: Promise.all([one(), one(), one()]) }
}

describe('a node that the list names no more', () => {
  it.each([['the one that dialled', true], ['the one that was dialled', false]])('is cut with its streams in both directions while it syncs: %s', async (_who, isDialler) => {
    const [council, suspended] = [await startNode({ seed: 1 }), await startNode({ seed: 2 })]
    if (isDialler) await connect(suspended, council)
    else await connect(council, suspended)
    for (const node of [council, suspended]) serve(node, 100)
    const asking = [keepAsking(council, suspended.network.self.id), keepAsking(suspended, council.network.self.id)]
    await until(() => asking.every(({ answers }) => answers() > 3), 'answers both ways')
    // As after the block that says so: a bootnode too, and one that claims to be ahead.
    council.isBehind = false
    suspended.network.announceHead({ number: 9, hash: `0x${'99'.repeat(32)}` })
    await until(() => council.network.peers()[0]?.head.number === 9)
    council.admits = () => false
    const startMs = performance.now()
    council.network.recheckAdmission()
    const codes = (await Promise.all(asking.map(({ ended }) => ended))).flat()
    await until(() => [council, suspended].every(({ network }) => network.metrics()['connections'] === 0), 'the connection to be gone')
    const tookMs = performance.now() - startMs
    expect(tookMs).toBeLessThan(CUT_WITHIN_MS)
    expect(codes.every((code) => code === 'PEER_DISCONNECTED' || code === 'PEER_NOT_CONNECTED')).toBe(true)
  })

  it('is refused when it dials again, before a word, and is not dialled', async () => {
    const limits = { refusedMinMs: 100, refusedMaxMs: 200 }
    const council = await startNode({ seed: 1, limits })
    const suspended = await startNode({ seed: 2, limits })
    await connect(suspended, council)
    council.isBehind = false
    council.admits = () => false
    council.network.recheckAdmission()
    await until(() => suspended.network.peers().length === 0, 'the cut')
    const sessions = council.network.metrics()['sessions']
    await until(() => (council.network.metrics()['refused_not_admitted'] ?? 0) > 3, 'it to dial again')
    expect(council.network.metrics()['sessions']).toBe(sessions)
    expect(council.network.metrics()['dials'] ?? 0).toBe(0)
  })

  it('is cut also when it is a configured bootnode that claims to be ahead', async () => {
    const suspended = await startNode({ seed: 2, head: { number: 10 ** 9, hash: `0x${'99'.repeat(32)}` } })
    const council = await startNode({ seed: 1, bootnodes: [bootnodeOf(suspended)], limits: { refusedMinMs: 60_000 } })
    await until(() => arePeers(council, suspended), 'the two to connect')
    council.isBehind = false
    council.admits = () => false
    council.network.recheckAdmission()
    await until(() => [council, suspended].every(({ network }) => network.peers().length === 0), 'the cut', CUT_WITHIN_MS)
  })
})

describe('a peer that does not know the protocol version in force', () => {
  const at = (number: number) => ({ number, hash: `0x${'99'.repeat(32)}` }) as const

  it('is a peer until that version is in force, and is then cut with a code that says so', async () => {
    const newer = await startNode({ seed: 1, protocolVersions: { min: 1, max: 2 }, head: at(7) })
    const older = await startNode({ seed: 2, head: at(7) })
    await connect(older, newer)
    newer.network.recheckPeers()
    expect(arePeers(older, newer)).toBe(true)
    newer.protocolVersion = 2
    newer.head = at(8)
    newer.network.recheckPeers()
    await until(() => newer.network.peers().length === 0 && older.network.peers().length === 0, 'both sides to part')
    for (const node of [newer, older]) {
      const line = node.lines.find(({ fields }) => fields['code'] === 'PROTOCOL_VERSION_MISMATCH')!
      expect(line.fields['reason']).toBe('the chain runs protocol version 2, and one of the two nodes knows 1 to 1 only; update it')
    }
  })

  it('is refused when it dials, and kept by a node that is behind it and cannot know', async () => {
    const newer = await startNode({ seed: 1, protocolVersions: { min: 1, max: 2 }, head: at(8) })
    newer.protocolVersion = 2
    const older = await startNode({ seed: 2, head: at(7), bootnodes: [bootnodeOf(newer)] })
    await until(() => older.lines.some(({ fields }) => fields['code'] === 'PROTOCOL_VERSION_MISMATCH'), 'the refusal')
    expect(older.network.peers()).toEqual([])
    // It runs version 2 and later only, and has blocks for one that still runs version 1.
    const latest = await startNode({ seed: 3, protocolVersions: { min: 2, max: 3 }, head: at(9) })
    latest.protocolVersion = 2
    const late = await startNode({ seed: 4, protocolVersions: { min: 1, max: 2 }, head: at(3) })
    await connect(late, latest)
  })
})
