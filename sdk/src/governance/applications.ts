import type { Result } from 'ethers'
import { type Address, type Hash, bytesToHex, toAddress } from '../protocol/bytes.js'
import type { RpcClient } from '../chain/rpc-client.js'
import { readBlockMark } from './blocks.js'
import { ORGANISATION_REGISTER, eventTopic } from './contracts.js'
import { type TimedLog, readLogs } from './logs.js'
import { entryFromAbi } from './motion-values.js'
import type { OrganisationEntry } from './motions.js'

/** What an organisation has applied with on the chain. The register keeps it as an event alone; the council decides by the file. */
export interface OrganisationApplied {
  readonly entry: OrganisationEntry
  /** Of the list of documents. */
  readonly documentsHash: Hash
  /** The account that sent it: whoever may apply may do so in any organisation's name. */
  readonly sender: Address
  readonly blockNumber: number
  /** Seconds since 1970; undefined where the node does not say it with its logs. */
  readonly appliedAt: number | undefined
}

/**
 * Every application in the order of the chain; of several by one sender for one organisation the last.
 * @throws SonghuaError `RPC_…`
 */
export async function readOrganisationApplications(rpc: RpcClient): Promise<OrganisationApplied[]> {
  const latest = new Map<string, OrganisationApplied>()
  const { number: to } = await readBlockMark(rpc, 'latest')
  const question = { addresses: [ORGANISATION_REGISTER.address], events: [eventTopic(ORGANISATION_REGISTER, 'OrganisationApplied')], from: 0, to }
  for await (const logs of readLogs(rpc, question)) {
    for (const applied of logs.flatMap(appliedOf)) {
      const key = `${applied.entry.uscc} ${applied.sender}`
      latest.delete(key)
      latest.set(key, applied)
    }
  }
  return [...latest.values()]
}

function appliedOf({ log, blockNumber, timestamp: appliedAt }: TimedLog): OrganisationApplied[] {
  const parsed = ORGANISATION_REGISTER.abi.parseLog({ topics: [...log.topics], data: bytesToHex(log.data) })
  if (parsed === null) return []
  const { sender, entry: fields, documentsHash } = parsed.args as unknown as { sender: string; entry: Result; documentsHash: Hash }
  const entry = entryFromAbi(fields)
  return entry === undefined ? [] : [{ entry, documentsHash, sender: toAddress(sender), blockNumber, appliedAt }]
}
