import type { FolderFacts, GatewayFacts, LogFacts } from './doctor-facts.js'
import { type Finding, type FindingCode, NOT_KNOWN, finding } from './finding.js'

/** What the files of a node say that does not run. */
export function folderFindings(folder: FolderFacts): Finding[] {
  const faults = [
    ...storeFindings(folder), ...logFindings(folder), ...journalFindings(folder), ...gatewayFindings(folder.gateway),
  ]
  const ports = folder.takenPorts.map(({ use, port }) => finding('PORT_TAKEN', 'error', { use, port }))
  const isLocked = faults.some(({ code }) => code === 'STORE_LOCKED')
  // Whoever has the store open has the ports: one finding says it.
  if (isLocked) return faults
  const { data, store } = folder
  const stopped = finding('NODE_STOPPED', 'warning', { data, head: store.head ?? (store.isRead ? 0 : NOT_KNOWN) })
  return [...faults, ...ports, stopped, ...soundFindings(folder, faults)]
}

const STORE_CODES: Partial<Record<string, FindingCode>> = {
  STORE_DAMAGED: 'STORE_DAMAGED',
  STORE_INCONSISTENT: 'STORE_DAMAGED',
  STORE_IN_USE: 'STORE_LOCKED',
  STORE_GENESIS_MISMATCH: 'STORE_OTHER_CHAIN',
  RIGHTS: 'RIGHTS',
}

function storeFindings({ store: { folder, fault } }: FolderFacts): Finding[] {
  if (fault === undefined) return []
  return [finding(STORE_CODES[fault.code] ?? 'STORE_REFUSED', 'error', { path: folder, folder, ...fault })]
}

/** A log matters to those alone who vote. */
function logFindings({ log, store, isValidator }: FolderFacts): Finding[] {
  if (log === undefined) return []
  const { path, status, fault } = log
  if (fault !== undefined) return [finding(fault.code === 'RIGHTS' ? 'RIGHTS' : 'LOG_REFUSED', 'error', { path, ...fault })]
  if (isValidator === false) return []
  const halved = log.halves > 0 ? [finding('LOG_HALVED', 'warning', { path, records: log.halves })] : []
  if (log.silence === undefined) return halved
  if (status === 'foreign') return [finding('LOG_FOREIGN', 'warning', foreignValues(log)), ...halved]
  const isLost = status === 'missing' || status === 'damaged'
  // Whether the two belong together is not known of a store that was not read.
  if (!isLost && !store.isRead) return halved
  return [finding(isLost ? 'LOG_LOST' : 'LOG_SILENT', 'warning', { path, status, reason: log.silence }), ...halved]
}

/** Whose log it is, and whose key lies beside it. */
export function foreignValues({ path, owner, address }: Pick<LogFacts, 'path' | 'owner' | 'address'>): Finding['values'] {
  return { path, owner: owner ?? NOT_KNOWN, address: address ?? NOT_KNOWN }
}

function journalFindings({ journal, store }: FolderFacts): Finding[] {
  const { path, fault, droppedBytes, isMissing } = journal
  if (fault !== undefined) return [finding(fault.code === 'RIGHTS' ? 'RIGHTS' : 'JOURNAL_REFUSED', 'error', { path, ...fault })]
  // The first start makes it, so that none beside a chain is one that was lost.
  if (isMissing && (store.head ?? 0) > 0) return [finding('JOURNAL_MISSING', 'warning', { path })]
  return droppedBytes > 0 ? [finding('JOURNAL_DAMAGED', 'warning', { path, droppedBytes })] : []
}

function gatewayFindings(gateway: GatewayFacts | undefined): Finding[] {
  if (gateway?.fault === undefined) return []
  const { folder: path, isEnabled, fault } = gateway
  if (fault.code === 'RIGHTS') return [finding('RIGHTS', 'error', { path, ...fault })]
  return [finding('GATEWAY_DAMAGED', isEnabled ? 'error' : 'warning', { path, ...fault })]
}

/** After a deep look that has found nothing. */
function soundFindings({ store, gateway }: FolderFacts, faults: readonly Finding[]): Finding[] {
  if (store.deep === undefined || faults.length > 0) return []
  return [finding('FOLDER_SOUND', 'info', { ...store.deep, records: gateway?.records ?? 0 })]
}
