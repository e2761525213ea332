import type { Command } from 'commander'
import type { Hash } from '@songhua/sdk/protocol/bytes'
import type { Genesis } from '@songhua/sdk/protocol/genesis'
import { checkChainBackup, restoreChain } from '../app/chain-restore.js'
import { checkBackupFolders, restoreFolders, restoreRecords } from '../app/gateway-restore.js'
import { createLogger } from '../app/logger.js'
import { genesisHashOf } from '../app/open-chain.js'
import { dataPaths } from '../app/options.js'
import { type CliContext, cliError, print } from './context.js'
import { exampleText } from './flags.js'
import { readGenesis } from './genesis-file.js'
import { loadOptions } from './node-config.js'
import { createProgress } from './progress.js'
import { formatFields } from './table.js'

const TEXTS = {
  restore: {
    en: 'bring a backup of `songhua backup` back into the data folder of a node that is stopped',
    zh: '将 songhua backup 的备份恢复到已停止节点的数据目录',
  },
  data: {
    en: 'data folder of the node; to check records it may be left out',
    zh: '节点数据目录；仅校验记录时可省略',
  },
  chainFrom: {
    en: 'folder of the chain; every block is checked and executed anew, and an interrupted restore goes on',
    zh: '链数据备份目录；逐块重新核验并执行，中断后可继续',
  },
  restoringChain: { en: 'restoring blocks', zh: '正在恢复区块' },
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
  chainFrom?: string
  from?: string
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
    .option('--chain-from <folder>', say('chainFrom'))
    .option('--from <folder>', say('from'))
    .option('--keys-from <folder>', say('keysFrom'))
    .option('--keep-keys', say('keepKeys'))
    .option('--check', say('check'))
    .option('--json', say('json'))
    .action((flags: Flags) => run(context, flags))
    .addHelpText(
      'after',
      exampleText(context, [
        [
          'songhua restore --data /var/lib/songhua --chain-from /backup/chain',
          {
            en: 'a validator then keeps silent until it may vote again; never bring back consensus.log',
            zh: '验证者随后保持静默，直至可安全投票；切勿恢复 consensus.log',
          },
        ],
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

async function run(context: CliContext, flags: Flags): Promise<void> {
  const { chainFrom, from, keysFrom, keepKeys } = flags
  if (from === undefined && (chainFrom === undefined || keysFrom !== undefined || keepKeys)) {
    throw cliError(context, 'CLI_USAGE', ['restoreWhat'])
  }
  if (chainFrom !== undefined) await (flags.check ? checkChain : bringChain)(context, { ...flags, chainFrom })
  if (from !== undefined) await (flags.check ? check : restore)(context, { ...flags, from })
}

async function checkChain(context: CliContext, { data, chainFrom, json }: Flags & { chainFrom: string }): Promise<void> {
  const facts = await checkChainBackup(chainFrom, await genesisIn(context, data))
  if (!json) print(context, context.t('restoreChecked'))
  printFigures(context, facts, json)
}

async function bringChain(context: CliContext, { data, chainFrom, json }: Flags & { chainFrom: string }): Promise<void> {
  const genesis = await genesisIn(context, data)
  const progress = createProgress(context, TEXTS.restoringChain[context.language])
  const logger = createLogger({ level: 'warn', format: 'json' }, { part: 'restore' })
  try {
    const figures = await restoreChain(chainFrom, { dataDir: data!, genesis, logger, onProgress: (block, of) => progress.show(block, of) })
    if (!json) print(context, context.t('restoreDone', { path: data! }))
    printFigures(context, figures, json)
  } finally {
    progress.end()
  }
}

type RecordFlags = Flags & { from: string }

async function check(context: CliContext, { from, keysFrom, keepKeys, data, json }: RecordFlags): Promise<void> {
  if (keysFrom === undefined || keepKeys) throw cliError(context, 'CLI_USAGE', ['restoreCheckKeys'])
  const genesisHash = data === undefined ? undefined : await genesisHashIn(context, data)
  const facts = await checkBackupFolders({ records: from, keys: keysFrom }, genesisHash)
  if (!json) print(context, context.t('restoreChecked'))
  printFigures(context, facts, json)
}

async function genesisHashIn(context: CliContext, data: string): Promise<Hash> {
  return genesisHashOf(await genesisIn(context, data))
}

async function genesisIn(context: CliContext, data: string | undefined): Promise<Genesis> {
  if (data === undefined) throw cliError(context, 'CLI_USAGE', ['restoreNeedsData'])
  const { genesisFile } = await loadOptions(context, data, {})
  return readGenesis(context, genesisFile)
}

async function restore(context: CliContext, { data, from, keysFrom, keepKeys, json }: RecordFlags): Promise<void> {
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
