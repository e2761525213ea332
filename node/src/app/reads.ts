import type { Door } from '@songhua/contracts/membership/kinds'
import { messageOf } from '@songhua/sdk/protocol/errors'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { apiKeyFileAt } from '../gateway/api-key-file.js'
import { type ApiKeys, bearerToken, createApiKeys } from '../gateway/api-keys.js'
import { readerOf } from '../gateway/reads.js'
import { type Reader, type ReadStanding, type Shown, createHeadReads, judgeRead, readRefusalToError } from '../permission/reads.js'
import { policyStateOf } from '../permission/policy.js'
import type { ReadGuard } from '../rpc/ports.js'
import type { Ledger } from './ledger.js'
import { dataPaths } from './options.js'
import { requireSystemContracts } from './system-contracts.js'

/** `policy`: who reads is held to the PolicyRegister, and without one nobody reads. `unheld`: nobody is. */
export type ReadRule = 'policy' | 'unheld'

// ============================================================================================================ SWITCH
/**
 * `policy` from the moment on that every genesis places the registers; then this constant, {@link ReadRule} and
 * {@link openReadsUnder}'s parameter go away. Until then nobody is held to anything.
 */
const READ_RULE: ReadRule = 'unheld'
// ====================================================================================================================

/** Who may read, by the policy of the head. */
export interface Reads {
  /** For JSON-RPC. */
  readonly guard: ReadGuard
  /** For the gateway, which knows its callers; undefined: nobody is held to a policy. */
  standingOf(reader: Reader): ReadStanding | undefined
}

export interface ReadsPorts {
  readonly ledger: Pick<Ledger, 'genesis' | 'store' | 'chain'>
  readonly clock: Pick<Clock, 'now'>
  readonly logger: Logger
}

/**
 * To be opened before whoever follows the chain's blocks, so that they find the policy of the block that they are told of.
 * @throws CodedError `GENESIS_SYSTEM_CONTRACT_MISSING`
 */
export function openReads(dataDir: string, ports: ReadsPorts): Reads {
  return openReadsUnder(READ_RULE, dataDir, ports)
}

export function openReadsUnder(rule: ReadRule, dataDir: string, { ledger, clock, logger }: ReadsPorts): Reads {
  if (rule === 'unheld') return { guard: { check: () => undefined }, standingOf: () => undefined }
  requireSystemContracts(ledger.genesis)
  const head = createHeadReads(policyStateOf(ledger.store.state))
  ledger.chain.onBlock(() => head.onBlock())
  // The gateway's file, also where there is no gateway.
  const keys = createApiKeys(apiKeyFileAt(dataPaths(dataDir).apiKeysFile), clock, (error) =>
    logger.error('the file of API keys cannot be read: only what is public is answered', { error: messageOf(error) }),
  )
  return {
    guard: { check: (door, authorization) => checkRead(door, authorization, { head, keys }) },
    standingOf: (reader) => head.standingOf(reader),
  }
}

interface Sources {
  readonly head: ReturnType<typeof createHeadReads>
  readonly keys: Pick<ApiKeys, 'callerOf'>
}

/** Keys are looked up only where one is needed. @throws CodedError `PERMISSION_READ`, `GATEWAY_KEYS_UNREADABLE` */
function checkRead(door: Door, authorization: string | undefined, { head, keys }: Sources): void {
  const toNobody = judgeRead(door, 'key', head.standingOf('key'))
  if (toNobody === undefined) return
  if (authorization === undefined) throw readRefusalToError(toNobody)
  const reader = readerShown(authorization, keys)
  const refusal = judgeRead(door, reader, head.standingOf(reader))
  if (refusal !== undefined) throw readRefusalToError(refusal)
}

function readerShown(authorization: string, keys: Sources['keys']): Shown {
  const caller = keys.callerOf(bearerToken(authorization))
  return caller === undefined ? 'valid-key' : readerOf(caller)
}
