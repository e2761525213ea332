import type { z } from 'zod'
import type { Clock } from '../../base/clock.js'
import type { GovernanceAnswer, GovernanceQuestion } from '../../execution/governance-reads.js'
import { requireBlock } from '../block-lookup.js'
import {
  type ReadAt, councilToJson, membershipToJson, motionAnswerToJson, nodeToJson, organisationAnswerToJson, quotaToJson, resetsAt,
} from '../governance-json.js'
import {
  councilJson, membershipJson, motionAnswerJson, nodeAnswerJson, nodeName, organisationAnswerJson, page, quotaJson, usageJson, usageSubject, uscc,
} from '../governance-schemas.js'
import { quantityToJson } from '../json.js'
import { defineMethod, param, type Method, type Session } from '../method.js'
import type { ChainReader, GovernanceReads, PeerNames } from '../ports.js'
import { type BlockReference, block as blockReference, smallQuantity } from '../schemas.js'

interface Ports {
  chain: ChainReader
  governance: GovernanceReads
  peerNames: PeerNames
  clock: Clock
}

const blockParam = param('block', blockReference.nullish().transform((given): BlockReference => given ?? { tag: 'latest' }))

/** Who governs, takes part and uses, after a block: read at fixed slots, without calling code, in the thread of calls. */
export function songhuaGovernanceMethods(ports: Ports): Method[] {
  const ask = createAsker(ports)
  return [...memberMethods(ask, ports.peerNames), ...councilMethods(ask), ...usageMethods(ask, ports)]
}

interface Found<Q extends GovernanceQuestion> {
  readonly block: ReadAt
  readonly answer: GovernanceAnswer<Q>
}

type Ask = <Q extends GovernanceQuestion>(session: Session, at: BlockReference, question: Q) => Promise<Found<Q>>

function createAsker({ chain, governance }: Ports): Ask {
  return async (session, at, question) => {
    const { number, hash, header } = requireBlock(chain, at)
    const answer = await governance.governance({ block: number, client: session.client }, question)
    return { answer, block: { number: quantityToJson(number), hash, timestamp: quantityToJson(header.timestamp) } }
  }
}

function memberMethods(ask: Ask, peerNames: PeerNames): Method[] {
  return [
    defineMethod({
      name: 'songhua_getMembership',
      summary: 'Who takes part after a block: counts, pages of organisations and of nodes, validators, scheduled changes, policy',
      params: [param('organisations', page), param('nodes', page), blockParam],
      result: membershipJson,
      handler: async ([organisations, nodes, at], session) => {
        const { answer, block } = await ask(session, at, { about: 'membership', organisations, nodes })
        return membershipToJson(answer, block, peerNames)
      },
    }),
    defineMethod({
      name: 'songhua_getOrganisation',
      summary: 'An organisation by its unified social credit code, and a page of its accounts; null when it was never admitted',
      params: [param('uscc', uscc), param('accounts', page), blockParam],
      result: organisationAnswerJson.nullable(),
      handler: async ([code, accounts, at], session) => {
        const { answer, block } = await ask(session, at, { about: 'organisation', uscc: code, accounts })
        return answer === undefined ? null : organisationAnswerToJson(answer, block)
      },
    }),
    defineMethod({
      name: 'songhua_getNode',
      summary: 'A node by its address, AC code or peer id, with the bodies that answer for it; null when it never applied',
      params: [param('node', nodeName), blockParam],
      result: nodeAnswerJson.nullable(),
      handler: async ([name, at], session) => {
        const address = 'peerId' in name ? peerNames.toAddress(name.peerId) : undefined
        const node = 'peerId' in name ? address && { address } : name
        if (node === undefined) return null
        const { answer, block } = await ask(session, at, { about: 'node', node })
        return answer === undefined ? null : { block, ...nodeToJson(answer, peerNames) }
      },
    }),
  ]
}

function councilMethods(ask: Ask): Method[] {
  return [
    defineMethod({
      name: 'songhua_getCouncil',
      summary: 'Seats, what each kind of motion needs, and a page of the open motions, oldest first',
      params: [param('motions', page), blockParam],
      result: councilJson,
      handler: async ([motions, at], session) => {
        const { answer, block } = await ask(session, at, { about: 'council', motions })
        return councilToJson(answer, block)
      },
    }),
    defineMethod({
      name: 'songhua_getMotion',
      summary: 'A motion with its ballots and its ABI-encoded arguments; null when there is none with this id',
      params: [param('id', smallQuantity), blockParam],
      result: motionAnswerJson.nullable(),
      handler: async ([id, at], session) => {
        const { answer, block } = await ask(session, at, { about: 'motion', id })
        return answer === undefined ? null : motionAnswerToJson(answer, block)
      },
    }),
  ]
}

function usageMethods(ask: Ask, { chain, clock }: Ports): Method[] {
  /** The day of the block; of the head, that which the next block will have: what a transaction is held to now. */
  const timestampAt = (at: BlockReference): number => {
    const { number, header } = requireBlock(chain, at)
    const isHead = number === chain.head().header.number
    return isHead ? Math.max(header.timestamp, Math.floor(clock.now() / 1000)) : header.timestamp
  }
  return [
    defineMethod({
      name: 'songhua_getQuota',
      summary: 'Quotas that hold for an account, an organisation or all newcomers: limits of a day, used today, left, and when the day ends',
      params: [param('subject', usageSubject), blockParam],
      result: quotaJson.nullable(),
      handler: async ([of, at], session) => {
        const { answer, block } = await ask(session, at, { about: 'quota', of, timestamp: timestampAt(at) })
        return answer === undefined ? null : quotaToJson(answer, block)
      },
    }),
    defineMethod({
      name: 'songhua_getUsage',
      summary: 'What an account, an organisation or all newcomers used today: gas, bytes of raw transactions, transactions',
      params: [param('subject', usageSubject), blockParam],
      result: usageJson,
      handler: async ([of, at], session): Promise<z.infer<typeof usageJson>> => {
        const { answer, block } = await ask(session, at, { about: 'usage', of, timestamp: timestampAt(at) })
        const { day, gas, bytes, transactions } = answer
        return {
          block, day: quantityToJson(day), resetsAt: resetsAt(day),
          gas: quantityToJson(gas), bytes: quantityToJson(bytes), transactions: quantityToJson(transactions),
        }
      },
    }),
  ]
}
