import { EMPTY_ACCOUNT } from '@songhua/sdk/protocol/account'
import { bytesToHex, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import { z } from 'zod'
import { requireBlock } from '../block-lookup.js'
import { boundedList, refuse } from '../bounded.js'
import { RpcError } from '../errors.js'
import { faultOf } from '../issue.js'
import { quantityToJson } from '../json.js'
import type { RpcLimits } from '../limits.js'
import { defineMethod, param, type Method } from '../method.js'
import type { ChainReader, PoolAccess, StateAccess } from '../ports.js'
import { dataJson, hashJson, proofJson, quantityJson } from '../result-schemas.js'
import { revertReason } from '../revert-reason.js'
import { address, block as blockReference, callRequest, slot, stateOverrides, type BlockReference } from '../schemas.js'

interface Ports {
  chain: ChainReader
  state: StateAccess
  pool: Pick<PoolAccess, 'pendingNonce'>
  limits: RpcLimits
}

const blockOrLatest = blockReference.nullish().transform((reference): BlockReference => reference ?? { tag: 'latest' })
const blockParam = param('block', blockOrLatest)

/** Accounts and code after a block, and messages run over them without a trace. */
export function ethStateMethods({ chain, state, pool, limits }: Ports): Method[] {
  const numberOf = (reference: BlockReference): number => requireBlock(chain, reference).number
  return [
    defineMethod({
      name: 'eth_getBalance',
      summary: 'Balance in wei after a block',
      params: [param('address', address), blockParam],
      result: quantityJson,
      handler: async ([account, at]) => quantityToJson((await state.account(numberOf(at), account))?.balance ?? 0n),
    }),
    defineMethod({
      name: 'eth_getTransactionCount',
      summary: 'Nonce after a block; with `pending`, counting executable transactions in the pool',
      params: [param('address', address), blockParam],
      result: quantityJson,
      handler: async ([account, at]) => {
        if ('tag' in at && at.tag === 'pending') return quantityToJson(pool.pendingNonce(account))
        return quantityToJson((await state.account(numberOf(at), account))?.nonce ?? 0n)
      },
    }),
    defineMethod({
      name: 'eth_getCode',
      summary: 'Code of an account after a block',
      params: [param('address', address), blockParam],
      result: dataJson,
      handler: async ([account, at]) => bytesToHex(await state.code(numberOf(at), account)),
    }),
    defineMethod({
      name: 'eth_getStorageAt',
      summary: 'Value of a storage slot after a block, 32 bytes',
      params: [param('address', address), param('slot', slot), blockParam],
      result: hashJson,
      handler: async ([account, key, at]) => word(await state.storage(numberOf(at), account, key)),
    }),
    getProof({ chain, state, limits }),
    ...callMethods({ chain, state }),
  ]
}

const word = (value: bigint): string => `0x${value.toString(16).padStart(64, '0')}`

/** A slot and the form in which it was given: the answer repeats that form (EIP-1186). */
const proofSlot = z.string().transform((key, context) => {
  const parsed = slot.safeParse(key)
  if (parsed.success) return { key, slot: parsed.data }
  return refuse(context, faultOf(parsed.error))
})

function getProof({ chain, state, limits }: Pick<Ports, 'chain' | 'state' | 'limits'>): Method {
  const bound = { max: limits.proofSlotsMax, what: 'slots', limit: 'proofSlotsMax' } as const
  return defineMethod({
    name: 'eth_getProof',
    summary: 'Merkle Patricia proofs of an account and of its slots under the state root of a block (EIP-1186)',
    params: [
      param('address', address),
      param('slots', boundedList(proofSlot, bound, 'must be a list of storage slots')),
      blockParam,
    ],
    result: proofJson,
    handler: async ([account, keys, at], { client }) => {
      const { number: block } = requireBlock(chain, at)
      const proof = await state.proof(
        { block, client },
        account,
        keys.map((key) => key.slot),
      )
      const { balance, nonce, codeHash, storageRoot } = proof.account ?? EMPTY_ACCOUNT
      return {
        address: account,
        balance: quantityToJson(balance),
        nonce: quantityToJson(nonce),
        codeHash,
        storageHash: storageRoot,
        accountProof: proof.accountProof,
        storageProof: proof.storageProofs.map(({ value, proof: nodes }, index) => ({
          key: keys[index]?.key ?? '',
          value: quantityToJson(value),
          proof: nodes,
        })),
      }
    },
  })
}

function callMethods({ chain, state }: Pick<Ports, 'chain' | 'state'>): Method[] {
  const params = [
    param('transaction', callRequest),
    blockParam,
    param(
      'stateOverrides',
      stateOverrides.nullish().transform((overrides) => overrides ?? new Map<never, never>()),
    ),
  ] as const
  return [
    defineMethod({
      name: 'eth_call',
      summary: 'Runs a message over the state after a block; state overrides as in geth',
      params,
      result: dataJson,
      handler: async ([request, at, overrides], { client }) => {
        const { number } = requireBlock(chain, at)
        const { failure, output } = await state.call({ block: number, client }, request, overrides)
        if (failure === undefined) return bytesToHex(output)
        if (failure.kind === 'revert') throw reverted(output)
        throw new RpcError('RPC_EXECUTION_FAILED', failure.message, { details: { failure: failure.kind } })
      },
    }),
    defineMethod({
      name: 'eth_estimateGas',
      summary: 'Least gas limit, within 1.5 %, with which a message succeeds after a block',
      params,
      result: quantityJson,
      handler: async ([request, at, overrides], { client }) => {
        const { number } = requireBlock(chain, at)
        try {
          return quantityToJson(await state.estimateGas({ block: number, client }, request, overrides))
        } catch (error) {
          if (!isCodedError(error, 'CALL_REVERTED')) throw error
          throw reverted(hexToBytes(String(error.details.data)))
        }
      },
    }),
  ]
}

function reverted(output: Uint8Array): RpcError {
  const reason = revertReason(output)
  const message = reason === undefined ? 'execution reverted' : `execution reverted: ${reason}`
  return new RpcError('RPC_EXECUTION_REVERTED', message, { details: { output: bytesToHex(output) } })
}
