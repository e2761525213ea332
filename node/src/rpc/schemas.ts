import { EMPTY_BYTES, hexToBytes, ZERO_ADDRESS, type Address, type Hash } from '@songhua/sdk/protocol/bytes'
import { z } from 'zod'
import type { AccountOverride, CallRequest } from '../execution/call.js'
import { boundedList, boundedMap } from './bounded.js'
import { RPC_LIMITS, type RpcLimits } from './limits.js'

const text = (error: string) => z.string({ error })
/** `null` stands for a field left out, as in geth. */
const maybe = <S extends z.ZodType>(schema: S) => schema.nullish().transform((value) => value ?? undefined)

/** Data of any length: `0x` and an even number of hexadecimal digits. */
export const data = text('must be 0x-prefixed hexadecimal data')
  .regex(/^0x[0-9a-fA-F]*$/, 'must be 0x-prefixed hexadecimal data')
  .refine((hex) => hex.length % 2 === 0, 'must have an even number of hexadecimal digits')
  .transform((hex) => hexToBytes(hex))

const ADDRESS_RULE = 'must be an address: 0x and 40 hexadecimal digits'
export const address = text(ADDRESS_RULE)
  .regex(/^0x[0-9a-fA-F]{40}$/, ADDRESS_RULE)
  .transform((hex) => hex.toLowerCase() as Address)

const HASH_RULE = 'must be 32 bytes: 0x and 64 hexadecimal digits'
export const hash = text(HASH_RULE)
  .regex(/^0x[0-9a-fA-F]{64}$/, HASH_RULE)
  .transform((hex): Hash => hex.toLowerCase() as Hash)

const QUANTITY_RULE = 'must be a quantity: 0x and hexadecimal digits without leading zeros, at most 256 bits'
const quantityText = text(QUANTITY_RULE).regex(/^0x(0|[1-9a-fA-F][0-9a-fA-F]{0,63})$/, {
  error: QUANTITY_RULE,
  abort: true,
})
export const quantity = quantityText.transform((hex) => BigInt(hex))

/** A quantity that fits a safe integer: block numbers, counts, indexes. */
export const smallQuantity = quantityText
  .refine((hex) => BigInt(hex) <= BigInt(Number.MAX_SAFE_INTEGER), 'must be below 2^53')
  .transform((hex) => Number(hex))

const SLOT_RULE = 'must be a storage slot: 0x and 1 to 64 hexadecimal digits'
/** A slot as data or as a quantity, as geth takes both. */
export const slot = text(SLOT_RULE)
  .regex(/^0x[0-9a-fA-F]{1,64}$/, SLOT_RULE)
  .transform((hex): Hash => `0x${hex.slice(2).toLowerCase().padStart(64, '0')}`)

export const BLOCK_TAGS = ['earliest', 'finalized', 'safe', 'latest', 'pending'] as const
export type BlockTag = (typeof BLOCK_TAGS)[number]
const tag = z.enum(BLOCK_TAGS).transform((name) => ({ tag: name }))
const numbered = smallQuantity.transform((number) => ({ number }))

const BLOCK_RULE = `must be a block number in hexadecimal or one of ${BLOCK_TAGS.join(', ')}`
export type BlockNumberReference = { tag: BlockTag } | { number: number }
export const blockNumber = z.union([tag, numbered], { error: BLOCK_RULE })

export type BlockReference = BlockNumberReference | { hash: Hash }
/** EIP-1898. `requireCanonical` is accepted and idle: every stored block is final. */
export const block = z.union(
  [
    tag,
    numbered,
    z
      .strictObject({ blockHash: hash, requireCanonical: z.boolean().optional() })
      .transform(({ blockHash }) => ({ hash: blockHash })),
    z.strictObject({ blockNumber: smallQuantity }).transform(({ blockNumber: number }) => ({ number })),
  ],
  { error: `${BLOCK_RULE}, or an object with blockHash or blockNumber (EIP-1898)` },
)

/** The bound that a limit of this node names. */
const most = (limit: keyof RpcLimits, what: string) => ({ max: RPC_LIMITS[limit], what, limit })

const accessKeys = boundedList(hash, most('accessListKeysMax', 'storage keys'), 'must be a list of storage keys')
const accessList = boundedList(
  z.strictObject({ address, storageKeys: accessKeys }),
  most('accessListAddressesMax', 'addresses'),
  'must be an access list (EIP-2930)',
)

const CALL_FIELDS = {
  from: maybe(address),
  to: maybe(address),
  gas: maybe(quantity),
  gasPrice: maybe(quantity),
  maxFeePerGas: maybe(quantity),
  maxPriorityFeePerGas: maybe(quantity),
  value: maybe(quantity),
  nonce: maybe(quantity),
  data: maybe(data),
  input: maybe(data),
  accessList: maybe(accessList),
  chainId: maybe(quantity),
  type: maybe(
    smallQuantity.refine(
      (type) => type <= 2,
      'must be 0x0, 0x1 or 0x2: this chain has no blob or delegation transactions',
    ),
  ),
}

