import { randomBytes } from 'node:crypto'
import { Wallet } from 'ethers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  connect, decisiveStep, isRefused, isSonghuaError, keySigner, permissionRefusalOf, reasonOf, type ChainConnection, type ChainOptions,
} from '@songhua/sdk'
import { createAnchorSender } from '@songhua/sdk/chain/anchor-sender'
import { createRpcClient } from '@songhua/sdk/chain/rpc-client'
import { createRecordBuilder } from '@songhua/sdk/records/builder'
import { hexToBytes } from '@songhua/sdk/protocol/bytes'
import { verifyEvidence } from '@songhua/sdk/verify'
import { registry } from '../records/samples.js'
import { type Devnet, removeDir, rpc, startDevnet, tempDir } from '../support/devnet.js'
import { ISSUER, type Stub, badLicence, collect, licence, mixed, serveTampered } from './support.js'

let dataDir: string
let devnet: Devnet
let url: string
const stubs: Stub[] = []

beforeAll(async () => {
  dataDir = await tempDir('sdk-chain')
  devnet = await startDevnet({ validators: 1, dataDir })
  url = devnet.ready.nodes[0]!.rpc
})

afterAll(async () => {
  for (const stub of stubs) await stub.stop()
  await devnet?.stop()
  await removeDir(dataDir)
})

/** Each test has an account of its own, so that nobody takes another's nonces. */
const account = (): string => `0x${randomBytes(32).toString('hex')}`
const connected = (options: Partial<ChainOptions> = {}): Promise<ChainConnection> =>
  connect({ rpc: url, signer: keySigner(account()), issuer: ISSUER, ...options })

async function tampered(tamper: Parameters<typeof serveTampered>[1]): Promise<string> {
  const stub = await serveTampered(url, tamper)
  stubs.push(stub)
  return stub.url
}

/** How many records this account has on the chain, by its events. */
async function anchoredBy(address: string): Promise<number> {
  const filter = { fromBlock: '0x0', toBlock: 'latest', topics: [null, `0x${'00'.repeat(12)}${address.slice(2)}`] }
  const logs = await rpc<{ data: string }[]>(url, 'eth_getLogs', [filter])
  return logs.reduce((sum, { data }) => sum + Number(BigInt(data.slice(0, 66))), 0)
}

describe('a connection straight to the chain', () => {
  it('anchors one record with an ethers wallet; the evidence verifies with payload and salt', async () => {
    const songhua = await connected({ signer: new Wallet(account()) })
    const anchored = await songhua.records.anchor(licence(1))
    expect(JSON.parse(new TextDecoder().decode(anchored.payload))).toEqual(licence(1).payload)
    const trustAnchor = await songhua.trustAnchor()
    const { payload, salt } = anchored
    const verdict = verifyEvidence(JSON.stringify(anchored.evidence), { payload: payload!, salt: salt!, trustAnchor })
    expect(verdict).toMatchObject({ valid: true, facts: { recordId: anchored.id, payload: 'verified' } })
    expect(verdict.facts!.batch.sender).toBe(songhua.account)
    expect(await songhua.records.verify(anchored.evidence, anchored)).toEqual(verdict)
  })

  it('refuses a bad record with every failing field, and nothing reaches the chain', async () => {
    const songhua = await connected()
    const refusal = await songhua.records.anchor(badLicence()).catch((error: unknown) => error)
    expect(isSonghuaError(refusal, 'RECORD_INVALID')).toBe(true)
    const paths = (refusal as { violations: { path: string }[] }).violations.map(({ path }) => path)
    expect(paths).toEqual(expect.arrayContaining(['/payload/XK_XDR_TYPE', '/payload/XK_XDR_SHXYM', '/payload/XK_JDRQ']))
    expect(await anchoredBy(songhua.account)).toBe(0)
  })

  it('takes an envelope whose payload stays outside', async () => {
    const songhua = await connected()
    const { envelope } = createRecordBuilder(registry).build({ id: 'government.licence' }, { issuer: ISSUER, payload: licence(2).payload })
    const anchored = await songhua.records.anchor({ envelope })
    expect(anchored).toMatchObject({ id: envelope.id, envelope, payload: undefined, salt: undefined })
    expect((await songhua.records.verify(anchored.evidence)).valid).toBe(true)
  })

  it('needs an issuer, from the record or the connection', async () => {
    const songhua = await connect({ rpc: url, signer: keySigner(account()) })
    await expect(songhua.records.anchor(licence(3))).rejects.toMatchObject({ code: 'OPTION_INVALID', field: 'issuer' })
    expect((await songhua.records.anchor({ ...licence(3), issuer: ISSUER })).envelope.issuer).toBe(ISSUER)
  })
})

