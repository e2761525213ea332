import { RECORD_FAMILY_NAMES, type RecordFamily } from '@songhua/sdk/protocol/evidence-envelope'
import { type Reader, READ_MISSING_TEXTS, type ReadRefusal, type ReadStanding, judgeRead } from '../permission/reads.js'
import { type GatewayError, gatewayError } from './errors.js'
import type { Caller } from './model.js'
import type { ReadPolicy } from './ports.js'

/** Which families' records, evidence and events a caller may read, whatever its scopes; each family is a door. */
export interface FamilyReads {
  /** @throws GatewayError `PERMISSION_READ` */
  require(caller: Caller, family: RecordFamily): Promise<void>
  /** Some of them at least. @throws GatewayError `PERMISSION_READ` when there is none */
  some(caller: Caller): Promise<readonly RecordFamily[]>
  /** In the order of the families. */
  of(caller: Caller): Promise<readonly RecordFamily[]>
}

export function createFamilyReads(policy: ReadPolicy): FamilyReads {
  const refusals = async (caller: Caller): Promise<(family: RecordFamily) => ReadRefusal | undefined> => {
    const reader = readerOf(caller)
    const standing = await policy.standingOf(reader)
    return (family) => refusalOf(family, reader, standing)
  }
  const reads: FamilyReads = {
    async require(caller, family) {
      const refusal = (await refusals(caller))(family)
      if (refusal !== undefined) throw toError(refusal)
    },
    async some(caller) {
      const refusalFor = await refusals(caller)
      const families = RECORD_FAMILY_NAMES.filter((family) => refusalFor(family) === undefined)
      if (families.length === 0) throw toError(refusalFor(RECORD_FAMILY_NAMES[0]!)!)
      return families
    },
    async of(caller) {
      const refusalFor = await refusals(caller)
      return RECORD_FAMILY_NAMES.filter((family) => refusalFor(family) === undefined)
    },
  }
  return reads
}

const refusalOf = (family: RecordFamily, reader: Reader, standing: ReadStanding | undefined): ReadRefusal | undefined =>
  standing && judgeRead(family, reader, standing)

const USCC_ISSUER = /^uscc:([0-9A-Z]{18})$/

/** Whom a key stands for on the chain. */
export function readerOf({ issuer, account }: Pick<Caller, 'issuer' | 'account'>): Reader {
  const organisation = USCC_ISSUER.exec(issuer)?.[1]
  return { ...(organisation === undefined ? {} : { organisation }), ...(account === undefined ? {} : { account }) }
}

function toError({ details }: ReadRefusal): GatewayError {
  const { en, zh } = READ_MISSING_TEXTS[details.missing]
  return gatewayError('PERMISSION_READ', { ...details, problems: en, problemsZh: zh })
}
