import { resolve } from 'node:path'
import type { Command } from 'commander'
import { CodedError, isCodedError } from '@songhua/sdk/protocol/errors'
import { readManifest } from '../app/backup-manifest.js'
import { checkTargets, warnOfSameDisk } from './backup-targets.js'
import { type CliContext, cliError, note, print } from './context.js'
import { exampleText } from './flags.js'
import { type RpcCall, createRpcCall } from './json-rpc.js'
import { readAddresses } from './node-addresses.js'
import { formatFields } from './table.js'

const TEXTS = {
  backup: {
    en: 'back up what a running node holds, while it goes on: the chain; and records, payloads (encrypted), API keys and, apart from them, the keys of payloads',
    zh: '不停机备份运行中的节点：链数据；以及记录、载荷（加密）、API 密钥，并另行备份载荷密钥',
  },
  data: { en: 'data folder of the running node', zh: '运行中节点的数据目录' },
  chainTo: {
    en: 'folder for the chain: a new one, or that of an earlier backup, which gets the new blocks',
    zh: '存放链数据的目录：新目录，或以前的备份目录（仅追加新区块）',
  },
  to: { en: 'new folder for records', zh: '存放记录的新目录' },
  keysTo: { en: 'new folder for the keys of payloads, best on another medium', zh: '存放载荷密钥的新目录，宜用另一介质' },
  json: { en: 'print JSON', zh: '输出 JSON' },
} as const
/** A backup of ten million records takes minutes. */
const BACKUP_MS_MAX = 6 * 60 * 60 * 1000

interface Flags {
  data: string
  chainTo?: string
  to?: string
  keysTo?: string
  json?: boolean
}

export function addBackupCommand(program: Command, context: CliContext): void {
  const say = (key: keyof typeof TEXTS): string => TEXTS[key][context.language]
  program
    .command('backup')
    .description(say('backup'))
    .requiredOption('--data <folder>', say('data'))
    .option('--chain-to <folder>', say('chainTo'))
    .option('--to <folder>', say('to'))
    .option('--keys-to <folder>', say('keysTo'))
    .option('--json', say('json'))
    .action((flags: Flags) => backup(context, flags))
    .addHelpText(
      'after',
      exampleText(context, [
        [
          'songhua backup --data /var/lib/songhua --chain-to /backup/chain',
          {
            en: 'every night into the same folder: only the new blocks are copied. Never copy consensus.log',
            zh: '每晚备份到同一目录：仅复制新区块。切勿复制 consensus.log',
          },
        ],
        [
          'songhua backup --data /var/lib/songhua --to /backup/records-1123 --keys-to /mnt/safe/keys-1123',
          { en: 'of a node with a gateway', zh: '带网关的节点' },
        ],
      ]),
    )
}

async function backup(context: CliContext, flags: Flags): Promise<void> {
  const { chainTo, to, keysTo } = flags
  if ((to === undefined) !== (keysTo === undefined) || (chainTo === undefined && to === undefined)) {
    throw cliError(context, 'CLI_USAGE', ['backupWhat'])
  }
  const { admin } = await readAddresses(context, flags.data)
  const call = plainly(createRpcCall(context, admin, { timeoutMs: BACKUP_MS_MAX }))
  const targets = {
    chainTo: chainTo === undefined ? undefined : resolve(chainTo),
    records: to === undefined || keysTo === undefined ? undefined : { to: resolve(to), keysTo: resolve(keysTo) },
  }
  await checkTargets(context, call, targets)
  warnOfSameDisk(context, flags.data, targets)
  if (targets.chainTo !== undefined) await backUpChain(context, call, { chainTo: targets.chainTo, json: flags.json })
  if (targets.records !== undefined) await backUpRecords(context, call, { ...targets.records, json: flags.json })
}

/** What the node says of a backup, as it said it: the address and the method are of no use to whoever asked for one. */
function plainly(call: RpcCall): RpcCall {
  return async (method, params) => {
    try {
      return await call(method, params)
    } catch (error) {
      if (!isCodedError(error, 'RPC_ERROR') || error.details.reason === '') throw error
      throw new CodedError(String(error.details.reason), String(error.details.message), { cause: error })
    }
  }
}

async function backUpChain(
  context: CliContext,
  call: RpcCall,
  { chainTo, json }: { chainTo: string; json: boolean | undefined },
): Promise<void> {
  const figures = await call<Record<string, number>>('admin_backupChain', [chainTo])
  if (json) return print(context, JSON.stringify({ chainTo, ...figures }))
  print(context, context.t('backupChainDone', { to: chainTo }))
  printFigures(context, figures)
}

async function backUpRecords(
  context: CliContext,
  call: RpcCall,
  { to, keysTo, json }: { to: string; keysTo: string; json: boolean | undefined },
): Promise<void> {
  const figures = await call<Record<string, number>>('admin_backupGateway', [to, keysTo])
  const { damaged } = figures.damagedSlots ? await readManifest(keysTo, 'keys') : { damaged: [] }
  if (json) print(context, JSON.stringify({ to, keysTo, ...figures, damaged }))
  else {
    print(context, context.t('backupDone', { to, keysTo }))
    printFigures(context, figures)
  }
  if (!figures.damagedSlots) return
  for (const { slot, recordId } of damaged) note(context, context.t('backupDamagedSlot', { slot, record: recordId ?? '–' }))
  throw cliError(context, 'KEYS_DAMAGED', ['backupKeysDamaged', { count: figures.damagedSlots }])
}

function printFigures(context: CliContext, figures: Record<string, number>): void {
  print(context, formatFields(Object.entries(figures).map(([name, value]) => [name, String(value)])))
}
