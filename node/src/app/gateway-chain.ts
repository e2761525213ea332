import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { CodedError, isCodedError, messageOf } from '@songhua/sdk/protocol/errors'
import type { Header } from '@songhua/sdk/protocol/header'
import { createHub } from '../base/hub.js'
import type { Logger } from '../base/logger.js'
import type { Remote, RemoteHandlers } from '../base/remote.js'
import type { ChainProofs, ChainWriter, LocatedTransaction, ReadPolicy } from '../gateway/ports.js'
import { type Reader, type ReadStanding, readerKey } from '../permission/reads.js'
import { historyProofs } from './history-proofs.js'
import type { Ledger } from './ledger.js'
import type { Reads } from './reads.js'

type HandledLedger = Pick<Ledger, 'pool' | 'chain' | 'store'>

/** The node's side: what the gateway's thread may ask of the chain. */
export function chainHandlers(ledger: HandledLedger, reads: Pick<Reads, 'standingOf'>): RemoteHandlers {
  const { pool, chain, store } = ledger
  return {
    pendingNonce: (address: Address) => pool.pendingNonce(address),
    submit: (raw: Uint8Array) => submit(ledger, raw),
    locate: (hash: Hash) => locate(ledger, hash),
    head: () => chain.head().header.number,
    header: (number: number) => requireHeader(store.header(number), number),
    historyPath: (claim: { number: number; size: number }) => historyProofs(store).historyPath(claim),
    readStanding: (reader: Reader) => reads.standingOf(reader),
  }
}

async function submit({ pool }: HandledLedger, raw: Uint8Array): Promise<void> {
  try {
    await pool.submit(raw)
  } catch (error) {
    // It is durable there.
    if (!isCodedError(error, 'POOL_ALREADY_KNOWN')) throw error
  }
}

function locate({ store }: HandledLedger, hash: Hash): LocatedTransaction | undefined {
  const location = store.transactionLocation(hash)
  if (location === undefined) return undefined
  const { number, index } = location
  const receipts = store.receipts(number)
  if (receipts === undefined) throw unknownHeader(number)
  return { header: requireHeader(store.header(number), number), receipts, transactionIndex: index }
}

function requireHeader(header: Header | undefined, number: number): Header {
  if (header === undefined) throw unknownHeader(number)
  return header
}

function unknownHeader(number: number): CodedError {
  return new CodedError('HEADER_UNKNOWN', `block ${number} is not in this node's chain`, { details: { number } })
}

export interface RemoteChain {
  readonly writer: ChainWriter
  readonly proofs: ChainProofs
  readonly policy: ReadPolicy
  /** The node has a new block. */
  notify(): void
}

/** The thread's side. `notify` is called by the node after each block. */
export function remoteChain(remote: Remote, logger: Logger): RemoteChain {
  const policy = remotePolicy(remote)
  const blocks = createHub<void>((error) => logger.error('a listener to blocks failed', { error: messageOf(error) }))
  return {
    policy,
    notify() {
      policy.forget()
      blocks.emit()
    },
    writer: {
      pendingNonce: (address) => remote.call('pendingNonce', address),
      submit: (raw) => remote.call('submit', raw),
      locate: (hash) => remote.call('locate', hash),
      onBlock: (listener) => blocks.subscribe(listener),
    },
    proofs: {
      head: () => remote.call('head'),
      header: (number) => remote.call('header', number),
      historyPath: (claim) => remote.call('historyPath', claim),
    },
  }
}

/** Asked once for each key and block. The node answers and tells of blocks in order, so that nothing older is kept. */
function remotePolicy(remote: Remote): ReadPolicy & { forget(): void } {
  const standings = new Map<string, Promise<ReadStanding | undefined>>()
  return {
    forget: () => standings.clear(),
    standingOf(reader) {
      const key = readerKey(reader)
      const known = standings.get(key)
      if (known !== undefined) return known
      const asked = remote.call<ReadStanding | undefined>('readStanding', reader)
      standings.set(key, asked)
      asked.catch(() => standings.get(key) === asked && standings.delete(key))
      return asked
    },
  }
}
