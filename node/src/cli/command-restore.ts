import { readdir } from 'node:fs/promises'
import type { Command } from 'commander'
import { restoreFolders } from '../app/gateway-backup.js'
import { createLogger } from '../app/logger.js'
import { dataPaths } from '../app/options.js'
import { type CliContext, print } from './context.js'
import { exampleText } from './flags.js'
import { loadOptions } from './node-config.js'
import { formatFields } from './table.js'

const TEXTS = {
  restore: {
    en: 'bring a backup of `songhua backup` back into the data folder of a node that is stopped',
    zh: '将 songhua backup 的备份恢复到已停止节点的数据目录',
  },
  data: { en: 'data folder of the node', zh: '节点数据目录' },
  from: { en: 'folder of records', zh: '记录备份目录' },
  keysFrom: { en: 'folder of the keys of payloads', zh: '载荷密钥备份目录' },
  json: { en: 'print JSON', zh: '输出 JSON' },
} as const

interface Flags {
  data: string
  from: string
  keysFrom: string
  json?: boolean
}

export function addRestoreCommand(program: Command, context: CliContext): void {
  const say = (key: keyof typeof TEXTS): string => TEXTS[key][context.language]
  program
    .command('restore')
    .description(say('restore'))
    .requiredOption('--data <folder>', say('data'))
    .requiredOption('--from <folder>', say('from'))
    .requiredOption('--keys-from <folder>', say('keysFrom'))
    .option('--json', say('json'))
    .action((flags: Flags) => restore(context, flags))
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
      ]),
    )
}

async function restore(context: CliContext, { data, from, keysFrom, json }: Flags): Promise<void> {
  const { gateway } = await loadOptions(context, data, {})
  const { gatewayDir, gatewayKeysDir } = dataPaths(data)
  // What is missing is found before anything is made.
  await Promise.all([from, keysFrom].map((folder) => readdir(folder)))
  const target = {
    gatewayDir,
    keysDir: gateway.keysDir === '' ? gatewayKeysDir : gateway.keysDir,
    logger: createLogger({ level: 'warn', format: 'json' }, { part: 'restore' }),
  }
  const figures = await restoreFolders({ records: from, keys: keysFrom }, target)
  if (json) return print(context, JSON.stringify(figures))
  print(context, context.t('restoreDone', { path: data }))
  print(context, formatFields(Object.entries(figures).map(([name, value]) => [name, String(value)])))
}
