import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { concat, dataSlice, keccak256, recoverAddress, toUtf8Bytes } from 'ethers'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { anchorCall } from '@songhua/sdk/chain/batch'
import { createUsageCounter } from '@songhua/sdk/governance/usage-figures'
import { monthBounds } from '@songhua/sdk/governance/usage-format'
import {
  type UsageSigner, type UsageStatement, parseUsageStatement, readUsageSigner, readUsageStatement, signUsageStatement, usageStatementText,
} from '@songhua/sdk/governance/usage-statement'
import { type UsageStep, verifyUsageStatement } from '@songhua/sdk/governance/usage-verdict'
import { signBinding } from '@songhua/sdk/governance/signatures'
import { type Address, bytesToHex, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { privateKeyToAddress, privateKeyToPublicKey } from '@songhua/sdk/protocol/crypto'
import { ANCHOR_CONTRACT } from '@songhua/sdk/protocol/evidence-receipt'
import type { RecordFamily } from '@songhua/sdk/protocol/evidence-envelope'
import { CHAIN_ID, VALIDATOR_KEY } from '../rpc/fixture-chain.js'
import { BUREAU, DEV, type GovernedChain, OFFICE, OPERATIONS, TELECOM, createGovernedChain } from '../rpc/governed-chain.js'
import { type Stub, serveTampered } from './support.js'

/** The last minute of October in Beijing. */
const GENESIS_S = Date.UTC(2026, 9, 31, 15, 59) / 1000
const NOVEMBER_S = GENESIS_S + 60
const DECEMBER_S = NOVEMBER_S + 30 * 86_400
const MOVING = DEV[5]!
const NEWCOMER = DEV[8]!
const VALIDATOR = privateKeyToAddress(VALIDATOR_KEY)
/** Reverts at once. */
const REFUSING_CODE = hexToBytes('0x6460006000fd6000526005601bf3')

let chain: GovernedChain
const stubs: Stub[] = []

async function send({ privateKey, address }: (typeof DEV)[number], fields: Parameters<GovernedChain['sign']>[0]): Promise<{ contractAddress: Address }> {
  const nonce = BigInt(await ask<string>('eth_getTransactionCount', [address, 'latest']))
  const { raw, hash } = chain.sign({ key: hexToBytes(privateKey), nonce, gasLimit: 200_000n, ...fields })
  await chain.pool.submit(raw)
  for (;;) {
    const receipt = await ask<{ contractAddress: Address } | null>('eth_getTransactionReceipt', [hash])
    if (receipt !== null) return receipt
  }
}

async function ask<T>(method: string, params: unknown[]): Promise<T> {
  const response = await fetch(chain.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) })
  return ((await response.json()) as { result: T }).result
}

const anchor = (size: number, family: RecordFamily, seed: number): Parameters<GovernedChain['sign']>[0] => {
  const hash = `0x${seed.toString(16).padStart(64, '0')}` as const
  return { to: ANCHOR_CONTRACT, data: anchorCall({ batchId: hash, root: hash, size, family }) }
}

const consent = (uscc: string, nonce: bigint) => signBinding({ uscc, account: MOVING.address, nonce }, hexToBytes(MOVING.privateKey), CHAIN_ID)
const RIGHTS = { roles: ['anchor'], gasPerDay: 10_000_000n, bytesPerDay: 100_000n } as const

beforeAll(async () => {
  chain = await createGovernedChain(GENESIS_S)
  const [bureau, office] = chain.council.seats
  await send(MOVING, anchor(1_000, 'credit', 1))
  chain.setTime(NOVEMBER_S * 1000)
  await send(MOVING, anchor(3, 'government', 2))
  chain.setTime(undefined)
  await bureau!.bindAccount(MOVING.address, RIGHTS, consent(BUREAU, 0n))
  await send(MOVING, { ...anchor(5, 'government', 3), type: 0 })
  await send(MOVING, anchor(7, 'trace', 4))
  await bureau!.releaseAccount(MOVING.address)
  await office!.bindAccount(MOVING.address, RIGHTS, consent(OFFICE, 1n))
  await send(MOVING, { ...anchor(11, 'credit', 5), type: 1 })
  const { contractAddress } = await send(NEWCOMER, { to: undefined, data: REFUSING_CODE })
  await send(NEWCOMER, { to: contractAddress })
  await send(NEWCOMER, { to: DEV[9]!.address })
  await send(DEV[2]!, anchor(13, 'trace', 6))
  chain.setTime(DECEMBER_S * 1000)
  await send(NEWCOMER, anchor(17, 'trace', 7))
}, 60_000)
afterAll(() => chain.stop())
afterEach(async () => {
  for (const stub of stubs.splice(0)) await stub.stop()
})

