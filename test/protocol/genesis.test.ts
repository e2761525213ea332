import { describe, expect, it } from 'vitest'
import { keccak256 as ethersKeccak, toUtf8Bytes } from 'ethers'
import { EMPTY_TRIE_ROOT } from '@songhua/sdk/protocol/account'
import { bytesToHex, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { blockHash } from '@songhua/sdk/protocol/block-hash'
import { decodeExtraData, encodeExtraData } from '@songhua/sdk/protocol/extra-data'
import {
  DEFAULT_GAS_LIMIT,
  type GenesisJson,
  createGenesisJson,
  genesisHeader,
  parseGenesis,
  protocolVersionAt,
} from '@songhua/sdk/protocol/genesis'
import { decodeHeader, encodeHeader } from '@songhua/sdk/protocol/header'
import { DEFAULT_QBFT_CONFIG } from '@songhua/sdk/protocol/qbft-config'
import { GENESIS_JSON, MEMBERSHIP, VALIDATORS, codeOf, pathOf } from './support.js'

const RICH = `0x${'12'.repeat(20)}`
type Json = Record<string, unknown>
const copy = (): GenesisJson => structuredClone(GENESIS_JSON)

/** Sorted keys and no spaces: RFC 8785 for JSON without fractions and non-ASCII keys. */
function sortedJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${sortedJson(item)}`).join(',')}}`
}

/** A genesis whose config was changed and whose vanity follows it. */
function withConfig(change: (config: Json) => void): GenesisJson {
  const json = copy()
  change(json.config)
  const vanity = hexToBytes(ethersKeccak(toUtf8Bytes(sortedJson(json.config))))
  return { ...json, extraData: bytesToHex(encodeExtraData({ ...decodeExtraData(hexToBytes(json.extraData)), vanity })) }
}

const withQbft = (change: Json): GenesisJson =>
  withConfig((config) => Object.assign(config.qbft as Json, change))

describe('a genesis', () => {
  it('is read from its text or its object', () => {
    const genesis = parseGenesis(JSON.stringify(GENESIS_JSON))
    expect(genesis).toEqual(parseGenesis(copy()))
    expect(genesis).toMatchObject({
      chainId: 230099,
      validators: VALIDATORS,
      gasLimit: DEFAULT_GAS_LIMIT,
      timestamp: 1_800_000_000,
      qbft: { ...DEFAULT_QBFT_CONFIG, membershipContract: MEMBERSHIP },
    })
  })

  it('has the RFC 8785 hash of its config as vanity, whatever the order of its keys', () => {
    const { vanity } = decodeExtraData(parseGenesis(GENESIS_JSON).extraData)
    expect(bytesToHex(vanity)).toBe(ethersKeccak(toUtf8Bytes(sortedJson(GENESIS_JSON.config))))
    const reversed = Object.fromEntries(Object.entries(GENESIS_JSON.config).reverse())
    expect(() => parseGenesis({ ...copy(), config: reversed })).not.toThrow()
  })

  it('has an alloc of accounts in order, with quantities as geth writes them', () => {
    const json = copy()
    json.alloc = {
      [RICH.slice(2).toUpperCase()]: { balance: '1000000000000000000', nonce: '0x1' },
      [MEMBERSHIP]: { code: '0x6001', storage: { '0x1': '0x0f', '0x02': '0x00', [`0x${'ff'.repeat(32)}`]: '0x1' } },
    }
    expect(parseGenesis(json).alloc).toEqual([
      {
        address: MEMBERSHIP,
        balance: 0n,
        nonce: 0n,
        code: hexToBytes('0x6001'),
        storage: new Map([[`0x${'1'.padStart(64, '0')}`, 15n], [`0x${'ff'.repeat(32)}`, 1n]]),
      },
      { address: RICH, balance: 10n ** 18n, nonce: 1n, code: new Uint8Array(0), storage: new Map() },
    ])
  })

  it('has a header that survives the wire, and another hash for another config, state or time', () => {
    const hashOf = (json: unknown, root = EMPTY_TRIE_ROOT): string => blockHash(genesisHeader(parseGenesis(json), root))
    const header = genesisHeader(parseGenesis(GENESIS_JSON), EMPTY_TRIE_ROOT)
    expect(decodeHeader(encodeHeader(header))).toEqual(header)
    const hashes = [
      hashOf(GENESIS_JSON),
      hashOf(withConfig((config) => Object.assign(config, { chainId: 230000 }))),
      hashOf(withQbft({ minBlockPeriodMs: 51 })),
      hashOf({ ...copy(), timestamp: '0x1' }),
      hashOf(GENESIS_JSON, `0x${'11'.repeat(32)}`),
    ]
    expect(new Set(hashes).size).toBe(hashes.length)
  })

  it('says which protocol version holds at which height', () => {
    const genesis = parseGenesis(withQbft({ protocolVersions: { 1000: 3, 0: 1, 200: 2 } }))
    const versions = [0, 1, 199, 200, 999, 1000, 2 ** 50].map((height) => protocolVersionAt(genesis, height))
    expect(versions).toEqual([1, 1, 1, 2, 2, 3, 3])
  })
})