describe('anchorMany', () => {
  it('keeps the order of three families in many batches, reports progress, and proves each record', async () => {
    const songhua = await connected()
    const source = Array.from({ length: 250 }, (_, number) => mixed(number))
    const seen: object[] = []
    const many = songhua.records.anchorMany(source, { batchSize: 60, onProgress: (progress) => seen.push(progress) })
    const anchored = await collect(many)
    const payloads = anchored.map(({ payload }) => JSON.parse(new TextDecoder().decode(payload)) as unknown)
    expect(payloads).toEqual(source.map(({ payload }) => payload))
    const verdicts = await Promise.all(anchored.map((one) => songhua.records.verify(one.evidence, one)))
    expect(verdicts.map(({ facts }) => facts?.recordId)).toEqual(anchored.map(({ id }) => id))
    expect(seen.at(-1)).toEqual({ accepted: 250, anchored: 250, refused: 0 })
    expect(await anchoredBy(songhua.account)).toBe(250)
  })

  it('with partial, gives the refusal in the place of the bad record', async () => {
    const songhua = await connected()
    const source = [licence(1), badLicence(), mixed(4), badLicence()]
    const results = await collect(songhua.records.anchorMany<string>(source, { partial: true, batchSize: 3 }))
    expect(results.map((one) => (isRefused(one) ? one.row : one.envelope.family))).toEqual(['government', 2, 'trace', 4])
    expect(results[1]).toMatchObject({ refusal: { code: 'RECORD_INVALID' } })
    expect(await anchoredBy(songhua.account)).toBe(2)
  })

  it('without partial, gives what was anchored before the batch with the bad record, then throws its rows', async () => {
    const songhua = await connected()
    const source = [licence(1), licence(2), licence(3), badLicence(), badLicence(), licence(6)]
    const given: string[] = []
    const run = async (): Promise<void> => {
      for await (const { id } of songhua.records.anchorMany<string>(source, { batchSize: 2 })) given.push(id)
    }
    const error = await run().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'SUBMISSION_REFUSED', rows: [{ row: 4, code: 'RECORD_INVALID' }] })
    expect(given).toHaveLength(2)
  })

  it('reads a source only as far ahead as its batches in flight', async () => {
    const songhua = await connected()
    let read = 0
    async function* endless() {
      for (;;) yield await Promise.resolve(licence(read++))
    }
    for await (const _ of songhua.records.anchorMany(endless(), { batchSize: 10, concurrency: 2 })) break
    // Two in flight, one given, one being read.
    expect(read).toBeLessThanOrEqual(41)
    const after = read
    await new Promise((later) => setTimeout(later, 300))
    expect(read).toBeLessThanOrEqual(after + 1)
  })

  it('does not keep a slow source waiting for a full batch', async () => {
    const songhua = await connected()
    let release = (): void => undefined
    async function* slow() {
      yield licence(1)
      await new Promise<void>((resolve) => (release = resolve))
      yield licence(2)
    }
    const given: string[] = []
    for await (const { id } of songhua.records.anchorMany(slow(), { batchDelayMs: 50 })) {
      given.push(id)
      release()
    }
    expect(given).toHaveLength(2)
  })

  it('ends with the reason of the caller’s signal', async () => {
    const songhua = await connected()
    const stop = new AbortController()
    const run = async (): Promise<void> => {
      const source = Array.from({ length: 40 }, (_, number) => licence(number))
      for await (const _ of songhua.records.anchorMany(source, { batchSize: 5, signal: stop.signal })) stop.abort(new Error('enough'))
    }
    await expect(run()).rejects.toThrow('enough')
  })
})

