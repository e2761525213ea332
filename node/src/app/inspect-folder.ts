import { createServer } from 'node:net'
import { decodeBlock } from '@songhua/sdk/protocol/block'
import type { Hash } from '@songhua/sdk/protocol/bytes'
import { CodedError, isCodedError, messageOf } from '@songhua/sdk/protocol/errors'
import { recoverSafety } from '../signer/recovery.js'
import { inspectConsensusLog } from '../storage/consensus-log.js'
import { inspectJournal } from '../storage/journal.js'
import { inspectLevelFolder, inspectLogs, namesIn } from '../storage/level-inspect.js'
import { openStore } from '../storage/open-store.js'
import { decodeJournalRecord } from '../txpool/journal-record.js'
import type { Fault, FolderFacts, JournalFacts, LogFacts, StoreFacts } from './doctor-facts.js'
import { dataPaths } from './options.js'
import { type VerifyOptions, verifyChainFolder } from './verify-chain.js'

export interface InspectSubject {
  readonly dataDir: string
  /** Of the genesis file; undefined when that cannot be read, and the store is then not opened. */
  readonly genesisHash: Hash | undefined
  readonly follow: boolean
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
  const { consensusLogFile, poolFile } = dataPaths(subject.dataDir)
  const store = await inspectStore(subject)
  return {
    follow: subject.follow,
    store,
    log: subject.follow ? undefined : await inspectLog(consensusLogFile, store.head ?? 0),
    journal: await inspectPoolJournal(poolFile),
    takenPorts: await takenPorts(subject.ports),
  }
}

async function inspectStore({ dataDir, genesisHash, deep }: InspectSubject): Promise<StoreFacts> {
  const folder = dataPaths(dataDir).storeDir
  if ((await namesIn(folder)).length === 0 || genesisHash === undefined) return { folder, fault: undefined, head: undefined }
  // LevelDB throws away what is damaged in a log when it opens: the log is read first.
  const [inLog] = await inspectLogs(folder)
  if (inLog !== undefined) return { folder, fault: { code: 'STORE_DAMAGED', message: `${folder}: ${inLog}` }, head: undefined }
  try {
    const store = await openStore(folder, { genesisHash })
    const head = store.head()?.header.number
    await store.close()
    if (deep !== undefined) await inspectDeep(folder, { genesisHash, onProgress: deep })
    return { folder, fault: undefined, head }
  } catch (error) {
    return { folder, fault: faultOf(error), head: undefined }
  }
}

async function inspectDeep(folder: string, options: VerifyOptions): Promise<void> {
  const [inFiles] = await inspectLevelFolder(folder)
  if (inFiles !== undefined) throw new CodedError('STORE_DAMAGED', `${folder}: ${inFiles}`)
  await verifyChainFolder(folder, options)
}

function faultOf(error: unknown): Fault {
  const code: unknown = isCodedError(error) ? error.code : (error as NodeJS.ErrnoException).code
  return { code: typeof code === 'string' ? code : 'UNKNOWN', message: messageOf(error) }
}

async function inspectLog(path: string, headNumber: number): Promise<LogFacts> {
  const log = await inspectConsensusLog(path)
  const { silence } = recoverSafety({ log, headNumber, decodeBlock: (bytes) => decodeBlock(bytes) })
  return { path, status: log.status, silence }
}

async function inspectPoolJournal(path: string): Promise<JournalFacts> {
  const { payloads, droppedBytes, isForeign } = await inspectJournal(path)
  if (isForeign) return { path, fault: { code: 'JOURNAL_FOREIGN', message: `${path} does not begin as a journal` }, droppedBytes }
  try {
    for (const payload of payloads) decodeJournalRecord(payload)
    return { path, fault: undefined, droppedBytes }
  } catch (error) {
    return { path, fault: faultOf(error), droppedBytes }
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
