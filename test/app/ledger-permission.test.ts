import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  COUNCIL_ADDRESS, NODE_REGISTER_ADDRESS, ORGANISATION_REGISTER_ADDRESS, POLICY_REGISTER_ADDRESS, RECORD_ANCHOR_ADDRESS,
  USAGE_REGISTER_ADDRESS,
} from '@songhua/contracts/addresses'
import { ROLE, accountUsageKey, organisationUsageKey, wordOf } from '@songhua/contracts/membership/slots'
import { type Ledger, openLedger } from '@songhua/node/app/ledger'
import { historyProofs } from '@songhua/node/app/history-proofs'
import { createStopStack } from '@songhua/node/app/stop-stack'
import { requireSystemContracts } from '@songhua/node/app/system-contracts'
import { devGovernance } from '@songhua/node/cli/dev-organisations'
import { createGenesis } from '@songhua/node/cli/genesis-file'
import { errorToJsonRpc } from '@songhua/node/rpc/error-map'
import { songhuaMethods } from '@songhua/node/rpc/methods/songhua'
import { commitSealDigest, headerWithSeals } from '@songhua/sdk/protocol/block-hash'
import { type Address, type Hash, bytesToHex, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { privateKeyToAddress, privateKeyToPublicKey, signDigest } from '@songhua/sdk/protocol/crypto'
import { type Genesis, parseGenesis } from '@songhua/sdk/protocol/genesis'
import { type TransactionRequest, signTransaction } from '@songhua/sdk/protocol/transaction'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { devAddresses } from '../support/governance.js'
import { BUREAU, MIDNIGHT, NOON, organisationSlot, organisationWord, storageOf, usageIn, usageSlot } from '../permission/registers.js'

const CHAIN_ID = 230_099
const VALIDATOR_KEY = new Uint8Array(32).fill(7)
const CLERK_KEY = new Uint8Array(32).fill(1)
const CLERK = privateKeyToAddress(CLERK_KEY)
const ROBOT_KEY = new Uint8Array(32).fill(2)
const ROBOT = privateKeyToAddress(ROBOT_KEY)
const STRANGER_KEY = new Uint8Array(32).fill(3)
const limits = { roles: ROLE.anchor, gas: 130_000n, bytes: 100_000n }
const bound = { organisation: BUREAU, ...limits }
/** `SSTORE(calldata word 0, calldata word 1)`: stands where the council's contracts will. */
const WRITER = '0x6020356000355500'
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, child: () => quiet }
const REGISTERS: Address[] = [NODE_REGISTER_ADDRESS, ORGANISATION_REGISTER_ADDRESS, COUNCIL_ADDRESS, POLICY_REGISTER_ADDRESS, USAGE_REGISTER_ADDRESS]

/** The genesis of a devnet with the registers beside it: code for all, words for one bureau and its clerk. */
function genesisWith(placed: readonly Address[] = REGISTERS): Genesis {
  const json = createGenesis({
    chainId: CHAIN_ID, balances: [], timestamp: NOON - 60,
    governance: devGovernance([{ publicKey: bytesToHex(privateKeyToPublicKey(VALIDATOR_KEY)), isValidator: true }], devAddresses()),
  })
  const words = storageOf({ organisations: { [BUREAU]: limits }, accounts: { [CLERK]: bound, [ROBOT]: bound } })
  for (const address of REGISTERS.slice(1)) {
    const storage = Object.fromEntries([...words.get(address)!].map(([slot, word]) => [slot, wordOf(word)]))
    json.alloc[address] = placed.includes(address) ? { nonce: '0x1', code: WRITER, storage } : { balance: '0x1' }
  }
  if (!placed.includes(NODE_REGISTER_ADDRESS)) delete json.alloc[NODE_REGISTER_ADDRESS]
  return parseGenesis(json)
}

describe('a genesis without the registers', () => {
  it.each(REGISTERS.map((address) => [address] as const))('is refused for %s', (missing) => {
    const genesis = genesisWith(REGISTERS.filter((address) => address !== missing))
    expect(() => requireSystemContracts(genesis)).toThrow(expect.objectContaining({
      code: 'GENESIS_SYSTEM_CONTRACT_MISSING',
      message: expect.stringContaining(missing) as string,
      details: expect.objectContaining({ address: missing, path: `alloc.${missing}` }) as unknown,
    }) as Error)
  })
})

let root: string
let nowMs: number
let stops: ReturnType<typeof createStopStack>
/** What is to run, by the time for which it was asked. */
let timers: Map<number, () => void>
const clock = {
  now: () => nowMs,
  after: (delayMs: number, run: () => void) => {
    const atMs = nowMs + delayMs
    timers.set(atMs, run)
    return () => timers.delete(atMs)
  },
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'songhua-permission-'))
  nowMs = NOON * 1000
  timers = new Map()
  stops = createStopStack(quiet)
})
afterEach(async () => {
  await stops.run()
  await rm(root, { recursive: true, force: true })
})

function open(genesis: Genesis): Promise<Ledger> {
  const onBroken = (error: Error): never => {
    throw error
  }
  return openLedger(root, genesis, { clock, logger: quiet, stops, onBroken })
}

async function mine({ chain }: Ledger): Promise<number> {
  nowMs += 1_000
  const block = await chain.build({ coinbase: privateKeyToAddress(VALIDATOR_KEY), round: 0, blockTimeMs: nowMs, deadlineMs: Infinity })
  await chain.importSealed({ ...block, header: headerWithSeals(block.header, [signDigest(commitSealDigest(block.header), VALIDATOR_KEY)]) })
  return block.transactions.length
}

