import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { ORGANISATION_REGISTER_ADDRESS, POLICY_REGISTER_ADDRESS } from '@songhua/contracts/addresses'
import { DOOR, type Door, type ReadLevel } from '@songhua/contracts/membership/kinds'
import { POLICY_SLOT } from '@songhua/contracts/membership/slots'
import { dataPaths } from '@songhua/node/app/options'
import { openReads } from '@songhua/node/app/reads'
import { doorOf } from '@songhua/node/rpc/read-doors'
import type { RpcServer } from '@songhua/node/rpc/rpc-server'
import type { Address } from '@songhua/sdk/protocol/bytes'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type KeyFile, createKeyFile } from '../permission/key-file.js'
import { AUDITOR, KEYS, type KeyName, LACKING, READING, doorsWord, everyDoor, levelsWord, readerSlot } from '../permission/readers.js'
import { BUREAU, organisationSlot, organisationWord } from '../permission/registers.js'
import { type FixtureChain, post, quiet, toHex } from './fixture-chain.js'
import { createReadingChain, setWord } from './reading-chain.js'

const NAMES = Object.keys(KEYS) as KeyName[]
const NAMESPACES = ['eth', 'net', 'web3', 'txpool', 'qbft', 'songhua'] as const

interface Answer {
  readonly id?: unknown
  readonly method?: string
  readonly params?: { readonly subscription: string; readonly result: unknown }
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string; readonly data: { readonly code: string; readonly door: string; readonly level: string; readonly missing: string } }
}

let folder: string
let chain: FixtureChain
let server: RpcServer
let url: string
let wsUrl: string
let file: KeyFile
const tokens = {} as Record<KeyName, string>

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'songhua-reads-'))
  chain = await createReadingChain(everyDoor('public'))
  file = createKeyFile(dataPaths(folder).apiKeysFile)
  for (const name of NAMES) tokens[name] = file.make(KEYS[name]).token
  // The file is looked at on every request: that it is read again within a second is tested by itself.
  let tick = 0
  const reads = openReads(folder, { ledger: chain.ledger, clock: { now: () => (tick += 1000) }, logger: quiet })
  ;({ server, url, wsUrl } = await chain.serve({}, { reads: reads.guard }))
}, 60_000)
afterAll(async () => {
  await chain.stop()
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(() => setLevels(everyDoor('public')))

const set = (contract: Address, slot: bigint, word: bigint): Promise<void> => setWord(chain, contract, slot, word)
const setLevels = (levels: Partial<Record<Door, ReadLevel>>): Promise<void> => set(POLICY_REGISTER_ADDRESS, POLICY_SLOT.readLevels, levelsWord(levels))
const setEth = (level: ReadLevel): Promise<void> => setLevels({ ...everyDoor('public'), eth: level })
const setBureau = (status: bigint): Promise<void> => set(ORGANISATION_REGISTER_ADDRESS, organisationSlot(BUREAU), organisationWord({ ...READING, status }))

const bearer = (token: string | undefined): Record<string, string> => (token === undefined ? {} : { authorization: `Bearer ${token}` })

async function ask(method: string, { params = [], headers = {} }: { params?: unknown[]; headers?: Record<string, string> } = {}): Promise<Answer> {
  const response = await post(url, JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }), headers)
  expect(response.status).toBe(200)
  return (await response.json()) as Answer
}

/** What is missing, `undefined` for an answer. */
const missingOf = ({ result, error }: Answer): string | undefined => {
  if (error === undefined) {
    expect(result).toBeDefined()
    return undefined
  }
  expect(error).toMatchObject({ code: -32000, data: { code: 'PERMISSION_READ' } })
  return error.data.missing
}

class Client {
  readonly socket: WebSocket
  readonly answers: Answer[] = []
  readonly closed: Promise<{ code: number; reason: string }>

  constructor(headers: Record<string, string>) {
    this.socket = new WebSocket(wsUrl, { headers })
    this.socket.on('message', (text: Buffer) => this.answers.push(JSON.parse(text.toString()) as Answer))
    this.closed = new Promise((resolve) => this.socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })))
  }

  async open(): Promise<this> {
    await new Promise((resolve, reject) => this.socket.once('open', resolve).once('error', reject))
    return this
  }

  async ask(method: string, params: unknown[] = []): Promise<Answer> {
    const id = this.answers.length + Math.random()
    this.socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
    await expect.poll(() => this.answers.some((one) => one.id === id), { timeout: 5000, interval: 5 }).toBe(true)
    return this.answers.find((one) => one.id === id)!
  }

  pushed = (): number => this.answers.filter(({ method }) => method === 'eth_subscription').length
}

const connect = (token: string | undefined): Promise<Client> => new Client(bearer(token)).open()

async function subscribed(token: string | undefined): Promise<Client> {
  const client = await connect(token)
  expect((await client.ask('eth_subscribe', ['newHeads'])).result).toMatch(/^0x/)
  return client
}

