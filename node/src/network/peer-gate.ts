import type { Head, Hello } from './control.js'
import type { GoodbyeCode } from './errors.js'
import type { PeerIdentity } from './peer-id.js'
import type { Session } from './session.js'
import type { Direction } from './transport.js'

/** Whom the gate asks about. */
export interface PeerCandidate extends PeerIdentity {
  readonly direction: Direction
  readonly isBootnode: boolean
}

/** The membership contract's list of nodes, or the policy of who else may follow. */
export interface Admission {
  isAdmitted(candidate: PeerCandidate): boolean
}

/** What this node knows of the chain, by which it judges its peers. */
export interface ChainView {
  head(): Head
  /** The protocol version of the head's block. */
  protocolVersion(): number
  /** Whether the chain has gone on without this node, as far as it can tell by itself: its list of nodes is old then. */
  isBehind(): boolean
}

export interface PeerGatePorts {
  readonly view: ChainView
  /** Whether the operator has configured this peer, or the address at which it answered. */
  readonly isBootnode: (id: string) => boolean
}

/**
 * `listed`: on this node's list. `source`: a configured bootnode that is ahead of a node which is behind, so that the list
 * here may be too old to name it; it may hand over sealed blocks, which prove themselves, and gets nothing for it.
 */
export type Standing = 'listed' | 'source'

export interface PeerRefusal {
  readonly code: GoodbyeCode
  readonly message: string
}

/** Who may be connected, and as what. The side that is up to date gates: its list is the chain's. */
export interface PeerGate {
  isAdmitted(peer: PeerIdentity, direction: Direction): boolean
  /** After the handshake, and again whenever the list, the head or the version in force has changed. */
  judge(session: Pick<Session, 'peer' | 'link'>, hello: Hello): Standing | PeerRefusal
}

export function createPeerGate(admission: Admission, { view, isBootnode }: PeerGatePorts): PeerGate {
  const gate: PeerGate = {
    isAdmitted: (peer, direction) => admission.isAdmitted({ ...peer, direction, isBootnode: isBootnode(peer.id) }),
    judge({ peer, link }, hello) {
      const refusal = versionRefusal(view, hello)
      if (refusal !== undefined) return refusal
      if (gate.isAdmitted(peer, link.direction)) return 'listed'
      const isBootnodeDialled = link.direction === 'outbound' && isBootnode(peer.id)
      if (isBootnodeDialled && view.isBehind() && hello.head.number > view.head().number) return 'source'
      return { code: 'NOT_ADMITTED', message: 'the node is not on the list of admitted nodes' }
    },
  }
  return gate
}

/**
 * A peer that does not know the version in force could neither vote nor import; one that lacks a version which is only
 * scheduled is a peer like any other until that height. Who is ahead judges: the other may not know yet what is in force.
 */
function versionRefusal(view: ChainView, { protocolVersions: { min, max }, head: theirs }: Hello): PeerRefusal | undefined {
  const version = view.protocolVersion()
  if ((min <= version && version <= max) || theirs.number > view.head().number) return undefined
  const message = `the chain runs protocol version ${version}, and one of the two nodes knows ${min} to ${max} only; update it`
  return { code: 'PROTOCOL_VERSION_MISMATCH', message }
}
