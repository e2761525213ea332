/** A fact about the node as Prometheus scrapes it. */
export interface Metric {
  /** `songhua_` and the field's words, the unit last: `songhua_head_block_number`. */
  name: string
  help: string
  kind: 'gauge' | 'counter'
  value: number
  labels?: Record<string, string>
}

export interface Readiness {
  ready: boolean
  /** What is lacking, empty when ready: `syncing: block 5 of 90`, `peers: 1 of 2 needed`. */
  reasons: string[]
}

export interface AdminPorts {
  node: {
    /** JSON values only. */
    info(): Record<string, unknown>
    readiness(): Readiness
    /** What `songhua doctor` judges by, JSON values only; absent while the node is paused. */
    diagnosis?(): Record<string, unknown>
  }
  peers: {
    list(): Record<string, unknown>[]
    /** @returns false when it was known already */
    add(address: string): Promise<boolean> | boolean
    /** @returns false when it was not known */
    remove(address: string): Promise<boolean> | boolean
  }
  /** Undefined while the node is paused. */
  chain: ChainAdministration | undefined
  /** Undefined for a node without a gateway. */
  gateway: GatewayAdministration | undefined
  /** Called at each scrape. */
  metrics(): Promise<Metric[]> | Metric[]
}

export interface ChainAdministration {
  /** Copies the sealed blocks to a folder of this machine, new or of an earlier backup, while the node goes on. */
  backup(to: string): Promise<Record<string, number>>
}

export interface GatewayAdministration {
  /** Writes records and, apart from them, the keys of payloads into two folders, while the gateway goes on. */
  backup(target: { to: string; keysTo: string }): Promise<Record<string, number>>
}
