import type { Command } from 'commander'
import type { Hash } from '@songhua/sdk/protocol/bytes'
import { checkBackupFolders, restoreFolders, restoreRecords } from '../app/gateway-restore.js'
import { createLogger } from '../app/logger.js'
import { genesisHashOf } from '../app/open-chain.js'
import { dataPaths } from '../app/options.js'
import { type CliContext, cliError, print } from './context.js'
import { exampleText } from './flags.js'
import { readGenesis } from './genesis-file.js'
import { loadOptions } from './node-config.js'
import { formatFields } from './table.js'

const TEXTS = {
  restore: {
    en: 'bring a backup of `songhua backup` back into the data folder of a node that is stopped',
    zh: '将 songhua backup 的备份恢复到已停止节点的数据目录',
  },
  data: { en: 'data folder of the node; with --check it may be left out', zh: '节点数据目录；与 --check 同用时可省略' },
  from: { en: 'folder of records', zh: '记录备份目录' },
  keysFrom: { en: 'folder of the keys of payloads', zh: '载荷密钥备份目录' },
  keepKeys: {
    en: 'the keys of payloads are still there: restore the records over them',
    zh: '载荷密钥仍完好：仅恢复记录，沿用现有密钥',
  },
  check: { en: 'only read the backup to its last byte; nothing is changed', zh: '仅完整校验备份，不作任何改动' },
  json: { en: 'print JSON', zh: '输出 JSON' },
} as const

interface Flags {
  data?: string
  from: string
  keysFrom?: string
  keepKeys?: boolean
  check?: boolean
  json?: boolean
}

export function addRestoreCommand(program: Command, context: CliContext): void {
  const say = (key: keyof typeof TEXTS): string => TEXTS[key][context.language]
  program
    .command('restore')
    .description(say('restore'))
    .option('--data <folder>', say('data'))
    .requiredOption('--from <folder>', say('from'))
    .option('--keys-from <folder>', say('keysFrom'))
    .option('--keep-keys', say('keepKeys'))
    .option('--check', say('check'))
    .option('--json', say('json'))
    .action((flags: Flags) => (flags.check ? check(context, flags) : restore(context, flags)))
    .addHelpText(
      'after',
      exampleText(context, [
        [
          'songhua restore --data /var/lib/songhua --from /backup/records-1123 --keys-from /mnt/safe/keys-1123',
          {
            en: 'payloads erased since stay erased where the one or the other backup knows of it',
            zh: '任一备份中已记载的删除都会保持',
          },
        ],
        [
          'songhua restore --data /var/lib/songhua --from /backup/records-1123 --keep-keys',
          { en: 'only the disk of records was lost', zh: '仅记录所在磁盘丢失' },
        ],
        [
          'songhua restore --check --from /backup/records-1123 --keys-from /mnt/safe/keys-1123',
          { en: 'would it come back?', zh: '校验备份能否恢复' },
        ],
      ]),
    )
}

async function check(context: CliContext, flags: Flags): Promise<void> {
  const { from, keysFrom, data, json } = flags
  if (keysFrom === undefined || flags.keepKeys) throw cliError(context, 'CLI_USAGE', ['restoreCheckKeys'])
  const genesisHash = data === undefined ? undefined : await genesisHashIn(context, data)
  const facts = await checkBackupFolders({ records: from, keys: keysFrom }, genesisHash)
  if (!json) print(context, context.t('restoreChecked'))
  printFigures(context, facts, json)
}

async function genesisHashIn(context: CliContext, data: string): Promise<Hash> {
  const { genesisFile } = await loadOptions(context, data, {})
  return genesisHashOf(await readGenesis(context, genesisFile))
}

async function restore(context: CliContext, { data, from, keysFrom, keepKeys, json }: Flags): Promise<void> {
  if (data === undefined) throw cliError(context, 'CLI_USAGE', ['restoreNeedsData'])
  if ((keysFrom === undefined) === !keepKeys) throw cliError(context, 'CLI_USAGE', ['restoreKeys'])
  const { gateway } = await loadOptions(context, data, {})
  const { gatewayDir, gatewayKeysDir } = dataPaths(data)
  const target = {
    gatewayDir,
    keysDir: gateway.keysDir === '' ? gatewayKeysDir : gateway.keysDir,
    genesisHash: await genesisHashIn(context, data),
    logger: createLogger({ level: 'warn', format: 'json' }, { part: 'restore' }),
  }
  const figures =
    keysFrom === undefined ? await restoreRecords(from, target) : await restoreFolders({ records: from, keys: keysFrom }, target)
  if (!json) print(context, context.t('restoreDone', { path: data }))
  printFigures(context, figures, json)
}

function printFigures(context: CliContext, figures: object, json: boolean | undefined): void {
  if (json) return print(context, JSON.stringify(figures))
  print(context, formatFields(Object.entries(figures).map(([name, value]) => [name, String(value)])))
}
