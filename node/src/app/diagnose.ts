import type { Address } from '@songhua/sdk/protocol/bytes'
import { faultTolerance, quorumSize } from '@songhua/sdk/protocol/validator-set'
import type { Diagnosis } from './diagnosis.js'
import { folderFindings, foreignValues } from './diagnose-folder.js'
import type { DiskFacts, DoctorFacts, KeyFacts, NodeFacts } from './doctor-facts.js'
import { aboutText } from './protocol-watch.js'
import { type Finding, type FindingCode, type Severity, NOT_KNOWN, finding } from './finding.js'

/** A proposal more than 2 s ahead is refused: from half of that on it is time to look. */
const CLOCK_WARN_MS = 1_000
const CLOCK_ERROR_MS = 2_000
/** A good disk syncs in 0.2 to 0.4 ms, with tails of some tens; what a few syncs took is chance. */
const SYNC_SLOW = { p50: { ms: 20, samples: 8 }, p99: { ms: 500, samples: 100 } } as const
/** Of the reserve: soon the node stops. */
const DISK_NEAR = 2
const ROUNDS_APART = 2
const GB = 1024 ** 3

/** Why a node is not advancing, the worst first; a node that is well has findings of severity `info` alone. */
export function diagnose(facts: DoctorFacts): Finding[] {
  const found = [
    ...(facts.genesis === undefined ? [] : [finding('GENESIS_UNUSABLE', 'error', { ...facts.genesis })]),
    ...keyFindings(facts.key),
    ...diskFindings(facts.disk, facts.node),
    ...nodeFindings(facts),
  ]
  const rank: Record<Severity, number> = { error: 0, warning: 1, info: 2 }
  const others = found.filter(({ severity }) => severity === 'error').length
  // A start comes after what would make it fail.
  const told = found.map((one) => (one.code === 'NODE_STOPPED' ? { ...one, values: { ...one.values, others } } : one))
  return told.sort((a, b) => rank[a.severity] - rank[b.severity])
}

export const isUnwell = (findings: readonly Finding[]): boolean => findings.some(({ severity }) => severity !== 'info')

function keyFindings({ path, fault, isOpen }: KeyFacts): Finding[] {
  if (fault !== undefined) return [finding('KEY_UNUSABLE', 'error', { path, ...fault })]
  return isOpen ? [finding('KEY_OPEN', 'warning', { path })] : []
}

function diskFindings({ path, freeBytes, minFreeBytes }: DiskFacts, node: NodeFacts): Finding[] {
  const values = { path, freeGb: (freeBytes / GB).toFixed(2), neededGb: (minFreeBytes / GB).toFixed(2) }
  if (freeBytes < Math.max(minFreeBytes, 1)) return node.state === 'paused' ? [] : [finding('DISK_FULL', 'error', values)]
  return freeBytes < DISK_NEAR * minFreeBytes ? [finding('DISK_NEARLY_FULL', 'warning', values)] : []
}

function nodeFindings({ node, nowMs }: DoctorFacts): Finding[] {
  if (node.state === 'paused') return [finding('NODE_PAUSED', 'error', { ...node.reason })]
  if (node.state === 'stopped') return folderFindings(node)
  return runningFindings(node, nowMs)
}

// -------------------------------------------------------------------------------------------------- a running node

type Running = Extract<NodeFacts, { state: 'running' }>

function runningFindings(node: Running, nowMs: number): Finding[] {
  const { later } = node
  const advance = advanceOf(node, nowMs)
  const causes = [
    ...protocolFindings(later),
    ...keyPlaceFindings(later),
    ...standingFindings(later),
    ...(isTooOld(later) ? [] : [...refusalFindings(later), ...quorumFindings(later, advance)]),
    ...clockFindings(later),
    ...syncTimeFindings(later),
    ...silenceFindings(later),
    ...gatewayFindings(later),
    ...(later.trouble === undefined ? [] : [finding('IMPORT_FAILS', 'error', { ...later.trouble })]),
  ]
  const rounds = advance.isStalled ? roundFindings(later) : []
  // A warning may be so for days while blocks are made: it explains nothing.
  const isExplained = [...causes, ...rounds].some(({ severity }) => severity === 'error')
  const stalled = advance.isStalled && !isExplained
  return [
    ...causes,
    ...bootnodeFindings(later),
    ...rounds,
    ...(stalled ? [finding('STALLED', 'error', { round: later.consensus.round, unheard: unheardOf(later), ...advance.values })] : []),
    ...seatFindings(later),
    ...(isHeldUp(causes, advance) ? [] : progressFindings(node, advance)),
  ]
}

