import { describe, expect, it } from 'vitest'
import type { Address } from '@songhua/sdk/protocol/bytes'
import { diagnose, isUnwell } from '@songhua/node/app/diagnose'
import type { Diagnosis, DiagnosedPeer } from '@songhua/node/app/diagnosis'
import type { DoctorFacts, FolderFacts } from '@songhua/node/app/doctor-facts'
import type { Finding, FindingCode } from '@songhua/node/app/finding'
import { FINDING_TEXTS, explainFinding } from '@songhua/node/cli/finding-texts'

const NOW = 1_800_000_000_000
const GB = 1024 ** 3
const addressOf = (index: number): Address => `0x${String(index).repeat(40)}`
const VALIDATORS = [1, 2, 3, 4].map(addressOf)

const peerOf = (index: number, more: Partial<DiagnosedPeer> = {}): DiagnosedPeer =>
  ({ id: `peer${index}`, address: addressOf(index), follower: false, rttMs: 1, clockAheadMs: 3, head: 100, ...more })

/** Validator 1 of four, connected to all, one second after block 100. */
const WELL: Diagnosis = {
  name: 'harbin', address: addressOf(1), follow: false, nowMs: NOW, startedMs: NOW - 3_600_000,
  head: { number: 100, blockTimeMs: NOW - 1_000, validators: VALIDATORS },
  heartbeatMs: 30_000, roundTimeoutMs: 4_000, roundTimeoutCapMs: 20_000, protocol: { needed: 1, max: 1, ahead: undefined },
  consensus: { height: 101, round: 0, isVoter: true, isSilent: false, isStopped: false }, heardRounds: [],
  log: { status: 'ok', silence: undefined, owner: addressOf(1), halves: 0, sync: { count: 100, p50Ms: 0.4, p99Ms: 5, lastMs: 0.3 } },
  syncing: false, trouble: undefined, peers: [2, 3, 4].map((index) => peerOf(index)), refusals: [], displacedBootnodes: [], pool: { pending: 0, queued: 0 },
  contradictions: [], twin: undefined, gateway: undefined,
}
const WHOLE: FolderFacts = {
  data: '/data',
  follow: false,
  isValidator: true,
  store: { folder: '/data/chain', fault: undefined, head: 100, isRead: true },
  log: { path: '/data/consensus.log', status: 'ok', silence: undefined, owner: addressOf(1), address: addressOf(1), halves: 0, fault: undefined },
  journal: { path: '/data/transactions.journal', fault: undefined, droppedBytes: 0, isMissing: false },
  gateway: undefined,
  takenPorts: [],
}
const COMMON = {
  nowMs: NOW,
  disk: { path: '/data', freeBytes: 100 * GB, minFreeBytes: GB },
  key: { path: '/data/node-key.json', fault: undefined, isOpen: false },
  genesis: undefined,
}

const AHEAD = { height: 900, version: 2, blocks: 800, inMs: 7_200_000 }

const running = (later: Partial<Diagnosis>, now: Partial<Diagnosis> = later, more: Partial<DoctorFacts> = {}): DoctorFacts =>
  ({ ...COMMON, node: { state: 'running', now: { ...WELL, ...now }, later: { ...WELL, ...later }, afterMs: 2_000 }, ...more })
const stopped = (folder: Partial<FolderFacts>, more: Partial<DoctorFacts> = {}): DoctorFacts =>
  ({ ...COMMON, node: { state: 'stopped', ...WHOLE, ...folder }, ...more })

const brief = (findings: Finding[]): string[] => findings.map(({ code, severity }) => `${severity} ${code}`)
const briefOf = (facts: DoctorFacts): string[] => brief(diagnose(facts))
const only = (facts: DoctorFacts, code: FindingCode): Finding => diagnose(facts).find((one) => one.code === code)!
const fault = (code: string): { code: string; message: string } => ({ code, message: `what ${code} says` })
const since = (agoMs: number): Pick<Diagnosis, 'head'> => ({ head: { ...WELL.head, blockTimeMs: NOW - agoMs } })
const refusal = (code: string, byPeer = true) => ({ id: `of ${code}`, code, message: 'why', byPeer, atMs: NOW, times: 2 })

