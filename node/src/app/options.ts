import { isIP } from 'node:net'
import { join } from 'node:path'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { API_KEYS_FILE } from './gateway-files.js'
import { NODE_OPTIONS, type OptionSpec } from './option-table.js'

/** Longest list that a file or command line may give for one option, in items. */
const MAX_LIST_ITEMS = 256

type Spec = (typeof NODE_OPTIONS)[number]
export type OptionKey = Spec['key']
type ValueOfSpec<S> = S extends { type: 'choice'; choices: readonly (infer C)[] }
  ? C
  : S extends { type: 'boolean' }
    ? boolean
    : S extends { type: 'port' | 'integer' }
      ? number
      : S extends { type: 'endpoints' | 'peers' | 'origins' | 'hosts' | 'networks' }
        ? readonly string[]
        : string

/** Values by key: what a file or a command line gives (`Partial`), or all of them. */
export type OptionValues = { readonly [S in Spec as S['key']]: ValueOfSpec<S> }
type Section = OptionKey extends infer K ? (K extends `${infer S}.${string}` ? S : never) : never
/** The same values nested by section: `options.rpc.port`. */
export type NodeOptions = {
  readonly [K in OptionKey as K extends `${string}.${string}` ? never : K]: OptionValues[K]
} & {
  readonly [S in Section]: {
    readonly [K in OptionKey as K extends `${S}.${infer Name}` ? Name : never]: OptionValues[K]
  }
}

/** Where a data folder keeps what; relative paths in options are relative to the folder. */
export function dataPaths(dataDir: string): {
  configFile: string
  genesisFile: string
  keystoreFile: string
  consensusLogFile: string
  /** What the validator key has signed, for auditors; only when `signatures.journal` asks for it. */
  signaturesFile: string
  storeDir: string
  poolFile: string
  /** Where peers were. It may be deleted: the node finds them by its bootnodes again. */
  knownPeersFile: string
  /** Records, their indexes and payloads (encrypted), API keys (hashed), schemas of this gateway's own. */
  gatewayDir: string
  /** Keys of payloads. */
  gatewayKeysDir: string
  apiKeysFile: string
} {
  const gatewayDir = join(dataDir, 'gateway')
  return {
    configFile: join(dataDir, 'songhua.json'),
    genesisFile: join(dataDir, 'genesis.json'),
    keystoreFile: join(dataDir, 'node-key.json'),
    consensusLogFile: join(dataDir, 'consensus.log'),
    signaturesFile: join(dataDir, 'signatures.ndjson'),
    storeDir: join(dataDir, 'chain'),
    poolFile: join(dataDir, 'transactions.journal'),
    knownPeersFile: join(dataDir, 'known-peers.json'),
    gatewayDir,
    gatewayKeysDir: join(dataDir, 'gateway-keys'),
    apiKeysFile: join(gatewayDir, API_KEYS_FILE),
  }
}

export type OptionErrorCode = 'CONFIG_UNKNOWN_OPTION' | 'CONFIG_BAD_VALUE' | 'CONFIG_NOT_AN_OBJECT'

const SPECS = new Map<string, OptionSpec>(NODE_OPTIONS.map((spec) => [spec.key, spec]))
const SECTIONS = new Set(NODE_OPTIONS.flatMap(({ key }) => (key.includes('.') ? [key.slice(0, key.indexOf('.'))] : [])))

/** What is wrong with a value, as the end of the sentence "must be …"; undefined when nothing is. */
const LIST_ITEMS: Record<string, { be: string; matches: (item: string) => boolean }> = {
  endpoints: { be: 'host:port, [ipv6]:port or a multiaddr such as /ip4/127.0.0.1/tcp/30303', matches: isEndpoint },
  peers: {
    be: 'a multiaddr ending in a peer id, such as /ip4/10.0.0.1/tcp/30303/p2p/16Uiu2H…',
    matches: (item) => /^\/[a-z0-9]+\/[^\s]+\/p2p\/[1-9A-HJ-NP-Za-km-z]{32,64}$/.test(item),
  },
  origins: { be: 'a web origin such as https://example.cn, or *', matches: isOrigin },
  hosts: { be: 'a host name or address without a port, or *', matches: (item) => item === '*' || isHost(item) },
  networks: { be: 'an address or a network such as 10.0.0.0/8 or 2001:db8::/32', matches: isNetwork },
}

/** IPv4 or IPv6, with or without the length of a prefix. */
function isNetwork(text: string): boolean {
  const [address = '', prefix, ...more] = text.split('/')
  const family = isIP(address)
  if (family === 0 || address.includes('%') || more.length > 0) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128))
}

function isHost(text: string): boolean {
  return (
    /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(text) || /^\[?[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\]?$/.test(text)
  )
}

function isEndpoint(text: string): boolean {
  if (text.startsWith('/')) return /^\/(ip4|ip6|dns|dns4|dns6)\/[^/\s]+\/tcp\/\d{1,5}(\/.+)?$/.test(text)
  const match = /^(\[[0-9A-Fa-f:.]+\]|[^:\s]+):(\d{1,5})$/.exec(text)
  return match !== null && isHost(match[1] ?? '') && Number(match[2]) <= 65_535
}

/** `host:port` or `[ipv6]:port` as a multiaddr; a multiaddr stays. @param text checked by the table */
export function endpointToMultiaddr(text: string): string {
  if (text.startsWith('/')) return text
  const [, host = '', port = ''] = /^(\[[^\]]+\]|[^:]+):(\d+)$/.exec(text) ?? []
  const kind = host.startsWith('[') ? 'ip6' : /^[\d.]+$/.test(host) ? 'ip4' : 'dns'
  return `/${kind}/${host.replace(/[[\]]/g, '')}/tcp/${port}`
}