/** By this node's own head: its peers, who cut it, do not say why. */
function standingFindings({ standing, address }: Diagnosis): Finding[] {
  return standing === 'suspended' || standing === 'retired' ? [finding('NODE_EXCLUDED', 'error', { address, standing })] : []
}

function seatFindings({ follow, head, address }: Diagnosis): Finding[] {
  if (!head.validators.includes(address)) return [finding('NOT_VALIDATOR', 'info', { address })]
  return follow ? [finding('VALIDATOR_FOLLOWS', 'warning', { address })] : []
}

/** What keeps blocks from being made: beside it nothing else is said of their progress. */
const HOLDING: readonly FindingCode[] = ['NO_PEERS', 'NO_QUORUM', 'CONSENSUS_STOPPED', 'PROTOCOL_TOO_OLD', 'IMPORT_FAILS']

const isHeldUp = (causes: readonly Finding[], { hasMoved }: Advance): boolean =>
  !hasMoved && causes.some(({ code, severity }) => severity === 'error' && HOLDING.includes(code))

interface Advance {
  readonly isStalled: boolean
  /** A block is late, though not for as long as a round may take. */
  readonly isOverdue: boolean
  /** A block came between the two looks. */
  readonly hasMoved: boolean
  readonly values: { readonly head: number; readonly agoS: number; readonly dueS: number }
}

/**
 * A block is due with each transaction and each heartbeat; from then on one round is given to whoever is late. The node
 * has not had its chance before that time has passed since its own start.
 */
function advanceOf({ now, later }: Running, nowMs: number): Advance {
  const { head, heartbeatMs, roundTimeoutMs, startedMs } = later
  // What came between the two questions has not waited.
  const isWaiting = now.pool.pending > 0 && later.pool.pending > 0
  const agoMs = nowMs - head.blockTimeMs
  const dueMs = (isWaiting ? 0 : heartbeatMs) + 2 * roundTimeoutMs
  const hasMoved = later.head.number > now.head.number
  const isOverdue = !hasMoved && agoMs > (isWaiting ? 0 : heartbeatMs) + roundTimeoutMs / 2
  const isStalled = !hasMoved && later.syncing === false && Math.min(agoMs, nowMs - startedMs) > dueMs
  const dueS = Math.max(0, Math.ceil((heartbeatMs - agoMs) / 1000))
  return { isStalled, isOverdue, hasMoved, values: { head: head.number, agoS: Math.round(agoMs / 1000), dueS } }
}

function progressFindings({ now, later, afterMs }: Running, { isStalled, isOverdue, hasMoved, values }: Advance): Finding[] {
  if (later.syncing !== false) {
    const { currentBlock, highestBlock } = later.syncing
    const perSecond = ((later.head.number - now.head.number) * 1000) / Math.max(1, afterMs)
    const left = highestBlock - currentBlock
    const leftS = perSecond > 0 ? Math.ceil(left / perSecond) : NOT_KNOWN
    return [finding('SYNCING', 'info', { current: currentBlock, highest: highestBlock, perSecond: perSecond.toFixed(1), leftS })]
  }
  // Between overdue and stalled there is nothing to say yet.
  if (isStalled || isOverdue) return []
  const isIdle = !hasMoved && later.pool.pending === 0
  return [finding(isIdle ? 'IDLE' : 'ADVANCING', 'info', values)]
}

