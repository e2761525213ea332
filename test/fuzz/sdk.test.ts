import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type AnchoredRecord, type GatewayConnection, connect, isSonghuaError } from '@songhua/sdk'
import { headerFromJson, locatedLogFromJson, placeFromJson, receiptFromJson } from '@songhua/sdk/chain/block-json'
import { createChainProver } from '@songhua/sdk/chain/chain-prover'
import { createChainReader } from '@songhua/sdk/chain/chain-reader'
import { createRpcClient } from '@songhua/sdk/chain/rpc-client'
import { SonghuaError } from '@songhua/sdk/connection/songhua-error'
import { readOutcomes } from '@songhua/sdk/gateway/answer'
import { watchEvents } from '@songhua/sdk/gateway/event-stream'
import type { HttpClient } from '@songhua/sdk/gateway/http-client'
import { bytesToHex } from '@songhua/sdk/protocol/bytes'
import { createEvidenceAssembler } from '@songhua/sdk/protocol/evidence-assembly'
import type { JsonObject } from '@songhua/sdk/protocol/json-fields'
import { parseTrustAnchor } from '@songhua/sdk/protocol/trust-anchor'
import { createRecordBuilder } from '@songhua/sdk/records/builder'
import { headerToJson, logToJson, receiptToJson } from '@songhua/node/rpc/json'
import { createEvidenceChain } from '../protocol/evidence-support.js'
import { registry } from '../records/samples.js'
import { chainOf, receipts, trustIn } from '../sdk/changing-chain.js'
import { ISSUER, type Stub, collect, licence, serve } from '../sdk/support.js'
import { transactionOf } from '../storage/chain-builder.js'
import { jsonEdited, jsonTexts, strange, textEdited } from './json.js'
import { anyBytes, mutated } from './mutations.js'
import { assertNoPollution, knownCode, outcomeOf } from './outcome.js'
import { FUZZ_TIMEOUT_MS, holds, holdsAsync } from './runs.js'

afterEach(assertNoPollution)

const NO_RETRY = { timeoutMs: 0, delayMs: 0, delayMsMax: 0 }
/** Of this SDK; what a gateway or node says in its own words comes through with its own code. */
const OWN = /^[A-Z][A-Z0-9_]*$/
const sdkError = (error: unknown): string => {
  if (!isSonghuaError(error)) throw new Error(`no error of the SDK left it: ${String(error)}`, { cause: error })
  return knownCode(OWN, error)
}

// --------------------------------------------------------------------------------------------------- event stream

/** The first answer is the stream, the next says stop. */
function streamOf(chunks: readonly Uint8Array[]): HttpClient {
  let isOpen = false
  return {
    request: () => Promise.reject(new Error('not used')),
    open: () => {
      if (isOpen) return Promise.reject(new SonghuaError('STOPPED', 'the stub has no more', { status: 404 }))
      isOpen = true
      const body = new ReadableStream<Uint8Array>({
        start: (control) => {
          for (const chunk of chunks) control.enqueue(chunk)
          control.close()
        },
      })
      return Promise.resolve(new Response(body, { headers: { 'content-type': 'text/event-stream' } }))
    },
  }
}

async function watch(chunks: readonly Uint8Array[]): Promise<string> {
  try {
    for await (const event of watchEvents(streamOf(chunks), {}, NO_RETRY)) {
      expect(typeof event.cursor).toBe('string')
      expect(typeof event.type).toBe('string')
    }
  } catch (error) {
    return sdkError(error)
  }
  throw new Error('the watching has ended by itself')
}

