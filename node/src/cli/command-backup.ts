import { resolve } from 'node:path'
import type { Command } from 'commander'
import { readManifest } from '../app/backup-manifest.js'
import { type CliContext, cliError, note, print } from './context.js'
import { exampleText } from './flags.js'
import { createRpcCall } from './json-rpc.js'
import { readAddresses } from './node-addresses.js'
import { formatFields } from './table.js'

const TEXTS = {
  backup: {
    en: 'back up records, payloads (encrypted), API keys and, apart from them, the keys of payloads; the node goes on',
    zh: '备份记录、载荷（加密）、API 密钥，并另行备份载荷密钥；节点不停机',
  },
  data: { en: 'data folder of the running node', zh: '运行中节点的数据目录' },
  to: { en: 'new folder for records', zh: '存放记录的新目录' },
  keysTo: { en: 'new folder for the keys of payloads, best on another medium', zh: '存放载荷密钥的新目录，宜用另一介质' },
  json: { en: 'print JSON', zh: '输出 JSON' },
} as const
/** A backup of ten million records takes minutes. */
const BACKUP_MS_MAX = 6 * 60 * 60 * 1000

interface Flags {
  data: string
  to: string
  keysTo: string
  json?: boolean
}

export function addBackupCommand(program: Command, context: CliContext): void {
  const say = (key: keyof typeof TEXTS): string => TEXTS[key][context.language]
  program
    .command('backup')
    .description(say('backup'))
    .requiredOption('--data <folder>', say('data'))
    .requiredOption('--to <folder>', say('to'))
    .requiredOption('--keys-to <folder>', say('keysTo'))
    .option('--json', say('json'))
    .action((flags: Flags) => backup(context, flags))
    .addHelpText(
      'after',
      exampleText(context, [
        [
          'songhua backup --data /var/lib/songhua --to /backup/records-1123 --keys-to /mnt/safe/keys-1123',
          {
            en: 'the chain itself needs no backup: a node fetches it from its peers',
            zh: '链本身无需备份：节点会从对等节点同步',
          },
        ],
      ]),
    )
}

async function backup(context: CliContext, flags: Flags): Promise<void> {
  const { admin } = await readAddresses(context, flags.data)
  const call = createRpcCall(context, admin, BACKUP_MS_MAX)
  const [to, keysTo] = [resolve(flags.to), resolve(flags.keysTo)]
  const figures = await call<Record<string, number>>('admin_backupGateway', [to, keysTo])
  const { damaged } = figures.damagedSlots ? await readManifest(keysTo, 'keys') : { damaged: [] }
  if (flags.json) print(context, JSON.stringify({ to, keysTo, ...figures, damaged }))
  else {
    print(context, context.t('backupDone', { to, keysTo }))
    print(context, formatFields(Object.entries(figures).map(([name, value]) => [name, String(value)])))
  }
  if (!figures.damagedSlots) return
  for (const { slot, recordId } of damaged) note(context, context.t('backupDamagedSlot', { slot, record: recordId ?? '–' }))
  throw cliError(context, 'KEYS_DAMAGED', ['backupKeysDamaged', { count: figures.damagedSlots }])
}
