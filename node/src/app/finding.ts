/** `error`: the node does not advance, or will not start. `warning`: it does, and somebody should look. */
export type Severity = 'error' | 'warning' | 'info'

export type FindingCode =
  | 'KEY_UNUSABLE' | 'KEY_OPEN' | 'GENESIS_UNUSABLE' | 'RIGHTS'
  | 'DISK_FULL' | 'DISK_NEARLY_FULL' | 'DISK_SLOW'
  | 'STORE_DAMAGED' | 'STORE_LOCKED' | 'STORE_OTHER_CHAIN' | 'STORE_REFUSED'
  | 'LOG_LOST' | 'LOG_SILENT' | 'LOG_FOREIGN' | 'LOG_HALVED' | 'LOG_REFUSED'
  | 'JOURNAL_DAMAGED' | 'JOURNAL_REFUSED' | 'JOURNAL_MISSING'
  | 'GATEWAY_DAMAGED' | 'GATEWAY_DOWN'
  | 'PORT_TAKEN' | 'NODE_PAUSED' | 'NODE_STOPPED' | 'FOLDER_SOUND'
  | 'CONSENSUS_STOPPED' | 'PROTOCOL_TOO_OLD' | 'PROTOCOL_AHEAD' | 'IMPORT_FAILS' | 'EQUIVOCATION' | 'KEY_ELSEWHERE'
  | 'WRONG_GENESIS' | 'PEER_TOO_OLD' | 'NOT_ADMITTED' | 'CLOSED_EARLY' | 'BANNED' | 'BOOTNODE_ROTATED' | 'BOOTNODE_OTHER_KEY'
  | 'NO_PEERS' | 'NO_QUORUM' | 'VALIDATORS_MISSING' | 'CLOCK_OFF' | 'ROUNDS_DIVERGED' | 'STALLED'
  | 'NOT_VALIDATOR' | 'VALIDATOR_FOLLOWS' | 'NODE_EXCLUDED' | 'SYNCING' | 'ADVANCING' | 'IDLE'

export interface Finding {
  readonly code: FindingCode
  readonly severity: Severity
  /** For the words: numbers, names, paths. */
  readonly values: Readonly<Record<string, string | number>>
}

export const finding = (code: FindingCode, severity: Severity, values: Finding['values'] = {}): Finding => ({ code, severity, values })

/** Of a value that could not be read; the words of findings have it in the reader's language. */
export const NOT_KNOWN = 'not known'
