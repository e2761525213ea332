// The governance contracts on the EVM, each called by name, with keys whose owners sign.
import {
  COUNCIL_ADDRESS, NODE_REGISTER_ADDRESS, ORGANISATION_REGISTER_ADDRESS, POLICY_REGISTER_ADDRESS, USAGE_REGISTER_ADDRESS,
  genesisContracts,
} from '@songhua/contracts/addresses'
import { council } from '@songhua/contracts/generated/Council'
import { nodeRegister } from '@songhua/contracts/generated/NodeRegister'
import { organisationRegister } from '@songhua/contracts/generated/OrganisationRegister'
import { policyRegister } from '@songhua/contracts/generated/PolicyRegister'
import { usageRegister } from '@songhua/contracts/generated/UsageRegister'
import type { GovernanceGenesis } from '@songhua/contracts/membership/genesis-governance'
import { type TypedDataDomain, SigningKey, Wallet } from 'ethers'
import {
  type Abi, type AbiFunction, type Address, type Hex, decodeEventLog, decodeFunctionResult, encodeAbiParameters, encodeFunctionData,
  getAddress, keccak256, pad, stringToHex, toHex,
} from 'viem'
import { testGovernance, testUscc } from '../support/governance.js'
import { type CallResult, createContractChain, revertOf } from './chain.js'

export const CONTRACTS = {
  organisations: { abi: organisationRegister.abi as Abi, address: ORGANISATION_REGISTER_ADDRESS as Address },
  nodes: { abi: nodeRegister.abi as Abi, address: NODE_REGISTER_ADDRESS as Address },
  council: { abi: council.abi as Abi, address: COUNCIL_ADDRESS as Address },
  policy: { abi: policyRegister.abi as Abi, address: POLICY_REGISTER_ADDRESS as Address },
  usage: { abi: usageRegister.abi as Abi, address: USAGE_REGISTER_ADDRESS as Address },
}
export type ContractName = keyof typeof CONTRACTS
export const EVERY_ABI: Abi = Object.values(CONTRACTS).flatMap(({ abi }) => abi)

/** Kinds of motions: their number, and what they call. */
export const MOTIONS = {
  admitOrganisation: [1, 'organisations'], suspendOrganisation: [2, 'organisations'], reinstateOrganisation: [3, 'organisations'],
  setOrganisationRights: [4, 'organisations'], replaceAdministrator: [5, 'organisations'], seat: [6, 'council'], unseat: [7, 'council'],
  admitNode: [8, 'nodes'], suspendNode: [9, 'nodes'], reinstateNode: [10, 'nodes'], retireNode: [11, 'nodes'],
  issueAcCode: [12, 'nodes'], withdrawAcCode: [13, 'nodes'], setNodeBodies: [14, 'nodes'], changeValidators: [15, 'nodes'],
  setNewcomers: [16, 'policy'], setReadLevels: [17, 'policy'], setReader: [18, 'policy'], setParameters: [19, 'policy'],
  scheduleProtocol: [20, 'policy'], cancelProtocol: [21, 'policy'], setThreshold: [22, 'council'], handOver: [23, 'council'],
  cancelValidatorChange: [24, 'nodes'],
} as const satisfies Record<string, readonly [number, ContractName]>
export type MotionName = keyof typeof MOTIONS

export const START = { number: 1_000n, timestamp: 1_800_000_000n }
export const DAY_S = 86_400n
export const ZERO_BYTES18: Hex = `0x${'00'.repeat(18)}`
export const ZERO_WORD: Hex = `0x${'00'.repeat(32)}`
export const hash = (number: number): Hex => pad(toHex(number), { size: 32 })

/** An owner of a key, other for each number above 0. */
export const wallet = (number: number): Wallet => new Wallet(pad(toHex(number), { size: 32 }))
export const addressOf = (number: number): Address => getAddress(wallet(number).address)
export const publicKeyOf = (number: number): Hex => SigningKey.computePublicKey(wallet(number).privateKey, true) as Hex
/** An organisation's code as `bytes18`. */
export const uscc = (number: number): Hex => stringToHex(testUscc(number))

