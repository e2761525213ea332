import { addressOption, rolesToBits } from './codes.js'
import type { RpcClient } from '../chain/rpc-client.js'
import { SonghuaError } from '../connection/songhua-error.js'
import { type Address, type Hash, ZERO_HASH } from '../protocol/bytes.js'
import { COUNCIL, NODE_REGISTER, ORGANISATION_REGISTER, type SystemContract } from './contracts.js'
import type { AccountRights, Governance } from './governance-client.js'
import { MOTIONS, type MotionArguments, type MotionKind, encodeMotion, entryToAbi } from './motions.js'
import { applicationToAbi } from './signatures.js'
import { type Call, type Done, readContract } from './transactions.js'

type Send = (call: Call) => Promise<Done>
type Part<K extends keyof Governance> = Pick<Governance, K>
type Calls = Part<
  | 'propose' | 'vote' | 'execute' | 'cancel' | 'applyOrganisation' | 'applyNode' | 'withdrawApplication' | 'confirmBody' | 'activateNode'
  | 'suspendNode' | 'reinstateNode' | 'retireNode' | 'setEndpointsHash' | 'rotateKey' | 'bindAccount' | 'changeAccount' | 'releaseAccount'
  | 'bindingNonce' | 'revokeConsents' | 'setContactHash'
>

export function governanceCalls(rpc: RpcClient, send: Send): Calls {
  return { ...councilCalls(rpc, send), ...nodeCalls(rpc, send), ...accountCalls(rpc, send) }
}

const to = (contract: SystemContract, send: Send) => (name: string, ...args: unknown[]): Promise<Done> => send({ contract, name, args })

function councilCalls(rpc: RpcClient, send: Send): Part<'propose' | 'vote' | 'execute' | 'cancel'> {
  const call = to(COUNCIL, send)
  return {
    async propose(kind, args, reason) {
      const done = await call('propose', MOTIONS[kind].number, encodeMotion(kind, await withApplication(rpc, kind, args)), reason)
      const proposed = done.events.find(({ name }) => name === 'MotionProposed')
      if (proposed === undefined) throw new SonghuaError('RPC_ANSWER', `the receipt of ${done.hash} holds no MotionProposed`)
      return { ...done, id: Number(proposed.args.id) }
    },
    vote: (id, approve) => call('vote', id, approve),
    execute: (id) => call('execute', id),
    cancel: (id) => call('cancel', id),
  }
}

/** Bound to the application as it stands: one that is changed meanwhile is neither confirmed nor admitted unseen. */
async function presentApplication(rpc: RpcClient, node: Address): Promise<Hash> {
  const [found] = await readContract(rpc, { contract: NODE_REGISTER, name: 'applicationHashOf', args: [node] })
  if (found === ZERO_HASH) throw new SonghuaError('OPTION_INVALID', `node ${node} has not applied`, { field: 'node' })
  return found as Hash
}

async function withApplication<K extends MotionKind>(rpc: RpcClient, kind: K, args: MotionArguments[K]): Promise<MotionArguments[K]> {
  if (kind !== 'admitNode') return args
  const { node, applicationHash } = args as MotionArguments['admitNode']
  return { ...args, applicationHash: applicationHash ?? await presentApplication(rpc, addressOption(node, 'node')) }
}

type NodeCalls = Part<
  | 'applyOrganisation' | 'applyNode' | 'withdrawApplication' | 'confirmBody' | 'activateNode' | 'suspendNode' | 'reinstateNode' | 'retireNode'
  | 'setEndpointsHash' | 'rotateKey'
>

function nodeCalls(rpc: RpcClient, send: Send): NodeCalls {
  const call = to(NODE_REGISTER, send)
  const on = (name: string) => (node: string, ...args: unknown[]): Promise<Done> => call(name, addressOption(node, 'node'), ...args)
  return {
    applyOrganisation: (entry, documentsHash) => to(ORGANISATION_REGISTER, send)('applyOrganisation', entryToAbi(entry), documentsHash),
    applyNode: (application, signature) => call('applyNode', applicationToAbi(application), signature),
    withdrawApplication: on('withdrawApplication'),
    async confirmBody(value, applicationHash) {
      const node = addressOption(value, 'node')
      return call('confirmBody', node, applicationHash ?? await presentApplication(rpc, node))
    },
    activateNode: on('activateNode'),
    suspendNode: on('suspendNode'),
    reinstateNode: on('reinstateNode'),
    retireNode: on('retireNode'),
    setEndpointsHash: on('setEndpointsHash'),
    rotateKey: on('rotateKey'),
  }
}

type AccountCalls = Part<'bindAccount' | 'changeAccount' | 'releaseAccount' | 'bindingNonce' | 'revokeConsents' | 'setContactHash'>

function accountCalls(rpc: RpcClient, send: Send): AccountCalls {
  const call = to(ORGANISATION_REGISTER, send)
  const rightsToAbi = ({ roles, gasPerDay, bytesPerDay }: AccountRights): unknown[] => [rolesToBits(roles), gasPerDay, bytesPerDay]
  const account = (value: string): string => addressOption(value, 'account')
  return {
    bindAccount: (value, rights, consent) => call('bindAccount', account(value), ...rightsToAbi(rights), consent),
    changeAccount: (value, rights) => call('changeAccount', account(value), ...rightsToAbi(rights)),
    releaseAccount: (value) => call('releaseAccount', account(value)),
    async bindingNonce(value) {
      const [nonce] = await readContract(rpc, { contract: ORGANISATION_REGISTER, name: 'bindingNonceOf', args: [account(value)] })
      return nonce as bigint
    },
    revokeConsents: () => call('revokeConsents'),
    setContactHash: (contactHash) => call('setContactHash', contactHash),
  }
}
