import { CodedError } from '@songhua/sdk/protocol/errors'

/** Each of these keeps a signature from leaving; all but SIGNER_SILENT, SIGNER_LOG_UNREADABLE and SIGNER_JOURNAL mean a bug above. */
export type SignerErrorCode =
  | 'SIGNER_SILENT'
  | 'SIGNER_REGRESSION'
  | 'SIGNER_CONFLICT'
  | 'SIGNER_NOT_PERSISTED'
  | 'SIGNER_LOG_UNREADABLE'
  | 'SIGNER_JOURNAL'

export function signerError(code: SignerErrorCode, message: string, details: Record<string, unknown> = {}): CodedError {
  return new CodedError<SignerErrorCode>(code, message, { details })
}