describe('a genesis refused', () => {
  const set = (path: string[], value: unknown): unknown => {
    const json = copy() as unknown as Json
    let at = json
    for (const key of path.slice(0, -1)) at = at[key] as Json
    const last = path.at(-1)!
    if (value === undefined) delete at[last]
    else Object.defineProperty(at, last, { value, enumerable: true })
    return json
  }
  const alloc = (account: unknown): unknown => set(['alloc'], { [RICH]: account })
  const at = `alloc.${RICH}`

  it.each<[string, string, unknown]>([
    ['', 'GENESIS_NOT_JSON', '{'],
    ['', 'GENESIS_TOO_LARGE', ' '.repeat(32 * 1024 * 1024 + 1)],
    ['genesis', 'JSON_TYPE', null],
    ['genesis', 'JSON_TYPE', '[]'],
    ['genesis', 'JSON_TYPE', 7],
    ['genesis.config', 'JSON_MISSING', {}],
    ['genesis.alloc', 'JSON_MISSING', set(['alloc'], undefined)],
    ['genesis.gaslimit', 'JSON_UNKNOWN_KEY', set(['gaslimit'], '0x1')],
    ['genesis."gas limit"', 'JSON_UNKNOWN_KEY', set(['gas limit'], '0x1')],
    ['genesis.__proto__', 'JSON_UNKNOWN_KEY', set(['__proto__'], {})],
    ['config.chainId', 'JSON_TYPE', set(['config', 'chainId'], '230099')],
    ['config.chainId', 'JSON_RANGE', set(['config', 'chainId'], 0)],
    ['config.chainId', 'JSON_TYPE', set(['config', 'chainId'], 2 ** 53)],
    ['config.chainId', 'JSON_MISSING', set(['config', 'chainId'], undefined)],
    ['config.cancunTime', 'JSON_MISSING', set(['config', 'cancunTime'], undefined)],
    ['config.cancunTime', 'GENESIS_CONSTANT', set(['config', 'cancunTime'], 1)],
    ['config.londonBlock', 'GENESIS_CONSTANT', set(['config', 'londonBlock'], 5)],
    ['config.londonBlock', 'GENESIS_CONSTANT', set(['config', 'londonBlock'], null)],
    ['config.pragueTime', 'JSON_UNKNOWN_KEY', set(['config', 'pragueTime'], 0)],
    ['config.clique', 'JSON_UNKNOWN_KEY', set(['config', 'clique'], {})],
    ['config.qbft', 'JSON_MISSING', set(['config', 'qbft'], undefined)],
    ['config.qbft.roundTimeoutMs', 'JSON_MISSING', set(['config', 'qbft', 'roundTimeoutMs'], undefined)],
    ['config.qbft.roundTimeoutMs', 'JSON_RANGE', set(['config', 'qbft', 'roundTimeoutMs'], 1)],
    ['config.qbft.roundTimeoutMs', 'JSON_TYPE', set(['config', 'qbft', 'roundTimeoutMs'], 1000.5)],
    ['config.qbft.roundTimeoutCapMs', 'JSON_RANGE', set(['config', 'qbft', 'roundTimeoutCapMs'], 1000)],
    ['config.qbft.minBlockPeriodMs', 'JSON_RANGE', set(['config', 'qbft', 'minBlockPeriodMs'], 0)],
    ['config.qbft.epochLength', 'JSON_UNKNOWN_KEY', set(['config', 'qbft', 'epochLength'], 30000)],
    ['config.qbft.membershipContract', 'JSON_TYPE', set(['config', 'qbft', 'membershipContract'], '0x01')],
    ['config.qbft.protocolVersions.0', 'JSON_MISSING', set(['config', 'qbft', 'protocolVersions'], { 5: 1 })],
    ['config.qbft.protocolVersions.5', 'JSON_RANGE', set(['config', 'qbft', 'protocolVersions'], { 0: 2, 5: 2 })],
    ['config.qbft.protocolVersions.05', 'JSON_TYPE', set(['config', 'qbft', 'protocolVersions'], { 0: 1, '05': 2 })],
    ['config.qbft.protocolVersions', 'JSON_TYPE', set(['config', 'qbft', 'protocolVersions'], [1])],
    ['difficulty', 'GENESIS_CONSTANT', set(['difficulty'], '0x2')],
    ['mixHash', 'GENESIS_CONSTANT', set(['mixHash'], `0x${'00'.repeat(32)}`)],
    ['mixHash', 'JSON_TYPE', set(['mixHash'], '0x00')],
    ['nonce', 'GENESIS_CONSTANT', set(['nonce'], '0x42')],
    ['baseFeePerGas', 'GENESIS_CONSTANT', set(['baseFeePerGas'], '0x3b9aca00')],
    ['coinbase', 'GENESIS_CONSTANT', set(['coinbase'], RICH)],
    ['gasLimit', 'JSON_TYPE', set(['gasLimit'], '30M')],
    ['gasLimit', 'JSON_TYPE', set(['gasLimit'], 1.5)],
    ['gasLimit', 'JSON_RANGE', set(['gasLimit'], '0x1')],
    ['gasLimit', 'JSON_RANGE', set(['gasLimit'], `0x${'f'.repeat(64)}`)],
    ['timestamp', 'JSON_TYPE', set(['timestamp'], '2026-01-01')],
    ['timestamp', 'JSON_RANGE', set(['timestamp'], '0xffffffffffffffff')],
    ['timestamp', 'JSON_RANGE', set(['timestamp'], -1)],
    ['extraData', 'JSON_TYPE', set(['extraData'], '0x0')],
    ['extraData', 'GENESIS_EXTRA_DATA', set(['extraData'], '0x')],
    ['extraData', 'GENESIS_EXTRA_DATA', set(['extraData'], `0x${'00'.repeat(32)}`)],
    ['alloc', 'JSON_TYPE', set(['alloc'], [])],
    ['alloc.0x12', 'JSON_TYPE', set(['alloc'], { '0x12': {} })],
    [`alloc.${RICH.slice(2)}`, 'JSON_DUPLICATE', set(['alloc'], { [RICH]: {}, [RICH.slice(2)]: {} })],
    [at, 'JSON_TYPE', alloc('0x1')],
    [`${at}.secretKey`, 'JSON_UNKNOWN_KEY', alloc({ secretKey: '0x1' })],
    [`${at}.balance`, 'JSON_TYPE', alloc({ balance: '1 ether' })],
    [`${at}.balance`, 'JSON_TYPE', alloc({ balance: '-1' })],
    [`${at}.balance`, 'JSON_RANGE', alloc({ balance: (2n ** 256n).toString() })],
    [`${at}.nonce`, 'JSON_RANGE', alloc({ nonce: '0xffffffffffffffff' })],
    [`${at}.code`, 'JSON_TYPE', alloc({ code: '6001' })],
    [`${at}.code`, 'JSON_RANGE', alloc({ code: `0x${'00'.repeat(24_577)}` })],
    [`${at}.storage.0x01`, 'JSON_DUPLICATE', alloc({ storage: { '0x1': '0x1', '0x01': '0x1' } })],
    [`${at}.storage.0x1`, 'JSON_RANGE', alloc({ storage: { '0x1': `0x${'00'.repeat(33)}` } })],
    [`${at}.storage.one`, 'JSON_TYPE', alloc({ storage: { one: '0x1' } })],
  ])('names %j: %s (%#)', (path, code, source) => {
    expect(codeOf(() => parseGenesis(source))).toBe(code)
    expect(pathOf(() => parseGenesis(source))).toBe(path)
  })

  it('when its config was edited after the vanity was made', () => {
    const json = copy()
    json.config.chainId = 230000
    expect(codeOf(() => parseGenesis(json))).toBe('GENESIS_VANITY')
    expect(() => parseGenesis(json)).toThrow(/its vanity must be 0x[0-9a-f]{64}/)
  })

  it.each([
    ['seals', { seals: [new Uint8Array(65)] }],
    ['a round', { round: 1 }],
    ['no validators', { validators: [] }],
    ['unsorted validators', { validators: [...VALIDATORS].reverse() }],
  ])('when its extraData has %s', (_, change) => {
    const extraData = { ...decodeExtraData(hexToBytes(GENESIS_JSON.extraData)), ...change }
    const json = { ...copy(), extraData: bytesToHex(encodeExtraData(extraData)) }
    expect(codeOf(() => parseGenesis(json))).toBe('GENESIS_EXTRA_DATA')
  })
})

