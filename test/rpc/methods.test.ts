import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keccak256Hex } from '@songhua/sdk/protocol/crypto'
import { encodeBlock } from '@songhua/sdk/protocol/block'
import { decodeTransaction, type Transaction } from '@songhua/sdk/protocol/transaction'
import { hexToBytes, type Address, type Hex } from '@songhua/sdk/protocol/bytes'
import { decodeAccount } from '@songhua/sdk/protocol/account'
import { verifyMptProof } from '@songhua/sdk/protocol/mpt-proof'
import { decodeRlp } from '@songhua/sdk/protocol/rlp'
import { AbiCoder, id as selectorHash } from 'ethers'
import type { BlockJson, LogJson, ReceiptJson, TransactionJson } from '@songhua/node/rpc/result-schemas'
import type { RpcServer } from '@songhua/node/rpc/rpc-server'
import {
  ask,
  callData,
  compileProbe,
  createFixtureChain,
  ETHER,
  OTHER,
  OTHER_KEY,
  result,
  SENDER,
  SENDER_KEY,
  toHex,
  type FixtureChain,
} from './fixture-chain.js'

const selector = (signature: string): string => selectorHash(signature).slice(0, 10)
const STORE = selector('store(uint256,uint256)')
const probeCode = compileProbe().bytecode
const UNKNOWN = `0x${'77'.repeat(32)}`

let chain: FixtureChain
let server: RpcServer
let url: string
let probe: Address
const sent: Record<string, Transaction> = {}

beforeAll(async () => {
  chain = await createFixtureChain()
  ;({ url, server } = await chain.serve())
  sent.transfer = await chain.send({ value: ETHER, type: 0 })
  sent.accessList = await chain.send({ value: 5n, type: 1 })
  await chain.mine()
  sent.deploy = await chain.send({ to: undefined, data: hexToBytes(probeCode), gasLimit: 3_000_000n })
  await chain.mine()
  probe = (await result<ReceiptJson>(url, 'eth_getTransactionReceipt', [sent.deploy.hash])).contractAddress as Address
  sent.store = await chain.send({ to: probe, data: callData(STORE, 1n, 11n) })
  sent.storeAgain = await chain.send({ to: probe, data: callData(STORE, 2n, 22n), key: OTHER_KEY })
  await chain.mine()
  sent.failing = await chain.send({ to: probe, data: callData(selector('fail()')) })
  await chain.mine()
}, 60_000)
afterAll(() => chain.stop())

