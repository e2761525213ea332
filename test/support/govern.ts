import { type Governance, type MotionArguments, type MotionKind, connectGovernance, keySigner } from '@songhua/sdk/governance'

/** A council by its administrators' keys, and what it decides. */
export interface TestCouncil {
  /** Of each seat, in the order of the keys. */
  readonly seats: readonly Governance[]
  /** Proposed by the first seat, approved by as many as it takes, executed. @returns number of the block that executed it */
  pass<K extends MotionKind>(kind: K, args: MotionArguments[K]): Promise<number>
}

/** @param options of the connections: an API key, where not everybody may read */
export async function openCouncil(rpc: string, privateKeys: readonly string[], options: { apiKey?: string } = {}): Promise<TestCouncil> {
  const seats = await Promise.all(privateKeys.map((key) => connectGovernance({ rpc, signer: keySigner(key), ...options })))
  const [first, ...others] = seats
  if (first === undefined) throw new Error('a council needs keys')
  return {
    seats,
    async pass(kind, args) {
      const { id } = await first.propose(kind, args, `test: ${kind}`)
      for (const seat of others) {
        const { approvals, needed } = await first.motion(id)
        if (approvals >= needed) break
        await seat.vote(id, true)
      }
      const { blockNumber } = await first.execute(id)
      return blockNumber
    },
  }
}
