import { stat } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { privateKeyToAddress } from '@songhua/sdk/protocol/crypto'
import { isCodedError, messageOf } from '@songhua/sdk/protocol/errors'
import type { Diagnosis } from '../app/diagnosis.js'
import { diskReserve, freeBytesAt } from '../app/disk-room.js'
import type { DoctorFacts, Fault, FolderFacts, KeyFacts, NodeFacts } from '../app/doctor-facts.js'
import { type ListenPort, inspectFolder } from '../app/inspect-folder.js'
import { genesisHashOf } from '../app/open-chain.js'
import { type NodeOptions, dataPaths, endpointToMultiaddr } from '../app/options.js'
import { openKeystore } from './command-keys.js'
import type { CliContext } from './context.js'
import { readJsonFile, readTextFile } from './files.js'
import { readGenesis } from './genesis-file.js'
import { createRpcCall } from './json-rpc.js'
import { parseKeystore, textToPrivateKey } from './keystore.js'
import { readAddresses } from './node-addresses.js'
import { loadOptions } from './node-config.js'
import { createProgress } from './progress.js'

/** Between two looks at a running node: at ten blocks a second and at one every two seconds something moves. */
const WATCH_MS = 2_000
const OTHERS_MAY_READ = 0o077

export interface ProbeOptions {
  readonly data: string
  /** Where a running node answers, when its configuration does not say. */
  readonly admin?: string | undefined
  /** Reads the whole chain of a stopped node. */
  readonly deep?: boolean | undefined
}

/** Gathers what `diagnose` judges. @throws CLI_DATA_FOLDER, CONFIG_… for a folder that is none of a node */
export async function gatherFacts(context: CliContext, probe: ProbeOptions): Promise<DoctorFacts> {
  const options = await loadOptions(context, probe.data, {})
  const genesis = await probeGenesis(context, options)
  const key = await probeKey(context, options)
  const running = await probeNode(context, probe, key.address)
  const folder = { ...probe, options, genesisHash: genesis.hash, address: key.address }
  const node: NodeFacts = running ?? { state: 'stopped', ...(await probeFolder(context, folder)) }
  const { path, minFreeBytes } = diskReserve({ ...options, dataDir: probe.data })
  const disk = { path, minFreeBytes, freeBytes: await freeBytesAt(path) }
  return { nowMs: Date.now(), disk, key: key.facts, genesis: genesis.fault, node }
}

/** What the files show, for a node that does not run. */
export function probeFolder(
  context: CliContext,
  { data, deep, options, genesisHash, address }: FolderProbe,
): Promise<FolderFacts> {
  const progress = createProgress(context, context.t('doctorReading'))
  const onProgress = deep ? (block: number, head: number) => progress.show(block, head) : undefined
  const { follow, gateway } = options
  const keysDir = gateway.keysDir === '' ? dataPaths(data).gatewayKeysDir : gateway.keysDir
  return inspectFolder({
    dataDir: data, genesisHash, follow, address, keysDir, hasGateway: gateway.enabled, deep: onProgress, ports: portsOf(options),
  })
}

export interface FolderProbe extends ProbeOptions {
  readonly options: NodeOptions
  readonly genesisHash: Hash | undefined
  readonly address: Address | undefined
}

export async function probeGenesis(
  context: CliContext,
  { genesisFile }: NodeOptions,
): Promise<{ hash: Hash | undefined; fault: Fault | undefined }> {
  try {
    return { hash: genesisHashOf(await readGenesis(context, genesisFile)), fault: undefined }
  } catch (error) {
    return { hash: undefined, fault: faultOf(error) }
  }
}

export async function probeKey(context: CliContext, { nodeKey }: NodeOptions): Promise<{ facts: KeyFacts; address: Address | undefined }> {
  const path = nodeKey.devFile === '' ? nodeKey.keystoreFile : nodeKey.devFile
  try {
    const address = await addressOfKey(context, nodeKey)
    const isOpen = process.platform !== 'win32' && ((await stat(path)).mode & OTHERS_MAY_READ) !== 0
    return { facts: { path, fault: undefined, isOpen }, address }
  } catch (error) {
    return { facts: { path, fault: faultOf(error), isOpen: false }, address: undefined }
  }
}

/** The password is tried where it is configured, and never asked for. */
async function addressOfKey(
  context: CliContext,
  { devFile, keystoreFile, passwordFile }: NodeOptions['nodeKey'],
): Promise<Address | undefined> {
  if (devFile !== '') {
    const text = await readTextFile(context, 'keyFile', devFile)
    return privateKeyToAddress(textToPrivateKey(context, text, devFile))
  }
  if (passwordFile !== '') return privateKeyToAddress(await openKeystore(context, keystoreFile, passwordFile))
  const { address } = parseKeystore(context, await readJsonFile(context, 'keyFile', keystoreFile), keystoreFile)
  return address === '' ? undefined : `0x${address}`
}

/** Undefined: nobody answers, or another node than that of the folder. */
async function probeNode(context: CliContext, { data, admin }: ProbeOptions, address: Address | undefined): Promise<NodeFacts | undefined> {
  const call = createRpcCall(context, admin ?? (await readAddresses(context, data)).admin)
  try {
    const now = await call<Diagnosis>('admin_diagnosis')
    if (address !== undefined && now.address !== address) return undefined
    await setTimeout(WATCH_MS)
    const later = await call<Diagnosis>('admin_diagnosis')
    return { state: 'running', now, later, afterMs: later.nowMs - now.nowMs }
  } catch (error) {
    if (isCodedError(error, 'RPC_UNREACHABLE')) return undefined
    const { paused } = await call<{ paused?: Fault }>('admin_nodeInfo')
    if (paused === undefined) throw error
    return { state: 'paused', reason: paused }
  }
}

function portsOf({ p2p, rpc, admin, gateway }: NodeOptions): ListenPort[] {
  const endpoints = p2p.listen.map(endpointToMultiaddr).flatMap((address) => {
    const [, host, port] = /^\/[a-z0-9]+\/([^/]+)\/tcp\/(\d+)/.exec(address) ?? []
    return host === undefined ? [] : [{ use: 'p2p', host, port: Number(port) }]
  })
  const doors = [{ use: 'rpc', ...rpc }, { use: 'admin', ...admin }, ...(gateway.enabled ? [{ use: 'gateway', ...gateway }] : [])]
  return [...endpoints, ...doors.map(({ use, host, port }) => ({ use, host, port }))]
}

function faultOf(error: unknown): Fault {
  return { code: isCodedError(error) ? error.code : 'UNKNOWN', message: messageOf(error) }
}
