import type { Result } from 'ethers'
import { toAddress } from '../protocol/bytes.js'
import type { RpcClient } from '../chain/rpc-client.js'
import { readOrganisationApplications } from './applications.js'
import { addressOption, bitsToRoles, hexToText, usccToHex, wordToLevels } from './codes.js'
import { COUNCIL, NODE_REGISTER, ORGANISATION_REGISTER, POLICY_REGISTER, type SystemContract, USAGE_REGISTER } from './contracts.js'
import type { Governance } from './governance-client.js'
import { type Quota, type Usage, accountOf, motionOf, nodeOf, organisationOf, usageOf } from './model.js'
import { readContract } from './transactions.js'

const PAGE = 100n
const AT_ONCE = 16
type Part<K extends keyof Governance> = Pick<Governance, K>

/** Everything that a paged view lists. */
export async function allPages<T>(page: (offset: bigint, limit: bigint) => Promise<readonly T[]>): Promise<T[]> {
  const found: T[] = []
  for (;;) {
    const some = await page(BigInt(found.length), PAGE)
    found.push(...some)
    if (some.length < Number(PAGE)) return found
  }
}

/** Each of many things, a few at a time: a node refuses thousands of calls at once. */
async function readEach<K, T>(keys: readonly K[], read: (key: K) => Promise<T>): Promise<T[]> {
  const found: T[] = []
  for (let from = 0; from < keys.length; from += AT_ONCE) found.push(...(await Promise.all(keys.slice(from, from + AT_ONCE).map(read))))
  return found
}

type Views = Part<
  | 'organisation' | 'organisations' | 'organisationApplications' | 'account' | 'accounts' | 'node' | 'nodes' | 'validators' | 'pendingValidators' | 'seats' | 'motion'
  | 'motionCount' | 'openMotions' | 'votes' | 'policy' | 'quota' | 'usage'
>

export function governanceViews(rpc: RpcClient): Views {
  return { ...registerViews(rpc), ...nodeViews(rpc), ...councilViews(rpc), ...policyViews(rpc) }
}

const read = async (rpc: RpcClient, contract: SystemContract, name: string, ...args: unknown[]): Promise<Result> =>
  (await readContract(rpc, { contract, name, args }))[0] as Result

function registerViews(rpc: RpcClient): Part<'organisation' | 'organisations' | 'organisationApplications' | 'account' | 'accounts'> {
  const ask = (name: string, ...args: unknown[]): Promise<Result> => read(rpc, ORGANISATION_REGISTER, name, ...args)
  const organisation: Governance['organisation'] = async (uscc) => organisationOf(uscc, await ask('organisationOf', usccToHex(uscc)))
  const account: Governance['account'] = async (value) => {
    const address = addressOption(value, 'account')
    return accountOf(address, await ask('accountOf', address))
  }
  return {
    organisation,
    account,
    organisationApplications: () => readOrganisationApplications(rpc),
    organisations: async () => {
      const codes = await allPages(async (offset, limit) => (await ask('organisations', offset, limit)).toArray() as string[])
      return present(await readEach(codes, (code) => organisation(hexToText(code) ?? '')))
    },
    accounts: async (uscc) => {
      const addresses = await allPages(
        async (offset, limit) => (await ask('accountsOf', usccToHex(uscc), offset, limit)).toArray() as string[],
      )
      return present(await readEach(addresses, account))
    },
  }
}

const present = <T>(values: readonly (T | undefined)[]): T[] => values.filter((value): value is T => value !== undefined)

function nodeViews(rpc: RpcClient): Part<'node' | 'nodes' | 'validators' | 'pendingValidators'> {
  const ask = (name: string, ...args: unknown[]): Promise<Result> => read(rpc, NODE_REGISTER, name, ...args)
  const node: Governance['node'] = async (value) => {
    const address = addressOption(value, 'node')
    const [entry, isValidator] = await Promise.all([ask('nodeOf', address), ask('isValidator', address)])
    return nodeOf(address, entry, Boolean(isValidator))
  }
  return {
    node,
    nodes: async () => {
      const addresses = await allPages(async (offset, limit) => (await ask('nodes', offset, limit)).toArray() as string[])
      return present(await readEach(addresses, node))
    },
    validators: async () => (await ask('getValidators')).toArray().map((address) => toAddress(String(address))),
    pendingValidators: async () =>
      (await ask('pendingChanges')).toArray().map((change: Result) => ({
        height: Number(change.height), validators: (change.validators as Result).toArray().map((address) => toAddress(String(address))),
      })),
  }
}