function protocolFindings({ protocol, consensus, head }: Diagnosis): Finding[] {
  const { needed, max, ahead } = protocol
  if (needed > max) return [finding('PROTOCOL_TOO_OLD', 'error', { height: head.number + 1, needed, max })]
  const stopped = consensus.isStopped ? [finding('CONSENSUS_STOPPED', 'error')] : []
  if (ahead === undefined) return stopped
  const { height, version, blocks, inMs } = ahead
  return [...stopped, finding('PROTOCOL_AHEAD', 'warning', { height, version, max, blocks, about: aboutText(inMs) })]
}

/** Its peers have left it behind: that they are gone or refuse it is no cause of its own. */
const isTooOld = ({ protocol: { needed, max } }: Diagnosis): boolean => needed > max

/** One key in two places signs two things; whoever counted them names the key. */
function keyPlaceFindings({ contradictions, twin, address, nowMs }: Diagnosis): Finding[] {
  const agoS = (atMs: number): number => Math.max(0, Math.round((nowMs - atMs) / 1000))
  const signed = contradictions.map(({ address: validator, kind, height, round, atMs }) =>
    finding('EQUIVOCATION', 'error', { validator, kind, height, round, agoS: agoS(atMs) }))
  return twin === undefined ? signed : [finding('KEY_ELSEWHERE', 'error', { address, height: twin.height, agoS: agoS(twin.atMs) }), ...signed]
}

function gatewayFindings({ gateway }: Diagnosis): Finding[] {
  if (gateway === undefined || gateway.isUp) return []
  const { code = 'GATEWAY_DOWN', message = '' } = gateway.error ?? {}
  return [finding('GATEWAY_DOWN', 'error', { code, message, restarts: gateway.restarts })]
}

const REFUSAL_CODES: Partial<Record<string, FindingCode>> = {
  GENESIS_MISMATCH: 'WRONG_GENESIS',
  CHAIN_ID_MISMATCH: 'WRONG_GENESIS',
  PROTOCOL_VERSION_MISMATCH: 'PEER_TOO_OLD',
  NOT_ADMITTED: 'NOT_ADMITTED',
  CLOSED_BEFORE_HANDSHAKE: 'CLOSED_EARLY',
  PENALISED: 'BANNED',
}

/** One finding for each reason. Strangers whom this node does not admit are no trouble of its own. */
function refusalFindings({ refusals, peers: connected }: Diagnosis): Finding[] {
  const isOurs = ({ code, byPeer }: Diagnosis['refusals'][number]): boolean =>
    byPeer || code.endsWith('_MISMATCH')
  const known = refusals.filter(isOurs).filter(({ code }) => REFUSAL_CODES[code] !== undefined)
  const codes = [...new Set(known.map(({ code }) => REFUSAL_CODES[code]!))]
  return codes.map((code) => {
    const those = known.filter((refusal) => REFUSAL_CODES[refusal.code] === code)
    // With peers of its own chain a node lives on, whoever else refuses it.
    const severity = connected.length === 0 ? 'error' : 'warning'
    const peers = those.map(({ id }) => id).join(', ')
    return finding(code, severity, { count: those.length, peers, reason: those.at(-1)!.message })
  })
}

/** Of the node's own configuration: another key answers where a bootnode should be. The register says whether it is a node's. */
function bootnodeFindings({ displacedBootnodes }: Diagnosis): Finding[] {
  return displacedBootnodes.map(({ id, configured, answeredBy, isListed }) => {
    const address = configured.join(', ')
    const corrected = configured.map((one) => one.replace(/\/p2p\/[^/]+$/, `/p2p/${answeredBy}`)).join(', ')
    return finding(isListed ? 'BOOTNODE_ROTATED' : 'BOOTNODE_OTHER_KEY', 'warning', { bootnode: id, address, peer: answeredBy, corrected })
  })
}

