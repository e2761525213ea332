import type { Address, Hash } from '../protocol/bytes.js'
import { blockHash } from '../protocol/block-hash.js'
import { verifyEvidence } from '../protocol/evidence.js'
import type { EvidenceBundle } from '../protocol/evidence-format.js'
import type { EvidenceVerdict } from '../protocol/evidence-verdict.js'
import { type TrustAnchor, type TrustAnchorFile, trustAnchorToJson } from '../protocol/trust-anchor.js'
import { type SchemaRegistry, createSchemaRegistry } from '../records/schema-registry.js'
import { RECORD_SCHEMAS } from '../records/schemas/catalogue.js'
import type {
  AnchorManyOptions,
  AnchorOptions,
  AnchoredRecord,
  EnvelopeInput,
  RecordInput,
  RefusedRecord,
} from '../connection/record.js'
import type { RetryPolicy } from '../connection/retry.js'
import { type ProvedUnder, readTrustAnchor, toProofTarget } from '../connection/proved-under.js'
import { SonghuaError } from '../connection/songhua-error.js'
import { type VerifyOptions, toEvidenceInput } from '../connection/verify-options.js'
import type { Source } from '../connection/stream.js'
import { type AnchorEvent, type WatchChainOptions, watchAnchorEvents } from './anchor-events.js'
import { createAnchorSender } from './anchor-sender.js'
import { numberFromJson, readAnswer } from './block-json.js'
import { type ChainProver, createChainProver } from './chain-prover.js'
import { type ChainReader, createChainReader } from './chain-reader.js'
import { anchorOne, anchorStream } from './chain-records.js'
import { createRecordMaker } from './record-maker.js'
import { type RpcClient, createRpcClient } from './rpc-client.js'
import type { ChainSigner } from './signer.js'

export interface ChainOptions {
  /** A node's JSON-RPC over HTTP. It is not trusted: see `genesisHash`. */
  readonly rpc: string
  /** `shk_…`, of that node: for what its chain's policy does not leave open to everybody. */
  readonly apiKey?: string
  /** The account that anchors: an ethers `Wallet`, or `keySigner(privateKey)`. */
  readonly signer: ChainSigner
  /** A URI of who vouches for the records: `did:…`, `uscc:…`; each record may name another. */
  readonly issuer?: string
  /** Pins the chain: the connection is refused when the endpoint's genesis is another. */
  readonly genesisHash?: string
  /** Pins the chain, with its checkpoints: the JSON of a trust anchor file, or its text. */
  readonly trustAnchor?: unknown
  /** Schemas besides those of the SDK. */
  readonly schemas?: SchemaRegistry
  readonly retry?: Partial<RetryPolicy>
  /** Of one request, ms. */
  readonly requestTimeoutMs?: number
  readonly fetch?: typeof fetch
  readonly signal?: AbortSignal
}

/** The chain without a gateway: records are built, anchored, proved and verified here. Payloads stay here too. */
export interface ChainConnection {
  readonly chainId: number
  readonly genesisHash: Hash
  /** The account that anchors. */
  readonly account: Address
  readonly records: ChainRecords
  /**
   * What whoever verifies must be given by another way than the records; with the checkpoints that are pinned.
   * @param options.checkpoint a height, or `head`: of a block whose seals were checked from the newest pinned checkpoint
   *   on, or the genesis; below a pinned checkpoint it needs a path into that
   * @throws SonghuaError `EVIDENCE_INVALID`; `RPC_…`
   */
  trustAnchor(options?: { checkpoint?: number | 'head'; signal?: AbortSignal }): Promise<TrustAnchorFile>
}

export interface ChainRecords {
  /**
   * Anchors one record in a transaction of its own, and resolves when its evidence has been verified.
   * @throws SonghuaError `RECORD_INVALID` with `violations`; `ANCHOR_TIMEOUT`, `EVIDENCE_INVALID`, `RPC_…`
   */
  anchor<S extends string>(record: RecordInput<S> | EnvelopeInput, options?: AnchorOptions): Promise<AnchoredRecord>
  /**
   * Anchors many, in large batches with several in flight; the way for bulk. In the order of the source, which is read
   * only as fast as its records are anchored and taken.
   * @throws SonghuaError as `anchor`; `SUBMISSION_REFUSED` with `rows` for bad records, unless `partial` is set
   */
  anchorMany<S extends string>(
    source: Source<RecordInput<S> | EnvelopeInput>,
    options: AnchorManyOptions & { readonly partial: true },
  ): AsyncGenerator<AnchoredRecord | RefusedRecord, void>
  anchorMany<S extends string>(
    source: Source<RecordInput<S> | EnvelopeInput>,
    options?: AnchorManyOptions & { readonly partial?: false },
  ): AsyncGenerator<AnchoredRecord, void>
  /** Locally. Under the connection's trust anchor unless another is given; a bad bundle gives a verdict, no error. */
  verify(evidence: unknown, options?: VerifyOptions): Promise<EvidenceVerdict>
  /**
   * The same record, proved so that it holds under a trust anchor: as the plain bundle where that does, else with a path
   * into the newest checkpoint. It is verified before it is given out.
   * @param options.under the trust anchor, or a checkpoint's height; when left out the newest checkpoint that the
   *   connection pins, or the head for a record above that
   * @throws SonghuaError `EVIDENCE_INVALID`; `RPC_ANSWER` when the chain has not come so far; `RPC_…`
   */
  refresh(
    evidence: EvidenceBundle,
    options?: { readonly under?: ProvedUnder; readonly signal?: AbortSignal },
  ): Promise<EvidenceBundle>
  /** Every batch that anybody anchors, as the endpoint tells it; for ever, or until the signal aborts. */
  watch(options?: WatchChainOptions): AsyncGenerator<AnchorEvent, never>
}

