import { type Address } from './bytes.js'
import { failField, joinPath, readAddressField, readInteger, readObject, readShape } from './json-fields.js'

/** `config.qbft` of the genesis: what all validators must agree on. */
export interface QbftConfig {
  /** Timer of round 0. */
  readonly roundTimeoutMs: number
  /** Added with each round … */
  readonly roundTimeoutStepMs: number
  /** … up to here. */
  readonly roundTimeoutCapMs: number
  /** From block to block, at least. */
  readonly minBlockPeriodMs: number
  /** Heartbeat: an empty block is due when none was made for so long. */
  readonly emptyBlockPeriodS: number
  /** Version by the height from which it holds; height 0 is always there. Later ones come by motion. */
  readonly protocolVersions: Readonly<Record<number, number>>
  /** Answers `getValidators()`, the set that seals the next block. */
  readonly membershipContract: Address
}

/**
 * 4 s: the dearest block that the gas limit allows executes inside a third of it, so that proposer and validators can
 * each execute it and deliver it in time. Linear growth: a doubling timer reaches hours after a night without a quorum.
 */
export const DEFAULT_QBFT_CONFIG: Omit<QbftConfig, 'membershipContract'> = {
  roundTimeoutMs: 4_000,
  roundTimeoutStepMs: 1_000,
  roundTimeoutCapMs: 20_000,
  minBlockPeriodMs: 50,
  emptyBlockPeriodS: 30,
  protocolVersions: { 0: 1 },
}

const MAX_PROTOCOL_VERSION = 0xffff
const MAX_PROTOCOL_CHANGES = 64
const MAX_HEIGHT = Number.MAX_SAFE_INTEGER

const RANGES = {
  roundTimeoutMs: { min: 100, max: 600_000 },
  roundTimeoutStepMs: { min: 0, max: 600_000 },
  roundTimeoutCapMs: { min: 100, max: 3_600_000 },
  minBlockPeriodMs: { min: 1, max: 60_000 },
  emptyBlockPeriodS: { min: 1, max: 86_400 },
} as const

function readHeight(key: string, path: string): number {
  if (!/^(0|[1-9][0-9]{0,15})$/.test(key) || Number(key) > MAX_HEIGHT) {
    failField('JSON_TYPE', joinPath(path, key), 'must be named by a block height in decimal')
  }
  return Number(key)
}

function readProtocolVersions(value: unknown, path: string): Record<number, number> {
  const entries = Object.entries(readObject(value, path))
  if (entries.length > MAX_PROTOCOL_CHANGES) {
    failField('JSON_RANGE', path, `has more than ${MAX_PROTOCOL_CHANGES} entries`)
  }
  const versions = entries
    .map(([key, version]) => ({
      height: readHeight(key, path),
      version: readInteger(version, joinPath(path, key), { min: 1, max: MAX_PROTOCOL_VERSION }),
    }))
    .sort((a, b) => a.height - b.height)
  if (versions[0]?.height !== 0) failField('JSON_MISSING', joinPath(path, '0'), 'is missing: the first version')
  versions.forEach(({ height, version }, at) => {
    if (at > 0 && version <= versions[at - 1]!.version) {
      failField('JSON_RANGE', joinPath(path, String(height)), `is ${version}; versions must grow with the height`)
    }
  })
  return Object.fromEntries(versions.map(({ height, version }) => [height, version]))
}

export function readQbftConfig(value: unknown, path: string): QbftConfig {
  const names = Object.keys(RANGES) as (keyof typeof RANGES)[]
  const json = readShape(value, path, { required: [...names, 'protocolVersions', 'membershipContract'] })
  const integer = (name: keyof typeof RANGES): number => readInteger(json[name], joinPath(path, name), RANGES[name])
  const config: QbftConfig = {
    roundTimeoutMs: integer('roundTimeoutMs'),
    roundTimeoutStepMs: integer('roundTimeoutStepMs'),
    roundTimeoutCapMs: integer('roundTimeoutCapMs'),
    minBlockPeriodMs: integer('minBlockPeriodMs'),
    emptyBlockPeriodS: integer('emptyBlockPeriodS'),
    protocolVersions: readProtocolVersions(json.protocolVersions, joinPath(path, 'protocolVersions')),
    membershipContract: readAddressField(json.membershipContract, joinPath(path, 'membershipContract')),
  }
  if (config.roundTimeoutCapMs < config.roundTimeoutMs) {
    failField('JSON_RANGE', joinPath(path, 'roundTimeoutCapMs'), 'is below roundTimeoutMs')
  }
  return config
}

/** The version that the genesis lays down for this height: the entry with the greatest height not above it. */
export function protocolVersionIn(config: QbftConfig, height: number): number {
  const heights = Object.keys(config.protocolVersions).map(Number)
  return config.protocolVersions[Math.max(...heights.filter((from) => from <= height))]!
}