/** Owners' numbers: administrators of the organisations 0, 1, …; nodes; and somebody whom nobody knows. */
export const ADMIN = (organisation: number): number => 101 + organisation
export const NODE = (index: number): number => 1_001 + index
/** The registers' governor. */
export const COUNCIL: Address = COUNCIL_ADDRESS
export const STRANGER = addressOf(666)

export const nodesSorted = (count: number): Address[] =>
  Array.from({ length: count }, (_, index) => addressOf(NODE(index))).sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1))

export interface StartOptions {
  validators?: number
  others?: number
  seats?: number
  accounts?: GovernanceGenesis['accounts']
  policy?: GovernanceGenesis['policy']
}

export const governanceOf = ({ validators = 5, others = 0, seats = 4, ...rest }: StartOptions = {}): GovernanceGenesis =>
  testGovernance({
    validators: Array.from({ length: validators }, (_, index) => publicKeyOf(NODE(index))),
    others: Array.from({ length: others }, (_, index) => publicKeyOf(NODE(validators + index))),
    administrators: Array.from({ length: seats }, (_, organisation) => addressOf(ADMIN(organisation))),
    ...rest,
  })

export type Governance = Awaited<ReturnType<typeof startGovernance>>

export async function startGovernance(options: StartOptions = {}) {
  const chain = await createContractChain(genesisContracts({ governance: governanceOf(options) }), { ...START })
  const send = (contract: ContractName, from: Address, functionName: string, args: readonly unknown[] = []): Promise<CallResult> => {
    const { abi, address } = CONTRACTS[contract]
    return chain.call({ from, to: address, data: encodeFunctionData({ abi, functionName, args }) })
  }
  const read = async <T = unknown>(contract: ContractName, functionName: string, args: readonly unknown[] = []): Promise<T> => {
    const result = await send(contract, STRANGER, functionName, args)
    if (!result.ok) throw new Error(refusal(result))
    return decodeFunctionResult({ abi: CONTRACTS[contract].abi, functionName, data: result.data }) as T
  }
  return {
    ...chain,
    send,
    read,
    /** As the council does it, without a motion. */
    govern: (contract: ContractName, functionName: string, args: readonly unknown[] = []) =>
      send(contract, COUNCIL_ADDRESS, functionName, args),
    /** As the administrator of the organisation with this number. */
    admin: (organisation: number, contract: ContractName, functionName: string, args: readonly unknown[] = []) =>
      send(contract, addressOf(ADMIN(organisation)), functionName, args),
    pass(blocks: bigint, seconds = blocks): void {
      chain.clock.number += blocks
      chain.clock.timestamp += seconds
    },
  }
}

/** What a motion carries. */
export function motionArguments(name: MotionName, args: readonly unknown[]): Hex {
  const { abi } = CONTRACTS[MOTIONS[name][1]]
  const item = abi.find((entry): entry is AbiFunction => entry.type === 'function' && entry.name === name)!
  return encodeAbiParameters(item.inputs, args)
}

/** Proposes, lets the first seats say yes, and carries out; the last call's result. */
export async function carry(governance: Governance, name: MotionName, args: readonly unknown[], yes = 3): Promise<CallResult> {
  const id = await governance.read<bigint>('council', 'motionCount')
  expectOk(await governance.admin(0, 'council', 'propose', [MOTIONS[name][0], motionArguments(name, args), name]))
  for (let seat = 1; seat < yes; seat++) expectOk(await governance.admin(seat, 'council', 'vote', [id, true]))
  return governance.admin(0, 'council', 'execute', [id])
}

export function expectOk(result: CallResult): CallResult {
  if (!result.ok) throw new Error(`a call reverted: ${refusal(result)}`)
  return result
}

/** `Name(argument, …)` of the error. */
export const refusal = (result: CallResult): string => (result.data === '0x' && !result.ok ? 'reverted without a reason' : revertOf(EVERY_ABI, result))

/** Names and arguments of what was emitted, in order. */
export const eventsOf = (result: CallResult): { eventName: string | undefined; args: unknown }[] =>
  expectOk(result).logs.map(({ topics, data }) => decodeEventLog({ abi: EVERY_ABI, topics: topics as [Hex], data }))
    .map(({ eventName, args }) => ({ eventName, args: args ?? {} }))

export const event = (eventName: string, args: Record<string, unknown>) => ({ eventName, args })

