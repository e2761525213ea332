import { CodedError } from '@songhua/sdk/protocol/errors'
import type { FoundLog } from '@songhua/node/signer/recovery'
import type { SignerLog } from '@songhua/node/signer/signer'

/** A consensus log in memory: what was synced outlives a crash, what was on its way does not. */
export class MemoryLog implements SignerLog {
  status: FoundLog['status'] = 'fresh'
  records: Uint8Array[] = []
  isFull = false
  readonly #sync: () => Promise<void>

  constructor(sync: () => Promise<void> = () => Promise.resolve()) {
    this.#sync = sync
  }

  async append(payload: Uint8Array): Promise<void> {
    if (this.isFull) throw new CodedError('CONSENSUS_LOG_FULL', 'the test says so')
    await this.#sync()
    this.status = 'ok'
    this.records.push(payload)
  }

  async startEpoch(_height: number, records: readonly Uint8Array[]): Promise<void> {
    await this.#sync()
    this.status = 'ok'
    this.isFull = false
    this.records = [...records]
  }

  lose(status: 'missing' | 'damaged'): void {
    this.status = status
    this.records = []
  }

  get found(): FoundLog {
    return { status: this.status, records: this.records }
  }
}