/** @throws SonghuaError `GENESIS_MISMATCH` when the endpoint is of another chain than was pinned; `RPC_…` */
export async function connectChain(options: ChainOptions): Promise<ChainConnection> {
  const rpc = createRpcClient({
    url: options.rpc,
    ...(options.apiKey === undefined ? {} : { apiKey: options.apiKey }),
    ...(options.requestTimeoutMs === undefined ? {} : { timeoutMs: options.requestTimeoutMs }),
    ...(options.retry === undefined ? {} : { retry: options.retry }),
    ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
  })
  const reader = createChainReader(rpc)
  const trustAnchor = await agreeOnTrust(rpc, reader, options)
  const { chainId, genesisHash } = trustAnchor
  const prover = createChainProver(reader, trustAnchor)
  const sender = await createAnchorSender(rpc, { signer: options.signer, chainId })
  const make = createRecordMaker(options.schemas ?? createSchemaRegistry(RECORD_SCHEMAS), options.issuer)
  const parts = { make, sender, prover }
  const anchorMany = (source: Source<RecordInput | EnvelopeInput>, many: AnchorManyOptions = {}) =>
    anchorStream(parts, source, many)
  return {
    chainId,
    genesisHash,
    account: sender.address,
    trustAnchor: (wanted) => exportTrust({ reader, prover, trustAnchor }, wanted),
    records: {
      anchor: (record, one = {}) => anchorOne(parts, record, one),
      anchorMany: anchorMany as ChainRecords['anchorMany'],
      verify: (evidence, verification = {}) => {
        const input = { trustAnchor: trustAnchorToJson(trustAnchor), ...toEvidenceInput(verification) }
        return Promise.resolve(verifyEvidence(evidence, input))
      },
      refresh: async (evidence, { under, signal } = {}) => {
        const isHeight = under === undefined || typeof under === 'number'
        return prover.refresh(evidence, isHeight ? under : toProofTarget(under), signal)
      },
      watch: (watch) => watchAnchorEvents(rpc, watch),
    },
  }
}

/** The trust anchor of the options, or the endpoint's genesis, checked against the hash that the options pin. */
async function agreeOnTrust(rpc: RpcClient, reader: ChainReader, options: ChainOptions): Promise<TrustAnchor> {
  const { signal } = options
  const id = await rpc.call('eth_chainId', [], signal)
  const chainId = readAnswer('eth_chainId', () => numberFromJson(id, 'chainId'))
  const genesisHeader = await reader.header(0, signal)
  const genesisHash = readAnswer('eth_getBlockByNumber', () => blockHash(genesisHeader))
  const pinned = options.trustAnchor === undefined ? undefined : readTrustAnchor(options.trustAnchor)
  checkPinned('genesis', genesisHash, options.genesisHash?.toLowerCase())
  checkPinned('genesis', genesisHash, pinned?.genesisHash)
  checkPinned('chain id', chainId, pinned?.chainId)
  return pinned ?? readTrustAnchor(trustAnchorToJson({ chainId, genesisHeader, checkpoints: [] }))
}

function checkPinned<T extends string | number>(what: string, actual: T, expected: T | undefined): void {
  if (expected === undefined || actual === expected) return
  const message = `The endpoint's ${what} is ${actual}, not ${expected}: it is a node of another chain`
  throw new SonghuaError('GENESIS_MISMATCH', message, { details: { actual, expected } })
}

async function exportTrust(
  parts: { reader: ChainReader; prover: ChainProver; trustAnchor: TrustAnchor },
  { checkpoint, signal }: { checkpoint?: number | 'head'; signal?: AbortSignal } = {},
): Promise<TrustAnchorFile> {
  const { reader, prover, trustAnchor } = parts
  if (checkpoint === undefined) return trustAnchorToJson(trustAnchor)
  const height = checkpoint === 'head' ? await reader.head(signal) : checkpoint
  if (height === 0) return trustAnchorToJson(trustAnchor)
  const added = await prover.checkpoint(height, signal)
  const pinned = trustAnchor.checkpoints.filter((known) => known.height !== added.height)
  const checkpoints = [...pinned, added].sort((a, b) => a.height - b.height)
  return trustAnchorToJson({ ...trustAnchor, checkpoints })
}
