import { mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { bytesToHex } from '@songhua/sdk/protocol/bytes'
import type { OptionValues } from '../app/options.js'
import { dataPaths } from '../app/options.js'
import { newPrivateKey } from './command-keys.js'
import { type CliContext, cliError } from './context.js'
import { fillDataFolder, optionsToText } from './data-folder.js'
import { type DevAccount } from './dev-accounts.js'
import { devGovernance } from './dev-organisations.js'
import { DEV_KEY_FILE, type DevnetNodePlan, nodeOptions } from './devnet-plan.js'
import { createFolder, isVacant, readJsonFile, readTextFile, replaceFile } from './files.js'
import { createGenesis } from './genesis-file.js'
import { type Identity, privateKeyToIdentity } from './identity.js'
import { textToPrivateKey } from './keystore.js'
import { DEVNET_CHAIN_ID } from './node-config.js'

/** Says that a folder is a devnet and what is in it; written with everything else or not at all. */
const DEVNET_FILE = 'devnet.json'
const DEV_ACCOUNT_BALANCE_WEI = 10_000n * 10n ** 18n
export const MAX_DEVNET_NODES = 64

export const DEFAULT_BASE_PORT = 8545

export interface DevnetCounts {
  validators: number
  followers: number
}
/** What the folder of a devnet says of it. */
export interface StoredDevnet extends DevnetCounts {
  /** Of its last run. */
  basePort: number
}
export interface DevnetNode extends DevnetNodePlan {
  identity: Identity
}

/** @returns what the folder holds, or undefined when it is new or empty @throws CLI_DATA_FOLDER, CLI_JSON */
export async function readDevnet(context: CliContext, dir: string): Promise<StoredDevnet | undefined> {
  if (await isVacant(dir)) return undefined
  const path = join(dir, DEVNET_FILE)
  const json = await readJsonFile(context, 'devnetFile', path).catch((error: unknown) => {
    throw cliError(context, 'CLI_DATA_FOLDER', ['devnetNotOurs', { path: dir }, error])
  })
  const { version, validators, followers, basePort = DEFAULT_BASE_PORT } = (json ?? {}) as Record<string, unknown>
  const damaged = (field: string, must: string): never => {
    throw cliError(context, 'CLI_JSON', ['devnetDamaged', { path, field, must }])
  }
  const integer = (value: unknown, field: string, [least, most]: [number, number]): number =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most
      ? (value as number)
      : damaged(field, `an integer from ${least} to ${most}`)
  if (version !== 1) damaged('version', '1')
  return {
    validators: integer(validators, 'validators', [1, MAX_DEVNET_NODES]),
    followers: integer(followers, 'followers', [0, MAX_DEVNET_NODES]),
    basePort: integer(basePort, 'basePort', [1, 65_535]),
  }
}

/**
 * Makes keys, genesis and a data folder for each node. The keys are stored in plain files of mode 0600: they guard
 * nothing, and opening encrypted ones would cost every start half a second a node.
 */
export async function createDevnet(
  context: CliContext,
  { dir, plan, accounts }: { dir: string; plan: readonly DevnetNodePlan[]; accounts: readonly DevAccount[] },
): Promise<void> {
  const keys = plan.map(() => newPrivateKey())
  const members = plan.map((node, index) => ({
    cityCode: node.cityCode,
    publicKey: privateKeyToIdentity(keys[index] as Uint8Array).publicKey,
    isValidator: node.role !== 'follower',
    isSuper: node.role === 'super',
  }))
  const genesis = createGenesis({
    chainId: DEVNET_CHAIN_ID,
    governance: devGovernance(members, accounts.map(({ address }) => address)),
    balances: accounts.map(({ address }) => ({ address, balance: DEV_ACCOUNT_BALANCE_WEI })),
  })
  await createFolder(context, dir, async (folder) => {
    await replaceFile(dataPaths(folder).genesisFile, `${JSON.stringify(genesis, undefined, 2)}\n`)
    for (const [index, node] of plan.entries()) {
      const nodeDir = join(folder, basename(node.dir))
      const key = keys[index] as Uint8Array
      await mkdir(nodeDir, { mode: 0o700 })
      const keyFile = { name: DEV_KEY_FILE, text: `${bytesToHex(key)}\n`, address: privateKeyToIdentity(key).address }
      await fillDataFolder(nodeDir, { options: {}, keyFile })
    }
    await writeDevnetFile(folder, plan)
  })
}

function writeDevnetFile(dir: string, plan: readonly DevnetNodePlan[]): Promise<void> {
  const followers = plan.filter(({ role }) => role === 'follower').length
  const counts = { validators: plan.length - followers, followers }
  const facts = { version: 1, chainId: DEVNET_CHAIN_ID, ...counts, basePort: plan[0]?.ports.rpc }
  return replaceFile(join(dir, DEVNET_FILE), `${JSON.stringify(facts, undefined, 2)}\n`)
}

/** Reads the nodes' keys. @returns the plan with identities */
export function identifyDevnet(context: CliContext, plan: readonly DevnetNodePlan[]): Promise<DevnetNode[]> {
  return Promise.all(
    plan.map(async (node) => {
      const path = join(node.dir, DEV_KEY_FILE)
      const privateKey = textToPrivateKey(context, await readTextFile(context, 'keyFile', path), path)
      return { ...node, identity: privateKeyToIdentity(privateKey) }
    }),
  )
}

/** Writes this run's ports into the configuration of the devnet and of its nodes. */
export async function configureDevnet(
  dir: string,
  nodes: readonly DevnetNode[],
  logLevel: OptionValues['log.level'],
): Promise<void> {
  const address = (node: DevnetNode): string => `/ip4/127.0.0.1/tcp/${node.ports.p2p}/p2p/${node.identity.peerId}`
  await Promise.all(
    nodes.map(async (node) => {
      const bootnodes = nodes.filter((other) => other !== node && other.role !== 'follower').map(address)
      await replaceFile(dataPaths(node.dir).configFile, optionsToText(nodeOptions(node, { bootnodes, logLevel })))
    }),
  )
  await writeDevnetFile(dir, nodes)
}