describe('diagnose: a running node that is well', () => {
  it('is idle between blocks, and says when the next one is due', () => {
    expect(briefOf(running({}))).toEqual(['info IDLE'])
    expect(only(running({}), 'IDLE').values).toEqual({ head: 100, agoS: 1, dueS: 29 })
  })

  it('advances when a block came between the two looks', () => {
    expect(briefOf(running({}, { head: { ...WELL.head, number: 98 } }))).toEqual(['info ADVANCING'])
  })

  it('syncs, at a pace and with an end', () => {
    const syncing = { startingBlock: 1, currentBlock: 100, highestBlock: 500 }
    const facts = running({ syncing, ...since(10 ** 9) }, { head: { ...WELL.head, number: 60 } })
    expect(briefOf(facts)).toEqual(['info SYNCING'])
    expect(only(facts, 'SYNCING').values).toEqual({ current: 100, highest: 500, perSecond: '20.0', leftS: 20 })
    expect(only(running({ syncing }), 'SYNCING').values).toMatchObject({ perSecond: '0.0', leftS: 'not known' })
  })

  it('follows without a vote', () => {
    const facts = running({ address: addressOf(9), follow: true, log: undefined, peers: [1, 2, 3, 4].map((index) => peerOf(index)) })
    expect(briefOf(facts)).toEqual(['info NOT_VALIDATOR', 'info IDLE'])
  })

  it('follows though it has a seat: its vote is missing', () => {
    expect(briefOf(running({ follow: true, log: undefined }))).toEqual(['warning VALIDATOR_FOLLOWS', 'info IDLE'])
  })

  it('is suspended or retired, which its peers do not say', () => {
    const refusals = [{ id: 'A', code: 'CLOSED_BEFORE_HANDSHAKE', byPeer: true, message: 'closed' }] as unknown as Diagnosis['refusals']
    for (const standing of ['suspended', 'retired'] as const) {
      const facts = running({ standing, peers: [], refusals })
      expect(briefOf(facts)[0]).toBe('error NODE_EXCLUDED')
      expect(only(facts, 'NODE_EXCLUDED').values).toEqual({ address: addressOf(1), standing })
    }
    expect(briefOf(running({ standing: 'active' }))).toEqual(['info IDLE'])
  })

  it('may be alone on a chain of its own', () => {
    expect(briefOf(running({ peers: [], head: { ...WELL.head, validators: [addressOf(1)] } }))).toEqual(['info IDLE'])
  })

  it('has had no time to be late just after its start', () => {
    expect(briefOf(running({ ...since(10 ** 9), startedMs: NOW - 5_000 }))).toEqual([])
  })
})