describe('an endpoint that is not to be trusted', () => {
  it('of another chain than was pinned is refused at once', async () => {
    const genesisHash = `0x${'ab'.repeat(32)}`
    await expect(connected({ genesisHash })).rejects.toMatchObject({ code: 'GENESIS_MISMATCH' })
    const honest = await connected()
    await expect(connected({ genesisHash: honest.genesisHash.toUpperCase().replace('0X', '0x') })).resolves.toBeDefined()
    const trustAnchor = { ...(await honest.trustAnchor()), chainId: 1 }
    await expect(connected({ trustAnchor })).rejects.toMatchObject({ code: 'GENESIS_MISMATCH' })
    await expect(connected({ trustAnchor: {} })).rejects.toMatchObject({ code: 'TRUST_ANCHOR_FORMAT' })
  })

  type Block = { extraData: string; receiptsRoot: string; number: string }
  const lies: [what: string, code: string, lie: (method: string, result: unknown) => unknown][] = [
    ['drops the seals of the header', 'EVIDENCE_INVALID', (method, result) => {
      const block = result as Block
      if (method !== 'eth_getBlockByNumber' || block.number === '0x0') return result
      return { ...block, extraData: `${block.extraData.slice(0, -8)}00000000` }
    }],
    ['changes the receipts', 'ASSEMBLY_RECEIPTS', (method, result) =>
      method === 'eth_getBlockReceipts'
        ? (result as object[]).map((receipt) => ({ ...receipt, cumulativeGasUsed: '0x1' })) : result,
    ],
    ['puts the transaction into another block', 'ASSEMBLY_NO_ANCHOR', (method, result) =>
      method === 'eth_getTransactionReceipt' && result !== null ? { ...result, blockNumber: '0x1' } : result,
    ],
    ['answers with a header of another height', 'RPC_ANSWER', (method, result) => {
      const block = result as Block
      if (method !== 'eth_getBlockByNumber' || block.number === '0x0') return result
      return { ...block, number: `0x${(Number(block.number) + 1).toString(16)}` }
    }],
    ['gives no hexadecimal', 'RPC_ANSWER', (method, result) =>
      method === 'eth_getBlockReceipts' ? [{ ...(result as object[])[0], logsBloom: 'none' }] : result,
    ],
  ]
  it.each(lies)('that %s gets no record through', async (_, code, lie) => {
    // So that there is a block 1 with nothing of ours, whatever ran before.
    await (await connected()).records.anchor(licence(0))
    const lying = await tampered(async ({ method }, honest) => {
      const answer = await honest()
      return 'result' in answer ? { result: lie(method, answer.result) } : answer
    })
    const songhua = await connected({ rpc: lying })
    const error = await songhua.records.anchor(licence(9)).catch((thrown: unknown) => thrown)
    expect(isSonghuaError(error, code), String(error)).toBe(true)
  })
})