const eventText = (data: string): string => `id: 1.0\nevent: record.anchored\ndata: ${data}\n\n`
const EVENT = { cursor: '1.0', type: 'record.anchored', recordId: '7', blockNumber: 3 }
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('the event stream of a gateway that lies', { timeout: FUZZ_TIMEOUT_MS }, () => {
  it('gives events, or an error of the SDK', async () => {
    const good = utf8(`: cursor 0.0\n\n${eventText(JSON.stringify(EVENT))}${eventText(JSON.stringify({ ...EVENT, cursor: '2.0' }))}`)
    const streams = fc.oneof(
      mutated(fc.constant(good)),
      jsonTexts(EVENT).map((text) => utf8(eventText(text))),
      textEdited(new TextDecoder().decode(good)).map(utf8),
      anyBytes,
    )
    const cut = fc.tuple(streams, fc.integer({ min: 1, max: 60 })).map(([bytes, size]) =>
      Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.slice(at * size, (at + 1) * size)))
    await holdsAsync(cut, 200, async (chunks) => void (await watch(chunks)))
  })

  it.each([
    ['an event of null, whose cursor was read', 'null'],
    ['an event that is a number', '7'],
  ])('keeps what was mended: %s', async (_, data) => {
    expect(await watch([utf8(eventText(data))])).toBe('GATEWAY_ANSWER')
  })
})

// -------------------------------------------------------------------------------------------------------- gateway

const INPUT = licence(1)
const builder = createRecordBuilder(registry)
const built = builder.build({ id: INPUT.schema }, { issuer: ISSUER, payload: INPUT.payload })
const chain = createEvidenceChain([{ ...built, envelope: built.envelope as unknown as JsonObject }], 1n)
const anchored = {
  id: built.envelope.id, status: 'anchored', replayed: false,
  evidence: createEvidenceAssembler(chain.anchored(8))(built.envelope, 0),
  payload: Buffer.from(built.payload).toString('base64'), salt: bytesToHex(built.salt),
}

describe('a gateway that lies', { timeout: FUZZ_TIMEOUT_MS }, () => {
  let stub: Stub
  let answer: () => { status: number; body: string }
  let connection: GatewayConnection

  beforeAll(async () => {
    stub = await serve((_, response) => {
      const { status, body } = answer()
      response.writeHead(status, { 'content-type': 'application/json' }).end(body)
    })
    connection = await connect({ gateway: stub.url, apiKey: 'shk_', trustAnchor: chain.trustAnchor(), retry: NO_RETRY })
  })
  afterAll(() => stub.stop())

  const statuses = fc.oneof({ arbitrary: fc.constantFrom(200, 201), weight: 6 }, { arbitrary: fc.constantFrom(202, 204, 400, 401, 409, 422, 500, 503), weight: 1 })
  const lies = (good: unknown) => fc.tuple(statuses, fc.oneof(jsonTexts(good), anyBytes.map((bytes) => Buffer.from(bytes).toString('latin1'))))
  const tell = ([status, body]: readonly [number, string]): void => {
    answer = () => ({ status, body: status === 204 ? '' : body })
  }

  it('gets nothing through for the record that was sent, unless it is that record', async () => {
    answer = () => ({ status: 201, body: JSON.stringify(anchored) })
    expect((await connection.records.anchor(INPUT)).id).toBe(anchored.id)
    await holdsAsync(lies(anchored), 150, async (lie) => {
      tell(lie)
      const given = await connection.records.anchor(INPUT, { timeoutMs: 0 }).then((record): AnchoredRecord => record, sdkError)
      if (typeof given !== 'string') expect(given.envelope).toEqual(built.envelope)
    })
  })

  it('is answered by errors of the SDK from whatever is asked of it', async () => {
    const good = { records: [anchored], next: 'x', trustAnchor: chain.trustAnchor(), height: 9, pending: 0, error: { code: 'RECORD_INVALID', message: 'x', violations: [{ path: '/a', code: 'TYPE', zh: 'x', en: 'x' }] } }
    const calls: ((records: GatewayConnection['records']) => Promise<unknown>)[] = [
      (records) => records.get(anchored.id),
      (records) => records.evidence(anchored.id),
      (records) => records.payload(anchored.id),
      (records) => collect(records.find({})),
      (records) => collect(records.anchorMany([INPUT], { timeoutMs: 0 })),
      (records) => collect(records.anchorMany([INPUT], { timeoutMs: 0, partial: true })),
      (records) => records.anchorTable('a,b\n1,2\n', { schema: 'government.licence', timeoutMs: 0 }),
      (records) => records.erase(anchored.id),
      (records) => records.hold(anchored.id, 'court'),
      (records) => records.verify(anchored.evidence),
    ]
    await holdsAsync(fc.tuple(lies(good), fc.constantFrom(...calls)), 120, async ([lie, call]) => {
      tell(lie)
      await call(connection.records).catch(sdkError)
    })
  })

  it('tells outcomes of a submission that are outcomes, or none', () => {
    holds(fc.oneof(jsonEdited({ records: [anchored] }), strange), 200, (value) => {
      outcomeOf(OWN, () => readOutcomes(value))
    })
  })
})