const raw = (nonce: number, request: Partial<TransactionRequest> = {}, key = CLERK_KEY): Uint8Array =>
  signTransaction({ chainId: CHAIN_ID, nonce, gasLimit: 60_000, to: RECORD_ANCHOR_ADDRESS, ...request }, key).raw

function storedUsage({ store }: Ledger, key: Uint8Array) {
  const slot = wordOf(usageSlot(key))
  return usageIn(new Map([[USAGE_REGISTER_ADDRESS, new Map([[slot, store.state.getStorage(USAGE_REGISTER_ADDRESS, slot)]])]]), key)
}

/** What `songhua_getTransactionStatus` answers. */
function statusOf({ pool, chain, store }: Ledger, hash: Hash): unknown {
  const reader = { head: () => chain.head(), transactionLocation: (wanted: Hash) => store.transactionLocation(wanted) }
  const methods = songhuaMethods({ chain: reader, pool, proofs: historyProofs(store) })
  const session = { subscriptions: undefined, afterReply: () => undefined, client: 'a test', isGone: () => false }
  return methods.find(({ name }) => name === 'songhua_getTransactionStatus')!.run([hash], session)
}

describe('a ledger under permissions', () => {
  it('is not opened without the registers, and nothing is written', async () => {
    const genesis = genesisWith([NODE_REGISTER_ADDRESS])
    await expect(open(genesis)).rejects.toMatchObject({ code: 'GENESIS_SYSTEM_CONTRACT_MISSING', details: { contract: 'OrganisationRegister' } })
    expect(await readdir(root)).toEqual([])
  })

  it('takes what may be sent, stores what it used, and tells a client through JSON-RPC what may not', async () => {
    const ledger = await open(genesisWith())
    const refused = await ledger.pool.submit(raw(0, {}, STRANGER_KEY)).catch(errorToJsonRpc)
    expect(refused).toEqual({
      code: -32000, message: expect.stringContaining('bound to no organisation') as string,
      data: { code: 'PERMISSION_NOT_BOUND', account: privateKeyToAddress(STRANGER_KEY) },
    })
    await ledger.pool.submit(raw(0))
    expect(await mine(ledger)).toBe(1)
    const used = storedUsage(ledger, accountUsageKey(CLERK))
    expect(used).toMatchObject({ transactions: 1n, bytes: BigInt(raw(0).length) })
    expect(used.gas).toBeGreaterThan(21_000n)
    expect(storedUsage(ledger, organisationUsageKey(BUREAU))).toEqual(used)
    const above = await ledger.pool.submit(raw(1, { gasLimit: 130_000n - used.gas + 1n })).catch(errorToJsonRpc)
    expect(above).toMatchObject({
      code: -32000,
      data: { code: 'QUOTA_ACCOUNT_GAS', limit: '0x1fbd0', used: `0x${used.gas.toString(16)}`, resetsAt: NOON + 43_200 },
    })
    await ledger.pool.submit(raw(1, { gasLimit: 130_000n - used.gas }))
    expect(await mine(ledger)).toBe(1)
  })

  it('a suspension by the chain drops what waits, and whoever asks is told', async () => {
    const ledger = await open(genesisWith())
    const word = (value: bigint): string => wordOf(value).slice(2)
    const data = hexToBytes(`0x${word(organisationSlot(BUREAU))}${word(organisationWord({ ...limits, status: 2n }))}`)
    await ledger.pool.submit(raw(0, { to: ORGANISATION_REGISTER_ADDRESS, data }))
    // Behind a missing nonce, so that the block goes without it.
    const waits = await ledger.pool.submit(raw(2))
    expect(statusOf(ledger, waits)).toEqual({ status: 'queued' })
    expect(await mine(ledger)).toBe(1)
    expect(statusOf(ledger, waits)).toEqual({
      status: 'dropped',
      refused: { code: 'PERMISSION_ORGANISATION_SUSPENDED', message: `organisation ${BUREAU} of ${CLERK} is not active` },
    })
    await expect(ledger.pool.submit(raw(1))).rejects.toMatchObject({ code: 'PERMISSION_ORGANISATION_SUSPENDED' })
  })

  it('what a quota holds back says when it can go on, and then does', async () => {
    const ledger = await open(genesisWith())
    await ledger.pool.submit(raw(0))
    const waits = await ledger.pool.submit(raw(0, { gasLimit: 125_000 }, ROBOT_KEY))
    expect(statusOf(ledger, waits)).toEqual({ status: 'pending' })
    expect(await mine(ledger)).toBe(1)
    expect(statusOf(ledger, waits)).toMatchObject({
      status: 'pending', refused: { code: 'QUOTA_ORGANISATION_GAS', resetsAt: `0x${MIDNIGHT.toString(16)}` },
    })
    expect([await mine(ledger), ledger.pool.executableSince(3)]).toEqual([0, undefined])
    nowMs = MIDNIGHT * 1000
    // No block comes by which to find it out.
    timers.get(nowMs)!()
    expect(statusOf(ledger, waits)).toEqual({ status: 'pending' })
    expect(await mine(ledger)).toBe(1)
    expect(statusOf(ledger, waits)).toMatchObject({ status: 'final' })
  })
})
