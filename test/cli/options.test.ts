import { describe, expect, it } from 'vitest'
import { NODE_OPTIONS, type OptionSpec } from '@songhua/node/app/option-table'
import {
  defaultOptions,
  endpointToMultiaddr,
  jsonToOptions,
  resolveOptions,
  textToOption,
} from '@songhua/node/app/options'
import { runCommand } from './in-process.js'

const PEER = '16Uiu2HAmQov3iZiAzpi2gEGwioxNbFJz3TiB6EF2SyEqiSUPmxob'
const spec = (key: string): OptionSpec => NODE_OPTIONS.find((one) => one.key === key) as OptionSpec

describe('the table of options', () => {
  it('has each key and flag once, and help in both languages', () => {
    expect(new Set(NODE_OPTIONS.map(({ key }) => key)).size).toBe(NODE_OPTIONS.length)
    expect(new Set(NODE_OPTIONS.map(({ flag }) => flag)).size).toBe(NODE_OPTIONS.length)
    expect(NODE_OPTIONS.filter(({ help }: OptionSpec) => help.en === '' || !/\p{Script=Han}/u.test(help.zh))).toEqual(
      [],
    )
  })

  it('shows units of defaults, and folders as such, in the help', async () => {
    const { stdout } = await runCommand(['start', '--help'])
    const help = stdout.replace(/\s+/g, ' ')
    for (const part of ['(default: 200 ms)', '(default: 256 MB)', '--gateway-keys <folder>']) expect(help).toContain(part)
    expect((await runCommand(['devnet', '--help'])).stdout.match(/--gateways[^]*?--data/)![0].match(/default/g)).toHaveLength(1)
  })

  it('accepts its own defaults when they stand in a file', () => {
    const file = JSON.parse(JSON.stringify(resolveOptions())) as unknown
    expect(jsonToOptions(file, 'songhua.json')).toEqual(defaultOptions())
  })
})

it('takes proxies by address and by network', () => {
  const given = ['10.0.0.1', '192.168.0.0/16', '::1', '2001:db8::/32']
  expect(textToOption(spec('gateway.trustedProxies'), given.join(','))).toEqual(given)
})

describe('a configuration file', () => {
  it.each([
    ['an unknown option', { rpc: { prot: 1 } }, 'CONFIG_UNKNOWN_OPTION', 'songhua.json: unknown option rpc.prot'],
    ['an unknown section', { ftp: { port: 1 } }, 'CONFIG_UNKNOWN_OPTION', 'unknown option ftp'],
    ['a key from the prototype', { rpc: { constructor: 1 } }, 'CONFIG_UNKNOWN_OPTION', 'rpc.constructor'],
    ['a port as text', { rpc: { port: '8545' } }, 'CONFIG_BAD_VALUE', 'songhua.json: rpc.port: must be a port'],
    ['a port too high', { admin: { port: 65536 } }, 'CONFIG_BAD_VALUE', 'admin.port'],
    ['a broken port', { admin: { port: 1.5 } }, 'CONFIG_BAD_VALUE', 'admin.port'],
    ['a text for a boolean', { follow: 'yes' }, 'CONFIG_BAD_VALUE', 'follow: must be true or false, not "yes"'],
    ['an admin address that is not loopback', { admin: { host: '0.0.0.0' } }, 'CONFIG_BAD_VALUE', '127.0.0.1, ::1'],
    ...['10.0.0.0/33', '10.0.0', '::1/129', 'proxy.example.cn', '10.0.0.1/8/8', '*', '10.0.0.1/'].map((network): [string, unknown, string, string] => [
      `the network ${network}`, { gateway: { trustedProxies: [network] } }, 'CONFIG_BAD_VALUE', 'gateway.trustedProxies',
    ]),
    ['a peer without id', { p2p: { bootnodes: ['/ip4/10.0.0.1/tcp/1'] } }, 'CONFIG_BAD_VALUE', 'p2p.bootnodes'],
    ['a listener without port', { p2p: { listen: ['10.0.0.1'] } }, 'CONFIG_BAD_VALUE', '"10.0.0.1" is not'],
    ['an origin with a path', { rpc: { corsOrigins: ['https://a.cn/x'] } }, 'CONFIG_BAD_VALUE', 'rpc.corsOrigins'],
    ['a list that is a text', { rpc: { allowedHosts: '*' } }, 'CONFIG_BAD_VALUE', 'rpc.allowedHosts'],
    ['a list too long', { rpc: { allowedHosts: Array(257).fill('a') } }, 'CONFIG_BAD_VALUE', 'at most 256'],
    ['a section that is a list', { rpc: [] }, 'CONFIG_NOT_AN_OBJECT', 'songhua.json: rpc'],
    ['null', null, 'CONFIG_NOT_AN_OBJECT', 'songhua.json'],
  ])('is refused by name for %s', (_what, json, code, message) => {
    expect(() => jsonToOptions(json, 'songhua.json')).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) as string }) as Error,
    )
  })

  it('yields to flags and wins over defaults; the result is frozen through and through', () => {
    const options = resolveOptions(jsonToOptions({ rpc: { port: 1, host: '::1' } }, 'file'), { 'rpc.port': 2 })
    expect(options.rpc).toMatchObject({ port: 2, host: '::1' })
    expect(options.admin.port).toBe(9545)
    expect([options, options.rpc, options.p2p.listen].every(Object.isFrozen)).toBe(true)
  })
})

describe('a flag', () => {
  it('takes lists with commas, and refuses the one bad item by value', () => {
    expect(
      textToOption(spec('p2p.bootnodes'), `/ip4/1.2.3.4/tcp/1/p2p/${PEER}, /dns4/a.cn/tcp/2/p2p/${PEER}`),
    ).toHaveLength(2)
    expect(() => textToOption(spec('p2p.listen'), '127.0.0.1:1,elsewhere')).toThrow(/--p2p-listen.*"elsewhere" is not/)
  })

  it.each(['', '-1', '1e3', '0x10', '99999', ' 80'])('refuses %j as a port', (text) => {
    expect(() => textToOption(spec('rpc.port'), text)).toThrow(/^--rpc-port: must be a port/)
  })

  it('gives endpoints as multiaddrs', () => {
    expect(['127.0.0.1:30303', '[::1]:1', 'node.example.cn:2', '/ip4/1.2.3.4/tcp/5'].map(endpointToMultiaddr)).toEqual([
      '/ip4/127.0.0.1/tcp/30303',
      '/ip6/::1/tcp/1',
      '/dns/node.example.cn/tcp/2',
      '/ip4/1.2.3.4/tcp/5',
    ])
  })
})