describe('an endpoint that fails', () => {
  it('whose answers are lost after the transaction went through gets each record anchored once', async () => {
    const lost = new Map<string, number>()
    const flaky = await tampered(async ({ method }, honest) => {
      const answer = await honest()
      const times = lost.get(method) ?? 0
      lost.set(method, times + 1)
      return times < 2 ? undefined : answer
    })
    const songhua = await connected({ rpc: flaky, retry: { delayMs: 5, timeoutMs: 20_000 } })
    const anchored = await collect(songhua.records.anchorMany(Array.from({ length: 30 }, (_, n) => licence(n)), { batchSize: 10 }))
    expect(anchored).toHaveLength(30)
    expect(await anchoredBy(songhua.account)).toBe(30)
    expect(lost.get('eth_sendRawTransaction')).toBeGreaterThan(3)
  })

  it('that never answers is given up with RPC_UNREACHABLE', async () => {
    const dead = await tampered(() => Promise.resolve(undefined))
    await expect(connected({ rpc: dead, retry: { timeoutMs: 100, delayMs: 10 } })).rejects.toMatchObject({
      code: 'RPC_UNREACHABLE',
    })
  })

  it('without eth_getBlockReceipts is asked for the receipts one by one', async () => {
    const asked: string[] = []
    const old = await tampered(async ({ method }, honest) => {
      asked.push(method)
      return method === 'eth_getBlockReceipts' ? { error: { code: -32601, message: 'no such method' } } : honest()
    })
    const songhua = await connected({ rpc: old })
    const anchored = await songhua.records.anchor(licence(5))
    expect((await songhua.records.verify(anchored.evidence)).valid).toBe(true)
    expect(asked).toContain('eth_getBlockReceipts')
  })

  it('whose pool is full is asked again', async () => {
    let refusals = 0
    const full = await tampered(async ({ method }, honest) => {
      if (method !== 'eth_sendRawTransaction' || refusals++ > 1) return honest()
      return { error: { code: -32000, message: 'txpool is full: 10 transactions wait', data: { code: 'POOL_FULL' } } }
    })
    const songhua = await connected({ rpc: full })
    expect((await songhua.records.anchor(licence(6))).evidence.anchor.blockNumber).toBeGreaterThan(0)
    expect(refusals).toBeGreaterThan(2)
  })

  it('whose quota only the account\'s own waiting work fills is asked again', async () => {
    let refusals = 0
    const data = { code: 'QUOTA_ACCOUNT_GAS', limit: '0x100000', used: '0x0', pending: '0xf0000', asked: '0x30000', resetsAt: 1_800_028_800 }
    const busy = await tampered(async ({ method }, honest) =>
      method !== 'eth_sendRawTransaction' || refusals++ > 1 ? honest() : { error: { code: -32000, message: 'gas of the day', data } },
    )
    const songhua = await connected({ rpc: busy })
    expect((await songhua.records.anchor(licence(8))).evidence.anchor.blockNumber).toBeGreaterThan(0)
    expect(refusals).toBeGreaterThan(2)
  })

  it('whose quota is used up says until when', async () => {
    const data = { code: 'QUOTA_ORGANISATION_GAS', limit: '0x100000', used: '0xf0000', asked: '0x30000', resetsAt: 1_800_028_800 }
    const used = await tampered(async ({ method }, honest) =>
      method === 'eth_sendRawTransaction' ? { error: { code: -32000, message: 'gas of the day', data } } : honest(),
    )
    const songhua = await connected({ rpc: used })
    const refused = await songhua.records.anchor(licence(9)).catch(permissionRefusalOf)
    expect(refused).toMatchObject({ code: 'QUOTA_ORGANISATION_GAS', retryAtMs: 1_800_028_800_000 })
  })

  it('that refuses for good says why', async () => {
    const strict = await tampered(async ({ method }, honest) =>
      method === 'eth_sendRawTransaction' ? { error: { code: -32000, message: 'sender is no member', data: { code: 'POOL_SENDER' } } } : honest(),
    )
    const songhua = await connected({ rpc: strict })
    await expect(songhua.records.anchor(licence(7))).rejects.toMatchObject({
      code: 'RPC_REFUSED', details: { reason: 'POOL_SENDER', rpcMessage: 'sender is no member' },
    })
  })
})

describe('one account in several hands', () => {
  it('anchors everything once: lost nonces are signed anew', async () => {
    const signer = keySigner(account())
    const connections = await Promise.all([1, 2, 3].map(() => connected({ signer })))
    const streams = connections.map((songhua, at) =>
      collect(songhua.records.anchorMany(Array.from({ length: 40 }, (_, n) => licence(at * 100 + n)), { batchSize: 4 })),
    )
    const anchored = (await Promise.all(streams)).flat()
    expect(new Set(anchored.map(({ id }) => id)).size).toBe(120)
    expect(await anchoredBy(connections[0]!.account)).toBe(120)
  })

  it('finds a batch that is there already instead of anchoring it twice', async () => {
    const client = createRpcClient({ url })
    const sender = await createAnchorSender(client, { signer: keySigner(account()), chainId: devnet.ready.chainId })
    const tree = { root: `0x${'5a'.repeat(32)}`, size: 3, family: 'credit' } as const
    const accepted: number[] = []
    const options = { timeoutMs: 20_000, onAccepted: () => accepted.push(1) }
    const first = await sender.anchor(tree, options)
    expect(await sender.anchor(tree, options)).toMatchObject(first)
    expect(accepted).toHaveLength(2)
    expect(await anchoredBy(sender.address)).toBe(3)
  })

  it('asks a node for the logs of fewer blocks, where it takes no more', async () => {
    const ranges: number[] = []
    const narrow = await tampered(async ({ method, params }, honest) => {
      if (method !== 'eth_getLogs') return honest()
      const [{ fromBlock, toBlock }] = params as [{ fromBlock: string; toBlock: string }]
      ranges.push(Number(toBlock) - Number(fromBlock) + 1)
      const isWide = ranges.length < 4
      return isWide ? { error: { code: -32005, message: 'query exceeds the range' } } : honest()
    })
    const sender = await createAnchorSender(createRpcClient({ url: narrow }), { signer: keySigner(account()), chainId: devnet.ready.chainId })
    const tree = { root: `0x${'5b'.repeat(32)}`, size: 3, family: 'credit' } as const
    const options = { timeoutMs: 20_000, onAccepted: () => undefined }
    const first = await sender.anchor(tree, options)
    expect(await sender.anchor(tree, options)).toMatchObject(first)
    expect(ranges.length).toBeGreaterThan(3)
    expect(ranges.slice(3).every((blocks) => blocks <= 157)).toBe(true)
  })

  it('searches for no batch that the contract does not know', async () => {
    const asked: string[] = []
    const counting = await tampered(({ method }, honest) => {
      asked.push(method)
      return honest()
    })
    const sender = await createAnchorSender(createRpcClient({ url: counting }), { signer: keySigner(account()), chainId: devnet.ready.chainId })
    const empty = { root: `0x${'5c'.repeat(32)}`, size: 0, family: 'credit' } as const
    const refused = sender.anchor(empty, { timeoutMs: 20_000, onAccepted: () => undefined })
    await expect(refused).rejects.toMatchObject({ code: 'ANCHOR_FAILED' })
    expect(asked.filter((method) => method === 'eth_getLogs')).toEqual([])
  })
})

