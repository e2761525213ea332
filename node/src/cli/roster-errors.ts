import { MAX_SEATS, MIN_SEATS } from '@songhua/contracts/membership/genesis-governance'
import { ORGANISATION_KIND_WORDS } from '@songhua/sdk/governance/words'
import { CodedError, isCodedError } from '@songhua/sdk/protocol/errors'
import type { CliContext } from './context.js'
import { createTeller } from './governance/texts.js'
import { type Roster, compareNodes, compareOrganisations } from './roster.js'

/** What is wrong with a genesis, by the names of the roster that it was made from. */

const TEXTS = {
  body: {
    en: '{field} {is}; it must be the credit code of an organisation of the roster of kind {kind}',
    zh: '{field} {is}；应为名册中一个{kind}的信用代码',
  },
  anyBody: { en: '{field} {is}; it must be the credit code of an organisation of the roster', zh: '{field} {is}；应为名册中一个机构的信用代码' },
  missing: { en: 'is missing', zh: '缺失' },
  other: { en: 'is {uscc}', zh: '为 {uscc}' },
  seats: {
    en: 'organisations: {count} have a seat in the council ("seat": true); at least four must have one, and at most {max}: of fewer one could block the others',
    zh: 'organisations：有理事席位（"seat": true）的机构为 {count} 个；应至少 {min} 个、至多 {max} 个，否则一个机构即可阻止其他机构',
  },
} as const
const tell = createTeller(TEXTS)
const KIND_OF_BODY = { government: 'government-body', telecom: 'telecom-operator', operator: 'operating-entity' } as const

type Named = Pick<Roster, 'organisations' | 'nodes'>

/** @returns the error with the roster's own paths; any that is not of the genesis as it is */
export function namingRoster(context: CliContext, roster: Named, error: unknown): unknown {
  if (!isCodedError(error) || !error.code.startsWith('GOVERNANCE_') || typeof error.details.field !== 'string') return error
  const given = error.details.field
  const field = rosterPath(roster, given)
  const details = { ...error.details, field }
  return new CodedError(error.code, textOf(context, { roster, given, field }) ?? error.message.replace(given, () => field), { details, cause: error })
}

function textOf(context: CliContext, { roster, given, field }: { roster: Named; given: string; field: string }): string | undefined {
  if (given === 'seats') {
    const count = roster.organisations.filter(({ hasSeat }) => hasSeat).length
    return tell(context, 'seats', { count, min: MIN_SEATS, max: MAX_SEATS })
  }
  const [, index, body] = /^nodes\[(\d+)\]\.(government|telecom|operator)$/.exec(given) ?? []
  if (body === undefined) return undefined
  const { entry } = inOrder(roster).nodes[Number(index)]!
  const name = body as keyof typeof KIND_OF_BODY
  const is = entry[name] === undefined ? tell(context, 'missing') : tell(context, 'other', { uscc: entry[name] })
  if (entry.kind === 'service' && name === 'operator') return tell(context, 'anyBody', { field, is })
  return tell(context, 'body', { field, is, kind: ORGANISATION_KIND_WORDS[KIND_OF_BODY[name]][context.language] })
}

/** As the genesis lists them. */
function inOrder({ organisations, nodes }: Named): Named {
  return { organisations: [...organisations].sort(compareOrganisations), nodes: [...nodes].sort(compareNodes) }
}

function rosterPath(roster: Named, field: string): string {
  const [, list, index, rest = ''] = /^(nodes|organisations|seats)\[(\d+)\](.*)$/.exec(field) ?? []
  const { organisations, nodes } = inOrder(roster)
  if (list === 'nodes') {
    const node = nodes[Number(index)]
    const isValidator = node?.entry.isValidator === true
    const among = roster.nodes.filter(({ entry }) => entry.isValidator === isValidator)
    return node === undefined ? field : `${isValidator ? 'validators' : 'nodes'}[${among.indexOf(node)}]${rest}`
  }
  const listed = list === 'seats' ? organisations.filter(({ hasSeat }) => hasSeat) : organisations
  const organisation = list === undefined ? undefined : listed[Number(index)]
  return organisation === undefined ? field : `organisations[${roster.organisations.indexOf(organisation)}]${list === 'seats' ? '.seat' : rest}`
}
