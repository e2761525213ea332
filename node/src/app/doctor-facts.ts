import type { Address } from '@songhua/sdk/protocol/bytes'
import type { Diagnosis } from './diagnosis.js'
import type { Fault } from './fault.js'

export type { Fault }

/** What `diagnose` judges: gathered by narrow probes, so that it can be made up in a test. */
export interface DoctorFacts {
  /** By the clock of whoever asks, milliseconds since 1970. */
  readonly nowMs: number
  readonly disk: DiskFacts
  readonly key: KeyFacts
  /** Why the genesis file cannot be used. */
  readonly genesis: Fault | undefined
  readonly node: NodeFacts
}

export interface DiskFacts {
  readonly path: string
  readonly freeBytes: number
  /** What must stay free, else the node stops. */
  readonly minFreeBytes: number
}

export interface KeyFacts {
  readonly path: string
  /** Missing, unreadable, no key, or the password in the file that is configured is wrong. */
  readonly fault: Fault | undefined
  /** Others than the owner may read it. */
  readonly isOpen: boolean
}

export type NodeFacts =
  /** `later` was asked `afterMs` after `now`: what moves between the two is progress. */
  | { readonly state: 'running'; readonly now: Diagnosis; readonly later: Diagnosis; readonly afterMs: number }
  /** Its admin port answers, and it waits for something. */
  | { readonly state: 'paused'; readonly reason: Fault }
  | ({ readonly state: 'stopped' } & FolderFacts)

/** What the files of a stopped node show. */
export interface FolderFacts {
  /** The data folder. */
  readonly data: string
  readonly follow: boolean
  /** Of the key that lies there, by the store's last block; undefined when one of the two is not known. */
  readonly isValidator: boolean | undefined
  readonly store: StoreFacts
  /** Undefined for a node that does not take part. */
  readonly log: LogFacts | undefined
  readonly journal: JournalFacts
  /** Undefined where there is none, and none was. */
  readonly gateway: GatewayFacts | undefined
  /** Those of the node's ports that another program listens on. */
  readonly takenPorts: readonly { readonly use: string; readonly port: number }[]
}

export interface StoreFacts {
  readonly folder: string
  /** Why it cannot be opened, or what is damaged in it. */
  readonly fault: Fault | undefined
  /** Number of the last block; undefined for a new folder, and when it was not read. */
  readonly head: number | undefined
  /** Of the last block, milliseconds since 1970. */
  readonly headTimeMs?: number | undefined
  /** Whether there is nothing in it, or it was opened. */
  readonly isRead: boolean
  /** What was read to its last byte and found whole. */
  readonly deep?: { readonly blocks: number; readonly transactions: number; readonly files: number } | undefined
}

export interface LogFacts {
  readonly path: string
  readonly status: 'fresh' | 'ok' | 'missing' | 'damaged' | 'foreign'
  /** Why the validator will keep silent at first. */
  readonly silence: string | undefined
  /** Whose it is, and of the key that lies beside it; undefined when not known. */
  readonly owner: Address | undefined
  readonly address: Address | undefined
  /** Records of which one copy is bad. */
  readonly halves: number
  /** Why it cannot be read. */
  readonly fault: Fault | undefined
}

export interface JournalFacts {
  readonly path: string
  readonly fault: Fault | undefined
  /** Unreadable bytes; the end of a crash's last write, or damage. */
  readonly droppedBytes: number
  readonly isMissing: boolean
}

export interface GatewayFacts {
  readonly folder: string
  readonly keysDir: string
  readonly isEnabled: boolean
  readonly fault: Fault | undefined
  /** After a deep look; undefined else. */
  readonly records: number | undefined
}