describe('every method', () => {
  it('answers in the form that its documentation gives', async () => {
    const block = await result<BlockJson>(url, 'eth_getBlockByNumber', ['0x3', true])
    const filter = await result<string>(url, 'eth_newFilter', [{ fromBlock: '0x0' }])
    const examples: Record<string, unknown[][]> = {
      web3_sha3: [['0x68656c6c6f']],
      eth_feeHistory: [
        ['0x4', 'latest', [10, 50]],
        [2, 'latest'],
      ],
      eth_getBlockByNumber: [
        ['0x3', true],
        ['0x3', false],
        ['0x0', true],
        ['0x99', false],
      ],
      eth_getBlockByHash: [
        [block.hash, true],
        [UNKNOWN, false],
      ],
      eth_getBlockTransactionCountByNumber: [['0x3'], ['0x99']],
      eth_getBlockTransactionCountByHash: [[block.hash], [UNKNOWN]],
      eth_getBlockReceipts: [['0x3'], [block.hash], [{ blockHash: block.hash }], ['0x99']],
      eth_getBalance: [[SENDER, 'latest'], [SENDER]],
      eth_getTransactionCount: [
        [SENDER, 'latest'],
        [SENDER, 'pending'],
      ],
      eth_getCode: [
        [probe, 'latest'],
        [SENDER, '0x0'],
      ],
      eth_getStorageAt: [
        [probe, '0x0', 'latest'],
        [probe, `0x${'00'.repeat(32)}`, '0x2'],
      ],
      eth_getProof: [[probe, ['0x0'], 'latest']],
      eth_call: [[{ to: probe, data: selector('value()') }, 'latest']],
      eth_estimateGas: [[{ from: SENDER, to: OTHER, value: '0x1' }]],
      eth_getTransactionByHash: [[sent.store!.hash], [sent.transfer!.hash], [UNKNOWN]],
      eth_getTransactionByBlockNumberAndIndex: [
        ['0x3', '0x1'],
        ['0x3', '0x9'],
      ],
      eth_getTransactionByBlockHashAndIndex: [
        [block.hash, '0x0'],
        [UNKNOWN, '0x0'],
      ],
      eth_getTransactionReceipt: [[sent.deploy!.hash], [sent.failing!.hash], [UNKNOWN]],
      eth_getLogs: [[{ fromBlock: '0x0' }]],
      eth_newFilter: [[{ fromBlock: '0x0', topics: [null, [UNKNOWN]] }]],
      eth_getFilterChanges: [[filter]],
      eth_getFilterLogs: [[filter]],
      eth_uninstallFilter: [[filter], ['0x1']],
      eth_sendRawTransaction: [[toHex(chain.sign().raw)]],
      qbft_getValidatorsByBlockNumber: [['0x3'], ['latest'], ['pending']],
      qbft_getValidatorsByBlockHash: [[block.hash], [UNKNOWN]],
      qbft_getSignerMetrics: [[], ['0x1', '0x3']],
      songhua_getHistoryProof: [['0x0', '0x1'], ['0x1', '0x3']],
      songhua_getMembership: [[], [{ limit: '0x1' }, { offset: '0x1' }, '0x1']],
      ...Object.fromEntries(['Organisation', 'Quota', 'Usage'].map((name) => [`songhua_get${name}`, [['11230000MB0000019P']]])),
      ...{ songhua_getNode: [[SENDER], ['hrb1']], songhua_getMotion: [['0x0']] },
      songhua_getTransactionStatus: [[sent.store!.hash], [sent.transfer!.hash], [UNKNOWN]],
    }
    const elsewhere = ['eth_sendRawTransactionSync', 'eth_subscribe', 'eth_unsubscribe']
    for (const method of server.methods.filter(({ name }) => !elsewhere.includes(name))) {
      const needed = method.params.some(({ schema }) => !schema.safeParse(undefined).success)
      const calls = examples[method.name] ?? (needed ? undefined : [[]])
      expect(calls, `an example of ${method.name}`).toBeDefined()
      for (const params of calls ?? []) {
        const answer = await result(url, method.name, params)
        const checked = method.result.safeParse(answer)
        expect(checked.error?.issues ?? [], `${method.name} ${JSON.stringify(answer).slice(0, 300)}`).toEqual([])
      }
    }
    await chain.mine()
  })

  it('stands in the OpenRPC document with its parameters', async () => {
    const document = await result<{
      openrpc: string
      methods: { name: string; params: { name: string; required: boolean; schema: object }[] }[]
    }>(url, 'rpc.discover')
    expect(document.openrpc).toBe('1.3.2')
    expect(document.methods.map(({ name }) => name)).toEqual(server.methods.map(({ name }) => name))
    const balance = document.methods.find(({ name }) => name === 'eth_getBalance')
    expect(balance?.params.map(({ name, required }) => ({ name, required }))).toEqual([
      { name: 'address', required: true },
      { name: 'block', required: false },
    ])
    expect(balance?.params[0]?.schema).toMatchObject({ type: 'string', pattern: '^0x[0-9a-fA-F]{40}$' })
  })
})