function isOrigin(text: string): boolean {
  return text === '*' || (/^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text)
}

function isInteger(value: unknown, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
}

/** @returns what the value must be, or undefined when it is that. */
function complaint(spec: OptionSpec, value: unknown): string | undefined {
  switch (spec.type) {
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'true or false'
    case 'port':
      return isInteger(value, 0, 65_535) ? undefined : 'a port, an integer from 0 to 65535'
    case 'integer': {
      const [min, max] = [spec.min ?? 0, spec.max ?? Number.MAX_SAFE_INTEGER]
      return isInteger(value, min, max)
        ? undefined
        : `an integer from ${min} to ${max}${spec.unit ? ` ${spec.unit}` : ''}`
    }
    case 'choice':
      return spec.choices?.includes(value as string) ? undefined : `one of ${spec.choices?.join(', ')}`
    case 'host':
      return typeof value === 'string' && isHost(value) ? undefined : 'a host name or address without a port'
    case 'text':
    case 'path':
      return typeof value === 'string' && value.length <= 4096 && !value.includes('\0') ? undefined : 'a text'
    case 'endpoints':
    case 'peers':
    case 'origins':
    case 'hosts':
    case 'networks':
      return listComplaint(spec, value)
    default:
      return spec.type satisfies never
  }
}

function listComplaint(spec: OptionSpec, value: unknown): string | undefined {
  const item = LIST_ITEMS[spec.type]
  if (!Array.isArray(value) || value.length > MAX_LIST_ITEMS) return `a list of at most ${MAX_LIST_ITEMS} items`
  const bad: unknown = value.find((one) => typeof one !== 'string' || !item?.matches(one))
  return bad === undefined ? undefined : `a list in which each is ${item?.be}; ${JSON.stringify(bad)} is not`
}

function checked(spec: OptionSpec, value: unknown, source: string): OptionValues[OptionKey] {
  const must = complaint(spec, value)
  if (must === undefined) return value as OptionValues[OptionKey]
  const shown = JSON.stringify(value) ?? String(value)
  const message = `${source}: must be ${must}${shown.length > 100 || Array.isArray(value) ? '' : `, not ${shown}`}`
  throw new CodedError<OptionErrorCode>('CONFIG_BAD_VALUE', message, { details: { key: spec.key, value } })
}

/**
 * Reads the text of a command-line flag. Lists take commas.
 * @throws CONFIG_BAD_VALUE naming the flag
 */
export function textToOption(spec: OptionSpec, text: string): OptionValues[OptionKey] {
  const isList = spec.type in LIST_ITEMS
  const isNumber = spec.type === 'port' || spec.type === 'integer'
  const list = isList
    ? text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '')
    : undefined
  return checked(spec, list ?? (isNumber && /^\d+$/.test(text) ? Number(text) : text), spec.flag)
}

/**
 * Reads the parsed JSON of a configuration file.
 * @param source shown in front of what is wrong, the file's path
 * @throws CONFIG_UNKNOWN_OPTION, CONFIG_BAD_VALUE, CONFIG_NOT_AN_OBJECT, naming the key
 */
export function jsonToOptions(json: unknown, source: string): Partial<OptionValues> {
  const values: Record<string, unknown> = {}
  for (const [name, value] of entriesOf(json, source)) {
    if (!SECTIONS.has(name)) values[name] = fileValue(name, value, source)
    else {
      for (const [inner, one] of entriesOf(value, `${source}: ${name}`)) {
        values[`${name}.${inner}`] = fileValue(`${name}.${inner}`, one, source)
      }
    }
  }
  return values
}

function entriesOf(json: unknown, source: string): [string, unknown][] {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return Object.entries(json)
  throw new CodedError<OptionErrorCode>('CONFIG_NOT_AN_OBJECT', `${source}: must be a JSON object`, {
    details: { source },
  })
}

function fileValue(key: string, value: unknown, source: string): unknown {
  const spec = SPECS.get(key)
  if (spec !== undefined) return checked(spec, value, `${source}: ${key}`)
  const known = [...SPECS.keys()].join(', ')
  throw new CodedError<OptionErrorCode>(
    'CONFIG_UNKNOWN_OPTION',
    `${source}: unknown option ${key}; known are ${known}`,
    {
      details: { key },
    },
  )
}

/** Layers over the defaults, the last one winning. @returns all options, nested by section, frozen */
export function resolveOptions(...layers: Partial<OptionValues>[]): NodeOptions {
  const values = Object.assign({}, defaultOptions(), ...layers) as Record<string, unknown>
  const nested: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(values)) {
    const [section = '', name] = key.split('.')
    if (name === undefined) nested[section] = frozen(value)
    else nested[section] = { ...(nested[section] as object | undefined), [name]: frozen(value) }
  }
  for (const section of SECTIONS) Object.freeze(nested[section])
  return Object.freeze(nested) as NodeOptions
}

function frozen(value: unknown): unknown {
  return Array.isArray(value) ? Object.freeze([...(value as unknown[])]) : value
}

export function defaultOptions(): OptionValues {
  return Object.fromEntries(NODE_OPTIONS.map((spec) => [spec.key, spec.default])) as unknown as OptionValues
}
