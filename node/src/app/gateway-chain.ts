import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { CodedError, isCodedError, messageOf } from '@songhua/sdk/protocol/errors'
import type { Header } from '@songhua/sdk/protocol/header'
import { createHub } from '../base/hub.js'
import type { Logger } from '../base/logger.js'
import type { Remote, RemoteHandlers } from '../base/remote.js'
import type { ChainProofs, ChainWriter, LocatedTransaction } from '../gateway/ports.js'
import { historyProofs } from './history-proofs.js'
import type { Ledger } from './ledger.js'

/** The node's side: what the gateway's thread may ask of the chain. */
export function chainHandlers(ledger: Ledger): RemoteHandlers {
  const { pool, chain, store } = ledger
  return {
    pendingNonce: (address: Address) => pool.pendingNonce(address),
    submit: (raw: Uint8Array) => submit(ledger, raw),
    locate: (hash: Hash) => locate(ledger, hash),
    head: () => chain.head().header.number,
    header: (number: number) => requireHeader(store.header(number), number),
    historyPath: (claim: { number: number; size: number }) => historyProofs(store).historyPath(claim),
  }
}

async function submit({ pool }: Ledger, raw: Uint8Array): Promise<void> {
  try {
    await pool.submit(raw)
  } catch (error) {
    // It is durable there.
    if (!isCodedError(error, 'POOL_ALREADY_KNOWN')) throw error
  }
}

function locate({ store }: Ledger, hash: Hash): LocatedTransaction | undefined {
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

/** The thread's side. `notify` is called by the node after each block. */
export function remoteChain(remote: Remote, logger: Logger): { writer: ChainWriter; proofs: ChainProofs; notify(): void } {
  const blocks = createHub<void>((error) => logger.error('a listener to blocks failed', { error: messageOf(error) }))
  return {
    notify: () => blocks.emit(),
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