describe('the doors', () => {
  it('every method has that of its namespace, but what sends and what describes', async () => {
    await setLevels({})
    const open: string[] = []
    for (const { name } of server.methods) {
      const answer = await ask(name)
      const door = NAMESPACES.find((one) => name.startsWith(`${one}_`))
      if (answer.error?.data?.code === 'PERMISSION_READ') expect(answer.error.data).toEqual({ code: 'PERMISSION_READ', door, level: 'listed', missing: 'key' })
      else open.push(name)
      expect(doorOf(name)).toBe(open.includes(name) ? undefined : door)
    }
    expect(open.sort()).toEqual(['eth_sendRawTransaction', 'rpc.discover'])
    expect([doorOf('debug_traceTransaction'), doorOf('government_read'), doorOf('toString_x'), doorOf('admin_peers')]).toEqual(['debug', 'government', undefined, undefined])
  })

  it.each(NAMESPACES)('%s opens and closes by itself', async (door) => {
    const methods = { eth: 'eth_blockNumber', net: 'net_version', web3: 'web3_clientVersion', txpool: 'txpool_status', qbft: 'qbft_getSignerMetrics', songhua: 'songhua_getTransactionStatus' }
    const params = door === 'songhua' ? [`0x${'11'.repeat(32)}`] : []
    await setLevels({ [door]: 'public' })
    expect(missingOf(await ask(methods[door], { params }))).toBeUndefined()
    await setLevels({ ...everyDoor('public'), [door]: 'members' })
    expect(missingOf(await ask(methods[door], { params }))).toBe('key')
    expect(missingOf(await ask(methods[door], { params, headers: bearer(tokens["a member's key"]) }))).toBeUndefined()
    await setLevels({ ...everyDoor('public'), [door]: 'listed' })
    expect(missingOf(await ask(methods[door], { params, headers: bearer(tokens['a key of a listed account']) }))).toBeUndefined()
  })

  it('sending stays open to who may read nothing: the rights of the sender are asked elsewhere', async () => {
    await setLevels({})
    const sent = await ask('eth_sendRawTransaction', { params: [toHex(chain.sign().raw)] })
    expect(sent.result).toMatch(/^0x/)
    expect(missingOf(await ask('eth_getTransactionReceipt', { params: [sent.result] }))).toBe('key')
    expect(missingOf(await ask('eth_sendRawTransactionSync', { params: [toHex(chain.sign().raw)] }))).toBe('key')
    await chain.mine()
  })

  it('the document names them', async () => {
    const { result } = await ask('rpc.discover') as { result: { info: { description: string }; methods: { name: string; 'x-songhua-door'?: string }[] } }
    expect(result.info.description).toMatch(/x-songhua-door.*PERMISSION_READ.*级别/)
    const doors = new Map(result.methods.map((one) => [one.name, one['x-songhua-door']]))
    expect([doors.get('eth_call'), doors.get('txpool_content'), doors.get('eth_sendRawTransaction')]).toEqual(['eth', 'txpool', undefined])
  })
})

describe.each(['members', 'listed'] as const)('a door for %s', (level) => {
  beforeEach(() => setEth(level))

  it.each(NAMES)('%s, over HTTP and WebSocket', async (name) => {
    const expected = LACKING[name][level]
    const answer = await ask('eth_blockNumber', { headers: bearer(tokens[name]) })
    expect(missingOf(answer)).toBe(expected)
    if (expected !== undefined) expect(answer.error!.data).toEqual({ code: 'PERMISSION_READ', door: 'eth', level, missing: expected })
    const client = await connect(tokens[name])
    expect(missingOf(await client.ask('eth_blockNumber'))).toBe(expected)
    expect(missingOf(await client.ask('eth_subscribe', ['newHeads']))).toBe(expected)
    // Other doors are open on the same connection.
    expect(missingOf(await client.ask('net_version'))).toBeUndefined()
    client.socket.close()
  })

  it('no key and a wrong one are told apart, which part is wrong is not', async () => {
    const token = tokens[level === 'members' ? "a member's key" : 'a key of a listed account']
    const revoked = file.make(KEYS[level === 'members' ? "a member's key" : 'a key of a listed account'])
    expect(missingOf(await ask('eth_blockNumber', { headers: bearer(revoked.token) }))).toBeUndefined()
    file.revoke(revoked.id)
    expect(missingOf(await ask('eth_blockNumber'))).toBe('key')
    const wrong = [
      `Bearer ${revoked.token}`, `Bearer ${token}x`, `Bearer ${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`, `Bearer shk_${'a'.repeat(16)}_${token.slice(21)}`,
      'Bearer', 'Bearer x', token, `Basic ${token}`, '',
    ]
    const told = await Promise.all(wrong.map(async (authorization) => JSON.stringify((await ask('eth_blockNumber', { headers: { authorization } })).error)))
    expect([...new Set(told)]).toEqual([expect.stringContaining('"missing":"valid-key"')])
    // As it is: of any case, with more than one space.
    expect(missingOf(await ask('eth_blockNumber', { headers: { authorization: `bearer   ${token}` } }))).toBeUndefined()
  })
})

