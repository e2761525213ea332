import { type CliContext, cliError } from './context.js'
import type { DevnetNode } from './devnet-folder.js'
import { createRpcCall } from './json-rpc.js'

/**
 * Asks at the ports of a devnet's last run whether one of its nodes still runs: its configuration must not change under
 * it. Another devnet may have those ports by now, so the answer's address counts.
 * @throws DEVNET_RUNNING naming the node
 */
export async function refuseRunning(context: CliContext, dir: string, nodes: readonly DevnetNode[]): Promise<void> {
  await Promise.all(
    nodes.map(async ({ name, ports, identity }) => {
      const url = `http://127.0.0.1:${ports.admin}`
      const answer = await createRpcCall(context, url)<{ address?: string } | null>('admin_nodeInfo').catch(() => null)
      if (answer?.address !== identity.address) return
      throw cliError(context, 'DEVNET_RUNNING', ['devnetRunning', { path: dir, name, url }])
    }),
  )
}
