import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { type Message, type MessageKind, subjectOf } from './messages.js'
import type { ConsensusState } from './state.js'

/** What is known of a message before it is opened, in two stages: its frame, then its author and block. */
export interface MessageView {
  readonly kind: MessageKind
  readonly height: number
  readonly round: number
}

export interface AuthoredView extends MessageView {
  readonly author: Address
  readonly digest: Hash | undefined
}

/** Whether a message of this frame may matter: asked before its author is recovered. */
export function isTimely(state: ConsensusState, view: MessageView): boolean {
  return !state.isDecided && view.height === state.facts.height && view.round >= state.round
}

/**
 * Whether opening the message could change anything: asked before what is nested in it is recovered, so that repeats
 * cost one recovery at most. A contradiction is wanted once, as evidence.
 */
export function isWanted(state: ConsensusState, view: AuthoredView): boolean {
  if (!isTimely(state, view)) return false
  const known = knownMessage(state, view)
  return known === undefined || isNewContradiction(state, known, view)
}

export const equivocatorKey = ({ author, kind }: { author: Address; kind: MessageKind }): string => `${author} ${kind}`

export function isNewContradiction(state: ConsensusState, known: Message, view: AuthoredView): boolean {
  if (known.round !== view.round || subjectOf(known) === view.digest) return false
  return !state.equivocators.has(equivocatorKey(view))
}

/** What the same author has said of the same kind for this round, or for a later one, which supersedes it. */
export function knownMessage(state: ConsensusState, view: AuthoredView): Message | undefined {
  const known = newestOf(state, view)
  return known !== undefined && known.round >= view.round ? known : undefined
}

function newestOf(state: ConsensusState, { kind, author, round }: AuthoredView): Message | undefined {
  switch (kind) {
    case 'proposal':
      return state.proposal
    case 'prepare':
      return round === state.round ? state.prepares.get(author) : state.later.get(author)?.prepare
    case 'commit':
      return round === state.round ? state.commits.get(author) : state.later.get(author)?.commit
    case 'roundChange':
      return state.roundChanges.get(author)
  }
}
