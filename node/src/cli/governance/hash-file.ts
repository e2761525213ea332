import { type Hash, bytesToHex } from '@songhua/sdk/protocol/bytes'
import { sha256 } from '@songhua/sdk/protocol/crypto'
import type { CliContext } from '../context.js'
import { readBytesFile } from '../files.js'
import type { MessageKey } from '../messages.js'

/** SHA-256 of a file whose contents stay off the chain. @throws CLI_FILE */
export async function hashFile(context: CliContext, what: MessageKey, path: string): Promise<Hash> {
  return bytesToHex(sha256(await readBytesFile(context, what, path)))
}