function quorumFindings({ head, peers, address }: Diagnosis, { isStalled, hasMoved, values }: Advance): Finding[] {
  const { validators } = head
  const isAlone = validators.length === 1 && validators[0] === address
  if (peers.length === 0 && !isAlone) return [finding('NO_PEERS', 'error', { validators: validators.length })]
  const here = new Set<Address>([address, ...peers.filter(({ follower }) => !follower).map((peer) => peer.address)])
  const missing = validators.filter((validator) => !here.has(validator))
  if (missing.length === 0) return []
  const [connected, quorum] = [validators.length - missing.length, quorumSize(validators.length)]
  const faults = faultTolerance(validators.length)
  const counts = { ...values, missing: missing.join(', '), connected, quorum, validators: validators.length, faults }
  // A follower is connected to some of them; only what has stopped is known to lack a quorum. What moves has one.
  const isLacking = connected < quorum && !hasMoved && (isStalled || validators.includes(address))
  return [finding(isLacking ? 'NO_QUORUM' : 'VALIDATORS_MISSING', isLacking ? 'error' : 'warning', counts)]
}

function clockFindings({ peers }: Diagnosis): Finding[] {
  const ahead = peers.flatMap(({ clockAheadMs }) => (clockAheadMs === undefined ? [] : [clockAheadMs])).sort((a, b) => a - b)
  const median = ahead[Math.floor(ahead.length / 2)] ?? 0
  if (Math.abs(median) < CLOCK_WARN_MS) return []
  const severity = Math.abs(median) >= CLOCK_ERROR_MS ? 'error' : 'warning'
  // What the peers are ahead, this clock is behind.
  return [finding('CLOCK_OFF', severity, { aheadMs: Math.round(-median), peers: ahead.length, limitMs: CLOCK_ERROR_MS })]
}

function syncTimeFindings({ log, roundTimeoutMs }: Diagnosis): Finding[] {
  const { count, p50Ms, p99Ms, lastMs } = log?.sync ?? { count: 0, p50Ms: 0, p99Ms: 0, lastMs: 0 }
  const { p50, p99 } = SYNC_SLOW
  const isSlow = (count >= p50.samples && p50Ms >= p50.ms) || (count >= p99.samples && p99Ms >= p99.ms)
  if (!isSlow) return []
  const round = (ms: number): string => ms.toFixed(1)
  // Two votes of a round wait for the disk, of every validator.
  const severity = p50Ms > roundTimeoutMs / 4 ? 'error' : 'warning'
  return [finding('DISK_SLOW', severity, { p50Ms: round(p50Ms), p99Ms: round(p99Ms), lastMs: round(lastMs) })]
}

function silenceFindings({ consensus, log, head, address }: Diagnosis): Finding[] {
  if (log === undefined || !head.validators.includes(address)) return []
  const path = 'consensus.log'
  const halved = log.halves > 0 ? [finding('LOG_HALVED', 'warning', { path, records: log.halves })] : []
  if (!consensus.isSilent) return halved
  if (log.status === 'foreign') return [finding('LOG_FOREIGN', 'warning', foreignValues({ path, owner: log.owner, address })), ...halved]
  const isLost = log.status === 'missing' || log.status === 'damaged'
  const values = { path, status: log.status, reason: log.silence ?? '', head: head.number }
  return [finding(isLost ? 'LOG_LOST' : 'LOG_SILENT', 'warning', values), ...halved]
}

/** Validators from whom nothing of this height has come. */
function unheardOf({ heardRounds, head, address }: Diagnosis): string {
  const heard = new Set([address, ...heardRounds.map((one) => one.address)])
  return head.validators.filter((validator) => !heard.has(validator)).join(', ') || '–'
}

function roundFindings({ consensus, heardRounds, address }: Diagnosis): Finding[] {
  const all = [...heardRounds, { address, round: consensus.round }]
  const rounds = all.map(({ round }) => round)
  const [lowest, highest] = [Math.min(...rounds), Math.max(...rounds)]
  if (highest - lowest < ROUNDS_APART) return []
  const places = all.map((one) => `${one.address} ${one.round}`).join(', ')
  return [finding('ROUNDS_DIVERGED', 'error', { height: consensus.height, own: consensus.round, lowest, highest, places })]
}
