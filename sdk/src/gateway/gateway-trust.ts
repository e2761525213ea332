import { messageOf } from '../protocol/errors.js'
import {
  type Checkpoint,
  type TrustAnchor,
  type TrustAnchorFile,
  parseTrustAnchor,
  trustAnchorToJson,
} from '../protocol/trust-anchor.js'
import { SonghuaError } from '../connection/songhua-error.js'
import { badAnswer } from './answer.js'
import type { HttpClient } from './http-client.js'

export interface TrustAnchorQuery {
  /** A height from 1 on, or `head`. */
  readonly checkpoint?: number | 'head'
  readonly signal?: AbortSignal
}

/**
 * The trust anchor as a gateway tells it. Of a pinned chain it is the pinned one, with the checkpoint that was asked for.
 * @throws SonghuaError `GENESIS_MISMATCH`, `EVIDENCE_INVALID` when the gateway contradicts what is pinned; `GATEWAY_ANSWER`
 */
export async function fetchTrustAnchor(
  http: HttpClient,
  pinned: TrustAnchor | undefined,
  { checkpoint, signal }: TrustAnchorQuery = {},
): Promise<TrustAnchorFile> {
  const { json } = await http.request({ method: 'GET', path: '/v1/trust-anchor', query: { checkpoint }, signal })
  const told = readTold(json)
  const asked = told.checkpoints.filter(({ height }) => checkpoint === 'head' || height === checkpoint)
  if (typeof checkpoint === 'number' && asked.length === 0) badAnswer(`it has no checkpoint at ${checkpoint}`)
  if (pinned === undefined) return trustAnchorToJson({ ...told, checkpoints: asked })
  checkGenesis(told, pinned)
  return trustAnchorToJson({ ...pinned, checkpoints: withCheckpoints(pinned.checkpoints, asked) })
}

function readTold(json: unknown): TrustAnchor {
  try {
    return parseTrustAnchor(json)
  } catch (error) {
    const message = `The gateway gave a trust anchor that cannot be used: ${messageOf(error)}`
    throw new SonghuaError('GATEWAY_ANSWER', message, { cause: error })
  }
}

function checkGenesis(told: TrustAnchor, pinned: TrustAnchor): void {
  if (told.chainId === pinned.chainId && told.genesisHash === pinned.genesisHash) return
  const chainOf = ({ chainId, genesisHash }: TrustAnchor): string => `chain ${chainId} with genesis ${genesisHash}`
  const message = `The gateway is of ${chainOf(told)}; pinned is ${chainOf(pinned)}`
  throw new SonghuaError('GENESIS_MISMATCH', message, { details: { actual: told.genesisHash, expected: pinned.genesisHash } })
}

/** What is pinned stays; at its heights nothing else is taken. */
function withCheckpoints(pinned: readonly Checkpoint[], asked: readonly Checkpoint[]): Checkpoint[] {
  const added = asked.filter((told) => {
    const own = pinned.find(({ height }) => height === told.height)
    if (own === undefined) return true
    if (own.hash === told.hash && own.validators.join() === told.validators.join()) return false
    const message = `The gateway's block ${told.height} is ${told.hash}, not ${own.hash} as pinned`
    throw new SonghuaError('EVIDENCE_INVALID', message, { details: { height: told.height, codes: ['CHECKPOINT_CONFLICT'] } })
  })
  return [...pinned, ...added].sort((a, b) => a.height - b.height)
}