describe('diagnose: a running node that is not', () => {
  it('misses one validator, which the chain bears', () => {
    const facts = running({ peers: [2, 3].map((index) => peerOf(index)) })
    expect(briefOf(facts)).toEqual(['warning VALIDATORS_MISSING', 'info IDLE'])
    expect(only(facts, 'VALIDATORS_MISSING').values).toMatchObject({ missing: addressOf(4), connected: 3, quorum: 3, validators: 4 })
  })

  it('misses more than f, and names them', () => {
    const facts = running({ peers: [peerOf(2)], ...since(90_000) })
    expect(briefOf(facts)).toEqual(['error NO_QUORUM'])
    expect(only(facts, 'NO_QUORUM').values).toMatchObject({ missing: `${addressOf(3)}, ${addressOf(4)}`, connected: 2, quorum: 3, faults: 1, agoS: 90 })
  })

  it('does not count a follower with a validator\'s key as one that votes', () => {
    expect(briefOf(running({ peers: [peerOf(2), peerOf(3, { follower: true }), peerOf(4, { follower: true })] }))).toContain('error NO_QUORUM')
  })

  it('stands still though enough are connected, because some of them are silent', () => {
    const facts = running({ peers: [2, 3].map((index) => peerOf(index)), heardRounds: [{ address: addressOf(2), round: 0 }], ...since(90_000) })
    expect(briefOf(facts)).toEqual(['error STALLED', 'warning VALIDATORS_MISSING'])
    expect(only(facts, 'STALLED').values.unheard).toBe(`${addressOf(3)}, ${addressOf(4)}`)
  })

  it('lacks no quorum as long as blocks come, whoever is connected at the moment', () => {
    const facts = running({ peers: [peerOf(2)] }, { head: { ...WELL.head, number: 99 } })
    expect(briefOf(facts)).toEqual(['warning VALIDATORS_MISSING', 'info ADVANCING'])
  })

  it('has no peer at all', () => {
    expect(briefOf(running({ peers: [] }))).toEqual(['error NO_PEERS'])
  })

  it('is told of a bootnode where another key answers, of a node on the list or a stranger; neither holds the chain up', () => {
    const displaced = (isListed: boolean) => ({ id: 'Old', configured: ['/ip4/10.0.0.1/tcp/30300/p2p/Old'], answeredBy: 'New', isListed })
    const rotated = running({ displacedBootnodes: [displaced(true)] })
    expect(only(rotated, 'BOOTNODE_ROTATED')).toMatchObject({
      severity: 'warning', values: { bootnode: 'Old', peer: 'New', corrected: '/ip4/10.0.0.1/tcp/30300/p2p/New' },
    })
    expect(briefOf(running({ displacedBootnodes: [displaced(false)] }))).toContain('warning BOOTNODE_OTHER_KEY')
    const standing = running({ ...since(90_000), displacedBootnodes: [displaced(true)] })
    expect(briefOf(standing).filter((one) => !one.includes('BOOTNODE'))).toEqual(briefOf(running(since(90_000))))
  })

  it('follows, and sees few validators: no fault while the chain goes on, one when it stands', () => {
    const follower = { address: addressOf(9), follow: true, log: undefined, peers: [peerOf(2)] }
    expect(briefOf(running(follower))).toEqual(['warning VALIDATORS_MISSING', 'info NOT_VALIDATOR', 'info IDLE'])
    expect(briefOf(running({ ...follower, ...since(90_000) }))).toEqual(['error NO_QUORUM', 'info NOT_VALIDATOR'])
  })

  it.each([[-1_500, 'warning'], [1_500, 'warning'], [2_000, 'error'], [-60_000, 'error']] as const)(
    'has peers whose clocks are %i ms ahead: %s',
    (clockAheadMs, severity) => {
      const facts = running({ peers: [2, 3, 4].map((index) => peerOf(index, { clockAheadMs })) })
      expect(briefOf(facts)).toEqual([`${severity} CLOCK_OFF`, 'info IDLE'])
      expect(only(facts, 'CLOCK_OFF').values).toMatchObject({ aheadMs: -clockAheadMs, peers: 3, limitMs: 2_000 })
    },
  )

  it('believes the middle of its peers\' clocks, not one that is off, nor one that does not tell', () => {
    const off = [peerOf(2, { clockAheadMs: 90_000 }), peerOf(3), peerOf(4)]
    expect(briefOf(running({ peers: off }))).toEqual(['info IDLE'])
    expect(briefOf(running({ peers: [2, 3, 4].map((index) => peerOf(index, { clockAheadMs: undefined })) }))).toEqual(['info IDLE'])
  })

  it('has a slow disk', () => {
    const slow = (p50Ms: number, p99Ms: number, count = 100) => running({ log: { ...WELL.log!, sync: { count, p50Ms, p99Ms, lastMs: 9 } } })
    expect(briefOf(slow(19, 499))).toEqual(['info IDLE'])
    expect(briefOf(slow(0.4, 500, 99))).toEqual(['info IDLE'])
    expect(briefOf(slow(50, 500, 7))).toEqual(['info IDLE'])
    expect(briefOf(slow(0.4, 500))).toEqual(['warning DISK_SLOW', 'info IDLE'])
    expect(briefOf(slow(20, 250, 8))).toEqual(['warning DISK_SLOW', 'info IDLE'])
    expect(briefOf(slow(1_200, 3_000))).toEqual(['error DISK_SLOW', 'info IDLE'])
    expect(only(slow(20, 250), 'DISK_SLOW').values).toEqual({ p50Ms: '20.0', p99Ms: '250.0', lastMs: '9.0' })
  })

  it.each([
    ['GENESIS_MISMATCH', 'WRONG_GENESIS'], ['CHAIN_ID_MISMATCH', 'WRONG_GENESIS'], ['PROTOCOL_VERSION_MISMATCH', 'PEER_TOO_OLD'],
    ['NOT_ADMITTED', 'NOT_ADMITTED'], ['CLOSED_BEFORE_HANDSHAKE', 'CLOSED_EARLY'], ['PENALISED', 'BANNED'],
  ] as const)('is refused with %s: %s', (code, found) => {
    expect(briefOf(running({ peers: [], refusals: [refusal(code), refusal(code)] }))).toEqual([`error ${found}`, 'error NO_PEERS'])
    expect(briefOf(running({ refusals: [refusal(code)] }))).toEqual([`warning ${found}`, 'info IDLE'])
    expect(only(running({ refusals: [refusal(code)] }), found).values).toEqual({ count: 1, peers: `of ${code}`, reason: 'why' })
  })

  it('refuses others: of another chain that is a finding, a stranger or one banned is not', () => {
    expect(briefOf(running({ refusals: [refusal('GENESIS_MISMATCH', false)] }))).toEqual(['warning WRONG_GENESIS', 'info IDLE'])
    expect(briefOf(running({ refusals: [refusal('NOT_ADMITTED', false), refusal('PENALISED', false)] }))).toEqual(['info IDLE'])
  })

  it.each([['missing', 'LOG_LOST'], ['damaged', 'LOG_LOST'], ['ok', 'LOG_SILENT']] as const)('keeps silent: log %s', (status, code) => {
    const facts = running({ consensus: { ...WELL.consensus, isSilent: true }, log: { ...WELL.log!, status, silence: 'why' } })
    expect(briefOf(facts)).toEqual([`warning ${code}`, 'info IDLE'])
    expect(only(facts, code).values).toMatchObject({ status, reason: 'why' })
  })

  it('votes again after its silence, which is over', () => {
    expect(briefOf(running({ log: { ...WELL.log!, status: 'missing', silence: 'why' } }))).toEqual(['info IDLE'])
  })

  it('needs a newer program, or has stopped its consensus', () => {
    expect(briefOf(running({ protocol: { needed: 2, max: 1, ahead: undefined }, consensus: { ...WELL.consensus, isStopped: true } }))).toEqual(['error PROTOCOL_TOO_OLD'])
    expect(briefOf(running({ consensus: { ...WELL.consensus, isStopped: true } }))).toEqual(['error CONSENSUS_STOPPED'])
    const alone = { protocol: { needed: 2, max: 1, ahead: undefined }, peers: [], refusals: [refusal('PROTOCOL_VERSION_MISMATCH')] }
    expect(briefOf(running(alone))).toEqual(['error PROTOCOL_TOO_OLD'])
  })

  it('will need a newer program, and how soon', () => {
    const facts = running({ protocol: { needed: 1, max: 1, ahead: AHEAD } })
    expect(briefOf(facts)).toEqual(['warning PROTOCOL_AHEAD', 'info IDLE'])
    expect(only(facts, 'PROTOCOL_AHEAD').values).toEqual({ height: 900, version: 2, max: 1, blocks: 800, about: '2 h 0 min' })
  })

  it('knows a validator that signed two things, and a node that has its own key', () => {
    const one = { address: addressOf(3), kind: 'prepare' as const, height: 90, round: 1, atMs: NOW - 5_000 }
    expect(briefOf(running({ contradictions: [one] }))).toEqual(['error EQUIVOCATION', 'info IDLE'])
    expect(only(running({ contradictions: [one] }), 'EQUIVOCATION').values).toEqual({ validator: addressOf(3), kind: 'prepare', height: 90, round: 1, agoS: 5 })
    expect(briefOf(running({ twin: { height: 95, atMs: NOW } }))).toEqual(['error KEY_ELSEWHERE', 'info IDLE'])
  })

  it('has a gateway that is down, and why', () => {
    expect(briefOf(running({ gateway: { isUp: true, error: fault('X'), restarts: 1 } }))).toEqual(['info IDLE'])
    const down = running({ gateway: { isUp: false, error: fault('KEY_RING_INCOMPLETE'), restarts: 3 } })
    expect(briefOf(down)).toEqual(['error GATEWAY_DOWN', 'info IDLE'])
    expect(only(down, 'GATEWAY_DOWN').values).toMatchObject({ code: 'KEY_RING_INCOMPLETE', restarts: 3 })
  })

  it('is silent beside the log of another key; one that is no validator has nothing to be silent about', () => {
    const foreign = { consensus: { ...WELL.consensus, isSilent: true }, log: { ...WELL.log!, status: 'foreign' as const, owner: addressOf(4), silence: 'why' } }
    expect(briefOf(running(foreign))).toEqual(['warning LOG_FOREIGN', 'info IDLE'])
    expect(only(running(foreign), 'LOG_FOREIGN').values).toMatchObject({ owner: addressOf(4), address: addressOf(1) })
    expect(briefOf(running({ ...foreign, address: addressOf(9), peers: [1, 2, 3, 4].map((index) => peerOf(index)) }))).toEqual(['info NOT_VALIDATOR', 'info IDLE'])
    expect(briefOf(running({ log: { ...WELL.log!, halves: 1 } }))).toEqual(['warning LOG_HALVED', 'info IDLE'])
  })

  it('cannot import what a quorum has sealed', () => {
    expect(briefOf(running({ trouble: fault('BLOCK_RESULT') }))).toEqual(['error IMPORT_FAILS'])
  })

  it('stands still while the rounds of the validators are apart', () => {
    const apart = {
      ...since(90_000), consensus: { ...WELL.consensus, round: 7 },
      heardRounds: [{ address: addressOf(2), round: 9 }, { address: addressOf(3), round: 7 }],
    }
    expect(briefOf(running(apart))).toEqual(['error ROUNDS_DIVERGED'])
    expect(only(running(apart), 'ROUNDS_DIVERGED').values).toMatchObject({ height: 101, own: 7, lowest: 7, highest: 9 })
    expect(briefOf(running({ ...apart, ...since(1_000) }))).toEqual(['info IDLE'])
    expect(briefOf(running({ ...apart, heardRounds: [{ address: addressOf(2), round: 8 }] }))).toEqual(['error STALLED'])
  })

  it('stands still though a transaction waits, or the heartbeat is overdue, and nothing here says why', () => {
    expect(briefOf(running(since(39_000)))).toEqual(['error STALLED'])
    expect(only(running(since(39_000)), 'STALLED').values.unheard).toBe([2, 3, 4].map(addressOf).join(', '))
    expect(only(running({ ...since(39_000), heardRounds: [{ address: addressOf(3), round: 0 }] }), 'STALLED').values.unheard).toBe(`${addressOf(2)}, ${addressOf(4)}`)
    // Late is neither idle nor advancing, and not stalled yet.
    expect(briefOf(running(since(37_000)))).toEqual([])
    expect(briefOf(running(since(31_000)))).toEqual(['info IDLE'])
    expect(briefOf(running({ ...since(9_000), pool: { pending: 2, queued: 0 } }))).toEqual(['error STALLED'])
    expect(briefOf(running({ ...since(9_000), pool: { pending: 2, queued: 0 } }, since(9_000)))).toEqual(['info ADVANCING'])
  })
})