describe('refresh and trust anchors', () => {
  it('prove a record under a later block, and under a checkpoint that was checked from the genesis on', async () => {
    const songhua = await connected()
    const { evidence } = await songhua.records.anchor(licence(1))
    await songhua.records.anchor(licence(2))
    const trustAnchor = await songhua.trustAnchor({ checkpoint: 'head' })
    const stale = verifyEvidence(evidence, { trustAnchor })
    expect(decisiveStep(stale)).toMatchObject({ step: 'validators', code: 'CHECKPOINT_PATH_MISSING' })
    expect(reasonOf(stale)).toMatch(/refresh the evidence under that checkpoint/)
    const { height } = trustAnchor.checkpoints[0]!
    for (const under of [trustAnchor, JSON.stringify(trustAnchor), height]) {
      const verdict = verifyEvidence(await songhua.records.refresh(evidence, { under }), { trustAnchor })
      expect(verdict).toMatchObject({ valid: true, facts: { horizon: { proof: 'checkpoint', height } } })
    }
    expect((await songhua.records.refresh(evidence)).checkpointPath).toBeDefined()
  })

  it('leave a record that a checkpoint does not reach, or is, as plain evidence', async () => {
    const songhua = await connected()
    const before = await songhua.trustAnchor({ checkpoint: 'head' })
    const { evidence } = await songhua.records.anchor(licence(1))
    const { blockNumber } = evidence.anchor
    const own = await songhua.trustAnchor({ checkpoint: blockNumber })
    await songhua.records.anchor(licence(2))
    const later = await songhua.records.refresh(evidence)
    expect(verifyEvidence(later, { trustAnchor: own }).valid).toBe(false)
    for (const under of [before, own, await songhua.trustAnchor(), blockNumber, blockNumber - 1]) {
      expect(await songhua.records.refresh(evidence, { under })).toEqual(evidence)
      expect(await songhua.records.refresh(later, { under })).toEqual(evidence)
    }
    expect(verifyEvidence(evidence, { trustAnchor: own })).toMatchObject({ facts: { horizon: { proof: 'checkpoint', height: blockNumber } } })
  })

  it('prove records up to a pinned checkpoint under that, not under the head', async () => {
    const songhua = await connected()
    const { evidence } = await songhua.records.anchor(licence(1))
    await songhua.records.anchor(licence(2))
    const trustAnchor = await songhua.trustAnchor({ checkpoint: 'head' })
    const { height } = trustAnchor.checkpoints[0]!
    await songhua.records.anchor(licence(3))
    const pinned = await connected({ trustAnchor })
    const refreshed = await pinned.records.refresh(evidence)
    expect(await pinned.records.verify(refreshed)).toMatchObject({ facts: { horizon: { proof: 'checkpoint', height } } })
  })

  it('refuse a height above the head, evidence of another chain, and what is no trust anchor', async () => {
    const songhua = await connected()
    const { evidence } = await songhua.records.anchor(licence(1))
    const under = evidence.anchor.blockNumber
    await expect(songhua.records.refresh(evidence, { under: under + 1_000_000 })).rejects.toMatchObject({ code: 'RPC_ANSWER' })
    const other = { ...(await songhua.trustAnchor()), chainId: 7 }
    await expect(songhua.records.refresh(evidence, { under: other })).rejects.toMatchObject({
      code: 'EVIDENCE_INVALID', details: { codes: ['CHAIN_ID'] },
    })
    await expect(songhua.records.refresh(evidence, { under: '{}' })).rejects.toMatchObject({ code: 'TRUST_ANCHOR_FORMAT' })
  })

  it('keep the checkpoints that are pinned, and take nothing else in their place', async () => {
    const songhua = await connected()
    await songhua.records.anchor(licence(1))
    const pinned = await songhua.trustAnchor({ checkpoint: 'head' })
    const [checkpoint] = pinned.checkpoints
    const { height } = checkpoint!
    await songhua.records.anchor(licence(2))
    const again = await connected({ trustAnchor: pinned })
    expect(await again.trustAnchor({ checkpoint: height })).toEqual(pinned)
    const later = (await again.trustAnchor({ checkpoint: height + 1 })).checkpoints
    expect(later.map((one) => one.height)).toEqual([height, height + 1])
    expect((await again.trustAnchor({ checkpoint: 1 })).checkpoints.at(-1)).toEqual(checkpoint)
    const trustAnchor = { ...pinned, checkpoints: [{ ...checkpoint!, hash: `0x${'ab'.repeat(32)}` as const }] }
    const contradicted = await connected({ trustAnchor })
    for (const wanted of height === 1 ? [1] : [1, height]) {
      await expect(contradicted.trustAnchor({ checkpoint: wanted })).rejects.toMatchObject({ code: 'EVIDENCE_INVALID' })
    }
  })

  it('refuse a checkpoint of a block that nobody sealed', async () => {
    const unsealed = await tampered(async ({ method, params }, honest) => {
      const answer = await honest()
      if (method !== 'eth_getBlockByNumber' || params[0] === '0x0') return answer
      const block = answer.result as { extraData: string }
      return { result: { ...block, extraData: `${block.extraData.slice(0, -20)}${'11'.repeat(10)}` } }
    })
    const songhua = await connected({ rpc: unsealed })
    await expect(songhua.trustAnchor({ checkpoint: 1 })).rejects.toSatisfy((error: unknown) => isSonghuaError(error))
  })
})