// ------------------------------------------------------------------------------------------------------------ node

describe('a node that lies', { timeout: FUZZ_TIMEOUT_MS }, () => {
  const truth = chainOf(12, {})
  const header = truth.headers[5]!
  const headerJson = { ...headerToJson(header, truth.hashes[5]!), transactions: [], uncles: [] }
  const receiptJson = receiptToJson(receipts[0]!, transactionOf(0), {
    blockHash: truth.hashes[5]!, blockNumber: 5, blockTimestamp: 1, firstLogIndex: 0, gasUsedBefore: 0n, index: 0, baseFeePerGas: 0n,
  })
  const readers: [string, unknown, (value: unknown) => unknown][] = [
    ['a header', headerJson, headerFromJson],
    ['a receipt', receiptJson, receiptFromJson],
    ['a place', receiptJson, placeFromJson],
    ['a log', receipts.flatMap(({ logs }) => logs).map((log) => logToJson({ log, blockNumber: 5, blockHash: truth.hashes[5]!, blockTimestamp: 1, transactionHash: truth.hashes[4]!, transactionIndex: 0, logIndex: 0 }))[0], locatedLogFromJson],
  ]
  const FIELDS = /^(JSON_|HEX_INVALID$|BYTES_LENGTH$|INTEGER_RANGE$|RPC_ANSWER$|HEADER_|RECEIPT_)/

  it.each(readers)('gives %s that is one, or is refused', (_, good, read) => {
    expect(outcomeOf(FIELDS, () => read(good))).toHaveProperty('value')
    holds(fc.oneof(jsonEdited(good), strange), 200, (value) => void outcomeOf(FIELDS, () => read(value)))
  })

  it('leads no pinned trust anchor to another block than the true one', async () => {
    const results = (method: string): unknown => {
      if (method === 'eth_blockNumber') return '0xc'
      return method.startsWith('eth_getBlock') ? headerJson : []
    }
    let body = (_method: string): string => ''
    const stub = await serve(({ body: asked }, response) => {
      const { method } = JSON.parse(asked) as { method: string }
      response.writeHead(200, { 'content-type': 'application/json' }).end(body(method))
    })
    try {
      const good = { jsonrpc: '2.0', id: 1, result: headerJson }
      await holdsAsync(fc.oneof(jsonTexts(good), jsonTexts(headerJson).map((text) => `{"jsonrpc":"2.0","id":1,"result":${text}}`)), 120, async (text) => {
        let asked = 0
        body = (method) => (asked++ === 0 ? text : JSON.stringify({ jsonrpc: '2.0', id: 1, result: results(method) }))
        const reader = createChainReader(createRpcClient({ url: stub.url, retry: NO_RETRY }))
        const prover = createChainProver(reader, parseTrustAnchor(trustIn(truth, 5)))
        const given = await prover.checkpoint(5).then(({ hash }) => hash, sdkError)
        expect(given === truth.hashes[5] || OWN.test(given)).toBe(true)
        asked = 0
        await Promise.all([reader.head(), reader.header(5), reader.receipts(5)].map((one: Promise<unknown>) => one.catch(sdkError)))
      })
    } finally {
      await stub.stop()
    }
  })
})