const domainOf = (verifyingContract: Address): TypedDataDomain => ({ name: 'Songhua', version: '1', chainId: 1, verifyingContract })

/** An account's consent to act for an organisation. */
export const consent = (account: number, organisation: number, nonce: bigint): Promise<Hex> =>
  wallet(account).signTypedData(
    domainOf(ORGANISATION_REGISTER_ADDRESS),
    { Binding: [['organisation', 'bytes18'], ['account', 'address'], ['nonce', 'uint256']].map(([name, type]) => ({ name: name!, type: type! })) },
    { organisation: uscc(organisation), account: addressOf(account), nonce },
  ) as Promise<Hex>

export interface Application {
  publicKey: Hex
  kind: number
  city: Hex
  industry: Hex
  government: Hex
  telecom: Hex
  operator: Hex
  endpointsHash: Hex
  documentsHash: Hex
}

const APPLICATION_TYPE = {
  NodeApplication: [
    ['publicKey', 'bytes'], ['kind', 'uint8'], ['city', 'bytes6'], ['industry', 'bytes1'], ['government', 'bytes18'],
    ['telecom', 'bytes18'], ['operator', 'bytes18'], ['endpointsHash', 'bytes32'], ['documentsHash', 'bytes32'], ['applicant', 'address'],
  ].map(([name, type]) => ({ name: name!, type: type! })),
}

/** A backbone node of the organisations 0, 1 and 2, for the key of this number. */
export const application = (key: number, changes: Partial<Application> = {}): Application => ({
  publicKey: publicKeyOf(key), kind: 2, city: stringToHex('230200'), industry: stringToHex('I'),
  government: uscc(0), telecom: uscc(1), operator: uscc(2), endpointsHash: hash(1), documentsHash: hash(2), ...changes,
})

/** The proof of possession that goes with an application. */
export const possession = (key: number, wanted: Application, applicant: Address): Promise<Hex> =>
  wallet(key).signTypedData(domainOf(NODE_REGISTER_ADDRESS), APPLICATION_TYPE, { ...wanted, applicant }) as Promise<Hex>

export const rotationProof = (newKey: number, node: Address, newPublicKey = publicKeyOf(newKey)): Promise<Hex> =>
  wallet(newKey).signTypedData(
    domainOf(NODE_REGISTER_ADDRESS),
    { Rotation: [{ name: 'node', type: 'address' }, { name: 'newPublicKey', type: 'bytes' }] },
    { node, newPublicKey },
  ) as Promise<Hex>

/** Applies for the key's node as `applicant`. */
export async function apply(governance: Governance, key: number, changes: Partial<Application> = {}, applicant = addressOf(ADMIN(2))) {
  const wanted = application(key, changes)
  return governance.send('nodes', applicant, 'applyNode', [wanted, await possession(key, wanted, applicant)])
}

export async function confirm(governance: Governance, node: Address, bodies: readonly number[] = [0, 1, 2]): Promise<void> {
  const applicationHash = await governance.read('nodes', 'applicationHashOf', [node])
  for (const body of bodies) expectOk(await governance.admin(body, 'nodes', 'confirmBody', [node, applicationHash]))
}

/** The council admits a node with the application that stands. */
export async function admit(governance: Governance, node: Address) {
  return governance.govern('nodes', 'admitNode', [node, await governance.read('nodes', 'applicationHashOf', [node])])
}

/** A node of this status, from nothing. */
export async function nodeWith(governance: Governance, key: number, status: 'applied' | 'admitted' | 'active' | 'suspended' | 'retired', changes: Partial<Application> = {}): Promise<Address> {
  const node = addressOf(key)
  expectOk(await apply(governance, key, changes))
  if (status === 'applied') return node
  await confirm(governance, node, changes.kind === 3 ? [2] : [0, 1, 2])
  expectOk(await admit(governance, node))
  if (status === 'admitted') return node
  expectOk(await governance.admin(2, 'nodes', 'activateNode', [node]))
  if (status === 'suspended') expectOk(await governance.govern('nodes', 'suspendNode', [node, hash(3)]))
  if (status === 'retired') expectOk(await governance.govern('nodes', 'retireNode', [node]))
  return node
}

export const keccakOf = (text: string): Hex => keccak256(stringToHex(text))