describe('blocks and transactions', () => {
  it('states the size of the encoded block', async () => {
    for (const number of [0, 1, 2, 3]) {
      const block = await result<BlockJson>(url, 'eth_getBlockByNumber', [`0x${number}`, false])
      const header = chain.ports.chain.header(number)!
      const transactions = chain.ports.chain.body(number)!.map((raw) => decodeTransaction(raw))
      const [shell] = [decodeRlp(encodeBlock({ header, transactions }))]
      expect(shell).toHaveLength(4)
      expect(Number(block.size)).toBe(encodeBlock({ header, transactions }).length)
    }
  })

  it('gives each type its fields', async () => {
    const get = (hash: string): Promise<TransactionJson> => result(url, 'eth_getTransactionByHash', [hash])
    const legacy = await get(sent.transfer!.hash)
    expect(legacy).toMatchObject({
      type: '0x0',
      blockNumber: '0x1',
      transactionIndex: '0x0',
      from: SENDER,
      to: OTHER,
      value: '0xde0b6b3a7640000',
    })
    expect(Number(legacy.v)).toBe(230099 * 2 + 35 + sent.transfer!.yParity)
    expect(legacy).not.toHaveProperty('yParity')
    expect(legacy).not.toHaveProperty('accessList')
    const listed = await get(sent.accessList!.hash)
    expect(listed).toMatchObject({ type: '0x1', accessList: [], yParity: `0x${sent.accessList!.yParity}` })
    expect(listed).not.toHaveProperty('maxFeePerGas')
    expect(await get(sent.store!.hash)).toMatchObject({
      type: '0x2',
      maxFeePerGas: '0x0',
      maxPriorityFeePerGas: '0x0',
      chainId: '0x382d3',
    })
  })

  it('numbers logs through the block and states each receipt’s own gas', async () => {
    const receipts = await result<ReceiptJson[]>(url, 'eth_getBlockReceipts', ['0x3'])
    expect(receipts.map(({ transactionHash }) => transactionHash).sort()).toEqual(
      [sent.store!.hash, sent.storeAgain!.hash].sort(),
    )
    expect(receipts.flatMap(({ logs }) => logs.map(({ logIndex }) => logIndex))).toEqual(['0x0', '0x1'])
    expect(receipts.map(({ logs }) => logs[0]?.transactionIndex)).toEqual(['0x0', '0x1'])
    const sum = receipts.reduce((total, { gasUsed }) => total + BigInt(gasUsed), 0n)
    expect(BigInt(receipts[1]!.cumulativeGasUsed)).toBe(sum)
    for (const receipt of receipts)
      expect(await result(url, 'eth_getTransactionReceipt', [receipt.transactionHash])).toEqual(receipt)
    expect(await result(url, 'eth_getTransactionReceipt', [sent.failing!.hash])).toMatchObject({
      status: '0x0',
      logs: [],
    })
  })

  it('knows a waiting transaction, without a block', async () => {
    const waiting = await chain.send({ value: 3n })
    expect(await result(url, 'eth_getTransactionByHash', [waiting.hash])).toMatchObject({
      blockHash: null,
      blockNumber: null,
      transactionIndex: null,
    })
    const nonce = waiting.nonce.toString()
    expect(await result(url, 'txpool_content')).toMatchObject({
      pending: { [SENDER]: { [nonce]: { hash: waiting.hash } } },
      queued: {},
    })
    expect(await result(url, 'txpool_status')).toEqual({ pending: '0x1', queued: '0x0' })
    expect(BigInt(await result(url, 'eth_getTransactionCount', [SENDER, 'pending']))).toBe(waiting.nonce + 1n)
    expect(BigInt(await result(url, 'eth_getTransactionCount', [SENDER, 'latest']))).toBe(waiting.nonce)
    await chain.mine()
  })

  it('takes all tags, and numbers, hashes and objects for a block', async () => {
    const head = chain.head()
    for (const tag of ['latest', 'safe', 'finalized', 'pending']) {
      expect(await result(url, 'eth_getBlockByNumber', [tag, false])).toMatchObject({ hash: head.hash })
    }
    expect(await result(url, 'eth_getBlockByNumber', ['earliest', false])).toMatchObject({ number: '0x0' })
    const three = chain.ports.chain.hashAt(3)
    for (const at of [
      '0x3',
      { blockNumber: '0x3' },
      { blockHash: three },
      { blockHash: three, requireCanonical: true },
    ]) {
      expect(await result(url, 'eth_getTransactionCount', [SENDER, at])).toBe('0x4')
    }
  })
})

