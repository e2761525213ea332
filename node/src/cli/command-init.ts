import { basename } from 'node:path'
import type { Command } from 'commander'
import { dataPaths } from '../app/options.js'
import { newPrivateKey } from './command-keys.js'
import { type CliContext, cliError, note, print } from './context.js'
import { createDataFolder } from './data-folder.js'
import { isVacant, readTextFile } from './files.js'
import { addNodeFlags, exampleText, flagsToOptions } from './flags.js'
import { type Identity, formatIdentity, privateKeyToIdentity } from './identity.js'
import { readGenesis } from './genesis-file.js'
import { encryptKey } from './keystore.js'
import { readPassword } from './password.js'

const TEXTS = {
  init: {
    en: 'make the data folder of a node: its encrypted key, its configuration, its empty consensus log',
    zh: '建立节点数据目录：加密私钥、配置、空的共识日志',
  },
  data: { en: 'new or empty folder', zh: '新的或空的目录' },
  genesis: {
    en: 'genesis file to check and copy in (may be copied in later)',
    zh: '要校验并复制的创世文件（也可稍后放入）',
  },
  password: {
    en: 'file whose first line is the password of the new key (default: ask)',
    zh: '新私钥的口令文件，取第一行（默认询问）',
  },
  json: { en: 'print JSON', zh: '输出 JSON' },
} as const
/** Options with their own meaning here, or none. */
const NOT_STORED = ['genesisFile', 'nodeKey.keystoreFile', 'nodeKey.passwordFile', 'nodeKey.devFile'] as const

interface Flags {
  data: string
  genesis?: string
  keyPasswordFile?: string
  json?: boolean
}

export function addInitCommand(program: Command, context: CliContext): void {
  const say = (key: keyof typeof TEXTS): string => TEXTS[key][context.language]
  const command = program
    .command('init')
    .description(say('init'))
    .requiredOption('--data <folder>', say('data'))
    .option('--genesis <file>', say('genesis'))
    .option('--key-password-file <file>', say('password'))
    .option('--json', say('json'))
  addNodeFlags(command, context, NOT_STORED)
  command.action((flags: Flags) => init(context, flags))
  command.addHelpText(
    'after',
    exampleText(context, [
      [
        'songhua init --data /var/lib/songhua --name Harbin',
        {
          en: 'asks for a password; prints the public key for the roster',
          zh: '询问口令；输出名册所需的公钥',
        },
      ],
      [
        'songhua init --data node2 --genesis genesis.json --bootnodes /ip4/10.0.0.1/tcp/30303/p2p/16Uiu2H…',
        {
          en: 'flags of `songhua start` given here are kept in songhua.json',
          zh: '此处给出的 start 选项会写入 songhua.json',
        },
      ],
    ]),
  )
}

async function init(context: CliContext, flags: Flags): Promise<void> {
  const { data } = flags
  if (!(await isVacant(data))) throw cliError(context, 'CLI_DATA_FOLDER', ['folderNotEmpty', { path: data }])
  const validators = flags.genesis === undefined ? undefined : (await readGenesis(context, flags.genesis)).validators
  const genesisText =
    flags.genesis === undefined ? undefined : await readTextFile(context, 'genesisFile', flags.genesis)
  const privateKey = newPrivateKey()
  const password = await readPassword(context, { file: flags.keyPasswordFile, flag: 'key-password-file', isNew: true })
  const keystore = await encryptKey(privateKey, password)
  const identity = privateKeyToIdentity(privateKey)
  await createDataFolder(context, data, {
    options: flagsToOptions({ ...flags }, NOT_STORED),
    ...(genesisText === undefined ? {} : { genesisText }),
    keyFile: {
      name: basename(dataPaths(data).keystoreFile),
      text: `${JSON.stringify(keystore, undefined, 2)}\n`,
      address: identity.address,
    },
  })
  reportInit(context, flags, { identity, validators })
}

function reportInit(
  context: CliContext,
  { data, json }: Flags,
  { identity, validators }: { identity: Identity; validators: readonly string[] | undefined },
): void {
  note(context, context.t('initDone', { path: data }))
  print(context, json ? JSON.stringify({ data, ...identity }) : formatIdentity(context, identity))
  if (validators === undefined) return note(context, context.t('initNeedsGenesis', { path: data }))
  if (!validators.includes(identity.address)) note(context, context.t('notInGenesis'))
  note(context, context.t('initNext', { path: data }))
}