describe('createGenesisJson', () => {
  const qbft = { membershipContract: MEMBERSHIP }
  const options = { chainId: 1, validators: VALIDATORS, alloc: {}, qbft, timestamp: 0 }
  it('sorts validators and takes what it is told', () => {
    const json = createGenesisJson({ ...options, validators: [...VALIDATORS].reverse(), gasLimit: 10n ** 7n })
    expect(parseGenesis(json)).toMatchObject({ validators: VALIDATORS, gasLimit: 10n ** 7n, timestamp: 0, chainId: 1 })
  })

  it.each([
    ['JSON_RANGE', { chainId: 0 }],
    ['VALIDATORS_EMPTY', { validators: [] }],
    ['VALIDATORS_DUPLICATE', { validators: [VALIDATORS[0]!, VALIDATORS[0]!] }],
    ['HEX_INVALID', { validators: ['0x1'] }],
    ['JSON_TYPE', { alloc: { nobody: {} } }],
    ['JSON_RANGE', { gasLimit: 1n }],
    ['JSON_RANGE', { qbft: { ...qbft, minBlockPeriodMs: 0 } }],
  ])('refuses with %s what could not be read back (%#)', (code, change) => {
    expect(codeOf(() => createGenesisJson({ ...options, ...change }))).toBe(code)
  })
})