describe('the policy', () => {
  it('closes and opens within a block, with any key and with none', async () => {
    const headers = bearer(tokens["a member's key"])
    expect(missingOf(await ask('eth_blockNumber'))).toBeUndefined()
    await setEth('members')
    expect(missingOf(await ask('eth_blockNumber'))).toBe('key')
    expect(missingOf(await ask('eth_blockNumber', { headers }))).toBeUndefined()
    await setBureau(2n)
    expect(missingOf(await ask('eth_blockNumber', { headers }))).toBe('membership')
    await setBureau(1n)
    expect(missingOf(await ask('eth_blockNumber', { headers }))).toBeUndefined()
    await setEth('listed')
    expect(missingOf(await ask('eth_blockNumber', { headers }))).toBe('account')
    const listed = { headers: bearer(tokens['a key of a listed account']) }
    expect(missingOf(await ask('eth_blockNumber', listed))).toBeUndefined()
    await set(POLICY_REGISTER_ADDRESS, readerSlot(AUDITOR), doorsWord(['txpool']))
    expect(missingOf(await ask('eth_blockNumber', listed))).toBe('listing')
    await set(POLICY_REGISTER_ADDRESS, readerSlot(AUDITOR), doorsWord(Object.keys(DOOR) as Door[]))
    expect(missingOf(await ask('eth_blockNumber', listed))).toBeUndefined()
  })

  it('is asked for each request of a batch, and refusals are counted', async () => {
    await setLevels({ ...everyDoor('public'), eth: 'members', txpool: 'listed' })
    const count = (): number => server.stats().refusals.find(({ code }) => code === 'PERMISSION_READ')?.count ?? 0
    const before = count()
    const batch = ['eth_blockNumber', 'net_version', 'txpool_status'].map((method, id) => ({ jsonrpc: '2.0', id, method }))
    const answers = await (await post(url, JSON.stringify(batch))).json() as Answer[]
    expect(answers.map(missingOf)).toEqual(['key', undefined, 'key'])
    expect(count()).toBe(before + 2)
  })

  it('a file of keys that cannot be read keeps out who needs one, and nobody else', async () => {
    const headers = bearer(tokens["a member's key"])
    file.damage()
    expect(missingOf(await ask('eth_blockNumber', { headers }))).toBeUndefined()
    await setEth('members')
    expect((await ask('eth_blockNumber', { headers })).error).toMatchObject({ code: -32000, data: { code: 'GATEWAY_KEYS_UNREADABLE' } })
    expect(missingOf(await ask('eth_blockNumber'))).toBe('key')
    file.mend()
    expect(missingOf(await ask('eth_blockNumber', { headers }))).toBeUndefined()
  })
})

describe('what was opened under a right to read', () => {
  it('a subscription ends with the right, without a word of the block that took it; others go on', async () => {
    await setEth('members')
    const bureau = await subscribed(tokens["a member's key"])
    const clerk = await subscribed(tokens["a key of a member's account"])
    const idle = await connect(tokens["a member's key"])
    await chain.mine()
    await expect.poll(() => [bureau.pushed(), clerk.pushed()]).toEqual([1, 1])
    await setBureau(2n)
    expect(await bureau.closed).toEqual({ code: 1008, reason: expect.stringMatching(/^PERMISSION_READ: /) as string })
    await clerk.closed
    expect([bureau.pushed(), clerk.pushed(), server.stats().subscriptions]).toEqual([1, 1, 0])
    expect(missingOf(await idle.ask('eth_blockNumber'))).toBe('membership')
    expect(missingOf(await idle.ask('net_version'))).toBeUndefined()
    await setBureau(1n)
    expect(missingOf(await idle.ask('eth_subscribe', ['newHeads']))).toBeUndefined()
    idle.socket.close()
  })

  it('an open door that closes ends those without a key alone', async () => {
    const [anonymous, member] = [await subscribed(undefined), await subscribed(tokens["a member's key"])]
    await setEth('members')
    expect((await anonymous.closed).code).toBe(1008)
    await expect.poll(() => member.pushed()).toBe(1)
    expect(anonymous.pushed()).toBe(0)
    member.socket.close()
  })

  it('a revoked key ends its subscriptions, also on a chain that rests', async () => {
    await setEth('members')
    const { token, id } = file.make(KEYS["a member's key"])
    const client = await subscribed(token)
    file.revoke(id)
    expect((await client.closed).code).toBe(1008)
  })

  it('a filter ends with the right of who made it', async () => {
    await setEth('members')
    const headers = bearer(tokens["a member's key"])
    const made = await Promise.all(['eth_newBlockFilter', 'eth_newPendingTransactionFilter'].map((method) => ask(method, { headers })))
    const other = await ask('eth_newFilter', { params: [{}], headers: bearer(tokens["a key of a member's account"]) })
    const { filters } = server.stats()
    await setBureau(2n)
    expect(server.stats().filters).toBe(filters - 3)
    await setBureau(1n)
    for (const { result } of [...made, other]) {
      expect(await ask('eth_getFilterChanges', { params: [result], headers })).toMatchObject({ error: { data: { code: 'RPC_FILTER_NOT_FOUND' } } })
    }
  })
})