const november = (organisation?: string): Promise<UsageStatement> =>
  readUsageStatement({ month: '2026-11', ...(organisation !== undefined && { organisation }) }, { rpc: chain.url })

describe('readUsageStatement', () => {
  it('reckons a month by the organisation that an account was of when it sent, by account and by application', async () => {
    const statement = await november()
    const shares = Object.fromEntries(statement.organisations.map((one) => [one.uscc, one]))
    expect(Object.keys(shares)).toEqual([BUREAU, OFFICE, TELECOM].sort())
    expect(shares[BUREAU]).toMatchObject({ nameZh: '开发网网信办', nameEn: 'Devnet Cyberspace Office', total: { transactions: 4, records: { government: 5, trace: 7, credit: 0 } } })
    expect(shares[BUREAU]!.accounts.map(({ account, transactions }) => [account, transactions]).sort()).toEqual([[DEV[0]!.address, 2], [MOVING.address, 2]].sort())
    expect(shares[OFFICE]).toMatchObject({ total: { transactions: 2, records: { credit: 11 } } })
    expect(shares[TELECOM]).toMatchObject({ total: { transactions: 1, records: { trace: 13 } }, applications: [{ to: ANCHOR_CONTRACT, transactions: 1 }] })
    const { newcomers } = statement
    expect(newcomers).toMatchObject({ total: { transactions: 4, failed: 1, records: { government: 3, trace: 0, credit: 0 } }, creations: { transactions: 1 } })
    expect(newcomers!.accounts.map(({ account }) => account)).toEqual([MOVING.address, NEWCOMER.address].sort())
    expect(statement).toMatchObject({
      chain: { chainId: CHAIN_ID, genesisHash: chain.ports.chain.hashAt(0) }, creations: { transactions: 1 },
      total: { transactions: 11, failed: 1, records: { government: 8, trace: 20, credit: 11 } }, blocks: { isMonthOver: true },
    })
    const { first, last } = statement.blocks
    expect([first.timestamp, last.timestamp].map((time) => time >= NOVEMBER_S && time < DECEMBER_S)).toEqual([true, true])
    expect([first.hash, last.hash]).toEqual([first.number, last.number].map((number) => chain.ports.chain.hashAt(number)))
    expect(chain.ports.chain.header(last.number + 1)!.timestamp).toBe(DECEMBER_S)
  })

  it('has totals that are the sums of the raw transactions and of the receipts', async () => {
    const { blocks, total } = await november()
    const numbers = Array.from({ length: blocks.last.number - blocks.first.number + 1 }, (_, at) => blocks.first.number + at)
    const bytes = numbers.flatMap((number) => chain.ports.chain.body(number)!).reduce((sum, raw) => sum + raw.length, 0)
    const gas = numbers.reduce((sum, number) => sum + chain.ports.chain.header(number)!.gasUsed, 0n)
    expect(total).toMatchObject({ bytes, gas: Number(gas) })
    expect((await verifyUsageStatement(usageStatementText(await november()))).steps.find(({ step }) => step === 'sums')).toEqual({ step: 'sums', outcome: 'ok' })
  })

  it('gives two people the same bytes, and says so of a month that is not over', async () => {
    expect(usageStatementText(await november())).toBe(usageStatementText(await november()))
    const december = await readUsageStatement({ month: '2026-12' }, { rpc: chain.url })
    expect(december).toMatchObject({ blocks: { isMonthOver: false, last: { number: chain.head().number } }, total: { transactions: 1 } })
    const seen: number[][] = []
    await readUsageStatement({ month: '2026-10', onProgress: (...both) => seen.push(both) }, { rpc: chain.url })
    expect(seen.at(-1)![0]).toBe(seen.at(-1)![1])
  })

  it('refuses months that are none, or that have no block, naming the field', async () => {
    for (const month of ['2026-13', '26-11', '2027-01', '2026-09']) {
      await expect(readUsageStatement({ month }, { rpc: chain.url })).rejects.toMatchObject({ code: 'OPTION_INVALID', field: 'month' })
    }
    expect(monthBounds('2026-11')).toEqual({ start: NOVEMBER_S, end: DECEMBER_S })
  })

  it('states one organisation alone', async () => {
    const [all, one] = [await november(), await november(OFFICE)]
    expect(one).toMatchObject({ organisation: OFFICE, total: all.organisations.find(({ uscc }) => uscc === OFFICE)!.total })
    expect(one).not.toHaveProperty('newcomers')
    expect(one.organisations).toEqual(all.organisations.filter(({ uscc }) => uscc === OFFICE))
    expect((await november(OPERATIONS)).total.transactions).toBe(0)
  })

  it('asks for less where a node answers no more, and does not take another chain for this one', async () => {
    const honest = await november()
    const small = await serveTampered(chain.url, async ({ method, params }, answer) => {
      if (method === 'eth_getBlockByNumber' && params[1] === true && Number(params[0]) % 7 === 3) {
        if (!refusedOnce.has(String(params[0]))) {
          refusedOnce.add(String(params[0]))
          return { error: { code: -32005, message: 'response too large' } }
        }
      }
      return answer()
    })
    const refusedOnce = new Set<string>()
    stubs.push(small)
    expect(usageStatementText(await readUsageStatement({ month: '2026-11' }, { rpc: small.url }))).toBe(usageStatementText(honest))
    const liar = await serveTampered(chain.url, async ({ method, params }, answer) => {
      const { result } = (await answer()) as { result: Record<string, unknown> }
      const isChanged = method === 'eth_getBlockByNumber' && params[1] === true && Number(params[0]) === honest.blocks.first.number + 2
      return { result: isChanged ? { ...result, hash: `0x${'77'.repeat(32)}` } : result }
    })
    stubs.push(liar)
    await expect(readUsageStatement({ month: '2026-11' }, { rpc: liar.url })).rejects.toMatchObject({ code: 'RPC_ANSWER' })
    const forger = await serveTampered(chain.url, async ({ method }, answer) => {
      const { result } = (await answer()) as { result: { transactions: Record<string, unknown>[] } }
      if (method !== 'eth_getBlockByNumber' || typeof result.transactions[0] !== 'object') return { result }
      return { result: { ...result, transactions: result.transactions.map((one) => ({ ...one, input: '0x' })) } }
    })
    stubs.push(forger)
    await expect(readUsageStatement({ month: '2026-11' }, { rpc: forger.url })).rejects.toMatchObject({ code: 'RPC_ANSWER' })
  })
})

