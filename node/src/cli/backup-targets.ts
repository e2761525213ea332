import { CodedError } from '@songhua/sdk/protocol/errors'
import { checkApart, isWithin } from '../app/gateway-backup.js'
import { MANIFEST_FILE } from '../app/manifest-file.js'
import { contentsOf } from '../app/new-folders.js'
import { type CliContext, cliError, note } from './context.js'
import type { RpcCall } from './json-rpc.js'
import type { AdminNodeInfo } from './node-status.js'

/** Absolute paths. */
export interface BackupTargetPaths {
  readonly chainTo: string | undefined
  readonly records: { readonly to: string; readonly keysTo: string } | undefined
}

/**
 * All that can be known of the targets before the first byte is written: a backup in two parts is made whole or not begun.
 * @throws CodedError `CLI_USAGE` without a gateway, `GATEWAY_DOWN`, `BACKUP_FOLDER_NOT_EMPTY`, `BACKUP_FOLDERS_SAME`
 */
export async function checkTargets(context: CliContext, call: RpcCall, { chainTo, records }: BackupTargetPaths): Promise<void> {
  if (records !== undefined) {
    const { gateway, gatewayUp } = await call<AdminNodeInfo>('admin_nodeInfo')
    if (gateway === undefined) throw cliError(context, 'CLI_USAGE', ['backupNoGateway'])
    if (gatewayUp === false) throw cliError(context, 'GATEWAY_DOWN', ['backupGatewayDown'])
    checkApart(records.to, records.keysTo)
    for (const folder of [records.to, records.keysTo]) {
      if ((await namesIn(folder)).length > 0) throw notEmpty(folder, 'is not empty')
    }
  }
  const names = chainTo === undefined ? [] : await namesIn(chainTo)
  // What a run leaves that broke off before its manifest is taken up again; the node tells the two apart.
  const isOther = names.length > 0 && !names.some((name) => name.startsWith(MANIFEST_FILE) || name.startsWith('genesis.json'))
  if (chainTo !== undefined && isOther) throw notEmpty(chainTo, 'is not empty and no backup of a chain')
}

/** A copy on the disk that it is to outlive. */
export function warnOfSameDisk(context: CliContext, data: string, { chainTo, records }: BackupTargetPaths): void {
  for (const path of [chainTo, records?.to, records?.keysTo]) {
    if (path !== undefined && isWithin(path, data)) note(context, context.t('backupWithinData', { path, data }))
  }
}

/** What this user may not look at, the node judges. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return await contentsOf(folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EACCES' || code === 'EPERM' || code === 'ENOTDIR') return []
    throw error
  }
}

function notEmpty(folder: string, what: string): CodedError {
  return new CodedError('BACKUP_FOLDER_NOT_EMPTY', `${folder}: ${what}; name another folder, or move this one away`, { details: { folder } })
}