describe('diagnose: a stopped node', () => {
  it('says that it does not run', () => {
    expect(briefOf(stopped({}))).toEqual(['warning NODE_STOPPED'])
    expect(only(stopped({}), 'NODE_STOPPED').values).toEqual({ data: '/data', head: 100, others: 0 })
    expect(only(stopped({ store: { ...WHOLE.store, head: undefined } }), 'NODE_STOPPED').values.head).toBe(0)
    expect(explainFinding(only(stopped({}), 'NODE_STOPPED'), 'en').todo).toBe('songhua start --data /data')
  })

  it('does not know the last block of a store that it cannot read, and has the damage mended before a start', () => {
    const facts = stopped({ store: { ...WHOLE.store, head: undefined, isRead: false, fault: fault('STORE_DAMAGED') } })
    expect(only(facts, 'NODE_STOPPED').values).toMatchObject({ head: 'not known', others: 1 })
    const [en, zh] = (['en', 'zh'] as const).map((language) => explainFinding(only(facts, 'NODE_STOPPED'), language))
    expect([en!.what, en!.todo]).toEqual([expect.stringContaining('not known'), 'Mend first what stands above; then: songhua start --data /data'])
    expect(zh!.what).toContain('未知')
  })

  it('has files that this user may not read, which is no damage', () => {
    const rights = { code: 'RIGHTS', message: 'EACCES' }
    expect(briefOf(stopped({ store: { ...WHOLE.store, head: undefined, isRead: false, fault: rights } }))).toEqual(['error RIGHTS', 'warning NODE_STOPPED'])
    expect(briefOf(stopped({ log: { ...WHOLE.log!, status: 'damaged', fault: rights } }))).toEqual(['error RIGHTS', 'warning NODE_STOPPED'])
    expect(briefOf(stopped({ log: { ...WHOLE.log!, fault: fault('CONSENSUS_LOG_NEWER_VERSION') } }))).toEqual(['error LOG_REFUSED', 'warning NODE_STOPPED'])
    expect(briefOf(stopped({ journal: { ...WHOLE.journal, fault: rights } }))).toEqual(['error RIGHTS', 'warning NODE_STOPPED'])
  })

  it('has the consensus log of another key, and names both', () => {
    const log = { ...WHOLE.log!, status: 'foreign' as const, owner: addressOf(4), silence: 'why' }
    expect(briefOf(stopped({ log }))).toEqual(['warning LOG_FOREIGN', 'warning NODE_STOPPED'])
    expect(only(stopped({ log }), 'LOG_FOREIGN').values).toMatchObject({ owner: addressOf(4), address: addressOf(1) })
  })

  it('says nothing of the log of a node that is no validator, nor holds one against a store that was never opened', () => {
    const log = { ...WHOLE.log!, status: 'missing' as const, silence: 'why' }
    expect(briefOf(stopped({ log, isValidator: false }))).toEqual(['warning NODE_STOPPED'])
    expect(briefOf(stopped({ log: { ...log, status: 'ok' }, store: { ...WHOLE.store, head: undefined, isRead: false } }))).toEqual(['warning NODE_STOPPED'])
  })

  it('has records with one copy left, and a chain without a journal', () => {
    expect(briefOf(stopped({ log: { ...WHOLE.log!, halves: 2 } }))).toEqual(['warning LOG_HALVED', 'warning NODE_STOPPED'])
    expect(briefOf(stopped({ journal: { ...WHOLE.journal, isMissing: true } }))).toEqual(['warning JOURNAL_MISSING', 'warning NODE_STOPPED'])
    expect(briefOf(stopped({ journal: { ...WHOLE.journal, isMissing: true }, store: { ...WHOLE.store, head: undefined } }))).toEqual(['warning NODE_STOPPED'])
  })

  it('has a gateway whose folders are not whole', () => {
    const gateway = { folder: '/data/gateway', keysDir: '/data/gateway-keys', isEnabled: true, fault: fault('KEY_RING_INCOMPLETE'), records: undefined }
    expect(briefOf(stopped({ gateway }))).toEqual(['error GATEWAY_DAMAGED', 'warning NODE_STOPPED'])
    expect(briefOf(stopped({ gateway: { ...gateway, isEnabled: false } }))).toEqual(['warning GATEWAY_DAMAGED', 'warning NODE_STOPPED'])
    expect(briefOf(stopped({ gateway: { ...gateway, fault: undefined } }))).toEqual(['warning NODE_STOPPED'])
  })

  it('was read to its last byte and is sound', () => {
    const store = { ...WHOLE.store, deep: { blocks: 426, transactions: 9, files: 12 } }
    expect(briefOf(stopped({ store }))).toEqual(['warning NODE_STOPPED', 'info FOLDER_SOUND'])
    expect(only(stopped({ store }), 'FOLDER_SOUND').values).toMatchObject({ blocks: 426, files: 12 })
    expect(briefOf(stopped({ store, journal: { ...WHOLE.journal, droppedBytes: 1 } }))).not.toContain('info FOLDER_SOUND')
  })

  it.each([
    ['STORE_DAMAGED', 'STORE_DAMAGED'], ['STORE_INCONSISTENT', 'STORE_DAMAGED'], ['STORE_GENESIS_MISMATCH', 'STORE_OTHER_CHAIN'],
    ['STORE_NEWER_SCHEMA', 'STORE_REFUSED'], ['STORE_OPEN_FAILED', 'STORE_REFUSED'],
  ] as const)('has a store that is refused with %s: %s', (code, found) => {
    expect(briefOf(stopped({ store: { ...WHOLE.store, head: undefined, fault: fault(code) } }))).toEqual([`error ${found}`, 'warning NODE_STOPPED'])
  })

  it('is not stopped at all when another process has its store, whose ports need no second finding', () => {
    const facts = stopped({ store: { ...WHOLE.store, fault: fault('STORE_IN_USE') }, takenPorts: [{ use: 'rpc', port: 8545 }] })
    expect(briefOf(facts)).toEqual(['error STORE_LOCKED'])
  })

  it('has ports that others took', () => {
    expect(diagnose(stopped({ takenPorts: [{ use: 'rpc', port: 8545 }] }))[0]).toEqual({ code: 'PORT_TAKEN', severity: 'error', values: { use: 'rpc', port: 8545 } })
  })

  it.each([['missing', 'LOG_LOST'], ['damaged', 'LOG_LOST'], ['ok', 'LOG_SILENT'], ['fresh', 'LOG_SILENT']] as const)('has a log that is %s: %s', (status, code) => {
    expect(briefOf(stopped({ log: { ...WHOLE.log!, status, silence: 'why' } }))).toEqual([`warning ${code}`, 'warning NODE_STOPPED'])
    expect(briefOf(stopped({ log: { ...WHOLE.log!, status, silence: undefined } }))).toEqual(['warning NODE_STOPPED'])
  })

  it('does not hold a log that is whole against a store that cannot be read', () => {
    const store = { ...WHOLE.store, head: undefined, fault: fault('STORE_DAMAGED') }
    expect(briefOf(stopped({ store: { ...store, isRead: false }, log: { ...WHOLE.log!, silence: 'why' } }))).toEqual(['error STORE_DAMAGED', 'warning NODE_STOPPED'])
    expect(briefOf(stopped({ store, log: { ...WHOLE.log!, status: 'missing', silence: 'why' } }))).toContain('warning LOG_LOST')
  })

  it('has a journal with damage, or one that is refused', () => {
    expect(briefOf(stopped({ journal: { ...WHOLE.journal, droppedBytes: 3 } }))).toEqual(['warning JOURNAL_DAMAGED', 'warning NODE_STOPPED'])
    expect(briefOf(stopped({ journal: { ...WHOLE.journal, fault: fault('JOURNAL_FOREIGN') } }))).toEqual(['error JOURNAL_REFUSED', 'warning NODE_STOPPED'])
  })
})