describe('state', () => {
  it('reads every past state', async () => {
    const value = (at: string): Promise<string> => result(url, 'eth_getStorageAt', [probe, '0x0', at])
    expect(BigInt(await value('0x2'))).toBe(0n)
    expect([11n, 22n]).toContain(BigInt(await value('0x3')))
    expect(await result(url, 'eth_getCode', [probe, '0x1'])).toBe('0x')
    expect(BigInt(await result(url, 'eth_getBalance', [OTHER, '0x0']))).toBe(1000n * ETHER)
    expect(BigInt(await result(url, 'eth_getBalance', [OTHER, '0x1']))).toBe(1001n * ETHER + 5n)
  })

  it('proves accounts and slots under the state root of their block', async () => {
    interface Proof {
      accountProof: Hex[]
      storageHash: Hex
      storageProof: { key: string; value: Hex; proof: Hex[] }[]
    }
    const proof = await result<Proof>(url, 'eth_getProof', [probe, ['0x0', `0x${'00'.repeat(31)}09`], '0x3'])
    const root = chain.ports.chain.header(3)!.stateRoot
    const account = verifyMptProof({
      root,
      key: hexToBytes(keccak256Hex(hexToBytes(probe))),
      proof: proof.accountProof.map((node) => hexToBytes(node)),
    })
    expect(decodeAccount(account!)).toMatchObject({ storageRoot: proof.storageHash })
    const slotProof = (index: number) => proof.storageProof[index]!.proof.map((node) => hexToBytes(node))
    const key = (slot: string) => hexToBytes(keccak256Hex(hexToBytes(`0x${slot.padStart(64, '0')}`)))
    const value = verifyMptProof({ root: proof.storageHash, key: key('0'), proof: slotProof(0) })
    expect(toHex(decodeRlp(value!) as Uint8Array)).toBe(
      `0x${BigInt(proof.storageProof[0]!.value).toString(16).padStart(2, '0')}`,
    )
    expect(verifyMptProof({ root: proof.storageHash, key: key('9'), proof: slotProof(1) })).toBeUndefined()
    expect(proof.storageProof.map(({ key: given }) => given)).toEqual(['0x0', `0x${'00'.repeat(31)}09`])
  })

  it('calls on a block see that block, and its parent’s hash', async () => {
    const answer = await result<Hex>(url, 'eth_call', [{ to: probe, data: selector('seen()') }, '0x3'])
    const [number, timestamp, parent] = AbiCoder.defaultAbiCoder().decode(['uint256', 'uint256', 'bytes32'], answer)
    expect(number).toBe(3n)
    expect(timestamp).toBe(BigInt(chain.ports.chain.header(3)!.timestamp))
    expect(parent).toBe(chain.ports.chain.hashAt(2))
  })

  it('overrides balance, code and storage for one call', async () => {
    const value = { to: probe, input: selector('value()') }
    const slot = `0x${'00'.repeat(32)}`
    const word = `0x${'00'.repeat(31)}63`
    expect(BigInt(await result(url, 'eth_call', [value, 'latest', { [probe]: { stateDiff: { [slot]: word } } }]))).toBe(
      99n,
    )
    expect(BigInt(await result(url, 'eth_call', [value, 'latest', { [probe]: { state: {} } }]))).toBe(0n)
    expect(await result(url, 'eth_call', [value, 'latest', { [probe]: { code: '0x60005460005260206000f3' } }])).toMatch(
      /^0x/,
    )
    const poor = `0x${'ab'.repeat(20)}`
    const spend = { from: poor, to: OTHER, value: '0x64' }
    expect(await ask(url, 'eth_call', [spend, 'latest'])).toMatchObject({
      error: {
        code: -32000,
        message: expect.stringMatching(/^insufficient funds for gas \* price \+ value/) as string,
      },
    })
    expect(await result(url, 'eth_call', [spend, 'latest', { [poor]: { balance: '0x64' } }])).toBe('0x')
    expect(BigInt(await result(url, 'eth_getBalance', [poor, 'latest']))).toBe(0n)
  })

  it('answers a revert with code 3, its data and its reason', async () => {
    const failing = (signature: string) => ({ from: SENDER, to: probe, data: selector(signature) })
    for (const method of ['eth_call', 'eth_estimateGas']) {
      expect((await ask(url, method, [failing('fail()'), 'latest'])).error).toMatchObject({
        code: 3,
        message: 'execution reverted: no such record',
        data: expect.stringMatching(/^0x08c379a0/) as string,
      })
      expect((await ask(url, method, [failing('failCustom()'), 'latest'])).error).toMatchObject({
        code: 3,
        message: 'execution reverted',
        data: selector('Refused(uint256)') + '7'.padStart(64, '0'),
      })
      expect((await ask(url, method, [failing('panic()'), 'latest'])).error).toMatchObject({
        code: 3,
        message: 'execution reverted: panic code 0x12',
      })
    }
    const invalid = { [probe]: { code: '0xfe' } }
    expect((await ask(url, 'eth_call', [failing('fail()'), 'latest', invalid])).error).toMatchObject({ code: -32000 })
  })

  it('estimates enough gas and not much more', async () => {
    const call = { from: SENDER, to: probe, data: toHex(callData(STORE, 9n, 9n)) }
    const gas = BigInt(await result(url, 'eth_estimateGas', [call]))
    expect(await result(url, 'eth_call', [{ ...call, gas: `0x${gas.toString(16)}` }, 'latest'])).toBe('0x')
    expect(
      await ask(url, 'eth_call', [{ ...call, gas: `0x${((gas * 97n) / 100n).toString(16)}` }, 'latest']),
    ).toHaveProperty('error')
    expect(await result(url, 'eth_estimateGas', [{ from: SENDER, to: OTHER, value: '0x1' }])).toBe('0x5208')
  })

  it('says which block is not there', async () => {
    for (const [method, params] of [
      ['eth_getBalance', [SENDER, '0x9999']],
      ['eth_call', [{ to: probe }, '0x9999']],
      ['eth_getProof', [SENDER, [], { blockHash: UNKNOWN }]],
    ] as const) {
      expect((await ask(url, method, params)).error).toMatchObject({
        code: -32000,
        message: expect.stringMatching(/^header not found/) as string,
      })
    }
  })
})