function councilViews(rpc: RpcClient): Part<'seats' | 'motion' | 'motionCount' | 'openMotions' | 'votes'> {
  const ask = (name: string, ...args: unknown[]): Promise<Result> => read(rpc, COUNCIL, name, ...args)
  const motion: Governance['motion'] = async (id) => motionOf(id, await ask('motionOf', id))
  return {
    motion,
    motionCount: async () => Number(await ask('motionCount')),
    seats: async () => present((await ask('seats')).toArray().map((code) => hexToText(String(code)))),
    openMotions: async () => {
      const ids = await allPages(async (offset, limit) => (await ask('openMotions', offset, limit)).toArray() as bigint[])
      // The contract lists them by seat.
      const oldestFirst = ids.map(Number).sort((a, b) => a - b)
      return readEach(oldestFirst, motion)
    },
    votes: async (id) =>
      (await ask('votesOf', id)).toArray().map((ballot: Result) => ({
        seat: hexToText(String(ballot.seat)) ?? '', approve: Boolean(ballot.approve),
      })),
  }
}

function policyViews(rpc: RpcClient): Part<'policy' | 'quota' | 'usage'> {
  const ask = (name: string, ...args: unknown[]): Promise<Result> => read(rpc, POLICY_REGISTER, name, ...args)
  const usageBy = async (name: string, ...args: unknown[]): Promise<Usage> => usageOf(await read(rpc, USAGE_REGISTER, name, ...args))
  return {
    async policy() {
      const [newcomer, newcomers, levels, parameters, changes] = await Promise.all(
        ['newcomer', 'newcomers', 'readLevels', 'parameters', 'protocolChanges'].map((name) => ask(name)),
      ) as [Result, Result, Result, Result, Result]
      return {
        newcomers: {
          roles: bitsToRoles(newcomer.roles as bigint), gasPerDay: newcomer.gasPerDay as bigint, bytesPerDay: newcomer.bytesPerDay as bigint,
          gasPerDayTotal: newcomers.gasPerDay as bigint, bytesPerDayTotal: newcomers.bytesPerDay as bigint,
        },
        readLevels: wordToLevels(BigInt(levels as unknown as bigint)),
        minValidators: Number(parameters.minValidators), validatorNotice: Number(parameters.validatorNotice),
        protocolNotice: Number(parameters.protocolNotice), motionLifetime: Number(parameters.motionLifetime),
        protocolChanges: changes.toArray().map((one: Result) => ({ height: Number(one.height), version: Number(one.version) })),
      }
    },
    usage: (of) =>
      of === 'newcomers' ? usageBy('usageOfNewcomers')
      : 'uscc' in of ? usageBy('usageOfOrganisation', usccToHex(of.uscc))
      : usageBy('usageOfAccount', addressOption(of.account, 'account')),
    async quota(value) {
      const address = addressOption(value, 'account')
      const bound = accountOf(address, await read(rpc, ORGANISATION_REGISTER, 'accountOf', address))
      const used = await usageBy('usageOfAccount', address)
      if (bound === undefined) return newcomerQuota(used, { each: await ask('newcomer'), all: await ask('newcomers'), allUsed: await usageBy('usageOfNewcomers') })
      const { uscc, gasPerDay, bytesPerDay } = bound
      const organisation = await read(rpc, ORGANISATION_REGISTER, 'organisationOf', usccToHex(uscc))
      return {
        account: { gasPerDay, bytesPerDay, used },
        group: {
          uscc, gasPerDay: organisation.gasPerDay as bigint, bytesPerDay: organisation.bytesPerDay as bigint,
          used: await usageBy('usageOfOrganisation', usccToHex(uscc)),
        },
      }
    },
  }
}

function newcomerQuota(used: Usage, { each, all, allUsed }: { each: Result; all: Result; allUsed: Usage }): Quota {
  return {
    account: { gasPerDay: each.gasPerDay as bigint, bytesPerDay: each.bytesPerDay as bigint, used },
    group: { uscc: undefined, gasPerDay: all.gasPerDay as bigint, bytesPerDay: all.bytesPerDay as bigint, used: allUsed },
  }
}
