import { createServer } from 'node:net'
import { decodeBlock } from '@songhua/sdk/protocol/block'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { decodeExtraData } from '@songhua/sdk/protocol/extra-data'
import { recoverSafety } from '../signer/recovery.js'
import { inspectConsensusLog } from '../storage/consensus-log.js'
import { inspectJournal } from '../storage/journal.js'
import { inspectLevelFolder, inspectLogs, namesIn } from '../storage/level-inspect.js'
import { openStore } from '../storage/open-store.js'
import { decodeJournalRecord } from '../txpool/journal-record.js'
import type { FolderFacts, JournalFacts, LogFacts, StoreFacts } from './doctor-facts.js'
import { type Fault, faultOf } from './fault.js'
import { inspectGateway } from './inspect-gateway.js'
import { dataPaths } from './options.js'
import { type VerifyOptions, verifyChainFolder } from './verify-chain.js'

export interface InspectSubject {
  readonly dataDir: string
  /** Of the genesis file; undefined when that cannot be read, and the store is then not opened. */
  readonly genesisHash: Hash | undefined
  readonly follow: boolean
  /** Of the node's key; undefined when that cannot be read. */
  readonly address: Address | undefined
  /** Of the keys of payloads. */
  readonly keysDir: string
  readonly hasGateway: boolean
  /** Reads every file and every block. */
  readonly deep: VerifyOptions['onProgress'] | undefined
  /** Where the node would listen. */
  readonly ports: readonly ListenPort[]
}

export interface ListenPort {
  readonly use: string
  readonly host: string
  readonly port: number
}

/** Of a node that does not run: what its files show. Opens the store as a start would, and changes nothing else. */
export async function inspectFolder(subject: InspectSubject): Promise<FolderFacts> {
  const { dataDir, address, follow, keysDir, hasGateway, genesisHash, deep } = subject
  const { consensusLogFile, poolFile, gatewayDir } = dataPaths(dataDir)
  const { validators, ...store } = await inspectStore(subject)
  return {
    data: dataDir,
    follow,
    isValidator: address && validators?.includes(address),
    store,
    log: follow ? undefined : await inspectLog(consensusLogFile, { address, headNumber: store.head ?? 0 }),
    journal: await inspectPoolJournal(poolFile),
    gateway: await inspectGateway({ gatewayDir, keysDir, isEnabled: hasGateway, genesisHash, isDeep: deep !== undefined }),
    takenPorts: await takenPorts(subject.ports),
  }
}

/** With the set that its last block lists. */
interface InspectedStore extends StoreFacts {
  readonly validators?: readonly Address[] | undefined
}

async function inspectStore({ dataDir, genesisHash, deep }: InspectSubject): Promise<InspectedStore> {
  const folder = dataPaths(dataDir).storeDir
  const facts = { folder, fault: undefined, head: undefined, isRead: false }
  try {
    if ((await namesIn(folder)).length === 0) return { ...facts, isRead: true }
    if (genesisHash === undefined) return facts
    // LevelDB throws away what is damaged in a log when it opens: the log is read first.
    const [inLog] = await inspectLogs(folder)
    if (inLog !== undefined) throw new CodedError('STORE_DAMAGED', `${folder}: ${inLog}`)
    const store = await openStore(folder, { genesisHash })
    const header = store.head()?.header
    await store.close()
    const figures = deep && (await inspectDeep(folder, { genesisHash, onProgress: deep }))
    const headTimeMs = header && header.timestamp * 1000
    return { ...facts, head: header?.number, headTimeMs, isRead: true, deep: figures, validators: header && decodeExtraData(header.extraData).validators }
  } catch (error) {
    return { ...facts, fault: faultOf(error) }
  }
}

async function inspectDeep(folder: string, options: VerifyOptions): Promise<StoreFacts['deep']> {
  const [inFiles] = await inspectLevelFolder(folder)
  if (inFiles !== undefined) throw new CodedError('STORE_DAMAGED', `${folder}: ${inFiles}`)
  const { blocks, transactions } = await verifyChainFolder(folder, options)
  return { blocks, transactions, files: (await namesIn(folder)).length }
}

async function inspectLog(path: string, { address, headNumber }: { address: Address | undefined; headNumber: number }): Promise<LogFacts> {
  try {
    const log = await inspectConsensusLog(path, address)
    const { silence } = recoverSafety({ log, headNumber, decodeBlock: (bytes) => decodeBlock(bytes) })
    return { path, status: log.status, silence, owner: log.owner, address, halves: log.halves, fault: undefined }
  } catch (error) {
    return { path, status: 'damaged', silence: undefined, owner: undefined, address, halves: 0, fault: faultOf(error) }
  }
}

async function inspectPoolJournal(path: string): Promise<JournalFacts> {
  try {
    const { payloads, droppedBytes, isForeign, isMissing } = await inspectJournal(path)
    const facts = { path, fault: undefined, droppedBytes, isMissing }
    if (isForeign) return { ...facts, fault: { code: 'JOURNAL_FOREIGN', message: `${path} does not begin as a journal` } }
    const fault = recordFault(payloads)
    return { ...facts, fault }
  } catch (error) {
    return { path, fault: faultOf(error), droppedBytes: 0, isMissing: false }
  }
}

function recordFault(payloads: readonly Uint8Array[]): Fault | undefined {
  try {
    for (const payload of payloads) decodeJournalRecord(payload)
    return undefined
  } catch (error) {
    return faultOf(error)
  }
}

async function takenPorts(ports: readonly ListenPort[]): Promise<FolderFacts['takenPorts']> {
  const taken = await Promise.all(ports.map(async (one) => ((await isTaken(one)) ? [{ use: one.use, port: one.port }] : [])))
  return taken.flat()
}

/** Only by trying; a host that is not of this machine is another matter, and is told at the start. */
function isTaken({ host, port }: ListenPort): Promise<boolean> {
  if (port === 0) return Promise.resolve(false)
  return new Promise((answer) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => answer(error.code === 'EADDRINUSE'))
    server.listen({ host, port, exclusive: true }, () => server.close(() => answer(false)))
  })
}