describe('logs', () => {
  const logs = (filter: object): Promise<LogJson[]> => result(url, 'eth_getLogs', [filter])
  const STORED = keccak256Hex(new TextEncoder().encode('Stored(address,uint256,uint256)'))
  const word = (value: bigint): string => `0x${value.toString(16).padStart(64, '0')}`

  it('finds by range, address and topics by position, with alternatives', async () => {
    const all = { fromBlock: '0x0', toBlock: 'latest' }
    expect(await logs(all)).toHaveLength(2)
    expect(await logs({ ...all, address: probe, topics: [STORED] })).toHaveLength(2)
    expect(await logs({ ...all, address: [OTHER, probe], topics: [STORED, null, word(2n)] })).toHaveLength(1)
    expect(await logs({ ...all, topics: [null, null, [word(1n), word(2n)]] })).toHaveLength(2)
    expect(await logs({ ...all, topics: [null, word(1n)] })).toEqual([])
    expect(await logs({ ...all, address: OTHER })).toEqual([])
    expect(await logs({ fromBlock: '0x0', toBlock: '0x2' })).toEqual([])
    expect(await logs({ blockHash: chain.ports.chain.hashAt(3) })).toHaveLength(2)
    expect(await logs({ fromBlock: '0x999' })).toEqual([])
    expect((await ask(url, 'eth_getLogs', [{ blockHash: UNKNOWN }])).error).toMatchObject({
      code: -32000,
      message: `unknown block ${UNKNOWN}`,
    })
  })

  it('gives the same log as the receipt', async () => {
    const receipt = await result<ReceiptJson>(url, 'eth_getTransactionReceipt', [sent.store!.hash])
    const found = await logs({ fromBlock: '0x3', toBlock: '0x3', topics: [null, null, word(1n)] })
    expect(found).toEqual(receipt.logs)
  })

  it('refuses too wide a range or too many results, naming a range that is answered', async () => {
    const { url: strict } = await chain.serve({ limits: { logBlocksMax: 2, logResultsMax: 2 } })
    const wide = await ask(strict, 'eth_getLogs', [{ fromBlock: '0x0', toBlock: '0x3' }])
    expect(wide.error).toMatchObject({
      code: -32005,
      data: { limit: 'logBlocksMax' },
      message: expect.stringContaining('try fromBlock 0x0, toBlock 0x1') as string,
    })
    const many = await ask(strict, 'eth_getLogs', [{ fromBlock: '0x3', toBlock: '0x4' }])
    expect(many.error).toMatchObject({
      code: -32005,
      data: { limit: 'logResultsMax' },
      message: expect.stringContaining('try fromBlock 0x3, toBlock 0x3') as string,
    })
    expect(await result(strict, 'eth_getLogs', [{ fromBlock: '0x3', toBlock: '0x3' }])).toHaveLength(2)
  })
})

