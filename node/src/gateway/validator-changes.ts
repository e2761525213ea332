import { decodeExtraData } from '@songhua/sdk/protocol/extra-data'
import type { Header } from '@songhua/sdk/protocol/header'
import { decodeHeader } from '@songhua/sdk/protocol/header'
import { findValidatorHistory } from '@songhua/sdk/chain/validator-history'
import { ALL_CHANGES, changeKey } from './keys.js'
import type { ChainProofs } from './ports.js'
import { type GatewayStore, damaged } from './store.js'

/** The headers at which the validators changed: found once, kept once, named by all batches after them. */
export interface ValidatorChanges {
  /** Below a block, oldest first. */
  before(blockNumber: number): Promise<KnownHistory>
}

export interface KnownHistory {
  readonly headers: readonly Header[]
  /** Those that are not in the table yet; `stored` is to be called when they are. */
  readonly unstored: readonly Header[]
  stored(): void
}

export async function createValidatorChanges(
  store: GatewayStore,
  proofs: Pick<ChainProofs, 'header'>,
): Promise<ValidatorChanges> {
  const stored = await readAll(store)
  const inTable = new Set(stored.map(({ number }) => number))
  let known: readonly Header[] = await chainOf(stored, proofs)
  return {
    async before(blockNumber) {
      const headers = await findValidatorHistory((number) => proofs.header(number), blockNumber, { known })
      if (headers.length > known.filter(({ number }) => number < blockNumber).length) known = longer(known, headers)
      const unstored = headers.filter(({ number }) => !inTable.has(number))
      return { headers, unstored, stored: () => unstored.forEach(({ number }) => inTable.add(number)) }
    },
  }
}

/** An answer for an earlier block does not make the cache forget what it knows of later ones. */
function longer(known: readonly Header[], found: readonly Header[]): readonly Header[] {
  return (found.at(-1)?.number ?? 0) > (known.at(-1)?.number ?? 0) ? found : known
}

/**
 * Batches may have been settled out of order, and each found a way of its own through sets that changed and changed
 * back: of what the table holds, those that follow from one another.
 */
async function chainOf(stored: readonly Header[], proofs: Pick<ChainProofs, 'header'>): Promise<Header[]> {
  const chain: Header[] = []
  let running = stored.length === 0 ? '' : setOf(await proofs.header(0))
  for (const header of stored) {
    if (setOf(await proofs.header(header.number - 1)) !== running) continue
    chain.push(header)
    running = setOf(header)
  }
  return chain
}

const setOf = ({ extraData }: Header): string => decodeExtraData(extraData).validators.join()

async function readAll(store: GatewayStore): Promise<Header[]> {
  const headers: Header[] = []
  for await (const [, value] of store.entries(ALL_CHANGES)) headers.push(decodeHeader(value))
  return headers
}

/** RLP with seals, of the blocks that a batch names. @throws CodedError `GATEWAY_STORE_DAMAGED` */
export function readChanges(store: Pick<GatewayStore, 'get'>, blockNumbers: readonly number[]): Uint8Array[] {
  return blockNumbers.map(
    (number) => store.get(changeKey(number)) ?? damaged(`the header of block ${number} is missing`),
  )
}
