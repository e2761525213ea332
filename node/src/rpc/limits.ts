/**
 * What the RPC server holds at most. Each refusal names the limit it met, so the names are part of the interface.
 * Requests run on the thread that also runs consensus: the figures keep one request under about 20 ms of that thread.
 */
export const RPC_LIMITS = {
  /** HTTP body, bytes: a batch of 1,000 contract deployments does not fit, one of 15 of the largest does. */
  bodyBytesMax: 2 * 1024 * 1024,
  /** WebSocket message, bytes. */
  messageBytesMax: 2 * 1024 * 1024,
  /**
   * HTTP bodies being received at one time, bytes in all; the same again for WebSocket: requests not yet answered, and
   * messages that have begun and not ended.
   */
  inboundBytesMax: 64 * 1024 * 1024,
  /** Of HTTP bodies by one address: a slow one holds what it announced until it is whole. */
  inboundBytesPerAddressMax: 16 * 1024 * 1024,
  /**
   * HTTP responses not yet taken by their clients, bytes in all; the same again for WebSocket, and for answers of
   * batches that are not whole yet.
   */
  outboundBytesMax: 64 * 1024 * 1024,
  /** Of HTTP responses by one address. */
  outboundBytesPerAddressMax: 32 * 1024 * 1024,
  /** Nesting of arrays and objects. */
  jsonDepthMax: 16,
  /** Values in one body; a batch of the most requests has 50 for each. Parsing takes some 0.2 µs and 100 bytes a value. */
  jsonValuesMax: 50_000,
  /** Members of all objects in one body; a name not seen before costs the parser 0.7 µs. */
  jsonMembersMax: 20_000,
  /** Values among the arguments of one request; a schema takes 1 to 4 µs for each, and no other request's turn comes in between. */
  paramValuesMax: 2048,
  batchItemsMax: 1000,
  /** Items of one batch that run at one time. */
  batchConcurrencyMax: 32,
  /** Response of one request, or of one batch in all, characters. */
  responseBytesMax: 10 * 1024 * 1024,
  /**
   * Whole blocks, their receipts and the pool: what of such answers is being made at one time, characters in all. One of
   * the longest, and shorter ones beside it.
   */
  longAnswersBytesMax: 16 * 1024 * 1024,
  /** Requests that wait for their long answer to be made; addresses take turns. */
  longAnswersWaitingMax: 512,
  longAnswersWaitingPerAddressMax: 128,
  /** Requests being answered at one time, over all connections. */
  requestsInFlightMax: 2048,
  /** HTTP requests that have come and are not answered, those that wait for the thread among them; pipelined ones too. */
  httpRequestsMax: 4096,
  httpRequestsPerAddressMax: 1024,
  /** Requests that wait for a transaction to stand in a block; half of those in flight, so that others are answered. */
  receiptWaitsMax: 1024,
  receiptWaitsPerAddressMax: 512,
  connectionsMax: 1024,
  /** Of one address (IPv6: one /64): nobody keeps the others out. */
  connectionsPerAddressMax: 512,
  webSocketConnectionsMax: 256,
  webSocketConnectionsPerAddressMax: 128,
  /** A connection with so many requests under way is not read until half of them are answered. */
  webSocketRequestsInFlightMax: 64,
  /** Unsent bytes at which a WebSocket client counts as too slow and is closed. */
  bufferedBytesMax: 12 * 1024 * 1024,
  subscriptionsPerConnectionMax: 64,
  /** Over all connections: a head is told to each, some 10 µs of the thread. */
  subscriptionsMax: 2048,
  subscriptionsPerAddressMax: 512,
  /** Of newPendingTransactions, over all connections: each transaction is told to each. */
  pendingSubscriptionsMax: 64,
  pendingSubscriptionsPerAddressMax: 16,
  /** Pings of one WebSocket client; each is answered. */
  pingsPerSecondMax: 10,
  pingsBurst: 50,
  filtersMax: 1024,
  filtersPerAddressMax: 256,
  /** A filter that nobody polls for so long is dropped, ms. */
  filterIdleMs: 5 * 60_000,
  /** Transaction hashes that a pending-transaction filter holds between two polls. */
  filterHashesMax: 10_000,
  /** Addresses in one log filter. */
  logAddressesMax: 256,
  /** Alternatives for one topic of a log filter. */
  logTopicsMax: 256,
  logBlocksMax: 10_000,
  logResultsMax: 10_000,
  /** Logs that one search finds, characters of their JSON: some 4 MB of data. The thread of calls makes it, this one sends it. */
  logBytesMax: 8 * 1024 * 1024,
  feeHistoryBlocksMax: 1024,
  feeHistoryPercentilesMax: 100,
  signerMetricsBlocksMax: 1000,
  /** Organisations, nodes, accounts or motions in one answer about them: a node takes some 10 slots, of 0.1 ms each in the thread of calls. */
  governancePageMax: 100,
  /** Slots that one eth_getProof asks for. */
  proofSlotsMax: 1024,
  /** Entries of one access list. */
  accessListAddressesMax: 256,
  /** Storage keys of one entry; paramValuesMax bounds those of all. */
  accessListKeysMax: 1024,
  /** Accounts whose state one call overrides. */
  overrideAccountsMax: 256,
  /** Slots overridden of one account; paramValuesMax bounds those of all. */
  overrideSlotsMax: 1024,
  txpoolContentMax: 10_000,
  /** How long eth_getTransactionReceipt waits for a transaction that is executable in the pool, ms. */
  receiptHoldMs: 1_000,
  /** EIP-7966: how long eth_sendRawTransactionSync waits unless told, ms: some rounds, should the proposer be away. */
  syncWaitDefaultMs: 5_000,
  /** EIP-7966: the longest wait a client may ask for, ms. */
  syncWaitMaxMs: 60_000,
  /** Time to receive the headers, ms. */
  headersReceiveMs: 10_000,
  /** Time to receive a whole request, or a whole WebSocket message, ms. */
  requestReceiveMs: 30_000,
  /** How often the times of open connections are looked at, ms: so much later at most is a slow one cut. */
  receiveCheckMs: 1_000,
  keepAliveMs: 65_000,
  /** An HTTP socket without traffic for so long is closed, ms; longer than any wait of a method. */
  idleSocketMs: 120_000,
  /** A WebSocket that has not answered the last ping when the next is due is closed, ms. */
  pingIntervalMs: 30_000,
} as const

export type RpcLimits = { readonly [K in keyof typeof RPC_LIMITS]: number }
