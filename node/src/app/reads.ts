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

/** Who may read, by the policy of the head. */
export interface Reads {
  /** For JSON-RPC. */
  readonly guard: ReadGuard
  /** For the gateway, which knows its callers. */
  standingOf(reader: Reader): ReadStanding
}

export interface ReadsPorts {
  readonly ledger: Pick<Ledger, 'store' | 'chain'>
  readonly clock: Pick<Clock, 'now'>
  readonly logger: Logger
}

/** To be opened before whoever follows the chain's blocks, so that they find the policy of the block that they are told of. */
export function openReads(dataDir: string, { ledger, clock, logger }: ReadsPorts): Reads {
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
