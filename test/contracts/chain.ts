// A chain of one account's view: the system contracts at their genesis addresses on the EVM, called with viem's codec.
import { Common, Hardfork, Mainnet } from '@ethereumjs/common'
import { type EVM, createEVM } from '@ethereumjs/evm'
import { Account, createAddressFromString, createZeroAddress, hexToBytes } from '@ethereumjs/util'
import type { GenesisContract } from '@songhua/contracts/addresses'
import { type Abi, type Address, type Hex, bytesToHex, decodeErrorResult, encodeFunctionData } from 'viem'

const GAS_LIMIT = 30_000_000n

export interface CallResult {
  readonly ok: boolean
  readonly data: Hex
  /** Gas of a transaction doing this call, refunds aside: intrinsic gas, calldata and execution. */
  readonly gas: bigint
  readonly logs: { address: Hex; topics: Hex[]; data: Hex }[]
}

export interface ContractCall {
  readonly from: Address
  readonly to: Address
  readonly data: Hex
}

/** The block in which calls run; tests move it on. */
export interface Clock {
  number: bigint
  /** Seconds. */
  timestamp: bigint
}

export async function createContractChain(contracts: readonly GenesisContract[], clock: Clock = { number: 0n, timestamp: 0n }) {
  const evm = await createEVM({ common: new Common({ chain: Mainnet, hardfork: Hardfork.Cancun }) })
  for (const { address, nonce, code, storage } of contracts) {
    const at = createAddressFromString(address)
    await evm.stateManager.putAccount(at, new Account(BigInt(nonce)))
    await evm.stateManager.putCode(at, hexToBytes(code))
    for (const [slot, value] of Object.entries(storage)) {
      await evm.stateManager.putStorage(at, hexToBytes(slot as Hex), hexToBytes(value))
    }
  }
  return {
    clock,
    call: (call: ContractCall): Promise<CallResult> => runCall(evm, call, clock),
    /** Runs `attempts` and takes back whatever they did: state and clock are as before. */
    trying: async <T>(attempts: () => Promise<T>): Promise<T> => {
      const before = { ...clock }
      await evm.stateManager.checkpoint()
      try {
        return await attempts()
      } finally {
        await evm.stateManager.revert()
        evm.stateManager.originalStorageCache.clear()
        Object.assign(clock, before)
      }
    },
    /** Every slot that is not zero, `address slot` → word: what must not change when a call is refused. */
    storage: (): Map<string, Hex> => storageOf(evm),
    /** Places the code of one contract at another address too. */
    copyCode: async (from: Address, to: Address): Promise<void> =>
      evm.stateManager.putCode(createAddressFromString(to), await evm.stateManager.getCode(createAddressFromString(from))),
    copyStorage: async (from: Address, to: Address): Promise<void> => {
      const prefix = `${createAddressFromString(from).toString()}_`
      for (const [slot, value] of storageOf(evm)) {
        if (!slot.startsWith(prefix)) continue
        await evm.stateManager.putStorage(createAddressFromString(to), hexToBytes(slot.slice(prefix.length) as Hex), hexToBytes(value))
      }
    },
    setStorage: (at: Address, slot: Hex, value: Hex): Promise<void> =>
      evm.stateManager.putStorage(createAddressFromString(at), hexToBytes(slot), hexToBytes(value)),
  }
}

/** The EVM's own state manager keeps one flat map, `address_slot` → word. */
function storageOf(evm: EVM): Map<string, Hex> {
  const slots = (evm.stateManager as unknown as { topStorageStack(): Map<string, Uint8Array> }).topStorageStack()
  const words = [...slots].filter(([, word]) => word.some((byte) => byte !== 0))
  return new Map(words.map(([slot, word]) => [slot, bytesToHex(word)] as const).sort(([a], [b]) => (a < b ? -1 : 1)))
}

async function runCall(evm: EVM, { from, to, data }: ContractCall, clock: Clock): Promise<CallResult> {
  const bytes = hexToBytes(data)
  const block = {
    header: {
      ...clock, coinbase: createZeroAddress(), difficulty: 0n, prevRandao: new Uint8Array(32), gasLimit: GAS_LIMIT,
      baseFeePerGas: 0n, getBlobGasPrice: () => undefined,
    },
  }
  const { execResult } = await evm.runCall({
    caller: createAddressFromString(from), to: createAddressFromString(to), data: bytes, gasLimit: GAS_LIMIT, block,
  })
  // The end of a transaction: warm slots cool down, and today's values are what refunds are reckoned from.
  await evm.journal.cleanup()
  evm.stateManager.originalStorageCache.clear()
  const calldataGas = bytes.reduce((gas, byte) => gas + (byte === 0 ? 4n : 16n), 0n)
  return {
    ok: execResult.exceptionError === undefined,
    data: bytesToHex(execResult.returnValue),
    gas: 21_000n + calldataGas + execResult.executionGasUsed,
    logs: (execResult.logs ?? []).map(([address, topics, logData]) => ({
      address: bytesToHex(address), topics: topics.map((topic) => bytesToHex(topic)), data: bytesToHex(logData),
    })),
  }
}

/** `Name(argument, argument)` of the custom error with which a call reverted. */
export function revertOf(abi: Abi, result: CallResult): string {
  if (result.ok) return 'did not revert'
  const { errorName, args } = decodeErrorResult({ abi, data: result.data })
  return `${errorName}(${(args ?? []).map(String).join(', ')})`
}

/** Encodes calls of one contract by method name. */
export function callsOf(abi: Abi, to: Address) {
  return (from: Address, functionName: string, args: readonly unknown[] = []): ContractCall =>
    ({ from, to, data: encodeFunctionData({ abi, functionName, args }) })
}