describe('diagnose: whether it runs or not', () => {
  const all = [running({}), stopped({})]
  const within = (more: Partial<DoctorFacts>): string[][] => all.map((facts) => briefOf({ ...facts, ...more }))

  it('the key must be usable, and its owner\'s alone', () => {
    for (const found of within({ key: { ...COMMON.key, fault: fault('KEYSTORE_PASSWORD') } })) expect(found[0]).toBe('error KEY_UNUSABLE')
    for (const found of within({ key: { ...COMMON.key, isOpen: true } })) expect(found).toContain('warning KEY_OPEN')
  })

  it('the genesis must be readable', () => {
    for (const found of within({ genesis: fault('CLI_FILE') })) expect(found[0]).toBe('error GENESIS_UNUSABLE')
  })

  it('the disk must have room', () => {
    const disk = (freeBytes: number) => within({ disk: { ...COMMON.disk, freeBytes } })
    for (const found of disk(GB - 1)) expect(found[0]).toBe('error DISK_FULL')
    for (const found of disk(1.5 * GB)) expect(found).toContain('warning DISK_NEARLY_FULL')
    for (const found of disk(2 * GB)) expect(found.join()).not.toContain('DISK')
    for (const found of within({ disk: { ...COMMON.disk, freeBytes: 0, minFreeBytes: 0 } })) expect(found[0]).toBe('error DISK_FULL')
  })

  it('a node that waits for room says so once', () => {
    const facts: DoctorFacts = { ...COMMON, disk: { ...COMMON.disk, freeBytes: 5 }, node: { state: 'paused', reason: fault('DISK_FULL') } }
    expect(briefOf(facts)).toEqual(['error NODE_PAUSED'])
  })

  it('is unwell with an error or a warning, and well with what is only told', () => {
    expect([running({}), running({ peers: [2, 3].map((index) => peerOf(index)) }), stopped({})].map((facts) => isUnwell(diagnose(facts)))).toEqual([false, true, true])
  })
})

