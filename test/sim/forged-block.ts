import { encodeBlock } from '@songhua/sdk/protocol/block'
import { blockHash } from '@songhua/sdk/protocol/block-hash'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import type { Header } from '@songhua/sdk/protocol/header'
import { createHeader } from '@songhua/sdk/protocol/header-rules'
import type { Transaction } from '@songhua/sdk/protocol/transaction'
import type { ProposedBlock } from '@songhua/node/consensus/messages'
import { type ChainHead, blockResult } from '@songhua/node/services/block-work'
import { RULES, runTransactions } from './ledger.js'
import { type Register, runMotions, sealersAt } from './register.js'

/** How a block may be wrong. */
export const SPOILS = ['gas', 'state', 'validators', 'set too early', 'far future', 'repeated transaction', 'empty too early'] as const
export type Spoil = (typeof SPOILS)[number]

export interface BlockPlan {
  readonly parent: ChainHead
  /** Of the parent's state. */
  readonly register: Register
  readonly genesisHash: Hash
  readonly coinbase: Address
  readonly blockTimeMs: number
  readonly transactions: Transaction[]
  /** Undefined: the block is good. */
  readonly spoil: Spoil | undefined
}

/** Longer than any run, so that such a block never becomes timely. */
const FAR_FUTURE_MS = 86_400_000

/** A block as its proposer might build it, if nothing kept it to the rules. */
export function forgeBlock(plan: BlockPlan): ProposedBlock {
  const { parent, register, genesisHash, coinbase, blockTimeMs, transactions, spoil } = plan
  const body = bodyOf(transactions, spoil)
  const outcome = runTransactions(body, { number: parent.header.number + 1, register })
  const result = blockResult(outcome, body, { store: { getNode: () => undefined }, stateRoot: parent.header.stateRoot })
  const timeMs = blockTimeMs + (spoil === 'far future' ? FAR_FUTURE_MS : 0)
  const nextValidators = [...statedAndDue(plan).stated]
  const content = { coinbase, round: 0, blockTimeMs: timeMs, nextValidators, ...result.roots }
  const header = spoilt(createHeader(content, parent, { ...RULES, genesisHash }), spoil)
  const block = { header, transactions: body }
  return { digest: blockHash(header), bytes: encodeBlock(block), block }
}

/** The set that the block names for the next height, and the one that the council has scheduled for it. */
function statedAndDue({ parent, register, coinbase, transactions, spoil }: BlockPlan): Record<'stated' | 'due', readonly Address[]> {
  const number = parent.header.number + 1
  const { register: after } = runMotions(bodyOf(transactions, spoil), register, number)
  const due = sealersAt(after, number + 1)
  if (spoil === 'validators') return { stated: [coinbase], due }
  if (spoil === 'set too early') return { stated: after.pending.at(-1)?.validators ?? due, due }
  return { stated: due, due }
}

function bodyOf(transactions: Transaction[], spoil: Spoil | undefined): Transaction[] {
  if (spoil === 'empty too early') return []
  const [first] = transactions
  return spoil === 'repeated transaction' && first !== undefined ? [...transactions, first] : transactions
}

function spoilt(header: Header, spoil: Spoil | undefined): Header {
  if (spoil === 'gas') return { ...header, gasUsed: header.gasUsed + 1n }
  if (spoil === 'state') return { ...header, stateRoot: `0x${'5f'.repeat(32)}` }
  return header
}

/** Whether no honest validator may ever help to seal it; some spoils depend on what there was to spoil. */
export function isSpoilt(plan: BlockPlan): boolean {
  const { spoil, transactions } = plan
  const { stated, due } = statedAndDue(plan)
  if (spoil === 'repeated transaction') return transactions.length > 0
  if (spoil === 'validators' || spoil === 'set too early') return String(stated) !== String(due)
  // In a later round, and when a heartbeat is due, an empty block is right.
  return spoil !== undefined && spoil !== 'empty too early'
}