describe('consensus and fees', () => {
  it('counts proposals, and names the set that sealed a block', async () => {
    const validators = await result<string[]>(url, 'qbft_getValidatorsByBlockNumber', ['latest'])
    expect(validators).toHaveLength(1)
    expect(await result(url, 'qbft_getSignerMetrics', ['0x0', '0x3'])).toEqual([
      { address: validators[0], proposedBlockCount: '0x3', lastProposedBlockNumber: '0x3' },
    ])
    const { url: strict } = await chain.serve({ limits: { signerMetricsBlocksMax: 2 } })
    expect((await ask(strict, 'qbft_getSignerMetrics', ['0x0', '0x3'])).error).toMatchObject({
      code: -32005,
      data: { limit: 'signerMetricsBlocksMax' },
    })
  })

  it('reports fees per block: zero base, tips at percentiles of gas', async () => {
    await chain.send({ maxFeePerGas: 5n, maxPriorityFeePerGas: 3n })
    await chain.send({ key: OTHER_KEY, maxFeePerGas: 9n, maxPriorityFeePerGas: 7n })
    await chain.mine()
    const history = await result<Record<string, unknown[]>>(url, 'eth_feeHistory', ['0x2', 'latest', [0, 50, 100]])
    expect(history.baseFeePerGas).toEqual(['0x0', '0x0', '0x0'])
    expect(history.reward?.[1]).toEqual(['0x3', '0x3', '0x7'])
    expect(history.gasUsedRatio).toHaveLength(2)
    expect(await result<Record<string, unknown[]>>(url, 'eth_feeHistory', ['0xffff', '0x1'])).toMatchObject({
      oldestBlock: '0x0',
      gasUsedRatio: [0, expect.any(Number)],
    })
  })
})

describe('sending', () => {
  it('says in different words why a transaction is refused', async () => {
    const refusal = async (raw: Uint8Array): Promise<string> => {
      const { error } = await ask(url, 'eth_sendRawTransaction', [toHex(raw)])
      expect(error?.code).toBe(-32000)
      return error?.message ?? ''
    }
    const waiting = await chain.send()
    const foreign = (await import('@songhua/sdk/protocol/transaction')).signTransaction(
      {
        type: 2,
        chainId: 1n,
        nonce: 50n,
        gasLimit: 21_000n,
        to: OTHER,
        value: 0n,
        data: new Uint8Array(0),
        maxFeePerGas: 0n,
        maxPriorityFeePerGas: 0n,
      },
      SENDER_KEY,
    )
    const messages = [
      await refusal(Uint8Array.of(1, 2, 3)),
      await refusal(Uint8Array.of(3, 0xc0)),
      await refusal(waiting.raw),
      await refusal(chain.sign({ nonce: 0n }).raw),
      await refusal(chain.sign({ nonce: waiting.nonce, value: 9n }).raw),
      await refusal(chain.sign({ gasLimit: 20_000n }).raw),
      await refusal(chain.sign({ gasLimit: 40_000_000n }).raw),
      await refusal(chain.sign({ value: 5000n * ETHER }).raw),
      await refusal(foreign.raw),
    ]
    expect(new Set(messages).size).toBe(messages.length)
    expect(messages.slice(2, 8).map((message) => message.split(':')[0])).toEqual([
      'already known',
      'nonce too low',
      'replacement transaction underpriced',
      'intrinsic gas too low',
      'exceeds block gas limit',
      'insufficient funds for gas * price + value',
    ])
    await chain.mine()
  })

  it('waits a moment for the receipt of what is about to stand in a block, and not for what is unknown', async () => {
    const due = chain.sign({ value: 3n })
    await result(url, 'eth_sendRawTransaction', [toHex(due.raw)])
    const waiting = result<ReceiptJson | null>(url, 'eth_getTransactionReceipt', [due.hash])
    expect(await result(url, 'eth_getTransactionReceipt', [UNKNOWN])).toBeNull()
    await chain.mine()
    expect((await waiting)?.transactionHash).toBe(due.hash)
  })

  it('waits for the receipt, for as long as it was told (EIP-7966)', async () => {
    const first = chain.sign({ value: 1n })
    const waiting = ask(url, 'eth_sendRawTransactionSync', [toHex(first.raw), 20_000])
    while (!chain.pool.has(first.hash)) await new Promise((resolve) => setTimeout(resolve, 5))
    await chain.mine()
    expect((await waiting).result).toEqual(await result(url, 'eth_getTransactionReceipt', [first.hash]))
    const second = chain.sign({ value: 2n })
    expect((await ask(url, 'eth_sendRawTransactionSync', [toHex(second.raw), '0x1e'])).error).toMatchObject({
      code: 4,
      data: second.hash,
    })
    const gap = chain.sign({ nonce: second.nonce + 5n })
    expect((await ask(url, 'eth_sendRawTransactionSync', [toHex(gap.raw), 5_000])).error).toMatchObject({
      code: 6,
      data: `0x${(second.nonce + 1n).toString(16)}`,
    })
    expect((await ask(url, 'eth_sendRawTransactionSync', [toHex(chain.sign({ nonce: 0n }).raw)])).error).toMatchObject({
      code: -32000,
    })
    await chain.mine()
  })
})