describe('the words of findings', () => {
  const met = new Map<FindingCode, Finding>()
  const collect = (facts: DoctorFacts): void => diagnose(facts).forEach((one) => met.set(one.code, one))

  it('are there for every finding in both languages, with every value filled in', () => {
    const quiet = { ...WELL.consensus, isSilent: true }
    const rights = { code: 'RIGHTS', message: 'x' }
    collect(stopped({ log: { ...WHOLE.log!, status: 'foreign', silence: 'why', halves: 1 }, journal: { ...WHOLE.journal, isMissing: true } }))
    collect(stopped({ log: { ...WHOLE.log!, fault: fault('X') }, journal: { ...WHOLE.journal, fault: rights } }))
    collect(stopped({ gateway: { folder: '/g', keysDir: '/k', isEnabled: true, fault: fault('X'), records: undefined } }))
    collect(stopped({ store: { ...WHOLE.store, deep: { blocks: 1, transactions: 1, files: 1 } } }))
    const one = { address: addressOf(3), kind: 'prepare' as const, height: 90, round: 1, atMs: NOW }
    collect(running({ contradictions: [one], twin: { height: 3, atMs: NOW }, gateway: { isUp: false, error: undefined, restarts: 0 }, refusals: [refusal('CLOSED_BEFORE_HANDSHAKE')] }))
    for (const code of ['GENESIS_MISMATCH', 'PROTOCOL_VERSION_MISMATCH', 'NOT_ADMITTED', 'PENALISED']) collect(running({ refusals: [refusal(code)] }))
    for (const code of ['STORE_DAMAGED', 'STORE_IN_USE', 'STORE_GENESIS_MISMATCH', 'STORE_FOREIGN']) collect(stopped({ store: { ...WHOLE.store, fault: fault(code) } }))
    for (const more of [
      { peers: [] }, { peers: [peerOf(2)] }, { peers: [peerOf(2), peerOf(3)] }, since(39_000), { follow: true },
      { peers: [2, 3, 4].map((index) => peerOf(index, { clockAheadMs: 5_000 })) }, { protocol: { needed: 2, max: 1, ahead: undefined } },
      { protocol: { needed: 1, max: 1, ahead: AHEAD } },
      { consensus: { ...WELL.consensus, isStopped: true } }, { trouble: fault('X') }, { consensus: quiet, log: { ...WELL.log!, silence: 'why' } },
      { consensus: quiet, log: { ...WELL.log!, status: 'missing' as const, silence: 'why' } },
      { log: { ...WELL.log!, sync: { count: 100, p50Ms: 1, p99Ms: 500, lastMs: 1 } } },
      { displacedBootnodes: [true, false].map((isListed) => ({ id: 'A', configured: ['/ip4/10.0.0.1/tcp/1/p2p/A'], answeredBy: 'B', isListed })) },
      { syncing: { startingBlock: 0, currentBlock: 1, highestBlock: 9 } }, { ...since(90_000), heardRounds: [{ address: addressOf(2), round: 9 }] },
    ]) collect(running(more))
    collect(running({}, { head: { ...WELL.head, number: 9 } }))
    collect(running({ standing: 'suspended' }))
    collect(running({ follow: true, log: undefined }))
    collect(running({ address: addressOf(9), follow: true, log: undefined }))
    collect(running({}))
    collect(stopped({ takenPorts: [{ use: 'rpc', port: 1 }], journal: { ...WHOLE.journal, droppedBytes: 1 } }))
    collect(stopped({ journal: { ...WHOLE.journal, fault: fault('X') } }, { key: { ...COMMON.key, isOpen: true }, genesis: fault('X') }))
    collect(stopped({}, { key: { ...COMMON.key, fault: fault('X') }, disk: { ...COMMON.disk, freeBytes: 1.5 * GB } }))
    collect(stopped({}, { disk: { ...COMMON.disk, freeBytes: 1 } }))
    collect({ ...COMMON, node: { state: 'paused', reason: fault('DISK_FULL') } })
    expect([...met.keys()].sort()).toEqual(Object.keys(FINDING_TEXTS).sort())
    for (const one of met.values()) {
      for (const language of ['en', 'zh'] as const) {
        const words = Object.values(explainFinding({ ...one, values: { data: '/data', ...one.values } }, language)).join(' ')
        expect([one.code, words]).toEqual([one.code, expect.not.stringMatching(/[{}]|undefined|NaN/)])
        if (language === 'zh') expect(words).toMatch(/[\u4e00-\u9fff]/)
      }
    }
  })

  it('name the state of a lost log in the language of the reader', () => {
    const one: Finding = { code: 'LOG_LOST', severity: 'warning', values: { status: 'missing', reason: 'why' } }
    expect(explainFinding(one, 'en').what).toBe('The consensus log is missing: this validator keeps silent.')
    expect(explainFinding(one, 'zh').what).toBe('共识日志缺失：本验证者保持静默。')
  })
})
