import { setTimeout as delay } from 'node:timers/promises'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import { type CliContext, cliError } from './context.js'
import { createRpcCall } from './json-rpc.js'

/** How long the nodes of a new devnet may take to agree on block 1, s. Measured: 3 to 6 s for four on two cores. */
const AGREEMENT_TIMEOUT_S = 60
const POLL_MS = 50
/** A council that has closed blocks to the public has had block 1. */
const UNREADABLE = '–'

interface Endpoint {
  name: string
  rpc: string
}

/**
 * Waits until every node answers with the same block 1.
 * @returns its hash, or a dash where nobody may read it
 * @throws DEVNET_TIMEOUT, DEVNET_FORKED with the state of each node
 */
export async function waitForBlockOne(
  context: CliContext,
  nodes: readonly Endpoint[],
  onProgress: (agreed: number) => void,
): Promise<string> {
  const hashes = new Map<string, string>()
  const deadline = performance.now() + AGREEMENT_TIMEOUT_S * 1000
  while (hashes.size < nodes.length) {
    const states = await Promise.all(
      nodes.filter(({ name }) => !hashes.has(name)).map((node) => readBlockOne(context, node)),
    )
    for (const { name, hash } of states) if (hash !== undefined) hashes.set(name, hash)
    onProgress(hashes.size)
    if (performance.now() > deadline) {
      const shown = states.map(({ name, state }) => `${name}: ${state}`).join('; ')
      throw cliError(context, 'DEVNET_TIMEOUT', ['devnetTimeout', { seconds: AGREEMENT_TIMEOUT_S, states: shown }])
    }
    if (hashes.size < nodes.length) await delay(POLL_MS)
  }
  const read = [...hashes.values()].filter((hash) => hash !== UNREADABLE)
  const [first = UNREADABLE] = read
  if (read.every((hash) => hash === first)) return first
  const states = [...hashes].map(([name, hash]) => `${name}: ${hash}`).join('; ')
  throw cliError(context, 'DEVNET_FORKED', ['devnetForked', { states }])
}

async function readBlockOne(
  context: CliContext,
  { name, rpc }: Endpoint,
): Promise<{ name: string; hash?: string; state: string }> {
  try {
    const block = await createRpcCall(context, rpc)<{ hash: string } | null>('eth_getBlockByNumber', ['0x1', false])
    return block === null ? { name, state: 'no block 1' } : { name, hash: block.hash, state: block.hash }
  } catch (error) {
    if (isCodedError(error, 'PERMISSION_READ')) return { name, hash: UNREADABLE, state: error.code }
    return { name, state: error instanceof Error ? error.message : String(error) }
  }
}