/** The transaction object of eth_call and eth_estimateGas; `null` counts as absent. */
export const callRequest = z.strictObject(CALL_FIELDS).transform((fields, context): CallRequest => {
  if (fields.data && fields.input && !Buffer.from(fields.data).equals(fields.input)) {
    context.addIssue({ code: 'custom', path: ['input'], message: 'differs from data; give one of them' })
  }
  if (
    fields.gasPrice !== undefined &&
    (fields.maxFeePerGas !== undefined || fields.maxPriorityFeePerGas !== undefined)
  ) {
    context.addIssue({
      code: 'custom',
      path: ['gasPrice'],
      message: 'cannot stand with maxFeePerGas or maxPriorityFeePerGas',
    })
  }
  const { from, to, gas, value, accessList: list } = fields
  return {
    from: from ?? ZERO_ADDRESS,
    to,
    gas,
    gasPrice: fields.gasPrice ?? lower(fields.maxPriorityFeePerGas ?? 0n, fields.maxFeePerGas),
    value: value ?? 0n,
    data: fields.input ?? fields.data ?? EMPTY_BYTES,
    accessList: list ?? [],
  }
})

/** What EIP-1559 fees come to while the base fee is 0: the tip, capped. */
function lower(tip: bigint, cap: bigint | undefined): bigint {
  return cap !== undefined && cap < tip ? cap : tip
}

const slots = boundedMap(
  hash,
  slot.transform((hex) => BigInt(hex)),
  most('overrideSlotsMax', 'slots'),
)

const accountOverride = z
  .strictObject({
    balance: maybe(quantity),
    nonce: maybe(quantity),
    code: maybe(data),
    state: maybe(slots),
    stateDiff: maybe(slots),
  })
  .transform((fields, context): AccountOverride => {
    if (fields.state !== undefined && fields.stateDiff !== undefined) {
      context.addIssue({ code: 'custom', path: ['state'], message: 'cannot stand with stateDiff' })
    }
    const { balance, nonce, code, state, stateDiff } = fields
    return {
      ...(balance !== undefined && { balance }),
      ...(nonce !== undefined && { nonce }),
      ...(code !== undefined && { code }),
      ...(state !== undefined && { state }),
      ...(stateDiff !== undefined && { stateDiff }),
    }
  })

/** The state override set of geth, without precompile moves. */
export const stateOverrides = boundedMap(address, accountOverride, most('overrideAccountsMax', 'accounts'))

const addressList = boundedList(address, most('logAddressesMax', 'addresses'), 'must be a list of addresses')
const addresses = z.union([address.transform((one) => [one]), addressList], {
  error: `must be an address or a list of at most ${RPC_LIMITS.logAddressesMax} addresses`,
})
const topicList = boundedList(hash.nullable(), most('logTopicsMax', 'topics'), 'must be a list of topics')
const topic = z.union(
  [
    z.null().transform(() => [] as Hash[]),
    hash.transform((one) => [one]),
    topicList.transform((list) => (list.includes(null) ? [] : list.filter((one) => one !== null))),
  ],
  { error: `must be null, a 32-byte topic or a list of at most ${RPC_LIMITS.logTopicsMax} topics` },
)
/** A log has four at most. */
const topics = boundedList(topic, { max: 4, what: 'topics' }, 'must be a list of topics')

/** The filter of eth_getLogs and eth_newFilter. */
export const logFilter = z
  .strictObject({
    fromBlock: maybe(blockNumber),
    toBlock: maybe(blockNumber),
    blockHash: maybe(hash),
    address: maybe(addresses),
    topics: maybe(topics),
  })
  .transform((fields, context) => {
    if (fields.blockHash !== undefined && (fields.fromBlock !== undefined || fields.toBlock !== undefined)) {
      context.addIssue({ code: 'custom', path: ['blockHash'], message: 'cannot stand with fromBlock or toBlock' })
    }
    return {
      fromBlock: fields.fromBlock,
      toBlock: fields.toBlock,
      blockHash: fields.blockHash,
      addresses: fields.address ?? [],
      topics: fields.topics ?? [],
    }
  })

export type LogFilterRequest = z.infer<typeof logFilter>

/** What a `logs` subscription takes: new blocks only, hence no bounds. */
export const logSubscription = z
  .strictObject({
    address: maybe(addresses),
    topics: maybe(topics),
  }, 'must be an object with address and topics')
  .transform((fields) => ({ addresses: fields.address ?? [], topics: fields.topics ?? [] }))
