/** `@songhua/sdk`: anchor records, and verify them anywhere. */
import { type ChainConnection, type ChainOptions, connectChain } from './chain/chain-connection.js'
import { type GatewayConnection, type GatewayOptions, connectGateway } from './gateway/gateway-connection.js'

/**
 * Through a gateway (`gateway`, `apiKey`), which keeps payloads and finds records, or straight to the chain (`rpc`,
 * `signer`, and an `apiKey` where the chain's policy asks readers for one), where everything is built and proved here. Both give the same evidence.
 * @throws SonghuaError `OPTION_INVALID`; for the chain `GENESIS_MISMATCH`, `RPC_UNREACHABLE`
 */
export function connect(options: GatewayOptions): Promise<GatewayConnection>
export function connect(options: ChainOptions): Promise<ChainConnection>
export async function connect(options: GatewayOptions | ChainOptions): Promise<GatewayConnection | ChainConnection> {
  return 'gateway' in options ? connectGateway(options) : connectChain(options)
}

export type { ChainConnection, ChainOptions, ChainRecords } from './chain/chain-connection.js'
export type { AnchorEvent, WatchChainOptions } from './chain/anchor-events.js'
export { type PermissionRefusal, type PermissionRefusalCode, permissionRefusalOf } from './chain/permission-refusal.js'
export { type ChainSigner, type UnsignedTransaction, keySigner } from './chain/signer.js'
export {
  type AnchorManyOptions,
  type AnchorOptions,
  type AnchorProgress,
  type AnchoredRecord,
  type EnvelopeInput,
  type PayloadBySchema,
  type PayloadFor,
  type RecordInput,
  type FieldViolation,
  type Refusal,
  type RefusedRecord,
  type SchemaId,
  type TableOptions,
  isAnchored,
  isRefused,
} from './connection/record.js'
export { type RecordToKeep, filesOf } from './connection/evidence-files.js'
export { payloadJson } from './connection/payload.js'
export type { ProvedUnder } from './connection/proved-under.js'
export type { RetryPolicy } from './connection/retry.js'
export { type ConnectionErrorCode, type RefusedRow, SonghuaError, isSonghuaError } from './connection/songhua-error.js'
export type { VerifyOptions } from './connection/verify-options.js'
export type { GatewayConnection, GatewayOptions, GatewayRecords } from './gateway/gateway-connection.js'
export type { GatewayEvent, GatewayRecord, RecordFilter, WatchOptions } from './gateway/model.js'
export { bytesToHex, hexToBytes } from './protocol/bytes.js'
export type { EvidenceBundle } from './protocol/evidence-format.js'
export { type EvidenceStepResult, type EvidenceVerdict, decisiveStep, reasonOf } from './protocol/evidence-verdict.js'
export { type EvidenceInput, verifyEvidence } from './protocol/evidence.js'
export type { Checkpoint, TrustAnchorFile } from './protocol/trust-anchor.js'
export type { RecordEnvelope } from './records/envelope.js'
export type { Violation } from './records/schema-types.js'
export { type PublicSubject, type Subject, type SubjectCommitment, commitSubject, gs1Subject } from './records/subject.js'