describe('watch', () => {
  it('tells of batches as they come, and resumes after a cursor without losing or repeating one', async () => {
    const songhua = await connected()
    const stop = new AbortController()
    const watching = songhua.records.watch({ sender: songhua.account, pollMs: 30, signal: stop.signal, fromBlock: 0 })
    const first = await songhua.records.anchor(licence(1))
    const seen = (await watching.next()).value
    expect(seen.blockNumber).toBe(first.evidence.anchor.blockNumber)
    expect(seen.size).toBe(1n)
    await watching.return(undefined as never)
    const later = await collect(songhua.records.anchorMany([licence(2), mixed(1)]))
    const resumed = songhua.records.watch({ cursor: seen.cursor, sender: songhua.account, signal: stop.signal })
    const roots = [(await resumed.next()).value, (await resumed.next()).value].map(({ root }) => root)
    const expected = await Promise.all(later.map(async ({ evidence }) => (await songhua.records.verify(evidence)).facts!.batch.root))
    expect(new Set(roots)).toEqual(new Set(expected))
    const next = resumed.next()
    stop.abort(new Error('seen enough'))
    await expect(next).rejects.toThrow('seen enough')
  })

  it('refuses a cursor that is none', async () => {
    const songhua = await connected()
    await expect(songhua.records.watch({ cursor: 'yesterday' }).next()).rejects.toMatchObject({ code: 'OPTION_INVALID' })
  })
})

describe('keySigner', () => {
  it('is the account that ethers makes of the same key, and signs the same', async () => {
    const key = account()
    const wallet = new Wallet(key)
    const signer = keySigner(hexToBytes(key))
    expect((await signer.getAddress()).toLowerCase()).toBe(wallet.address.toLowerCase())
    const to = `0x${'11'.repeat(20)}`
    const zero = { maxFeePerGas: 0n, maxPriorityFeePerGas: 0n, value: 0n }
    const transaction = { type: 2 as const, chainId: 230099, nonce: 7, gasLimit: 50_000n, to, data: '0xabcd', ...zero }
    expect(await signer.signTransaction(transaction)).toBe(await wallet.signTransaction(transaction))
  })
})
