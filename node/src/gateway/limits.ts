/**
 * What the gateway's HTTP server takes at most. Each refusal names its limit, so the names are part of the interface.
 */
export const GATEWAY_LIMITS = {
  /** Of records, bytes. */
  bodyBytesMax: 32 * 1024 * 1024,
  /** Of a bundle to verify with its payload, bytes. What is no validator history takes some 30 ms at this size. */
  verifyBodyBytesMax: 2 * 1024 * 1024,
  /**
   * Of a bundle's validator history, characters. Verification runs on the server's thread, and 64 seals take it 5 to
   * 6.5 ms a header of 12,600 characters (measured: 2 MiB of such held it for 800 ms, this holds it for some 230). It
   * is 35 changes of 64 validators, or 200 of four.
   */
  verifyHistoryCharactersMax: 448 * 1024,
  /** History that counts as one more verification: the largest takes 19 turns more, so one address one a second. */
  verifyHistoryCharactersPerTurn: 24 * 1024,
  /** Body that counts as one more verification, bytes; 1 MiB takes some 12 ms when it is scanned, parsed and hashed. */
  verifyBodyBytesPerTurn: 512 * 1024,
  /** Values in a body to verify: a bundle and a trust anchor have 32,768 each. */
  verifyValuesMax: 64 * 1024,
  /** Of everything else, bytes. */
  smallBodyBytesMax: 16 * 1024,
  /** Bodies being received or worked on at one time, bytes in all. */
  inboundBytesMax: 256 * 1024 * 1024,
  /** Of them by one API key: four of the largest. A slow body holds what it announced until it is whole. */
  inboundBytesPerKeyMax: 128 * 1024 * 1024,
  /**
   * Of bodies by callers without a key, what has come of them: all together, since they never keep out those who have
   * one, and from one address (IPv6: one /64), bytes.
   */
  inboundBytesAnonymousMax: 32 * 1024 * 1024,
  inboundBytesPerAddressMax: 4 * 1024 * 1024,
  /** Time to receive the body of a caller without a key, ms. */
  anonymousReceiveMs: 10_000,
  /** Answers to callers with a key that have not left yet, bytes in all: what a client does not read stays in memory. */
  outboundBytesMax: 64 * 1024 * 1024,
  /** Of them to one API key: more than twenty of the largest payloads. */
  outboundBytesPerKeyMax: 32 * 1024 * 1024,
  /** Answers to callers without a key, bytes: in all, and to one address (IPv6: one /64). */
  outboundBytesAnonymousMax: 16 * 1024 * 1024,
  outboundBytesPerAddressMax: 4 * 1024 * 1024,
  recordsPerRequestMax: 10_000,
  /** Nesting of arrays and objects; evidence may be nested 32 deep. */
  jsonDepthMax: 64,
  /** Values in one body: 100 for each of the most records. A parsed one takes some 100 bytes and a few µs. */
  jsonValuesMax: 1_000_000,
  /**
   * Of one record, bytes: a payload has 1 MiB, and escapes may double it. Records are parsed one by one, with turns for
   * others between them, so that this is what one body holds the thread for.
   */
  recordBytesMax: 2 * 1024 * 1024,
  /** Values in one record; a payload has 100,000. */
  recordValuesMax: 128 * 1024,
  /** Violations told of one request; the rest is counted. */
  violationsMax: 1000,
  csvColumnsMax: 256,
  /** Of one row, characters. */
  csvRowCharactersMax: 1024 * 1024,
  /** Characters of the mapping's JSON. */
  csvMappingCharactersMax: 8 * 1024,
  /** Of `?wait=final`, ms; shorter than `idleSocketMs`. */
  waitMsDefault: 30_000,
  waitMsMax: 60_000,
  /** Requests that wait for finality at one time, in all and of one API key; more are answered as accepted. */
  waitsMax: 4096,
  waitsPerKeyMax: 1024,
  /** Records that they wait for: each takes some 250 bytes until it is answered. */
  waitRecordsMax: 400_000,
  waitRecordsPerKeyMax: 200_000,
  pageRecordsDefault: 50,
  pageRecordsMax: 500,
  /** Per API key. */
  requestsPerSecond: 4000,
  requestsBurst: 8000,
  recordsPerSecond: 40_000,
  recordsBurst: 100_000,
  /** Requests without a key, and refused keys, per address (IPv6: per /64). */
  anonymousPerSecond: 50,
  anonymousBurst: 200,
  /** `POST /v1/verify` per address: one takes some 12 ms of the thread, an evil one some 230. */
  verifyPerSecond: 20,
  verifyBurst: 60,
  /** Keys and addresses whose rates are remembered; the one unseen longest is forgotten first. */
  ratesMax: 10_000,
  streamsPerKeyMax: 16,
  streamsMax: 512,
  /** Events read from the feed at one time. */
  streamPageEvents: 100,
  heartbeatMs: 15_000,
  webhooksPerIssuerMax: 32,
  webhooksMax: 1024,
  /** Deliveries under way at one time. */
  webhookPostsMax: 32,
  webhookEventsMax: 100,
  /** From the name's resolution to the last byte read, ms. */
  webhookPostMs: 15_000,
  webhookResponseBytesMax: 4096,
  /** First and longest pause between attempts, and how long attempts go on, ms. */
  webhookRetryMsMin: 5_000,
  webhookRetryMsMax: 6 * 3_600_000,
  webhookGiveUpMs: 3 * 24 * 3_600_000,
  /** Of one webhook; the oldest go first. */
  deadLettersMax: 1000,
  webhookUrlCharactersMax: 2048,
  connectionsMax: 1024,
  /** Of one address that is no trusted proxy. */
  connectionsPerAddressMax: 256,
  /** Requests of one connection that are not answered: who pipelines more than that is cut off. */
  requestsPerConnectionMax: 16,
  /** All request headers, bytes. */
  headerBytesMax: 16 * 1024,
  /** Time to receive the headers, and the whole request, ms. */
  headersReceiveMs: 10_000,
  requestReceiveMs: 60_000,
  /** How often the times of open connections are looked at, ms: so much later at most is a slow one cut. */
  receiveCheckMs: 1_000,
  keepAliveMs: 65_000,
  /** A socket without traffic for so long is closed, ms. */
  idleSocketMs: 120_000,
  /** How long requests under way may take while the server stops, ms. */
  stopGraceMs: 2_000,
} as const

export type GatewayLimits = { readonly [K in keyof typeof GATEWAY_LIMITS]: number }
