import type { Result } from 'ethers'
import { type Address, bytesToHex, toAddress } from '../protocol/bytes.js'
import type { RpcClient } from '../chain/rpc-client.js'
import { hexToText } from './codes.js'
import { ORGANISATION_REGISTER, eventTopic } from './contracts.js'
import { readLogs } from './logs.js'
import { readContract } from './transactions.js'
import { allPages } from './views.js'

/** Which account acted for which organisation, from the first block on. */
export interface Bindings {
  /**
   * The organisation by whose rights and quotas the transactions of this block were judged: that of the account in the state
   * before the block. Undefined: it was a newcomer.
   */
  organisationAt(account: Address, block: number): string | undefined
}

interface Binding {
  /** First block whose transactions are the organisation's. */
  readonly from: number
  readonly uscc: string | undefined
}

const EVENTS = ['AccountBound', 'AccountReleased', 'AdministratorReplaced'] as const

/**
 * Genesis from the state after block 0, everything later from the register's events.
 * @param through the last block that will be asked for
 * @throws SonghuaError `RPC_…`; `GOVERNANCE_REFUSED` from a chain without these contracts
 */
export async function readBindings(rpc: RpcClient, through: number, signal?: AbortSignal): Promise<Bindings> {
  const histories = new Map<Address, Binding[]>()
  const put = (account: Address, binding: Binding): void => {
    const history = histories.get(account)
    if (history === undefined) histories.set(account, [binding])
    else history.push(binding)
  }
  for (const { account, uscc } of await readGenesisBindings(rpc)) put(account, { from: 0, uscc })
  const question = { addresses: [ORGANISATION_REGISTER.address], events: EVENTS.map((name) => eventTopic(ORGANISATION_REGISTER, name)), from: 0, to: through }
  for await (const logs of readLogs(rpc, question, signal)) {
    for (const { log, blockNumber } of logs) {
      const found = ORGANISATION_REGISTER.abi.parseLog({ topics: [...log.topics], data: bytesToHex(log.data) })
      for (const { account, uscc } of found === null ? [] : changesOf(found.name, found.args)) put(account, { from: blockNumber + 1, uscc })
    }
  }
  return {
    organisationAt: (account, block) => histories.get(account)?.findLast(({ from }) => from <= block)?.uscc,
  }
}

/** What an event says of accounts; the register tells of a replaced administrator a second time, by a release and a binding. */
function changesOf(name: string, args: Result): { account: Address; uscc: string | undefined }[] {
  const uscc = hexToText(String(args.uscc))
  const at = (key: string): Address => toAddress(String(args[key]))
  switch (name) {
    case 'AccountBound':
      return [{ account: at('account'), uscc }]
    case 'AccountReleased':
      return [{ account: at('account'), uscc: undefined }]
    case 'AdministratorReplaced':
      return [{ account: at('previous'), uscc: undefined }, { account: at('next'), uscc }]
    default:
      return []
  }
}

async function readGenesisBindings(rpc: RpcClient): Promise<{ account: Address; uscc: string }[]> {
  const ask = async (name: string, ...args: unknown[]): Promise<string[]> => {
    const answer = await readContract(rpc, { contract: ORGANISATION_REGISTER, name, args }, '0x0')
    return (answer[0] as Result).toArray() as string[]
  }
  const codes = await allPages((offset, limit) => ask('organisations', offset, limit))
  const bindings: { account: Address; uscc: string }[] = []
  for (const code of codes) {
    const accounts = await allPages((offset, limit) => ask('accountsOf', code, offset, limit))
    bindings.push(...accounts.map((account) => ({ account: toAddress(account), uscc: hexToText(code) ?? '' })))
  }
  return bindings
}
