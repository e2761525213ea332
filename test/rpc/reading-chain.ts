// A chain whose registers hold readers, and whose policy is changed by transactions, as the council does.
import {
  COUNCIL_ADDRESS, NODE_REGISTER_ADDRESS, ORGANISATION_REGISTER_ADDRESS, POLICY_REGISTER_ADDRESS, USAGE_REGISTER_ADDRESS,
} from '@songhua/contracts/addresses'
import type { Door, ReadLevel } from '@songhua/contracts/membership/kinds'
import { wordOf } from '@songhua/contracts/membership/slots'
import { type Address, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { readingStorage } from '../permission/readers.js'
import { type FixtureChain, createFixtureChain } from './fixture-chain.js'

/** `SSTORE(calldata word 0, calldata word 1)`: stands where the council's contracts will. */
const WRITER = hexToBytes('0x6020356000355500')
const REGISTERS: Address[] = [NODE_REGISTER_ADDRESS, ORGANISATION_REGISTER_ADDRESS, COUNCIL_ADDRESS, POLICY_REGISTER_ADDRESS, USAGE_REGISTER_ADDRESS]

export function createReadingChain(levels: Partial<Record<Door, ReadLevel>>): Promise<FixtureChain> {
  const words = readingStorage(levels)
  return createFixtureChain({}, { alloc: REGISTERS.map((address) => ({ address, balance: 0n, nonce: 1n, code: WRITER, storage: words.get(address)! })) })
}

/** By a transaction, in a block. */
export async function setWord(chain: FixtureChain, contract: Address, slot: bigint, word: bigint): Promise<void> {
  await chain.send({ to: contract, data: hexToBytes(`0x${wordOf(slot).slice(2)}${wordOf(word).slice(2)}`) })
  await chain.mine()
}