describe('a statement that a node vouches for', () => {
  const outcomes = async (source: unknown, node = true): Promise<Partial<Record<UsageStep, string>>> => {
    const { steps } = await verifyUsageStatement(source, node ? { node: { rpc: chain.url } } : {})
    return Object.fromEntries(steps.map(({ step, outcome }) => [step, outcome]))
  }
  const signed = async (): Promise<UsageStatement> => signUsageStatement(await november(), await readUsageSigner(VALIDATOR, { rpc: chain.url }), VALIDATOR_KEY)

  it('names it with its three bodies, as the register has it, and holds', async () => {
    const statement = await signed()
    expect(statement.signer).toMatchObject({
      address: VALIDATOR, publicKey: bytesToHex(privateKeyToPublicKey(VALIDATOR_KEY)), kind: 'super', city: '230100',
      government: { uscc: BUREAU, nameZh: '开发网网信办' }, telecom: { uscc: TELECOM }, operator: { uscc: OPERATIONS, nameEn: 'Devnet Operations' },
    })
    const text = usageStatementText(statement)
    expect(usageStatementText(parseUsageStatement(JSON.parse(text)))).toBe(text)
    expect(await outcomes(text)).toEqual({ form: 'ok', sums: 'ok', signature: 'ok', chain: 'ok', signer: 'ok', figures: 'ok' })
    expect(await outcomes(text, false)).toEqual({ form: 'ok', sums: 'ok', signature: 'ok', chain: 'unchecked', signer: 'unchecked', figures: 'unchecked' })
    expect(await outcomes(usageStatementText(await november()))).toMatchObject({ signature: 'unchecked', signer: 'unchecked', figures: 'ok' })
  })

  it('is wrong when a figure, a sum, the signer or the key is another', async () => {
    const statement = await signed()
    const unsignedOne = await november(OFFICE)
    const more = { ...statement, total: { ...statement.total, gas: statement.total.gas + 1 } }
    expect(await outcomes(more)).toMatchObject({ sums: 'wrong', signature: 'wrong', figures: 'wrong' })
    const moved = { ...unsignedOne, organisations: [{ ...unsignedOne.organisations[0]!, nameEn: 'Somebody' }] }
    expect(await outcomes(moved)).toMatchObject({ sums: 'ok', figures: 'wrong' })
    const signer: UsageSigner = { ...statement.signer!, government: { ...statement.signer!.government!, nameZh: '别的机构' } }
    expect(await outcomes(signUsageStatement(statement, signer, VALIDATOR_KEY))).toMatchObject({ signature: 'ok', signer: 'wrong', figures: 'ok' })
    const stranger = new Uint8Array(32).fill(44)
    expect(await outcomes(signUsageStatement(statement, statement.signer!, stranger))).toMatchObject({ signature: 'wrong', signer: 'ok' })
    const own = { ...statement.signer!, address: privateKeyToAddress(stranger), publicKey: bytesToHex(privateKeyToPublicKey(stranger)) }
    expect(await outcomes(signUsageStatement(statement, own, stranger))).toMatchObject({ signature: 'ok', signer: 'wrong' })
    await expect(readUsageSigner(own.address, { rpc: chain.url })).rejects.toMatchObject({ code: 'OPTION_INVALID', field: 'node' })
  })

  it('is wrong when it leaves blocks of the month out, or is of another chain', async () => {
    const statement = await november()
    const { first } = statement.blocks
    const next = { number: first.number + 1, hash: chain.ports.chain.hashAt(first.number + 1)!, timestamp: chain.ports.chain.header(first.number + 1)!.timestamp }
    expect(await outcomes({ ...statement, blocks: { ...statement.blocks, first: next } })).toMatchObject({ figures: 'wrong' })
    expect(await outcomes({ ...statement, month: '2026-12' })).toMatchObject({ figures: 'wrong' })
    const december = await readUsageStatement({ month: '2026-12' }, { rpc: chain.url })
    expect(await outcomes({ ...december, blocks: { ...december.blocks, isMonthOver: true } })).toMatchObject({ figures: 'wrong' })
    const elsewhere = { ...statement, chain: { ...statement.chain, genesisHash: `0x${'55'.repeat(32)}` } }
    expect(await outcomes(elsewhere)).toMatchObject({ chain: 'wrong', signer: 'unchecked', figures: 'unchecked' })
  })

  it('has a form, and what has another is told by its field', async () => {
    const statement = await november()
    for (const [bad, field] of [
      [{ ...statement, extra: 1 }, 'extra'], [{ ...statement, total: { ...statement.total, gas: -1 } }, 'total.gas'], [{ ...statement, version: 'x' }, 'version'],
      [{ ...statement, organisations: [null] }, 'organisations[0]'], [{ ...statement, applications: [null] }, 'applications[0].to'], [[], 'statement'],
    ] as const) {
      const { isSound, steps } = await verifyUsageStatement(bad)
      expect([isSound, steps]).toEqual([false, [{ step: 'form', outcome: 'wrong', reason: expect.stringContaining(field) as string }]])
    }
    expect((await verifyUsageStatement('{"version":')).isSound).toBe(false)
  })
})

describe('the form songhua.usage-statement/1', () => {
  it('is that of the golden file, byte for byte: fields, order, digest and signature', () => {
    const counters = [createUsageCounter(), createUsageCounter(), createUsageCounter()] as const
    const [all, bureau, newcomers] = counters
    const one = { account: `0x${'11'.repeat(20)}`, to: ANCHOR_CONTRACT, hasFailed: false, gas: 51_234n, bytes: 250, records: { government: 1_000n } } as const
    const two = { account: `0x${'22'.repeat(20)}`, to: undefined, hasFailed: true, gas: 2_000_000n, bytes: 9_000, records: {} } as const
    for (const counter of [all, bureau]) counter.add(one)
    for (const counter of [all, newcomers]) counter.add(two)
    const { total, applications, creations } = all.share()
    const names = { uscc: BUREAU, nameZh: '开发网网信办', nameEn: 'Devnet Cyberspace Office' }
    const mark = (number: number, timestamp: number) => ({ number, timestamp, hash: `0x${number.toString(16).padStart(64, 'a')}` as const })
    const statement: UsageStatement = {
      version: 'songhua.usage-statement/1', chain: { chainId: 230000, genesisHash: `0x${'33'.repeat(32)}` }, month: '2026-11',
      blocks: { first: mark(17, NOVEMBER_S), last: mark(99_999, DECEMBER_S - 1), isMonthOver: true },
      total, applications, creations, organisations: [{ ...names, ...bureau.share() }], newcomers: newcomers.share(),
    }
    const signer: UsageSigner = {
      asOf: { number: 100_001, hash: `0x${'44'.repeat(32)}` }, address: VALIDATOR, publicKey: bytesToHex(privateKeyToPublicKey(VALIDATOR_KEY)),
      kind: 'super', city: '230100', acCode: 'hrb1', government: names,
    }
    const golden = readFileSync(join(import.meta.dirname, '../vectors/usage/statement.json'), 'utf8')
    expect(`${usageStatementText(signUsageStatement(statement, signer, VALIDATOR_KEY))}\n`).toBe(golden)
    // As a stranger would check it, with other tools and from the description alone.
    const { signature, ...rest } = JSON.parse(golden) as UsageStatement
    const digest = keccak256(toUtf8Bytes(JSON.stringify(rest)))
    const message = keccak256(concat([toUtf8Bytes('Songhua usage statement v1\n'), rest.chain.genesisHash, digest]))
    const [r, s, v] = [dataSlice(signature!, 0, 32), dataSlice(signature!, 32, 64), 27 + Number(dataSlice(signature!, 64))]
    expect(recoverAddress(message, { r, s, v }).toLowerCase()).toBe(VALIDATOR)
  })
})
